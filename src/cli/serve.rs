//! `gatehouse serve`.

use anyhow::Context;

use super::{
    lock::DatabaseLock,
    open::{Opened, Urls, open},
};
use crate::{
    config::{DeploymentArgs, HttpArgs, HttpConfig},
    http::{Door, Server, ServiceGateway, stop_signal},
    jobs,
    service::token_notice::NoticeDays,
};

/// Options of `gatehouse serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct ServeArgs {
    /// The door.
    #[command(flatten)]
    pub http: HttpArgs,

    /// On which days before a program's secret ends those who manage it are told by mail; empty: never
    #[arg(long, env = "GATEHOUSE_NOTICE_DAYS", default_value_t = NoticeDays::default(), value_name = "DAYS")]
    pub notice_days: NoticeDays,
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
pub async fn serve(ready: Ready, notice_days: NoticeDays) -> anyhow::Result<()> {
    let Ready { opened, server, config, lock } = ready;
    if cfg!(feature = "ablate") {
        tracing::warn!("this build can switch its guards off (feature `ablate`); it is for tests alone");
    }
    tracing::info!(url = %config.public_url, graphiql = config.playground, "serving");
    let gateway = ServiceGateway::new(opened.service.clone(), opened.cursors.clone());
    let door = Door::new(gateway, config).context("the schema cannot be served")?;
    let stop = stop_signal()?;
    let upkeep = jobs::start(opened.service.clone(), notice_days);
    server.serve(&door, stop).await;
    tracing::info!("stopped");
    drop((upkeep, door));
    jobs::record_presence(&opened.service).await;
    let closed = opened.close().await;
    drop(lock);
    closed
}

/// Runs the command.
///
/// # Errors
/// As [`prepare`] and [`serve`].
pub async fn run(deployment: &DeploymentArgs, args: ServeArgs) -> anyhow::Result<()> {
    serve(prepare(deployment, args.http).await?, args.notice_days).await
}
