//! Writes an answer: status, media type, errors with codes, at most as many as a person reads.

use std::collections::BTreeMap;

use async_graphql::{Response as Answer, ServerError, Value};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

use super::{
    INVALID_TOKEN,
    media::{Accepted, GRAPHQL, JSON, JsonMedia},
};
use crate::http::{
    document::{GateRefusal, code, coded},
    shape::is_request_error,
};

/// Errors shown in one answer; a document of 3,000 unknown fields has no right to 3,000 of them.
const SHOWN_ERRORS: usize = 50;

/// An answer as it is written: no `data` at all where the request itself failed.
#[derive(Debug, Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

/// Gives every error a code, bounds their number, and writes the answer as JSON.
pub(in crate::http) fn finish(answer: &mut Answer) -> Vec<u8> {
    let failed = is_request_error(answer);
    for error in &mut answer.errors {
        let uncoded = error.extensions.as_ref().is_none_or(|extensions| extensions.get("code").is_none());
        if uncoded {
            // Upstream's own errors: validation has no path, a refused argument has its field's.
            let code = if error.path.is_empty() { code::VALIDATION_FAILED } else { code::BAD_USER_INPUT };
            error.extensions.get_or_insert_default().set("code", code);
        }
    }
    if answer.errors.len() > SHOWN_ERRORS {
        let hidden = answer.errors.len() - SHOWN_ERRORS;
        answer.errors.truncate(SHOWN_ERRORS);
        answer.errors.push(coded(code::ERRORS_TRUNCATED, format!("{hidden} further errors are not shown")));
    }
    let data = if failed { None } else { Some(&answer.data) };
    let written = Written { data, errors: &answer.errors, extensions: &answer.extensions };
    // INVARIANT: an answer has string keys throughout, so that it can be written; the fallback says otherwise aloud.
    serde_json::to_vec(&written).unwrap_or_else(|_| {
        br#"{"errors":[{"message":"the answer cannot be written","extensions":{"code":"INTERNAL"}}]}"#.to_vec()
    })
}

/// The HTTP response of an executed request.
pub(super) fn render(mut answer: Answer, accepted: Accepted) -> Response {
    let media = accepted.json.unwrap_or(JsonMedia::Json);
    let failed = is_request_error(&answer);
    let unavailable = answer.errors.iter().any(|error| has_code(error, code::AUTHZ_UNAVAILABLE));
    let status = match (unavailable, failed, media) {
        (true, _, _) => StatusCode::SERVICE_UNAVAILABLE,
        (false, true, JsonMedia::GraphqlResponse) => StatusCode::BAD_REQUEST,
        (false, true, JsonMedia::Json) | (false, false, _) => StatusCode::OK,
    };
    let cookies: Vec<HeaderValue> = answer.http_headers.get_all(header::SET_COOKIE).iter().cloned().collect();
    let mut response = json(status, media, finish(&mut answer));
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn has_code(error: &ServerError, code: &str) -> bool {
    let found = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    matches!(found, Some(Value::String(text)) if text == code)
}

fn json(status: StatusCode, media: JsonMedia, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let media = match media {
        JsonMedia::GraphqlResponse => GRAPHQL,
        JsonMedia::Json => JSON,
    };
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// A request that is answered without execution.
#[derive(Debug)]
pub(in crate::http) struct Refusal {
    status: StatusCode,
    error: Box<ServerError>,
    header: Option<(header::HeaderName, HeaderValue)>,
    /// Whether this was a well-formed GraphQL request, which `application/json` answers 200.
    well_formed: bool,
}

impl Refusal {
    pub(in crate::http) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, error: Box::new(coded(code, message)), header: None, well_formed: false }
    }

    pub(in crate::http) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::BAD_REQUEST, message)
    }

    pub(super) fn body_too_large(limit: usize) -> Self {
        let message = format!("the body has more than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code::BODY_TOO_LARGE, message).with(header::CONNECTION, "close")
    }

    pub(super) fn timeout() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, code::REQUEST_TIMEOUT, "the body did not arrive in time")
            .with(header::CONNECTION, "close")
    }

    pub(super) fn unsupported_media_type() -> Self {
        let message = "the body must be `application/json` in UTF-8, not compressed";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::UNSUPPORTED_MEDIA_TYPE, message)
            .with(header::ACCEPT, "application/json")
    }

    pub(super) fn not_acceptable() -> Self {
        let message = "answers are `application/graphql-response+json`, `application/json` or `text/event-stream`; accept one of them";
        Self::new(StatusCode::NOT_ACCEPTABLE, code::NOT_ACCEPTABLE, message)
    }

    pub(in crate::http) fn method_not_allowed(allow: &'static str) -> Self {
        let message = format!("only {allow} can be used here");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, code::METHOD_NOT_ALLOWED, message).with(header::ALLOW, allow)
    }

    /// One wording for every credential that is not valid, whatever is wrong with it.
    pub(in crate::http) fn invalid_token() -> Self {
        let message = "the credential is not valid: sign in again";
        let mut refusal = Self::new(StatusCode::UNAUTHORIZED, code::UNAUTHENTICATED, message);
        refusal.header = Some((header::WWW_AUTHENTICATE, INVALID_TOKEN));
        refusal
    }

    pub(in crate::http) fn unavailable() -> Self {
        let message = "rights cannot be checked now; try again in a moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::AUTHZ_UNAVAILABLE, message)
    }

    fn with(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.header = Some((name, HeaderValue::from_static(value)));
        self
    }

    /// The response in `application/json`, for requests that negotiate nothing.
    pub(in crate::http) fn into_json(self) -> Response {
        self.into_response(Accepted { json: Some(JsonMedia::Json), events: false })
    }

    /// The response in the negotiated media type; what accepts nothing we write gets JSON all the same.
    pub(in crate::http) fn into_response(self, accepted: Accepted) -> Response {
        let media = match (accepted.json, accepted.events) {
            (Some(media), _) => media,
            (None, true) => JsonMedia::GraphqlResponse,
            (None, false) => JsonMedia::Json,
        };
        let status = if self.well_formed && media == JsonMedia::Json { StatusCode::OK } else { self.status };
        let mut answer = Answer::from_errors(vec![*self.error]);
        let mut response = json(status, media, finish(&mut answer));
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<GateRefusal> for Refusal {
    fn from(refusal: GateRefusal) -> Self {
        let status = refusal.status;
        let header = match status {
            StatusCode::METHOD_NOT_ALLOWED => Some((header::ALLOW, HeaderValue::from_static("POST"))),
            // No credential was given, so there is no error to name (RFC 6750, 3).
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            _ => None,
        };
        let well_formed = status == StatusCode::BAD_REQUEST;
        Self { status, error: Box::new(refusal.into_error()), header, well_formed }
    }
}
