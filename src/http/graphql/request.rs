//! Reads a GraphQL request from HTTP, strictly: types of JSON, media type, size and time.

use axum::{
    body::Body,
    http::{HeaderMap, header, request::Parts},
};
use futures_util::StreamExt;
use serde_json::{Map, Value};

use super::Refusal;
use crate::{ablate, config::HttpConfig, http::DocumentRequest};

/// Reads the body of a POST.
///
/// # Errors
/// 415 for any media type but JSON in UTF-8 (a form or plain text is how another site's page would write for its visitor),
/// 413 and 408 for a body too large or too slow, 400 for what is no GraphQL request.
pub(super) async fn from_body(parts: &Parts, body: Body, config: &HttpConfig) -> Result<DocumentRequest, Refusal> {
    if !ablate::off("media_type") {
        check_media(&parts.headers)?;
    }
    let read = read_all(parts, body, config.body_limit);
    let bytes = tokio::time::timeout(config.budgets.body, read).await.map_err(|_| Refusal::timeout())??;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        Refusal::bad_request(format!("the body is not JSON, at line {}, column {}", error.line(), error.column()))
    })?;
    match value {
        Value::Object(fields) => Ok(document_request(fields)?),
        Value::Array(_) => Err(Refusal::bad_request("batches are not supported: send one request at a time")),
        _ => Err(Refusal::bad_request("the body must be a JSON object")),
    }
}

/// Reads the query of a GET.
///
/// # Errors
/// 400 for what is no GraphQL request.
pub(super) fn from_query(query: Option<&str>) -> Result<DocumentRequest, Refusal> {
    let mut fields = Map::new();
    for (name, text) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let value = match &*name {
            "operationName" | "variables" | "extensions" if text.is_empty() => continue,
            "query" | "operationName" => Value::String(text.into_owned()),
            "variables" | "extensions" => serde_json::from_str(&text)
                .map_err(|_| Refusal::bad_request(format!("the parameter `{name}` is not JSON")))?,
            _ => continue,
        };
        if fields.insert(name.to_string(), value).is_some() {
            return Err(Refusal::bad_request(format!("the parameter `{name}` is given twice")));
        }
    }
    Ok(document_request(fields)?)
}

/// A field of a request that is missing or of a wrong type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` must be {1}")]
pub(in crate::http) struct FieldError(&'static str, &'static str);

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Self {
        Self::bad_request(error.to_string())
    }
}

/// Takes the fields of a request out of a JSON object; fields of other names are left alone.
pub(in crate::http) fn document_request(mut fields: Map<String, Value>) -> Result<DocumentRequest, FieldError> {
    let Some(Value::String(query)) = fields.remove("query") else {
        return Err(FieldError("query", "a string that holds a document"));
    };
    let operation_name = match fields.remove("operationName") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name),
        Some(_) => return Err(FieldError("operationName", "a string or null")),
    };
    let mut object = |name| match fields.remove(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(FieldError(name, "an object or null")),
    };
    Ok(DocumentRequest { query, operation_name, variables: object("variables")?, extensions: object("extensions")? })
}

fn check_media(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let given = types.next().and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<mime::Mime>().ok());
    let json = given.is_some_and(|media| {
        media.essence_str() == "application/json"
            && media.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8)
    });
    let plain = headers.get(header::CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
    if json && plain && types.next().is_none() { Ok(()) } else { Err(Refusal::unsupported_media_type()) }
}

async fn read_all(parts: &Parts, body: Body, limit: usize) -> Result<Vec<u8>, Refusal> {
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Refusal::body_too_large(limit));
    }
    let mut bytes = Vec::with_capacity(announced.unwrap_or(0));
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::bad_request("the body broke off"))?;
        if bytes.len() + chunk.len() > limit {
            return Err(Refusal::body_too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
