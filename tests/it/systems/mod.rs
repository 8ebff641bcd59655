//! The catalogue: what each of the systems does, line by line. A test carries the ids of the lines it shows.

mod code_hosting;
mod support_hub;
