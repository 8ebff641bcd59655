//! The operator's numbers, on an address of their own: who collects them is no caller of the API.

use std::{io, net::SocketAddr};

use axum::{Router, http::header, routing::get};
use tokio::{net::TcpListener, task::JoinHandle};

/// The text form that Prometheus and others read (`OpenMetrics` 1.0, «Overall Structure»).
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves the numbers at `/metrics` until it is dropped.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl MetricsServer {
    /// Listens, and answers with what `numbers` says at that moment.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(
        address: SocketAddr,
        numbers: impl Fn() -> String + Clone + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let answer = move || {
            let text = numbers();
            async move { ([(header::CONTENT_TYPE, OPEN_METRICS)], text) }
        };
        let router = Router::new().route("/metrics", get(answer));
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "metrics are not served any more");
            }
        });
        Ok(Self { address, serving })
    }

    /// The address that is listened on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
