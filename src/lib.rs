//! Gatehouse: a GraphQL identity and permissions gateway.
#![cfg_attr(
    test,
    expect(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test fails by panicking"
    )
)]

pub use gatehouse_access as access;

pub mod ablate;
pub mod cache;
pub mod clock;
pub mod id;
pub mod identity;
pub mod mail;
