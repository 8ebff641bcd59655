//! Members: the people of an organization.

pub mod mutation;

pub use mutation::MemberMutation;

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Context, Error, ID, MergedObject, Object, Result, SimpleObject,
    dataloader::{DataLoader, Loader},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    access_tree::AccessMode,
    blueprint::RoleDefinition,
    capability::MemberCapabilities,
    context::InContext,
    error::{Reason, error, reasons},
    grant::MemberGrants,
    invitation::Invitation,
    membership::MemberState,
    node::NodeType,
    organization::Organization,
    page::{Listed, PageArgs, connection},
    team::MemberTeams,
    user::User,
};
use crate::service::{
    self, Access, Person, Service, Standing,
    member::{Holders, MemberQuery, Obstacles, Return},
    page::Position,
};

/// A person's place in an organization: it holds the roles, the access and the seat, from the invitation on.
#[derive(Debug, Clone, MergedObject)]
#[rustfmt::skip] // One part a line, so that parts are added side by side.
pub struct Member(
    MemberCore,
    MemberCapabilities,
    MemberGrants,
    MemberTeams,
);

impl Member {
    /// As this principal sees it.
    #[must_use]
    pub fn new(standing: Arc<Standing>, member: service::member::Member) -> Self {
        let id = member.id;
        let core = MemberCore { standing, member: Arc::new(member) };
        Self(core, MemberCapabilities { member: id }, MemberGrants { member: id }, MemberTeams { member: id })
    }

    /// Its global id; for the interface.
    #[expect(clippy::unused_async, reason = "the interface awaits it")]
    pub(super) async fn id(&self, _ctx: &Context<'_>) -> Result<ID> {
        Ok(NodeType::Member.id(self.0.member.id))
    }

    /// The member of this id, if the caller sees it.
    pub(super) async fn find(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>> {
        let Some(standing) = ctx.access()?.standing.clone() else { return Ok(None) };
        let found = ctx.request()?.members.0.load_one(ById(id)).await?;
        Ok(found.map(|member| Self::new(standing, member)))
    }
}

impl Listed for service::member::Member {
    fn position(&self) -> Position {
        service::member::position(self)
    }
}

connection!(MemberConnection, MemberEdge, Member);

/// Reads what pages of members need, a batch at a time, for one caller.
pub struct MemberLoader {
    service: Service,
    access: Access,
}

/// The batched reads of one request.
#[derive(Clone)]
pub struct MemberLoaders(pub(super) Arc<DataLoader<MemberLoader>>);

impl std::fmt::Debug for MemberLoaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemberLoaders")
    }
}

impl MemberLoaders {
    /// For one request of this caller.
    #[must_use]
    pub fn new(service: Service, access: Access) -> Self {
        Self(Arc::new(DataLoader::new(MemberLoader { service, access }, tokio::spawn)))
    }
}

/// The member of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ById(pub(super) Uuid);

/// The roles of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RolesOf(pub(super) Uuid);

/// The newest invitation of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct InvitationOf(Uuid);

/// The account of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct PersonOf(Uuid);

/// How the toggle between all and custom stands for a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct AccessModeOf(Uuid);

/// The holders of the organization's roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct HoldersHere;

/// How full the organization's seat pools are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct SeatsHere;

/// The refusal of an archived member's return, where the person has another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct HereAgain(Uuid);

macro_rules! loads {
    ($key:ident, $value:ty, $method:ident) => {
        impl Loader<$key> for MemberLoader {
            type Value = $value;
            type Error = Error;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, $value>, Error> {
                let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
                let found = self.service.$method(&self.access, &ids).await.map_err(error)?;
                Ok(found.into_iter().map(|(id, value)| ($key(id), value)).collect())
            }
        }
    };
}

loads!(ById, service::member::Member, members_by_id);
loads!(RolesOf, Vec<String>, roles_of_members);
loads!(InvitationOf, service::invitation::Invitation, invitations_of_members);
loads!(PersonOf, Person, people);
loads!(AccessModeOf, service::access_choice::AccessMode, access_modes);
loads!(HereAgain, service::UserError, members_here_again);

impl Loader<SeatsHere> for MemberLoader {
    type Value = Arc<Vec<service::seat::SeatUsage>>;
    type Error = Error;

    async fn load(&self, _keys: &[SeatsHere]) -> Result<HashMap<SeatsHere, Self::Value>, Error> {
        let standing = self.access.standing().map_err(error)?;
        let seats = self.service.seats_for_return(standing).await.map_err(error)?;
        Ok(HashMap::from([(SeatsHere, Arc::new(seats))]))
    }
}

impl Loader<HoldersHere> for MemberLoader {
    type Value = Arc<Holders>;
    type Error = Error;

    async fn load(&self, _keys: &[HoldersHere]) -> Result<HashMap<HoldersHere, Arc<Holders>>, Error> {
        let holders = self.service.holders(&self.access).await.map_err(error)?;
        Ok(HashMap::from([(HoldersHere, Arc::new(holders))]))
    }
}

