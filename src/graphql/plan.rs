//! Plans: what an organization has paid for, and what else there is (S0.11). Seats and limits of meters are two things (S0.44).

use async_graphql::SimpleObject;

use super::{
    scalar::Int64,
    usage::{MeterKind, OnLimit},
};
use crate::{
    access::blueprint::document,
    service::{blueprint::Installed, usage},
};

/// What a plan has of one seat pool.
#[derive(Debug, Clone, SimpleObject)]
pub struct PlanSeats {
    /// The seat pool's key.
    pub pool: String,
    /// The pool's label.
    pub label: String,
    /// How many seats; null: no limit.
    pub limit: Option<u32>,
}

/// What a plan includes of one meter.
#[derive(Debug, Clone, SimpleObject)]
pub struct PlanMeter {
    /// The meter's key.
    pub meter: String,
    /// What people call it.
    pub label: String,
    /// What it counts.
    pub help: String,
    /// The unit, as `credits` or `bytes`.
    pub unit: String,
    /// How it counts.
    pub kind: MeterKind,
    /// How much the plan includes, of a monthly meter in each month; null: no limit.
    pub limit: Option<Int64>,
    /// What happens above the limit; null: no limit.
    pub on_limit: Option<OnLimit>,
}

impl PlanMeter {
    fn new(key: &str, meter: &document::Meter, limit: Option<document::MeterLimit>) -> Self {
        Self {
            meter: key.to_owned(),
            label: meter.label.clone(),
            help: meter.help.clone(),
            unit: meter.unit.clone(),
            kind: meter.kind.into(),
            limit: limit.map(|limit| Int64(usage::most(limit))),
            on_limit: limit.map(|limit| limit.on_limit.into()),
        }
    }
}

/// A plan.
#[derive(Debug, Clone, SimpleObject)]
pub struct Plan {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// Its seats, by pool.
    pub seats: Vec<PlanSeats>,
    /// What it includes of each meter; a pool of seats is none of them.
    pub meters: Vec<PlanMeter>,
}

impl Plan {
    /// As the blueprint has it; `None` for a key it does not have.
    #[must_use]
    pub fn of(installed: &Installed, key: &str) -> Option<Self> {
        let document = installed.rules.document();
        let plan = document.plans.get(key)?;
        let seats = document.seat_pools.iter().map(|(pool, text)| PlanSeats {
            pool: pool.clone(),
            label: text.label.clone(),
            limit: plan.seats.get(pool).copied(),
        });
        let meters = document.meters.iter();
        let meters = meters.map(|(key, meter)| PlanMeter::new(key, meter, plan.meters.get(key).copied()));
        Some(Self { key: key.to_owned(), label: plan.label.clone(), seats: seats.collect(), meters: meters.collect() })
    }
}
