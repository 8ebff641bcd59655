//! `gatehouse user`.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail};

use super::{
    lock::DatabaseLock,
    open::{Opened, Urls, open},
};
use crate::{
    config::DeploymentArgs,
    graphql::node::NodeType,
    service::{ServiceError, account_state::StateSet, user::NewAccount},
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
    /// Suspends an account: it is let in by no way, its sessions end at once, and tokens that the person made do nothing.
    Suspend(AccountArgs),
    /// Lets a suspended account be used again. Sessions that ended stay ended.
    Reactivate(AccountArgs),
    /// Removes the second factor of somebody who lost it, with its recovery codes, and ends the person's sessions. Make sure that
    /// it is the person who asks.
    RemoveSecondFactor(AccountArgs),
}

/// Which account.
#[derive(Debug, Clone, clap::Args)]
pub struct AccountArgs {
    /// The email address that it signs in with.
    #[arg(value_name = "EMAIL")]
    pub email: String,
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
    match args.command {
        UserCommand::Create(args) => create(deployment, args).await,
        UserCommand::Suspend(AccountArgs { email }) => {
            let (_lock, opened) = opened(deployment, "stop it first").await?;
            let suspended = opened.service.suspend_account(&email).await;
            opened.close().await?;
            let StateSet { changed, sessions } = told(suspended, &email, "cannot suspend the account")?;
            let what = if changed { "Suspended" } else { "Suspended already:" };
            println!("{what} {email}; {}.", ended(sessions));
            Ok(())
        }
        UserCommand::Reactivate(AccountArgs { email }) => {
            let (_lock, opened) = opened(deployment, "stop it first").await?;
            let reactivated = opened.service.reactivate_account(&email).await;
            opened.close().await?;
            if told(reactivated, &email, "cannot reactivate the account")?.changed {
                println!("Reactivated {email}; the person may sign in again.");
            } else {
                println!("Active already: {email}; nothing was changed.");
            }
            Ok(())
        }
        UserCommand::RemoveSecondFactor(AccountArgs { email }) => {
            let (_lock, opened) = opened(deployment, "stop it first").await?;
            let removed = opened.service.remove_second_factor_of(&email).await;
            opened.close().await?;
            match told(removed, &email, "cannot remove the second factor")? {
                Some(sessions) => println!("Removed the second factor of {email}; {}.", ended(sessions)),
                None => println!("No second factor: {email}; nothing was changed."),
            }
            Ok(())
        }
    }
}

async fn create(deployment: &DeploymentArgs, args: CreateArgs) -> anyhow::Result<()> {
    let CreateArgs { email, name, password_stdin } = args;
    let password = password(password_stdin)?;
    let (_lock, opened) = opened(deployment, "call its mutation `signUp` instead, or stop it first").await?;
    let created = opened.service.create_account(NewAccount { email: email.clone(), password, name }).await;
    opened.close().await?;
    let user = told(created, &email, "cannot open the account")?;
    println!("{}", *NodeType::User.id(user.id));
    Ok(())
}

/// Opens the deployment, unless another process has the database for itself; `instead` says what to do then.
async fn opened(deployment: &DeploymentArgs, instead: &str) -> anyhow::Result<(DatabaseLock, Opened)> {
    let lock = DatabaseLock::take(&deployment.database_url, instead)?;
    // Neither is used: no token is minted and no mail is sent.
    let nowhere = "http://localhost".to_owned();
    Ok((lock, open(deployment, &Urls { public: nowhere.clone(), dashboard: nowhere }).await?))
}

/// What was done, or why it was not, in words for a terminal.
fn told<T>(done: Result<T, ServiceError>, email: &str, otherwise: &'static str) -> anyhow::Result<T> {
    match done {
        Ok(done) => Ok(done),
        Err(ServiceError::NotFound) => bail!("there is no account with the address `{email}`"),
        Err(ServiceError::Refused(refusals)) => {
            let told = refusals.iter().map(|refusal| format!("{}: {}", refusal.field.join("."), refusal.message));
            bail!("{}", told.collect::<Vec<_>>().join("\n"))
        }
        Err(error) => Err(error).context(otherwise),
    }
}

fn ended(sessions: u64) -> String {
    match sessions {
        1 => "1 session ended".to_owned(),
        many => format!("{many} sessions ended"),
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
