//! Capabilities: what a principal may do in a feature of an app, and the grants it comes from.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Context, Enum, ID, Object, Result, SimpleObject,
    dataloader::{DataLoader, Loader},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    app::App,
    blueprint::{Feature, RoleDefinition},
    context::InContext,
    error::error,
    node::NodeType,
    page::{Listed, PageArgs, connection},
    permission::{self, Needs},
};
use crate::{
    access::{self, Grantee, Held as Gives, PrincipalId, PrincipalKind, Question, decide},
    service::{
        Access, Service, Standing,
        app::SeenApp,
        capability::{Held, Holder, Source},
        page::Position,
    },
};

/// The global id of a principal.
pub(super) fn principal_id(principal: PrincipalId) -> ID {
    match principal.kind {
        PrincipalKind::Member => NodeType::Member.id(principal.id),
        PrincipalKind::ServiceAccount => NodeType::ServiceAccount.id(principal.id),
    }
}

/// By which way a grant reaches a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum GrantVia {
    /// Given to the principal itself.
    Direct,
    /// By a role that the principal holds itself.
    Role,
    /// By a team the principal is in, directly or through a team below it.
    Team,
    /// Given to every member.
    Everyone,
    /// The app is public, and this grant lets its holder in.
    Public,
}

/// A step of the path by which a team's grant reaches a member.
#[derive(Debug, Clone, SimpleObject)]
pub struct TeamPathStep {
    /// The team's global id.
    id: ID,
    /// The team's name.
    name: String,
}

/// A grant as the source of a capability or of a decision.
#[derive(Debug, Clone)]
pub struct GrantSource {
    viewer: Arc<Standing>,
    source: Source,
    /// Whether it gives the whole capability by itself.
    whole: bool,
}

impl GrantSource {
    pub(super) const fn new(viewer: Arc<Standing>, source: Source, whole: bool) -> Self {
        Self { viewer, source, whole }
    }
}

/// A grant as the source of a capability or of a decision.
#[Object]
impl GrantSource {
    /// Global id of the grant.
    async fn grant(&self) -> ID {
        NodeType::Grant.id(self.source.grant.id)
    }

    /// By which way it reaches the principal.
    async fn via(&self) -> GrantVia {
        if self.source.public {
            return GrantVia::Public;
        }
        match (self.source.grant.grantee, &self.source.grant.held) {
            (Grantee::Team(_), _) => GrantVia::Team,
            (Grantee::Everyone, _) => GrantVia::Everyone,
            (Grantee::Member(_) | Grantee::ServiceAccount(_), Gives::Role(_)) => GrantVia::Role,
            (Grantee::Member(_) | Grantee::ServiceAccount(_), Gives::Feature { .. }) => GrantVia::Direct,
        }
    }

    /// From the principal's own team up to the team that holds the grant, for a team's grant; without teams that are secret to
    /// the caller.
    async fn team_path(&self, ctx: &Context<'_>) -> Result<Vec<TeamPathStep>> {
        let path = &self.source.grant.path;
        let mut steps = Vec::with_capacity(path.len());
        let all = self.viewer.rights.holds("teams.read_secret");
        for step in path {
            if all || ctx.request()?.teams.find(step.id).await?.is_some() {
                steps.push(TeamPathStep { id: NodeType::Team.id(step.id), name: step.name.clone() });
            }
        }
        Ok(steps)
    }

    /// The role that gives it; null for a feature that is granted by itself.
    async fn role(&self) -> Option<RoleDefinition> {
        match &self.source.grant.held {
            Gives::Role(role) => RoleDefinition::of(&self.viewer, role),
            Gives::Feature { .. } => None,
        }
    }

    /// The strongest access level it gives by itself, where the feature has levels.
    async fn level(&self) -> Option<&str> {
        self.source.level.as_deref()
    }

    /// The actions it gives by itself.
    async fn actions(&self) -> &[String] {
        &self.source.actions
    }

    /// Whether it gives the whole level, or all the actions, by itself.
    async fn whole(&self) -> bool {
        self.whole
    }

    /// The moment from which it gives nothing any more.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.source.grant.expires_at
    }
}

/// Who holds a capability.
#[derive(Debug, Clone, SimpleObject)]
pub struct CapabilityHolder {
    /// Global id of the member or service account.
    id: ID,
    /// Name as shown.
    name: String,
}

/// What a principal may do in one feature of one app. Computed from grants, never stored.
#[derive(Debug, Clone)]
pub struct Capability {
    viewer: Arc<Standing>,
    held: Held,
}

/// What a principal may do in one feature of one app. Computed from grants, never stored.
#[Object]
impl Capability {
    /// Who holds it.
    async fn holder(&self) -> CapabilityHolder {
        CapabilityHolder { id: principal_id(self.held.holder.principal), name: self.held.holder.name.clone() }
    }

    /// On which app.
    async fn app(&self) -> App {
        App::new(&self.viewer, Arc::clone(&self.held.app))
    }

    /// In which feature.
    async fn feature(&self) -> Option<Feature> {
        let kind = self.viewer.blueprint.rules.document().app_kinds.get(&self.held.app.app.kind)?;
        let key = &self.held.capability.feature;
        kind.features.get(key).map(|feature| Feature::new(key, feature))
    }

