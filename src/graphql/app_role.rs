//! Roles on one app: which there are, who may hold them, and the switch for each person (S1.17 to S1.25).

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{
    access_warning::{AccessWarning, warnings_of},
    blueprint::RoleDefinition,
    context::InContext,
    error::{Reason, UserError, error, reasons, settle},
    grant::Grant,
    member::Member,
    node::NodeType,
    page::{Listed, PageArgs, connection},
};
use crate::service::{
    Idempotency, Standing,
    app::SeenApp,
    grant::{AppRoleSwitch, Candidate},
    member,
    page::Position,
};

/// What an app shows of the roles that are held on it.
#[derive(Debug, Clone)]
pub struct AppRoles {
    pub(super) standing: Arc<Standing>,
    pub(super) app: Arc<SeenApp>,
}

/// A member who may hold a role on an app.
#[derive(Debug, Clone, SimpleObject)]
pub struct RoleCandidate {
    /// Who.
    member: Member,
    /// Whether the member holds the role on this app by a grant of its own: where the switch stands.
    is_holder: bool,
    /// That grant; null where it is off.
    grant: Option<Grant>,
    /// Whether the caller may switch it.
    viewer_can_toggle: bool,
    /// Why not; empty: the caller may.
    viewer_cannot_toggle_reasons: Vec<Reason>,
}

impl RoleCandidate {
    fn new(standing: &Arc<Standing>, candidate: Candidate) -> Self {
        let Candidate { member, grant, obstacles } = candidate;
        Self {
            member: Member::new(Arc::clone(standing), member),
            is_holder: grant.is_some(),
            grant: grant.map(|grant| Grant::new(Arc::clone(standing), grant)),
            viewer_can_toggle: obstacles.is_empty(),
            viewer_cannot_toggle_reasons: reasons(obstacles),
        }
    }
}

impl Listed for Candidate {
    fn position(&self) -> Position {
        member::position(&self.member)
    }
}

connection!(RoleCandidateConnection, RoleCandidateEdge, RoleCandidate);

#[Object]
impl AppRoles {
    /// The roles that can be held on it, and in its features, strongest first.
    async fn roles(&self) -> Vec<RoleDefinition> {
        let keys = self.standing.blueprint.rules.roles_on(&self.app.app.kind);
        keys.into_iter().filter_map(|key| RoleDefinition::of(&self.standing, key)).collect()
    }

    /// The members who may hold a role here, by name: those who have the role of the organization that it builds on, and nobody
    /// else (S1.21). Null without the permission `rights.read` in the organization or on this app, and for a role that cannot
    /// be held here.
    async fn role_candidates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role's key, or another spelling of it.")] role: String,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<RoleCandidateConnection>> {
        let args = PageArgs { first, after, last, before };
        let listing = args.listing(ctx, &format!("candidates:{}:{role}", self.app.app.id))?;
        let asked = (self.app.as_ref(), role.as_str());
        let found = ctx.service()?.role_candidates(ctx.access()?, asked, &listing.request).await.map_err(error)?;
        let page = |page| listing.connection(ctx, page, |candidate| RoleCandidate::new(&self.standing, candidate));
        found.map(page).transpose()
    }
}

/// A role that a member is to hold on an app, or not.
#[derive(Debug, Clone, InputObject)]
pub struct SetAppRoleInput {
    /// On which app.
    app: ID,
    /// Who.
    member: ID,
    /// The role, by its key.
    role: String,
    /// On or off.
    on: bool,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// Where the switch stands.
#[derive(Debug, SimpleObject)]
pub struct SetAppRolePayload {
    /// The member. Null when there are refusals.
    member: Option<Member>,
    /// Whether the role is held now; null when there are refusals.
    is_holder: Option<bool>,
    /// The grant. Null when it is off, when there are refusals, and for a caller who may give but not see it.
    grant: Option<Grant>,
    /// What to think of: narrower roles for single tasks, and grants at the wrong level (S1.28, S1.31).
    warnings: Vec<AccessWarning>,
    /// Why nothing was changed.
    user_errors: Vec<UserError>,
}

/// Changes of roles on apps.
#[derive(Debug, Default)]
pub struct AppRoleMutation;

#[Object]
impl AppRoleMutation {
    /// Switches a member's role on an app on or off (S1.25); where it stands so already, nothing happens. Needs `access.grant` in
    /// the organization or on the app, and a role that gives this one.
    async fn set_app_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which role, on which app, for whom, on or off.")] input: SetAppRoleInput,
    ) -> Result<SetAppRolePayload> {
        let SetAppRoleInput { app, member, role, on, idempotency_key } = input;
        let (app, member) = (NodeType::App.parse(&app)?, NodeType::Member.parse(&member)?);
        let switch = AppRoleSwitch { app, member, role, on };
        let idempotency = Idempotency::of(idempotency_key, &switch).map_err(error)?;
        let set = match settle(ctx.service()?.set_app_role(ctx.access()?, switch, idempotency).await)? {
            Ok(set) => set,
            Err(user_errors) => {
                let (member, is_holder, grant, warnings) = (None, None, None, Vec::new());
                return Ok(SetAppRolePayload { member, is_holder, grant, warnings, user_errors });
            }
        };
        let (grant, warnings) = match set.grant {
            Some(grant) => (Grant::find(ctx, grant).await?, warnings_of(ctx, grant).await?),
            None => (None, Vec::new()),
        };
        Ok(SetAppRolePayload {
            member: Member::find(ctx, set.member).await?,
            is_holder: Some(set.grant.is_some()),
            grant,
            warnings,
            user_errors: Vec::new(),
        })
    }
}
