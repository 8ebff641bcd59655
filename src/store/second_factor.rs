//! Second factors: who has one, and what of it has been used. No secret is here.

use chrono::{DateTime, Utc};
use gatehouse_entity::second_factor::{ActiveModel, Column, Entity, Model};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, Set, sea_query::Expr};
use uuid::Uuid;

use super::{Reader, StoreError, Tx, select::select};
use crate::access::{Permit, verb::ManageSecondFactor};

/// A second factor, without its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecondFactor {
    /// What its secret is derived from, together with the root secret.
    pub id: Uuid,
    /// Whose.
    pub user_id: Uuid,
    /// When its first code came; before that it counts for nothing.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// Which set of recovery codes is the present one.
    pub recovery_generation: i32,
    /// Which of them have been used, one bit each.
    pub recovery_used: i32,
}

impl From<Model> for SecondFactor {
    fn from(row: Model) -> Self {
        let Model { id, user_id, confirmed_at, recovery_generation, recovery_used, created_at: _, last_step: _ } = row;
        Self { id, user_id, confirmed_at, recovery_generation, recovery_used }
    }
}

/// A person's second factor, confirmed or not.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_user(reader: &impl Reader, user: Uuid) -> Result<Option<SecondFactor>, StoreError> {
    let found = select::<Entity>().filter(Column::UserId.eq(user)).one(reader.connection()).await?;
    Ok(found.map(SecondFactor::from))
}

/// Begins one anew: what the person had before is gone.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn replace(
    tx: &Tx,
    permit: Permit<ManageSecondFactor>,
    (id, user): (Uuid, Uuid),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    delete(tx, permit, user).await?;
    let row = ActiveModel {
        id: Set(id),
        user_id: Set(user),
        created_at: Set(now),
        confirmed_at: Set(None),
        last_step: Set(0),
        recovery_generation: Set(1),
        recovery_used: Set(0),
    };
    row.insert(tx.connection()).await?;
    Ok(())
}

/// Takes the one-time password of a time step; `false` when one of this step or a later one was taken before. The first makes the
/// factor count.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn take_step(
    tx: &Tx,
    permit: Permit<ManageSecondFactor>,
    factor: &SecondFactor,
    step: i64,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    covers(&permit, factor.user_id)?;
    let confirmed_at = factor.confirmed_at.unwrap_or(now);
    let mut update = Entity::update_many()
        .set(ActiveModel { last_step: Set(step), confirmed_at: Set(Some(confirmed_at)), ..Default::default() })
        .filter(Column::Id.eq(factor.id));
    if !crate::ablate::off("one_time_once") {
        update = update.filter(Column::LastStep.lt(step));
    }
    Ok(update.exec(tx.connection()).await?.rows_affected == 1)
}

/// Takes the recovery code of this number; `false` when it was taken before.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn take_recovery(
    tx: &Tx,
    permit: Permit<ManageSecondFactor>,
    factor: &SecondFactor,
    number: u8,
) -> Result<bool, StoreError> {
    covers(&permit, factor.user_id)?;
    let bit = 1_i32.checked_shl(u32::from(number)).unwrap_or(0);
    let unused = Expr::col(Column::RecoveryUsed).bit_and(bit).eq(0);
    let mut update = Entity::update_many()
        .col_expr(Column::RecoveryUsed, Expr::col(Column::RecoveryUsed).bit_or(bit))
        .filter(Column::Id.eq(factor.id))
        .filter(Column::RecoveryGeneration.eq(factor.recovery_generation));
    if !crate::ablate::off("recovery_once") {
        update = update.filter(unused);
    }
    Ok(update.exec(tx.connection()).await?.rows_affected == 1)
}

/// Begins another set of recovery codes: those of the last one are good no more.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn renew_recovery(
    tx: &Tx,
    permit: Permit<ManageSecondFactor>,
    factor: &SecondFactor,
) -> Result<i32, StoreError> {
    covers(&permit, factor.user_id)?;
    let generation = factor.recovery_generation.saturating_add(1);
    Entity::update_many()
        .set(ActiveModel { recovery_generation: Set(generation), recovery_used: Set(0), ..Default::default() })
        .filter(Column::Id.eq(factor.id))
        .exec(tx.connection())
        .await?;
    Ok(generation)
}

/// Removes a person's second factor.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn delete(tx: &Tx, permit: Permit<ManageSecondFactor>, user: Uuid) -> Result<(), StoreError> {
    covers(&permit, user)?;
    Entity::delete_many().filter(Column::UserId.eq(user)).exec(tx.connection()).await?;
    Ok(())
}

fn covers(permit: &Permit<ManageSecondFactor>, user: Uuid) -> Result<(), StoreError> {
    match permit.subject() {
        Some(subject) if subject != user => Err(StoreError::PermitMismatch(subject)),
        Some(_) | None => Ok(()),
    }
}
