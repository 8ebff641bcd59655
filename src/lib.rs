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
pub mod clock;
pub mod config;
pub mod http;
pub mod id;
pub mod telemetry;
