//! Custom roles: the roles of an organization's own.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use gatehouse_entity::{
    access_grant,
    custom_role::{ActiveModel, Column, CustomRoleState, Entity, Model},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use super::{
    Reader, StoreError, Tx,
    select::select,
    write::{covers_row, principal, written},
};
use crate::access::{
    Permit, Verb,
    blueprint::CustomRole,
    verb::{ManageRole, MoveBlueprint},
};

/// A custom role as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRole {
    /// Its id.
    pub id: Uuid,
    /// What it is.
    pub role: CustomRole,
}

/// A role to be made or changed.
#[derive(Debug, Clone)]
pub struct RoleRow {
    /// Its id.
    pub id: Uuid,
    /// Where.
    pub organization: Uuid,
    /// What it is to be.
    pub role: CustomRole,
    /// When.
    pub now: DateTime<Utc>,
}

fn stored(row: Model) -> Result<(Uuid, StoredRole), StoreError> {
    let Model { id, organization_id, key, base, label, help, permissions, access, state, .. } = row;
    let list =
        |value| serde_json::from_value(value).map_err(|error| StoreError::Corrupt(format!("role `{id}`: {error}")));
    let enabled = state == CustomRoleState::Enabled;
    let role = CustomRole { key, base, label, help, permissions: list(permissions)?, access: list(access)?, enabled };
    Ok((organization_id, StoredRole { id, role }))
}

/// All roles of an organization's own, by key.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_all(reader: &impl Reader, organization: Uuid) -> Result<Vec<StoredRole>, StoreError> {
    Ok(find_many(reader, &[organization]).await?.remove(&organization).unwrap_or_default())
}

/// All roles of these organizations' own, by key; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_many(
    reader: &impl Reader,
    organizations: &[Uuid],
) -> Result<HashMap<Uuid, Vec<StoredRole>>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.is_in(organizations.iter().copied()))
        .order_by_asc(Column::Key);
    let mut roles: HashMap<Uuid, Vec<StoredRole>> = HashMap::new();
    for row in select.all(reader.connection()).await? {
        let (organization, role) = stored(row)?;
        roles.entry(organization).or_default().push(role);
    }
    Ok(roles)
}

/// How many grants give each role of an organization, whoever holds them; pending members' and those that have run out are
/// among them.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn count_uses(reader: &impl Reader, organization: Uuid) -> Result<HashMap<String, u64>, StoreError> {
    let select = select::<access_grant::Entity>()
        .select_only()
        .column(access_grant::Column::Role)
        .column_as(access_grant::Column::Id.count(), "uses")
        .filter(access_grant::Column::OrganizationId.eq(organization))
        .filter(access_grant::Column::Role.is_not_null())
        .group_by(access_grant::Column::Role);
    let rows: Vec<(String, i64)> = select.into_tuple().all(reader.connection()).await?;
    Ok(rows.into_iter().map(|(role, uses)| (role, u64::try_from(uses).unwrap_or(0))).collect())
}

/// Makes a role.
///
/// # Errors
/// [`StoreError::Conflict`] (`custom_role_organization_id_key_key`) when the key is taken, [`StoreError::PermitMismatch`].
pub async fn insert(tx: &Tx, permit: Permit<ManageRole>, new: RoleRow) -> Result<(), StoreError> {
    covers_row(&permit, new.organization, &[new.id])?;
    let by = principal(&permit);
    let RoleRow { id, organization, role, now } = new;
    let row = ActiveModel {
        organization_id: Set(organization),
        key: Set(role.key.clone()),
        created_by: Set(by),
        created_at: Set(now),
        ..changed(id, role, now)
    };
    row.insert(tx.connection()).await?;
    Ok(())
}

/// Changes a role; its key stays.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn update(tx: &Tx, permit: Permit<ManageRole>, row: RoleRow) -> Result<(), StoreError> {
    put(tx, &permit, row).await
}

/// Changes a role as another version of the blueprint demands it.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn adapt(tx: &Tx, permit: &Permit<MoveBlueprint>, row: RoleRow) -> Result<(), StoreError> {
    put(tx, permit, row).await
}

async fn put<V: Verb>(tx: &Tx, permit: &Permit<V>, row: RoleRow) -> Result<(), StoreError> {
    covers_row(permit, row.organization, &[row.id])?;
    let (id, organization) = (row.id, row.organization);
    let update = Entity::update_many()
        .set(changed(id, row.role, row.now))
        .filter(Column::Id.eq(id))
        .filter(Column::OrganizationId.eq(organization));
    let done = update.exec(tx.connection()).await?;
    written((done.rows_affected == 1).then_some(()), id)
}

/// The columns that change.
fn changed(id: Uuid, role: CustomRole, now: DateTime<Utc>) -> ActiveModel {
    let CustomRole { key: _, base, label, help, permissions, access, enabled } = role;
    let state = if enabled { CustomRoleState::Enabled } else { CustomRoleState::Disabled };
    ActiveModel {
        id: Set(id),
        base: Set(base),
        label: Set(label),
        help: Set(help),
        permissions: Set(permissions.into()),
        access: Set(access.into()),
        state: Set(state),
        updated_at: Set(now),
        ..Default::default()
    }
}

/// Deletes a role; who calls it has seen that nobody holds it.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn delete(tx: &Tx, permit: Permit<ManageRole>, (organization, id): (Uuid, Uuid)) -> Result<(), StoreError> {
    covers_row(&permit, organization, &[id])?;
    let delete = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::OrganizationId.eq(organization));
    let done = delete.exec(tx.connection()).await?;
    written((done.rows_affected == 1).then_some(()), id)
}
