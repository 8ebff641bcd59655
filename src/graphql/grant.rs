//! Grants: the stored rows that give access, and how they are given and taken.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Context, ID, InputObject, Object, OneofObject, Result, SimpleObject, Subscription,
    dataloader::{DataLoader, Loader},
};
use chrono::{DateTime, Utc};
use futures_util::stream::{self, Stream};
use uuid::Uuid;

use super::{
    access_tree::{AppAccessInput, tree},
    access_warning::{AccessWarning, warnings_of},
    app::App,
    blueprint::RoleDefinition,
    capability::{ViewerCapability, viewer_capability},
    context::InContext,
    error::{UserError, bad_input, error, settle},
    member::Member,
    node::NodeType,
    page::{Listed, PageArgs, connection},
    team::Team,
};
use crate::{
    access::{Grantee, Held, Place},
    service::{
        self, Access, Idempotency, Service, Standing,
        capability::PresentAccess,
        follow::Follow,
        grant::{AccessEdit, AccessGrant, NewAccess},
        page::Position,
    },
};

/// A stored row that gives access: to whom, what, where, until when.
#[derive(Debug, Clone)]
pub struct Grant {
    standing: Arc<Standing>,
    grant: Arc<AccessGrant>,
}

impl Grant {
    /// As this principal sees it.
    #[must_use]
    pub fn new(standing: Arc<Standing>, grant: AccessGrant) -> Self {
        Self { standing, grant: Arc::new(grant) }
    }

    /// Its global id; for the interface.
    pub(super) async fn id(&self, _ctx: &Context<'_>) -> Result<ID> {
        Ok(NodeType::Grant.id(self.grant.id))
    }

    /// The grant of this id, if the caller sees it.
    pub(super) async fn find(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>> {
        let found = ctx.service()?.find_grant(ctx.access()?, id).await.map_err(error)?;
        let standing = ctx.standing()?;
        Ok(found.map(|grant| Self::new(Arc::clone(standing), grant)))
    }
}

/// A stored row that gives access: to whom, what, where, until when.
#[Object]
impl Grant {
    /// Global id.
    #[graphql(name = "id")]
    async fn global_id(&self) -> ID {
        NodeType::Grant.id(self.grant.id)
    }

    /// The member it is given to; null for another kind of grantee.
    async fn member(&self, ctx: &Context<'_>) -> Result<Option<Member>> {
        match self.grant.grantee {
            Grantee::Member(id) => Member::find(ctx, id).await,
            Grantee::Team(_) | Grantee::ServiceAccount(_) | Grantee::Everyone => Ok(None),
        }
    }

    /// The team it is given to; null for another kind of grantee.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>> {
        match self.grant.grantee {
            Grantee::Team(id) => Team::find(ctx, id).await,
            Grantee::Member(_) | Grantee::ServiceAccount(_) | Grantee::Everyone => Ok(None),
        }
    }

    /// Whether it is given to every member.
    async fn everyone(&self) -> bool {
        self.grant.grantee == Grantee::Everyone
    }

    /// The role it gives; null for a feature.
    async fn role(&self) -> Option<RoleDefinition> {
        match &self.grant.held {
            Held::Role(role) => RoleDefinition::of(&self.standing, role),
            Held::Feature { .. } => None,
        }
    }

    /// The key of the app kind whose feature it gives; null for a role.
    async fn app_kind(&self) -> Option<&str> {
        match &self.grant.held {
            Held::Feature { kind, .. } => Some(kind),
            Held::Role(_) => None,
        }
    }

    /// The key of the feature it gives; null for a role.
    async fn feature(&self) -> Option<&str> {
        match &self.grant.held {
            Held::Feature { feature, .. } => Some(feature),
            Held::Role(_) => None,
        }
    }

    /// The access level, where the feature has levels.
    async fn level(&self) -> Option<&str> {
        match &self.grant.held {
            Held::Feature { level, .. } => level.as_deref(),
            Held::Role(_) => None,
        }
    }

    /// The app where it holds; null for the whole organization.
    async fn app(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        match &self.grant.place {
            Place::App { id, .. } => App::find(ctx, *id).await,
            Place::Organization => Ok(None),
        }
    }

    /// The moment from which it gives nothing any more.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.grant.expires_at
    }

    /// When it was given.
    async fn created_at(&self) -> DateTime<Utc> {
        self.grant.created_at
    }
}

impl Listed for AccessGrant {
    fn position(&self) -> Position {
        service::grant::position(self)
    }
}

connection!(GrantConnection, GrantEdge, Grant);

/// Loads the grants of everyone a page names in one go.
#[derive(Clone)]
pub struct Grants(Arc<DataLoader<Batch>>);

