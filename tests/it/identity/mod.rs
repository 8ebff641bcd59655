//! Who is calling: tokens, keys, passwords, sessions, addresses, and what must be refused.

mod access_token;
mod email;
pub(crate) mod forge;
mod forged;
mod password;
mod secret;
mod session;
mod sign_in_limit;
mod text;

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse::identity::{
    AccessTokenOptions, AccessTokens, KeyPeriod, KeyRoot, RootSecret, SessionIdentity, SigningKeys,
};
use uuid::Uuid;

const SECRET: &str = "4b1f0e2a9c7d8836b5e1f0a2c4d6987e";

/// One generation that has always signed.
fn keys_of(secret: &RootSecret) -> SigningKeys {
    let period = KeyPeriod { id: Uuid::from_u128(1), signs_from: DateTime::UNIX_EPOCH, retires_at: None };
    SigningKeys::derived(&KeyRoot::of(secret), &[period]).unwrap()
}

fn tokens_of(secret: &str) -> AccessTokens {
    AccessTokens::new(keys_of(&RootSecret::from_text(secret).unwrap()), AccessTokenOptions::new("https://gate.example"))
        .unwrap()
}

fn alice() -> SessionIdentity {
    let id = Uuid::from_u128;
    SessionIdentity { session: id(1), user: id(2), organization: Some(id(3)), member: Some(id(4)) }
}

fn noon() -> DateTime<Utc> {
    "2026-01-02T12:00:00Z".parse().unwrap()
}

fn seconds(count: i64) -> TimeDelta {
    TimeDelta::seconds(count)
}
