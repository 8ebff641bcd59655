//! Users: people's accounts.

use std::fmt;

use chrono::{DateTime, Utc};
pub use gatehouse_entity::user::UserState;
use gatehouse_entity::user::{ActiveModel, Column, Entity, Model};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, Unchanged};
use uuid::Uuid;

use super::{
    Reader, StoreError, Tx,
    select::{select, select_by_id},
};
use crate::access::{
    Author, Permit, Verb,
    verb::{CreateUser, DeleteUser, SuspendUser, UpdateUser},
};

/// A person's account.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: Uuid,
    /// Normalized address.
    pub email: String,
    /// When the address was proven.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// Name as shown.
    pub name: String,
    /// Argon2id, in its text form; none where the person signs in elsewhere.
    pub password_hash: Option<String>,
    /// Whether the account may be used.
    pub state: UserState,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// Last change of the fields above.
    pub updated_at: DateTime<Utc>,
    /// Last sign-in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// Where the photo is.
    pub photo_url: Option<String>,
    /// The primary tag of the language of letters to the person, where one is chosen.
    pub language: Option<String>,
    /// IANA name of the timezone of letters to the person, where one is chosen.
    pub timezone: Option<String>,
}

/// Without the password's hash, which belongs in no log.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, email, state, .. } = self;
        f.debug_struct("User").field("id", id).field("email", email).field("state", state).finish_non_exhaustive()
    }
}

impl From<Model> for User {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            email: row.email,
            email_verified_at: row.email_verified_at,
            name: row.name,
            password_hash: row.password_hash,
            state: row.state,
            created_at: row.created_at,
            updated_at: row.updated_at,
            last_login_at: row.last_login_at,
            photo_url: row.photo_url,
            language: row.language,
            timezone: row.timezone,
        }
    }
}

/// What a new account is made of.
#[derive(Clone)]
pub struct NewUser {
    /// Its id.
    pub id: Uuid,
    /// Normalized address.
    pub email: String,
    /// When the address was proven, if it was.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// Name as shown.
    pub name: String,
    /// Argon2id, in its text form.
    pub password_hash: Option<String>,
    /// When.
    pub now: DateTime<Utc>,
}

impl fmt::Debug for NewUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUser").field("id", &self.id).field("email", &self.email).finish_non_exhaustive()
    }
}

/// What may change of an account; `None` leaves it.
#[derive(Clone, Default)]
pub struct UserChanges {
    /// Another name.
    pub name: Option<String>,
    /// Another password's hash.
    pub password_hash: Option<String>,
    /// Another address, whose proof is in `email_verified_at`.
    pub email: Option<String>,
    /// The address was proven.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// Another photo, or none.
    pub photo_url: Option<Option<String>>,
    /// Another language of letters, or none of one's own.
    pub language: Option<Option<String>>,
    /// Another timezone of letters, or none of one's own.
    pub timezone: Option<Option<String>>,
}

impl fmt::Debug for UserChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserChanges").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The account of this id.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(reader: &impl Reader, id: Uuid) -> Result<Option<User>, StoreError> {
    Ok(select_by_id::<Entity>(id).one(reader.connection()).await?.map(User::from))
}

/// The account of this normalized address.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_email(reader: &impl Reader, email: &str) -> Result<Option<User>, StoreError> {
    Ok(select::<Entity>().filter(Column::Email.eq(email)).one(reader.connection()).await?.map(User::from))
}

/// The accounts of these ids, in no order; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_many(reader: &impl Reader, ids: &[Uuid]) -> Result<Vec<User>, StoreError> {
    let rows = select::<Entity>().filter(Column::Id.is_in(ids.iter().copied())).all(reader.connection()).await?;
    Ok(rows.into_iter().map(User::from).collect())
}

/// Opens an account.
///
/// # Errors
/// [`StoreError::Conflict`] (`user_account_email_key`) when the address has one.
pub async fn insert(tx: &Tx, permit: Permit<CreateUser>, new: NewUser) -> Result<User, StoreError> {
    covers_user(&permit, new.id)?;
    let row = ActiveModel {
        id: Set(new.id),
        email: Set(new.email),
        email_verified_at: Set(new.email_verified_at),
        name: Set(new.name),
        password_hash: Set(new.password_hash),
        state: Set(UserState::Active),
        created_at: Set(new.now),
        updated_at: Set(new.now),
        last_login_at: Set(None),
        photo_url: Set(None),
        language: Set(None),
        timezone: Set(None),
    };
    Ok(row.insert(tx.connection()).await?.into())
}

/// Changes the name, the password, the photo, how letters are written, the address, or that it is proven. A person's permit covers its
/// own account alone.
///
/// # Errors
/// [`StoreError::PermitMismatch`]; [`StoreError::Conflict`] (`user_account_email_key`) when another account has the address.
pub async fn update(
    tx: &Tx,
    permit: Permit<UpdateUser>,
    id: Uuid,
    changes: UserChanges,
    now: DateTime<Utc>,
) -> Result<User, StoreError> {
    covers_user(&permit, id)?;
    let UserChanges { name, password_hash, email, email_verified_at, photo_url, language, timezone } = changes;
    let mut row = ActiveModel { id: Unchanged(id), updated_at: Set(now), ..Default::default() };
    row.name = name.map_or(row.name, Set);
    row.password_hash = password_hash.map_or(row.password_hash, |hash| Set(Some(hash)));
    row.email = email.map_or(row.email, Set);
    row.email_verified_at = email_verified_at.map_or(row.email_verified_at, |at| Set(Some(at)));
    row.photo_url = photo_url.map_or(row.photo_url, Set);
    row.language = language.map_or(row.language, Set);
    row.timezone = timezone.map_or(row.timezone, Set);
    Ok(row.update(tx.connection()).await?.into())
}

/// Puts an account in another state.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn update_state(
    tx: &Tx,
    permit: Permit<SuspendUser>,
    id: Uuid,
    state: UserState,
    now: DateTime<Utc>,
) -> Result<User, StoreError> {
    covers_user(&permit, id)?;
    let row = ActiveModel { id: Unchanged(id), state: Set(state), updated_at: Set(now), ..Default::default() };
    Ok(row.update(tx.connection()).await?.into())
}

/// Removes an account, with its sessions and codes. A person's permit covers its own account alone.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn delete(tx: &Tx, permit: Permit<DeleteUser>, id: Uuid) -> Result<(), StoreError> {
    covers_user(&permit, id)?;
    Entity::delete_many().filter(Column::Id.eq(id)).exec(tx.connection()).await?;
    Ok(())
}

/// Notes a sign-in.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn update_last_login(
    tx: &Tx,
    permit: Permit<UpdateUser>,
    id: Uuid,
    at: DateTime<Utc>,
) -> Result<User, StoreError> {
    covers_user(&permit, id)?;
    let row = ActiveModel { id: Unchanged(id), last_login_at: Set(Some(at)), ..Default::default() };
    Ok(row.update(tx.connection()).await?.into())
}

fn covers_user<V: Verb>(permit: &Permit<V>, user: Uuid) -> Result<(), StoreError> {
    if matches!(permit.author(), Author::User(author) if author != user) {
        return Err(StoreError::PermitMismatch(user));
    }
    match permit.subject() {
        Some(subject) if subject != user => Err(StoreError::PermitMismatch(user)),
        Some(_) | None => Ok(()),
    }
}
