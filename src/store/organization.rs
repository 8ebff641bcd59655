//! Organizations: the tenants.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
pub use gatehouse_entity::organization::OrganizationState;
use gatehouse_entity::{
    blueprint, member,
    organization::{ActiveModel, Column, Entity, Model},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, QueryFilter, QuerySelect, QueryTrait, Set};
use uuid::Uuid;

use super::{
    Page, PageRequest, Reader, StoreError, Tx,
    page::{Order, page},
    select::{select, select_by_id},
    visibility::{Columns, condition},
};
use crate::access::{
    Permit, Verb, Visibility,
    verb::{ChangePlan, CreateOrganization, DeleteOrganization, MoveBlueprint, UpdateOrganization, UpdateProfile},
};

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: Uuid,
    /// Lower-case name for addresses.
    pub slug: String,
    /// Name as shown.
    pub name: String,
    /// The organization it belongs to.
    pub parent_id: Option<Uuid>,
    /// Its rules, pinned to a version.
    pub blueprint_id: Uuid,
    /// Plan, by its key in the blueprint.
    pub plan: String,
    /// Whether anyone may act in it.
    pub state: OrganizationState,
    /// Settings that people edit, one object.
    pub settings: serde_json::Value,
    /// What it says about itself, by section and field.
    pub profile: serde_json::Value,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// Last change of the fields above.
    pub updated_at: DateTime<Utc>,
    /// When it was closed for good.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl From<Model> for Organization {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            parent_id: row.parent_id,
            blueprint_id: row.blueprint_id,
            plan: row.plan,
            state: row.state,
            settings: row.settings,
            profile: row.profile,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        }
    }
}

/// What a new organization is made of.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    /// Its id.
    pub id: Uuid,
    /// Lower-case name for addresses.
    pub slug: String,
    /// Name as shown.
    pub name: String,
    /// The organization it belongs to.
    pub parent_id: Option<Uuid>,
    /// Its rules.
    pub blueprint_id: Uuid,
    /// Plan, by its key in the blueprint.
    pub plan: String,
    /// Settings, one object.
    pub settings: serde_json::Value,
    /// When.
    pub now: DateTime<Utc>,
}

/// What an edit may change; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct OrganizationChanges {
    /// Another name.
    pub name: Option<String>,
    /// Another slug.
    pub slug: Option<String>,
    /// Other settings, whole.
    pub settings: Option<serde_json::Value>,
}

/// The organization of this id, closed ones included.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(reader: &impl Reader, id: Uuid) -> Result<Option<Organization>, StoreError> {
    Ok(select_by_id::<Entity>(id).one(reader.connection()).await?.map(Organization::from))
}

/// The organization of this slug, closed ones included.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_slug(reader: &impl Reader, slug: &str) -> Result<Option<Organization>, StoreError> {
    Ok(select::<Entity>().filter(Column::Slug.eq(slug)).one(reader.connection()).await?.map(Organization::from))
}

/// The organizations of these ids, in no order; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_many(reader: &impl Reader, ids: &[Uuid]) -> Result<Vec<Organization>, StoreError> {
    let rows = select::<Entity>().filter(Column::Id.is_in(ids.iter().copied())).all(reader.connection()).await?;
    Ok(rows.into_iter().map(Organization::from).collect())
}

/// The open organizations in which a person is an active member, by name.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list_of_user(
    reader: &impl Reader,
    user: Uuid,
    request: &PageRequest,
) -> Result<Page<Organization>, StoreError> {
    let places = select::<member::Entity>()
        .select_only()
        .column(member::Column::OrganizationId)
        .filter(member::Column::UserId.eq(user))
        .filter(member::Column::State.eq(member::MemberState::Active));
    let select = select::<Entity>()
        .filter(Column::Id.in_subquery(places.into_query()))
        .filter(Column::State.eq(OrganizationState::Active));
    page(reader, select, Order { key: Some(Column::Name), id: Column::Id, descending: false }, request).await
}

/// The open organizations below the visibility's organization, as far as it shows rows at all, by name.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list_children(
    reader: &impl Reader,
    visibility: &Visibility,
    request: &PageRequest,
) -> Result<Page<Organization>, StoreError> {
    let columns = Columns { organization: Column::ParentId, kind: Column::State, id: Column::Id };
    let select =
        select::<Entity>().filter(condition(visibility, columns)).filter(Column::State.ne(OrganizationState::Deleted));
    page(reader, select, Order { key: Some(Column::Name), id: Column::Id, descending: false }, request).await
}

