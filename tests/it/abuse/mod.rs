//! What must fail, case by case.

mod cycles;
mod holders;
mod roles;
