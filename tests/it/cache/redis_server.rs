//! A Redis of a test's own, on a free loopback port; it ends with the test.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use crate::support::server::free_port;

/// A running Redis, configured so that it may be trusted: no persistence, no replicas, no eviction.
pub(super) struct RedisServer {
    port: u16,
    options: Vec<String>,
    child: Child,
    folder: TempDir,
}

impl RedisServer {
    pub(super) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With these options besides.
    pub(super) async fn start_with(options: &[&str]) -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        let child = spawn(port, &options, folder.path());
        let server = Self { port, options, child, folder };
        server.answers().await;
        server
    }

    /// As a node of a cluster, which has no slots yet.
    pub(super) async fn start_in_cluster() -> Self {
        let bus = free_port().to_string();
        Self::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus]).await
    }

    /// Where the other nodes of its cluster find it.
    pub(super) fn bus(&self) -> &str {
        self.options.last().expect("it was started in a cluster")
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Ends the server, as a crash would.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same port, empty.
    pub(super) async fn restart(&mut self) {
        self.child = spawn(self.port, &self.options, self.folder.path());
        self.answers().await;
    }

    /// Stops its process (`STOP`) or lets it go on (`CONT`).
    pub(super) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([format!("-{signal}"), self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub(super) async fn admin(&self) -> MultiplexedConnection {
        redis::Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }

    async fn answers(&self) {
        for _ in 0..400 {
            let client = redis::Client::open(self.url()).unwrap();
            if let Ok(mut connection) = client.get_multiplexed_async_connection().await
                && redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("redis-server did not start: is the Debian package `redis-server` installed?");
    }
}

fn spawn(port: u16, options: &[String], folder: &Path) -> Child {
    let port = port.to_string();
    Command::new("redis-server")
        .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(["--maxmemory-policy", "noeviction"])
        .arg("--dir")
        .arg(folder)
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server runs: install the Debian package `redis-server`")
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
