//! Plans: which one an organization is on, and which there are. Part of billing, which is for those it is handed to
//! (`S0.10`, `S0.11`, `S2.34`): a principal without `billing.read` learns neither.
//!
//! What a plan allows is the blueprint's: its seats, and of each meter how much and what happens beyond. Whoever invites learns of
//! the plan what decides about the next invitation, the seats of its pools (`super::seat`), and no more.

use super::{ServiceError, Standing, invoice, usage};

/// The principal's plan, by its key in the blueprint; for holders of `billing.read`.
///
/// # Errors
/// [`ServiceError::Forbidden`] without the permission.
pub fn present(standing: &Standing) -> Result<&str, ServiceError> {
    require(standing)?;
    Ok(&standing.place.plan)
}

/// The plans that the principal's organization can be on, by their keys, smallest first; for holders of `billing.read`.
///
/// # Errors
/// [`ServiceError::Forbidden`] without the permission.
pub fn all(standing: &Standing) -> Result<impl Iterator<Item = &str>, ServiceError> {
    require(standing)?;
    Ok(standing.blueprint.rules.document().plans.keys().map(String::as_str))
}

fn require(standing: &Standing) -> Result<(), ServiceError> {
    if crate::ablate::off("plan_read") { Ok(()) } else { usage::require(standing, invoice::READ) }
}
