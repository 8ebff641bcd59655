//! The command line: one file per command. It reads the configuration, opens the rooms ([`open`]) and lets them work.
//!
//! What may not enter: rules. A command asks the service as a named system task, as every caller does.

use std::net::SocketAddr;

use clap::{Parser, Subcommand};

use crate::config::{DEFAULT_LISTEN, DeploymentArgs, LogArgs};

pub mod blueprint;
pub mod demo;
pub mod doctor;
pub mod import;
pub mod keys;
pub mod lock;
pub mod matrix;
pub mod migrate;
pub mod open;
pub mod providers;
pub mod schema;
pub mod serve;
pub mod token;
pub mod user;

/// Gatehouse: who is calling, what may they do, and why.
#[derive(Debug, Parser)]
#[command(name = "gatehouse", version, about, propagate_version = true)]
pub struct Cli {
    /// Where things are kept.
    #[command(flatten)]
    pub deployment: DeploymentArgs,
    /// The address and port that `serve` and `demo` listen on.
    #[arg(long, env = "GATEHOUSE_LISTEN", default_value_t = DEFAULT_LISTEN, global = true, value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves GraphQL, the playground and health checks.
    Serve(serve::ServeArgs),
    /// Serves a database of its own with one organization of each blueprint in it, and prints whom to sign in as.
    Demo(demo::DemoArgs),
    /// Looks at the database, Redis and the revocation mode, and says what is wrong; changes nothing.
    Doctor(doctor::DoctorArgs),
    /// Brings the database up to date; `serve` does so too when it starts.
    Migrate,
    /// Checks and installs blueprints.
    #[command(subcommand)]
    Blueprint(blueprint::BlueprintCommand),
    /// Makes API tokens.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Lists and rotates the keys that sign access tokens.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Imports an organization document: members, teams, repositories, as often as you like.
    Import(import::ImportArgs),
    /// Prints every right of an organization, for auditors.
    Matrix(matrix::MatrixArgs),
    /// Prints the schema as SDL.
    Schema(schema::SchemaArgs),
    /// Opens accounts, suspends and reactivates them, and removes second factors that were lost.
    User(user::UserArgs),
}

/// Runs a command to its end.
///
/// # Errors
/// What a person at the terminal needs to know.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    let Cli { deployment, listen, log, command } = cli;
    match command {
        Command::Serve(mut args) => {
            args.http.listen = listen;
            crate::telemetry::init(&log)?;
            serve::run(&deployment, args).await
        }
        Command::Demo(mut args) => {
            args.http.listen = listen;
            // What it prints is for a person; what it logs, only where something is wrong, or where it is asked for.
            let quiet = log.log == LogArgs::default().log;
            crate::telemetry::init(&if quiet { LogArgs { log: "warn".to_owned(), ..log } } else { log })?;
            demo::run(deployment, args).await
        }
        Command::Doctor(args) => doctor::run(&deployment, &args).await,
        Command::Migrate => migrate::run(&deployment).await,
        Command::Blueprint(command) => blueprint::run(&deployment, command).await,
        Command::Token(command) => token::run(&deployment, command).await,
        Command::Keys(command) => keys::run(&deployment, command).await,
        Command::Import(args) => import::run(&deployment, args).await,
        Command::Matrix(args) => matrix::run(&deployment, args).await,
        Command::Schema(args) => schema::run(&args),
        Command::User(args) => user::run(&deployment, args).await,
    }
}
