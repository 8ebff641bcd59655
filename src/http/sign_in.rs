//! The way of a browser to an identity provider and back. Where it goes in the end stands in the configuration: nothing that a
//! request says has a part in it (abuse case H6).

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, RawQuery, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};

use super::{
    CameBack, Gateway, SignInRefusal,
    cookie::{self, Written},
    credential,
    document::code,
    graphql::Refusal,
    router::Inner,
};
use crate::{ablate, config::HttpConfig, provider::Callback};

/// How long a browser may be away, in seconds; what is sealed says the same.
const AWAY: u64 = 600;
/// The longest value of a parameter that is looked at.
const LONGEST: usize = 4 * 1024;

/// `/sign-in/{provider}`: to the provider.
pub(super) async fn begin<G: Gateway>(
    State(door): State<Arc<Inner<G>>>,
    Path(provider): Path<String>,
    RawQuery(asked): RawQuery,
) -> Response {
    match door.gateway.begin_sign_in(&provider).await {
        Ok(begun) => {
            let more = asked.filter(|_| ablate::off("sign_in_query")).map(|asked| format!("&{asked}"));
            let mut response = to(&format!("{}{}", begun.location, more.unwrap_or_default()));
            take_along(&mut response, &door.config, &begun.sealed, AWAY);
            response
        }
        Err(refusal) => refused(refusal),
    }
}

/// `/sign-in/{provider}/callback`: back from the provider. What the browser took along counts for this once.
pub(super) async fn finish<G: Gateway>(
    State(door): State<Arc<Inner<G>>>,
    Path(provider): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let back = came_back(&parts, &door.config);
    // Whoever is signed in already, and how, has no part in who comes back.
    let credentials = credential::read_from(&parts, &door.config);
    let mut response = match door.gateway.finish_sign_in(credentials, &provider, back).await {
        Ok(signed_in) => {
            let mut response = to(&signed_in.landing);
            if let Some(cookie) = cookie::written(&door.config, &signed_in.cookie) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(refusal) => refused(refusal),
    };
    take_along(&mut response, &door.config, "", 0);
    response
}

/// What a browser brings back. A parameter that stands there twice is none.
fn came_back(parts: &Parts, config: &HttpConfig) -> CameBack {
    let query = parts.uri.query().unwrap_or_default();
    let one = |name: &str| {
        let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
        let (_, value) = found.next()?;
        (found.next().is_none() && value.len() <= LONGEST).then(|| value.into_owned())
    };
    CameBack {
        sealed: cookie::value(&parts.headers, config.sign_in_cookie_name()),
        callback: Callback { state: one("state"), code: one("code"), issuer: one("iss"), error: one("error") },
    }
}

fn to(location: &str) -> Response {
    redirect(HeaderValue::from_str(location).ok())
}

fn redirect(location: Option<HeaderValue>) -> Response {
    let Some(location) = location else {
        let message = "the configured address cannot be written";
        return Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL, message).into_json();
    };
    let headers: [(HeaderName, HeaderValue); 1] = [(header::LOCATION, location)];
    (StatusCode::SEE_OTHER, headers, Body::empty()).into_response()
}

/// To where the browser would have landed, with the word for why it is not signed in.
fn refused(refusal: SignInRefusal) -> Response {
    match refusal {
        SignInRefusal::Unknown => {
            let message = "there is no such identity provider";
            Refusal::new(StatusCode::NOT_FOUND, code::NOT_FOUND, message).into_json()
        }
        SignInRefusal::Refused { landing, code } => {
            let sign = if landing.contains('?') { '&' } else { '?' };
            to(&format!("{landing}{sign}signInError={code}"))
        }
    }
}

/// `Lax`: the browser comes back by a navigation from the provider's site.
fn take_along(response: &mut Response, config: &HttpConfig, sealed: &str, seconds: u64) {
    let written = Written { value: sealed, seconds, same_site: "Lax" };
    if let Some(cookie) = cookie::write(config, config.sign_in_cookie_name(), written) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
