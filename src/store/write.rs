//! What the writes of every noun have in common: whose permit it is, and many rows in few statements.

use sea_orm::{ActiveModelBehavior, ActiveModelTrait, EntityTrait};
use uuid::Uuid;

use super::{Reader, StoreError, Tx, organization::covers};
use crate::access::{Author, Permit, Verb};

/// Rows of one statement: those of the widest table, 16 columns, stay below SQLite's 32,766 parameters.
pub(in crate::store) const ROWS: usize = 500;

/// Whether a permit was given for this organization, and for one of these rows where it was given for a row.
pub(in crate::store) fn covers_row<V: Verb>(
    permit: &Permit<V>,
    organization: Uuid,
    rows: &[Uuid],
) -> Result<(), StoreError> {
    covers(permit, organization)?;
    match permit.subject() {
        Some(subject) if !rows.contains(&subject) => Err(StoreError::PermitMismatch(subject)),
        Some(_) | None => Ok(()),
    }
}

/// Who was allowed, where it is a principal: what the columns `granted_by`, `invited_by` and `created_by` hold.
pub(in crate::store) const fn principal<V: Verb>(permit: &Permit<V>) -> Option<Uuid> {
    match permit.author() {
        Author::Principal(principal) => Some(principal.id),
        Author::User(_) | Author::System(_) => None,
    }
}

/// Inserts rows, so many a statement. A row that another one refers to comes before it or in the same statement.
pub(in crate::store) async fn insert_all<A>(tx: &Tx, rows: Vec<A>) -> Result<(), StoreError>
where
    A: ActiveModelTrait + ActiveModelBehavior + Send,
{
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let some: Vec<A> = rows.by_ref().take(ROWS).collect();
        A::Entity::insert_many(some).exec_without_returning(tx.connection()).await?;
    }
    Ok(())
}

/// The row that a write was about; without one, its permit was for another organization's or for none.
pub(in crate::store) fn written<T>(found: Option<T>, id: Uuid) -> Result<T, StoreError> {
    found.ok_or(StoreError::PermitMismatch(id))
}