struct Batch {
    service: Service,
    access: Access,
}

impl std::fmt::Debug for Grants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Grants")
    }
}

impl Grants {
    /// For one request of this caller.
    #[must_use]
    pub fn new(service: Service, access: Access) -> Self {
        Self(Arc::new(DataLoader::new(Batch { service, access }, tokio::spawn)))
    }
}

impl Loader<Grantee> for Batch {
    type Value = Vec<AccessGrant>;
    type Error = async_graphql::Error;

    async fn load(&self, grantees: &[Grantee]) -> Result<HashMap<Grantee, Vec<AccessGrant>>> {
        self.service.grants_of(&self.access, grantees).await.map_err(error)
    }
}

/// One page of what a grantee is given. `None` when the caller may not see it.
pub(super) async fn grants_of(ctx: &Context<'_>, grantee: Grantee, args: PageArgs) -> Result<Option<GrantConnection>> {
    let listing = args.listing(ctx, &format!("grants:{grantee:?}"))?;
    let Some(grants) = ctx.request()?.grants.0.load_one(grantee).await? else { return Ok(None) };
    let page = service::grant::page(grants, &listing.request);
    let standing = ctx.standing()?;
    listing.connection(ctx, page, |grant| Grant::new(Arc::clone(standing), grant)).map(Some)
}

/// What a member shows of its grants.
#[derive(Debug, Clone)]
pub struct MemberGrants {
    /// The member's row.
    pub(super) member: Uuid,
}

#[Object]
impl MemberGrants {
    /// What is given to the member itself, roles included, in the order of giving; without what lies on apps that the caller
    /// does not see. Null for a caller who may not see it: one's own is always seen, that of others with `rights.read`.
    async fn grants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<GrantConnection>> {
        grants_of(ctx, Grantee::Member(self.member), PageArgs { first, after, last, before }).await
    }
}

/// What every member has on every app of a kind (S5.2).
#[derive(Debug, Clone, SimpleObject)]
pub struct DefaultAccess {
    /// The app kind's key.
    app_kind: String,
    /// The feature's key.
    feature: String,
    /// The level; null for no default access.
    level: Option<String>,
    /// The levels it can be set to.
    levels: Vec<String>,
}

impl From<service::grant::DefaultAccess> for DefaultAccess {
    fn from(default: service::grant::DefaultAccess) -> Self {
        let service::grant::DefaultAccess { kind, feature, level, levels } = default;
        Self { app_kind: kind, feature, level, levels }
    }
}

/// What an organization shows of what everyone has.
#[derive(Debug, Clone)]
pub struct OrganizationDefaults;

#[Object]
impl OrganizationDefaults {
    /// What every member has, for each feature that can have a default (S5.2).
    async fn default_access(&self, ctx: &Context<'_>) -> Result<Vec<DefaultAccess>> {
        let found = ctx.service()?.default_access(ctx.access()?).await.map_err(error)?;
        Ok(found.into_iter().map(DefaultAccess::from).collect())
    }
}

/// To whom access is given.
#[derive(Debug, Clone, OneofObject)]
pub enum GranteeInput {
    /// A member, by its global id.
    Member(ID),
    /// A team, by its global id: every member of it and of the teams below it.
    Team(ID),
    /// A service account, by its global id.
    ServiceAccount(ID),
    /// Every member; always true.
    Everyone(bool),
}

/// A feature to be given.
#[derive(Debug, Clone, InputObject)]
pub struct FeatureGrantInput {
    /// The app kind's key.
    kind: String,
    /// The feature's key.
    feature: String,
    /// The access level, where the feature has levels.
    level: Option<String>,
}

/// What is given.
#[derive(Debug, Clone, OneofObject)]
pub enum GivenInput {
    /// A role, by its key.
    Role(String),
    /// A feature.
    Feature(FeatureGrantInput),
}

