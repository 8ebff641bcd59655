//! `gatehouse schema`.

use std::path::PathBuf;

use anyhow::Context;

/// Options of `gatehouse schema`.
#[derive(Debug, Clone, clap::Args)]
pub struct SchemaArgs {
    /// Write it to this file instead.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write nothing; fail when the file differs.
    #[arg(long, requires = "output")]
    pub check: bool,
}

/// Prints, writes or checks the schema.
///
/// # Errors
/// When the file cannot be written, or differs.
pub fn run(args: &SchemaArgs) -> anyhow::Result<()> {
    let sdl = crate::graphql::sdl();
    let Some(path) = &args.output else {
        print!("{sdl}");
        return Ok(());
    };
    if args.check {
        let found = std::fs::read_to_string(path).unwrap_or_default();
        if found != sdl {
            anyhow::bail!("`{0}` is not the present schema; run `gatehouse schema --output {0}`", path.display());
        }
        return Ok(());
    }
    std::fs::write(path, sdl).with_context(|| format!("cannot write `{}`", path.display()))
}
