//! What must fail, case by case.

mod cycles;
mod emptiness;
mod holders;
mod limits;
mod roles;
mod stale;
mod token_makers;
mod tokens;
