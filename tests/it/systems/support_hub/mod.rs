//! A support workspace: the member × app × feature matrix (S3.1 to S3.79).

mod activity;
mod apps;
mod capabilities;
mod hub;
mod invite;
mod join;
mod leave;
mod operations;
mod people;
mod races;
mod seat;
mod workspace;
