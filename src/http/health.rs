//! Liveness and readiness.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::json;

use super::{Gateway, router::Inner};

/// `/healthz`: the process answers. It says nothing of what the process needs, so that no database restart kills it.
pub(super) async fn healthz() -> Response {
    answer(StatusCode::OK, &json!({ "status": "ok" }))
}

/// `/readyz`: whether requests can be served now, and what is missing.
pub(super) async fn readyz<G: Gateway>(State(door): State<Arc<Inner<G>>>) -> Response {
    let mut readiness = door.gateway.ready().await;
    if door.stop.is_cancelled() {
        readiness.checks.push(("not stopping".into(), false));
    }
    let (status, word) =
        if readiness.is_ready() { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable") };
    let checks: serde_json::Map<_, _> = readiness
        .checks
        .iter()
        .map(|(name, there)| (name.to_string(), json!(if *there { "ok" } else { "unavailable" })))
        .collect();
    answer(status, &json!({ "status": word, "checks": checks }))
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}
