//! Conformance of the store: every suite runs on SQLite and on PostgreSQL.

mod commit;
mod constraints;
mod drift;
mod facts;
mod migrate;
mod pages;
mod remedies;
mod seed;
mod stamps;
mod writes;
