//! Changing teams: making, changing and deleting them, and who is in them.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use uuid::Uuid;

use super::{Team, TeamPrivacy};
use crate::{
    graphql::{
        context::InContext,
        error::{UserError, error, settle},
        node::NodeType,
    },
    service::{
        self, Idempotency,
        team::{Joining, Leaving, NewTeam, TeamEdit},
    },
};

/// A team to be made.
#[derive(Debug, Clone, InputObject)]
pub struct CreateTeamInput {
    /// Lower-case name, for addresses: letters, digits and inner hyphens.
    slug: String,
    /// Name as shown.
    name: String,
    /// What it is for.
    description: Option<String>,
    /// The team it is to stand under.
    parent: Option<ID>,
    /// Who sees it; absent: the blueprint's default.
    privacy: Option<TeamPrivacy>,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// What is to change of a team; what is left out stays.
#[derive(Debug, Clone, InputObject)]
pub struct UpdateTeamInput {
    /// Which.
    team: ID,
    /// Another lower-case name.
    slug: Option<String>,
    /// Another name.
    name: Option<String>,
    /// Another description.
    description: Option<String>,
    /// Another team to stand under; null: none.
    parent: MaybeUndefined<ID>,
    /// Who sees it.
    privacy: Option<TeamPrivacy>,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// A team to be deleted.
#[derive(Debug, Clone, InputObject)]
pub struct DeleteTeamInput {
    /// Which.
    team: ID,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// Somebody to be put into a team.
#[derive(Debug, Clone, InputObject)]
pub struct AddTeamMemberInput {
    /// The team.
    team: ID,
    /// The member.
    member: ID,
    /// Whether it is to be a maintainer. Absent: as it was, and a new one is none.
    maintainer: Option<bool>,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// Somebody to be taken out of a team.
#[derive(Debug, Clone, InputObject)]
pub struct RemoveTeamMemberInput {
    /// The team.
    team: ID,
    /// The member.
    member: ID,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

macro_rules! payload {
    ($(#[doc = $doc:literal] $name:ident;)+) => {
        $(
            #[doc = $doc]
            #[derive(Debug, SimpleObject)]
            pub struct $name {
                /// The team, as it is now. Null when there are refusals, and when the caller does not see it.
                team: Option<Team>,
                /// Why nothing was changed.
                user_errors: Vec<UserError>,
            }

            impl $name {
                async fn after(
                    ctx: &Context<'_>,
                    done: std::result::Result<Uuid, service::ServiceError>,
                ) -> Result<Self> {
                    Ok(match settle(done)? {
                        Ok(id) => Self { team: Team::find(ctx, id).await?, user_errors: Vec::new() },
                        Err(user_errors) => Self { team: None, user_errors },
                    })
                }
            }
        )+
    };
}

payload! {
    /// What became of making a team.
    CreateTeamPayload;
    /// What became of changing a team.
    UpdateTeamPayload;
    /// What became of putting somebody into a team.
    AddTeamMemberPayload;
    /// What became of taking somebody out of a team.
    RemoveTeamMemberPayload;
}

/// What became of a deletion.
#[derive(Debug, SimpleObject)]
pub struct DeleteTeamPayload {
    /// The global id the team had. Null when there are refusals.
    deleted_team: Option<ID>,
    /// Why nothing was changed.
    user_errors: Vec<UserError>,
}

/// Changes of teams.
#[derive(Debug, Default)]
pub struct TeamMutation;

#[Object]
impl TeamMutation {
    /// Makes a team. Needs `teams.manage`.
    async fn create_team(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is called, and below which team it stands.")] input: CreateTeamInput,
    ) -> Result<CreateTeamPayload> {
        let parent = input.parent.map(|id| NodeType::Team.parse(&id)).transpose()?;
        let CreateTeamInput { slug, name, description, privacy, idempotency_key, .. } = input;
        let new = NewTeam { slug, name, description, parent, privacy: privacy.map(Into::into) };
        let idempotency = Idempotency::of(idempotency_key, &new).map_err(error)?;
        CreateTeamPayload::after(ctx, ctx.service()?.create_team(ctx.access()?, new, idempotency).await).await
    }

    /// Renames, describes or moves a team, or changes who sees it. Needs `teams.manage`.
    async fn update_team(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what changes of it.")] input: UpdateTeamInput,
    ) -> Result<UpdateTeamPayload> {
        let parent = match &input.parent {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(id) => Some(Some(NodeType::Team.parse(id)?)),
        };
        let team = NodeType::Team.parse(&input.team)?;
        let UpdateTeamInput { slug, name, description, privacy, idempotency_key, .. } = input;
        let edit = TeamEdit { team, slug, name, description, parent, privacy: privacy.map(Into::into) };
        let idempotency = Idempotency::of(idempotency_key, &edit).map_err(error)?;
        UpdateTeamPayload::after(ctx, ctx.service()?.update_team(ctx.access()?, edit, idempotency).await).await
    }

    /// Deletes a team with its grants. Needs `teams.manage`.
    async fn delete_team(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteTeamInput,
    ) -> Result<DeleteTeamPayload> {
        let team = NodeType::Team.parse(&input.team)?;
        let idempotency = Idempotency::of(input.idempotency_key, &team).map_err(error)?;
        Ok(match settle(ctx.service()?.delete_team(ctx.access()?, team, idempotency).await)? {
            Ok(id) => DeleteTeamPayload { deleted_team: Some(NodeType::Team.id(id)), user_errors: Vec::new() },
            Err(user_errors) => DeleteTeamPayload { deleted_team: None, user_errors },
        })
    }

    /// Puts a member into a team, or makes one in it a maintainer or a plain member again. Needs `teams.manage`; the team's
    /// maintainers may put plain members into it (S5.6).
    async fn add_team_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who comes into which team, and as what.")] input: AddTeamMemberInput,
    ) -> Result<AddTeamMemberPayload> {
        let (team, member) = (NodeType::Team.parse(&input.team)?, NodeType::Member.parse(&input.member)?);
        let joining = Joining { team, member, maintainer: input.maintainer };
        let idempotency = Idempotency::of(input.idempotency_key, &joining).map_err(error)?;
        let done = ctx.service()?.add_team_member(ctx.access()?, joining, idempotency).await;
        AddTeamMemberPayload::after(ctx, done).await
    }

    /// Takes a member out of a team. Needs `teams.manage`; the team's maintainers may take plain members out, and themselves.
    async fn remove_team_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who leaves which team.")] input: RemoveTeamMemberInput,
    ) -> Result<RemoveTeamMemberPayload> {
        let leaving =
            Leaving { team: NodeType::Team.parse(&input.team)?, member: NodeType::Member.parse(&input.member)? };
        let idempotency = Idempotency::of(input.idempotency_key, &leaving).map_err(error)?;
        let done = ctx.service()?.remove_team_member(ctx.access()?, leaving, idempotency).await;
        RemoveTeamMemberPayload::after(ctx, done).await
    }
}
