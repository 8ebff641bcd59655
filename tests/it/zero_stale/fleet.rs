//! Three gateways on one PostgreSQL and one Redis: real processes, each with a line of its own to Redis.

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{line::Line, process::Process};
use crate::support::{
    database::TestDatabase,
    gateway::{Answer, Gateway},
    server::free_port,
};

/// How many gateways there are.
pub(super) const NODES: usize = 3;

/// The gateways, what they stand on, and a gateway in this process by which people are made and tokens are minted.
pub(super) struct Fleet {
    pub(super) nodes: Vec<Node>,
    pub(super) redis: Redis,
    pub(super) office: Gateway,
    client: reqwest::Client,
}

/// A server process with its port, which stays its own over restarts.
struct Server {
    port: u16,
    folder: TempDir,
    command: Vec<String>,
    process: Mutex<Option<Process>>,
}

/// One gateway.
pub(super) struct Node {
    pub(super) line: Line,
    server: Server,
    metrics: u16,
}

/// The Redis of all of them.
pub(super) struct Redis(Server);

impl Fleet {
    pub(super) async fn start() -> Self {
        let redis = Redis::start().await;
        let edit = |args: &mut gatehouse::config::DeploymentArgs| args.access_token_minutes = 30;
        let office = Gateway::configured(TestDatabase::postgres().await, None, edit).await;
        office.service.install_blueprint(include_str!("crew.toml")).await.unwrap();
        let mut nodes = Vec::new();
        for _ in 0..NODES {
            nodes.push(Node::new(&office, &redis).await);
        }
        // No retries: a request that a dead gateway did not answer is not sent twice.
        let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).retry(reqwest::retry::never());
        let fleet = Self { nodes, redis, office, client: client.build().unwrap() };
        for node in &fleet.nodes {
            node.start().await;
        }
        fleet
    }

    /// Runs several statements at once, past the gateways.
    pub(super) async fn insert(&self, statements: &str) {
        use sea_orm::ConnectionTrait;
        let done = self.office.database.shell.execute_unprepared(statements).await;
        done.unwrap_or_else(|error| panic!("{error}: {statements}"));
    }

    /// Asks one gateway; `None` when it gave no answer, because it is dead.
    pub(super) async fn ask(&self, node: usize, token: &str, body: &Value) -> Option<Answer> {
        let request = self
            .client
            .post(format!("{}/graphql", self.nodes[node].url()))
            .header("accept", "application/graphql-response+json")
            .bearer_auth(token)
            .json(body);
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let text = response.text().await.ok()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Some(Answer { status, text, body })
    }

    /// How many readings the caches of all gateways have answered, by their own count.
    pub(super) async fn hits(&self) -> Vec<u64> {
        let mut hits = Vec::new();
        for node in &self.nodes {
            hits.push(node.hits(&self.client).await);
        }
        hits
    }
}

impl Node {
    async fn new(office: &Gateway, redis: &Redis) -> Self {
        let (line, folder, args) = (Line::to(redis.0.port).await, tempfile::tempdir().unwrap(), office.deployment());
        let (port, metrics) = (free_port(), free_port());
        let option = |name: &str, value: &dyn ToString| format!("--{name}={}", value.to_string());
        let command = vec![
            env!("CARGO_BIN_EXE_gatehouse").to_owned(),
            "serve".to_owned(),
            option("listen", &format!("127.0.0.1:{port}")),
            option("public-url", &office.url),
            option("metrics-listen", &format!("127.0.0.1:{metrics}")),
            option("database-url", &args.database_url),
            option("database-connections", &8),
            option("redis-url", &format!("redis://127.0.0.1:{}", line.port)),
            option("deployment", &args.deployment),
            option("secret-file", &args.secret_file.display()),
            option("mail-dir", &folder.path().join("mail").display()),
            option("access-token-minutes", &args.access_token_minutes),
        ];
        Self { line, server: Server { port, folder, command, process: Mutex::new(None) }, metrics }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    /// Starts it, or starts it again, and waits until it can serve.
    pub(super) async fn start(&self) {
        let client = reqwest::Client::new();
        let ready = format!("{}/readyz", self.url());
        let is_ready = async || client.get(&ready).send().await.is_ok_and(|answer| answer.status() == 200);
        self.server.start(is_ready).await;
    }

    /// Ends it without a last word.
    pub(super) fn kill(&self) {
        self.server.kill();
    }

    /// Stops it where it stands.
    pub(super) fn pause(&self) {
        self.server.signal("STOP");
    }

    /// Lets it go on.
    pub(super) fn resume(&self) {
        self.server.signal("CONT");
    }

    async fn hits(&self, client: &reqwest::Client) -> u64 {
        let Ok(answer) = client.get(format!("http://127.0.0.1:{}/metrics", self.metrics)).send().await else {
            return 0;
        };
        let text = answer.text().await.unwrap_or_default();
        let hits = text
            .lines()
            .find_map(|line| line.strip_prefix("gatehouse_grant_reads_total{outcome=\"hit\",reason=\"\"} "));
        hits.map_or(0, |hits| hits.parse().unwrap())
    }
}

impl Redis {
    async fn start() -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let words =
            ["redis-server", "--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let command =
            words.iter().chain(&["--maxmemory-policy", "noeviction"]).map(|word| (*word).to_owned()).collect();
        let redis = Self(Server { port, folder, command, process: Mutex::new(None) });
        redis.restart().await;
        redis
    }

    /// Starts it again on the same port, empty.
    pub(super) async fn restart(&self) {
        self.0.start(async || self.answer(&["PING"]).await.is_some()).await;
    }

    pub(super) fn kill(&self) {
        self.0.kill();
    }

    /// Stops it where it stands.
    pub(super) fn pause(&self) {
        self.0.signal("STOP");
    }

    /// Lets it go on.
    pub(super) fn resume(&self) {
        self.0.signal("CONT");
    }

    /// What it answers to one command, past the lines; `None` when it does not.
    pub(super) async fn answer(&self, command: &[&str]) -> Option<redis::Value> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.0.port)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        let mut asked = redis::cmd(command[0]);
        asked.arg(&command[1..]).query_async(&mut connection).await.ok()
    }
}

impl Server {
    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn kill(&self) {
        drop(self.process().take());
    }

    fn signal(&self, name: &str) {
        self.process().as_ref().unwrap().signal(name);
    }

    /// A port that was free for a moment may have been taken meanwhile: then it is tried again.
    async fn start(&self, is_ready: impl AsyncFn() -> bool) {
        self.kill();
        for _ in 0..1_200 {
            let running = self.process().as_ref().is_some_and(Process::is_running);
            if !running {
                let process = Process::start(self.folder(), &self.command);
                *self.process() = Some(process);
            }
            if is_ready().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let log = std::fs::read_to_string(self.folder().join("log")).unwrap_or_default();
        panic!("{} does not start:\n{log}", self.command[0]);
    }
}
