//! Finding grants.

use gatehouse_entity::access_grant::{Column, Entity, GranteeKind, Model};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{AccessGrant, complete, held_by};
use crate::{
    access::{Grantee, Visibility},
    store::{
        Page, PageRequest, Reader, StoreError,
        page::{Order, page},
        select::{select, select_by_id},
        visibility::{Columns, condition},
    },
};

/// Which grants to list; nothing set is all of them.
#[derive(Debug, Clone, Default)]
pub struct GrantFilter {
    /// Of one grantee.
    pub grantee: Option<Grantee>,
    /// On one app.
    pub app: Option<Uuid>,
    /// Of one role.
    pub role: Option<String>,
}

/// The grant of this id.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(reader: &impl Reader, organization: Uuid, id: Uuid) -> Result<Option<AccessGrant>, StoreError> {
    let select = select_by_id::<Entity>(id).filter(Column::OrganizationId.eq(organization));
    let row = select.one(reader.connection()).await?;
    Ok(complete(reader, row.into_iter().collect()).await?.pop())
}

/// Grants in the order of giving.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(
    reader: &impl Reader,
    visibility: &Visibility,
    filter: &GrantFilter,
    request: &PageRequest,
) -> Result<Page<AccessGrant>, StoreError> {
    let columns = Columns { organization: Column::OrganizationId, kind: Column::GranteeKind, id: Column::Id };
    let select = select::<Entity>().filter(
        condition(visibility, columns)
            .add_option(filter.grantee.map(held_by))
            .add_option(filter.app.map(|app| Column::AppId.eq(app)))
            .add_option(filter.role.as_deref().map(|role| Column::Role.eq(role))),
    );
    let order = Order { key: None, id: Column::Id, descending: false };
    let Page { items, has_next, has_previous, total } = page::<_, Model>(reader, select, order, request).await?;
    Ok(Page { items: complete(reader, items).await?, has_next, has_previous, total })
}

/// The grants of these members, teams or service accounts, in the order of giving; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn of_grantees(
    reader: &impl Reader,
    organization: Uuid,
    grantees: &[Uuid],
) -> Result<Vec<AccessGrant>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::GranteeId.is_in(grantees.iter().copied()))
        .order_by_asc(Column::Id);
    complete(reader, select.all(reader.connection()).await?).await
}

/// The grants on these apps themselves, in the order of giving.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn on_apps(reader: &impl Reader, organization: Uuid, apps: &[Uuid]) -> Result<Vec<AccessGrant>, StoreError> {
    if apps.is_empty() {
        return Ok(Vec::new());
    }
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::AppId.is_in(apps.iter().copied()))
        .order_by_asc(Column::Id);
    complete(reader, select.all(reader.connection()).await?).await
}

/// The grants to every member of an organization: its default access (`S5.2`).
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list_defaults(reader: &impl Reader, organization: Uuid) -> Result<Vec<AccessGrant>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::GranteeKind.eq(GranteeKind::Everyone))
        .order_by_asc(Column::Id);
    complete(reader, select.all(reader.connection()).await?).await
}

/// Every grant of an organization, in the order of giving; for imports.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_all(reader: &impl Reader, organization: Uuid) -> Result<Vec<AccessGrant>, StoreError> {
    let select = select::<Entity>().filter(Column::OrganizationId.eq(organization)).order_by_asc(Column::Id);
    complete(reader, select.all(reader.connection()).await?).await
}
