//! Seats: who takes one, how many are left, and the refusal when there is none.
//!
//! The limit is an invariant about state, held in the transaction that writes, under the organization's lock: [`require`]
//! before a write that needs a seat, [`ensure_not_over`] after any write that may have taken one. What counts is `Q21` and
//! `Q28`: active members, the creator among them, and pending ones with a live invitation. An organization that is over its
//! limit, because its plan became smaller, keeps everyone and takes nobody more until the count fits.

use chrono::{DateTime, Utc};

use super::{ServiceError, Standing, UserError, UserErrorCode, Work, invoice, usage as meters};
pub use crate::access::seat::SeatUsage;
use crate::{
    access::{Authority, Blueprint, Denial, authorize, seat, verb::ChangePlan},
    store::{self, Reader},
};
use uuid::Uuid;

/// Whose seats are counted, and by which rules.
#[derive(Debug, Clone, Copy)]
pub struct Within<'a> {
    /// The organization.
    pub organization: Uuid,
    /// Its rules.
    pub blueprint: &'a Blueprint,
    /// Its plan, by key.
    pub plan: &'a str,
}

impl<'a> Within<'a> {
    /// The organization of this principal.
    #[must_use]
    pub fn of(standing: &'a Standing) -> Self {
        Self { organization: standing.place.id, blueprint: &standing.blueprint.rules, plan: &standing.place.plan }
    }
}

/// A plan with more seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// The plan's key.
    pub plan: String,
    /// What people call it.
    pub label: String,
    /// Its seats of the pool; `None` is no limit.
    pub limit: Option<u32>,
}

/// How full each seat pool is, in the blueprint's order. One statement a pool.
///
/// # Errors
/// When the database cannot say.
pub(crate) async fn usage(
    reader: &impl Reader,
    within: Within<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<SeatUsage>, ServiceError> {
    let document = within.blueprint.document();
    let mut usages = Vec::with_capacity(document.seat_pools.len());
    for pool in document.seat_pools.keys() {
        let takes = document.roles.iter().filter(|(_, role)| role.seats.contains(pool));
        let roles: Vec<String> = takes.map(|(key, _)| key.clone()).collect();
        let count = store::seat::count(reader, within.organization, &roles, now).await?;
        let limit = seat::limit(within.blueprint, within.plan, pool);
        usages.push(SeatUsage { pool: pool.clone(), limit, used: count.active, reserved: count.pending });
    }
    Ok(usages)
}

/// Refuses when one more holder of these roles would find no free seat (`S3.55`); before the write that adds it.
///
/// # Errors
/// [`ServiceError::Refused`] with `SEAT_LIMIT` and what to do, for each pool that is full.
pub async fn require<'r>(
    work: &Work<'_>,
    within: Within<'_>,
    roles: impl IntoIterator<Item = &'r str>,
) -> Result<(), ServiceError> {
    let roles: Vec<&str> = roles.into_iter().collect();
    refuse(full(within, work.authority(), &usage(work.tx, within, work.now).await?, &roles))
}

/// The refusals of one more holder of these roles, one for each pool that is full, in words for whoever asks.
pub(super) fn full(within: Within<'_>, asking: Authority<'_>, usages: &[SeatUsage], roles: &[&str]) -> Vec<UserError> {
    let pools = seat::pools(within.blueprint, roles.iter().copied());
    let needed = usages.iter().filter(|usage| pools.contains(&usage.pool.as_str()));
    needed.filter(|usage| usage.is_full()).map(|usage| refusal_to(asking, within, usage)).collect()
}

/// How many seats are taken before a write; for [`ensure_not_over`] after it.
///
/// # Errors
/// When the database cannot say.
pub async fn taken(work: &Work<'_>, within: Within<'_>) -> Result<Vec<SeatUsage>, ServiceError> {
    usage(work.tx, within, work.now).await
}

/// Refuses, after a write, when it has taken a seat beyond the limit. What was over before may stay, not grow (`Q21`).
///
/// # Errors
/// [`ServiceError::Refused`] with `SEAT_LIMIT` and what to do.
pub async fn ensure_not_over(work: &Work<'_>, within: Within<'_>, before: &[SeatUsage]) -> Result<(), ServiceError> {
    let now = usage(work.tx, within, work.now).await?;
    let over = now.iter().filter(|usage| {
        let earlier = before.iter().find(|earlier| earlier.pool == usage.pool).map_or(0, count);
        usage.limit.is_some_and(|limit| count(usage) > limit && count(usage) > earlier)
    });
    // What the write itself has reserved is not there to be taken back.
    let told = over.map(|usage| {
        let earlier = before.iter().find(|earlier| earlier.pool == usage.pool);
        SeatUsage { reserved: earlier.map_or(0, |earlier| earlier.reserved), ..usage.clone() }
    });
    refuse(told.map(|usage| refusal_to(work.authority(), within, &usage)).collect())
}

/// Refuses, after a pending member became active, when more are active now than the plan has seats: it became smaller since the
/// invitation was sent, and who had the last seat keeps it.
///
/// # Errors
/// [`ServiceError::Refused`] with `SEAT_LIMIT`, in words for somebody who is not in the organization.
pub async fn ensure_active_fit(work: &Work<'_>, within: Within<'_>, before: &[SeatUsage]) -> Result<(), ServiceError> {
    let now = usage(work.tx, within, work.now).await?;
    let over = now.iter().any(|usage| {
        let earlier = before.iter().find(|earlier| earlier.pool == usage.pool).map_or(0, |earlier| earlier.used);
        usage.limit.is_some_and(|limit| usage.used > limit && usage.used > earlier)
    });
    if !over || crate::ablate::off("seat_at_acceptance") {
        return Ok(());
    }
    let full = UserError::new(UserErrorCode::SeatLimit, "", "the organization has no free seat any more");
    Err(full.remedy("Ask whoever invited you to make room, then accept again.").into())
}

