//! Sessions: sign-ins, and the refresh tokens that keep them.

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_entity::{
    refresh_token,
    session::{ActiveModel, Column, Entity, Model},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{CaseStatement, Expr},
};
use uuid::Uuid;

use super::{
    Page, PageRequest, Reader, StoreError, Tx,
    page::{Order, page},
    select::{select, select_by_id},
};
use crate::access::{
    Permit,
    verb::{ManageSession, Purge},
};

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub user_id: Uuid,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed, or used, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// Its absolute end.
    pub expires_at: DateTime<Utc>,
    /// When it was ended before.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When the person proved its second factor in it.
    pub second_factor_at: Option<DateTime<Utc>>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Where it was last refreshed or used from.
    pub address: Option<String>,
}

impl From<Model> for Session {
    fn from(row: Model) -> Self {
        let Model {
            id,
            user_id,
            created_at,
            last_seen_at,
            expires_at,
            revoked_at,
            second_factor_at,
            user_agent,
            address,
        } = row;
        Self { id, user_id, created_at, last_seen_at, expires_at, revoked_at, second_factor_at, user_agent, address }
    }
}

/// One of the tokens of a session, of which each is used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Its id.
    pub id: Uuid,
    /// The session it keeps.
    pub session_id: Uuid,
    /// SHA-256 of the token.
    pub hash: Vec<u8>,
    /// When it was given out.
    pub issued_at: DateTime<Utc>,
    /// Until when it can be used.
    pub expires_at: DateTime<Utc>,
    /// When it was used.
    pub used_at: Option<DateTime<Utc>>,
}

impl From<refresh_token::Model> for RefreshToken {
    fn from(row: refresh_token::Model) -> Self {
        let refresh_token::Model { id, session_id, hash, issued_at, expires_at, used_at } = row;
        Self { id, session_id, hash, issued_at, expires_at, used_at }
    }
}

impl From<RefreshToken> for refresh_token::ActiveModel {
    fn from(token: RefreshToken) -> Self {
        Self {
            id: Set(token.id),
            session_id: Set(token.session_id),
            hash: Set(token.hash),
            issued_at: Set(token.issued_at),
            expires_at: Set(token.expires_at),
            used_at: Set(token.used_at),
        }
    }
}

/// The session of this id, if it is this person's.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(reader: &impl Reader, user: Uuid, id: Uuid) -> Result<Option<Session>, StoreError> {
    let select = select_by_id::<Entity>(id).filter(Column::UserId.eq(user));
    Ok(select.one(reader.connection()).await?.map(Session::from))
}

/// The refresh token of this hash, used or not, with its session.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_refresh_hash(
    reader: &impl Reader,
    hash: &[u8],
) -> Result<Option<(RefreshToken, Session)>, StoreError> {
    let select = select::<refresh_token::Entity>().filter(refresh_token::Column::Hash.eq(hash));
    let Some(token) = select.one(reader.connection()).await? else { return Ok(None) };
    let session = select_by_id::<Entity>(token.session_id).one(reader.connection()).await?;
    Ok(session.map(|session| (token.into(), session.into())))
}

/// A person's sessions that can be used at `now`, in the order of sign-in: not ended, and seen after `rested`.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list_of_user(
    reader: &impl Reader,
    user: Uuid,
    (now, rested): (DateTime<Utc>, DateTime<Utc>),
    request: &PageRequest,
) -> Result<Page<Session>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::UserId.eq(user))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .filter(Column::LastSeenAt.gt(rested));
    page(reader, select, Order { key: None, id: Column::Id, descending: false }, request).await
}

/// Opens a session with its first refresh token.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn insert(
    tx: &Tx,
    permit: Permit<ManageSession>,
    session: Session,
    token: RefreshToken,
) -> Result<Session, StoreError> {
    covers_session(&permit, &[session.user_id, session.id])?;
    let row = ActiveModel {
        id: Set(session.id),
        user_id: Set(session.user_id),
        created_at: Set(session.created_at),
        last_seen_at: Set(session.last_seen_at),
        expires_at: Set(session.expires_at),
        revoked_at: Set(session.revoked_at),
        second_factor_at: Set(session.second_factor_at),
        user_agent: Set(session.user_agent),
        address: Set(session.address),
    };
    let opened = row.insert(tx.connection()).await?;
    refresh_token::ActiveModel::from(token).insert(tx.connection()).await?;
    Ok(opened.into())
}

