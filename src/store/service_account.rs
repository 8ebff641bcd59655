//! Service accounts: programs' places in an organization.

use chrono::{DateTime, Utc};
pub use gatehouse_entity::service_account::ServiceAccountState;
use gatehouse_entity::service_account::{ActiveModel, Column, Entity, Model};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::{
    Page, PageRequest, Reader, StoreError, Tx,
    page::{Order, page},
    select::{select, select_by_id},
    visibility::{Columns, condition},
    write::{covers_row, principal, written},
};
use crate::access::{Permit, Visibility, verb::CreateServiceAccount};

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
    /// When.
    pub now: DateTime<Utc>,
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

/// The service accounts that are seen, in the order of creation.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(
    reader: &impl Reader,
    visibility: &Visibility,
    request: &PageRequest,
) -> Result<Page<ServiceAccount>, StoreError> {
    let columns = Columns { organization: Column::OrganizationId, kind: Column::State, id: Column::Id };
    let select = select::<Entity>().filter(condition(visibility, columns));
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
    covers_row(&permit, new.organization_id, &[new.id])?;
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

/// Enables or disables a service account; whoever may make one may do this.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn set_state(
    tx: &Tx,
    permit: Permit<CreateServiceAccount>,
    (organization, id): (Uuid, Uuid),
    state: ServiceAccountState,
) -> Result<ServiceAccount, StoreError> {
    covers_row(&permit, organization, &[id])?;
    let update = Entity::update_many()
        .set(ActiveModel { state: Set(state), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(Column::OrganizationId.eq(organization));
    update.exec(tx.connection()).await?;
    written(find_by_id(tx, organization, id).await?, id)
}
