//! The only way from here to a provider: small answers, in time, from where they were asked, by TLS.
//!
//! No redirect is followed and no proxy asked. A provider's own origin is the operator's word and may be in a private network;
//! any other address comes from the provider's answers, and is asked only over https and only where it is public: judged when the
//! connection is made, so that a name which changes its mind gains nothing (abuse case H5).

use std::{
    io,
    net::SocketAddr,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{
            HttpConnector,
            dns::{GaiResolver, Name},
        },
    },
    rt::{TokioExecutor, TokioTimer},
};
use tower::Service;
use url::{Host, Url};

use super::{ProviderError, ProviderOptionsError, address::is_public};

/// The largest answer, in bytes; the keys of the largest providers are a tenth of it.
const LARGEST: usize = 256 * 1024;
/// How long an answer may take, from the first step to the last byte.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where something is asked of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    /// Whether it is at the issuer's own origin.
    own: bool,
}

impl Endpoint {
    /// The endpoint that a provider names.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] for one that is neither at its own origin nor safe to ask.
    pub fn of(issuer: &Url, text: &str) -> Result<Self, ProviderError> {
        // Somebody else's text: escaped and cut, so that it makes no lines of its own in a log.
        let shown: String = text.escape_debug().take(200).collect();
        let refused = |why: &str| Err(ProviderError::Unavailable(format!("its endpoint `{shown}` {why}")));
        let Ok(url) = Url::parse(text) else { return refused("is not a URL") };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return refused("has a password or a fragment");
        }
        if url.origin() == issuer.origin() || crate::ablate::off("provider_endpoint") {
            return Ok(Self { url, own: true });
        }
        if url.scheme() != "https" {
            return refused("is elsewhere, and not https");
        }
        match url.host() {
            Some(Host::Domain(_)) => Ok(Self { url, own: false }),
            Some(Host::Ipv4(address)) if is_public(address.into()) => Ok(Self { url, own: false }),
            Some(Host::Ipv6(address)) if is_public(address.into()) => Ok(Self { url, own: false }),
            Some(_) | None => refused("is in somebody's own network"),
        }
    }

    /// The URL.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }
}

/// Finds the addresses of names, and keeps the public ones.
#[derive(Debug, Clone)]
struct PublicResolver(GaiResolver);

impl Service<Name> for PublicResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let found = self.0.call(name);
        Box::pin(async move {
            let public: Vec<SocketAddr> = found.await?.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the name has no public address"));
            }
            Ok(public.into_iter())
        })
    }
}

type Connecting<R> = Client<HttpsConnector<HttpConnector<R>>, Full<Bytes>>;

/// Asks providers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Fetcher {
    /// For a provider's own origin.
    own: Connecting<GaiResolver>,
    /// For every other.
    public: Connecting<PublicResolver>,
}

/// A form to be posted.
pub struct Form {
    /// Its fields, written.
    pub body: String,
    /// The `Authorization` header.
    pub authorization: Option<HeaderValue>,
}

impl Fetcher {
    /// With the machine's certificates.
    ///
    /// # Errors
    /// [`ProviderOptionsError::Machine`] when they cannot be read.
    pub fn new() -> Result<Self, ProviderOptionsError> {
        Ok(Self {
            own: connecting(HttpConnector::new_with_resolver(GaiResolver::new()))?,
            public: connecting(HttpConnector::new_with_resolver(PublicResolver(GaiResolver::new())))?,
        })
    }

    /// What is there, as JSON that must be an object.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] for any answer but `200` with a small JSON object, in time.
    pub async fn get(&self, endpoint: &Endpoint) -> Result<serde_json::Value, ProviderError> {
        let request = Request::get(endpoint.url.as_str()).body(Full::default());
        let (status, bytes) = self.ask(endpoint, request).await?;
        if status != StatusCode::OK {
            return Err(unavailable(endpoint, format!("it answered {status}")));
        }
        object(endpoint, &bytes)
    }

    /// What a form is answered, with its status.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] for what is no small JSON object, in time.
    pub async fn post(
        &self,
        endpoint: &Endpoint,
        form: Form,
    ) -> Result<(StatusCode, serde_json::Value), ProviderError> {
        let mut request = Request::post(endpoint.url.as_str());
        if let (Some(headers), Some(authorization)) = (request.headers_mut(), form.authorization) {
            headers.insert(AUTHORIZATION, authorization);
        }
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let (status, bytes) = self.ask(endpoint, request.body(Full::from(form.body))).await?;
        Ok((status, object(endpoint, &bytes)?))
    }

    async fn ask(
        &self,
        endpoint: &Endpoint,
        request: Result<Request<Full<Bytes>>, hyper::http::Error>,
    ) -> Result<(StatusCode, Bytes), ProviderError> {
        let mut request = request.map_err(|error| unavailable(endpoint, error))?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("gatehouse"));
        let asked = async {
            let answer =
                if endpoint.own { self.own.request(request).await } else { self.public.request(request).await };
            let answer = answer.map_err(|error| unavailable(endpoint, causes(&error)))?;
            let status = answer.status();
            let limit = if crate::ablate::off("provider_answer_size") { usize::MAX } else { LARGEST };
            let body = Limited::new(answer.into_body(), limit).collect().await;
            let body = body.map_err(|error| unavailable(endpoint, causes(error.as_ref())))?;
            Ok((status, body.to_bytes()))
        };
        let answered = tokio::time::timeout(PATIENCE, asked).await;
        answered.map_err(|_| unavailable(endpoint, "it did not answer in time"))?
    }
}

fn connecting<R>(mut http: HttpConnector<R>) -> Result<Connecting<R>, ProviderOptionsError>
where
    R: Clone + Send + Sync + 'static,
    HttpConnector<R>: Clone,
    HttpsConnector<HttpConnector<R>>: hyper_util::client::legacy::connect::Connect + Clone,
{
    http.enforce_http(false);
    http.set_connect_timeout(Some(Duration::from_secs(3)));
    let provider = rustls::crypto::ring::default_provider();
    let machine = |error: io::Error| ProviderOptionsError::Machine(error.to_string());
    let tls = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider).map_err(machine)?;
    // Which of the two an endpoint may be asked by is settled before: see [`Endpoint::of`].
    let https = tls.https_or_http().enable_http1().wrap_connector(http);
    let mut client = Client::builder(TokioExecutor::new());
    client.pool_timer(TokioTimer::new()).pool_idle_timeout(Duration::from_secs(20)).pool_max_idle_per_host(2);
    Ok(client.build(https))
}

fn object(endpoint: &Endpoint, bytes: &[u8]) -> Result<serde_json::Value, ProviderError> {
    let value: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
    value.ok().filter(serde_json::Value::is_object).ok_or_else(|| unavailable(endpoint, "it answered no JSON object"))
}

/// The endpoint without its query: what stands there may be somebody's.
fn unavailable(endpoint: &Endpoint, why: impl std::fmt::Display) -> ProviderError {
    let (origin, path) = (endpoint.url.origin().ascii_serialization(), endpoint.url.path());
    ProviderError::Unavailable(format!("{origin}{path}: {why}"))
}

/// An error with what is behind it.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
