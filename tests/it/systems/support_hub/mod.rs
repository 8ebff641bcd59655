//! A support workspace: the member × app × feature matrix (S3.1 to S3.79).

mod activity;
mod apps;
mod capabilities;
mod workspace;
