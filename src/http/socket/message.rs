//! The messages of the protocol, read strictly.

use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use super::close::Close;
use crate::http::{
    AuthRefusal, DocumentRequest, credential,
    graphql::{FieldError, document_request},
};

/// The longest operation id.
const LONGEST_ID: usize = 128;

/// What a client says.
#[derive(Debug)]
pub(super) enum Said {
    Init(Map<String, Value>),
    Ping,
    Pong,
    Subscribe(String, Box<DocumentRequest>),
    Complete(String),
}

/// Reads a text message.
///
/// # Errors
/// 4400, with what is wrong.
pub(super) fn read(text: &str) -> Result<Said, Close> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else {
        return Err(Close::bad_message("a message must be a JSON object"));
    };
    let Some(Value::String(kind)) = fields.remove("type") else {
        return Err(Close::bad_message("a message must have a type"));
    };
    match kind.as_str() {
        "connection_init" => Ok(Said::Init(payload(&mut fields)?)),
        "ping" => payload(&mut fields).map(|_| Said::Ping),
        "pong" => payload(&mut fields).map(|_| Said::Pong),
        "complete" => id(&mut fields).map(Said::Complete),
        "subscribe" => {
            let id = id(&mut fields)?;
            let Some(Value::Object(request)) = fields.remove("payload") else {
                return Err(Close::bad_message("subscribe must have an object as payload"));
            };
            let request =
                document_request(request).map_err(|error: FieldError| Close::bad_message(error.to_string()))?;
            Ok(Said::Subscribe(id, Box::new(request)))
        }
        _ => Err(Close::bad_message("unknown message type")),
    }
}

fn payload(fields: &mut Map<String, Value>) -> Result<Map<String, Value>, Close> {
    match fields.remove("payload") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(payload)) => Ok(payload),
        Some(_) => Err(Close::bad_message("a payload must be an object or null")),
    }
}

fn id(fields: &mut Map<String, Value>) -> Result<String, Close> {
    match fields.remove("id") {
        Some(Value::String(id)) if (1..=LONGEST_ID).contains(&id.len()) => Ok(id),
        _ => Err(Close::bad_message("id must be a string of 1 to 128 bytes")),
    }
}

/// The bearer token in the payload of `connection_init`: the key `authorization` in any case.
pub(super) fn bearer(payload: &Map<String, Value>) -> Result<Option<String>, AuthRefusal> {
    let mut found: Option<String> = None;
    for (_, value) in payload.iter().filter(|(key, _)| key.eq_ignore_ascii_case("authorization")) {
        let token = match value {
            Value::String(text) => credential::bearer_token(text)?,
            Value::Null => continue,
            _ => return Err(AuthRefusal::Invalid),
        };
        if found.as_ref().is_some_and(|other| *other != token) {
            return Err(AuthRefusal::Invalid);
        }
        found = Some(token);
    }
    Ok(found)
}

pub(super) const ACK: &str = r#"{"type":"connection_ack"}"#;
pub(super) const PONG: &str = r#"{"type":"pong"}"#;

/// A message of ours that belongs to an operation.
#[derive(Debug, Serialize)]
pub(super) struct Told<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<&'a RawValue>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_of_the_protocol_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"start","id":"1"}"#,
            r#"{"type":"ping","payload":"x"}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_may_stand_under_either_spelling_but_not_two_tokens() {
        let payload = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        assert_eq!(bearer(&payload(r#"{"Authorization":"Bearer a"}"#)), Ok(Some("a".into())));
        assert_eq!(
            bearer(&payload(r#"{"Authorization":"Bearer a","authorization":"bearer a"}"#)),
            Ok(Some("a".into()))
        );
        assert_eq!(
            bearer(&payload(r#"{"Authorization":"Bearer a","authorization":"Bearer b"}"#)),
            Err(AuthRefusal::Invalid)
        );
        assert_eq!(bearer(&payload(r#"{"authorization":["Bearer a"]}"#)), Err(AuthRefusal::Invalid));
        assert_eq!(bearer(&payload("{}")), Ok(None));
    }
}
