//! Teams: groups of members, nestable.

use chrono::{DateTime, Utc};
pub use gatehouse_entity::team::TeamPrivacy;
use gatehouse_entity::{
    team::{ActiveModel, Column, Entity, Model},
    team_member,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    Statement,
};
use uuid::Uuid;

use super::{
    Page, PageRequest, Reader, StoreError, Tx,
    page::{Order, page},
    search::contains,
    select::{select, select_by_id},
    visibility::{Columns, condition},
    write::{covers_row, insert_all, written},
};
use crate::access::{
    Permit, Visibility,
    verb::{CreateTeam, DeleteTeam, UpdateTeam},
};

/// A team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// Lower-case name; unique in the organization.
    pub slug: String,
    /// Name as shown.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The team it lies in.
    pub parent_id: Option<Uuid>,
    /// Who may see that it exists.
    pub privacy: TeamPrivacy,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl From<Model> for Team {
    fn from(row: Model) -> Self {
        let Model { id, organization_id, slug, name, description, parent_id, privacy, created_at } = row;
        Self { id, organization_id, slug, name, description, parent_id, privacy, created_at }
    }
}

impl From<Team> for ActiveModel {
    fn from(team: Team) -> Self {
        Self {
            id: Set(team.id),
            organization_id: Set(team.organization_id),
            slug: Set(team.slug),
            name: Set(team.name),
            description: Set(team.description),
            parent_id: Set(team.parent_id),
            privacy: Set(team.privacy),
            created_at: Set(team.created_at),
        }
    }
}

/// What may change of a team; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct TeamChanges {
    /// Another slug.
    pub slug: Option<String>,
    /// Another name.
    pub name: Option<String>,
    /// Another description.
    pub description: Option<String>,
    /// Another team to lie in, or none. The service has seen that no circle closes.
    pub parent: Option<Option<Uuid>>,
    /// Another privacy.
    pub privacy: Option<TeamPrivacy>,
}

/// Where in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// At the top.
    Nothing,
    /// Directly below a team.
    Team(Uuid),
}

/// Which teams to list; nothing set is all of them.
#[derive(Debug, Clone, Default)]
pub struct TeamFilter {
    /// At one place of the tree.
    pub parent: Option<Below>,
    /// Whose name or slug contains this.
    pub search: Option<String>,
    /// That one member is in, not counting those above.
    pub member: Option<Uuid>,
}

/// The team of this id.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(reader: &impl Reader, organization: Uuid, id: Uuid) -> Result<Option<Team>, StoreError> {
    let select = select_by_id::<Entity>(id).filter(Column::OrganizationId.eq(organization));
    Ok(select.one(reader.connection()).await?.map(Team::from))
}

/// The team of this slug.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_slug(reader: &impl Reader, organization: Uuid, slug: &str) -> Result<Option<Team>, StoreError> {
    let select = select::<Entity>().filter(Column::OrganizationId.eq(organization)).filter(Column::Slug.eq(slug));
    Ok(select.one(reader.connection()).await?.map(Team::from))
}

/// The teams of these ids, in no order; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_many(reader: &impl Reader, organization: Uuid, ids: &[Uuid]) -> Result<Vec<Team>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Id.is_in(ids.iter().copied()));
    Ok(select.all(reader.connection()).await?.into_iter().map(Team::from).collect())
}

/// Every team of an organization, in the order of creation; for imports and tables of all rights.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_all(reader: &impl Reader, organization: Uuid) -> Result<Vec<Team>, StoreError> {
    let select = select::<Entity>().filter(Column::OrganizationId.eq(organization)).order_by_asc(Column::Id);
    Ok(select.all(reader.connection()).await?.into_iter().map(Team::from).collect())
}

/// The ids of the teams above a team, the nearest first.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn ancestors(reader: &impl Reader, organization: Uuid, id: Uuid) -> Result<Vec<Uuid>, StoreError> {
    // Nobody can close a circle, but one made past the store must still end.
    const SQL: &str = "
        WITH RECURSIVE above (id, depth) AS (
          SELECT t.parent_id, 1 FROM team t
          WHERE t.organization_id = $1 AND t.id = $2 AND t.parent_id IS NOT NULL
          UNION ALL
          SELECT t.parent_id, a.depth + 1 FROM above a JOIN team t ON t.id = a.id
          WHERE t.organization_id = $1 AND t.parent_id IS NOT NULL AND a.depth < 64)
        SELECT id FROM above ORDER BY depth";
    let connection = reader.connection();
    let values = [organization.into(), id.into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), SQL, values);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// Whether teams lie in a team.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn has_children(reader: &impl Reader, organization: Uuid, id: Uuid) -> Result<bool, StoreError> {
    let select = select::<Entity>().filter(Column::OrganizationId.eq(organization)).filter(Column::ParentId.eq(id));
    Ok(select.one(reader.connection()).await?.is_some())
}

