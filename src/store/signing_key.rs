//! Signing keys: which there are and from when to when. The keys themselves are derived, and stored nowhere.

use chrono::{DateTime, Utc};
use gatehouse_entity::signing_key::{ActiveModel, Column, Entity, Model};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, Set};
use uuid::Uuid;

use super::{Reader, StoreError, Tx, select::select};
use crate::access::{Permit, verb::RotateSigningKey};

/// A signing key, without the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SigningKey {
    /// What it is derived from, together with the root secret.
    pub id: Uuid,
    /// 1 for the first, and one more for each that follows.
    pub generation: i32,
    /// When it was made, and published.
    pub created_at: DateTime<Utc>,
    /// From when it signs.
    pub signs_from: DateTime<Utc>,
    /// From when on nothing it signed is believed; `None` for the newest.
    pub retires_at: Option<DateTime<Utc>>,
}

impl From<Model> for SigningKey {
    fn from(row: Model) -> Self {
        let Model { id, generation, created_at, signs_from, retires_at } = row;
        Self { id, generation, created_at, signs_from, retires_at }
    }
}

/// Every key there was and is, the oldest first.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(reader: &impl Reader) -> Result<Vec<SigningKey>, StoreError> {
    let rows = select::<Entity>().order_by_asc(Column::Generation).all(reader.connection()).await?;
    Ok(rows.into_iter().map(SigningKey::from).collect())
}

/// Adds the next key, and ends those before it at `old_end`, where they do not end sooner.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody else has added this generation.
pub async fn rotate(
    tx: &Tx,
    _permit: Permit<RotateSigningKey>,
    new: SigningKey,
    old_end: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = ActiveModel {
        id: Set(new.id),
        generation: Set(new.generation),
        created_at: Set(new.created_at),
        signs_from: Set(new.signs_from),
        retires_at: Set(new.retires_at),
    };
    row.insert(tx.connection()).await?;
    let later = Condition::any().add(Column::RetiresAt.is_null()).add(Column::RetiresAt.gt(old_end));
    let update = Entity::update_many()
        .set(ActiveModel { retires_at: Set(Some(old_end)), ..Default::default() })
        .filter(Column::Generation.lt(new.generation))
        .filter(later);
    update.exec(tx.connection()).await?;
    Ok(())
}
