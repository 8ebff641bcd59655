//! What every request passes: an id, a log line, security headers, and a net under panics.

use std::{any::Any, panic::AssertUnwindSafe, time::Instant};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt;
use std::time::Duration;
use tower_http::cors::CorsLayer;

use super::{
    cookie,
    credential::{Peer, VIEW_AS},
    document::code,
    graphql::{Operation, Refusal},
};
use crate::config::HttpConfig;

/// The id of a request, in its extensions.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Headers that every response has, unless its handler said otherwise.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
];

/// Settings of [`around`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    /// Whether the public URL is https: browsers are then told to stay there.
    pub(super) secure: bool,
}

/// The outermost layer.
pub(super) async fn around(State(settings): State<Around>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    let path = shown_path(request.uri().path());
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    request.extensions_mut().insert(RequestId(id.clone()));

    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            tracing::error!(request_id = %id, panic = panic_text(&*panic), "a handler panicked");
            let message = "something went wrong on our side; the request id tells us what";
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL, message).into_json()
        }
    };

    log(&response, &Line { id: &id, method: &method, path: &path, peer, took: started.elapsed() });
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    if settings.secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}

struct Line<'a> {
    id: &'a str,
    method: &'a Method,
    path: &'a str,
    peer: Option<std::net::IpAddr>,
    took: Duration,
}

/// One line per request: no query string, no header, no body, so no secret.
fn log(response: &Response, line: &Line<'_>) {
    let operation = response.extensions().get::<Operation>();
    tracing::info!(
        target: "gatehouse::http",
        request_id = line.id,
        method = %line.method,
        path = line.path,
        status = response.status().as_u16(),
        peer = line.peer.map(tracing::field::display),
        micros = u64::try_from(line.took.as_micros()).unwrap_or(u64::MAX),
        operation = operation.map(|operation| operation.kind.noun()),
        operation_name = operation.and_then(|operation| operation.name.as_deref()),
        cost = operation.map(|operation| operation.cost),
        "request"
    );
}

/// Cross-origin requests: only configured origins, never a wildcard, so that credentials can be allowed.
pub(super) fn cors(config: &HttpConfig) -> CorsLayer {
    let origins = config.allowed_origins().filter_map(|origin| HeaderValue::from_str(origin.as_str()).ok());
    CorsLayer::new()
        .allow_origin(origins.collect::<Vec<_>>())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
            header::ACCEPT,
            REQUEST_ID,
            VIEW_AS,
            cookie::SESSION,
        ])
        .expose_headers([REQUEST_ID])
        .allow_credentials(true)
        .max_age(Duration::from_mins(10))
}

/// The client's id if it is well formed, so that it cannot forge log lines; else a new one.
fn request_id(request: &Request) -> String {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let well_formed = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(well_formed).map_or_else(|| crate::id::new_id().simple().to_string(), str::to_owned)
}

fn shown_path(path: &str) -> String {
    path.chars().filter(|c| !c.is_control()).take(128).collect()
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("not a text")
}
