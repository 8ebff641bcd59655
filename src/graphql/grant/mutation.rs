//! Giving and taking access.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::{DefaultAccess, Grant};
use crate::{
    access::{Grantee, Held},
    graphql::{
        access_tree::{AppAccessInput, tree},
        access_warning::{AccessWarning, warnings_of},
        context::InContext,
        error::{UserError, bad_input, error, settle},
        member::Member,
        node::NodeType,
    },
    service::{
        self, Idempotency,
        grant::{AccessEdit, NewAccess},
    },
};

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
    async fn grant_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who gets what, and where.")] input: GrantAccessInput,
    ) -> Result<GrantAccessPayload> {
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
    async fn revoke_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which grant.")] input: RevokeAccessInput,
    ) -> Result<RevokeAccessPayload> {
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
        #[graphql(desc = "Whose access, and what changes of it.")] input: UpdateMemberAccessInput,
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
        #[graphql(desc = "Which feature, and how far everyone reaches into it.")] input: SetDefaultAccessInput,
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
