//! Where a deployment keeps its things: database, Redis, secret, mail.

use std::{convert::Infallible, path::PathBuf, str::FromStr};

/// Where things are kept; shared by every command.
#[derive(Debug, Clone, clap::Args)]
pub struct DeploymentArgs {
    /// The database: `sqlite:FILE` or `postgres://user@host/name`.
    #[arg(
        long,
        env = "GATEHOUSE_DATABASE_URL",
        hide_env_values = true,
        default_value = Self::DEFAULT_DATABASE_URL,
        global = true,
        value_name = "URL"
    )]
    pub database_url: String,

    /// Redis, for several gateways on one PostgreSQL: `redis://host:6379`. Without it PostgreSQL answers every request.
    #[arg(long, env = "GATEHOUSE_REDIS_URL", hide_env_values = true, global = true, value_name = "URL")]
    pub redis_url: Option<String>,

    /// With `rediss://`: the authorities that vouch for Redis, in PEM, where they are not among those that everyone knows.
    #[arg(long, env = "GATEHOUSE_REDIS_CA_FILE", global = true, value_name = "FILE")]
    pub redis_ca_file: Option<PathBuf>,

    /// When a change that takes rights away returns, with Redis (docs/freshness.md).
    #[arg(long, env = "GATEHOUSE_REVOCATION", default_value = "auto", global = true, value_name = "MODE")]
    pub revocation: RevocationMode,

    /// The name that separates this deployment's keys from others' in the same Redis.
    #[arg(long, env = "GATEHOUSE_DEPLOYMENT", default_value = "gatehouse", global = true, value_name = "NAME")]
    pub deployment: String,

    /// The file of the root secret, made at the first start; the variable `GATEHOUSE_SECRET` goes before it.
    #[arg(long, env = "GATEHOUSE_SECRET_FILE", default_value = "gatehouse.secret", global = true, value_name = "FILE")]
    pub secret_file: PathBuf,

    /// The server that outgoing mail is given to: `smtp://user:password@host:port`, which must offer STARTTLS where it is not on
    /// this machine, or `smtps://…`. Without it, mail is written to the folder.
    #[arg(long, env = "GATEHOUSE_MAIL_URL", hide_env_values = true, global = true, value_name = "URL")]
    pub mail_url: Option<MailUrl>,

    /// The folder that outgoing mail is written to where there is no server.
    #[arg(long, env = "GATEHOUSE_MAIL_DIR", default_value = "gatehouse-mail", global = true, value_name = "DIR")]
    pub mail_dir: PathBuf,

    /// The sender of outgoing mail.
    #[arg(
        long,
        env = "GATEHOUSE_MAIL_FROM",
        default_value = "Gatehouse <gatehouse@localhost.localdomain>",
        global = true,
        value_name = "ADDRESS"
    )]
    pub mail_from: String,

    /// How many database connections may be open at once.
    #[arg(long, env = "GATEHOUSE_DATABASE_CONNECTIONS", default_value_t = 16, global = true, value_name = "N")]
    pub database_connections: u32,

    /// How many minutes an access token lives (1 to 30).
    #[arg(long, env = "GATEHOUSE_ACCESS_TOKEN_MINUTES", default_value_t = 5, global = true, value_name = "N",
          value_parser = clap::value_parser!(u64).range(1..=30))]
    pub access_token_minutes: u64,

    /// Whether only invited people may open an account.
    #[arg(long, env = "GATEHOUSE_INVITATION_ONLY", global = true)]
    pub invitation_only: bool,

    /// A domain whose addresses may open an account, besides invited people (may be repeated). Without it, anyone may.
    #[arg(
        long = "sign-up-domain",
        env = "GATEHOUSE_SIGN_UP_DOMAIN",
        value_delimiter = ',',
        global = true,
        conflicts_with = "invitation_only",
        value_name = "DOMAIN"
    )]
    pub sign_up_domains: Vec<String>,

    /// The file of identity providers that people can sign in by (docs/identity-providers.md).
    #[arg(long, env = "GATEHOUSE_PROVIDERS", global = true, value_name = "FILE")]
    pub providers: Option<PathBuf>,
}

/// When a change that takes rights away returns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum RevocationMode {
    /// As soon as Redis acknowledged it, where Redis cannot lose what it acknowledged; else as `strict`.
    #[default]
    Auto,
    /// As soon as Redis acknowledged it. A Redis that loses it shows old rights for at most a second after the change.
    Fast,
    /// After about a second, when every gateway has read it from the database.
    Strict,
}

impl DeploymentArgs {
    /// The database where none is named: a file in the working directory.
    pub const DEFAULT_DATABASE_URL: &str = "sqlite:gatehouse.db";
}

/// The URL of a mail server. It holds a password, so that it is never printed; whether it makes sense is said by the room that
/// uses it, without repeating it.
#[derive(Clone, PartialEq, Eq)]
pub struct MailUrl(String);

impl MailUrl {
    /// The URL as it was given.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for MailUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for MailUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MailUrl(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_url_is_not_printed() {
        let url: MailUrl = "smtp://gate:hunter2@mail.example.com".parse().unwrap();
        assert_eq!(format!("{url:?}"), "MailUrl(…)");
        assert!(url.expose().contains("hunter2"));
    }
}
