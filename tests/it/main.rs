//! The integration tests: one binary, a room for each part of the gateway.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod abuse;
mod account;
mod api_token;
mod app_role;
mod architecture;
mod billing;
mod blueprint_move;
mod browser;
mod cache;
mod catalogue;
mod cli;
mod delegation;
mod demo;
mod doctor;
mod http;
mod identity;
mod invitation;
mod jobs;
mod machine;
mod needed;
mod operations;
mod organization;
mod outage;
mod permission_table;
mod plan;
mod profile;
mod provider;
mod races;
mod remedy;
mod role;
mod rounds;
mod schema;
mod seat;
mod second_factor;
mod session;
mod session_list;
mod seventh;
mod sign_up;
mod signing_key;
mod store;
mod support;
mod systems;
mod usage;
mod view_as;
mod viewer;
mod zero_stale;
