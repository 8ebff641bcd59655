//! Which page a request comes from, as browsers say by `Origin`, and whether it may.

use axum::http::{HeaderValue, header, request::Parts, uri::Authority};

use crate::config::HttpConfig;

/// What `Origin` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// Nothing: no page, or a browser that does not say.
    Nowhere,
    /// A page that may call the API with credentials.
    Allowed,
    /// Any other page, or several at once.
    Foreign,
}

/// Where a request comes from.
pub(super) fn of(parts: &Parts, config: &HttpConfig) -> From {
    let mut origins = parts.headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => From::Nowhere,
        (Some(origin), None) => {
            let known = config.allowed_origins().any(|allowed| allowed.as_str().as_bytes() == origin.as_bytes());
            if known || is_own_loopback(origin, parts, config) { From::Allowed } else { From::Foreign }
        }
        (Some(_), Some(_)) => From::Foreign,
    }
}

/// A page of this very listener under another of the names that this machine has for itself. Other names are not believed:
/// a foreign name that resolves to us is how a foreign page would pretend to be ours.
fn is_own_loopback(origin: &HeaderValue, parts: &Parts, config: &HttpConfig) -> bool {
    let authority = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    config.listen.ip().is_loopback()
        && authority.is_some()
        && authority == host
        && authority
            .and_then(|authority| authority.parse::<Authority>().ok())
            .is_some_and(|authority| matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]"))
}
