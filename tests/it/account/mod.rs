//! Accounts: one-time codes, addresses, passwords, languages of letters, and what a stranger can do to them.

mod code;
mod deletion;
mod email_address;
mod password;
mod reader;
mod sign_in;
mod stale;
mod words;
