//! Idempotency records: the first answer to a change with a key, given again to the same request.

use chrono::{DateTime, Utc};
use gatehouse_entity::idempotency_record::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::{Reader, StoreError, Tx, select::select};
use crate::access::{Permit, verb::Purge};

/// A remembered answer.
#[derive(Debug, Clone, PartialEq)]
pub struct IdempotencyRecord {
    /// Who asked.
    pub caller: Uuid,
    /// Which mutation.
    pub operation: String,
    /// The key that the caller chose.
    pub key: String,
    /// SHA-256 of the input.
    pub input_hash: Vec<u8>,
    /// The answer.
    pub response: serde_json::Value,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it is remembered.
    pub expires_at: DateTime<Utc>,
}

impl From<Model> for IdempotencyRecord {
    fn from(row: Model) -> Self {
        let Model { caller, operation, key, input_hash, response, created_at, expires_at } = row;
        Self { caller, operation, key, input_hash, response, created_at, expires_at }
    }
}

/// The answer remembered at `now` under this key.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find(
    reader: &impl Reader,
    caller: Uuid,
    operation: &str,
    key: &str,
    now: DateTime<Utc>,
) -> Result<Option<IdempotencyRecord>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::Caller.eq(caller))
        .filter(Column::Operation.eq(operation))
        .filter(Column::Key.eq(key))
        .filter(Column::ExpiresAt.gt(now));
    Ok(select.one(reader.connection()).await?.map(IdempotencyRecord::from))
}

/// Remembers an answer, in place of one that was remembered long enough. The change it answers had the permit.
///
/// # Errors
/// [`StoreError::Conflict`] (`idempotency_record_caller_operation_key_key`) when another request with this key came first.
pub async fn insert(tx: &Tx, record: IdempotencyRecord) -> Result<(), StoreError> {
    let made_at = record.created_at;
    let row = ActiveModel {
        caller: Set(record.caller),
        operation: Set(record.operation),
        key: Set(record.key),
        input_hash: Set(record.input_hash),
        response: Set(record.response),
        created_at: Set(record.created_at),
        expires_at: Set(record.expires_at),
    };
    let over = Expr::col((Entity, Column::ExpiresAt)).lte(made_at);
    let conflict = OnConflict::columns([Column::Caller, Column::Operation, Column::Key])
        .update_columns([Column::InputHash, Column::Response, Column::CreatedAt, Column::ExpiresAt])
        .action_and_where(over)
        .to_owned();
    match Entity::insert(row).on_conflict(conflict).exec_without_returning(tx.connection()).await? {
        0 => Err(StoreError::Conflict { constraint: "idempotency_record_caller_operation_key_key".to_owned() }),
        _ => Ok(()),
    }
}

/// Removes at most so many answers that were remembered long enough; the number removed.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn purge_expired(tx: &Tx, _permit: Permit<Purge>, now: DateTime<Utc>, limit: u64) -> Result<u64, StoreError> {
    let row = [Column::Caller, Column::Operation, Column::Key];
    let past = select::<Entity>()
        .select_only()
        .columns(row)
        .filter(Column::ExpiresAt.lte(now))
        .order_by_asc(Column::ExpiresAt)
        .limit(limit);
    let delete = Entity::delete_many().filter(Expr::tuple(row.map(Expr::col)).in_subquery(past.into_query()));
    Ok(delete.exec(tx.connection()).await?.rows_affected)
}
