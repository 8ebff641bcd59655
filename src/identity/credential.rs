//! What a request proves about its sender before anything is asked of the store.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    api_token::{self, ApiTokenError, ApiTokenText},
    session::RefreshToken,
    token::{AccessTokenError, AccessTokens},
};
use crate::identity::invitation::InvitationToken;

/// Who an access token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionIdentity {
    /// The session.
    pub session: Uuid,
    /// Whose session it is.
    pub user: Uuid,
    /// The one organization the token is bound to.
    pub organization: Option<Uuid>,
    /// The person's member in that organization; `None` also where the rights come from a parent organization.
    pub member: Option<Uuid>,
}

/// A credential whose form, checksum or signature is right. Whether it is still good is what the grants say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A person's session, by an access token.
    Session(SessionIdentity),
    /// An API token.
    ApiToken {
        /// The token's id.
        token: Uuid,
        /// The organization it belongs to.
        organization: Uuid,
        /// The SHA-256 of the secret that was presented, to be compared with the stored one.
        secret_hash: [u8; 32],
    },
}

/// Why a bearer credential is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Not a good access token.
    #[error(transparent)]
    AccessToken(#[from] AccessTokenError),
    /// Not a good API token.
    #[error(transparent)]
    ApiToken(#[from] ApiTokenError),
    /// A token of ours that is for something else.
    #[error("this is a token for something else: send an access token or an API token")]
    OtherPurpose,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Session(identity) => f.debug_tuple("Session").field(identity).finish(),
            Self::ApiToken { token, organization, .. } => f
                .debug_struct("ApiToken")
                .field("token", token)
                .field("organization", organization)
                .finish_non_exhaustive(),
        }
    }
}

impl Credential {
    /// The credential in what follows `Bearer ` in an `Authorization` header. No I/O.
    ///
    /// # Errors
    /// When it is neither an access token of ours whose time is now, nor the text of an API token.
    pub fn parse_bearer(text: &str, tokens: &AccessTokens, now: DateTime<Utc>) -> Result<Self, CredentialError> {
        if text.starts_with(api_token::PREFIX) {
            let text = ApiTokenText::parse(text)?;
            return Ok(Self::ApiToken {
                token: text.token(),
                organization: text.organization(),
                secret_hash: text.secret_hash(),
            });
        }
        if RefreshToken::parse(text).is_ok() || InvitationToken::parse(text).is_ok() {
            return Err(CredentialError::OtherPurpose);
        }
        Ok(Self::Session(tokens.verify(text, now)?.identity))
    }

    /// The person's account, where the credential is a person's.
    #[must_use]
    pub fn user(&self) -> Option<Uuid> {
        match self {
            Self::Session(identity) => Some(identity.user),
            Self::ApiToken { .. } => None,
        }
    }

    /// The organization the credential is bound to.
    #[must_use]
    pub fn organization(&self) -> Option<Uuid> {
        match self {
            Self::Session(identity) => identity.organization,
            Self::ApiToken { organization, .. } => Some(*organization),
        }
    }
}

/// The principal of a request: what it proved, and what it is therefore granted (`A`, filled in by the service from grants
/// that were proven fresh). There is no caller without both.
#[derive(Debug, Clone)]
pub struct Caller<A> {
    /// What was proven.
    pub credential: Credential,
    /// Who that is in the organization and what they hold there.
    pub access: A,
}

impl<A> Caller<A> {
    /// The person's account, where the caller is a person.
    #[must_use]
    pub fn user(&self) -> Option<Uuid> {
        self.credential.user()
    }

    /// The organization the caller acts in.
    #[must_use]
    pub fn organization(&self) -> Option<Uuid> {
        self.credential.organization()
    }
}