/// Access to be given.
#[derive(Debug, Clone, InputObject)]
pub struct GrantAccessInput {
    /// To whom.
    grantee: GranteeInput,
    /// What.
    gives: GivenInput,
    /// On which app; absent: in the whole organization.
    app: Option<ID>,
    /// Until when; absent: without an end.
    expires_at: Option<DateTime<Utc>>,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

impl GrantAccessInput {
    fn read(self) -> Result<NewAccess> {
        let grantee = match self.grantee {
            GranteeInput::Member(id) => Grantee::Member(NodeType::Member.parse(&id)?),
            GranteeInput::Team(id) => Grantee::Team(NodeType::Team.parse(&id)?),
            GranteeInput::ServiceAccount(id) => Grantee::ServiceAccount(NodeType::ServiceAccount.parse(&id)?),
            GranteeInput::Everyone(true) => Grantee::Everyone,
            GranteeInput::Everyone(false) => return Err(bad_input("`everyone` is true, or another grantee is given")),
        };
        let held = match self.gives {
            GivenInput::Role(role) => Held::Role(role),
            GivenInput::Feature(FeatureGrantInput { kind, feature, level }) => Held::Feature { kind, feature, level },
        };
        let app = self.app.map(|id| NodeType::App.parse(&id)).transpose()?;
        Ok(NewAccess { grantee, held, app, expires_at: self.expires_at })
    }
}

/// A grant to be taken.
#[derive(Debug, Clone, InputObject)]
pub struct RevokeAccessInput {
    /// The grant's global id.
    grant: ID,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// A member and everything that is ticked for it.
#[derive(Debug, InputObject)]
pub struct UpdateMemberAccessInput {
    /// The member.
    member: ID,
    /// The whole tree of apps and features: what is not in it is taken.
    access: Vec<AppAccessInput>,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// What every member is to have on every app of a kind.
#[derive(Debug, Clone, InputObject)]
pub struct SetDefaultAccessInput {
    /// The app kind's key.
    app_kind: String,
    /// The feature's key.
    feature: String,
    /// The level; null or absent: no default access.
    level: Option<String>,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// What became of giving access.
#[derive(Debug, SimpleObject)]
pub struct GrantAccessPayload {
    /// The grant. Null when there are refusals, and for a caller who may give but not see it.
    grant: Option<Grant>,
    /// What to think of: narrower roles for single tasks, and grants at the wrong level (S1.28, S1.31).
    warnings: Vec<AccessWarning>,
    /// Why nothing was changed.
    user_errors: Vec<UserError>,
}

/// What became of taking a grant.
#[derive(Debug, SimpleObject)]
pub struct RevokeAccessPayload {
    /// The global id the grant had. Null when there are refusals.
    revoked_grant: Option<ID>,
    /// Why nothing was changed.
    user_errors: Vec<UserError>,
}

/// What became of editing a member's access.
#[derive(Debug, SimpleObject)]
pub struct UpdateMemberAccessPayload {
    /// The member. Null when there are refusals.
    member: Option<Member>,
    /// Why nothing was changed.
    user_errors: Vec<UserError>,
}

/// What became of setting a default.
#[derive(Debug, SimpleObject)]
pub struct SetDefaultAccessPayload {
    /// Every default, as it is now. Null when there are refusals.
    default_access: Option<Vec<DefaultAccess>>,
    /// Why nothing was changed.
    user_errors: Vec<UserError>,
}

/// Changes of grants.
#[derive(Debug, Default)]
pub struct GrantMutation;

#[Object]
impl GrantMutation {
    /// Gives a feature or a role to a member, a team, a service account or everyone. Needs `access.grant`, for roles of the
    /// organization `roles.assign`; nobody gives what is not theirs, and nobody raises themselves.
    async fn grant_access(&self, ctx: &Context<'_>, input: GrantAccessInput) -> Result<GrantAccessPayload> {
        let key = input.idempotency_key.clone();
        let new = input.read()?;
        let idempotency = Idempotency::of(key, &new).map_err(error)?;
        Ok(match settle(ctx.service()?.grant_access(ctx.access()?, new, idempotency).await)? {
            Ok(id) => {
                let (grant, warnings) = (Grant::find(ctx, id).await?, warnings_of(ctx, id).await?);
                GrantAccessPayload { grant, warnings, user_errors: Vec::new() }
            }
            Err(user_errors) => GrantAccessPayload { grant: None, warnings: Vec::new(), user_errors },
        })
    }

    /// Takes a grant; the next request of whom it reached is refused (S3.75). Needs what giving it needs.
    async fn revoke_access(&self, ctx: &Context<'_>, input: RevokeAccessInput) -> Result<RevokeAccessPayload> {
        let grant = NodeType::Grant.parse(&input.grant)?;
        let idempotency = Idempotency::of(input.idempotency_key, &grant).map_err(error)?;
        Ok(match settle(ctx.service()?.revoke_access(ctx.access()?, grant, idempotency).await)? {
            Ok(id) => RevokeAccessPayload { revoked_grant: Some(NodeType::Grant.id(id)), user_errors: Vec::new() },
            Err(user_errors) => RevokeAccessPayload { revoked_grant: None, user_errors },
        })
    }

