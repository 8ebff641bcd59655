//! Teams: groups of members, nested, that are granted what a member can be.

pub mod mutation;

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Context, Enum, ID, Object, Result, SimpleObject,
    connection::PageInfo,
    dataloader::{DataLoader, Loader},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use mutation::TeamMutation;

use super::{
    context::InContext,
    error::error,
    grant::{GrantConnection, grants_of},
    member::Member,
    node::NodeType,
    page::{Connection, Listed, PageArgs, connection},
};
use crate::{
    access::Grantee,
    service::{
        self, Access, Service, Standing,
        page::{Page, PageRequest, Position, SortKey},
        team::{Below, TeamOfMember, TeamQuery},
    },
};

/// Who sees that a team exists (S5.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "service::team::TeamPrivacy")]
pub enum TeamPrivacy {
    /// Every member who sees teams.
    Closed,
    /// Its own members, and those who see secret teams.
    Secret,
}

/// What a member is in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "service::team::TeamRole")]
pub enum TeamRole {
    /// Belongs to it.
    Member,
    /// Belongs to it, and adds and removes its members (S5.6).
    Maintainer,
}

/// A group of members. What it is granted, its members have, and those of the teams below it (S5.4, S5.5).
#[derive(Debug, Clone)]
pub struct Team {
    standing: Arc<Standing>,
    team: Arc<service::team::Team>,
}

impl Team {
    /// As this principal sees it.
    #[must_use]
    pub fn new(standing: Arc<Standing>, team: service::team::Team) -> Self {
        Self { standing, team: Arc::new(team) }
    }

    /// Its global id; for the interface.
    pub(super) async fn id(&self, _ctx: &Context<'_>) -> Result<ID> {
        Ok(NodeType::Team.id(self.team.id))
    }

    /// The team of this id, if the caller sees it.
    pub(super) async fn find(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>> {
        let Some(standing) = ctx.access()?.standing.clone() else { return Ok(None) };
        Ok(ctx.request()?.teams.find(id).await?.map(|team| Self::new(standing, team)))
    }
}

/// A group of members. What it is granted, its members have, and those of the teams below it (S5.4, S5.5).
#[Object]
impl Team {
    /// Global id.
    #[graphql(name = "id")]
    async fn global_id(&self) -> ID {
        NodeType::Team.id(self.team.id)
    }

    /// Lower-case name, for addresses; unique in the organization.
    async fn slug(&self) -> &str {
        &self.team.slug
    }

    /// Name as shown.
    async fn name(&self) -> &str {
        &self.team.name
    }

    /// What it is for.
    async fn description(&self) -> &str {
        &self.team.description
    }

    /// Who sees that it exists.
    async fn privacy(&self) -> TeamPrivacy {
        self.team.privacy.into()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.team.created_at
    }

    /// The team it stands under. Null at the top, and when that one is secret to the caller.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Self>> {
        match self.team.parent_id {
            Some(parent) => Self::find(ctx, parent).await,
            None => Ok(None),
        }
    }

    /// The teams directly under it that the caller sees, by name.
    async fn children(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<TeamConnection> {
        let query = TeamQuery { parent: Some(Below::Team(self.team.id)), ..TeamQuery::default() };
        page(ctx, PageArgs { first, after, last, before }, query).await
    }

    /// Its own members that the caller sees, those of teams below not counted, in the order in which they came to the
    /// organization.
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<TeamMemberConnection> {
        let listing = PageArgs { first, after, last, before };
        let listing = listing.listing(ctx, &format!("team.members:{}", self.team.id))?;
        let page = ctx.service()?.members_of_team(ctx.access()?, &self.team, &listing.request).await.map_err(error)?;
        listing.connection(ctx, page, |place| (place.member_id, place.role.into(), place.added_at))
    }

    /// What is given to it, in the order of giving; without what lies on apps that the caller does not see. Null for a caller
    /// who is neither in it nor holds `rights.read`.
    async fn grants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<GrantConnection>> {
        grants_of(ctx, Grantee::Team(self.team.id), PageArgs { first, after, last, before }).await
    }

    /// Whether the caller may add and remove its members (S5.6).
    async fn viewer_can_manage_members(&self) -> bool {
        let rights = &self.standing.rights;
        rights.inactive().is_none() && (rights.holds("teams.manage") || rights.maintains(self.team.id))
    }

    /// Whether the caller may change the team itself, name maintainers and delete it.
    async fn viewer_can_manage(&self) -> bool {
        self.standing.rights.inactive().is_none() && self.standing.rights.holds("teams.manage")
    }
}

impl Listed for service::team::Team {
    fn position(&self) -> Position {
        service::team::position(self)
    }
}

connection!(TeamConnection, TeamEdge, Team);

/// One page of a team's members.
#[derive(SimpleObject)]
pub struct TeamMemberConnection {
    /// The page's rows, each with its cursor.
    edges: Vec<TeamMemberEdge>,
    /// Whether there is more, and the cursors at both ends.
    page_info: PageInfo,
    /// How many the team has, as far as the caller may see them.
    total_count: i32,
}

/// A member's place in a team.
#[derive(Debug)]
pub struct TeamMemberEdge {
    member: Uuid,
    role: TeamRole,
    added_at: DateTime<Utc>,
    cursor: String,
}

/// A member's place in a team.
#[Object]
impl TeamMemberEdge {
    /// The member.
    async fn node(&self, ctx: &Context<'_>) -> Result<Option<Member>> {
        Member::find(ctx, self.member).await
    }

    /// What it is in the team.
    async fn role(&self) -> TeamRole {
        self.role
    }

    /// Since when.
    async fn added_at(&self) -> DateTime<Utc> {
        self.added_at
    }

