//! Members who come back.

use chrono::{DateTime, Utc};
use gatehouse_entity::member::{ActiveModel, Column, Entity};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::{Member, MemberState, read};
use crate::{
    access::{Grantee, Permit, verb::RestoreMember},
    store::{
        Reader, StoreError, Tx,
        grant::{self, NewGrant, NewGrants},
        write::{covers_row, principal},
    },
};

/// A place that was archived and is taken again.
#[derive(Debug, Clone)]
pub struct Restoration {
    /// Where.
    pub organization: Uuid,
    /// The place.
    pub member: Uuid,
    /// Whose it is again.
    pub user: Uuid,
    /// The name as shown from now on.
    pub name: String,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// Its roles and features, given anew; all of them the member's.
    pub grants: Vec<NewGrant>,
    /// When.
    pub now: DateTime<Utc>,
}

/// Makes an archived member active again, with what it is given anew: nothing it held before comes back. `None` when it is
/// not archived any more.
///
/// # Errors
/// [`StoreError::Conflict`] (`member_organization_id_…_key`) when the person or the address has another place by now,
/// [`StoreError::PermitMismatch`] when a grant is another grantee's.
pub async fn restore(
    tx: &Tx,
    permit: Permit<RestoreMember>,
    restoration: Restoration,
) -> Result<Option<Member>, StoreError> {
    let Restoration { organization, member: id, user, name, first_name, last_name, grants, now } = restoration;
    covers_row(&permit, organization, &[id])?;
    if let Some(stray) = grants.iter().find(|grant| grant.grantee != Grantee::Member(id)) {
        return Err(StoreError::PermitMismatch(stray.id));
    }
    let row = ActiveModel {
        user_id: Set(Some(user)),
        name: Set(name),
        first_name: Set(first_name),
        last_name: Set(last_name),
        state: Set(MemberState::Active),
        joined_at: Set(Some(now)),
        archived_at: Set(None),
        ..Default::default()
    };
    let update = Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(id))
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::State.eq(MemberState::Archived));
    if update.exec(tx.connection()).await?.rows_affected != 1 {
        return Ok(None);
    }
    grant::put(tx, principal(&permit), NewGrants { organization, grants, now }).await?;
    read::find_by_id(tx, organization, id).await
}
