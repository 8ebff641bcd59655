//! Erasure: a deleted account's person is taken out of what is kept: places, invitations, activity entries, answers.
//!
//! What happened stays, with the ids and the kinds of who did it; the names and addresses go. The words that entries may
//! change to are held by a trigger as well.

use gatehouse_entity::{
    activity_entry, idempotency_record, invitation,
    member::{self, MemberState},
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Set, Statement, Value};
use uuid::Uuid;

use super::{Reader, StoreError, Tx, select::select, write::covers_row};
use crate::{
    access::{Permit, verb::ErasePerson},
    store::member::Member,
};

/// What stands where the name of a deleted account was.
pub const ERASED: &str = "Deleted account";

/// Every place of a person, in whatever state it and its organization are.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn places_of_user(reader: &impl Reader, user: Uuid) -> Result<Vec<Member>, StoreError> {
    let places = select::<member::Entity>().filter(member::Column::UserId.eq(user)).all(reader.connection()).await?;
    Ok(places.into_iter().map(Member::from).collect())
}

/// Takes names and addresses out of a place that was left, and out of its invitations.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn erase_place(
    tx: &Tx,
    permit: Permit<ErasePerson>,
    (organization, id): (Uuid, Uuid),
) -> Result<(), StoreError> {
    covers_row(&permit, organization, &[id])?;
    let row = member::ActiveModel {
        name: Set(ERASED.to_owned()),
        first_name: Set(None),
        last_name: Set(None),
        email: Set(None),
        handle: Set(None),
        ..Default::default()
    };
    member::Entity::update_many()
        .set(row)
        .filter(member::Column::Id.eq(id))
        .filter(member::Column::State.eq(MemberState::Archived))
        .exec(tx.connection())
        .await?;
    invitation::Entity::update_many()
        .set(invitation::ActiveModel { email: Set(String::new()), ..Default::default() })
        .filter(invitation::Column::MemberId.eq(id))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Takes a person's names and addresses out of activity entries, whoever's they are, and forgets the answers to what the person
/// repeated. `traces` are the ids by which entries know the person: the account and its places.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn erase_traces(tx: &Tx, _permit: Permit<ErasePerson>, traces: &[Uuid]) -> Result<(), StoreError> {
    use activity_entry::{ActiveModel, Column, Entity};
    Entity::update_many()
        .set(ActiveModel { actor_name: Set(ERASED.to_owned()), ..Default::default() })
        .filter(Column::ActorId.is_in(traces.iter().copied()))
        .filter(Column::ActorName.ne(ERASED))
        .exec(tx.connection())
        .await?;
    let connection = tx.connection();
    let backend = connection.get_database_backend();
    let (about, beside) = match backend {
        DbBackend::Postgres => (
            "detail = detail - 'email' - 'before'",
            "detail = jsonb_set(detail, '{member,name}', '\"Deleted account\"', false) \
             WHERE detail #>> '{member,id}' = $1 AND detail #>> '{member,name}' <> 'Deleted account'",
        ),
        _ => (
            "detail = json_remove(detail, '$.email', '$.before')",
            "detail = json_replace(detail, '$.member.name', 'Deleted account') \
             WHERE detail ->> '$.member.id' = $1 AND detail ->> '$.member.name' <> 'Deleted account'",
        ),
    };
    for trace in traces {
        let id = Value::from(trace.to_string());
        let sql = format!(
            "UPDATE activity_entry SET target_name = '{ERASED}', {about} WHERE target_id = $1 AND target_name <> '{ERASED}'"
        );
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, [id.clone()])).await?;
        let sql = format!("UPDATE activity_entry SET {beside} AND action LIKE 'team.%'");
        connection.execute_raw(Statement::from_sql_and_values(backend, sql, [id])).await?;
    }
    idempotency_record::Entity::delete_many()
        .filter(idempotency_record::Column::Caller.is_in(traces.iter().copied()))
        .exec(connection)
        .await?;
    Ok(())
}
