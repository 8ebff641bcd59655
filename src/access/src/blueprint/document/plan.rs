//! Plans: what an organization has paid for.

use indexmap::IndexMap;
use serde::Deserialize;

/// A plan.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What people call it.
    pub label: String,
    /// Seats by pool; a pool that is left out is not limited.
    #[serde(default)]
    pub seats: IndexMap<String, u32>,
    /// What may be used, by meter; a meter that is left out is not limited.
    #[serde(default)]
    pub meters: IndexMap<String, MeterLimit>,
}

/// Something that is counted while it is used.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meter {
    /// What people call it.
    pub label: String,
    /// What it counts.
    #[serde(default)]
    pub help: String,
    /// The unit, as `credits` or `bytes`.
    pub unit: String,
    /// How it counts.
    #[serde(default)]
    pub kind: MeterKind,
}

/// How a meter counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeterKind {
    /// Up from nothing in each calendar month (UTC).
    #[default]
    Monthly,
    /// Up and down, for good.
    Gauge,
}

/// What a plan allows of a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeterLimit {
    /// How much, in the meter's unit.
    pub limit: u64,
    /// What happens above it.
    #[serde(default)]
    pub on_limit: OnLimit,
}

/// What happens above a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLimit {
    /// Use that would go above it is refused.
    #[default]
    Refuse,
    /// It is counted, with a warning.
    Warn,
}
