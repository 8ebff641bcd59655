//! Who is in which team.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
pub use gatehouse_entity::team_member::TeamRole;
use gatehouse_entity::{
    team,
    team_member::{ActiveModel, Column, Entity, Model},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set,
    sea_query::{Expr, JoinType, OnConflict},
};
use uuid::Uuid;

use super::{
    Page, PageRequest, Reader, StoreError, Tx,
    page::{Order, page},
    select::{select, select_by_id},
    team::Team,
    visibility::{Columns, condition},
    write::{covers_row, insert_all, written},
};
use crate::access::{
    Permit, Visibility,
    verb::{ManageTeamMaintainer, ManageTeamMember},
};

/// A member's place in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamMember {
    /// The team.
    pub team_id: Uuid,
    /// The member.
    pub member_id: Uuid,
    /// Where both are.
    pub organization_id: Uuid,
    /// Member or maintainer.
    pub role: TeamRole,
    /// Since when.
    pub added_at: DateTime<Utc>,
}

impl From<Model> for TeamMember {
    fn from(row: Model) -> Self {
        let Model { team_id, member_id, organization_id, role, added_at } = row;
        Self { team_id, member_id, organization_id, role, added_at }
    }
}

impl From<TeamMember> for ActiveModel {
    fn from(place: TeamMember) -> Self {
        let TeamMember { team_id, member_id, organization_id, role, added_at } = place;
        Self {
            team_id: Set(team_id),
            member_id: Set(member_id),
            organization_id: Set(organization_id),
            role: Set(role),
            added_at: Set(added_at),
        }
    }
}

/// A team as one of its members has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamOfMember {
    /// The member.
    pub member_id: Uuid,
    /// Member or maintainer.
    pub role: TeamRole,
    /// The team.
    pub team: Team,
}

/// A place in a team: the organization, the team, the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceInTeam {
    /// Where both are.
    pub organization: Uuid,
    /// The team.
    pub team: Uuid,
    /// The member.
    pub member: Uuid,
}

/// A member's place in a team.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find(reader: &impl Reader, place: PlaceInTeam) -> Result<Option<TeamMember>, StoreError> {
    let select =
        select_by_id::<Entity>((place.team, place.member)).filter(Column::OrganizationId.eq(place.organization));
    Ok(select.one(reader.connection()).await?.map(TeamMember::from))
}

/// The places of these members in one team, in no order; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_many(
    reader: &impl Reader,
    organization: Uuid,
    team: Uuid,
    members: &[Uuid],
) -> Result<Vec<TeamMember>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::TeamId.eq(team))
        .filter(Column::MemberId.is_in(members.iter().copied()));
    Ok(select.all(reader.connection()).await?.into_iter().map(TeamMember::from).collect())
}

/// Every place in every team of an organization; for imports.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_all(reader: &impl Reader, organization: Uuid) -> Result<Vec<TeamMember>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .order_by_asc(Column::TeamId)
        .order_by_asc(Column::MemberId);
    Ok(select.all(reader.connection()).await?.into_iter().map(TeamMember::from).collect())
}

/// The members of any of these teams, not counting those of the teams below.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn members_of(
    reader: &impl Reader,
    organization: Uuid,
    teams: &[Uuid],
) -> Result<BTreeSet<Uuid>, StoreError> {
    let select = select::<Entity>()
        .select_only()
        .column(Column::MemberId)
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::TeamId.is_in(teams.iter().copied()));
    let members: Vec<Uuid> = select.into_tuple().all(reader.connection()).await?;
    Ok(members.into_iter().collect())
}

/// The places in a team whose members are seen, in the order in which the members came to the organization; a cursor's id is
/// the member's.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(
    reader: &impl Reader,
    members: &Visibility,
    team: Uuid,
    request: &PageRequest,
) -> Result<Page<TeamMember>, StoreError> {
    let columns = Columns { organization: Column::OrganizationId, kind: Column::Role, id: Column::MemberId };
    let select = select::<Entity>().filter(condition(members, columns)).filter(Column::TeamId.eq(team));
    page(reader, select, Order { key: None, id: Column::MemberId, descending: false }, request).await
}