    /// The strongest access level held, where the feature has levels.
    async fn level(&self) -> Option<&str> {
        self.held.capability.level.as_deref()
    }

    /// The allowed actions, in the blueprint's order.
    async fn actions(&self) -> &[String] {
        &self.held.capability.actions
    }

    /// Every grant it comes from (S5.9).
    async fn sources(&self, ctx: &Context<'_>) -> Result<Vec<GrantSource>> {
        let capability = &self.held.capability;
        let sources = self.held.sources(&self.viewer, ctx.service()?.now()).into_iter();
        let whole = |source: &Source| match &capability.level {
            Some(_) => source.level == capability.level,
            None => source.actions == capability.actions,
        };
        Ok(sources.map(|source| GrantSource::new(Arc::clone(&self.viewer), source.clone(), whole(&source))).collect())
    }
}

impl Listed for Held {
    fn position(&self) -> Position {
        Self::position(self)
    }
}

connection!(CapabilityConnection, CapabilityEdge, Capability);

/// What an app shows of who may do what in it.
#[derive(Debug, Clone)]
pub struct AppCapabilities {
    pub(super) standing: Arc<Standing>,
    pub(super) app: Arc<SeenApp>,
}

/// What the viewer may do in one feature of an app.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub struct ViewerCapability {
    /// The feature's key.
    feature: String,
    /// The strongest access level held, where the feature has levels.
    level: Option<String>,
    /// The allowed actions, in the blueprint's order.
    actions: Vec<String>,
}

/// As the schema shows it.
pub(super) fn viewer_capability(held: access::Capability) -> ViewerCapability {
    ViewerCapability { feature: held.feature, level: held.level, actions: held.actions }
}

impl AppCapabilities {
    fn own(&self) -> Vec<ViewerCapability> {
        self.app.capabilities_of(&self.standing).into_iter().map(viewer_capability).collect()
    }
}

#[Object]
impl AppCapabilities {
    /// What the viewer may do here, feature by feature; features in which it may do nothing are left out.
    async fn viewer_capabilities(&self) -> Vec<ViewerCapability> {
        self.own()
    }

    /// Whether the viewer may do this here; false for anything that there is not.
    async fn viewer_can(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The feature's key.")] feature: String,
        #[graphql(desc = "The action's key.")] action: String,
    ) -> Result<bool> {
        let question = Question::Action { app: self.app.place(), feature: &feature, action: &action };
        let now = ctx.service()?.now();
        Ok(decide(&self.standing.blueprint.rules, &self.standing.facts, question, now).is_allow())
    }

    /// What everyone may do here, by holder and feature. Null, with an error beside it, without the permission.
    #[graphql(guard = "Needs(\"rights.read\")", directive = permission::permission::apply("rights.read".to_owned()))]
    async fn capabilities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<CapabilityConnection>> {
        let name = format!("app.capabilities:{}", self.app.app.id);
        let listing = PageArgs { first, after, last, before }.listing(ctx, &name)?;
        let page = ctx.service()?.capabilities_on(ctx.access()?, &self.app, &listing.request).await.map_err(error)?;
        let viewer = ctx.standing()?;
        listing.connection(ctx, page, |held| Capability { viewer: Arc::clone(viewer), held }).map(Some)
    }
}

/// What a member shows of what it may do.
#[derive(Debug, Clone)]
pub struct MemberCapabilities {
    /// The member's row.
    pub(super) member: Uuid,
}

#[Object]
impl MemberCapabilities {
    /// What the member may do, by app and feature, on the apps that the caller sees. Null for a caller who may not see it:
    /// one's own is always seen, that of others with `rights.read`.
    async fn capabilities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only on one app.")] app: Option<ID>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<CapabilityConnection>> {
        let app = app.map(|id| NodeType::App.parse(&id)).transpose()?;
        let listing = PageArgs { first, after, last, before };
        let listing = listing.listing(ctx, &format!("member.capabilities:{}:{app:?}", self.member))?;
        let Some(holder) = ctx.request()?.rights.find(self.member).await? else { return Ok(None) };
        let (service, viewer) = (ctx.service()?, ctx.standing()?);
        let page = service.capabilities_of(ctx.access()?, (&holder, app), &listing.request).await.map_err(error)?;
        listing.connection(ctx, page, |held| Capability { viewer: Arc::clone(viewer), held }).map(Some)
    }
}

/// Loads the rights of everyone a page names in one statement.
#[derive(Clone)]
pub struct RightsOf(Arc<DataLoader<Batch>>);

struct Batch {
    service: Service,
    access: Access,
}

impl std::fmt::Debug for RightsOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RightsOf")
    }
}

impl RightsOf {
    /// For one request of this caller.
    #[must_use]
    pub fn new(service: Service, access: Access) -> Self {
        Self(Arc::new(DataLoader::new(Batch { service, access }, tokio::spawn)))
    }

    /// Somebody's rights, if the caller may see them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) async fn find(&self, id: Uuid) -> Result<Option<Arc<Holder>>> {
        self.0.load_one(id).await
    }
}

impl Loader<Uuid> for Batch {
    type Value = Arc<Holder>;
    type Error = async_graphql::Error;

    async fn load(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Arc<Holder>>> {
        self.service.rights_of(&self.access, ids).await.map_err(error)
    }
}
