//! Who is calling: tokens, keys, passwords, sessions, addresses, and what must be refused.

mod access_token;
mod email;
mod forged;
mod password;
mod secret;
mod session;
mod sign_in_limit;
mod text;

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse::identity::{AccessTokenOptions, AccessTokens, RootSecret, SessionIdentity, SigningKeys};
use uuid::Uuid;

const SECRET: &str = "4b1f0e2a9c7d8836b5e1f0a2c4d6987e";

fn tokens_of(secret: &str) -> AccessTokens {
    let keys = SigningKeys::derived(&RootSecret::from_text(secret).unwrap()).unwrap();
    AccessTokens::new(keys, AccessTokenOptions::new("https://gate.example")).unwrap()
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
