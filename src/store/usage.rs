//! Usage: what an organization has used of each meter, and which uses have been counted.

use chrono::{DateTime, Utc};
use gatehouse_entity::{usage_record, usage_total};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::{Reader, StoreError, Tx, organization::covers, select::select, write::insert_all};
use crate::access::{
    Permit,
    verb::{Purge, RecordUsage},
};

/// What has been used of a meter in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageTotal {
    /// The meter, by its key in the blueprint.
    pub meter: String,
    /// The period, by the service's name for it.
    pub period: String,
    /// How much.
    pub amount: i64,
}

/// One use, counted or to be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRecord {
    /// Its id.
    pub id: Uuid,
    /// The meter.
    pub meter: String,
    /// What whoever reports it calls it.
    pub key: String,
    /// How much.
    pub amount: i64,
}

impl From<usage_total::Model> for UsageTotal {
    fn from(row: usage_total::Model) -> Self {
        Self { meter: row.meter, period: row.period, amount: row.amount }
    }
}

impl From<usage_record::Model> for UsageRecord {
    fn from(row: usage_record::Model) -> Self {
        Self { id: row.id, meter: row.meter, key: row.key, amount: row.amount }
    }
}

/// What an organization has used in these periods, in no order.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn totals(reader: &impl Reader, organization: Uuid, periods: &[&str]) -> Result<Vec<UsageTotal>, StoreError> {
    let select = select::<usage_total::Entity>()
        .filter(usage_total::Column::OrganizationId.eq(organization))
        .filter(usage_total::Column::Period.is_in(periods.iter().copied()));
    Ok(select.all(reader.connection()).await?.into_iter().map(UsageTotal::from).collect())
}

/// Which of these uses, by meter and key, have been counted. One statement.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn counted(
    reader: &impl Reader,
    organization: Uuid,
    uses: &[(&str, &str)],
) -> Result<Vec<UsageRecord>, StoreError> {
    if uses.is_empty() {
        return Ok(Vec::new());
    }
    let each = uses.iter().fold(Condition::any(), |any, (meter, key)| {
        any.add(usage_record::Column::Meter.eq(*meter).and(usage_record::Column::Key.eq(*key)))
    });
    let select =
        select::<usage_record::Entity>().filter(usage_record::Column::OrganizationId.eq(organization)).filter(each);
    Ok(select.all(reader.connection()).await?.into_iter().map(UsageRecord::from).collect())
}

/// Counts uses: their records, and the totals as they are with them. Exact because the totals were read under the
/// organization's lock, which lasts until the transaction ends.
///
/// # Errors
/// [`StoreError::Conflict`] (`usage_record_organization_id_meter_key_key`) for a use that was counted,
/// [`StoreError::PermitMismatch`].
pub async fn record(
    tx: &Tx,
    permit: Permit<RecordUsage>,
    organization: Uuid,
    (records, totals): (Vec<UsageRecord>, Vec<UsageTotal>),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    covers(&permit, organization)?;
    let rows = records.into_iter().map(|record| usage_record::ActiveModel {
        id: Set(record.id),
        organization_id: Set(organization),
        meter: Set(record.meter),
        key: Set(record.key),
        amount: Set(record.amount),
        at: Set(now),
    });
    insert_all(tx, rows.collect()).await?;
    let totals: Vec<_> = totals
        .into_iter()
        .map(|total| usage_total::ActiveModel {
            organization_id: Set(organization),
            meter: Set(total.meter),
            period: Set(total.period),
            amount: Set(total.amount),
        })
        .collect();
    if totals.is_empty() {
        return Ok(());
    }
    let key = [usage_total::Column::OrganizationId, usage_total::Column::Meter, usage_total::Column::Period];
    let replace = OnConflict::columns(key).update_column(usage_total::Column::Amount).to_owned();
    usage_total::Entity::insert_many(totals).on_conflict(replace).exec_without_returning(tx.connection()).await?;
    Ok(())
}

/// Removes at most so many records that were counted before a moment; the number removed. Totals stay.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn purge_counted(
    tx: &Tx,
    permit: Permit<Purge>,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<u64, StoreError> {
    use usage_record::{Column, Entity};
    let past = select::<Entity>()
        .select_only()
        .column(Column::Id)
        .filter(Column::At.lt(before))
        .filter(Condition::all().add_option(permit.organization().map(|id| Column::OrganizationId.eq(id))))
        .order_by_asc(Column::At)
        .limit(limit);
    let delete = Entity::delete_many().filter(Column::Id.in_subquery(past.into_query()));
    Ok(delete.exec(tx.connection()).await?.rows_affected)
}
