//! What the tests stand on: real servers, and databases of their own.
//!
//! `tests/run` starts one PostgreSQL and one Redis for the whole run and names them by environment variables; a test that is
//! run alone starts its own, which ends with it.

pub(crate) mod database;
pub(crate) mod events;
pub(crate) mod gateway;
pub(crate) mod metered;
pub(crate) mod oidc;
pub(crate) mod people;
pub(crate) mod postgres;
pub(crate) mod proxy;
pub(crate) mod redis;
pub(crate) mod server;
pub(crate) mod smtp;
