//! Apps: the protected resources of an organization.

use chrono::{DateTime, Utc};
use gatehouse_entity::app::{ActiveModel, Column, Entity, Model};
pub use gatehouse_entity::app::{AppState, AppVisibility};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use super::{
    Page, PageRequest, Reader, StoreError, Tx,
    page::{Order, page},
    search::contains,
    select::{select, select_by_id},
    write::{covers_row, insert_all, written},
};
use crate::access::{
    Permit, Visibility,
    verb::{CreateApp, DeleteApp, UpdateApp},
};

mod above;
mod visible;

pub use above::{Above, DEEPEST, ancestors_of, ancestors_within, find_with_ancestors};
pub(in crate::store) use visible::{above, closed, descendants, visible};

/// An app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its id.
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// App kind, by its key in the blueprint.
    pub kind: String,
    /// Lower-case name; unique in the organization.
    pub slug: String,
    /// Name as shown.
    pub name: String,
    /// The app it lies in.
    pub parent_id: Option<Uuid>,
    /// Who may see that it exists.
    pub visibility: AppVisibility,
    /// Whether it may be used.
    pub state: AppState,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl From<Model> for App {
    fn from(row: Model) -> Self {
        let Model { id, organization_id, kind, slug, name, parent_id, visibility, state, created_at } = row;
        Self { id, organization_id, kind, slug, name, parent_id, visibility, state, created_at }
    }
}

impl From<App> for ActiveModel {
    fn from(app: App) -> Self {
        Self {
            id: Set(app.id),
            organization_id: Set(app.organization_id),
            kind: Set(app.kind),
            slug: Set(app.slug),
            name: Set(app.name),
            parent_id: Set(app.parent_id),
            visibility: Set(app.visibility),
            state: Set(app.state),
            created_at: Set(app.created_at),
        }
    }
}

/// What may change of an app; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct AppChanges {
    /// Another slug.
    pub slug: Option<String>,
    /// Another name.
    pub name: Option<String>,
    /// Enabled or disabled.
    pub state: Option<AppState>,
    /// Another visibility.
    pub visibility: Option<AppVisibility>,
    /// Another app to stand under; `Some(None)` is the organization itself.
    pub parent: Option<Option<Uuid>>,
}

/// Which apps to list; nothing set is all of them.
#[derive(Debug, Clone, Default)]
pub struct AppFilter {
    /// Of one kind.
    pub kind: Option<String>,
    /// Whose name or slug contains this.
    pub search: Option<String>,
    /// Below one app.
    pub parent: Option<Uuid>,
    /// Whether also what stands further below that app, and not directly.
    pub below: bool,
    /// Enabled or disabled.
    pub state: Option<AppState>,
}

/// The app of this id.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(reader: &impl Reader, organization: Uuid, id: Uuid) -> Result<Option<App>, StoreError> {
    let select = select_by_id::<Entity>(id).filter(Column::OrganizationId.eq(organization));
    Ok(select.one(reader.connection()).await?.map(App::from))
}

/// The app of this slug.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_slug(reader: &impl Reader, organization: Uuid, slug: &str) -> Result<Option<App>, StoreError> {
    let select = select::<Entity>().filter(Column::OrganizationId.eq(organization)).filter(Column::Slug.eq(slug));
    Ok(select.one(reader.connection()).await?.map(App::from))
}

/// The apps of these ids, in no order; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_many(reader: &impl Reader, organization: Uuid, ids: &[Uuid]) -> Result<Vec<App>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Id.is_in(ids.iter().copied()));
    Ok(select.all(reader.connection()).await?.into_iter().map(App::from).collect())
}

/// Every app of an organization, in the order of creation; for imports and tables of all rights.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_all(reader: &impl Reader, organization: Uuid) -> Result<Vec<App>, StoreError> {
    let select = select::<Entity>().filter(Column::OrganizationId.eq(organization)).order_by_asc(Column::Id);
    Ok(select.all(reader.connection()).await?.into_iter().map(App::from).collect())
}

