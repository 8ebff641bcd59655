//! `gatehouse user`.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail};

use super::{
    lock::DatabaseLock,
    open::{Urls, open},
};
use crate::{
    config::DeploymentArgs,
    graphql::node::NodeType,
    service::{ServiceError, user::NewAccount},
};

/// Options of `gatehouse user`.
#[derive(Debug, Clone, clap::Args)]
pub struct UserArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: UserCommand,
}

/// What can be done with accounts.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum UserCommand {
    /// Opens an account whose address counts as verified, and prints its id. The password is asked for, or read from stdin.
    Create(CreateArgs),
}

/// Options of `gatehouse user create`.
#[derive(Debug, Clone, clap::Args)]
pub struct CreateArgs {
    /// The email address to sign in with.
    #[arg(long, value_name = "ADDRESS")]
    pub email: String,
    /// The person's name.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Read the password from the first line of stdin instead of asking for it.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Runs the command.
///
/// # Errors
/// What a person at the terminal needs to know.
pub async fn run(deployment: &DeploymentArgs, args: UserArgs) -> anyhow::Result<()> {
    let UserCommand::Create(CreateArgs { email, name, password_stdin }) = args.command;
    let password = password(password_stdin)?;
    let instead = "call its mutation `signUp` instead, or stop it first";
    let _lock = DatabaseLock::take(&deployment.database_url, instead)?;
    // Neither is used: no token is minted and no mail is sent.
    let nowhere = "http://localhost".to_owned();
    let opened = open(deployment, &Urls { public: nowhere.clone(), dashboard: nowhere }).await?;
    let created = opened.service.create_account(NewAccount { email, password, name }).await;
    opened.close().await?;
    match created {
        Ok(user) => {
            println!("{}", *NodeType::User.id(user.id));
            Ok(())
        }
        Err(ServiceError::Refused(refusals)) => {
            let told = refusals.iter().map(|refusal| format!("{}: {}", refusal.field.join("."), refusal.message));
            bail!("{}", told.collect::<Vec<_>>().join("\n"))
        }
        Err(error) => Err(error).context("cannot open the account"),
    }
}

/// Never from the command line's words, which every process of the machine can read.
fn password(from_stdin: bool) -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    if from_stdin {
        let mut line = String::new();
        stdin.lock().read_line(&mut line).context("cannot read the password from stdin")?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    if !stdin.is_terminal() {
        bail!("there is no terminal to ask for the password: give it on stdin, with --password-stdin");
    }
    let password = rpassword::prompt_password("Password: ").context("cannot read the password")?;
    if password != rpassword::prompt_password("Once more: ").context("cannot read the password")? {
        bail!("the two passwords differ");
    }
    Ok(password)
}
