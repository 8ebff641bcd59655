//! The catalogue: what the systems do, line by line, through the API.

mod code_hosting;
mod support_hub;
