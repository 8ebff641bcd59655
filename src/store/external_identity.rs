//! Who people are at identity providers, and which of their comings have counted.

use chrono::{DateTime, Utc};
use gatehouse_entity::{
    external_identity::{ActiveModel, Column, Entity, Model},
    spent_sign_in,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::{Reader, StoreError, Tx, select::select};
use crate::access::{
    Author, Permit, Verb,
    verb::{LinkIdentity, Purge, UnlinkIdentity},
};

/// Who a person is at an identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// Its id.
    pub id: Uuid,
    /// Whose account it leads to.
    pub user_id: Uuid,
    /// The provider's issuer.
    pub issuer: String,
    /// What the provider knows the person by.
    pub subject: String,
    /// When it was linked.
    pub created_at: DateTime<Utc>,
    /// When the person last came by it.
    pub last_login_at: DateTime<Utc>,
}

impl From<Model> for ExternalIdentity {
    fn from(row: Model) -> Self {
        let Model { id, user_id, issuer, subject, created_at, last_login_at } = row;
        Self { id, user_id, issuer, subject, created_at, last_login_at }
    }
}

/// Whom an issuer knows by this subject; letter by letter.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find(reader: &impl Reader, issuer: &str, subject: &str) -> Result<Option<ExternalIdentity>, StoreError> {
    let select = select::<Entity>().filter(Column::Issuer.eq(issuer)).filter(Column::Subject.eq(subject));
    Ok(select.one(reader.connection()).await?.map(ExternalIdentity::from))
}

/// The identities that lead to an account, in the order of linking.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list_of_user(reader: &impl Reader, user: Uuid) -> Result<Vec<ExternalIdentity>, StoreError> {
    let select = select::<Entity>().filter(Column::UserId.eq(user)).order_by_asc(Column::Id);
    Ok(select.all(reader.connection()).await?.into_iter().map(ExternalIdentity::from).collect())
}

/// Links an account to a subject.
///
/// # Errors
/// [`StoreError::Conflict`] when the subject leads to an account, or the account has a subject of this issuer.
pub async fn insert(tx: &Tx, permit: Permit<LinkIdentity>, new: ExternalIdentity) -> Result<(), StoreError> {
    covers(&permit, new.user_id)?;
    let ExternalIdentity { id, user_id, issuer, subject, created_at, last_login_at } = new;
    let row = ActiveModel {
        id: Set(id),
        user_id: Set(user_id),
        issuer: Set(issuer),
        subject: Set(subject),
        created_at: Set(created_at),
        last_login_at: Set(last_login_at),
    };
    row.insert(tx.connection()).await?;
    Ok(())
}

/// Notes that the person came by it; `false` where it is no more.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn update_last_login(
    tx: &Tx,
    permit: Permit<LinkIdentity>,
    identity: &ExternalIdentity,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    covers(&permit, identity.user_id)?;
    let noted = ActiveModel { last_login_at: Set(at), ..Default::default() };
    let done = Entity::update_many().set(noted).filter(Column::Id.eq(identity.id)).exec(tx.connection()).await?;
    Ok(done.rows_affected == 1)
}

/// Takes an identity from the account that it leads to. A person's permit covers its own account alone.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn delete(tx: &Tx, permit: Permit<UnlinkIdentity>, identity: &ExternalIdentity) -> Result<(), StoreError> {
    covers(&permit, identity.user_id)?;
    Entity::delete_many().filter(Column::Id.eq(identity.id)).exec(tx.connection()).await?;
    Ok(())
}

/// Lets a coming count; `false` when it has counted before.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn spend(
    tx: &Tx,
    _permit: Permit<LinkIdentity>,
    hash: &[u8; 32],
    expires_at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let row = spent_sign_in::ActiveModel { hash: Set(hash.to_vec()), expires_at: Set(expires_at) };
    let once = OnConflict::column(spent_sign_in::Column::Hash).do_nothing().to_owned();
    let inserted = spent_sign_in::Entity::insert(row).on_conflict(once).exec_without_returning(tx.connection()).await?;
    Ok(inserted == 1)
}

/// Forgets at most so many comings that could not count any more; the number removed.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn purge_spent(tx: &Tx, _permit: Permit<Purge>, now: DateTime<Utc>, limit: u64) -> Result<u64, StoreError> {
    let past = select::<spent_sign_in::Entity>()
        .select_only()
        .column(spent_sign_in::Column::Hash)
        .filter(spent_sign_in::Column::ExpiresAt.lte(now))
        .order_by_asc(spent_sign_in::Column::ExpiresAt)
        .limit(limit);
    let delete =
        spent_sign_in::Entity::delete_many().filter(spent_sign_in::Column::Hash.in_subquery(past.into_query()));
    Ok(delete.exec(tx.connection()).await?.rows_affected)
}

fn covers<V: Verb>(permit: &Permit<V>, user: Uuid) -> Result<(), StoreError> {
    if matches!(permit.author(), Author::User(author) if author != user) {
        return Err(StoreError::PermitMismatch(user));
    }
    match permit.subject() {
        Some(subject) if subject != user => Err(StoreError::PermitMismatch(user)),
        Some(_) | None => Ok(()),
    }
}
