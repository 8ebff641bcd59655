//! A workspace of app builders and app users (S0.1 to S0.44).

mod access;
mod billing;
mod dependence;
mod invite;
mod operations;
mod settings;
mod space;
mod teams;
