//! What must fail, case by case.

mod cycles;
