//! Who is calling: from the bytes a client sends to a proven [`Credential`], and everything needed to hand credentials out.
//!
//! Nothing here asks a database or a network. Checks that need stored rows get them as arguments; randomness and the present
//! time are arguments too. Password hashing is the one slow thing, and it runs off the async threads with bounded concurrency.
//!
//! What may not enter: what somebody *may do* (that is `access`), the store, HTTP. A token says who, never what.
//!
//! ```
//! use gatehouse::identity::{AccessTokens, AccessTokenOptions, Credential, KeyPeriod, KeyRoot, RootSecret, SessionIdentity, SigningKeys};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = RootSecret::from_text("4b1f0e2a9c7d8836b5e1f0a2c4d6987e")?;
//! let now = chrono::DateTime::UNIX_EPOCH;
//! let period = KeyPeriod { id: uuid::Uuid::from_u128(9), signs_from: now, retires_at: None };
//! let keys = SigningKeys::derived(&KeyRoot::of(&secret), &[period])?;
//! let tokens = AccessTokens::new(keys, AccessTokenOptions::new("https://gate.example"))?;
//! let alice = SessionIdentity { session: uuid::Uuid::from_u128(1), user: uuid::Uuid::from_u128(2), organization: None, member: None };
//! let minted = tokens.mint(&alice, uuid::Uuid::from_u128(3), now)?;
//! assert_eq!(Credential::parse_bearer(&minted.text, &tokens, now)?, Credential::Session(alice));
//! # Ok(()) }
//! ```

pub mod api_token;
pub mod credential;
pub mod email;
pub mod invitation;
pub mod key;
pub mod limit;
pub mod one_time_code;
pub mod opaque;
pub mod password;
pub mod second_factor;
pub mod secret;
pub mod session;
pub mod token;

pub use self::{
    api_token::{ApiTokenError, ApiTokenText},
    credential::{Caller, Credential, CredentialError, SessionIdentity},
    email::{Email, EmailError},
    invitation::{InvitationToken, LinkError, PublicUrl},
    key::{KeyError, KeyPeriod, KeyRoot, SigningKeys},
    limit::{Attempt, AttemptSource, Blocked, SignInLimiter, SignInLimits},
    opaque::{OpaqueToken, OpaqueTokenError, TokenHash},
    password::{Password, PasswordError, PasswordOptions, PasswordPolicyError, Passwords},
    second_factor::{Code, FactorError, FactorRoot, FactorSecret},
    secret::{RootSecret, SecretError},
    session::{RefreshFacts, RefreshOutcome, RefreshToken, SessionLifetimes, SessionState},
    token::{AccessToken, AccessTokenError, AccessTokenOptions, AccessTokens, MintedToken},
};
