//! Seats: what a plan limits, and whether there is room.

use serde::{Deserialize, Serialize};

use crate::Blueprint;

/// How full one seat pool of an organization is. Who holds a seat is `Q21` and `Q28`: active members, and pending ones whose
/// invitation is live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatUsage {
    /// The pool's key.
    pub pool: String,
    /// The plan's limit; `None` is no limit.
    pub limit: Option<u32>,
    /// Seats of active members.
    pub used: u32,
    /// Seats of pending members with a live invitation.
    pub reserved: u32,
}

impl SeatUsage {
    /// Seats that can still be taken; `None` is no limit.
    #[must_use]
    pub fn free(&self) -> Option<u32> {
        self.limit.map(|limit| limit.saturating_sub(self.used.saturating_add(self.reserved)))
    }

    /// Whether there is no room for one more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.free() == Some(0)
    }
}

/// The limit a plan sets on a pool. A plan the blueprint does not have limits everything to nothing: it fails closed.
#[must_use]
pub fn limit(blueprint: &Blueprint, plan: &str, pool: &str) -> Option<u32> {
    match blueprint.document().plans.get(plan) {
        Some(plan) => plan.seats.get(pool).copied(),
        None => Some(0),
    }
}

/// The pools that holders of these roles take a seat of, each once.
#[must_use]
pub fn pools<'a>(blueprint: &'a Blueprint, roles: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut pools: Vec<&str> = roles
        .into_iter()
        .filter_map(|role| blueprint.document().roles.get(role))
        .flat_map(|role| role.seats.iter().map(String::as_str))
        .collect();
    pools.sort_unstable();
    pools.dedup();
    pools
}
