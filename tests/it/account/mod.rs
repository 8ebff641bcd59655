//! Accounts: one-time codes, addresses, passwords, and what a stranger can do to them.

mod code;
mod deletion;
mod email_address;
mod password;
mod sign_in;
mod stale;
mod words;
