//! Outgoing mail: sealed letters that wait, each taken by one gateway at a time, and the note of what became of it.

use chrono::{DateTime, Utc};
pub use gatehouse_entity::outgoing_mail::MailState;
use gatehouse_entity::outgoing_mail::{ActiveModel, Column, Entity};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{
    Reader, StoreError, Tx,
    select::{select, select_by_id},
};
use crate::{
    ablate,
    access::{
        Permit,
        verb::{DeliverMail, Purge},
    },
};

/// A letter to be kept until it is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedMail {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub about: Option<Uuid>,
    /// The letter, encrypted.
    pub sealed: Vec<u8>,
    /// When it was written, and is due.
    pub created_at: DateTime<Utc>,
    /// From when it is given up.
    pub ends_at: DateTime<Utc>,
}

/// A letter that was taken, to be delivered now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenMail {
    /// The letter.
    pub mail: SealedMail,
    /// Which attempt this is, from 1.
    pub attempt: i32,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempted {
    /// It was taken over.
    Sent,
    /// Not now: from when it may be tried again, and what was in the way.
    Later(DateTime<Utc>, String),
    /// Never: what was in the way.
    Failed(String),
}

/// Keeps a letter until it is delivered: it goes out if this transaction is committed, and not otherwise. What it is about had
/// the permit.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn enqueue(tx: &Tx, mail: SealedMail) -> Result<(), StoreError> {
    let row = ActiveModel {
        id: Set(mail.id),
        about: Set(mail.about),
        state: Set(MailState::Waiting),
        sealed: Set(Some(mail.sealed)),
        attempts: Set(0),
        problem: Set(None),
        created_at: Set(mail.created_at),
        due_at: Set(mail.created_at),
        ends_at: Set(mail.ends_at),
        settled_at: Set(None),
    };
    row.insert(tx.connection()).await?;
    Ok(())
}

/// Takes back the letters about one thing that have not gone out; how many. What takes that thing back had the permit.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn withdraw(tx: &Tx, about: Uuid) -> Result<u64, StoreError> {
    let delete = Entity::delete_many().filter(Column::About.eq(about)).filter(Column::State.eq(MailState::Waiting));
    Ok(delete.exec(tx.connection()).await?.rows_affected)
}

/// The letters that may be taken at `now`, the longest due first.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn due(reader: &impl Reader, now: DateTime<Utc>, limit: u64) -> Result<Vec<Uuid>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::State.eq(MailState::Waiting))
        .filter(Column::DueAt.lte(now))
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Id)
        .limit(limit);
    Ok(select.all(reader.connection()).await?.into_iter().map(|row| row.id).collect())
}

/// Takes a letter upon oneself until `lost_at`; `None` when it is not due, or somebody else has it.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn claim(
    tx: &Tx,
    _permit: Permit<DeliverMail>,
    (id, now): (Uuid, DateTime<Utc>),
    lost_at: DateTime<Utc>,
) -> Result<Option<TakenMail>, StoreError> {
    let free = (!ablate::off("mail_lease")).then(|| Column::DueAt.lte(now));
    let mut update = Entity::update_many()
        .col_expr(Column::DueAt, Expr::value(lost_at))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(MailState::Waiting));
    if let Some(free) = free {
        update = update.filter(free);
    }
    if update.exec(tx.connection()).await?.rows_affected == 0 {
        return Ok(None);
    }
    let row = select_by_id::<Entity>(id).one(tx.connection()).await?;
    let taken = row.and_then(|row| {
        let mail = SealedMail {
            id: row.id,
            about: row.about,
            sealed: row.sealed?,
            created_at: row.created_at,
            ends_at: row.ends_at,
        };
        Some(TakenMail { mail, attempt: row.attempts })
    });
    Ok(taken)
}

/// Notes what came of an attempt; `false` when the letter was withdrawn, or taken for lost and taken by somebody else. What is
/// not tried again is wiped: the letter holds links that are secrets.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn settle(
    tx: &Tx,
    _permit: Permit<DeliverMail>,
    (id, attempt): (Uuid, i32),
    came_of_it: Attempted,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let over = |state: MailState, problem: Option<String>| ActiveModel {
        state: Set(state),
        sealed: Set(None),
        problem: Set(problem),
        settled_at: Set(Some(now)),
        ..Default::default()
    };
    let row = match came_of_it {
        Attempted::Sent => over(MailState::Sent, None),
        Attempted::Failed(problem) => over(MailState::Failed, Some(problem)),
        Attempted::Later(due_at, problem) => {
            ActiveModel { due_at: Set(due_at), problem: Set(Some(problem)), ..Default::default() }
        }
    };
    let update = Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(MailState::Waiting))
        .filter(Column::Attempts.eq(attempt));
    Ok(update.exec(tx.connection()).await?.rows_affected == 1)
}

/// Removes at most so many notes of letters that were settled by `before`; the number removed.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn purge_settled(
    tx: &Tx,
    _permit: Permit<Purge>,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<u64, StoreError> {
    let past = select::<Entity>()
        .select_only()
        .column(Column::Id)
        .filter(Column::SettledAt.lte(before))
        .order_by_asc(Column::SettledAt)
        .limit(limit);
    let delete = Entity::delete_many().filter(Column::Id.in_subquery(past.into_query()));
    Ok(delete.exec(tx.connection()).await?.rows_affected)
}
