//! Organization roles of members: grants of their own, in the whole organization, not run out.

use chrono::{DateTime, Utc};
use gatehouse_entity::{access_grant, member};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use uuid::Uuid;

use super::MemberState;
use crate::store::{Reader, StoreError, grant::member_roles, select::select};

/// The ids of members with a role, whatever their state.
pub(super) fn holders(organization: Uuid, role: &str, now: DateTime<Utc>) -> Select<access_grant::Entity> {
    select::<access_grant::Entity>()
        .select_only()
        .column(access_grant::Column::GranteeId)
        .filter(access_grant::Column::OrganizationId.eq(organization))
        .filter(access_grant::Column::Role.eq(role))
        .filter(member_roles(now))
}

/// The ids of active members.
fn active(organization: Uuid) -> Select<member::Entity> {
    select::<member::Entity>()
        .filter(member::Column::OrganizationId.eq(organization))
        .filter(member::Column::State.eq(MemberState::Active))
}

/// How many active members hold a role.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn count_holders(
    reader: &impl Reader,
    organization: Uuid,
    role: &str,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let holders = holders(organization, role, now).into_query();
    let select = active(organization).filter(member::Column::Id.in_subquery(holders));
    Ok(select.count(reader.connection()).await?)
}

/// The active member who has held a role the longest (`Q26`).
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn primary_holder(
    reader: &impl Reader,
    organization: Uuid,
    role: &str,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, StoreError> {
    let active = active(organization).select_only().column(member::Column::Id);
    let select = holders(organization, role, now)
        .filter(access_grant::Column::GranteeId.in_subquery(active.into_query()))
        .order_by_asc(access_grant::Column::CreatedAt)
        .order_by_asc(access_grant::Column::Id);
    Ok(select.into_tuple::<Uuid>().one(reader.connection()).await?)
}

/// The roles each of these members holds, as pairs of member and role in the order of giving; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn roles_of_members(
    reader: &impl Reader,
    organization: Uuid,
    members: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<(Uuid, String)>, StoreError> {
    let select = of(members, now).filter(access_grant::Column::OrganizationId.eq(organization));
    Ok(select.into_tuple().all(reader.connection()).await?)
}

/// The same for one person's places in several organizations.
pub(super) async fn held(
    reader: &impl Reader,
    members: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<(Uuid, String)>, StoreError> {
    Ok(of(members, now).into_tuple().all(reader.connection()).await?)
}

fn of(members: &[Uuid], now: DateTime<Utc>) -> Select<access_grant::Entity> {
    select::<access_grant::Entity>()
        .select_only()
        .columns([access_grant::Column::GranteeId, access_grant::Column::Role])
        .filter(access_grant::Column::GranteeId.is_in(members.iter().copied()))
        .filter(member_roles(now))
        .order_by_asc(access_grant::Column::Id)
}