/// What a member is, and how it may be changed.
#[derive(Debug, Clone)]
pub struct MemberCore {
    standing: Arc<Standing>,
    member: Arc<service::member::Member>,
}

impl MemberCore {
    async fn held(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        Ok(ctx.request()?.members.0.load_one(RolesOf(self.member.id)).await?.unwrap_or_default())
    }

    async fn holders(ctx: &Context<'_>) -> Result<Arc<Holders>> {
        Ok(ctx.request()?.members.0.load_one(HoldersHere).await?.unwrap_or_default())
    }

    async fn obstacles(&self, ctx: &Context<'_>) -> Result<Obstacles> {
        let read = futures_util::future::try_join3(self.held(ctx), Self::holders(ctx), self.back(ctx));
        let (roles, holders, back) = read.await?;
        Ok(service::member::obstacles(&self.standing, (&self.member, &back), &roles, &holders))
    }

    async fn obstacles_to_removing_role(&self, ctx: &Context<'_>, role: &str) -> Result<Vec<service::UserError>> {
        let (roles, holders) = futures_util::future::try_join(self.held(ctx), Self::holders(ctx)).await?;
        Ok(service::member::obstacles_to_removing_role(&self.standing, &self.member, (role, &roles), &holders))
    }

    /// What its coming back depends on, where it is away.
    async fn back(&self, ctx: &Context<'_>) -> Result<Return> {
        if !self.member.could_return(&self.standing) {
            return Ok(Return::default());
        }
        let loaders = &ctx.request()?.members.0;
        let seats = loaders.load_one(SeatsHere).await?.unwrap_or_default();
        let here_again = match self.member.state {
            service::member::MemberState::Archived => loaders.load_one(HereAgain(self.member.id)).await?,
            _ => None,
        };
        Ok(Return { seats, here_again })
    }
}

/// A person's place in an organization.
#[Object]
impl MemberCore {
    /// Global id.
    async fn id(&self) -> ID {
        NodeType::Member.id(self.member.id)
    }

    /// The organization.
    async fn organization(&self) -> Organization {
        Organization::new(Arc::clone(&self.standing))
    }

    /// The person's account. Null while pending, and for imported people who have not signed in.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(user) = self.member.user_id else { return Ok(None) };
        let person = ctx.request()?.members.0.load_one(PersonOf(user)).await?;
        Ok(person.as_ref().map(User::from))
    }

    /// Name as shown.
    async fn name(&self) -> &str {
        &self.member.name
    }

    /// First name.
    async fn first_name(&self) -> Option<&str> {
        self.member.first_name.as_deref()
    }

    /// Last name.
    async fn last_name(&self) -> Option<&str> {
        self.member.last_name.as_deref()
    }

    /// Normalized email address, as invited.
    async fn email(&self) -> Option<&str> {
        self.member.email.as_deref()
    }

    /// Login name, where the organization was imported.
    async fn handle(&self) -> Option<&str> {
        self.member.handle.as_deref()
    }

    /// How far the person has come.
    async fn state(&self) -> MemberState {
        self.member.state.into()
    }

    /// Whether it is the longest-standing active holder of a role that has a primary one (S3.78).
    async fn is_primary(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(Self::holders(ctx).await?.primary.contains(&self.member.id))
    }

    /// The organization roles held: the main one and flags, strongest first.
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<RoleDefinition>> {
        let held = self.held(ctx).await?;
        let keys = self.standing.blueprint.rules.document().roles.keys().filter(|key| held.contains(key));
        Ok(keys.filter_map(|key| RoleDefinition::of(&self.standing, key)).collect())
    }

    /// How the toggle between all and custom stands: all where the member holds, by grants of its own, everything that the caller
    /// could give it. Null for those who do not see what it holds.
    async fn access_mode(&self, ctx: &Context<'_>) -> Result<Option<AccessMode>> {
        Ok(ctx.request()?.members.0.load_one(AccessModeOf(self.member.id)).await?.map(Into::into))
    }

    /// When the person joined; null while pending.
    async fn joined_at(&self) -> Option<DateTime<Utc>> {
        self.member.joined_at
    }

    /// Last sign-in to this organization.
    async fn last_login_at(&self) -> Option<DateTime<Utc>> {
        self.member.last_login_at
    }

    /// Last request in this organization, to the minute.
    async fn last_seen_at(&self) -> Option<DateTime<Utc>> {
        self.member.last_seen_at
    }

    /// The newest invitation; null for those who came without one, and without the permission `members.invite`.
    async fn invitation(&self, ctx: &Context<'_>) -> Result<Option<Invitation>> {
        let found = ctx.request()?.members.0.load_one(InvitationOf(self.member.id)).await?;
        Ok(found.map(|invitation| Invitation::new(Arc::clone(&self.standing), invitation)))
    }

    /// Whether the caller may change the member's names and, while it is invited, its address.
    async fn viewer_can_update(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.obstacles(ctx).await?.update.is_empty())
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_update_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        Ok(reasons(self.obstacles(ctx).await?.update))
    }

    /// Whether the caller may change what the member has access to.
    async fn viewer_can_edit_access(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.obstacles(ctx).await?.edit_access.is_empty())
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_edit_access_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        Ok(reasons(self.obstacles(ctx).await?.edit_access))
    }

    /// Whether the caller may remove the member.
    async fn viewer_can_remove(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.obstacles(ctx).await?.remove.is_empty())
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_remove_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        Ok(reasons(self.obstacles(ctx).await?.remove))
    }

    /// Whether the caller may give the member another role.
    async fn viewer_can_change_role(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.obstacles(ctx).await?.change_role.is_empty())
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_change_role_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        Ok(reasons(self.obstacles(ctx).await?.change_role))
    }

    /// Whether the caller may take this flag from the member, by the rules of `removeMemberRole`: one's own to give up, or another's by
    /// the permission `roles.assign`.
    async fn viewer_can_remove_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The flag's key.")] role: String,
    ) -> Result<bool> {
        Ok(self.obstacles_to_removing_role(ctx, &role).await?.is_empty())
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_remove_role_reasons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The flag's key.")] role: String,
    ) -> Result<Vec<Reason>> {
        Ok(reasons(self.obstacles_to_removing_role(ctx, &role).await?))
    }

    /// Whether the caller may shut the member out for a while.
    async fn viewer_can_suspend(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.obstacles(ctx).await?.suspend.is_empty())
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_suspend_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        Ok(reasons(self.obstacles(ctx).await?.suspend))
    }

    /// Whether the caller may let the suspended member in again.
    async fn viewer_can_reactivate(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.obstacles(ctx).await?.reactivate.is_empty())
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_reactivate_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        Ok(reasons(self.obstacles(ctx).await?.reactivate))
    }

    /// Whether the caller may bring the archived member back.
    async fn viewer_can_restore(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.obstacles(ctx).await?.restore.is_empty())
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_restore_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        Ok(reasons(self.obstacles(ctx).await?.restore))
    }
}

