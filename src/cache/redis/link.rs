//! The connection: made and remade in the background, so that a request never waits for it, and left alone when it fails.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{AsyncConnectionConfig, Client, aio::MultiplexedConnection};
use tokio::{sync::Notify, task::JoinHandle};

use super::super::{Bypass, Limits};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(2);

/// The longest pause between two tries to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Commands that may wait to be written.
const QUEUE: usize = 4096;

/// The connection of this node.
#[derive(Debug)]
pub(super) struct Link {
    shared: Arc<Shared>,
    connector: JoinHandle<()>,
}

struct Shared {
    client: Client,
    limits: Limits,
    state: Mutex<State>,
    lost: Notify,
    /// Told when a connection was made.
    made: Notify,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The client knows the password.
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    /// Counts connections, so that a late failure of an old one does not give up a new one.
    generation: u64,
    failures: u32,
    resting_until: Option<Instant>,
}

/// A connection, and which one it is.
pub(super) struct Line {
    pub(super) connection: MultiplexedConnection,
    generation: u64,
}

impl Link {
    pub(super) fn open(client: Client, limits: Limits) -> Self {
        let shared =
            Arc::new(Shared { client, limits, state: Mutex::default(), lost: Notify::new(), made: Notify::new() });
        let connector = tokio::spawn(connect_forever(Arc::clone(&shared)));
        Self { shared, connector }
    }

    /// The connection, for a read: none while there is none or while Redis is left alone.
    pub(super) fn line(&self) -> Result<Line, Bypass> {
        let state = self.shared.lock();
        if state.resting_until.is_some_and(|until| Instant::now() < until) {
            return Err(Bypass::Resting);
        }
        state.line().ok_or(Bypass::Unreachable)
    }

    /// The connection, for a change: also while reads leave Redis alone, and after waiting a while for one to be made.
    pub(super) async fn line_within(&self, wait: Duration) -> Option<Line> {
        let made = self.shared.made.notified();
        if let Some(line) = self.shared.lock().line() {
            return Some(line);
        }
        let _ = tokio::time::timeout(wait, made).await;
        self.shared.lock().line()
    }

    pub(super) fn succeeded(&self) {
        let mut state = self.shared.lock();
        state.failures = 0;
        state.resting_until = None;
    }

    /// Counts a failure. Several in a row, or one that shows that the connection is broken, give it up.
    pub(super) fn failed(&self, line: &Line, broken: bool) {
        let mut state = self.shared.lock();
        state.failures = state.failures.saturating_add(1);
        let resting = state.failures >= self.shared.limits.breaker_failures;
        if resting {
            state.resting_until = Some(Instant::now() + self.shared.limits.breaker_pause);
        }
        if (broken || resting) && state.generation == line.generation && state.connection.take().is_some() {
            drop(state);
            self.shared.lost.notify_one();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.connector.abort();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn line(&self) -> Option<Line> {
        Some(Line { connection: self.connection.clone()?, generation: self.generation })
    }
}

async fn connect_forever(shared: Arc<Shared>) {
    let mut pause = Duration::from_millis(20);
    loop {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(CONNECT))
            .set_pipeline_buffer_size(QUEUE);
        let connecting = shared.client.get_multiplexed_async_connection_with_config(&config);
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(Ok(connection)) => {
                {
                    let mut state = shared.lock();
                    state.connection = Some(connection);
                    state.generation += 1;
                }
                shared.made.notify_waiters();
                pause = Duration::from_millis(20);
                shared.lost.notified().await;
                tracing::warn!("the connection to Redis was given up; reading the database until there is another");
            }
            Ok(Err(error)) => tracing::warn!(%error, "cannot connect to Redis"),
            Err(_) => tracing::warn!("connecting to Redis took too long"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
