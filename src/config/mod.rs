//! What an operator may set: plain structs, read from options and `GATEHOUSE_…` variables, validated before anything starts.
//!
//! A value that makes no sense is refused here, with its name and what would be right, so that no other room meets one. The
//! `…Args` structs are what `clap` fills; the structs beside them are what the program uses. No I/O, no defaults elsewhere.
//!
//! ```
//! use gatehouse::config::{HttpArgs, HttpConfig};
//!
//! let config = HttpConfig::try_from(HttpArgs::default()).unwrap();
//! assert!(config.listen.ip().is_loopback() && config.playground);
//! ```

mod deployment;
mod http;
mod log;
mod origin;
mod provider;

pub use deployment::{DeploymentArgs, MailUrl, RevocationMode};
pub use http::{Budgets, DEFAULT_LISTEN, DocumentLimits, HttpArgs, HttpConfig, SocketLimits};
pub use log::{LogArgs, LogFormat};
pub use origin::{Origin, PublicUrl};
pub use provider::{
    ClientAuthentication, DEFAULT_ALGORITHMS, LinkingRule, ProviderFileError, ProviderSettings, parse_providers,
};

/// Why a configuration is refused, before anything starts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// An option holds a value that it cannot take.
    #[error("{option}: `{value}` {problem}")]
    Invalid {
        /// The option as it is written, such as `--public-url`.
        option: &'static str,
        /// The value that was given.
        value: String,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
}
