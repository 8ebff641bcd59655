//! GraphQL over HTTP: one request in, one answer out, statuses and media types as the specification asks.
//!
//! Reads strictly (`request`), negotiates (`media`), and renders (`answer`, `events`). Every answer, a refusal too, is a JSON
//! object whose errors have a code. Nothing here knows a field of the schema.
//!
//! ```text
//! POST /graphql   content-type: application/json   accept: application/graphql-response+json
//! {"query":"{ viewer { name } }"}            →  200 {"data":{"viewer":{"name":"Alice"}}}
//! {"query":"{ viewer {"}                     →  400 {"errors":[{"message":"syntax error: …","extensions":{"code":"GRAPHQL_PARSE_FAILED"}}]}
//! ```

pub(super) mod answer;
mod events;
mod media;
mod request;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};

pub(super) use answer::{Refusal, finish};
pub(super) use request::{FieldError, document_request};

use super::{
    AuthRefusal, Gateway, OperationKind, Transport, ViewRefusal, cookie, credential, document::code, router::Inner,
    socket,
};
use media::Accepted;

/// What a log line says about the operation of a request.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) kind: OperationKind,
    pub(super) name: Option<String>,
    pub(super) cost: u64,
}

/// `/graphql`, every method.
pub(super) async fn handle<G: Gateway>(State(door): State<Arc<Inner<G>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if socket::is_upgrade(&parts) {
        if credential::viewed_member(&parts).is_some() {
            let message = "whoever views as a member only reads: no sockets";
            return Refusal::new(StatusCode::FORBIDDEN, code::FORBIDDEN, message).into_json();
        }
        return socket::upgrade(door, parts).await;
    }
    if wants_page(&parts) && door.config.playground {
        return Redirect::to("graphiql").into_response();
    }
    let accepted = media::negotiate(&parts.headers);
    match answer(&door, &parts, body, accepted).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(accepted),
    }
}

async fn answer<G: Gateway>(
    door: &Arc<Inner<G>>,
    parts: &Parts,
    body: axum::body::Body,
    accepted: Accepted,
) -> Result<Response, Refusal> {
    let by_get = match parts.method {
        Method::GET | Method::HEAD => true,
        Method::POST => false,
        _ => return Err(Refusal::method_not_allowed("GET, POST")),
    };
    if accepted.is_nothing() {
        return Err(Refusal::not_acceptable());
    }
    let credentials = credential::read(parts, &door.config)?;
    let incoming = if by_get {
        request::from_query(parts.uri.query())?
    } else {
        request::from_body(parts, body, &door.config).await?
    };
    let caller = door.gateway.authenticate(credentials).await?;
    let transport = match (by_get, accepted.events) {
        (true, false) => Transport::Get,
        (true, true) => Transport::EventsByGet,
        (false, false) => Transport::Post,
        (false, true) => Transport::EventsByPost,
    };
    let mut admitted = door.gate.admit(incoming, transport, door.gateway.is_authenticated(&caller))?;
    let caller = viewed(door, parts, caller, admitted.gated.operation).await?;
    let operation = Operation {
        kind: admitted.gated.operation,
        name: admitted.gated.request.operation_name.clone(),
        cost: admitted.gated.cost,
    };
    let streamed = operation.kind == OperationKind::Subscription || accepted.json.is_none();
    let browser = cookie::session(parts, &door.config, streamed)?;
    if let Some(browser) = &browser {
        admitted.gated.request = admitted.gated.request.data(browser.clone());
    }
    let mut response = if streamed {
        events::stream(door, caller, admitted)
    } else {
        let mut response = door.gateway.execute(caller, admitted.gated).await;
        admitted.shape.complete(&mut response);
        answer::render(response, accepted)
    };
    let change = browser.and_then(|browser| browser.change());
    if let Some(cookie) = change.and_then(|change| cookie::written(&door.config, &change)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response.extensions_mut().insert(operation);
    Ok(response)
}

/// The caller, or the caller through the eyes of the member that the request names: for queries alone.
async fn viewed<G: Gateway>(
    door: &Arc<Inner<G>>,
    parts: &Parts,
    caller: G::Caller,
    operation: OperationKind,
) -> Result<G::Caller, Refusal> {
    let Some(member) = credential::viewed_member(parts) else { return Ok(caller) };
    if operation != OperationKind::Query && !crate::ablate::off("view_as_reads") {
        let message = "whoever views as a member only reads: queries alone";
        return Err(Refusal::new(StatusCode::FORBIDDEN, code::FORBIDDEN, message));
    }
    let Some(member) = member else { return Err(ViewRefusal::NotFound.into()) };
    Ok(door.gateway.view_as(caller, member).await?)
}

/// Whether a person opened the endpoint in a browser.
fn wants_page(parts: &Parts) -> bool {
    parts.method == Method::GET
        && parts.uri.query().is_none()
        && parts.headers.get(header::ACCEPT).is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
}

impl From<ViewRefusal> for Refusal {
    fn from(refusal: ViewRefusal) -> Self {
        match refusal {
            ViewRefusal::Forbidden(message) => Self::new(StatusCode::FORBIDDEN, code::FORBIDDEN, message),
            ViewRefusal::NotFound => Self::new(StatusCode::NOT_FOUND, code::NOT_FOUND, "not found"),
            ViewRefusal::Unavailable => Self::unavailable(),
        }
    }
}

impl From<AuthRefusal> for Refusal {
    fn from(refusal: AuthRefusal) -> Self {
        match refusal {
            AuthRefusal::Invalid => Self::invalid_token(),
            AuthRefusal::Unavailable => Self::unavailable(),
        }
    }
}

/// The value of `WWW-Authenticate` for a credential that was given and is not valid (RFC 6750, 3.1).
pub(super) const INVALID_TOKEN: HeaderValue = HeaderValue::from_static("Bearer error=\"invalid_token\"");