/// The seen teams that each of these members is in, not counting those above, by name; for batched loading. One statement.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn teams_of_members(
    reader: &impl Reader,
    teams: &Visibility,
    members: &[Uuid],
) -> Result<Vec<TeamOfMember>, StoreError> {
    let columns =
        Columns { organization: team::Column::OrganizationId, kind: team::Column::Privacy, id: team::Column::Id };
    let place = |column: Column| Expr::col((Entity, column));
    let mut select = select::<team::Entity>()
        .filter(condition(teams, columns))
        .filter(Column::MemberId.is_in(members.iter().copied()))
        .order_by_asc(team::Column::Name)
        .order_by_asc(team::Column::Id);
    QueryTrait::query(&mut select)
        .expr_as(place(Column::MemberId), "place_member")
        .expr_as(place(Column::Role), "place_role")
        .join(JoinType::InnerJoin, Entity, place(Column::TeamId).equals((team::Entity, team::Column::Id)));
    let rows = reader.connection().query_all(&select.into_query()).await?;
    let read = |row: &sea_orm::QueryResult| {
        let team = team::Model::from_query_result(row, "")?.into();
        Ok(TeamOfMember { member_id: row.try_get("", "place_member")?, role: row.try_get("", "place_role")?, team })
    };
    rows.iter().map(read).collect()
}

/// Puts a member into a team, as a plain member; who is in it stays as it is.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the permit is for another team, [`StoreError::Query`] for a team or member of another
/// organization.
pub async fn add(
    tx: &Tx,
    permit: Permit<ManageTeamMember>,
    place: PlaceInTeam,
    now: DateTime<Utc>,
) -> Result<TeamMember, StoreError> {
    covers_row(&permit, place.organization, &[place.team])?;
    let row = ActiveModel {
        team_id: Set(place.team),
        member_id: Set(place.member),
        organization_id: Set(place.organization),
        role: Set(TeamRole::Member),
        added_at: Set(now),
    };
    let stays = OnConflict::columns([Column::TeamId, Column::MemberId]).do_nothing().to_owned();
    Entity::insert(row).on_conflict(stays).exec_without_returning(tx.connection()).await?;
    written(find(tx, place).await?, place.team)
}

/// Puts many members into teams, where they are not yet.
///
/// # Errors
/// [`StoreError::Conflict`] (`team_member_team_id_member_id_key`), [`StoreError::PermitMismatch`].
pub async fn insert_many(tx: &Tx, permit: Permit<ManageTeamMember>, places: Vec<TeamMember>) -> Result<(), StoreError> {
    for place in &places {
        covers_row(&permit, place.organization_id, &[place.team_id])?;
    }
    insert_all(tx, places.into_iter().map(ActiveModel::from).collect()).await
}

/// Takes a member out of a team; `None` when it is not in it.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the permit is for another team.
pub async fn remove(
    tx: &Tx,
    permit: Permit<ManageTeamMember>,
    place: PlaceInTeam,
) -> Result<Option<TeamMember>, StoreError> {
    covers_row(&permit, place.organization, &[place.team])?;
    let Some(found) = find(tx, place).await? else { return Ok(None) };
    Entity::delete_by_id((place.team, place.member)).exec(tx.connection()).await?;
    Ok(Some(found))
}

/// Makes a member of a team its maintainer, or a plain member again.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the permit is for another team, or the member is not in it.
pub async fn set_role(
    tx: &Tx,
    permit: Permit<ManageTeamMaintainer>,
    place: PlaceInTeam,
    role: TeamRole,
) -> Result<TeamMember, StoreError> {
    covers_row(&permit, place.organization, &[place.team])?;
    let update = Entity::update_many()
        .set(ActiveModel { role: Set(role), ..Default::default() })
        .filter(Column::TeamId.eq(place.team))
        .filter(Column::MemberId.eq(place.member))
        .filter(Column::OrganizationId.eq(place.organization));
    update.exec(tx.connection()).await?;
    written(find(tx, place).await?, place.member)
}
