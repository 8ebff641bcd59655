//! The file of identity providers: TOML, one table for each, named by the key that stands in its paths.
//!
//! ```toml
//! [provider.acme]
//! issuer = "https://id.example.com/realms/acme"
//! client_id = "gatehouse"
//! client_secret_file = "/run/secrets/acme"
//! linking = "verified_email"
//! ```

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

/// The algorithms that are believed where nothing is said: the ones that providers use, none with a shared secret.
pub const DEFAULT_ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];

/// The file cannot be understood; says where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProviderFileError(String);

/// How a client shows itself at the token endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// In the `Authorization` header (`client_secret_basic`).
    #[default]
    Basic,
    /// In the form (`client_secret_post`).
    Post,
}

/// Whether somebody who comes from a provider for the first time gets an account that is there already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkingRule {
    /// Never.
    #[default]
    Never,
    /// Where the provider says that the address is verified, and it is verified here as well.
    VerifiedEmail,
}

/// One provider, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderSettings {
    /// What people call it [default: its key].
    pub title: Option<String>,
    /// The `iss` of its tokens, letter by letter; its metadata is below it.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// The file that our secret is in.
    pub client_secret_file: Option<PathBuf>,
    /// The variable that our secret is in.
    pub client_secret_env: Option<String>,
    /// How the secret is shown.
    #[serde(default)]
    pub client_authentication: ClientAuthentication,
    /// What its tokens may be signed with.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<String>,
    /// What it is asked for.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// Whether accounts are linked by their address.
    #[serde(default)]
    pub linking: LinkingRule,
    /// Whether people without an account get one.
    #[serde(default = "yes")]
    pub sign_up: bool,
    /// The domains that addresses must be at; empty: any.
    #[serde(default)]
    pub allowed_domains: Vec<String>,
    /// The claim that must be `true` for the address to count as verified.
    #[serde(default = "email_verified")]
    pub email_verified_claim: String,
    /// Whether its ID tokens are taken by `signInWithProvider`.
    #[serde(default)]
    pub accept_tokens: bool,
    /// Whom such tokens may be for besides us: other clients of the same product.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// Where the browser is sent in the end [default: the dashboard].
    pub landing: Option<String>,
    /// How many seconds pass at least between two readings of its keys.
    #[serde(default = "key_refresh_seconds")]
    pub key_refresh_seconds: u32,
}

fn algorithms() -> Vec<String> {
    DEFAULT_ALGORITHMS.map(str::to_owned).to_vec()
}

fn scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).to_vec()
}

fn email_verified() -> String {
    "email_verified".to_owned()
}

const fn yes() -> bool {
    true
}

const fn key_refresh_seconds() -> u32 {
    30
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    provider: BTreeMap<String, ProviderSettings>,
}

/// The providers of a file, by key.
///
/// # Errors
/// When it is no TOML, has an unknown word, or a key that cannot stand in a path.
pub fn parse_providers(text: &str) -> Result<BTreeMap<String, ProviderSettings>, ProviderFileError> {
    let file: File = toml::from_str(text).map_err(|error| ProviderFileError(error.to_string()))?;
    for (key, settings) in &file.provider {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if key.is_empty() || key.len() > 40 || !key.bytes().all(plain) {
            let message = format!("`{key}`: a provider's key has 1 to 40 lower-case letters, digits and hyphens");
            return Err(ProviderFileError(message));
        }
        if settings.client_secret_file.is_some() && settings.client_secret_env.is_some() {
            let message = format!("`{key}`: name `client_secret_file` or `client_secret_env`, not both");
            return Err(ProviderFileError(message));
        }
    }
    Ok(file.provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "[provider.acme]\nissuer = \"https://id.example.com\"\nclient_id = \"gatehouse\"\n";

    #[test]
    fn what_is_not_said_is_the_careful_choice() {
        let acme = parse_providers(LEAST).unwrap().remove("acme").unwrap();
        assert_eq!((acme.linking, acme.accept_tokens), (LinkingRule::Never, false));
        assert_eq!(acme.algorithms, DEFAULT_ALGORITHMS);
        assert_eq!((acme.scopes.join(" "), acme.key_refresh_seconds), ("openid email profile".to_owned(), 30));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let unknown = parse_providers(&format!("{LEAST}linkng = \"never\"\n")).unwrap_err().to_string();
        assert!(unknown.contains("unknown field `linkng`") && unknown.contains("line 4"), "{unknown}");
        for wrong in [
            LEAST.replace("acme", "Acme"),
            LEAST.replace("client_id", "client"),
            format!("{LEAST}linking = \"email\"\n"),
            format!("{LEAST}client_secret_file = \"a\"\nclient_secret_env = \"B\"\n"),
            format!("{LEAST}client_secret = \"in the clear\"\n"),
        ] {
            assert!(parse_providers(&wrong).is_err(), "{wrong}");
        }
    }
}
