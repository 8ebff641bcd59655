//! A cloud console: domain, workspaces, projects and access apps (S4.1 to S4.26, S4.R1 to S4.R10).

mod apps;
mod console;
mod create_app;
mod domain;
mod invite;
mod notices;
mod operations;
mod projects;
mod revoke;
mod roles;
mod settings;
mod workspaces;
