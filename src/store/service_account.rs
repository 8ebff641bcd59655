//! Service accounts: programs' places in an organization.

use chrono::{DateTime, Utc};
use gatehouse_entity::access_grant::{self, GranteeKind};
pub use gatehouse_entity::service_account::ServiceAccountState;
use gatehouse_entity::service_account::{ActiveModel, Column, Entity, Model};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Set};
use uuid::Uuid;

use super::{
    Page, PageRequest, Reader, StoreError, Tx, grant,
    page::{Order, page},
    select::{select, select_by_id},
    visibility::{Columns, condition},
    write::{covers_row, principal, written},
};
use crate::access::{
    Permit, Verb, Visibility,
    verb::{CreateServiceAccount, DeleteServiceAccount, UpdateServiceAccount},
};

/// A service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its id.
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// Name as shown.
    pub name: String,
    /// Whether it may be used.
    pub state: ServiceAccountState,
    /// The principal that made it.
    pub created_by: Option<Uuid>,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl From<Model> for ServiceAccount {
    fn from(row: Model) -> Self {
        let Model { id, organization_id, name, state, created_by, created_at } = row;
        Self { id, organization_id, name, state, created_by, created_at }
    }
}

/// What a new service account is made of.
#[derive(Debug, Clone)]
pub struct NewServiceAccount {
    /// Its id.
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// Name as shown.
    pub name: String,
    /// The app it is made for, where it is for one.
    pub app: Option<Uuid>,
    /// When.
    pub now: DateTime<Utc>,
}

/// What may change of a service account; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct ServiceAccountChanges {
    /// Another name.
    pub name: Option<String>,
    /// Enabled or disabled.
    pub state: Option<ServiceAccountState>,
}

/// The service account of this id.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(
    reader: &impl Reader,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<ServiceAccount>, StoreError> {
    let select = select_by_id::<Entity>(id).filter(Column::OrganizationId.eq(organization));
    Ok(select.one(reader.connection()).await?.map(ServiceAccount::from))
}

/// The service accounts of these ids, in no order; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_many(
    reader: &impl Reader,
    organization: Uuid,
    ids: &[Uuid],
) -> Result<Vec<ServiceAccount>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Id.is_in(ids.iter().copied()));
    Ok(select.all(reader.connection()).await?.into_iter().map(ServiceAccount::from).collect())
}

/// The service accounts that are seen, in the order of creation: all, or those to whom something is given on one app.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(
    reader: &impl Reader,
    visibility: &Visibility,
    app: Option<Uuid>,
    request: &PageRequest,
) -> Result<Page<ServiceAccount>, StoreError> {
    let columns = Columns { organization: Column::OrganizationId, kind: Column::State, id: Column::Id };
    let there = app.map(|app| {
        let holders = select::<access_grant::Entity>()
            .select_only()
            .column(access_grant::Column::GranteeId)
            .filter(access_grant::Column::OrganizationId.eq(visibility.organization()))
            .filter(access_grant::Column::GranteeKind.eq(GranteeKind::ServiceAccount))
            .filter(access_grant::Column::AppId.eq(app));
        Column::Id.in_subquery(holders.into_query())
    });
    let select = select::<Entity>().filter(condition(visibility, columns).add_option(there));
    page(reader, select, Order { key: None, id: Column::Id, descending: false }, request).await
}

/// Makes a service account. It holds nothing until it is granted something.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn insert(
    tx: &Tx,
    permit: Permit<CreateServiceAccount>,
    new: NewServiceAccount,
) -> Result<ServiceAccount, StoreError> {
    covers_row(&permit, new.organization_id, &[new.id, new.app.unwrap_or(new.id)])?;
    let row = ActiveModel {
        id: Set(new.id),
        organization_id: Set(new.organization_id),
        name: Set(new.name),
        state: Set(ServiceAccountState::Active),
        created_by: Set(principal(&permit)),
        created_at: Set(new.now),
    };
    Ok(row.insert(tx.connection()).await?.into())
}

/// Renames a service account, enables or disables it.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn update(
    tx: &Tx,
    permit: Permit<UpdateServiceAccount>,
    (organization, id): (Uuid, Uuid),
    changes: ServiceAccountChanges,
) -> Result<ServiceAccount, StoreError> {
    covers_account(tx, &permit, (organization, id), &[]).await?;
    let mut row = <ActiveModel as ActiveModelTrait>::default();
    row.name = changes.name.map_or(row.name, Set);
    row.state = changes.state.map_or(row.state, Set);
    let update =
        Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::OrganizationId.eq(organization));
    update.exec(tx.connection()).await?;
    written(find_by_id(tx, organization, id).await?, id)
}

/// Deletes a service account with its tokens and everything it holds.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn delete(
    tx: &Tx,
    permit: Permit<DeleteServiceAccount>,
    organization: Uuid,
    id: Uuid,
) -> Result<ServiceAccount, StoreError> {
    covers_account(tx, &permit, (organization, id), &[]).await?;
    let account = written(find_by_id(tx, organization, id).await?, id)?;
    let delete = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::OrganizationId.eq(organization));
    delete.exec(tx.connection()).await?;
    Ok(account)
}

/// Whether a permit was given for this account's organization, and for the account, one of these rows or an app on which something
/// is given to it, where it was given for a row.
pub(in crate::store) async fn covers_account<V: Verb>(
    tx: &Tx,
    permit: &Permit<V>,
    (organization, id): (Uuid, Uuid),
    others: &[Uuid],
) -> Result<(), StoreError> {
    let mut rows = vec![id];
    rows.extend(others);
    if permit.subject().is_some_and(|subject| !rows.contains(&subject)) {
        let grants = grant::of_grantees(tx, organization, &[id]).await?;
        rows.extend(grants.iter().filter_map(|grant| grant::app_of(&grant.place)));
    }
    covers_row(permit, organization, &rows)
}
