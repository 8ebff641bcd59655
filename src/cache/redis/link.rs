//! The connection: made and remade in the background, so that a request never waits for it, and left alone when it fails.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::{AsyncConnectionConfig, aio::MultiplexedConnection};
use tokio::{sync::Notify, task::JoinHandle};

use super::{
    super::{Bypass, Limits},
    place::Place,
    trust::{self, Doubt, Report},
};

/// How long a connection may take to be made; and how long a Redis may take to say how it is set up.
const CONNECT: Duration = Duration::from_secs(1);

/// The longest pause between two tries to connect: short enough that a Redis is in use again well within a second of its return.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// How often a Redis is asked again how it is set up.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Commands that may wait to be written.
const QUEUE: usize = 4096;

/// The connection of this node.
#[derive(Debug)]
pub(super) struct Link {
    shared: Arc<Shared>,
    connector: JoinHandle<()>,
}

struct Shared {
    place: Place,
    limits: Limits,
    state: Mutex<State>,
    lost: Notify,
    /// Told when a connection was made.
    made: Notify,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The place knows the password.
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
    /// What the Redis at the other end said of itself.
    report: Report,
}

/// A connection, and which one it is.
pub(super) struct Line {
    pub(super) connection: MultiplexedConnection,
    /// Whether the Redis at its end keeps what it acknowledges.
    pub(super) trusted: bool,
    generation: u64,
}

impl Link {
    pub(super) fn open(place: Place, limits: Limits) -> Self {
        let shared =
            Arc::new(Shared { place, limits, state: Mutex::default(), lost: Notify::new(), made: Notify::new() });
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

    /// Why the present Redis may lose what it acknowledged; `None` while there is no connection.
    pub(super) fn doubts(&self) -> Option<Vec<Doubt>> {
        let state = self.shared.lock();
        state.connection.as_ref().map(|_| state.report.doubts.clone())
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
    /// Takes in what Redis says of itself.
    fn take_in(&mut self, mut told: Report) {
        let was = &self.report;
        let same_line = was.of == self.generation;
        if same_line
            && (was.doubts.contains(&Doubt::Another) || was.run.is_some() && told.run.is_some() && was.run != told.run)
        {
            told.doubts.push(Doubt::Another);
        }
        told.of = self.generation;
        if told.doubts != was.doubts && !told.doubts.is_empty() {
            let why = told.doubts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            tracing::warn!(
                why,
                "this Redis may lose what it acknowledged: a change waits until every node has read it from the database"
            );
        }
        self.report = told;
    }

    fn line(&self) -> Option<Line> {
        let trusted = self.report.doubts.is_empty();
        Some(Line { connection: self.connection.clone()?, trusted, generation: self.generation })
    }
}

async fn connect_forever(shared: Arc<Shared>) {
    let mut pause = Duration::from_millis(20);
    loop {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(CONNECT))
            .set_pipeline_buffer_size(QUEUE);
        match tokio::time::timeout(CONNECT, shared.place.connect(&config)).await {
            Ok(Ok(mut connection)) => {
                // Asked first, so that no change is believed to be kept before it is known that it is.
                let report = told(&mut connection).await;
                {
                    let mut state = shared.lock();
                    state.connection = Some(connection.clone());
                    state.generation += 1;
                    state.take_in(report);
                }
                shared.made.notify_waiters();
                pause = Duration::from_millis(20);
                while tokio::time::timeout(ASK_AGAIN, shared.lost.notified()).await.is_err() {
                    let report = told(&mut connection).await;
                    shared.lock().take_in(report);
                }
                tracing::warn!("the connection to Redis was given up; reading the database until there is another");
            }
            Ok(Err(error)) => tracing::warn!(%error, "cannot connect to Redis"),
            Err(_) => tracing::warn!("connecting to Redis took too long"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What the Redis at the end of this connection says of itself, in time.
async fn told(connection: &mut MultiplexedConnection) -> Report {
    tokio::time::timeout(CONNECT, trust::ask(connection)).await.unwrap_or_else(|_| Report::silent(&"no answer in time"))
}
