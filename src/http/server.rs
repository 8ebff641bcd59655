//! The listener: accepts connections, cuts slow ones, stops in order.

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, extract::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{
    Door, Gateway,
    credential::{Peer, Slot},
};
use crate::config::{Budgets, HttpConfig};

/// Why serving ends badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The configured address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Signals cannot be waited for.
    #[error("cannot wait for a signal to stop")]
    Signal(#[source] io::Error),
}

/// A bound listener.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

/// What a new HTTP/2 connection begins with (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl Server {
    /// Listens on the configured address; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind(config: &HttpConfig) -> Result<Self, ServeError> {
        let bind = |source| ServeError::Bind { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, address })
    }

    /// The address that is listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` ends, then lets requests finish, closes sockets with 1001, and cuts what is still open after
    /// the configured time. Never waits longer.
    pub async fn serve<G: Gateway>(self, door: &Door<G>, stop: impl Future<Output = ()>) {
        let inner = door.inner();
        let (router, budgets) = (door.router(), inner.config.budgets.clone());
        let connections = std::sync::Arc::new(tokio::sync::Semaphore::new(budgets.connections));
        let graceful = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let permit = tokio::select! {
                () = &mut stop => break,
                permit = connections.clone().acquire_owned() => permit,
            };
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = self.listener.accept() => accepted,
            };
            // INVARIANT: the semaphore is never closed.
            let Ok(permit) = permit else { break };
            match accepted {
                Ok((stream, peer)) => {
                    let slot = Slot(std::sync::Arc::new(permit));
                    let connection =
                        Connection { stream, peer, router: router.clone(), budgets: budgets.clone(), slot };
                    let (watcher, stop) = (graceful.watcher(), inner.stop.clone());
                    tokio::spawn(async move { connection.serve(|served| watcher.watch(served), stop).await });
                }
                Err(error) => {
                    // Out of file descriptors, mostly: give others time to close theirs.
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(self.listener);
        tracing::info!("stopping: no new connections");
        inner.stop.cancel();
        inner.tracker.close();
        let ended = timeout(budgets.shutdown, async {
            graceful.shutdown().await;
            inner.tracker.wait().await;
        });
        if ended.await.is_ok() {
            tracing::info!("stopped");
        } else {
            tracing::warn!("stopped: what was still open was cut");
        }
    }
}

type Served = hyper_util::server::conn::auto::UpgradeableConnection<
    'static,
    TokioIo<TcpStream>,
    TowerToHyperService<BoxedService>,
    TokioExecutor,
>;
type BoxedService = tower::util::BoxCloneService<Request<Incoming>, axum::response::Response, std::convert::Infallible>;

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    budgets: Budgets,
    slot: Slot,
}

impl Connection {
    async fn serve<F: Future>(self, watch: impl FnOnce(Served) -> F, stop: CancellationToken) {
        // An answer is one write: nothing is gained by waiting for more.
        let _ = self.stream.set_nodelay(true);
        let told = stop.run_until_cancelled(version(&self.stream, self.budgets.head));
        let Some(Some(version)) = told.await else { return };
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.budgets.head)
            .max_headers(100)
            .max_buf_size(64 * 1024);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(128)
            .max_header_list_size(32 * 1024)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        let builder = match version {
            Version::One => builder.http1_only(),
            Version::Two => builder.http2_only(),
        };
        let (peer, slot) = (self.peer, self.slot);
        let service = self.router.map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            request.extensions_mut().insert(slot.clone());
            request
        });
        let service = TowerToHyperService::new(tower::util::BoxCloneService::new(service));
        let served = builder.serve_connection_with_upgrades(TokioIo::new(self.stream), service).into_owned();
        // How a connection ends is the client's affair; a request's fate is in its own log line.
        let _ = watch(served).await;
    }
}

#[derive(Clone, Copy)]
enum Version {
    One,
    Two,
}

/// Tells the version by the first bytes, within the time for a head: hyper-util itself waits for them without end.
async fn version(stream: &TcpStream, within: Duration) -> Option<Version> {
    let deadline = Instant::now() + within;
    let mut seen = [0; PREFACE.len()];
    loop {
        let count = timeout_at(deadline, stream.peek(&mut seen)).await.ok()?.ok()?;
        let start = seen.get(..count)?;
        match (count, PREFACE.starts_with(start)) {
            (0, _) => return None,
            (_, false) => return Some(Version::One),
            (count, true) if count == PREFACE.len() => return Some(Version::Two),
            // A part of the preface: `peek` would give it again at once.
            (_, true) => timeout_at(deadline, sleep(Duration::from_millis(10))).await.ok()?,
        }
    }
}

/// Ends when the process is asked to stop, by SIGTERM or SIGINT.
///
/// # Errors
/// When signals cannot be waited for.
pub fn stop_signal() -> Result<impl Future<Output = ()>, ServeError> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signal)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
