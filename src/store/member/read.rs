//! Finding members.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use gatehouse_entity::{
    member::{Column, Entity},
    team_member,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use uuid::Uuid;

use super::{Member, MemberState, people, roles};
use crate::{
    ablate,
    access::Visibility,
    store::{
        Page, PageRequest, Reader, StoreError,
        organization::{self, OrganizationState},
        page::{Order, page},
        search::contains,
        select::{select, select_by_id},
    },
};

/// Which members to list; nothing set is all of them.
#[derive(Debug, Clone, Default)]
pub struct MemberFilter {
    /// In one of these states.
    pub states: Vec<MemberState>,
    /// Whose name, address or login name contains this.
    pub search: Option<String>,
    /// Who hold an organization role.
    pub role: Option<Holding>,
    /// Who are in one team, not counting the teams below it.
    pub team: Option<Uuid>,
    /// To whom something is given on one of these apps.
    pub apps: Option<Vec<Uuid>>,
}

/// Holding an organization role at a moment.
#[derive(Debug, Clone)]
pub struct Holding {
    /// The role's key.
    pub role: String,
    /// When.
    pub now: DateTime<Utc>,
}

/// One of a person's places, with what a switcher between organizations shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The place.
    pub member: Member,
    /// The organization's name.
    pub organization_name: String,
    /// The organization's slug.
    pub organization_slug: String,
    /// What the organization has set for itself, one object.
    pub organization_settings: serde_json::Value,
    /// The blueprint version the organization pins.
    pub blueprint_id: Uuid,
    /// The organization roles held, by key.
    pub roles: Vec<String>,
}

/// The member of this id.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(reader: &impl Reader, organization: Uuid, id: Uuid) -> Result<Option<Member>, StoreError> {
    let mut select = select_by_id::<Entity>(id);
    if !ablate::off("tenant_scope") {
        select = select.filter(Column::OrganizationId.eq(organization));
    }
    Ok(select.one(reader.connection()).await?.map(Member::from))
}

/// A person's place in an organization.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_user(reader: &impl Reader, organization: Uuid, user: Uuid) -> Result<Option<Member>, StoreError> {
    let select = select::<Entity>().filter(Column::OrganizationId.eq(organization)).filter(Column::UserId.eq(user));
    Ok(select.one(reader.connection()).await?.map(Member::from))
}

/// The member of this normalized address who has not left.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_email(
    reader: &impl Reader,
    organization: Uuid,
    email: &str,
) -> Result<Option<Member>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Email.eq(email))
        .filter(Column::State.ne(MemberState::Archived));
    Ok(select.one(reader.connection()).await?.map(Member::from))
}

/// The members of these normalized addresses who have not left; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn of_emails(reader: &impl Reader, organization: Uuid, emails: &[&str]) -> Result<Vec<Member>, StoreError> {
    if emails.is_empty() {
        return Ok(Vec::new());
    }
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Email.is_in(emails.iter().copied()))
        .filter(Column::State.ne(MemberState::Archived));
    Ok(select.all(reader.connection()).await?.into_iter().map(Member::from).collect())
}

/// The member of this login name.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_handle(
    reader: &impl Reader,
    organization: Uuid,
    handle: &str,
) -> Result<Option<Member>, StoreError> {
    let select = select::<Entity>().filter(Column::OrganizationId.eq(organization)).filter(Column::Handle.eq(handle));
    Ok(select.one(reader.connection()).await?.map(Member::from))
}

/// The members of these ids, in no order; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_many(reader: &impl Reader, organization: Uuid, ids: &[Uuid]) -> Result<Vec<Member>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Id.is_in(ids.iter().copied()));
    Ok(select.all(reader.connection()).await?.into_iter().map(Member::from).collect())
}

/// Every member of an organization, in the order of creation; for imports and tables of all rights.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_all(reader: &impl Reader, organization: Uuid) -> Result<Vec<Member>, StoreError> {
    let select = select::<Entity>().filter(Column::OrganizationId.eq(organization)).order_by_asc(Column::Id);
    Ok(select.all(reader.connection()).await?.into_iter().map(Member::from).collect())
}

