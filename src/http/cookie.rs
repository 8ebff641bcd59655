//! The cookie that holds a browser's refresh token: who may have it read, and how it is written.
//!
//! A cookie comes with every request that a browser makes, whichever page has it make one. So it counts for nothing unless the
//! page asks for it by a header that no form can send, and is one of ours.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};

use super::{
    document::code,
    graphql::Refusal,
    origin::{self, From},
};
use crate::{
    ablate,
    config::HttpConfig,
    graphql::{BrowserSession, CookieChange},
};

/// `Gatehouse-Session: cookie`: the refresh token is to be in the cookie, and in no answer.
pub(super) const SESSION: HeaderName = HeaderName::from_static("gatehouse-session");

/// The browser's session, where a page asks for it; else the cookie is not even looked at.
///
/// # Errors
/// 400 for the header in anything but a POST that is answered in one piece, 403 where no page of an allowed origin sends it.
pub(super) fn session(parts: &Parts, config: &HttpConfig, streamed: bool) -> Result<Option<BrowserSession>, Refusal> {
    let presented = || value(&parts.headers, config.cookie_name());
    let mut asked = parts.headers.get_all(SESSION).iter();
    match (asked.next(), asked.next()) {
        (None, _) if ablate::off("cookie_asked") && presented().is_some() => {}
        (None, _) => return Ok(None),
        (Some(word), None) if word == "cookie" => {}
        _ => return Err(Refusal::bad_request("`Gatehouse-Session` can only be `cookie`")),
    }
    if parts.method != Method::POST || streamed {
        return Err(Refusal::bad_request("`Gatehouse-Session` goes with a POST that is answered in one piece"));
    }
    if origin::of(parts, config) != From::Allowed && !ablate::off("cookie_origin") {
        let message = "no page of an origin that is allowed here sends this: see `--cors-origin`";
        return Err(Refusal::new(StatusCode::FORBIDDEN, code::FORBIDDEN, message));
    }
    Ok(Some(BrowserSession::new(presented())))
}

/// The one cookie of a name. Two of one name are none: somebody else set one of them.
pub(super) fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut found = values.flat_map(|value| value.split(';')).filter_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name && !value.is_empty()).then(|| value.to_owned())
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// The header that makes a change to the refresh token's cookie. `Strict`: no navigation needs it, only our pages' requests.
pub(super) fn written(config: &HttpConfig, change: &CookieChange) -> Option<HeaderValue> {
    match change {
        CookieChange::Keep(token, lifetime) => write(
            config,
            config.cookie_name(),
            Written { value: token, seconds: lifetime.as_secs(), same_site: "Strict" },
        ),
        CookieChange::Forget => {
            write(config, config.cookie_name(), Written { value: "", seconds: 0, same_site: "Strict" })
        }
    }
}

/// What a cookie is to be.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    /// Its value: letters that need no quoting.
    pub(super) value: &'a str,
    /// For how long; 0 takes it away.
    pub(super) seconds: u64,
    /// With which requests from other sites it is sent.
    pub(super) same_site: &'static str,
}

/// The header of a cookie for this host alone, which no script reads; over https only, where we are reached by it.
pub(super) fn write(config: &HttpConfig, name: &str, written: Written<'_>) -> Option<HeaderValue> {
    let Written { value, seconds, same_site } = written;
    let secure = if config.public_url.is_secure() { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite={same_site}; Max-Age={seconds}{secure}");
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::Request;
    use zeroize::Zeroizing;

    use super::*;
    use crate::config::HttpArgs;

    fn headers(cookie: &str) -> HeaderMap {
        Request::builder().header("cookie", cookie).body(()).unwrap().into_parts().0.headers
    }

    #[test]
    fn a_doubled_cookie_counts_as_none() {
        assert_eq!(value(&headers("a=b; gatehouse=secret"), "gatehouse").unwrap(), "secret");
        assert_eq!(value(&headers("gatehouse=x; gatehouse=secret"), "gatehouse"), None);
    }

    #[test]
    fn over_https_the_cookie_is_secure_and_bound_to_the_host() {
        let args = HttpArgs { public_url: Some("https://id.example.com/gate".into()), ..HttpArgs::default() };
        let config = HttpConfig::try_from(args).unwrap();
        let keep = CookieChange::Keep(Zeroizing::new("grt_x".to_owned()), Duration::from_mins(3));
        assert_eq!(
            written(&config, &keep).unwrap(),
            "__Host-gatehouse=grt_x; Path=/; HttpOnly; SameSite=Strict; Max-Age=180; Secure"
        );
        assert_eq!(
            written(&HttpConfig::default(), &CookieChange::Forget).unwrap(),
            "gatehouse=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
        );
    }
}
