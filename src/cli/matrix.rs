//! `gatehouse matrix`.

use std::io::{self, BufWriter, ErrorKind, Write};

use anyhow::Context;

use super::open::{Urls, open};
use crate::{
    config::DeploymentArgs,
    service::{ServiceError, matrix::MatrixRow},
};

/// Options of `gatehouse matrix`.
#[derive(Debug, Clone, clap::Args)]
pub struct MatrixArgs {
    /// The organization's slug.
    #[arg(long, value_name = "SLUG")]
    pub organization: String,

    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Tsv)]
    pub format: Format,
}

/// How a matrix is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A line for each right, without a header: member, app, feature and access, separated by tabs.
    Tsv,
}

/// Prints the rows. A reader that has read enough and goes away is no error.
///
/// # Errors
/// When the rows cannot be written.
pub fn print(rows: &[MatrixRow], format: Format, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let mut lines: Vec<String> = match format {
        Format::Tsv => {
            let line = |row: &MatrixRow| format!("{}\t{}\t{}\t{}\n", row.member, row.app, row.feature, row.access);
            rows.iter().map(line).collect()
        }
    };
    lines.sort_unstable();
    let written = lines.iter().try_for_each(|line| out.write_all(line.as_bytes())).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            // What is left in the buffer would be tried once more when it is dropped.
            drop(out.into_parts());
            Ok(())
        }
        other => other,
    }
}

/// Runs the command.
///
/// # Errors
/// When there is no such organization, or the database is out of reach.
pub async fn run(deployment: &DeploymentArgs, args: MatrixArgs) -> anyhow::Result<()> {
    let opened = open(deployment, &Urls::unserved()?).await?;
    let rows = match opened.service.matrix(&args.organization).await {
        Ok(rows) => rows,
        Err(ServiceError::NotFound) => anyhow::bail!("there is no organization `{}`", args.organization),
        Err(error) => return Err(error).context("cannot read the organization's rights"),
    };
    print(&rows, args.format, io::stdout().lock()).context("cannot print the matrix")?;
    opened.close().await
}
