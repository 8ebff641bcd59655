//! How the program logs.

use clap::{Args, ValueEnum};

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// Lines for people on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// Lines for people.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// Options of logging.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Form of the log lines
    #[arg(long, env = "GATEHOUSE_LOG_FORMAT", value_enum, default_value_t, help_heading = "Logging")]
    pub log_format: LogFormat,

    /// What is logged: a level, or targets with levels such as `info,gatehouse::http=debug`
    #[arg(long, env = "GATEHOUSE_LOG", default_value = "info", value_name = "FILTER", help_heading = "Logging")]
    pub log: String,
}

impl Default for LogArgs {
    fn default() -> Self {
        Self { log_format: LogFormat::default(), log: "info".to_owned() }
    }
}
