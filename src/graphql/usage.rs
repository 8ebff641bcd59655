//! Usage: what an organization uses of what its plan includes, now and as it changes.

use std::sync::Arc;

use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use futures_util::Stream;

use super::{
    context::InContext,
    error::{UserError, error, settle},
    follow,
    permission::{self, Needs},
    scalar::Int64,
};
use crate::{
    access::blueprint::document,
    service::{Access, Idempotency, Service, ServiceError, Standing, usage},
};

/// How a meter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "document::MeterKind")]
pub enum MeterKind {
    /// Up from nothing in each calendar month (UTC).
    Monthly,
    /// Up and down, for good.
    Gauge,
}

/// What happens above a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "document::OnLimit")]
pub enum OnLimit {
    /// Use that would go above it is refused.
    Refuse,
    /// It is counted, with a warning.
    Warn,
}

/// How far a meter has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "usage::MeterState")]
pub enum MeterState {
    /// Below four fifths of the limit, or without one.
    Ok,
    /// At four fifths of the limit or more.
    Near,
    /// Above the limit.
    Over,
}

/// What is used of one meter in the present period.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct MeterUsage {
    /// The meter's key.
    meter: String,
    /// What people call it.
    label: String,
    /// What it counts.
    help: String,
    /// The unit, as `credits` or `bytes`.
    unit: String,
    /// How it counts.
    kind: MeterKind,
    /// How much is used.
    used: Int64,
    /// What the plan includes; null: no limit.
    limit: Option<Int64>,
    /// What can still be used; null: no limit.
    remaining: Option<Int64>,
    /// How far it has come.
    state: MeterState,
    /// What happens above the limit; null: no limit.
    on_limit: Option<OnLimit>,
    /// When the present period began; null for a meter without periods.
    period_start: Option<DateTime<Utc>>,
    /// When it ends and the meter begins again; null for a meter without periods.
    period_end: Option<DateTime<Utc>>,
}

impl MeterUsage {
    fn of(standing: &Standing, usage: &usage::MeterUsage) -> Option<Self> {
        let meter = standing.blueprint.rules.document().meters.get(&usage.meter)?;
        let (period_start, period_end) = usage.period.unzip();
        Some(Self {
            meter: usage.meter.clone(),
            label: meter.label.clone(),
            help: meter.help.clone(),
            unit: meter.unit.clone(),
            kind: meter.kind.into(),
            used: Int64(usage.used),
            limit: usage.most().map(Int64),
            remaining: usage.remaining().map(Int64),
            state: usage.state().into(),
            on_limit: usage.limit.map(|limit| limit.on_limit.into()),
            period_start,
            period_end,
        })
    }
}

async fn present(service: &Service, standing: &Standing) -> Result<Vec<MeterUsage>, ServiceError> {
    let usage = service.usage(standing).await?;
    Ok(usage.iter().filter_map(|usage| MeterUsage::of(standing, usage)).collect())
}

/// What an organization shows of its usage.
#[derive(Debug, Clone)]
pub struct OrganizationUsage {
    pub(super) standing: Arc<Standing>,
}

#[Object]
impl OrganizationUsage {
    /// What is used of each meter. Null, with an error beside it, without the permission. Seats are counted beside it, in
    /// `seatUsage`.
    #[graphql(guard = "Needs(usage::READ)", directive = permission::permission::apply("usage.read".to_owned()))]
    async fn usage(&self, ctx: &Context<'_>) -> Result<Option<Vec<MeterUsage>>> {
        present(ctx.service()?, &self.standing).await.map(Some).map_err(error)
    }
}

/// One use to be counted.
#[derive(Debug, Clone, InputObject)]
pub struct UsageEntryInput {
    /// The meter's key.
    meter: String,
    /// How much, in the meter's unit: at least 1; of a gauge, what went is below 0.
    amount: Int64,
    /// What the product calls this use, at most 200 characters: the same key is counted once on each meter, for 400 days.
    key: String,
}

/// Uses to be counted.
#[derive(Debug, Clone, InputObject)]
pub struct RecordUsageInput {
    /// The uses, at most 100: all of them are counted, or none.
    entries: Vec<UsageEntryInput>,
    /// Makes repeating safe: the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// A meter that is above its limit.
#[derive(Debug, Clone, SimpleObject)]
pub struct UsageWarning {
    /// The meter's key.
    meter: String,
    /// What to know about it.
    message: String,
}

/// What counting came to.
#[derive(Debug, Default, SimpleObject)]
pub struct RecordUsagePayload {
    /// How many uses were counted; null when refused.
    counted: Option<u32>,
    /// How many had been counted before, and were not again; null when refused.
    repeated: Option<u32>,
    /// Meters that are above their limit with these uses.
    warnings: Vec<UsageWarning>,
    /// Why nothing was counted; empty when it was.
    user_errors: Vec<UserError>,
}

/// Counting uses.
#[derive(Debug, Default)]
pub struct UsageMutation;

#[Object]
impl UsageMutation {
    /// Counts what is used of the plan. Needs the permission `usage.record`, as a rule of a program's token.
    async fn record_usage(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was used, of which meters.")] input: RecordUsageInput,
    ) -> Result<RecordUsagePayload> {
        let RecordUsageInput { entries, idempotency_key } = input;
        let entries: Vec<usage::UsageEntry> = entries
            .into_iter()
            .map(|entry| usage::UsageEntry { meter: entry.meter, amount: entry.amount.0, key: entry.key })
            .collect();
        let repeat = Idempotency::of(idempotency_key, &entries).map_err(error)?;
        let recorded = ctx.service()?.record_usage(ctx.access()?, entries, repeat).await;
        Ok(match settle(recorded)? {
            Ok(done) => RecordUsagePayload {
                counted: Some(done.counted),
                repeated: Some(done.repeated),
                warnings: done
                    .warnings
                    .into_iter()
                    .map(|warning| UsageWarning { meter: warning.meter, message: warning.message })
                    .collect(),
                user_errors: Vec::new(),
            },
            Err(user_errors) => RecordUsagePayload { user_errors, ..Default::default() },
        })
    }
}

/// Following usage.
#[derive(Debug, Default)]
pub struct UsageSubscription;

#[Subscription]
impl UsageSubscription {
    /// What is used of each meter of the caller's organization: now, and after each change. Needs the permission `usage.read`;
    /// ends with an error when it, or the caller's place, is lost.
    async fn usage_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ends after this many; without it, never.")] take: Option<i32>,
    ) -> Result<impl Stream<Item = Result<Vec<MeterUsage>>> + use<>> {
        follow::states(ctx, take, async |service: Service, access: Access| present(&service, access.standing()?).await)
    }
}
