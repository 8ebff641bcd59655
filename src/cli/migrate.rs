//! `gatehouse migrate`.

use anyhow::Context;

use super::open::connect;
use crate::config::DeploymentArgs;

/// Brings the database up to date.
///
/// # Errors
/// When the database cannot be reached or a step fails.
pub async fn run(deployment: &DeploymentArgs) -> anyhow::Result<()> {
    let store = connect(deployment).await?;
    let before = store.is_migrated().await?;
    store.migrate().await.context("cannot migrate the database")?;
    println!("{}", if before { "The database was up to date." } else { "The database is up to date now." });
    Ok(store.close().await?)
}
