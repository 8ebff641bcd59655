//! `gatehouse serve`.

use std::net::SocketAddr;

use anyhow::Context;
use chrono::TimeDelta;

use super::{
    lock::DatabaseLock,
    open::{Opened, Urls, open},
};
use crate::{
    config::{DeploymentArgs, HttpArgs, HttpConfig},
    http::{Door, MetricsServer, Server, ServiceGateway, stop_signal},
    jobs,
    service::{Service, token_notice::NoticeDays},
};

/// Options of `gatehouse serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeArgs {
    /// The door.
    #[command(flatten)]
    pub http: HttpArgs,

    /// The address that metrics are served on, at `/metrics`; without it, none are. Keep it to your own network
    #[arg(long, env = "GATEHOUSE_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// On which days before a program's secret ends those who manage it are told by mail; empty: never
    #[arg(long, env = "GATEHOUSE_NOTICE_DAYS", default_value_t = NoticeDays::default(), value_name = "DAYS")]
    pub notice_days: NoticeDays,

    /// After how many days the next signing key is made (1 to 365); 0: only by `gatehouse keys rotate`
    #[arg(long, env = "GATEHOUSE_SIGNING_KEY_DAYS", default_value_t = DEFAULT_KEY_DAYS, value_name = "N",
          value_parser = clap::value_parser!(u16).range(0..=365))]
    pub signing_key_days: u16,
}

/// After how many days the next signing key is made where nothing is said.
pub const DEFAULT_KEY_DAYS: u16 = 30;

/// What goes on while the gateway serves.
#[derive(Debug, Clone)]
pub struct Routine {
    /// On which days before a program's secret ends people are told.
    pub notice_days: NoticeDays,
    /// How long each signing key signs; `None`: until an operator rotates.
    pub keys_every: Option<TimeDelta>,
    /// Where metrics are served.
    pub metrics: Option<SocketAddr>,
}

impl Default for Routine {
    fn default() -> Self {
        Self { notice_days: NoticeDays::default(), keys_every: keys_every(DEFAULT_KEY_DAYS), metrics: None }
    }
}

fn keys_every(days: u16) -> Option<TimeDelta> {
    (days > 0).then(|| TimeDelta::days(i64::from(days)))
}

/// A bound, opened gateway that has yet to serve.
#[derive(Debug)]
pub struct Ready {
    /// The rooms.
    pub opened: Opened,
    /// The listener.
    pub server: Server,
    /// The configuration, with the port that was bound.
    pub config: HttpConfig,
    /// What keeps other processes off an embedded database.
    pub lock: DatabaseLock,
}

/// Binds the listener and opens the rooms.
///
/// # Errors
/// When the address is taken, the database out of reach, or a setting makes no sense.
pub async fn prepare(deployment: &DeploymentArgs, mut http: HttpArgs) -> anyhow::Result<Ready> {
    let asked = HttpConfig::try_from(http.clone())?;
    if cfg!(feature = "ablate") && !asked.listen.ip().is_loopback() {
        anyhow::bail!("this build can switch its guards off (feature `ablate`): it listens on loopback only");
    }
    let server = Server::bind(&asked).await?;
    // Port 0 means any: links and tokens then name the one that was found.
    http.listen = server.address();
    let config = HttpConfig::try_from(http)?;
    let urls = Urls { public: config.public_url.to_string(), dashboard: config.dashboard_url.to_string() };
    let lock = DatabaseLock::take(&deployment.database_url, "stop it first, or give this one another database")?;
    let opened = open(deployment, &urls).await?;
    Ok(Ready { opened, server, config, lock })
}

/// Serves until a signal says stop.
///
/// # Errors
/// When the door cannot be opened.
pub async fn serve(ready: Ready, routine: Routine) -> anyhow::Result<()> {
    let Ready { opened, server, config, lock } = ready;
    if cfg!(feature = "ablate") {
        tracing::warn!("this build can switch its guards off (feature `ablate`); it is for tests alone");
    }
    if config.hides_clients() {
        tracing::warn!(
            "the public URL is https and no proxy is trusted: limits by address count everyone behind the proxy as one; name it with \
             --trusted-proxy"
        );
    }
    tracing::info!(url = %config.public_url, graphiql = config.playground, "serving");
    let metrics = match routine.metrics {
        Some(address) => Some(serve_metrics(&opened.service, address).await?),
        None => None,
    };
    let gateway = ServiceGateway::new(opened.service.clone(), opened.cursors.clone());
    let door = Door::new(gateway, config).context("the schema cannot be served")?;
    let stop = stop_signal()?;
    let upkeep = jobs::start(opened.service.clone(), routine.notice_days, routine.keys_every);
    server.serve(&door, stop).await;
    tracing::info!("stopped");
    drop((upkeep, door, metrics));
    jobs::record_presence(&opened.service).await;
    let closed = opened.close().await;
    drop(lock);
    closed
}

async fn serve_metrics(service: &Service, address: SocketAddr) -> anyhow::Result<MetricsServer> {
    if cfg!(feature = "ablate") && !address.ip().is_loopback() {
        anyhow::bail!("this build can switch its guards off (feature `ablate`): it listens on loopback only");
    }
    let grants = service.grants().clone();
    let server = MetricsServer::start(address, move || grants.metrics()).await;
    let server = server.with_context(|| format!("cannot serve metrics on {address}"))?;
    tracing::info!(address = %server.address(), "metrics");
    Ok(server)
}

/// Runs the command.
///
/// # Errors
/// As [`prepare`] and [`serve`].
pub async fn run(deployment: &DeploymentArgs, args: ServeArgs) -> anyhow::Result<()> {
    let routine = Routine {
        notice_days: args.notice_days,
        keys_every: keys_every(args.signing_key_days),
        metrics: args.metrics_listen,
    };
    serve(prepare(deployment, args.http).await?, routine).await
}
