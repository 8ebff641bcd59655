//! `gatehouse import`.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    lock::DatabaseLock,
    open::{Urls, open},
};
use crate::{
    config::DeploymentArgs,
    service::import::{ImportError, Progress, Report},
};

/// Options of `gatehouse import`.
#[derive(Debug, Clone, clap::Args)]
pub struct ImportArgs {
    /// The organization document (JSON): members, teams and repositories.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The blueprint that says how the document is read.
    #[arg(long, value_name = "NAME")]
    pub blueprint: String,
}

/// A line on a terminal that says what is worked on; nothing where there is no terminal.
fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Prints what became of each noun.
fn print(report: &Report, mut out: impl Write) -> io::Result<()> {
    writeln!(out, "{:<14}{:>9}{:>9}{:>9}{:>11}", "", "created", "updated", "removed", "unchanged")?;
    for (noun, count) in report.rows() {
        let (created, updated, removed) = (count.created, count.updated, count.removed);
        writeln!(out, "{noun:<14}{created:>9}{updated:>9}{removed:>9}{:>11}", count.unchanged)?;
    }
    Ok(())
}

/// Runs the command.
///
/// # Errors
/// When the document is wrong (nothing is written then), or the database is out of reach.
pub async fn run(deployment: &DeploymentArgs, args: ImportArgs) -> anyhow::Result<()> {
    let file = args.file.display();
    let source = std::fs::read_to_string(&args.file).with_context(|| format!("cannot read `{file}`"))?;
    let _lock = DatabaseLock::take(&deployment.database_url, "stop it, or import into another database")?;
    let bar = spinner();
    bar.set_message("opening the database");
    let opened = open(deployment, &Urls::unserved()?).await?;
    let shown = bar.clone();
    let progress: Progress = Arc::new(move |what, count| shown.set_message(format!("{what}: {count}")));
    let report = opened.service.import(&source, &args.blueprint, progress).await;
    bar.finish_and_clear();
    let report = match report {
        Ok(report) => report,
        Err(ImportError::Invalid(mistakes)) => {
            let lines: Vec<String> = mistakes.iter().map(|mistake| format!("  {mistake}")).collect();
            let lines = lines.join("\n");
            let count = mistakes.len();
            anyhow::bail!("`{file}` has {count} {}; nothing was imported:\n{lines}", plural(count, "mistake"));
        }
        Err(error) => return Err(error).with_context(|| format!("`{file}` was not imported")),
    };
    print(&report, io::stdout().lock())?;
    opened.close().await
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}