/// The ids of every app of a kind, enabled or not.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn ids_of_kind(reader: &impl Reader, organization: Uuid, kind: &str) -> Result<Vec<Uuid>, StoreError> {
    let select = select::<Entity>().select_only().column(Column::Id).filter(Column::OrganizationId.eq(organization));
    let select = select.filter(Column::Kind.eq(kind)).order_by_asc(Column::Id);
    Ok(select.into_tuple().all(reader.connection()).await?)
}

/// The apps that are seen, by name.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(
    reader: &impl Reader,
    visibility: &Visibility,
    filter: &AppFilter,
    request: &PageRequest,
) -> Result<Page<App>, StoreError> {
    let database = reader.connection().get_database_backend();
    let search = filter.search.as_deref().map(|text| contains(database, [Column::Name, Column::Slug], text));
    let under = |parent: Uuid| {
        if filter.below {
            Column::Id.in_subquery(descendants(visibility.organization(), vec![parent]))
        } else {
            Column::ParentId.eq(parent)
        }
    };
    let select = select::<Entity>().filter(
        visible(visibility)
            .add_option(filter.kind.as_deref().map(|kind| Column::Kind.eq(kind)))
            .add_option(filter.parent.map(under))
            .add_option(filter.state.map(|state| Column::State.eq(state)))
            .add_option(search),
    );
    page(reader, select, Order { key: Some(Column::Name), id: Column::Id, descending: false }, request).await
}

/// Makes an app.
///
/// # Errors
/// [`StoreError::Conflict`] (`app_organization_id_slug_key`) when the slug is taken, [`StoreError::PermitMismatch`] when the
/// permit is for another app or another one above it.
pub async fn insert(tx: &Tx, permit: Permit<CreateApp>, app: App) -> Result<App, StoreError> {
    covers_row(&permit, app.organization_id, &[app.id, app.parent_id.unwrap_or(app.id)])?;
    Ok(ActiveModel::from(app).insert(tx.connection()).await?.into())
}

/// Makes many apps, those above before those below.
///
/// # Errors
/// [`StoreError::Conflict`] (`app_organization_id_slug_key`), [`StoreError::PermitMismatch`].
pub async fn insert_many(tx: &Tx, permit: Permit<CreateApp>, apps: Vec<App>) -> Result<(), StoreError> {
    for app in &apps {
        covers_row(&permit, app.organization_id, &[])?;
    }
    insert_all(tx, apps.into_iter().map(ActiveModel::from).collect()).await
}

/// Renames an app, enables, disables or moves it. That it is not moved below itself, the service has seen.
///
/// # Errors
/// [`StoreError::Conflict`] (`app_organization_id_slug_key`) when the slug is taken, [`StoreError::PermitMismatch`].
pub async fn update(
    tx: &Tx,
    permit: Permit<UpdateApp>,
    (organization, id): (Uuid, Uuid),
    changes: AppChanges,
) -> Result<App, StoreError> {
    covers_row(&permit, organization, &[id])?;
    let AppChanges { slug, name, state, visibility, parent } = changes;
    let mut row = <ActiveModel as ActiveModelTrait>::default();
    row.slug = slug.map_or(row.slug, Set);
    row.name = name.map_or(row.name, Set);
    row.state = state.map_or(row.state, Set);
    row.visibility = visibility.map_or(row.visibility, Set);
    row.parent_id = parent.map_or(row.parent_id, Set);
    let update =
        Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::OrganizationId.eq(organization));
    update.exec(tx.connection()).await?;
    written(find_by_id(tx, organization, id).await?, id)
}

/// Deletes an app with every grant on it. The service refuses one that has apps below it; the database would too.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn delete(tx: &Tx, permit: Permit<DeleteApp>, organization: Uuid, id: Uuid) -> Result<App, StoreError> {
    covers_row(&permit, organization, &[id])?;
    let app = written(find_by_id(tx, organization, id).await?, id)?;
    let delete = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::OrganizationId.eq(organization));
    delete.exec(tx.connection()).await?;
    Ok(app)
}
