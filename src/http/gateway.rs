//! The product behind the door: credentials become callers of the service, documents go to the schema.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{ID, Request, Response, Value, value};
use futures_util::{future::BoxFuture, stream::BoxStream};
use tokio::sync::broadcast::error::RecvError;

use super::{
    Access as RootAccess, AuthRefusal, CameBack, Credentials, GatedRequest, Gateway, OperationKind, Readiness,
    RootFields, SignInRefusal, SignedInBrowser, ViewRefusal,
};
use crate::{
    graphql::{
        self, CookieChange, Cursors, GatehouseSchema, RequestContext,
        node::NodeType,
        root::{Audience, FIELDS, Root},
    },
    identity::Credential,
    provider::Begun,
    service::{Access, Client, Service, ServiceError, Settled, SettledMode, Settlements, UserErrorCode},
};

/// The gateway as the door sees it.
#[derive(Clone)]
pub struct ServiceGateway(Arc<Parts>);

struct Parts {
    service: Service,
    schema: GatehouseSchema,
    cursors: Cursors,
}

impl ServiceGateway {
    /// With the schema in front of this service.
    #[must_use]
    pub fn new(service: Service, cursors: Cursors) -> Self {
        Self(Arc::new(Parts { service, schema: graphql::schema(), cursors }))
    }

    /// Why a browser is not signed in, as a word that may stand in an address.
    fn not_signed_in(&self, provider: &str, error: ServiceError) -> SignInRefusal {
        let Some(landing) = self.0.service.landing_of(provider).map(str::to_owned) else {
            return SignInRefusal::Unknown;
        };
        let code = match error {
            ServiceError::Refused(told) => match told.first().map(|told| told.code) {
                Some(UserErrorCode::ProviderUnavailable) => "PROVIDER_UNAVAILABLE",
                Some(UserErrorCode::SignInExpired) => "SIGN_IN_EXPIRED",
                Some(UserErrorCode::EmailNotVerified) => "EMAIL_NOT_VERIFIED",
                Some(UserErrorCode::DomainNotAllowed) => "DOMAIN_NOT_ALLOWED",
                Some(UserErrorCode::SignUpClosed) => "SIGN_UP_CLOSED",
                Some(UserErrorCode::NotLinked) => "NOT_LINKED",
                Some(_) | None => "PROVIDER_REFUSED",
            },
            error => {
                tracing::warn!(%error, "a sign-in by a provider cannot be finished");
                "UNAVAILABLE"
            }
        };
        SignInRefusal::Refused { landing, code }
    }

    fn request(&self, service: Service, access: Access, request: Request) -> Request {
        let cursors = self.0.cursors.clone();
        request.data(RequestContext::new(service, access, cursors))
    }
}

/// `{mode, ms}`: by what a change that may have taken rights away became visible to every gateway, and after how long.
fn told(settled: Settled) -> Value {
    let mode = match settled.mode {
        SettledMode::Immediate => "immediate",
        SettledMode::Lease => "lease",
    };
    let ms = u64::try_from(settled.after.as_millis()).unwrap_or(u64::MAX);
    value!({ "mode": mode, "ms": ms })
}

impl Gateway for ServiceGateway {
    type Caller = Access;

    async fn authenticate(&self, credentials: Credentials) -> Result<Access, AuthRefusal> {
        let client = Client { address: credentials.peer, user_agent: credentials.user_agent };
        let Some(bearer) = credentials.bearer else { return Ok(Access::stranger(client)) };
        let service = &self.0.service;
        let credential =
            Credential::parse_bearer(&bearer, service.tokens(), service.now()).map_err(|_| AuthRefusal::Invalid)?;
        match service.access(credential, client).await {
            Ok(Some(access)) => Ok(access),
            Ok(None) => Err(AuthRefusal::Invalid),
            Err(error) => {
                tracing::warn!(%error, "credentials cannot be checked");
                Err(AuthRefusal::Unavailable)
            }
        }
    }

    async fn view_as(&self, caller: Access, member: String) -> Result<Access, ViewRefusal> {
        let member = NodeType::Member.parse(&ID(member)).map_err(|_| ViewRefusal::NotFound)?;
        self.0.service.view_as(&caller, member).await.map_err(|error| match error {
            ServiceError::Unauthenticated => ViewRefusal::Forbidden("sign in to view as a member".to_owned()),
            ServiceError::Forbidden(denial) => ViewRefusal::Forbidden(denial.to_string()),
            ServiceError::Refused(told) => {
                ViewRefusal::Forbidden(told.first().map(|told| told.message.clone()).unwrap_or_default())
            }
            ServiceError::NotFound => ViewRefusal::NotFound,
            error => {
                tracing::warn!(%error, "a view as a member cannot be begun");
                ViewRefusal::Unavailable
            }
        })
    }

