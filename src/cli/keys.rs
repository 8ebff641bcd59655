//! `gatehouse keys`: the keys that sign access tokens.

use anyhow::Context;
use chrono::TimeDelta;

use super::{
    lock::DatabaseLock,
    open::{Urls, open},
};
use crate::{
    config::DeploymentArgs,
    service::signing_key::{GRACE, KeyState, LEAST_GRACE_MINUTES, ListedKey, Rotation},
};

/// What to do with the signing keys.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum KeysCommand {
    /// Lists the keys there were and are: state, name, from when it signs, when it retires.
    List,
    /// Makes the next key; running gateways learn of it within about a second.
    Rotate(RotateArgs),
}

/// Options of `gatehouse keys rotate`.
#[derive(Debug, Clone, clap::Args)]
pub struct RotateArgs {
    /// For how many minutes the present key is believed after the next one signs, at least 36.
    #[arg(long, value_name = "N", default_value_t = GRACE.num_minutes(), conflicts_with = "at_once",
          value_parser = clap::value_parser!(i64).range(LEAST_GRACE_MINUTES..=10_080))]
    pub grace_minutes: i64,
    /// The present keys are in the wrong hands: sign with the next one now, and believe nothing signed before. Every access
    /// token has to be refreshed.
    #[arg(long)]
    pub at_once: bool,
}

/// Runs the command.
///
/// # Errors
/// When the database is served by another process, or cannot be reached.
pub async fn run(deployment: &DeploymentArgs, command: KeysCommand) -> anyhow::Result<()> {
    let instead = "stop it first; while it runs, it rotates by itself (`--signing-key-days`)";
    let _lock = DatabaseLock::take(&deployment.database_url, instead)?;
    let opened = open(deployment, &Urls::unserved()?).await?;
    let service = &opened.service;
    let rotated = match command {
        KeysCommand::List => Ok(()),
        KeysCommand::Rotate(RotateArgs { at_once: true, .. }) => service.rotate_signing_key(Rotation::AtOnce).await,
        KeysCommand::Rotate(RotateArgs { grace_minutes, .. }) => {
            service.rotate_signing_key(Rotation::Planned { grace: TimeDelta::minutes(grace_minutes) }).await
        }
    };
    let listed = service.list_signing_keys().await;
    opened.close().await?;
    rotated.context("cannot make the next key")?;
    for key in listed.context("cannot read the keys")? {
        println!("{}", line(&key));
    }
    Ok(())
}

fn line(listed: &ListedKey) -> String {
    let state = match listed.state {
        KeyState::Next => "next",
        KeyState::Signing => "signing",
        KeyState::Grace => "grace",
        KeyState::Retired => "retired",
    };
    let end = listed.key.retires_at.map_or_else(|| "-".to_owned(), |end| end.to_rfc3339());
    format!("{state:<8} {} {} {end}", listed.name, listed.key.signs_from.to_rfc3339())
}
