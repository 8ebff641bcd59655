//! Sessions and grants kept close: entries versioned by stamps, refused when older than a stamp's floor.

pub mod stamp;
