//! Seats: how full an organization is, now and as it changes.

use std::sync::Arc;

use async_graphql::{Context, Object, Result, SimpleObject, Subscription};
use futures_util::Stream;

use super::{context::InContext, error::error, follow};
use crate::service::{Access, Service, Standing, seat};

/// The next plan that has more seats of a pool (S3.58), as far as it is about them: the rest is in `plans`, for those who may see
/// it.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct SeatUpgrade {
    /// The plan's key.
    key: String,
    /// What people call it.
    label: String,
    /// How many seats of the pool it has; null: no limit.
    limit: Option<u32>,
}

impl From<seat::Upgrade> for SeatUpgrade {
    fn from(upgrade: seat::Upgrade) -> Self {
        Self { key: upgrade.plan, label: upgrade.label, limit: upgrade.limit }
    }
}

/// How full one seat pool is.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct SeatUsage {
    /// The pool's key.
    pool: String,
    /// What people call it.
    label: String,
    /// The plan's limit; null: no limit.
    limit: Option<u32>,
    /// Seats of active members.
    used: u32,
    /// Seats of pending members whose invitation is live.
    reserved: u32,
    /// Seats that can still be taken; null: no limit.
    free: Option<u32>,
    /// Whether nobody can be invited into this pool.
    full: bool,
    /// The next plan that has more of them; null when there is none.
    upgrade_hint: Option<SeatUpgrade>,
}

impl SeatUsage {
    fn new(standing: &Standing, usage: &seat::SeatUsage) -> Self {
        let document = standing.blueprint.rules.document();
        let label = document.seat_pools.get(&usage.pool).map_or(&usage.pool, |pool| &pool.label);
        let upgrade = seat::upgrade(seat::Within::of(standing), &usage.pool);
        Self {
            pool: usage.pool.clone(),
            label: label.clone(),
            limit: usage.limit,
            used: usage.used,
            reserved: usage.reserved,
            free: usage.free(),
            full: usage.is_full(),
            upgrade_hint: upgrade.map(SeatUpgrade::from),
        }
    }
}

/// What an organization says about its seats.
#[derive(Debug, Clone)]
pub struct OrganizationSeats {
    pub(super) standing: Arc<Standing>,
}

#[Object]
impl OrganizationSeats {
    /// How full each seat pool is. Null, with an error beside it, without `billing.read`, `usage.read` and `members.invite`, the
    /// last in the organization or on an app.
    async fn seat_usage(&self, ctx: &Context<'_>) -> Result<Option<Vec<SeatUsage>>> {
        let usages = ctx.service()?.seat_usage(&self.standing).await.map_err(error)?;
        Ok(Some(usages.iter().map(|usage| SeatUsage::new(&self.standing, usage)).collect()))
    }
}

/// Following seats.
#[derive(Debug, Default)]
pub struct SeatSubscription;

#[Subscription]
impl SeatSubscription {
    /// How full each seat pool of the caller's organization is: now, and after each change. Needs one of the permissions
    /// `billing.read`, `usage.read` and `members.invite`; ends with an error when it, or the caller's place, is lost.
    async fn seat_usage_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ends after this many; without it, never.")] take: Option<i32>,
    ) -> Result<impl Stream<Item = Result<Vec<SeatUsage>>> + use<>> {
        follow::states(ctx, take, async |service: Service, access: Access| {
            let standing = access.standing()?;
            let usages = service.seat_usage(standing).await?;
            Ok(usages.iter().map(|usage| SeatUsage::new(standing, usage)).collect())
        })
    }
}
