//! Gatehouse: a GraphQL identity and permissions gateway.

pub use gatehouse_access as access;

pub mod ablate;
pub mod clock;
pub mod config;
pub mod http;
pub mod id;
pub mod telemetry;
