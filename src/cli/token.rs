//! `gatehouse token`: API tokens from the command line.

use anyhow::Context;

use super::{
    lock::DatabaseLock,
    open::{Urls, open},
};
use crate::{
    config::DeploymentArgs,
    service::{ServiceError, api_token::NewToken},
};

/// What to do with API tokens.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum TokenCommand {
    /// Makes a token and prints it, once.
    Create(CreateArgs),
}

/// Options of `gatehouse token create`.
#[derive(Debug, Clone, clap::Args)]
pub struct CreateArgs {
    /// The organization, by its slug.
    #[arg(long, value_name = "SLUG")]
    pub organization: String,
    /// What people will call it.
    #[arg(long)]
    pub name: String,
    /// What it may do, such as `activity.record` or `*.*.view` (may be repeated).
    #[arg(long = "scope", required = true, value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// In how many days it ends, 1 to 365.
    #[arg(long, value_name = "N")]
    pub expires_in_days: i64,
    /// Print one JSON object instead of the token alone.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// When there is no such organization, or the input is refused.
pub async fn run(deployment: &DeploymentArgs, command: TokenCommand) -> anyhow::Result<()> {
    let TokenCommand::Create(args) = command;
    let _lock = DatabaseLock::take(&deployment.database_url, "call its mutation `createApiToken` instead")?;
    let opened = open(deployment, &Urls::unserved()?).await?;
    let CreateArgs { organization, name, scopes, expires_in_days, json } = args;
    let new = NewToken { name, scopes, expires_in_days, account: None };
    let created = opened.service.create_api_token_as_operator(&organization, new).await;
    opened.close().await?;
    let created = match created {
        Ok(created) => created,
        Err(ServiceError::Refused(mistakes)) => anyhow::bail!("{}", refusals(&mistakes)),
        Err(ServiceError::NotFound) => anyhow::bail!("there is no organization `{organization}`"),
        Err(error) => return Err(error).context("cannot make the token"),
    };
    let secret = created.secret.context("the token was made before")?;
    if json {
        let token = &created.token;
        let object = serde_json::json!({
            "organization": organization,
            "name": token.name,
            "scopes": token.scopes,
            "expiresAt": token.expires_at,
            "token": secret.as_str(),
        });
        println!("{object}");
    } else {
        println!("{}", secret.as_str());
    }
    Ok(())
}

/// Refusals as lines for a terminal.
fn refusals(mistakes: &[crate::service::UserError]) -> String {
    let line = |mistake: &crate::service::UserError| {
        let field = if mistake.field.is_empty() { String::new() } else { format!("{}: ", mistake.field.join(".")) };
        let remedy = mistake.remedy.as_deref().map(|remedy| format!(" {remedy}")).unwrap_or_default();
        format!("{field}{}.{remedy}", mistake.message)
    };
    mistakes.iter().map(line).collect::<Vec<_>>().join("\n")
}
