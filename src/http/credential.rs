//! What a request says about its sender: bearer token, address, user agent.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::http::{HeaderMap, HeaderName, header, request::Parts};

use tokio::sync::OwnedSemaphorePermit;

use super::{AuthRefusal, Credentials, layers::RequestId};
use crate::config::HttpConfig;

/// The address at the other end of the connection; the server puts it into every request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// A connection's place among those that may be open; held as long as any clone is.
#[derive(Debug, Clone)]
pub(super) struct Slot(#[expect(dead_code, reason = "it is held, not read")] pub(super) Arc<OwnedSemaphorePermit>);

/// The member through whose eyes the caller wants to look.
pub(super) const VIEW_AS: HeaderName = HeaderName::from_static("gatehouse-view-as");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// A header longer than any credential of ours is none.
const LONGEST_TOKEN: usize = 8 * 1024;
const LONGEST_AGENT: usize = 256;

/// Reads the credentials of a request.
///
/// # Errors
/// When `Authorization` is there and cannot be a bearer token: twice, of another scheme, empty, or not text.
pub(super) fn read(parts: &Parts, config: &HttpConfig) -> Result<Credentials, AuthRefusal> {
    let in_url = || {
        let query = parts.uri.query().filter(|_| crate::ablate::off("credential_in_url"))?;
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "access_token")
            .map(|(_, token)| token.into_owned())
    };
    Ok(Credentials { bearer: bearer(&parts.headers)?.or_else(in_url), ..read_from(parts, config) })
}

/// Where a request comes from, without any credential.
pub(super) fn read_from(parts: &Parts, config: &HttpConfig) -> Credentials {
    Credentials {
        bearer: None,
        peer: client_address(parts, config),
        user_agent: parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(bounded),
        request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, AuthRefusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() && !crate::ablate::off("one_authorization") {
        return Err(AuthRefusal::Invalid);
    }
    let text = value.to_str().map_err(|_| AuthRefusal::Invalid)?;
    bearer_token(text).map(Some)
}

/// The token of an `Authorization` value; the scheme's case does not matter (RFC 9110, 11.1).
pub(super) fn bearer_token(text: &str) -> Result<String, AuthRefusal> {
    let (scheme, token) = text.trim().split_once(' ').ok_or(AuthRefusal::Invalid)?;
    let token = token.trim();
    let fine = scheme.eq_ignore_ascii_case("bearer")
        && !token.is_empty()
        && token.len() <= LONGEST_TOKEN
        && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    if fine { Ok(token.to_owned()) } else { Err(AuthRefusal::Invalid) }
}

/// Whom the request wants to view as: `None` nobody, `Some(None)` somebody who cannot be: named twice, or by no text.
#[expect(clippy::option_option, reason = "a header that is there and makes no sense must not pass for none")]
pub(super) fn viewed_member(parts: &Parts) -> Option<Option<String>> {
    let mut values = parts.headers.get_all(VIEW_AS).iter();
    let first = values.next()?;
    if values.next().is_some() {
        return Some(None);
    }
    Some(first.to_str().ok().map(str::to_owned))
}

/// The client's address: proxies are believed from the nearest on, as far as each is trusted.
fn client_address(parts: &Parts, config: &HttpConfig) -> IpAddr {
    let peer =
        parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip().to_canonical());
    let trusted = |ip: &IpAddr| config.trusted_proxies.iter().any(|network| network.contains(ip));
    let mut address = peer;
    let headers = parts.headers.get_all(FORWARDED_FOR);
    let values: Vec<&str> =
        headers.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).collect();
    for value in values.into_iter().rev() {
        if !trusted(&address) {
            break;
        }
        match value.trim().parse::<IpAddr>() {
            Ok(ip) => address = ip.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST_AGENT).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(headers: &[(&str, &str)], peer: &str) -> Parts {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(Peer(format!("{peer}:9").parse().unwrap()));
        parts
    }

    #[test]
    fn two_authorization_headers_are_refused() {
        let parts = parts(&[("authorization", "Bearer a"), ("authorization", "Bearer a")], "127.0.0.1");
        assert_eq!(read(&parts, &HttpConfig::default()).unwrap_err(), AuthRefusal::Invalid);
    }

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        assert_eq!(bearer_token("bEaReR abc").unwrap(), "abc");
        for wrong in ["Basic abc", "Bearer", "Bearer ", "abc", "Bearer a b", "Bearer a,b"] {
            assert!(bearer_token(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_stranger_cannot_forge_its_address_and_a_proxy_can_tell_it() {
        let config = HttpConfig { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..HttpConfig::default() };
        let forged = parts(&[("x-forwarded-for", "1.1.1.1")], "203.0.113.9");
        assert_eq!(client_address(&forged, &config).to_string(), "203.0.113.9");
        let told = parts(&[("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2")], "10.0.0.1");
        assert_eq!(client_address(&told, &config).to_string(), "203.0.113.9");
    }
}
