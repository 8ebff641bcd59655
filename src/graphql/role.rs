//! Roles of members: giving and taking them.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{
    context::InContext,
    error::{UserError, error, settle},
    member::Member,
    node::NodeType,
};
use crate::service::{
    Idempotency,
    role::{RoleChange, RoleStep},
};

/// Which main role a member is to have.
#[derive(InputObject)]
pub struct ChangeMemberRoleInput {
    /// Global id of the member.
    member: ID,
    /// The role's key; it takes the place of the main role held until now.
    role: String,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// Which flag a member is to have beside its main role.
#[derive(InputObject)]
pub struct AddMemberRoleInput {
    /// Global id of the member.
    member: ID,
    /// The flag's key.
    role: String,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// Which flag a member is to have no more.
#[derive(InputObject)]
pub struct RemoveMemberRoleInput {
    /// Global id of the member.
    member: ID,
    /// The flag's key.
    role: String,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of changing a member's main role.
#[derive(SimpleObject)]
pub struct ChangeMemberRolePayload {
    /// The member as it is now; null when it was refused.
    member: Option<Member>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// What became of giving a flag.
#[derive(SimpleObject)]
pub struct AddMemberRolePayload {
    /// The member as it is now; null when it was refused.
    member: Option<Member>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// What became of taking a flag.
#[derive(SimpleObject)]
pub struct RemoveMemberRolePayload {
    /// The member as it is now; null when it was refused.
    member: Option<Member>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// The member after the change, or why there was none.
type Outcome = (Option<Member>, Vec<UserError>);

async fn change(ctx: &Context<'_>, (member, step): (ID, RoleStep), key: Option<String>) -> Result<Outcome> {
    let change = RoleChange { member: NodeType::Member.parse(&member)?, step };
    let idempotency = Idempotency::of(key, &change).map_err(error)?;
    match settle(ctx.service()?.change_role(ctx.access()?, change, idempotency).await)? {
        Ok(id) => Ok((Member::find(ctx, id).await?, Vec::new())),
        Err(user_errors) => Ok((None, user_errors)),
    }
}

/// Changing roles.
#[derive(Debug, Default)]
pub struct RoleMutation;

#[Object]
impl RoleMutation {
    /// Gives a member another main role in place of the one it has. Needs the permission `roles.assign`; nobody raises
    /// themselves, and a role that somebody must hold keeps a holder.
    async fn change_member_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who gets which role.")] input: ChangeMemberRoleInput,
    ) -> Result<ChangeMemberRolePayload> {
        let step = RoleStep::Become(input.role);
        let (member, user_errors) = change(ctx, (input.member, step), input.idempotency_key).await?;
        Ok(ChangeMemberRolePayload { member, user_errors })
    }

    /// Gives a member a flag beside its main role. Needs the permission `roles.assign`.
    async fn add_member_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who gets which flag.")] input: AddMemberRoleInput,
    ) -> Result<AddMemberRolePayload> {
        let step = RoleStep::Add(input.role);
        let (member, user_errors) = change(ctx, (input.member, step), input.idempotency_key).await?;
        Ok(AddMemberRolePayload { member, user_errors })
    }

    /// Takes a flag from a member. Needs the permission `roles.assign`, unless it is one's own to give up; a role that somebody must
    /// hold keeps a holder.
    async fn remove_member_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who loses which flag.")] input: RemoveMemberRoleInput,
    ) -> Result<RemoveMemberRolePayload> {
        let step = RoleStep::Remove(input.role);
        let (member, user_errors) = change(ctx, (input.member, step), input.idempotency_key).await?;
        Ok(RemoveMemberRolePayload { member, user_errors })
    }
}
