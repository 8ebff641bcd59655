//! Activity: who did what to which target. Entries never change; they end by retention.

use chrono::{DateTime, Utc};
pub use gatehouse_entity::activity_entry::{ActivityCategory, ActorKind};
use gatehouse_entity::{
    activity_entry::{ActiveModel, Column, Entity, Model},
    app as app_table,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set};
use uuid::Uuid;

use super::{
    Page, PageRequest, Reader, StoreError, Tx, app,
    page::{Order, page},
    select::{select, select_by_id},
    visibility::{Columns, condition},
    write::{covers_row, insert_all},
};
use crate::access::{
    Author, Permit, PrincipalKind, Visibility,
    verb::{Purge, RecordActivity},
};

/// Who did it, by the name of the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Which one; none for the gateway itself.
    pub id: Option<Uuid>,
    /// Its name at the time.
    pub name: String,
}

/// A thing named as it was called at the time, whether or not it still exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What kind of thing.
    pub kind: String,
    /// Which one, in its own terms.
    pub id: Option<String>,
    /// Its name at the time.
    pub name: String,
}

/// The app it was done in, which may be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppName {
    /// Its id.
    pub id: Uuid,
    /// Its name at the time.
    pub name: String,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityEntry {
    /// Its id, in the order of recording.
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Which log.
    pub category: ActivityCategory,
    /// Who did it.
    pub actor: Actor,
    /// What was done, by its key.
    pub action: String,
    /// The app it was done in.
    pub app: Option<AppName>,
    /// What it was done to.
    pub target: Target,
    /// What else a reader wants to know, one object.
    pub detail: serde_json::Value,
    /// From when retention may remove it.
    pub expires_at: Option<DateTime<Utc>>,
}

impl From<Model> for ActivityEntry {
    fn from(row: Model) -> Self {
        let app = row.app_id.map(|id| AppName { id, name: row.app_name.unwrap_or_default() });
        Self {
            id: row.id,
            organization_id: row.organization_id,
            at: row.at,
            category: row.category,
            actor: Actor { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
            action: row.action,
            app,
            target: Target { kind: row.target_kind, id: row.target_id, name: row.target_name },
            detail: row.detail,
            expires_at: row.expires_at,
        }
    }
}

impl From<ActivityEntry> for ActiveModel {
    fn from(entry: ActivityEntry) -> Self {
        let (app_id, app_name) = entry.app.map_or((None, None), |app| (Some(app.id), Some(app.name)));
        Self {
            id: Set(entry.id),
            organization_id: Set(entry.organization_id),
            at: Set(entry.at),
            category: Set(entry.category),
            actor_kind: Set(entry.actor.kind),
            actor_id: Set(entry.actor.id),
            actor_name: Set(entry.actor.name),
            action: Set(entry.action),
            app_id: Set(app_id),
            app_name: Set(app_name),
            target_kind: Set(entry.target.kind),
            target_id: Set(entry.target.id),
            target_name: Set(entry.target.name),
            detail: Set(entry.detail),
            expires_at: Set(entry.expires_at),
        }
    }
}

impl Actor {
    /// The author of a permit, as entries name it.
    #[must_use]
    pub fn of(author: Author, name: String) -> Self {
        let (kind, id) = match author {
            Author::Principal(principal) => match principal.kind {
                PrincipalKind::Member => (ActorKind::Member, Some(principal.id)),
                PrincipalKind::ServiceAccount => (ActorKind::ServiceAccount, Some(principal.id)),
            },
            Author::User(id) => (ActorKind::User, Some(id)),
            Author::System(_) => (ActorKind::System, None),
        };
        Self { kind, id, name }
    }
}

/// Which entries to list; nothing set is all of them.
#[derive(Debug, Clone, Default)]
pub struct ActivityFilter {
    /// Of one log.
    pub category: Option<ActivityCategory>,
    /// In one app.
    pub app: Option<Uuid>,
    /// By one actor.
    pub actor: Option<Uuid>,
    /// To things of one kind.
    pub target_kind: Option<String>,
    /// To one thing.
    pub target_id: Option<String>,
    /// At this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
    /// Only in apps that are seen, or in none.
    pub apps: Option<Visibility>,
}

/// The entry of this id.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(
    reader: &impl Reader,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<ActivityEntry>, StoreError> {
    let select = select_by_id::<Entity>(id).filter(Column::OrganizationId.eq(organization));
    Ok(select.one(reader.connection()).await?.map(ActivityEntry::from))
}

/// Entries, the newest first.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(
    reader: &impl Reader,
    visibility: &Visibility,
    filter: &ActivityFilter,
    request: &PageRequest,
) -> Result<Page<ActivityEntry>, StoreError> {
    let columns = Columns { organization: Column::OrganizationId, kind: Column::Category, id: Column::Id };
    let apps = filter.apps.as_ref().map(|apps| {
        let seen = select::<app_table::Entity>().select_only().column(app_table::Column::Id).filter(app::visible(apps));
        Condition::any().add(Column::AppId.is_null()).add(Column::AppId.in_subquery(seen.into_query()))
    });
    let select = select::<Entity>().filter(
        condition(visibility, columns)
            .add_option(filter.category.map(|category| Column::Category.eq(category)))
            .add_option(filter.app.map(|app| Column::AppId.eq(app)))
            .add_option(filter.actor.map(|actor| Column::ActorId.eq(actor)))
            .add_option(filter.target_kind.as_deref().map(|kind| Column::TargetKind.eq(kind)))
            .add_option(filter.target_id.as_deref().map(|id| Column::TargetId.eq(id)))
            .add_option(filter.since.map(|since| Column::At.gte(since)))
            .add_option(filter.until.map(|until| Column::At.lt(until)))
            .add_option(apps),
    );
    page(reader, select, Order { key: None, id: Column::Id, descending: true }, request).await
}

/// Records what another write of the same transaction did. That write had the permit.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn insert_many(tx: &Tx, entries: Vec<ActivityEntry>) -> Result<(), StoreError> {
    insert_all(tx, entries.into_iter().map(ActiveModel::from).collect()).await
}

/// Records what happened in a product.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when an entry is another organization's.
pub async fn record(
    tx: &Tx,
    permit: Permit<RecordActivity>,
    entries: Vec<ActivityEntry>,
) -> Result<Vec<ActivityEntry>, StoreError> {
    for entry in &entries {
        covers_row(&permit, entry.organization_id, &[entry.id])?;
    }
    insert_many(tx, entries.clone()).await?;
    Ok(entries)
}

/// Removes at most so many entries that are past their retention; the number removed.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn purge_expired(tx: &Tx, permit: Permit<Purge>, now: DateTime<Utc>, limit: u64) -> Result<u64, StoreError> {
    let past = select::<Entity>()
        .select_only()
        .column(Column::Id)
        .filter(Column::ExpiresAt.lte(now))
        .filter(Condition::all().add_option(permit.organization().map(|id| Column::OrganizationId.eq(id))))
        .order_by_asc(Column::ExpiresAt)
        .limit(limit);
    let delete = Entity::delete_many().filter(Column::Id.in_subquery(past.into_query()));
    Ok(delete.exec(tx.connection()).await?.rows_affected)
}
