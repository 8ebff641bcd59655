//! What programs look for at known paths (RFC 8615): the public keys that access tokens are signed with.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::{Gateway, router::Inner};

/// Half as long as a key is published before it signs: whoever keeps the answer for so long knows each key in time.
const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300, must-revalidate");
const JWK_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");

/// `/.well-known/jwks.json`: the keys as a JSON Web Key Set (RFC 7517), with a tag by which it is not sent twice.
pub(super) async fn jwks<G: Gateway>(State(door): State<Arc<Inner<G>>>, headers: HeaderMap) -> Response {
    let text = door.gateway.published_keys().to_string();
    let tag = format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes())));
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known = known.flat_map(|value| value.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(text) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let answered = response.headers_mut();
    answered.insert(header::CACHE_CONTROL, CACHED);
    answered.insert(header::CONTENT_TYPE, JWK_SET);
    // INVARIANT: a tag is of base64url letters and quotes.
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answered.insert(header::ETAG, tag);
    }
    response
}
