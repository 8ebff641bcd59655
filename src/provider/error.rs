//! Why nobody comes in by a provider.

use super::id_token::IdTokenError;

/// Why nobody comes in by a provider. The causes are for logs: a person is told the kind.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer, or not as it must.
    #[error("the provider cannot be used: {0}")]
    Unavailable(String),
    /// It said no: the person changed its mind, or may not.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// The browser did not leave from here, or too long ago, or came back already.
    #[error("there is no sign-in under way")]
    NotUnderWay,
    /// Its token is not one that counts.
    #[error(transparent)]
    Token(#[from] IdTokenError),
}
