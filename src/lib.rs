//! Gatehouse: a GraphQL identity and permissions gateway.
//!
//! A request walks through the rooms in one order: `http` reads it and admits its document, `graphql` turns it into calls of
//! `service`, which decides by `access` on facts from `cache` or `store`, and writes through `store` alone. `cli` puts the
//! rooms together.
// The parts of the schema are nested into one another, each one deeper than the one before.
#![recursion_limit = "256"]

pub use gatehouse_access as access;

pub mod ablate;
pub mod cache;
pub mod cli;
pub mod clock;
pub mod config;
pub mod graphql;
pub mod http;
pub mod id;
pub mod identity;
pub mod jobs;
pub mod mail;
pub mod provider;
pub mod service;
pub mod store;
pub mod telemetry;
