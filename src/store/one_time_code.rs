//! One-time codes: one living code per person and purpose, used up by one conditional update.

use std::fmt;

use chrono::{DateTime, Utc};
pub use gatehouse_entity::one_time_code::CodePurpose;
use gatehouse_entity::one_time_code::{ActiveModel, Column, Entity, Model};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::{Reader, StoreError, Tx, select::select};
use crate::{
    ablate,
    access::{Permit, verb::ManageCode},
};

/// A code that was sent to a person.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeCode {
    /// Its id.
    pub id: Uuid,
    /// Whose account it is about.
    pub user_id: Uuid,
    /// What it is for.
    pub purpose: CodePurpose,
    /// The address it is about.
    pub email: String,
    /// SHA-256 of the code.
    pub hash: Vec<u8>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it can be used.
    pub expires_at: DateTime<Utc>,
    /// When it was used.
    pub used_at: Option<DateTime<Utc>>,
}

/// Without the hash.
impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeCode").field("id", &self.id).field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

impl From<Model> for OneTimeCode {
    fn from(row: Model) -> Self {
        let Model { id, user_id, purpose, email, hash, created_at, expires_at, used_at } = row;
        Self { id, user_id, purpose, email, hash, created_at, expires_at, used_at }
    }
}

/// The code of this hash and purpose, used or not.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_hash(
    reader: &impl Reader,
    purpose: CodePurpose,
    hash: &[u8],
) -> Result<Option<OneTimeCode>, StoreError> {
    let mut found = select::<Entity>().filter(Column::Hash.eq(hash));
    if !ablate::off("code_purpose") {
        found = found.filter(Column::Purpose.eq(purpose));
    }
    Ok(found.one(reader.connection()).await?.map(OneTimeCode::from))
}

/// A person's code of this purpose, used or not.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_of_user(
    reader: &impl Reader,
    user: Uuid,
    purpose: CodePurpose,
) -> Result<Option<OneTimeCode>, StoreError> {
    let found = select::<Entity>().filter(Column::UserId.eq(user)).filter(Column::Purpose.eq(purpose));
    Ok(found.one(reader.connection()).await?.map(OneTimeCode::from))
}

/// All of a person's codes, used or not.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list_of_user(reader: &impl Reader, user: Uuid) -> Result<Vec<OneTimeCode>, StoreError> {
    let found = select::<Entity>().filter(Column::UserId.eq(user)).all(reader.connection()).await?;
    Ok(found.into_iter().map(OneTimeCode::from).collect())
}

/// Puts a code in the place of the person's former one of that purpose.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn replace(tx: &Tx, permit: Permit<ManageCode>, code: OneTimeCode) -> Result<(), StoreError> {
    covers_codes_of(&permit, code.user_id)?;
    Entity::delete_many()
        .filter(Column::UserId.eq(code.user_id))
        .filter(Column::Purpose.eq(code.purpose))
        .exec(tx.connection())
        .await?;
    let row = ActiveModel {
        id: Set(code.id),
        user_id: Set(code.user_id),
        purpose: Set(code.purpose),
        email: Set(code.email),
        hash: Set(code.hash),
        created_at: Set(code.created_at),
        expires_at: Set(code.expires_at),
        used_at: Set(code.used_at),
    };
    row.insert(tx.connection()).await?;
    Ok(())
}

/// Uses a code up; `false` when it was used or has ended: of several that come at once one wins (G12).
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn spend(
    tx: &Tx,
    permit: Permit<ManageCode>,
    code: &OneTimeCode,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    covers_codes_of(&permit, code.user_id)?;
    let mut update = Entity::update_many()
        .set(ActiveModel { used_at: Set(Some(now)), ..Default::default() })
        .filter(Column::Id.eq(code.id))
        .filter(Column::ExpiresAt.gt(now));
    if !ablate::off("code_single_use") {
        update = update.filter(Column::UsedAt.is_null());
    }
    Ok(update.exec(tx.connection()).await?.rows_affected == 1)
}

/// Ends every code of a person; the number ended.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn end_all(tx: &Tx, permit: Permit<ManageCode>, user: Uuid) -> Result<u64, StoreError> {
    covers_codes_of(&permit, user)?;
    if ablate::off("codes_end") {
        return Ok(0);
    }
    let delete = Entity::delete_many().filter(Column::UserId.eq(user));
    Ok(delete.exec(tx.connection()).await?.rows_affected)
}

fn covers_codes_of(permit: &Permit<ManageCode>, user: Uuid) -> Result<(), StoreError> {
    match permit.subject() {
        Some(subject) if subject != user => Err(StoreError::PermitMismatch(subject)),
        Some(_) | None => Ok(()),
    }
}
