//! Logs: where the program's events go. Called once, by the command line; no other room configures logging.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, filter::ParseError, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogArgs, LogFormat};

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not one.
    #[error("--log: `{filter}` is not a log filter; write a level such as `info`, or `info,gatehouse::http=debug`")]
    Filter {
        /// What was given.
        filter: String,
        /// Why it does not parse.
        source: ParseError,
    },
    /// Something else in this process logs already.
    #[error("logging was set up twice")]
    Twice,
}

/// Sends the program's events to standard error: pretty on a terminal, one JSON object per line otherwise.
///
/// # Errors
/// When the filter does not parse, or when the process has a subscriber already.
pub fn init(args: &LogArgs) -> Result<(), TelemetryError> {
    let filter =
        EnvFilter::try_new(&args.log).map_err(|source| TelemetryError::Filter { filter: args.log.clone(), source })?;
    let json = match args.log_format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    let registry = tracing_subscriber::registry().with(filter);
    if json {
        let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false);
        registry.with(lines.with_writer(std::io::stderr)).try_init()
    } else {
        registry.with(tracing_subscriber::fmt::layer().compact().with_writer(std::io::stderr)).try_init()
    }
    .map_err(|_| TelemetryError::Twice)
}
