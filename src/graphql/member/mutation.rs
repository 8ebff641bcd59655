//! Changing members: one form and one save, and how people go and come back.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::Member;
use crate::{
    graphql::{
        access_tree::{AccessMode, AppAccessInput, choice, edited},
        context::InContext,
        error::{UserError, error, settle},
        node::NodeType,
    },
    service::{
        Idempotency,
        access_choice::AccessChoice,
        member::{Departing, MemberEdit, MemberNames, RestoreMember, StateStep},
        role::RoleSet,
    },
};

/// What to change of a member.
#[derive(InputObject)]
pub struct UpdateMemberInput {
    /// Global id of the member.
    member: ID,
    /// Another name as shown.
    name: Option<String>,
    /// Another first name; empty: none.
    first_name: Option<String>,
    /// Another last name; empty: none.
    last_name: Option<String>,
    /// Another address, for a member who has not joined yet: the invitation goes there, and the link that went to the old one
    /// is dead. The address of somebody who has joined is the person's own.
    email: Option<String>,
    /// Another main role, by its key. Needs the permission `roles.assign`.
    role: Option<String>,
    /// Other main roles, where members hold several: each takes the place of the one held in its slot.
    roles: Option<Vec<String>>,
    /// All the flags to be held beside it. Needs the permission `roles.assign`.
    flags: Option<Vec<String>>,
    /// Whether to give everything the caller has, or what is ticked, with the tree; a tree alone is a custom choice. Needs the
    /// permission `access.grant`.
    access_mode: Option<AccessMode>,
    /// The ticked apps and features: the whole tree. Needs the permission `access.grant`.
    access: Option<Vec<AppAccessInput>>,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of changing a member.
#[derive(SimpleObject)]
pub struct UpdateMemberPayload {
    /// The member as it is now; null when it was refused.
    member: Option<Member>,
    /// Whether a mail has gone to another address.
    mail_sent: bool,
    /// Why nothing was changed, every mistake at once; empty: it was.
    user_errors: Vec<UserError>,
}

/// Whom to bring back, to what.
#[derive(InputObject)]
pub struct RestoreMemberInput {
    /// Global id of the archived member.
    member: ID,
    /// Another name as shown.
    name: Option<String>,
    /// Another first name; empty: none.
    first_name: Option<String>,
    /// Another last name; empty: none.
    last_name: Option<String>,
    /// The main role, by its key; else the blueprint's default. What was held before does not come back.
    role: Option<String>,
    /// The main roles, where members hold several: one of each slot.
    roles: Option<Vec<String>>,
    /// Flags beside it, by their keys.
    #[graphql(default)]
    flags: Vec<String>,
    /// Whether to give everything the caller has, or what is ticked; else as the role begins.
    access_mode: Option<AccessMode>,
    /// The ticked apps, and in each the ticked features: a custom choice.
    access: Option<Vec<AppAccessInput>>,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of bringing a member back.
#[derive(SimpleObject)]
pub struct RestoreMemberPayload {
    /// The member as it is now; null when it was refused.
    member: Option<Member>,
    /// Why nothing was changed, every mistake at once; empty: it was.
    user_errors: Vec<UserError>,
}

/// Whom to shut out for a while.
#[derive(InputObject)]
pub struct SuspendMemberInput {
    /// Global id of the member.
    member: ID,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of suspending a member.
#[derive(SimpleObject)]
pub struct SuspendMemberPayload {
    /// The member as it is now; null when it was refused.
    member: Option<Member>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// Whom to let in again.
#[derive(InputObject)]
pub struct ReactivateMemberInput {
    /// Global id of the member.
    member: ID,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of making a member active again.
#[derive(SimpleObject)]
pub struct ReactivateMemberPayload {
    /// The member as it is now; null when it was refused.
    member: Option<Member>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// Whom to remove.
#[derive(InputObject)]
pub struct RemoveMemberInput {
    /// Global id of the member.
    member: ID,
    /// That the person at the screen has confirmed it.
    confirm: bool,
    /// Whether to tell the removed person by mail.
    #[graphql(default)]
    notify: bool,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of removing a member.
#[derive(Default, SimpleObject)]
pub struct RemoveMemberPayload {
    /// Global id of who is gone; null when it was refused.
    removed: Option<ID>,
    /// Whether the person was told by mail.
    notified: bool,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// That the caller wants to leave the organization its token is bound to.
#[derive(InputObject)]
pub struct LeaveOrganizationInput {
    /// That the person at the screen has confirmed it.
    confirm: bool,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of leaving.
#[derive(Default, SimpleObject)]
pub struct LeaveOrganizationPayload {
    /// Global id of the organization that was left; null when it was refused. The next screen is the switcher between
    /// organizations: `viewer.organizations`.
    left: Option<ID>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// The member after a change of its state, or why there was none.
async fn step(
    ctx: &Context<'_>,
    (member, step): (ID, StateStep),
    key: Option<String>,
) -> Result<(Option<Member>, Vec<UserError>)> {
    let change = (NodeType::Member.parse(&member)?, step);
    let idempotency = Idempotency::of(key, &change).map_err(error)?;
    match settle(ctx.service()?.change_member_state(ctx.access()?, change, idempotency).await)? {
        Ok(id) => Ok((Member::find(ctx, id).await?, Vec::new())),
        Err(user_errors) => Ok((None, user_errors)),
    }
}

/// Changing members.
#[derive(Debug, Default)]
pub struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Changes a member's names, address, roles and access in one step: all of it or nothing. Needs the permission
    /// `members.update` for names and address, `roles.assign` for roles and `access.grant` for access.
    async fn update_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateMemberInput,
    ) -> Result<UpdateMemberPayload> {
        let UpdateMemberInput { member, name, first_name, last_name, email, .. } = input;
        let refused = |user_errors| Ok(UpdateMemberPayload { member: None, mail_sent: false, user_errors });
        let access = match settle(edited(input.access_mode, input.access))? {
            Ok(choice) => choice,
            Err(user_errors) => return refused(user_errors),
        };
        let set = RoleSet { one: input.role, main: input.roles.unwrap_or_default(), flags: input.flags };
        let roles = (set.has_main() || set.flags.is_some()).then_some(set);
        let names = MemberNames { name, first_name, last_name };
        let edit = MemberEdit { member: NodeType::Member.parse(&member)?, names, email, roles, access };
        let idempotency = Idempotency::of(input.idempotency_key, &edit).map_err(error)?;
        match settle(ctx.service()?.update_member(ctx.access()?, edit, idempotency).await)? {
            Ok(edited) => Ok(UpdateMemberPayload {
                member: Member::find(ctx, edited.member).await?,
                mail_sent: edited.mail_sent,
                user_errors: Vec::new(),
            }),
            Err(user_errors) => refused(user_errors),
        }
    }