/// Uses a refresh token up and puts the next one in its place; the next one's issue is the moment, `from` is where.
///
/// `false`, and nothing changed, when it was used before: of two that come at once one wins.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the next one is another session's.
pub async fn rotate(
    tx: &Tx,
    permit: Permit<ManageSession>,
    used: &RefreshToken,
    (next, from): (RefreshToken, &str),
) -> Result<bool, StoreError> {
    covers_session(&permit, &[used.session_id, used.id])?;
    if next.session_id != used.session_id {
        return Err(StoreError::PermitMismatch(next.session_id));
    }
    let now = next.issued_at;
    let rotated = refresh_token::Entity::update_many()
        .set(refresh_token::ActiveModel { used_at: Set(Some(now)), ..Default::default() })
        .filter(refresh_token::Column::Id.eq(used.id))
        .filter(refresh_token::Column::UsedAt.is_null())
        .exec(tx.connection())
        .await?;
    if rotated.rows_affected != 1 && !crate::ablate::off("refresh_single_use") {
        return Ok(false);
    }
    Entity::update_many()
        .set(ActiveModel { last_seen_at: Set(now), address: Set(Some(from.to_owned())), ..Default::default() })
        .filter(Column::Id.eq(used.session_id))
        .exec(tx.connection())
        .await?;
    refresh_token::ActiveModel::from(next).insert(tx.connection()).await?;
    Ok(true)
}

/// Notes that sessions were used in a minute, each last from its address, unless they were seen in a later one: in one statement,
/// for there may be as many addresses as sessions. Bookkeeping that no verb asks for and no stamp follows.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn note_seen(tx: &Tx, seen: &[(Uuid, String)], minute: DateTime<Utc>) -> Result<(), StoreError> {
    if seen.is_empty() {
        return Ok(());
    }
    let address = seen.iter().fold(CaseStatement::new(), |address, (session, from)| {
        address.case(Column::Id.eq(*session), Expr::val(from.as_str()))
    });
    // A refresh within the minute is later than the minute's beginning.
    let last = CaseStatement::new().case(Column::LastSeenAt.lt(minute), Expr::val(minute));
    let update = Entity::update_many()
        .col_expr(Column::LastSeenAt, last.finally(Expr::col(Column::LastSeenAt)).into())
        .col_expr(Column::Address, address.finally(Expr::col(Column::Address)).into())
        .filter(Column::Id.is_in(seen.iter().map(|(session, _)| *session)))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::LastSeenAt.lt(minute + TimeDelta::minutes(1)));
    update.exec(tx.connection()).await?;
    Ok(())
}

/// Notes that the person has proven its second factor in a session.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn prove(
    tx: &Tx,
    permit: Permit<ManageSession>,
    session: &Session,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    covers_session(&permit, &[session.user_id, session.id])?;
    let update = Entity::update_many()
        .set(ActiveModel { second_factor_at: Set(Some(now)), ..Default::default() })
        .filter(Column::Id.eq(session.id));
    update.exec(tx.connection()).await?;
    Ok(())
}

/// Forgets in which of a person's sessions a second factor was proven, because there is none any more.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn unprove_all(tx: &Tx, permit: Permit<ManageSession>, user: Uuid) -> Result<(), StoreError> {
    covers_session(&permit, &[user])?;
    let update = Entity::update_many()
        .set(ActiveModel { second_factor_at: Set(None), ..Default::default() })
        .filter(Column::UserId.eq(user))
        .filter(Column::SecondFactorAt.is_not_null());
    update.exec(tx.connection()).await?;
    Ok(())
}

/// Ends a session, and with it the whole family of its refresh tokens; `false` when it had ended.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn revoke(
    tx: &Tx,
    permit: Permit<ManageSession>,
    session: &Session,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    covers_session(&permit, &[session.user_id, session.id])?;
    Ok(end(tx, Column::Id.eq(session.id).into(), now).await? == 1)
}

/// Ends all of a person's sessions, except one that is kept; the number ended.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn revoke_all(
    tx: &Tx,
    permit: Permit<ManageSession>,
    user: Uuid,
    kept: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    covers_session(&permit, &[user])?;
    let which = Condition::all().add(Column::UserId.eq(user)).add_option(kept.map(|id| Column::Id.ne(id)));
    end(tx, which, now).await
}

/// Removes at most so many sessions that are past their absolute end, with their tokens; the number removed.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn purge_expired(tx: &Tx, _permit: Permit<Purge>, now: DateTime<Utc>, limit: u64) -> Result<u64, StoreError> {
    let past = select::<Entity>()
        .select_only()
        .column(Column::Id)
        .filter(Column::ExpiresAt.lte(now))
        .order_by_asc(Column::ExpiresAt)
        .limit(limit);
    let delete = Entity::delete_many().filter(Column::Id.in_subquery(past.into_query()));
    Ok(delete.exec(tx.connection()).await?.rows_affected)
}

async fn end(tx: &Tx, which: Condition, now: DateTime<Utc>) -> Result<u64, StoreError> {
    let update = Entity::update_many()
        .set(ActiveModel { revoked_at: Set(Some(now)), ..Default::default() })
        .filter(which)
        .filter(Column::RevokedAt.is_null());
    Ok(update.exec(tx.connection()).await?.rows_affected)
}

fn covers_session(permit: &Permit<ManageSession>, rows: &[Uuid]) -> Result<(), StoreError> {
    match permit.subject() {
        Some(subject) if !rows.contains(&subject) => Err(StoreError::PermitMismatch(subject)),
        Some(_) | None => Ok(()),
    }
}