/// How many members are in each state, as tabs above the list show it.
#[derive(Debug, Clone, Copy, SimpleObject)]
pub struct MemberCounts {
    /// Active ones.
    active: u64,
    /// Invited ones, who have not joined yet.
    pending: u64,
    /// Suspended ones.
    suspended: u64,
    /// Those who have left.
    archived: u64,
}

/// The people of an organization.
#[derive(Debug, Clone)]
pub struct OrganizationMembers {
    standing: Arc<Standing>,
}

impl OrganizationMembers {
    /// As this principal sees it.
    #[must_use]
    pub fn new(standing: Arc<Standing>) -> Self {
        Self { standing }
    }
}

/// The people of an organization.
#[Object]
impl OrganizationMembers {
    /// The members the caller sees, by name: everyone with the permission `members.read`, else oneself.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection, and of its filter")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
        #[graphql(desc = "Only in one of these states; where nothing is said, everyone but the archived.")]
        states: Option<Vec<MemberState>>,
        #[graphql(desc = "Only those whose name, email address or login name contains this.")] search: Option<String>,
        #[graphql(desc = "Only holders of this organization role, by its key.")] role: Option<String>,
    ) -> Result<MemberConnection> {
        let name = format!("members:{}:{states:?}:{search:?}:{role:?}", self.standing.place.id);
        let listing = PageArgs { first, after, last, before }.listing(ctx, &name)?;
        let states = states.unwrap_or_default().into_iter().map(Into::into).collect();
        let query = MemberQuery { states, search, role };
        let page = ctx.service()?.members(ctx.access()?, query, &listing.request).await.map_err(error)?;
        listing.connection(ctx, page, |member| Member::new(Arc::clone(&self.standing), member))
    }

    /// How many members the caller sees in each state.
    async fn member_counts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those whose name, email address or login name contains this.")] search: Option<String>,
        #[graphql(desc = "Only holders of this organization role, by its key.")] role: Option<String>,
    ) -> Result<MemberCounts> {
        let query = MemberQuery { states: Vec::new(), search, role };
        let counts = ctx.service()?.member_counts(ctx.access()?, query).await.map_err(error)?;
        let service::member::MemberCounts { active, pending, suspended, archived } = counts;
        Ok(MemberCounts { active, pending, suspended, archived })
    }

    /// One member. Null when there is none, or when the caller does not see it.
    async fn member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The member's global id.")] id: ID,
    ) -> Result<Option<Member>> {
        Member::find(ctx, NodeType::Member.parse(&id)?).await
    }

    /// The caller's own place; null for a program.
    async fn viewer_member(&self, ctx: &Context<'_>) -> Result<Option<Member>> {
        match self.standing.facts.principal.as_member() {
            Some(member) => Member::find(ctx, member).await,
            None => Ok(None),
        }
    }

    /// Whether the caller may leave the organization.
    async fn viewer_can_leave(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.service()?.obstacles_to_leaving(ctx.access()?).await.map_err(error)?.is_empty())
    }

    /// Why not, and what to do first; empty: it can be done.
    async fn viewer_cannot_leave_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        Ok(reasons(ctx.service()?.obstacles_to_leaving(ctx.access()?).await.map_err(error)?))
    }
}