/// The members that are seen, by name. A place that nobody ever took, because its invitation came to nothing, is none.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(
    reader: &impl Reader,
    visibility: &Visibility,
    filter: &MemberFilter,
    request: &PageRequest,
) -> Result<Page<Member>, StoreError> {
    let select = matching(reader, visibility, filter);
    page(reader, select, Order { key: Some(Column::Name), id: Column::Id, descending: false }, request).await
}

/// How many of those are in each state; a state that nobody is in is left out. One statement.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn count_by_state(
    reader: &impl Reader,
    visibility: &Visibility,
    filter: &MemberFilter,
) -> Result<Vec<(MemberState, u64)>, StoreError> {
    let select = matching(reader, visibility, filter)
        .select_only()
        .column(Column::State)
        .column_as(Column::Id.count(), "members")
        .group_by(Column::State);
    let rows = select.into_tuple::<(MemberState, i64)>().all(reader.connection()).await?;
    let count = |(state, count): (MemberState, i64)| {
        let count = u64::try_from(count).map_err(|_| StoreError::Corrupt(format!("{count} members")))?;
        Ok((state, count))
    };
    rows.into_iter().map(count).collect()
}

fn matching(reader: &impl Reader, visibility: &Visibility, filter: &MemberFilter) -> Select<Entity> {
    let database = reader.connection().get_database_backend();
    let organization = visibility.organization();
    let named = [Column::Name, Column::Email, Column::Handle];
    let states = (!filter.states.is_empty()).then(|| Column::State.is_in(filter.states.iter().copied()));
    let holders = filter
        .role
        .as_ref()
        .map(|holding| Column::Id.in_subquery(roles::holders(organization, &holding.role, holding.now).into_query()));
    let team = filter.team.map(|team| {
        let inside = select::<team_member::Entity>()
            .select_only()
            .column(team_member::Column::MemberId)
            .filter(team_member::Column::OrganizationId.eq(organization))
            .filter(team_member::Column::TeamId.eq(team));
        Column::Id.in_subquery(inside.into_query())
    });
    let taken = Condition::any().add(Column::State.ne(MemberState::Archived)).add(Column::JoinedAt.is_not_null());
    select::<Entity>().filter(
        people::visible(visibility)
            .add(taken)
            .add_option(states)
            .add_option(filter.search.as_deref().map(|text| contains(database, named, text)))
            .add_option(holders)
            .add_option(team)
            .add_option(filter.apps.as_ref().map(|apps| people::holding(organization, apps.clone()))),
    )
}

/// All places a person has in open organizations, by the organization's name. Three statements.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn memberships_of_user(
    reader: &impl Reader,
    user: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Membership>, StoreError> {
    let select = select::<Entity>().filter(Column::UserId.eq(user)).filter(Column::State.ne(MemberState::Archived));
    let members = select.all(reader.connection()).await?;
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let organizations: Vec<Uuid> = members.iter().map(|member| member.organization_id).collect();
    let open = organization::find_many(reader, &organizations).await?.into_iter();
    let mut open: HashMap<Uuid, _> =
        open.filter(|found| found.state == OrganizationState::Active).map(|found| (found.id, found)).collect();
    let ids: Vec<Uuid> = members.iter().map(|member| member.id).collect();
    let mut held: HashMap<Uuid, Vec<String>> = HashMap::new();
    for (member, role) in roles::held(reader, &ids, now).await? {
        held.entry(member).or_default().push(role);
    }
    let mut places: Vec<Membership> = members
        .into_iter()
        .filter_map(|row| {
            let organization = open.remove(&row.organization_id)?;
            Some(Membership {
                roles: held.remove(&row.id).unwrap_or_default(),
                member: row.into(),
                organization_name: organization.name,
                organization_slug: organization.slug,
                organization_settings: organization.settings,
                blueprint_id: organization.blueprint_id,
            })
        })
        .collect();
    places.sort_by(|a, b| (&a.organization_name, a.member.id).cmp(&(&b.organization_name, b.member.id)));
    Ok(places)
}
