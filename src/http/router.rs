//! Which path leads where.

use std::sync::Arc;

use axum::{
    Router,
    http::StatusCode,
    middleware,
    response::{Redirect, Response},
    routing::{any, get},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    DocumentGate, Gateway, SchemaMap, SchemaMapError,
    document::code,
    graphql::{self, Refusal},
    health,
    layers::{self, Around},
    playground, sign_in, well_known,
};
use crate::config::HttpConfig;

/// Why a door cannot open.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The schema's description cannot be read.
    #[error(transparent)]
    Schema(#[from] SchemaMapError),
}

/// A gateway behind its routes.
#[derive(Debug)]
pub struct Door<G: Gateway>(Arc<Inner<G>>);

impl<G: Gateway> Clone for Door<G> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// What handlers share.
pub(super) struct Inner<G> {
    pub(super) gateway: G,
    pub(super) gate: DocumentGate,
    pub(super) config: HttpConfig,
    /// Cancelled when the server stops: streams and sockets end.
    pub(super) stop: CancellationToken,
    /// What must end before the process does: sockets, streams, mutations that a client walked away from.
    pub(super) tracker: TaskTracker,
}

impl<G> std::fmt::Debug for Inner<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("config", &self.config).finish_non_exhaustive()
    }
}

impl<G: Gateway> Door<G> {
    /// A door in front of `gateway`.
    ///
    /// # Errors
    /// When the gateway's SDL does not parse.
    pub fn new(gateway: G, config: HttpConfig) -> Result<Self, DoorError> {
        let schema = SchemaMap::parse(&gateway.sdl())?;
        let gate = DocumentGate::new(schema, gateway.root_fields(), config.document.clone(), config.introspection);
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        Ok(Self(Arc::new(Inner { gateway, gate, config, stop, tracker })))
    }

    /// The configuration that this door was opened with.
    #[must_use]
    pub fn config(&self) -> &HttpConfig {
        &self.0.config
    }

    /// Every route with its layers.
    pub fn router(&self) -> Router {
        let config = &self.0.config;
        let mut router = Router::new()
            .route("/graphql", any(graphql::handle::<G>))
            .route("/healthz", get(health::healthz).fallback(only_get))
            .route("/readyz", get(health::readyz::<G>).fallback(only_get))
            .route("/sign-in/{provider}", get(sign_in::begin::<G>).fallback(only_get))
            .route("/sign-in/{provider}/callback", get(sign_in::finish::<G>).fallback(only_get))
            .route("/.well-known/jwks.json", get(well_known::jwks::<G>).fallback(only_get));
        if config.playground {
            router = router
                .route("/", get(async || Redirect::to("graphiql")).fallback(only_get))
                .route("/graphiql", get(playground::page).fallback(only_get))
                .route("/graphiql/{asset}", get(playground::asset).fallback(only_get));
        }
        router
            .fallback(not_found)
            .with_state(Arc::clone(&self.0))
            .layer(layers::cors(config))
            .layer(middleware::from_fn_with_state(Around { secure: config.public_url.is_secure() }, layers::around))
    }

    pub(super) fn inner(&self) -> &Inner<G> {
        &self.0
    }
}

async fn not_found() -> Response {
    Refusal::new(StatusCode::NOT_FOUND, code::NOT_FOUND, "nothing is at this path").into_json()
}

async fn only_get() -> Response {
    Refusal::method_not_allowed("GET, HEAD").into_json()
}
