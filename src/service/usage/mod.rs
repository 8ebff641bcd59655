//! Usage: what an organization uses of what its plan includes (`S0.12`, `S0.13`).
//!
//! A product counts by [`Service::record_usage`], each use under a key of its own, so that a use that is reported twice is
//! counted once. Counting, the limit and the total are one transaction under the organization's lock: the total is exact however
//! many report at once. A meter counts by calendar month (UTC), or up and down for good.

mod count;

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};

pub use self::count::{Counted, MOST_ENTRIES, UsageEntry, UsageWarning};
use super::{Access, Service, ServiceError, Standing};
use crate::{
    access::{
        Blueprint, Denial,
        blueprint::document::{MeterKind, MeterLimit},
    },
    store,
};

/// The permission that opens usage.
pub const READ: &str = "usage.read";
/// Percent of a limit from which a meter is near it.
const NEAR: i128 = 80;
/// How long a use's key is remembered, so that it is counted once. Totals stay.
pub const REMEMBERED: TimeDelta = TimeDelta::days(400);
/// The period of a meter that has none.
const ALWAYS: &str = "always";

/// How far a meter has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeterState {
    /// Below four fifths of the limit, or without one.
    Ok,
    /// At four fifths of the limit or more.
    Near,
    /// Above the limit.
    Over,
}

/// What is used of one meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterUsage {
    /// The meter, by its key in the blueprint.
    pub meter: String,
    /// How much is used in the present period.
    pub used: i64,
    /// What the plan includes; `None` is no limit.
    pub limit: Option<MeterLimit>,
    /// The present period: its first moment, and the first one after it; `None` for a meter that has none.
    pub period: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl MeterUsage {
    /// The limit, in the meter's unit.
    #[must_use]
    pub fn most(&self) -> Option<i64> {
        self.limit.map(most)
    }

    /// What can still be used; `None` is no limit.
    #[must_use]
    pub fn remaining(&self) -> Option<i64> {
        self.most().map(|most| most.saturating_sub(self.used).max(0))
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> MeterState {
        match self.most() {
            Some(most) if self.used > most => MeterState::Over,
            Some(most) if i128::from(self.used) * 100 >= i128::from(most) * NEAR => MeterState::Near,
            Some(_) | None => MeterState::Ok,
        }
    }
}

/// The name of a meter's present period.
fn period(kind: MeterKind, now: DateTime<Utc>) -> String {
    match kind {
        MeterKind::Monthly => now.format("%Y-%m").to_string(),
        MeterKind::Gauge => ALWAYS.to_owned(),
    }
}

/// The first moment of the present month, and of the next.
fn month(now: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let first = NaiveDate::from_ymd_opt(now.year(), now.month(), 1)?;
    let next = first.checked_add_months(Months::new(1))?;
    let midnight = |day: NaiveDate| Some(day.and_hms_opt(0, 0, 0)?.and_utc());
    Some((midnight(first)?, midnight(next)?))
}

/// A limit in its meter's unit; no more than can be counted.
#[must_use]
pub fn most(limit: MeterLimit) -> i64 {
    i64::try_from(limit.limit).unwrap_or(i64::MAX)
}

/// What a plan includes of a meter.
fn limit_of(blueprint: &Blueprint, plan: &str, meter: &str) -> Option<MeterLimit> {
    blueprint.document().plans.get(plan)?.meters.get(meter).copied()
}

impl Service {
    /// What the principal's organization uses, meter by meter in the blueprint's order; for holders of `usage.read`. One
    /// statement.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission.
    pub async fn usage(&self, standing: &Standing) -> Result<Vec<MeterUsage>, ServiceError> {
        require(standing, READ)?;
        let (now, rules) = (self.now(), &standing.blueprint.rules);
        let present = period(MeterKind::Monthly, now);
        let totals = store::usage::totals(&self.store().read(), standing.place.id, &[present.as_str(), ALWAYS]).await?;
        let usage = rules.document().meters.iter().map(|(key, meter)| {
            let period = period(meter.kind, now);
            let total = totals.iter().find(|total| total.meter == *key && total.period == period);
            MeterUsage {
                meter: key.clone(),
                used: total.map_or(0, |total| total.amount),
                limit: limit_of(rules, &standing.place.plan, key),
                period: if meter.kind == MeterKind::Monthly { month(now) } else { None },
            }
        });
        Ok(usage.collect())
    }

    /// The same of the caller's organization.
    ///
    /// # Errors
    /// As [`Service::usage`]; [`ServiceError::NotFound`] for a caller without a place.
    pub async fn own_usage(&self, access: &Access) -> Result<Vec<MeterUsage>, ServiceError> {
        self.usage(access.standing()?).await
    }
}

/// Whether a principal holds a permission at this moment.
pub(super) fn require(standing: &Standing, permission: &str) -> Result<(), ServiceError> {
    if let Some(denial) = standing.rights.inactive() {
        return Err(denial.into());
    }
    if standing.rights.holds(permission) {
        Ok(())
    } else {
        Err(Denial::MissingPermission { permission: permission.to_owned() }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::blueprint::document::OnLimit;

    fn used(used: i64, limit: Option<u64>) -> MeterUsage {
        let limit = limit.map(|limit| MeterLimit { limit, on_limit: OnLimit::Refuse });
        MeterUsage { meter: "x".to_owned(), used, limit, period: None }
    }

    #[test]
    fn a_meter_is_near_from_four_fifths_and_over_above() {
        let states = [(0, MeterState::Ok), (79, MeterState::Ok), (80, MeterState::Near), (100, MeterState::Near)];
        for (amount, state) in states.into_iter().chain([(101, MeterState::Over)]) {
            assert_eq!(used(amount, Some(100)).state(), state, "{amount}");
        }
        assert_eq!(used(i64::MAX, None).state(), MeterState::Ok);
        assert_eq!(used(i64::MAX, Some(u64::MAX)).state(), MeterState::Near);
        assert_eq!((used(7, Some(5)).remaining(), used(3, Some(5)).remaining()), (Some(0), Some(2)));
    }

    #[test]
    fn a_month_ends_where_the_next_begins() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (start, end) = month(at("2026-12-31T23:59:59.999Z")).unwrap();
        assert_eq!((start, end), (at("2026-12-01T00:00:00Z"), at("2027-01-01T00:00:00Z")));
        assert_eq!(period(MeterKind::Monthly, start), "2026-12");
        assert_eq!(period(MeterKind::Monthly, end), "2027-01");
    }
}
