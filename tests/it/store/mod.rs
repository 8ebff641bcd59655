//! Conformance of the store: every suite runs on SQLite and on PostgreSQL.

mod bulk;
mod commit;
mod constraints;
mod drift;
mod facts;
mod grants;
mod lists;
mod members;
mod migrate;
mod pages;
mod permit;
mod remedies;
mod secrets;
mod seed;
mod stamps;
mod writes;