/// The blueprints, by name, of the open organizations below this one. One statement.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn blueprints_below(reader: &impl Reader, organization: Uuid) -> Result<BTreeSet<String>, StoreError> {
    let below = select::<Entity>()
        .select_only()
        .column(Column::BlueprintId)
        .filter(Column::ParentId.eq(organization))
        .filter(Column::State.ne(OrganizationState::Deleted));
    let names = select::<blueprint::Entity>()
        .select_only()
        .column(blueprint::Column::Name)
        .filter(blueprint::Column::Id.in_subquery(below.into_query()))
        .into_tuple::<String>();
    Ok(names.all(reader.connection()).await?.into_iter().collect())
}

/// Opens an organization.
///
/// # Errors
/// [`StoreError::Conflict`] (`organization_slug_key`) when the slug is taken.
pub async fn insert(
    tx: &Tx,
    _permit: Permit<CreateOrganization>,
    new: NewOrganization,
) -> Result<Organization, StoreError> {
    let row = ActiveModel {
        id: Set(new.id),
        slug: Set(new.slug),
        name: Set(new.name),
        parent_id: Set(new.parent_id),
        blueprint_id: Set(new.blueprint_id),
        plan: Set(new.plan),
        state: Set(OrganizationState::Active),
        settings: Set(new.settings),
        profile: Set(serde_json::json!({})),
        created_at: Set(new.now),
        updated_at: Set(new.now),
        deleted_at: Set(None),
    };
    Ok(row.insert(tx.connection()).await?.into())
}

/// Changes the name, the slug or the settings.
///
/// # Errors
/// [`StoreError::Conflict`] (`organization_slug_key`) when the slug is taken, [`StoreError::PermitMismatch`].
pub async fn update(
    tx: &Tx,
    permit: Permit<UpdateOrganization>,
    id: Uuid,
    changes: OrganizationChanges,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    covers(&permit, id)?;
    let OrganizationChanges { name, slug, settings } = changes;
    let mut row = ActiveModel { updated_at: Set(now), ..unchanged(id) };
    row.name = name.map_or(row.name, Set);
    row.slug = slug.map_or(row.slug, Set);
    row.settings = settings.map_or(row.settings, Set);
    change(tx, row).await
}

/// Changes what the organization says about itself, whole.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn update_profile(
    tx: &Tx,
    permit: Permit<UpdateProfile>,
    id: Uuid,
    profile: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    covers(&permit, id)?;
    change(tx, ActiveModel { profile: Set(profile), updated_at: Set(now), ..unchanged(id) }).await
}

/// Moves the organization to another plan.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn update_plan(
    tx: &Tx,
    permit: Permit<ChangePlan>,
    id: Uuid,
    plan: String,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    covers(&permit, id)?;
    change(tx, ActiveModel { plan: Set(plan), updated_at: Set(now), ..unchanged(id) }).await
}

/// Moves the organization to another version of its blueprint, and to a plan of that.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn update_blueprint(
    tx: &Tx,
    permit: Permit<MoveBlueprint>,
    id: Uuid,
    (blueprint, plan): (Uuid, String),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    covers(&permit, id)?;
    let row = ActiveModel { blueprint_id: Set(blueprint), plan: Set(plan), updated_at: Set(now), ..unchanged(id) };
    change(tx, row).await
}

/// Closes the organization for good. Its rows stay until retention removes them, and its slug stays taken.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn delete(
    tx: &Tx,
    permit: Permit<DeleteOrganization>,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    covers(&permit, id)?;
    let closed = OrganizationState::Deleted;
    let row = ActiveModel { state: Set(closed), deleted_at: Set(Some(now)), updated_at: Set(now), ..unchanged(id) };
    change(tx, row).await
}

fn unchanged(id: Uuid) -> ActiveModel {
    ActiveModel { id: sea_orm::Unchanged(id), ..<ActiveModel as sea_orm::ActiveModelTrait>::default() }
}

async fn change(tx: &Tx, row: ActiveModel) -> Result<(), StoreError> {
    row.update(tx.connection()).await?;
    Ok(())
}

/// Whether a permit was given for this organization.
pub(in crate::store) fn covers<V: Verb>(permit: &Permit<V>, organization: Uuid) -> Result<(), StoreError> {
    if permit.organization() == Some(organization) { Ok(()) } else { Err(StoreError::PermitMismatch(organization)) }
}
