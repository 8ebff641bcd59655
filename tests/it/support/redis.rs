//! A Redis, trusted as zero stale answers want it: nothing persisted, no replica, nothing evicted.

use std::sync::OnceLock;

use super::server::Server;

/// The run's Redis (`GATEHOUSE_TEST_REDIS_URL`), or this process's own. Tests that share it keep apart by their deployment's name.
pub(crate) fn url() -> String {
    std::env::var("GATEHOUSE_TEST_REDIS_URL").unwrap_or_else(|_| {
        static OWN: OnceLock<Server> = OnceLock::new();
        format!("redis://127.0.0.1:{}", OWN.get_or_init(start).port)
    })
}

/// A Redis of the caller's own, which may be stopped, stalled or flushed.
pub(crate) fn start() -> Server {
    Server::start(tempfile::tempdir().unwrap(), |port, folder| {
        ["redis-server", "--port", &port.to_string(), "--bind", "127.0.0.1", "--dir", folder.to_str().unwrap()]
            .into_iter()
            .chain(["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"])
            .map(str::to_owned)
            .collect()
    })
}
