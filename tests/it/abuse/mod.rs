//! What must fail, case by case.

mod holders;
mod roles;
