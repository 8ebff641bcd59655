//! Which media type the client wants its answer in.

use axum::http::{HeaderMap, HeaderValue, header};

/// `application/graphql-response+json`: statuses tell request errors.
pub(super) const GRAPHQL: HeaderValue = HeaderValue::from_static("application/graphql-response+json; charset=utf-8");
/// `application/json`: a well-formed request is answered 200, as clients of old expect.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
/// `text/event-stream`.
pub(super) const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");

/// A media type of a single answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum JsonMedia {
    /// `application/graphql-response+json`
    GraphqlResponse,
    /// `application/json`
    Json,
}

/// What the client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Accepted {
    /// The best form of a single answer, if any is accepted.
    pub(super) json: Option<JsonMedia>,
    /// Whether an event stream is accepted.
    pub(super) events: bool,
}

impl Accepted {
    /// Whether nothing that can be written is accepted.
    pub(super) fn is_nothing(self) -> bool {
        self.json.is_none() && !self.events
    }
}

/// Reads `Accept` with its q-values (RFC 9110, 12.5.1); none means `application/json`.
pub(super) fn negotiate(headers: &HeaderMap) -> Accepted {
    let mut ranges = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        ranges.extend(value.to_str().unwrap_or_default().split(',').filter_map(range));
    }
    if !headers.contains_key(header::ACCEPT) {
        return Accepted { json: Some(JsonMedia::Json), events: false };
    }
    let exact = |name: &str| ranges.iter().filter(|(range, _)| range == name).map(|(_, q)| *q).max();
    let any = exact("application/*").or_else(|| exact("*/*"));
    let json = exact("application/json").or(any).unwrap_or(0);
    // A wildcard means JSON, which every client reads, unless JSON itself is ruled out.
    let graphql = exact("application/graphql-response+json").unwrap_or(if json == 0 { any.unwrap_or(0) } else { 0 });
    let events = exact("text/event-stream").unwrap_or(0);
    let best = match (graphql, json) {
        (0, 0) => None,
        (graphql, json) if graphql >= json => Some(JsonMedia::GraphqlResponse),
        _ => Some(JsonMedia::Json),
    };
    let best = best.filter(|_| events <= graphql.max(json));
    Accepted { json: best, events: events > 0 }
}

/// One element of `Accept`: its range in lower case, and its weight in thousandths.
fn range(element: &str) -> Option<(String, u16)> {
    let mut parts = element.split(';').map(str::trim);
    let range = parts.next().filter(|range| !range.is_empty())?.to_ascii_lowercase();
    let mut weight = 1000;
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => weight = thousandths(value)?,
            "charset" if !value.eq_ignore_ascii_case("utf-8") => return None,
            _ => {}
        }
    }
    Some((range, weight))
}

fn thousandths(text: &str) -> Option<u16> {
    let q: f32 = text.parse().ok().filter(|q| (0.0..=1.0).contains(q))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    Some((q * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> Accepted {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        negotiate(&headers)
    }

    fn single(media: JsonMedia) -> Accepted {
        Accepted { json: Some(media), events: false }
    }

    #[test]
    fn the_weights_decide() {
        use JsonMedia::{GraphqlResponse, Json};
        assert_eq!(negotiate(&HeaderMap::new()), single(Json));
        for (accept, media) in [
            ("*/*", Json),
            ("application/*", Json),
            ("application/json", Json),
            ("APPLICATION/JSON; charset=UTF-8", Json),
            ("application/graphql-response+json", GraphqlResponse),
            ("application/graphql-response+json, application/json;q=0.9", GraphqlResponse),
            ("application/json, application/graphql-response+json", GraphqlResponse),
            ("application/graphql-response+json;q=0.5, application/json", Json),
            ("application/json;q=0, */*", GraphqlResponse),
            ("text/html, */*;q=0.1", Json),
        ] {
            assert_eq!(of(accept), single(media), "{accept}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_not_accepted() {
        for accept in ["text/html", "application/json;q=0", "application/json; charset=latin1", "*/*;q=0", ""] {
            assert!(of(accept).is_nothing(), "{accept}");
        }
    }

    #[test]
    fn an_event_stream_is_chosen_when_preferred_and_possible_when_listed() {
        assert_eq!(of("text/event-stream"), Accepted { json: None, events: true });
        assert_eq!(of("application/json, text/event-stream"), Accepted { json: Some(JsonMedia::Json), events: true });
    }
}
