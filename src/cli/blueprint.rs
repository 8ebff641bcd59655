//! `gatehouse blueprint`: checks documents and installs them.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{
    lock::DatabaseLock,
    open::{Urls, open},
};
use crate::{
    access::{Blueprint, blueprint::BlueprintError},
    config::DeploymentArgs,
    service::blueprint::{self, InstallError, Installation},
};

/// What to do with a blueprint.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum BlueprintCommand {
    /// Says everything that is wrong with a document, and where; needs no database.
    Check {
        /// The document.
        file: PathBuf,
    },
    /// Installs a document, so that organizations can be created with it.
    Add {
        /// The document.
        file: PathBuf,
    },
}

/// Runs the command.
///
/// # Errors
/// When the document is wrong (its mistakes are printed, one a line), cannot be read, or cannot be installed.
pub async fn run(deployment: &DeploymentArgs, command: BlueprintCommand) -> anyhow::Result<()> {
    match command {
        BlueprintCommand::Check { file } => {
            let source = read(&file)?;
            let blueprint = blueprint::read(&source).map_err(|mistakes| report(&file, &mistakes))?;
            println!("{}", summary(&blueprint));
            Ok(())
        }
        BlueprintCommand::Add { file } => add(deployment, &file).await,
    }
}

async fn add(deployment: &DeploymentArgs, file: &Path) -> anyhow::Result<()> {
    let source = read(file)?;
    let blueprint = blueprint::read(&source).map_err(|mistakes| report(file, &mistakes))?;
    let instead = "stop it, add the blueprint, and start it again (blueprints of an embedded database are added while nothing serves it)";
    let _lock = DatabaseLock::take(&deployment.database_url, instead)?;
    let opened = open(deployment, &Urls::unserved()?).await?;
    let installed = opened.service.install_blueprint(&source).await;
    opened.close().await?;
    match installed {
        Ok(Installation::Installed) => println!("Installed {}.", summary(&blueprint)),
        Ok(Installation::AlreadyThere) => println!("This very document is installed: {}.", summary(&blueprint)),
        Err(InstallError::Invalid(mistakes)) => return Err(report(file, &mistakes)),
        Err(error) => return Err(error).with_context(|| format!("cannot install `{}`", file.display())),
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))
}

/// Prints every mistake as `FILE:LINE: …`, and says how many there were.
fn report(file: &Path, mistakes: &[BlueprintError]) -> anyhow::Error {
    let shown = file.display();
    for mistake in mistakes {
        let path = if mistake.path.is_empty() { String::new() } else { format!("`{}`: ", mistake.path) };
        let fix = if mistake.fix.is_empty() { String::new() } else { format!(" (fix: {})", mistake.fix) };
        println!("{shown}:{}: {path}{}{fix}", mistake.line, mistake.problem);
    }
    let count = mistakes.len();
    anyhow::anyhow!("{count} mistake{} in `{shown}`", if count == 1 { "" } else { "s" })
}

/// What a blueprint holds, in one line.
fn summary(blueprint: &Blueprint) -> String {
    let document = blueprint.document();
    let features: usize = document.app_kinds.values().map(|kind| kind.features.len()).sum();
    let words = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let parts = [
        words(document.app_kinds.len(), "app kind"),
        words(features, "feature"),
        words(document.roles.len(), "role"),
        words(document.plans.len(), "plan"),
    ];
    format!("{} version {}: {}", document.name, document.version, parts.join(", "))
}