    /// Saves the checkbox tree of a member's access (S3.42 to S3.45): on the apps that the caller sees, the member's own
    /// features become exactly those of the tree. Needs `access.grant`.
    async fn update_member_access(
        &self,
        ctx: &Context<'_>,
        input: UpdateMemberAccessInput,
    ) -> Result<UpdateMemberAccessPayload> {
        let edit = AccessEdit { member: NodeType::Member.parse(&input.member)?, access: tree(input.access)? };
        let idempotency = Idempotency::of(input.idempotency_key, &edit).map_err(error)?;
        Ok(match settle(ctx.service()?.update_member_access(ctx.access()?, edit, idempotency).await)? {
            Ok(id) => UpdateMemberAccessPayload { member: Member::find(ctx, id).await?, user_errors: Vec::new() },
            Err(user_errors) => UpdateMemberAccessPayload { member: None, user_errors },
        })
    }

    /// Sets what every member has on every app of a kind (S5.2). Needs `access.grant`.
    async fn set_default_access(
        &self,
        ctx: &Context<'_>,
        input: SetDefaultAccessInput,
    ) -> Result<SetDefaultAccessPayload> {
        let SetDefaultAccessInput { app_kind: kind, feature, level, idempotency_key } = input;
        let default = service::grant::Default { kind, feature, level };
        let idempotency = Idempotency::of(idempotency_key, &default).map_err(error)?;
        let (service, access) = (ctx.service()?, ctx.access()?);
        Ok(match settle(service.set_default_access(access, default, idempotency).await)? {
            Ok(()) => {
                let now = service.default_access(access).await.map_err(error)?;
                let default_access = Some(now.into_iter().map(DefaultAccess::from).collect());
                SetDefaultAccessPayload { default_access, user_errors: Vec::new() }
            }
            Err(user_errors) => SetDefaultAccessPayload { default_access: None, user_errors },
        })
    }
}

/// An app with what the viewer may do in it at the moment.
#[derive(Debug, Clone, SimpleObject)]
pub struct AccessibleApp {
    /// Global id.
    id: ID,
    /// Lower-case name, for addresses.
    slug: String,
    /// Name as shown.
    name: String,
    /// The key of its kind.
    kind: String,
    /// What the viewer may do here, feature by feature.
    capabilities: Vec<ViewerCapability>,
}

/// What the viewer may do at a moment.
#[derive(Debug, Clone, SimpleObject)]
pub struct ViewerAccess {
    /// The organization permissions held, sorted.
    permissions: Vec<String>,
    /// The keys of the organization roles held, sorted.
    roles: Vec<String>,
    /// The apps that the viewer sees, by name.
    apps: Vec<AccessibleApp>,
}

impl From<&PresentAccess> for ViewerAccess {
    fn from(present: &PresentAccess) -> Self {
        let apps = present.apps.iter().map(|(app, held)| AccessibleApp {
            id: NodeType::App.id(app.app.id),
            slug: app.app.slug.clone(),
            name: app.app.name.clone(),
            kind: app.app.kind.clone(),
            capabilities: held.iter().cloned().map(viewer_capability).collect(),
        });
        Self { permissions: present.permissions.clone(), roles: present.roles.clone(), apps: apps.collect() }
    }
}

/// Following one's own access.
#[derive(Debug, Default)]
pub struct GrantSubscription;

#[Subscription]
impl GrantSubscription {
    /// What the viewer may do: now, and after each change of it. Ends with the viewer's place in the organization.
    async fn access_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ends after this many; without it, never.")] take: Option<i32>,
    ) -> Result<impl Stream<Item = Result<ViewerAccess>> + use<>> {
        let left = match take.map(u32::try_from) {
            None => None,
            Some(Ok(count)) if count > 0 => Some(count),
            Some(_) => return Err(bad_input("`take` is at least 1")),
        };
        let service = ctx.service()?.clone();
        let follow = service.follow(ctx.access()?).map_err(error)?;
        Ok(stream::unfold(Some(Following { service, follow, last: None, left }), Following::next))
    }
}

struct Following {
    service: Service,
    follow: Follow,
    last: Option<PresentAccess>,
    left: Option<u32>,
}

impl Following {
    /// The next state that differs from the last one.
    async fn next(following: Option<Self>) -> Option<(Result<ViewerAccess>, Option<Self>)> {
        let mut this = following?;
        if this.left == Some(0) {
            return None;
        }
        loop {
            let present = match this.follow.next().await? {
                Ok(access) => this.service.present_access(&access).await,
                Err(failed) => Err(failed),
            };
            let present = match present {
                Ok(present) => present,
                Err(failed) => return Some((Err(error(failed)), None)),
            };
            if this.last.as_ref() != Some(&present) {
                let shown = ViewerAccess::from(&present);
                this.last = Some(present);
                this.left = this.left.map(|left| left.saturating_sub(1));
                return Some((Ok(shown), Some(this)));
            }
        }
    }
}
