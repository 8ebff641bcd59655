//! A workspace of app builders and app users (S0.1 to S0.44).

mod access;
mod billing;
mod invite;
mod settings;
mod space;
mod teams;