    /// Makes an archived member active again, at once. What it held before does not come back: roles and access are given anew,
    /// under the rules of an invitation. Needs the permission `members.invite` and a free seat.
    async fn restore_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who comes back, to what.")] input: RestoreMemberInput,
    ) -> Result<RestoreMemberPayload> {
        let RestoreMemberInput { member, name, first_name, last_name, role, roles, flags, .. } = input;
        let access: AccessChoice = match settle(choice(input.access_mode, input.access))? {
            Ok(choice) => choice,
            Err(user_errors) => return Ok(RestoreMemberPayload { member: None, user_errors }),
        };
        let roles = RoleSet { one: role, main: roles.unwrap_or_default(), flags: Some(flags) };
        let names = MemberNames { name, first_name, last_name };
        let restore = RestoreMember { member: NodeType::Member.parse(&member)?, names, roles, access };
        let idempotency = Idempotency::of(input.idempotency_key, &restore).map_err(error)?;
        match settle(ctx.service()?.restore_member(ctx.access()?, restore, idempotency).await)? {
            Ok(id) => Ok(RestoreMemberPayload { member: Member::find(ctx, id).await?, user_errors: Vec::new() }),
            Err(user_errors) => Ok(RestoreMemberPayload { member: None, user_errors }),
        }
    }

    /// Shuts a member out for a while: it keeps its roles and access and may use none, and its seat is free. Needs the
    /// permission `members.update`; nobody suspends themselves, and a role that somebody must hold keeps a holder.
    async fn suspend_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: SuspendMemberInput,
    ) -> Result<SuspendMemberPayload> {
        let (member, user_errors) = step(ctx, (input.member, StateStep::Suspend), input.idempotency_key).await?;
        Ok(SuspendMemberPayload { member, user_errors })
    }

    /// Lets a suspended member in again, with what it kept. Needs the permission `members.update` and a free seat.
    async fn reactivate_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom.")] input: ReactivateMemberInput,
    ) -> Result<ReactivateMemberPayload> {
        let (member, user_errors) = step(ctx, (input.member, StateStep::Reactivate), input.idempotency_key).await?;
        Ok(ReactivateMemberPayload { member, user_errors })
    }

    /// Removes a member at once, with everything it holds; where the blueprint archives, its place stays among the archived
    /// members. Needs the permission `members.remove`.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom to remove.")] input: RemoveMemberInput,
    ) -> Result<RemoveMemberPayload> {
        let RemoveMemberInput { member, confirm, notify, idempotency_key } = input;
        let departing = Departing { member: NodeType::Member.parse(&member)?, confirm, notify };
        let idempotency = Idempotency::of(idempotency_key, &departing).map_err(error)?;
        match settle(ctx.service()?.remove_member(ctx.access()?, departing, idempotency).await)? {
            Ok(gone) => {
                let removed = Some(NodeType::Member.id(gone.member));
                Ok(RemoveMemberPayload { removed, notified: gone.notified, user_errors: Vec::new() })
            }
            Err(user_errors) => Ok(RemoveMemberPayload { user_errors, ..RemoveMemberPayload::default() }),
        }
    }

    /// Leaves the organization the caller's token is bound to, at once. Refused to the last holder of a role that somebody
    /// must hold.
    async fn leave_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "That it is meant.")] input: LeaveOrganizationInput,
    ) -> Result<LeaveOrganizationPayload> {
        let LeaveOrganizationInput { confirm, idempotency_key } = input;
        let idempotency = Idempotency::of(idempotency_key, &confirm).map_err(error)?;
        match settle(ctx.service()?.leave_organization(ctx.access()?, confirm, idempotency).await)? {
            Ok(id) => {
                let left = Some(NodeType::Organization.id(id));
                Ok(LeaveOrganizationPayload { left, user_errors: Vec::new() })
            }
            Err(user_errors) => Ok(LeaveOrganizationPayload { left: None, user_errors }),
        }
    }
}
