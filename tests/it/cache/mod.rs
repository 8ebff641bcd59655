//! The cache of grants: every race that could bring a revoked right back, against a real Redis and in process.

mod codec;
mod database;
mod fills;
mod flight;
mod reads;
mod redis_kinds;
mod redis_server;
mod revocation;
mod schedule;
mod told;
