//! Notices of tokens that end: each is sent once, whichever gateway comes first.

use chrono::{DateTime, Utc};
use gatehouse_entity::token_notice::{ActiveModel, Column, Entity};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::OnConflict};
use uuid::Uuid;

use super::{Reader, StoreError, Tx, select::select};
use crate::access::{Permit, verb::NoteNotice};

/// Of these tokens, of which ends people have been told: the token and the days before.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn sent(reader: &impl Reader, tokens: &[Uuid]) -> Result<Vec<(Uuid, i32)>, StoreError> {
    let select = select::<Entity>().filter(Column::TokenId.is_in(tokens.iter().copied()));
    Ok(select.all(reader.connection()).await?.into_iter().map(|row| (row.token_id, row.days)).collect())
}

/// Takes a notice upon oneself; `false` when somebody else has.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn claim(
    tx: &Tx,
    _permit: Permit<NoteNotice>,
    (token, days): (Uuid, i32),
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let row = ActiveModel { token_id: Set(token), days: Set(days), sent_at: Set(now) };
    let once = OnConflict::columns([Column::TokenId, Column::Days]).do_nothing().to_owned();
    let inserted = Entity::insert(row).on_conflict(once).exec_without_returning(tx.connection()).await?;
    Ok(inserted == 1)
}
