//! The HTTP room against a toy gateway, over real connections.

mod answer;
mod event_stream;
mod gate;
mod request;
mod route;
mod server;
mod socket;
mod toy;
