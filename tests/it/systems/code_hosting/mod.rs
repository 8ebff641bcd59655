//! An organization of nested teams and repositories (S5.1 to S5.9).

mod import;
mod operations;
mod teams;
mod workspace;
