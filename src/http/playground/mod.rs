//! GraphiQL from this binary alone: nothing is loaded from anywhere else, and the page may not.
//!
//! `assets/` holds GraphiQL 3.9.0 and React 18.3.1 as published on npm, with their licences, and our own page: an HTML file
//! without inline script, a boot script that signs in and speaks both transports, and a style sheet.

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use super::{document::code, graphql::Refusal};

/// What the page may load: its own files, and the styles that GraphiQL writes into itself.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
     object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Ours change with the program, so they are asked for each time; theirs never change under one name.
const FRESH: HeaderValue = HeaderValue::from_static("no-cache");
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=86400");

/// `/graphiql`
pub(super) async fn page() -> Response {
    let mut response = file(HTML, FRESH, include_bytes!("assets/page.html"));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

/// `/graphiql/{asset}`
pub(super) async fn asset(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "boot.js" => file(SCRIPT, FRESH, include_bytes!("assets/boot.js")),
        "page.css" => file(STYLE, FRESH, include_bytes!("assets/page.css")),
        "graphiql.min.js" => file(SCRIPT, KEPT, include_bytes!("assets/graphiql.min.js")),
        "graphiql.min.css" => file(STYLE, KEPT, include_bytes!("assets/graphiql.min.css")),
        "react.production.min.js" => file(SCRIPT, KEPT, include_bytes!("assets/react.production.min.js")),
        "react-dom.production.min.js" => file(SCRIPT, KEPT, include_bytes!("assets/react-dom.production.min.js")),
        "LICENSES.txt" => file(TEXT, KEPT, include_bytes!("assets/LICENSES.txt")),
        _ => Refusal::new(StatusCode::NOT_FOUND, code::NOT_FOUND, "nothing is at this path").into_json(),
    }
}

fn file(media: &'static str, cache: HeaderValue, bytes: &'static [u8]) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    response
}
