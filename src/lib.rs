//! Gatehouse: a GraphQL identity and permissions gateway.

pub use gatehouse_access as access;

pub mod ablate;
pub mod cache;
pub mod clock;
pub mod id;
pub mod store;
