//! `gatehouse migrate`.

use anyhow::Context;

use super::{lock::DatabaseLock, open::connect};
use crate::config::DeploymentArgs;

/// Brings the database up to date.
///
/// # Errors
/// When the database cannot be reached or a step fails.
pub async fn run(deployment: &DeploymentArgs) -> anyhow::Result<()> {
    let instead = "it brought the database up to date when it started";
    let _lock = DatabaseLock::take(&deployment.database_url, instead)?;
    let store = connect(deployment).await?;
    let before = store.is_migrated().await?;
    store.migrate().await.context("cannot migrate the database")?;
    println!("{}", if before { "The database was up to date." } else { "The database is up to date now." });
    Ok(store.close().await?)
}