    fn is_authenticated(&self, caller: &Access) -> bool {
        caller.credential.is_some()
    }

    async fn execute(&self, caller: Access, request: GatedRequest) -> Response {
        let settlements = Settlements::default();
        let service = self.0.service.telling(settlements.clone());
        let mut response = self.0.schema.execute(self.request(service, caller, request.request)).await;
        if let Some(settled) = settlements.slowest() {
            response.extensions.insert("revocation".to_owned(), told(settled));
        }
        response
    }

    fn subscribe(&self, caller: Access, request: GatedRequest) -> BoxStream<'static, Response> {
        // It goes on for longer than what it was granted at is the present version.
        let caller = Access { version: None, ..caller };
        Box::pin(self.0.schema.execute_stream(self.request(self.0.service.clone(), caller, request.request)))
    }

    /// Ends as soon as the session or token is over, or no longer gives the place in the organization it was opened with.
    fn revoked(&self, caller: &Access) -> BoxFuture<'static, ()> {
        let (service, caller) = (self.0.service.clone(), caller.clone());
        Box::pin(async move {
            let Some((credential, key)) = caller.credential.zip(caller.grant_key()) else {
                return std::future::pending().await;
            };
            if crate::ablate::off("stream_rights") {
                return std::future::pending().await;
            }
            let mut moved = service.grants().freshness().moved();
            loop {
                let left = caller.ends_at.map(|end| (end - service.now()).to_std().unwrap_or_default());
                let end = async {
                    match left {
                        Some(left) => tokio::time::sleep(left).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = end => return,
                    stamps = moved.recv() => match stamps {
                        Ok(stamps) if !stamps.iter().any(|stamp| key.subjects().contains(&stamp.subject())) => continue,
                        Ok(_) | Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return,
                    },
                }
                // Where nothing can be decided, nothing more is delivered.
                let now = service.access(credential, caller.client.clone()).await;
                if now.ok().flatten().is_none_or(|now| now.principal() != caller.principal()) {
                    return;
                }
            }
        })
    }

    fn sdl(&self) -> String {
        graphql::sdl()
    }

    fn root_fields(&self) -> RootFields {
        RootFields::new(FIELDS.iter().map(|(root, name, audience)| {
            let kind = match root {
                Root::Query => OperationKind::Query,
                Root::Mutation => OperationKind::Mutation,
                Root::Subscription => OperationKind::Subscription,
            };
            let access = match audience {
                Audience::Anyone => RootAccess::Public,
                Audience::Callers => RootAccess::Authenticated,
            };
            (kind, *name, access)
        }))
    }

    async fn begin_sign_in(&self, provider: &str) -> Result<Begun, SignInRefusal> {
        let begun = self.0.service.begin_sign_in(provider).await;
        begun.map_err(|error| self.not_signed_in(provider, error))
    }

    async fn finish_sign_in(
        &self,
        credentials: Credentials,
        provider: &str,
        back: CameBack,
    ) -> Result<SignedInBrowser, SignInRefusal> {
        let service = &self.0.service;
        let client = Client { address: credentials.peer, user_agent: credentials.user_agent };
        let came = (back.sealed.as_deref(), &back.callback);
        let signed_in = service.finish_sign_in(&client, provider, came).await;
        let signed_in = signed_in.map_err(|error| self.not_signed_in(provider, error))?;
        let landing = service.landing_of(provider).map(str::to_owned);
        let refresh = signed_in.refresh.zip(landing).ok_or(SignInRefusal::Unknown);
        let lifetime = service.options().lifetimes.refresh_idle;
        refresh.map(|(token, landing)| SignedInBrowser { landing, cookie: CookieChange::Keep(token, lifetime) })
    }

    fn published_keys(&self) -> serde_json::Value {
        let service = &self.0.service;
        service.tokens().keys().jwks(service.now())
    }

    async fn ready(&self) -> Readiness {
        Readiness { checks: vec![(Cow::Borrowed("database"), self.0.service.is_ready().await)] }
    }
}
