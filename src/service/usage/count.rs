//! Counting uses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{limit_of, period};
use crate::{
    ablate,
    access::{
        Blueprint,
        blueprint::document::{Meter, MeterKind, OnLimit},
        verb::RecordUsage,
    },
    id::new_id,
    service::{
        Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
        activity::{NewEntry, target},
        input::{self, Mistakes},
    },
    store::{
        self,
        usage::{UsageRecord, UsageTotal},
    },
};

/// The most uses of one call.
pub const MOST_ENTRIES: usize = 100;

/// A use to be counted.
#[derive(Debug, Clone)]
pub struct UsageEntry {
    /// The meter, by its key in the blueprint.
    pub meter: String,
    /// How much, in the meter's unit: at least 1; of a gauge, what went is below nothing.
    pub amount: i64,
    /// What the product calls this use, so that it is counted once.
    pub key: String,
}

/// A meter that has gone above its limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageWarning {
    /// The meter.
    pub meter: String,
    /// What to know about it.
    pub message: String,
}

/// What counting came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Uses that were counted.
    pub counted: u32,
    /// Uses that had been counted before, and were not again.
    pub repeated: u32,
    /// Meters that are above their limit with them.
    pub warnings: Vec<UsageWarning>,
}

impl Service {
    /// Counts uses, all or none. Holders of `usage.record` may, a program's token as a rule. A use whose key has been counted is
    /// not counted again, for 400 days.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `METER_LIMIT` for a use that would go above a limit that refuses, `NOT_IN_BLUEPRINT` for a
    /// meter there is not, `INVALID` for an amount, `TAKEN` for a key of another amount.
    pub async fn record_usage(
        &self,
        access: &Access,
        entries: Vec<UsageEntry>,
        idempotency: Option<Idempotency>,
    ) -> Result<Counted, ServiceError> {
        let change = Change::in_organization("recordUsage", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { record(work, &entries).await })).await?.value)
    }
}

async fn record(work: &Work<'_>, entries: &[UsageEntry]) -> Result<Counted, ServiceError> {
    let permit = work.authorize::<RecordUsage>(None)?;
    let standing = work.standing()?;
    let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
    if entries.is_empty() || entries.len() > MOST_ENTRIES {
        let message = format!("give 1 to {MOST_ENTRIES} uses at once");
        return Err(UserError::new(UserErrorCode::Invalid, "entries", message).into());
    }
    let mut mistakes = Mistakes::default();
    let numbered = entries.iter().enumerate();
    let entries = numbered.filter_map(|(at, entry)| Some((at, check(rules, at, entry, &mut mistakes)?))).collect();
    let (new, repeated) = unseen(work, entries, &mut mistakes).await?;
    mistakes.settle()?;
    let mut sums = Sums::read(work).await?;
    let mut mistakes = Mistakes::default();
    for (at, entry) in &new {
        mistakes.keep(sums.add(*at, entry));
    }
    mistakes.settle()?;
    let outcome = Counted { counted: count(new.len()), repeated, warnings: sums.warnings() };
    if new.is_empty() {
        return Ok(outcome);
    }
    let records = new.iter().map(|(_, entry)| UsageRecord {
        id: new_id(),
        meter: entry.meter.to_owned(),
        key: entry.key.clone(),
        amount: entry.amount,
    });
    let records: Vec<UsageRecord> = records.collect();
    let detail = json!({ "counted": outcome.counted, "used": sums.added });
    store::usage::record(work.tx, permit, organization, (records, sums.moved()), work.now).await?;
    let entry = NewEntry::account("usage.recorded", target("organization", organization, &standing.place.name));
    work.record(organization, entry.detail(detail)).await?;
    Ok(outcome)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A use that makes sense by itself.
#[derive(Debug, Clone)]
struct Use<'a> {
    meter: &'a str,
    rules: &'a Meter,
    key: String,
    amount: i64,
}

fn check<'a>(rules: &'a Blueprint, at: usize, entry: &UsageEntry, mistakes: &mut Mistakes) -> Option<Use<'a>> {
    let key = mistakes.keep(input::name(&format!("entries.{at}.key"), &entry.key));
    let meters = &rules.document().meters;
    let Some((meter, rules)) = meters.get_key_value(&entry.meter) else {
        let known = meters.keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let field = format!("entries.{at}.meter");
        let refusal = UserError::new(UserErrorCode::NotInBlueprint, &field, "the blueprint has no meter of this name");
        mistakes.push(if known.is_empty() { refusal } else { refusal.remedy(format!("Name one of {known}.")) });
        return None;
    };
    let amount = match rules.kind {
        MeterKind::Monthly if entry.amount < 1 => Err("at least 1 is used"),
        MeterKind::Gauge if entry.amount == 0 => Err("nothing came or went"),
        MeterKind::Monthly | MeterKind::Gauge => Ok(entry.amount),
    };
    let field = format!("entries.{at}.amount");
    let amount = mistakes.keep(amount.map_err(|message| UserError::new(UserErrorCode::Invalid, &field, message)));
    Some(Use { meter, rules, key: key?, amount: amount? })
}