    /// Where it stands: for `after` and `before` of the same list.
    async fn cursor(&self) -> &str {
        &self.cursor
    }
}

impl Connection for TeamMemberConnection {
    type Node = (Uuid, TeamRole, DateTime<Utc>);

    fn assemble(edges: Vec<(Self::Node, String)>, page_info: PageInfo, total_count: i32) -> Self {
        let edge = |((member, role, added_at), cursor)| TeamMemberEdge { member, role, added_at, cursor };
        Self { edges: edges.into_iter().map(edge).collect(), page_info, total_count }
    }
}

impl Listed for service::team::TeamMember {
    fn position(&self) -> Position {
        Position { key: SortKey::Id, id: self.member_id }
    }
}

async fn page(ctx: &Context<'_>, args: PageArgs, query: TeamQuery) -> Result<TeamConnection> {
    let standing = ctx.standing()?;
    let listing = args.listing(ctx, &format!("teams:{}:{query:?}", standing.place.id))?;
    let page = ctx.service()?.list_teams(ctx.access()?, query, &listing.request).await.map_err(error)?;
    listing.connection(ctx, page, |team| Team::new(Arc::clone(standing), team))
}

/// What an organization shows of its teams.
#[derive(Debug, Clone)]
pub struct OrganizationTeams;

#[Object]
impl OrganizationTeams {
    /// The teams that the caller sees, by name.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection, and of its filter")]
    async fn teams(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those whose name or slug contains this.")] search: Option<String>,
        #[graphql(desc = "Only those that stand under no other.")] top: Option<bool>,
    ) -> Result<TeamConnection> {
        let parent = top.unwrap_or(false).then_some(Below::Nothing);
        page(ctx, PageArgs { first, after, last, before }, TeamQuery { parent, search, member: None }).await
    }

    /// The team of this slug, if the caller sees it.
    async fn team(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its lower-case name.")] slug: String,
    ) -> Result<Option<Team>> {
        let found = ctx.service()?.find_team_by_slug(ctx.access()?, &slug).await.map_err(error)?;
        let standing = ctx.standing()?;
        Ok(found.map(|team| Team::new(Arc::clone(standing), team)))
    }
}

/// What a member shows of its teams.
#[derive(Debug, Clone)]
pub struct MemberTeams {
    /// The member's row.
    pub(super) member: Uuid,
}

impl Listed for TeamOfMember {
    fn position(&self) -> Position {
        service::team::position(&self.team)
    }
}

#[Object]
impl MemberTeams {
    /// The teams that the member is in itself, by name, as far as the caller sees them.
    async fn teams(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<MemberTeamConnection> {
        let listing = PageArgs { first, after, last, before };
        let listing = listing.listing(ctx, &format!("member.teams:{}", self.member))?;
        let teams = ctx.request()?.teams.0.load_one(TeamsOf(self.member)).await?.unwrap_or_default();
        let page = of_member(teams, &listing.request);
        let standing = ctx.standing()?;
        listing.connection(ctx, page, |place| (Team::new(Arc::clone(standing), place.team), place.role.into()))
    }
}

/// One page of a member's teams, which are whole in memory.
fn of_member(teams: Vec<TeamOfMember>, request: &PageRequest) -> Page<TeamOfMember> {
    service::capability::page(teams, Listed::position, request)
}

/// One page of a member's teams.
#[derive(SimpleObject)]
pub struct MemberTeamConnection {
    /// The page's rows, each with its cursor.
    edges: Vec<MemberTeamEdge>,
    /// Whether there is more, and the cursors at both ends.
    page_info: PageInfo,
    /// How many teams the member is in, as far as the caller may see them.
    total_count: i32,
}

/// A team that a member is in.
#[derive(Debug, SimpleObject)]
pub struct MemberTeamEdge {
    /// The team.
    node: Team,
    /// What the member is in it.
    role: TeamRole,
    /// Where it stands: for `after` and `before` of the same list.
    cursor: String,
}

impl Connection for MemberTeamConnection {
    type Node = (Team, TeamRole);

    fn assemble(edges: Vec<(Self::Node, String)>, page_info: PageInfo, total_count: i32) -> Self {
        let edge = |((node, role), cursor)| MemberTeamEdge { node, role, cursor };
        Self { edges: edges.into_iter().map(edge).collect(), page_info, total_count }
    }
}

/// Loads the teams that a page names in one statement.
#[derive(Clone)]
pub struct Teams(Arc<DataLoader<Batch>>);

struct Batch {
    service: Service,
    access: Access,
}

/// The teams of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct TeamsOf(Uuid);

impl std::fmt::Debug for Teams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Teams")
    }
}

impl Teams {
    /// For one request of this caller.
    #[must_use]
    pub fn new(service: Service, access: Access) -> Self {
        Self(Arc::new(DataLoader::new(Batch { service, access }, tokio::spawn)))
    }

    /// The team of this id, if the caller sees it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn find(&self, id: Uuid) -> Result<Option<service::team::Team>> {
        self.0.load_one(id).await
    }
}

impl Loader<Uuid> for Batch {
    type Value = service::team::Team;
    type Error = async_graphql::Error;

    async fn load(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, service::team::Team>> {
        self.service.teams_by_id(&self.access, ids).await.map_err(error)
    }
}

impl Loader<TeamsOf> for Batch {
    type Value = Vec<TeamOfMember>;
    type Error = async_graphql::Error;

    async fn load(&self, keys: &[TeamsOf]) -> Result<HashMap<TeamsOf, Vec<TeamOfMember>>> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let found = self.service.teams_of_members(&self.access, &ids).await.map_err(error)?;
        Ok(found.into_iter().map(|(member, teams)| (TeamsOf(member), teams)).collect())
    }
}
