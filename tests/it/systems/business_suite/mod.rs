//! The business suite: users, archives and bounded delegation.

mod children;
mod edit;
mod ends;
mod invite;
mod lifecycle;
mod operations;
mod roles;
mod suite;
mod users;