/// The teams that are seen, by name.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(
    reader: &impl Reader,
    visibility: &Visibility,
    filter: &TeamFilter,
    request: &PageRequest,
) -> Result<Page<Team>, StoreError> {
    let database = reader.connection().get_database_backend();
    let organization = visibility.organization();
    let columns = Columns { organization: Column::OrganizationId, kind: Column::Privacy, id: Column::Id };
    let parent = filter.parent.map(|below| match below {
        Below::Nothing => Column::ParentId.is_null(),
        Below::Team(parent) => Column::ParentId.eq(parent),
    });
    let member = filter.member.map(|member| {
        let joined = select::<team_member::Entity>()
            .select_only()
            .column(team_member::Column::TeamId)
            .filter(team_member::Column::OrganizationId.eq(organization))
            .filter(team_member::Column::MemberId.eq(member));
        Column::Id.in_subquery(joined.into_query())
    });
    let search = filter.search.as_deref().map(|text| contains(database, [Column::Name, Column::Slug], text));
    let filter = condition(visibility, columns).add_option(parent).add_option(member).add_option(search);
    let order = Order { key: Some(Column::Name), id: Column::Id, descending: false };
    page(reader, select::<Entity>().filter(filter), order, request).await
}

/// Makes a team.
///
/// # Errors
/// [`StoreError::Conflict`] (`team_organization_id_slug_key`) when the slug is taken, [`StoreError::PermitMismatch`].
pub async fn insert(tx: &Tx, permit: Permit<CreateTeam>, team: Team) -> Result<Team, StoreError> {
    covers_row(&permit, team.organization_id, &[team.id])?;
    Ok(ActiveModel::from(team).insert(tx.connection()).await?.into())
}

/// Makes many teams, those above before those below.
///
/// # Errors
/// [`StoreError::Conflict`] (`team_organization_id_slug_key`), [`StoreError::PermitMismatch`].
pub async fn insert_many(tx: &Tx, permit: Permit<CreateTeam>, teams: Vec<Team>) -> Result<(), StoreError> {
    for team in &teams {
        covers_row(&permit, team.organization_id, &[])?;
    }
    insert_all(tx, teams.into_iter().map(ActiveModel::from).collect()).await
}

/// Renames, describes or moves a team.
///
/// # Errors
/// [`StoreError::Conflict`] (`team_organization_id_slug_key`) when the slug is taken, [`StoreError::PermitMismatch`].
pub async fn update(
    tx: &Tx,
    permit: Permit<UpdateTeam>,
    (organization, id): (Uuid, Uuid),
    changes: TeamChanges,
) -> Result<Team, StoreError> {
    covers_row(&permit, organization, &[id])?;
    let TeamChanges { slug, name, description, parent, privacy } = changes;
    let mut row = <ActiveModel as ActiveModelTrait>::default();
    row.slug = slug.map_or(row.slug, Set);
    row.name = name.map_or(row.name, Set);
    row.description = description.map_or(row.description, Set);
    row.parent_id = parent.map_or(row.parent_id, Set);
    row.privacy = privacy.map_or(row.privacy, Set);
    let update =
        Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::OrganizationId.eq(organization));
    update.exec(tx.connection()).await?;
    written(find_by_id(tx, organization, id).await?, id)
}

/// Deletes a team with its grants and memberships. The service refuses one that has teams in it; the database would too.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn delete(tx: &Tx, permit: Permit<DeleteTeam>, organization: Uuid, id: Uuid) -> Result<Team, StoreError> {
    covers_row(&permit, organization, &[id])?;
    let team = written(find_by_id(tx, organization, id).await?, id)?;
    let delete = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::OrganizationId.eq(organization));
    delete.exec(tx.connection()).await?;
    Ok(team)
}
