//! The catalogue: what the systems do, line by line, through the API.
//! The catalogue: what the systems do, line by line, through the API. A test carries the ids of the lines it shows.

mod business_suite;
mod cloud_console;
mod code_hosting;
mod event_apps;
mod support_hub;
mod workspace;