/// The uses that have not been counted, each once, and how many have been.
async fn unseen<'a>(
    work: &Work<'_>,
    entries: Vec<(usize, Use<'a>)>,
    mistakes: &mut Mistakes,
) -> Result<(Vec<(usize, Use<'a>)>, u32), ServiceError> {
    let organization = work.standing()?.place.id;
    let keys: Vec<(&str, &str)> = entries.iter().map(|(_, entry)| (entry.meter, entry.key.as_str())).collect();
    let counted = store::usage::counted(work.tx, organization, &keys).await?;
    let mut known: BTreeMap<(String, String), i64> =
        counted.into_iter().map(|record| ((record.meter, record.key), record.amount)).collect();
    if ablate::off("usage_once") {
        known.clear();
    }
    let (mut new, mut repeated) = (Vec::new(), 0);
    for (at, entry) in entries {
        match known.get(&(entry.meter.to_owned(), entry.key.clone())) {
            None => {
                known.insert((entry.meter.to_owned(), entry.key.clone()), entry.amount);
                new.push((at, entry));
            }
            Some(amount) if *amount == entry.amount => repeated += 1,
            Some(_) => {
                let field = format!("entries.{at}.key");
                let refusal = UserError::new(UserErrorCode::Taken, &field, "this key was used with another amount");
                mistakes.push(refusal.remedy("Give every use a key of its own."));
            }
        }
    }
    Ok((new, repeated))
}

/// The totals of the present period, and what is added to them.
struct Sums<'a> {
    work: &'a Work<'a>,
    rules: &'a Blueprint,
    plan: &'a str,
    totals: Vec<UsageTotal>,
    added: BTreeMap<String, i64>,
    over: Vec<UsageWarning>,
}

impl<'a> Sums<'a> {
    async fn read(work: &'a Work<'_>) -> Result<Self, ServiceError> {
        let standing = work.standing()?;
        let rules = &standing.blueprint.rules;
        let periods = [period(MeterKind::Monthly, work.now), period(MeterKind::Gauge, work.now)];
        let periods: Vec<&str> = periods.iter().map(String::as_str).collect();
        let totals = store::usage::totals(work.tx, standing.place.id, &periods).await?;
        let plan = standing.place.plan.as_str();
        Ok(Self { work, rules, plan, totals, added: BTreeMap::new(), over: Vec::new() })
    }

    /// Adds a use, unless it would go above a limit that refuses.
    fn add(&mut self, at: usize, entry: &Use<'_>) -> Result<(), UserError> {
        let period = period(entry.rules.kind, self.work.now);
        let this = |total: &UsageTotal| total.meter == entry.meter && total.period == period;
        let before = self.totals.iter().find(|total| this(total)).map_or(0, |total| total.amount);
        let field = format!("entries.{at}.amount");
        let invalid = |message: &str| UserError::new(UserErrorCode::Invalid, &field, message);
        let after = before.checked_add(entry.amount).ok_or_else(|| invalid("this is more than can be counted"))?;
        if after < 0 {
            return Err(invalid("more goes than is there").remedy(format!("At most {before} can go.")));
        }
        let limit = limit_of(self.rules, self.plan, entry.meter);
        // What was above the limit before may go down, not up.
        if let Some(limit) = limit.filter(|limit| entry.amount > 0 && after.unsigned_abs() > limit.limit) {
            match limit.on_limit {
                OnLimit::Refuse if !ablate::off("meter_limit") => {
                    return Err(refusal(self, &field, entry, limit.limit));
                }
                OnLimit::Refuse | OnLimit::Warn => self.warn(entry, limit.limit),
            }
        }
        match self.totals.iter_mut().find(|total| this(total)) {
            Some(total) => total.amount = after,
            None => {
                self.totals.push(UsageTotal { meter: entry.meter.to_owned(), period: period.clone(), amount: after });
            }
        }
        let added = self.added.entry(entry.meter.to_owned()).or_default();
        *added = added.saturating_add(entry.amount);
        Ok(())
    }

    fn warn(&mut self, entry: &Use<'_>, limit: u64) {
        if self.over.iter().any(|warning| warning.meter == entry.meter) {
            return;
        }
        let Meter { label, unit, .. } = entry.rules;
        let message = format!("{label} is above the {limit} {unit} of the plan");
        self.over.push(UsageWarning { meter: entry.meter.to_owned(), message });
    }

    fn warnings(&self) -> Vec<UsageWarning> {
        self.over.clone()
    }

    /// The totals that have moved.
    fn moved(self) -> Vec<UsageTotal> {
        self.totals.into_iter().filter(|total| self.added.contains_key(&total.meter)).collect()
    }
}

/// The refusal of a use above the limit: what is full, and the way out.
fn refusal(sums: &Sums<'_>, field: &str, entry: &Use<'_>, limit: u64) -> UserError {
    let plans = &sums.rules.document().plans;
    let plan = plans.get(sums.plan).map_or(sums.plan, |plan| plan.label.as_str());
    let Meter { label, unit, .. } = entry.rules;
    let message = format!("{label}: the plan {plan} includes {limit} {unit}, and this would go above");
    // Plans stand in the blueprint smallest first.
    let larger = plans.values().find_map(|plan| match plan.meters.get(entry.meter) {
        None => Some(format!("change the plan to {} (no limit)", plan.label)),
        Some(more) if more.limit > limit => Some(format!("change the plan to {} ({} {unit})", plan.label, more.limit)),
        Some(_) => None,
    });
    let wait = match entry.rules.kind {
        MeterKind::Monthly => "Wait for the next month",
        MeterKind::Gauge => "Make room first",
    };
    let remedy = larger.map_or_else(|| format!("{wait}."), |larger| format!("{wait}, or {larger}."));
    UserError::new(UserErrorCode::MeterLimit, field, message).remedy(remedy)
}