fn count(usage: &SeatUsage) -> u32 {
    usage.used.saturating_add(usage.reserved)
}

fn refuse(refusals: Vec<UserError>) -> Result<(), ServiceError> {
    if refusals.is_empty() || crate::ablate::off("seat_limit") { Ok(()) } else { Err(ServiceError::Refused(refusals)) }
}

/// The refusal of a full pool: what is full, and the ways out (`S3.59`), for who may change the plan.
#[must_use]
pub fn refusal(within: Within<'_>, usage: &SeatUsage) -> UserError {
    refused(within, usage, "change the plan")
}

/// The same, in words for whoever asks: who may not change the plan has it changed.
fn refusal_to(asking: Authority<'_>, within: Within<'_>, usage: &SeatUsage) -> UserError {
    let changes = authorize::<ChangePlan>(asking, None).is_ok();
    refused(within, usage, if changes { "change the plan" } else { "have the plan changed" })
}

fn refused(within: Within<'_>, usage: &SeatUsage, change: &str) -> UserError {
    let document = within.blueprint.document();
    let pool = document.seat_pools.get(&usage.pool).map_or(usage.pool.as_str(), |pool| pool.label.as_str());
    let plan = document.plans.get(within.plan).map_or(within.plan, |plan| plan.label.as_str());
    let limit = usage.limit.unwrap_or(u32::MAX);
    let message = format!("no free seat: the plan {plan} has {limit} ({pool}), all taken");
    let mut ways = vec!["remove a member".to_owned()];
    ways.extend((usage.reserved > 0).then(|| "take back a pending invitation".to_owned()));
    ways.extend(upgrade(within, &usage.pool).map(|Upgrade { label, limit, .. }| {
        let seats = limit.map_or_else(|| "no limit".to_owned(), |limit| format!("{limit} seats"));
        format!("{change} to {label} ({seats})")
    }));
    UserError::new(UserErrorCode::SeatLimit, "", message).remedy(either(&ways))
}

/// A sentence that tells ways out, of which one is enough.
fn either(ways: &[String]) -> String {
    let mut sentence = match ways {
        [before @ .., last] if !before.is_empty() => format!("{}, or {last}.", before.join(", ")),
        ways => format!("{}.", ways.concat()),
    };
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}

/// The next plan that has more seats of a pool (`S3.58`); plans stand in the blueprint smallest first.
#[must_use]
pub fn upgrade(within: Within<'_>, pool: &str) -> Option<Upgrade> {
    let present = seat::limit(within.blueprint, within.plan, pool)?;
    let plans = within.blueprint.document().plans.iter();
    let mut more = plans.filter(|(_, plan)| plan.seats.get(pool).is_none_or(|limit| *limit > present));
    more.next().map(|(key, plan)| Upgrade {
        plan: key.clone(),
        label: plan.label.clone(),
        limit: plan.seats.get(pool).copied(),
    })
}

/// The permission to invite: whoever does has to see whether there is room (`S3.57`).
const INVITE: &str = "members.invite";

/// The permissions that show the seats: of whoever may see the plan (`S0.10`), the usage, of which seats are one meter (`S0.13`), or
/// invites.
const SHOWING: [&str; 3] = [invoice::READ, meters::READ, INVITE];

/// The permissions that bring somebody back.
const RETURNING: [&str; 2] = ["members.update", INVITE];

/// Refuses a principal that holds none of these permissions in the organization, with all of them.
fn require_one(standing: &Standing, permissions: &[&str]) -> Result<(), ServiceError> {
    if permissions.iter().any(|permission| standing.rights.holds(permission)) {
        return Ok(());
    }
    let permissions = permissions.iter().map(|permission| (*permission).to_owned()).collect();
    Err(Denial::MissingPermissions { permissions }.into())
}

impl super::Service {
    /// How full a principal's organization is; for holders of `billing.read`, of `usage.read`, and of `members.invite` in the
    /// organization or on an app.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for who holds none of them.
    pub async fn seat_usage(&self, standing: &Standing) -> Result<Vec<SeatUsage>, ServiceError> {
        if let Some(denial) = standing.rights.inactive() {
            return Err(denial.into());
        }
        // Whoever invites at an app has to see whether there is room, too.
        let invites_at_apps = !standing.rights.apps_with(&standing.blueprint.rules, INVITE).is_empty();
        if !invites_at_apps && !crate::ablate::off("seat_read") {
            require_one(standing, &SHOWING)?;
        }
        usage(&self.store().read(), Within::of(standing), self.now()).await
    }

    /// The same, for what stands in the way of somebody's coming back ([`Return`](super::member::Return)): whoever may bring people
    /// back is told beforehand that no seat is free, as the refusal tells it, and is shown no count. For holders of
    /// `members.update` and of `members.invite`.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for who holds neither.
    pub async fn seats_for_return(&self, standing: &Standing) -> Result<Vec<SeatUsage>, ServiceError> {
        if let Some(denial) = standing.rights.inactive() {
            return Err(denial.into());
        }
        require_one(standing, &RETURNING)?;
        usage(&self.store().read(), Within::of(standing), self.now()).await
    }
}
