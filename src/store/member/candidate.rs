//! Members who may hold a role that builds on others (`S1.20`, `S1.21`).

use chrono::{DateTime, Utc};
use gatehouse_entity::{
    access_grant,
    member::{Column, Entity},
};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::{Member, MemberState};
use crate::{
    access::Visibility,
    store::{
        Page, PageRequest, Reader, StoreError,
        grant::member_roles,
        page::{Order, page},
        select::select,
        visibility::{Columns, condition},
    },
};

/// The members that are seen, have not left, and hold one of these organization roles; all of them where none is named. By
/// name.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list_candidates(
    reader: &impl Reader,
    visibility: &Visibility,
    (roles, now): (&[String], DateTime<Utc>),
    request: &PageRequest,
) -> Result<Page<Member>, StoreError> {
    let organization: Uuid = visibility.organization();
    let columns = Columns { organization: Column::OrganizationId, kind: Column::State, id: Column::Id };
    let entitled = (!roles.is_empty()).then(|| {
        let holders = select::<access_grant::Entity>()
            .select_only()
            .column(access_grant::Column::GranteeId)
            .filter(access_grant::Column::OrganizationId.eq(organization))
            .filter(access_grant::Column::Role.is_in(roles.iter().map(String::as_str)))
            .filter(member_roles(now));
        Column::Id.in_subquery(holders.into_query())
    });
    let present = Column::State.ne(MemberState::Archived);
    let select = select::<Entity>().filter(condition(visibility, columns).add(present).add_option(entitled));
    page(reader, select, Order { key: Some(Column::Name), id: Column::Id, descending: false }, request).await
}
