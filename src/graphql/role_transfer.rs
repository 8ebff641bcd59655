//! Handing a role over.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{
    context::InContext,
    error::{UserError, error, settle},
    member::Member,
    node::NodeType,
};
use crate::service::{Idempotency, role_transfer::RoleTransfer};

/// A role of the caller's own, and who is to have it.
#[derive(InputObject)]
pub struct TransferRoleInput {
    /// The role's key.
    role: String,
    /// Global id of the active member who is to hold it.
    member: ID,
    /// That the person at the screen has confirmed it.
    confirm: bool,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of handing a role over.
#[derive(Default, SimpleObject)]
pub struct TransferRolePayload {
    /// Who held the role, with what is held instead; null when it was refused.
    from: Option<Member>,
    /// Who holds it now; null when it was refused.
    to: Option<Member>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// Handing roles over.
#[derive(Debug, Default)]
pub struct RoleTransferMutation;

#[Object]
impl RoleTransferMutation {
    /// Hands a role that the caller holds over to another active member, in one step: the caller takes the role that the
    /// blueprint names for it. Refused for roles that cannot be handed over.
    async fn transfer_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which role goes to whom.")] input: TransferRoleInput,
    ) -> Result<TransferRolePayload> {
        let TransferRoleInput { role, member, confirm, idempotency_key } = input;
        let transfer = RoleTransfer { role, member: NodeType::Member.parse(&member)?, confirm };
        let idempotency = Idempotency::of(idempotency_key, &transfer).map_err(error)?;
        match settle(ctx.service()?.transfer_role(ctx.access()?, transfer, idempotency).await)? {
            Ok(moved) => Ok(TransferRolePayload {
                from: Member::find(ctx, moved.from).await?,
                to: Member::find(ctx, moved.to).await?,
                user_errors: Vec::new(),
            }),
            Err(user_errors) => Ok(TransferRolePayload { user_errors, ..TransferRolePayload::default() }),
        }
    }
}
