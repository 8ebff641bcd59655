//! Why the gate lets a request not pass.

use async_graphql::{ErrorExtensionValues, Pos, ServerError, parser};
use axum::http::StatusCode;

/// The codes in `extensions.code` that this room gives; the schema's own codes pass through unchanged.
pub mod code {
    /// The document does not parse.
    pub const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
    /// The document breaks a rule of the language or of the schema.
    pub const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
    /// More text, tokens, fields, aliases, directives or definitions than a document may have.
    pub const TOO_LARGE: &str = "DOCUMENT_TOO_LARGE";
    /// Nested too deep.
    pub const TOO_DEEP: &str = "DOCUMENT_TOO_DEEP";
    /// Asks for too many rows.
    pub const TOO_COSTLY: &str = "DOCUMENT_TOO_COSTLY";
    /// `operationName` names nothing, or is needed.
    pub const OPERATION_NOT_FOUND: &str = "OPERATION_NOT_FOUND";
    /// A variable's value does not fit its type, or an argument is refused by its field.
    pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
    /// The HTTP request is no GraphQL request.
    pub const BAD_REQUEST: &str = "BAD_REQUEST";
    /// The body is larger than configured.
    pub const BODY_TOO_LARGE: &str = "BODY_TOO_LARGE";
    /// The body did not arrive in time.
    pub const REQUEST_TIMEOUT: &str = "REQUEST_TIMEOUT";
    /// The body is of no media type that is read.
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "UNSUPPORTED_MEDIA_TYPE";
    /// No media type that is written is accepted.
    pub const NOT_ACCEPTABLE: &str = "NOT_ACCEPTABLE";
    /// The method is not one for this.
    pub const METHOD_NOT_ALLOWED: &str = "METHOD_NOT_ALLOWED";
    /// Nothing is at this path.
    pub const NOT_FOUND: &str = "NOT_FOUND";
    /// Who are you?
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// Known, and refused.
    pub const FORBIDDEN: &str = "FORBIDDEN";
    /// The facts that a decision needs cannot be read now.
    pub const AUTHZ_UNAVAILABLE: &str = "AUTHZ_UNAVAILABLE";
    /// A mistake of ours.
    pub const INTERNAL: &str = "INTERNAL";
    /// More operations live on one socket than it may have.
    pub const TOO_MANY_OPERATIONS: &str = "TOO_MANY_OPERATIONS";
    /// There were more errors than are shown.
    pub const ERRORS_TRUNCATED: &str = "ERRORS_TRUNCATED";
}

/// A refusal: the HTTP status, a stable code and message, and where in the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct GateRefusal {
    /// What HTTP answers.
    pub status: StatusCode,
    /// One of [`code`].
    pub code: &'static str,
    /// For the person who wrote the request.
    pub message: String,
    /// Places in the document.
    pub locations: Vec<Pos>,
}

impl GateRefusal {
    pub(super) fn invalid(message: impl Into<String>, pos: Option<Pos>) -> Self {
        Self::bad(code::VALIDATION_FAILED, message, pos)
    }

    pub(super) fn bad(code: &'static str, message: impl Into<String>, pos: Option<Pos>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into(), locations: pos.into_iter().collect() }
    }

    pub(super) fn too_large(message: String) -> Self {
        Self::bad(code::TOO_LARGE, message, None)
    }

    pub(super) fn unauthenticated(field: &str, pos: Pos) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            code: code::UNAUTHENTICATED,
            message: format!("sign in to use `{field}`"),
            locations: vec![pos],
        }
    }

    /// The refusal as a GraphQL error.
    #[must_use]
    pub fn into_error(self) -> ServerError {
        let mut error = coded(self.code, self.message);
        error.locations = self.locations;
        error
    }
}

/// A GraphQL error with a code.
pub(crate) fn coded(code: &str, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    error.extensions = Some(extensions);
    error
}

/// A parser's error without the parser's words.
pub(super) fn syntax(error: &parser::Error, source: &str) -> GateRefusal {
    let message = match error {
        parser::Error::Syntax { start, .. } => match character(source, *start) {
            Some(found) => format!("syntax error: unexpected {}", quoted(found)),
            None => "syntax error: unexpected end of the document".to_owned(),
        },
        parser::Error::MultipleOperations { .. } => "an operation without a name must be the only one".to_owned(),
        parser::Error::OperationDuplicated { operation, .. } => format!("operation `{operation}` is defined twice"),
        parser::Error::FragmentDuplicated { fragment, .. } => format!("fragment `{fragment}` is defined twice"),
        parser::Error::MissingOperation => "the document holds no operation".to_owned(),
        parser::Error::RecursionLimitExceeded => {
            return GateRefusal::bad(code::TOO_DEEP, "the document is nested too deep", None);
        }
        _ => "syntax error".to_owned(),
    };
    GateRefusal {
        status: StatusCode::BAD_REQUEST,
        code: code::PARSE_FAILED,
        message,
        locations: error.positions().collect(),
    }
}

/// A text of the client's, bounded, for a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

fn character(source: &str, at: Pos) -> Option<char> {
    source.split('\n').nth(at.line.checked_sub(1)?)?.chars().nth(at.column.checked_sub(1)?)
}

fn quoted(found: char) -> String {
    if found.is_control() || found.is_whitespace() {
        "white space or control character".to_owned()
    } else {
        format!("`{found}`")
    }
}
