//! The door: HTTP, WebSocket and event streams in, one gated GraphQL request out.
//!
//! A request is read (`graphql`, `socket`), its credential becomes a caller, its document passes the gate (`document`), the
//! schema behind [`Gateway`] executes it, its data is completed (`shape`), and the answer is written as GraphQL over HTTP
//! asks. Every transport takes the same steps in the same order, so that none has a limit or a check the others lack.
//!
//! What may not enter: decisions about rights, SQL, Redis, GraphQL types. This room knows the schema by its SDL, and callers
//! by an opaque type; no async-graphql extension is registered here or anywhere.
//!
//! ```
//! use gatehouse::http::{DocumentGate, DocumentRequest, OperationKind, Access, RootFields, SchemaMap, Transport};
//!
//! let schema = SchemaMap::parse("type Query { version: String! } type Mutation { stop: Boolean! }").unwrap();
//! let roots = RootFields::new([(OperationKind::Query, "version", Access::Public)]);
//! let gate = DocumentGate::new(schema, roots, Default::default(), false);
//! // A field that the schema has and the table has not is refused.
//! assert!(gate.admit(DocumentRequest::new("mutation { stop }"), Transport::Post, true).is_err());
//! ```

mod cookie;
mod credential;
mod document;
mod gateway;
mod graphql;
mod health;
mod layers;
mod metrics;
mod origin;
mod playground;
mod router;
mod schema_map;
mod server;
mod shape;
mod sign_in;
mod socket;
mod well_known;

use std::{borrow::Cow, net::IpAddr};

use async_graphql::Response;
use futures_util::{future::BoxFuture, stream::BoxStream};

use crate::{
    graphql::CookieChange,
    provider::{Begun, Callback},
};

pub use document::{
    Access, Admitted, DocumentGate, DocumentRequest, GateRefusal, GatedRequest, OperationKind, RootFields, Transport,
    code,
};
pub use gateway::ServiceGateway;
pub use metrics::MetricsServer;
pub use router::{Door, DoorError};
pub use schema_map::{SchemaMap, SchemaMapError};
pub use server::{ServeError, Server, stop_signal};
pub use shape::Shape;

/// What a request says about who sends it. Nothing here is proven yet.
#[derive(Clone)]
pub struct Credentials {
    /// The token of `Authorization: Bearer …`, or of a socket's `connection_init`.
    pub bearer: Option<String>,
    /// The client's address: the peer, or what trusted proxies say of it.
    pub peer: IpAddr,
    /// The `User-Agent`, bounded, control characters removed.
    pub user_agent: Option<String>,
    /// The id that log lines and the answer carry.
    pub request_id: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |secret: &Option<String>| secret.as_ref().map(|_| "…");
        f.debug_struct("Credentials")
            .field("bearer", &shown(&self.bearer))
            .field("peer", &self.peer)
            .field("user_agent", &self.user_agent)
            .field("request_id", &self.request_id)
            .finish()
    }
}

/// Why credentials give no caller. A request without any is not refused: its caller is a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthRefusal {
    /// A credential was given and is none of ours, or no more: one answer for every cause.
    #[error("the credential is not valid")]
    Invalid,
    /// The facts to judge the credential by cannot be read now.
    #[error("credentials cannot be checked now")]
    Unavailable,
}

/// Why nobody is viewed as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewRefusal {
    /// The caller may not, or not view this member; a message for people.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such member, or the caller may not know of it.
    #[error("not found")]
    NotFound,
    /// It cannot be checked or written down now.
    #[error("rights cannot be checked now")]
    Unavailable,
}

/// A browser that comes back from an identity provider.
#[derive(Debug, Clone, Default)]
pub struct CameBack {
    /// What it took along when it left.
    pub sealed: Option<String>,
    /// What stands in the address.
    pub callback: Callback,
}

/// A browser that is signed in.
#[derive(Debug, Clone)]
pub struct SignedInBrowser {
    /// Where it lands, from the configuration alone.
    pub landing: String,
    /// What it keeps.
    pub cookie: CookieChange,
}

/// Why a browser is not signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInRefusal {
    /// There is no such provider.
    Unknown,
    /// For this reason, as a word for programs; it lands where it would have landed.
    Refused {
        /// Where it lands, from the configuration alone.
        landing: String,
        /// Why.
        code: &'static str,
    },
}

/// Whether the gateway can serve.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Each thing that is needed, and whether it is there; names are short and public.
    pub checks: Vec<(Cow<'static, str>, bool)>,
}

impl Readiness {
    /// Whether everything is there.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|(_, there)| *there)
    }
}

/// What stands behind the door. One implementation serves the product, another the tests of this room.
pub trait Gateway: Clone + Send + Sync + 'static {
    /// Who is calling. A stranger is a caller too.
    type Caller: Clone + Send + Sync + 'static;

    /// Turns credentials into a caller.
    ///
    /// # Errors
    /// When a credential is given and is not valid, or cannot be judged now; never because there is none.
    fn authenticate(&self, credentials: Credentials) -> impl Future<Output = Result<Self::Caller, AuthRefusal>> + Send;

    /// The caller as it looks at its organization through the eyes of the member that this text names; for one request that
    /// changes nothing.
    ///
    /// # Errors
    /// When it may not, or there is no such member.
    fn view_as(
        &self,
        caller: Self::Caller,
        member: String,
    ) -> impl Future<Output = Result<Self::Caller, ViewRefusal>> + Send;

    /// Whether this caller showed a valid credential.
    fn is_authenticated(&self, caller: &Self::Caller) -> bool;

    /// Executes a query or mutation. The future may be dropped when the client goes away: what must not be cut short runs
    /// in a task of its own.
    fn execute(&self, caller: Self::Caller, request: GatedRequest) -> impl Future<Output = Response> + Send;

    /// Executes any operation as a stream of answers: one for a query or mutation, many for a subscription.
    fn subscribe(&self, caller: Self::Caller, request: GatedRequest) -> BoxStream<'static, Response>;

    /// Ends when this caller's streams must be cut: signed out, expired, suspended.
    fn revoked(&self, caller: &Self::Caller) -> BoxFuture<'static, ()>;

    /// The schema's own description.
    fn sdl(&self) -> String;

    /// The root fields that may be asked for at all.
    fn root_fields(&self) -> RootFields;

    /// Sends a browser to an identity provider.
    ///
    /// # Errors
    /// When there is no such provider, or it does not say where.
    fn begin_sign_in(&self, provider: &str) -> impl Future<Output = Result<Begun, SignInRefusal>> + Send {
        let _ = provider;
        std::future::ready(Err(SignInRefusal::Unknown))
    }

    /// Signs a browser in that comes back from an identity provider.
    ///
    /// # Errors
    /// When it did not leave from here, or the provider does not say who it is.
    fn finish_sign_in(
        &self,
        credentials: Credentials,
        provider: &str,
        back: CameBack,
    ) -> impl Future<Output = Result<SignedInBrowser, SignInRefusal>> + Send {
        let _ = (credentials, provider, back);
        std::future::ready(Err(SignInRefusal::Unknown))
    }

    /// The public keys by which its access tokens are verified, as a JSON Web Key Set.
    fn published_keys(&self) -> serde_json::Value;

    /// Whether this gateway can serve now.
    fn ready(&self) -> impl Future<Output = Readiness> + Send;
}
