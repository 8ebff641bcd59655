//! A whole gateway over TCP, people who use it, and what they are answered.
//!
//! ```ignore
//! let gateway = Gateway::sqlite().await;
//! let hub = gateway.organization("acme", "support-hub", "growth").await;
//! let alice = gateway.member(&hub, "alice", "super_admin").await;
//! let answer = alice.ask("{ viewer { organization { slug } } }").await;
//! assert_eq!(answer.at("viewer.organization.slug"), "acme");
//! ```
//!
//! People and organizations are made past the service, so that a test of one part does not depend on another. What a test
//! is about goes through the API.

mod rows;
mod talk;

use std::{path::PathBuf, time::Duration};

use gatehouse::{
    cli::open::{Opened, Urls, open},
    config::{DeploymentArgs, HttpArgs, HttpConfig, RevocationMode},
    http::{Door, Server, ServiceGateway},
    id::new_id,
    service::Service,
};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{database::TestDatabase, redis};
pub(crate) use rows::Tenant;
pub(crate) use talk::{Answer, Person};

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) url: String,
    pub(crate) service: Service,
    pub(crate) database: TestDatabase,
    /// Where outgoing mail is written to.
    pub(crate) mail: PathBuf,
    client: reqwest::Client,
    args: DeploymentArgs,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
    opened: Option<Opened>,
    _folder: TempDir,
}

/// What ends and begins with a restart.
struct Running {
    url: String,
    opened: Opened,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

async fn run(args: &DeploymentArgs) -> Running {
    let http = HttpArgs { listen: "127.0.0.1:0".parse().unwrap(), ..HttpArgs::default() };
    let config = HttpConfig::try_from(http).unwrap();
    let server = Server::bind(&config).await.unwrap();
    let config = config.bound_to(server.address());
    let urls = Urls { public: config.public_url.to_string(), dashboard: "https://app.example.org".to_owned() };
    let opened = open(args, &urls).await.unwrap();
    let url = format!("http://{}", server.address());
    let door = Door::new(ServiceGateway::new(opened.service.clone(), opened.cursors.clone()), config).unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(async move {
        server.serve(&door, async { stopped.await.unwrap_or(()) }).await;
    });
    Running { url, opened, stop, serving }
}

/// Which engines a gateway stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engines {
    /// SQLite, grants in memory.
    Embedded,
    /// PostgreSQL, no cached grants.
    Postgres,
    /// PostgreSQL and Redis.
    PostgresAndRedis,
}

impl Engines {
    pub(crate) const ALL: [Self; 3] = [Self::Embedded, Self::Postgres, Self::PostgresAndRedis];
    pub(crate) const DATABASES: [Self; 2] = [Self::Embedded, Self::Postgres];
}

impl Gateway {
    /// On SQLite.
    pub(crate) async fn sqlite() -> Self {
        Self::on(Engines::Embedded).await
    }

    /// On these engines.
    pub(crate) async fn on(engines: Engines) -> Self {
        let (database, redis) = match engines {
            Engines::Embedded => (TestDatabase::sqlite().await, None),
            Engines::Postgres => (TestDatabase::postgres().await, None),
            Engines::PostgresAndRedis => (TestDatabase::postgres().await, Some(redis::url())),
        };
        Self::with(database, redis).await
    }

    /// On this database, with this Redis.
    pub(crate) async fn with(database: TestDatabase, redis_url: Option<String>) -> Self {
        Self::configured(database, redis_url, |_| {}).await
    }

    /// The same, with other settings.
    pub(crate) async fn configured(
        database: TestDatabase,
        redis_url: Option<String>,
        edit: impl FnOnce(&mut DeploymentArgs),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mail = folder.path().join("mail");
        let mut args = DeploymentArgs {
            database_url: database.url.clone(),
            redis_url,
            redis_ca_file: None,
            revocation: RevocationMode::Auto,
            // Tests share one Redis.
            deployment: new_id().to_string(),
            secret_file: folder.path().join("secret"),
            mail_url: None,
            mail_dir: mail.clone(),
            mail_from: "Gatehouse <gate@example.org>".to_owned(),
            database_connections: 8,
            access_token_minutes: 5,
            invitation_only: false,
            sign_up_domains: Vec::new(),
            providers: None,
        };
        edit(&mut args);
        let Running { url, opened, stop, serving } = run(&args).await;
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        let service = opened.service.clone();
        Self {
            url,
            service,
            database,
            mail,
            client,
            args,
            stop: Some(stop),
            serving: Some(serving),
            opened: Some(opened),
            _folder: folder,
        }
    }

    /// Ends, and begins anew on the same database with the same secret. Who was signed in before asks at another port.
    pub(crate) async fn restart(&mut self) {
        drop(self.stop.take());
        self.serving.take().unwrap().await.unwrap();
        self.opened.take().unwrap().close().await.unwrap();
        let Running { url, opened, stop, serving } = run(&self.args).await;
        (self.url, self.service) = (url, opened.service.clone());
        (self.stop, self.serving, self.opened) = (Some(stop), Some(serving), Some(opened));
    }

    /// Ends, and begins anew with other settings.
    pub(crate) async fn reconfigure(&mut self, edit: impl FnOnce(&mut DeploymentArgs)) {
        edit(&mut self.args);
        self.restart().await;
    }

    /// Waits until the gateway has heard of rows that were written past it. An embedded gateway is told nothing of them: its
    /// stamps are raised here, as its own changes would.
    pub(crate) async fn settle(&self) {
        use gatehouse::cache::{MachineTime, StampTail};
        let tail = gatehouse::service::tail::StoreTail(self.database.store.clone());
        if let Some(batch) = tail.poll(None, Duration::from_mins(10)).await.unwrap() {
            let marked = self.service.grants().mark(&[]).await;
            self.service.grants().settle(marked, &batch.stamps, MachineTime::read()).await;
        }
    }

    /// What it was opened with, for other gateways of the same deployment.
    pub(crate) fn deployment(&self) -> &DeploymentArgs {
        &self.args
    }

    /// How many statements PostgreSQL has run for this gateway's requests, by its own count. Left out: the rollback that
    /// cleans a pooled connection, and the node's background reading of moved stamps.
    pub(crate) async fn statements(&self) -> i64 {
        self.database.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", []).await.unwrap();
        self.database
            .count(
                "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements
                 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND query !~* '^(begin|rollback|create extension)' AND query !~ 'pg_stat_statements|pg_current_snapshot'",
            )
            .await
    }

    /// The mails written so far, oldest first.
    pub(crate) fn mails(&self) -> Vec<String> {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(&self.mail).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.into_iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

/// How many times as much as usual a test does: `GATEHOUSE_TEST_SCALE`, 1 where it is not set.
pub(crate) fn scale() -> usize {
    std::env::var("GATEHOUSE_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}
