//! Invitations: pending places and how they are taken.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::{
    access_tree::{AccessMode, AppAccessInput, choice},
    blueprint::{RoleDefinition, RoleSlot},
    context::InContext,
    error::{Reason, UserError, error, reasons, settle},
    member::{Member, RolesOf},
    node::NodeType,
    page::{Listed, PageArgs, connection},
    permission::{self, Needs},
};
use crate::{
    access::blueprint::document,
    service::{
        self, Idempotency, ServiceError, Standing,
        invitation::{Accepted, AppRole, Asked, InvitationQuery, InvitationTo, InviteMember, Invited, Presented},
        page::Position,
        role::RoleSet,
    },
};

/// How an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "service::invitation::InvitationStanding")]
pub enum InvitationState {
    /// It can be accepted, and holds a seat.
    Pending,
    /// It was accepted.
    Accepted,
    /// It was declined.
    Declined,
    /// It was taken back.
    Revoked,
    /// It was not answered in time; it can be sent again.
    Expired,
}

/// The token by which a pending member becomes active.
#[derive(Debug, Clone)]
pub struct Invitation {
    standing: Arc<Standing>,
    row: service::invitation::Invitation,
}

impl Invitation {
    /// As this principal sees it.
    #[must_use]
    pub fn new(standing: Arc<Standing>, row: service::invitation::Invitation) -> Self {
        Self { standing, row }
    }

    /// The invitation of this id, for those who may invite.
    pub(super) async fn find(ctx: &Context<'_>, id: uuid::Uuid) -> Result<Option<Self>> {
        let Some(standing) = ctx.access()?.standing.clone() else { return Ok(None) };
        let found = ctx.service()?.find_invitation(ctx.access()?, id).await.map_err(error)?;
        Ok(found.map(|row| Self::new(standing, row)))
    }

    /// The invitation that a change made or sent, if it did one.
    pub(super) async fn given(ctx: &Context<'_>, id: Option<uuid::Uuid>) -> Result<Option<Self>> {
        match id {
            Some(id) => Self::find(ctx, id).await,
            None => Ok(None),
        }
    }
}

/// The token by which a pending member becomes active. The token itself is in the mail alone.
#[Object]
impl Invitation {
    /// Global id.
    pub(super) async fn id(&self) -> ID {
        NodeType::Invitation.id(self.row.id)
    }

    /// The pending member, who holds what was given from now on. Null when it came to nothing.
    async fn member(&self, ctx: &Context<'_>) -> Result<Option<Member>> {
        Member::find(ctx, self.row.member_id).await
    }

    /// The address it went to.
    async fn email(&self) -> &str {
        &self.row.email
    }

    /// The organization roles it gives.
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<RoleDefinition>> {
        let held = ctx.request()?.members.0.load_one(RolesOf(self.row.member_id)).await?.unwrap_or_default();
        let keys = self.standing.blueprint.rules.document().roles.keys().filter(|key| held.contains(key));
        Ok(keys.filter_map(|key| RoleDefinition::of(&self.standing, key)).collect())
    }

    /// How it stands now.
    async fn state(&self, ctx: &Context<'_>) -> Result<InvitationState> {
        Ok(self.row.standing(ctx.service()?.now()).into())
    }

    /// Until when it can be accepted.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.row.expires_at
    }

    /// When it was last sent.
    async fn sent_at(&self) -> DateTime<Utc> {
        self.row.sent_at
    }

    /// How often it was sent.
    async fn sends(&self) -> i32 {
        self.row.sends
    }

    /// Who invited, or sent it last. Null when a program did, or a member who is gone.
    async fn invited_by(&self, ctx: &Context<'_>) -> Result<Option<Member>> {
        match self.row.invited_by {
            Some(member) => Member::find(ctx, member).await,
            None => Ok(None),
        }
    }
}

impl Listed for service::invitation::Invitation {
    fn position(&self) -> Position {
        service::invitation::position(self)
    }
}

connection!(InvitationConnection, InvitationEdge, Invitation);

/// A field of the invitation form that can be required.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "document::InvitationField")]
pub enum InvitationField {
    /// The whole name.
    Name,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
}

/// What a form for inviting shows: an address, a role, and where the blueprint has it, the tree of apps and features.
#[derive(Debug, Clone, SimpleObject)]
pub struct InvitationForm {
    /// What must be filled in beside address and role.
    required: Vec<InvitationField>,
    /// The roles the caller may give, strongest first; each with the warning to show.
    roles: Vec<RoleDefinition>,
    /// What exactly one role is chosen for each, in the form's order.
    slots: Vec<RoleSlot>,
    /// The role that is preselected.
    default_role: Option<RoleDefinition>,
    /// Whether apps and features are picked in the form: `apps` and `appKinds` of the organization say which there are.
    has_access_tree: bool,
    /// For how many days an invitation can be accepted.
    expires_days: u32,
}

/// The invitations of an organization.
#[derive(Debug, Clone)]
pub struct OrganizationInvitations {
    standing: Arc<Standing>,
}

impl OrganizationInvitations {
    /// As this principal sees it.
    #[must_use]
    pub fn new(standing: Arc<Standing>) -> Self {
        Self { standing }
    }
}

/// The invitations of an organization.
#[Object]
impl OrganizationInvitations {
    /// The invitations, the newest first. Null, with an error beside it, without the permission.
    #[graphql(guard = "Needs(\"members.invite\")", directive = permission::permission::apply("members.invite".to_owned()))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection, and of its filter")]
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
        #[graphql(desc = "Only in one of these states; where nothing is said, all.")] states: Option<
            Vec<InvitationState>,
        >,
        #[graphql(desc = "Only to addresses that contain this.")] search: Option<String>,
    ) -> Result<Option<InvitationConnection>> {
        let name = format!("invitations:{}:{states:?}:{search:?}", self.standing.place.id);
        let listing = PageArgs { first, after, last, before }.listing(ctx, &name)?;
        let standings = states.unwrap_or_default().into_iter().map(Into::into).collect();
        let query = InvitationQuery { standings, search };
        let page = ctx.service()?.invitations(ctx.access()?, query, &listing.request).await.map_err(error)?;
        listing.connection(ctx, page, |row| Invitation::new(Arc::clone(&self.standing), row)).map(Some)
    }

    /// What a form for inviting shows to the caller.
    async fn invitation_form(&self) -> InvitationForm {
        let rules = &self.standing.blueprint.rules;
        let invitation = &rules.document().invitation;
        let default = invitation.default_role.as_deref();
        InvitationForm {
            required: invitation.required.iter().copied().map(Into::into).collect(),
            roles: self.standing.roles_to_give().filter_map(|key| RoleDefinition::of(&self.standing, key)).collect(),
            slots: RoleSlot::all(rules),
            default_role: default.and_then(|key| RoleDefinition::of(&self.standing, key)),
            has_access_tree: invitation.access_tree,
            expires_days: invitation.expires_days,
        }
    }

    /// Whether the caller can invite anyone now.
    async fn viewer_can_invite(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(ctx.service()?.obstacles_to_inviting(ctx.access()?).await.map_err(error)?.is_empty())
    }

    /// Why not, and the ways out; empty: it can be done.
    async fn viewer_cannot_invite_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        Ok(reasons(ctx.service()?.obstacles_to_inviting(ctx.access()?).await.map_err(error)?))
    }
}

/// An invitation that waits for the signed-in person, told by the person's verified address.
#[derive(Debug, Clone, SimpleObject)]
pub struct PendingInvitation {
    /// Global id of the invitation: for accepting or declining it.
    id: ID,
    /// The organization's name.
    organization_name: String,
    /// The organization's lower-case name.
    organization_slug: String,
    /// Until when it can be accepted.
    expires_at: DateTime<Utc>,
}

impl From<InvitationTo> for PendingInvitation {
    fn from(to: InvitationTo) -> Self {
        Self {
            id: NodeType::Invitation.id(to.invitation.id),
            organization_name: to.organization_name,
            organization_slug: to.organization_slug,
            expires_at: to.invitation.expires_at,
        }
    }
}

/// The invitations that wait for the caller.
pub(super) async fn pending(ctx: &Context<'_>) -> Result<Vec<PendingInvitation>> {
    let waiting = ctx.service()?.pending_invitations(ctx.access()?).await.map_err(error)?;
    Ok(waiting.into_iter().map(PendingInvitation::from).collect())
}

/// Who is to be invited, to what.
#[derive(InputObject)]
pub struct InviteMemberInput {
    /// The person.
    #[graphql(flatten)]
    person: InvitedPersonInput,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours, and sends no second mail.
    idempotency_key: Option<String>,
}

/// Somebody to be invited: the address, the roles, the access.
#[derive(InputObject)]
pub struct InvitedPersonInput {
    /// The address the invitation goes to, and that the person will sign in with.
    email: String,
    /// The name as shown; else made of first and last name, else of the address.
    name: Option<String>,
    /// First name.
    first_name: Option<String>,
    /// Last name.
    last_name: Option<String>,
    /// The roles, by their keys: one for each slot, and flags. A slot that is left out is filled by the blueprint's default,
    /// where there is one.
    #[graphql(default)]
    roles: Vec<String>,
    /// A main role beside those, by its key: short where the blueprint has one slot.
    role: Option<String>,
    /// Flags beside those, by their keys.
    #[graphql(default)]
    flags: Vec<String>,
    /// Whether to give everything the caller has, or what is ticked; else as the role begins (`roles.initialAccess`).
    access_mode: Option<AccessMode>,
    /// The ticked apps, and in each the ticked features: a custom choice.
    access: Option<Vec<AppAccessInput>>,
    /// Roles on apps: who may invite there need not be able to invite in the organization (S4.18).
    #[graphql(default)]
    app_roles: Vec<AppRoleInput>,
    /// Whether to send the mail; without it, the person is offered the invitation after signing in.
    #[graphql(default = true)]
    notify: bool,
}

impl InvitedPersonInput {
    /// The address as it was given.
    pub(super) fn email(&self) -> &str {
        &self.email
    }

    /// As the service takes it; or what is wrong with its access.
    pub(super) fn asked(self) -> Result<Asked> {
        let Self { email, name, first_name, last_name, role, roles, flags, app_roles, notify, .. } = self;
        let access = match choice(self.access_mode, self.access) {
            Ok(choice) => choice,
            Err(ServiceError::Refused(mistakes)) => return Ok(Err(mistakes)),
            Err(other) => return Err(error(other)),
        };
        let roles = RoleSet { one: role, main: roles, flags: Some(flags) };
        let at = |given: AppRoleInput| Ok(AppRole { app: NodeType::App.parse(&given.app)?, role: given.role });
        let app_roles = app_roles.into_iter().map(at).collect::<Result<_>>()?;
        Ok(Ok(InviteMember { email, name, first_name, last_name, roles, access, app_roles, notify }))
    }
}

/// A role on an app.
#[derive(InputObject)]
pub struct AppRoleInput {
    /// Global id of the app.
    app: ID,
    /// The role's key.
    role: String,
}

/// What became of inviting.
#[derive(Default, SimpleObject)]
pub struct InviteMemberPayload {
    /// The pending member, or the one who was there already; null when it was refused.
    member: Option<Member>,
    /// The invitation; null when it was refused, and where somebody is there already.
    invitation: Option<Invitation>,
    /// Whether a mail has gone out by now. False where none is written: it was not asked for, or somebody else has invited the person
    /// before. One that the mail server puts off is tried again for two days; one that it refuses is given up. The invitation stands
    /// all the same.
    mail_sent: bool,
    /// Why nothing was changed, every mistake at once; empty: it was.
    user_errors: Vec<UserError>,
}

/// Which invitation to send again.
#[derive(InputObject)]
pub struct ResendInvitationInput {
    /// Global id of the invitation.
    invitation: ID,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours, and sends no second mail.
    idempotency_key: Option<String>,
}

/// What became of sending again.
#[derive(Default, SimpleObject)]
pub struct ResendInvitationPayload {
    /// The same invitation with its new end; null when it was refused.
    invitation: Option<Invitation>,
    /// Whether the mail has gone out by now. One that the mail server puts off is tried again for two days; one that it refuses is
    /// given up.
    mail_sent: bool,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// Which invitation to take back.
#[derive(InputObject)]
pub struct RevokeInvitationInput {
    /// Global id of the invitation.
    invitation: ID,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of taking back.
#[derive(Default, SimpleObject)]
pub struct RevokeInvitationPayload {
    /// Global id of the member who was pending and is gone; null when it was refused.
    removed: Option<ID>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// What shows that an invitation is for the caller: one of both.
#[derive(OneofObject)]
pub enum InvitationProof {
    /// The token of the mail's link.
    Token(String),
    /// Global id of an invitation that waits for the signed-in person's verified address.
    Invitation(ID),
}

impl InvitationProof {
    fn presented(self) -> Result<Presented> {
        Ok(match self {
            Self::Token(token) => Presented::Token(token),
            Self::Invitation(id) => Presented::Invitation(NodeType::Invitation.parse(&id)?),
        })
    }
}

/// Which invitation to accept.
#[derive(InputObject)]
pub struct AcceptInvitationInput {
    /// What shows that it is the caller's.
    proof: InvitationProof,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// An organization that was just joined. For a token bound to it: `switchOrganization`.
#[derive(Debug, Clone, SimpleObject)]
pub struct JoinedOrganization {
    /// Global id of the organization.
    id: ID,
    /// Its lower-case name.
    slug: String,
    /// Its name as shown.
    name: String,
}

/// What became of accepting.
#[derive(Default, SimpleObject)]
pub struct AcceptInvitationPayload {
    /// The organization; null when it was refused.
    organization: Option<JoinedOrganization>,
    /// Global id of the person's member there; null when it was refused.
    member: Option<ID>,
    /// The path below the dashboard address where the person lands; null when it was refused.
    landing: Option<String>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

impl From<Accepted> for AcceptInvitationPayload {
    fn from(accepted: Accepted) -> Self {
        let Accepted { organization, slug, name, member, landing } = accepted;
        Self {
            organization: Some(JoinedOrganization { id: NodeType::Organization.id(organization), slug, name }),
            member: Some(NodeType::Member.id(member)),
            landing: Some(landing),
            user_errors: Vec::new(),
        }
    }
}

/// Which invitation to decline.
#[derive(InputObject)]
pub struct DeclineInvitationInput {
    /// What shows that it is the caller's; with the token, nobody need be signed in.
    proof: InvitationProof,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of declining.
#[derive(Default, SimpleObject)]
pub struct DeclineInvitationPayload {
    /// Global id of the invitation; null when it was refused.
    declined: Option<ID>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// Inviting, and answering invitations.
#[derive(Debug, Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Invites a person: a pending member with its role and access, and a mail. Needs the permission `members.invite` and a
    /// free seat; one gives only what is one's own to give. Who invites at apps alone, and does not see that the person is in the
    /// organization, adds the person to those apps: at once, and the roles in the organization stay (S4.18, S4.22).
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is invited, to what.")] input: InviteMemberInput,
    ) -> Result<InviteMemberPayload> {
        let invite = match settle(input.person.asked()?.map_err(ServiceError::Refused))? {
            Ok(invite) => invite,
            Err(user_errors) => return Ok(InviteMemberPayload { user_errors, ..InviteMemberPayload::default() }),
        };
        let idempotency = Idempotency::of(input.idempotency_key, &invite).map_err(error)?;
        match settle(ctx.service()?.invite_member(ctx.access()?, invite, idempotency).await)? {
            Ok(Invited { member, invitation, mail_sent }) => Ok(InviteMemberPayload {
                member: Member::find(ctx, member).await?,
                invitation: Invitation::given(ctx, invitation).await?,
                mail_sent,
                user_errors: Vec::new(),
            }),
            Err(user_errors) => Ok(InviteMemberPayload { user_errors, ..InviteMemberPayload::default() }),
        }
    }

    /// Sends a pending or expired invitation again, with a new link; the old one is dead. Needs the permission
    /// `members.invite`, in the organization or on an app that it is to, and a free seat where it had expired.
    async fn resend_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ResendInvitationInput,
    ) -> Result<ResendInvitationPayload> {
        let id = NodeType::Invitation.parse(&input.invitation)?;
        let idempotency = Idempotency::of(input.idempotency_key, &id).map_err(error)?;
        match settle(ctx.service()?.resend_invitation(ctx.access()?, id, idempotency).await)? {
            Ok(Invited { invitation, mail_sent, .. }) => Ok(ResendInvitationPayload {
                invitation: Invitation::given(ctx, invitation).await?,
                mail_sent,
                user_errors: Vec::new(),
            }),
            Err(user_errors) => Ok(ResendInvitationPayload { user_errors, ..ResendInvitationPayload::default() }),
        }
    }

    /// Takes an unanswered invitation back: the link is dead, the pending member goes, the seat is free. Needs the permission
    /// `members.invite`, in the organization or on every app that it is to.
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeInvitationInput,
    ) -> Result<RevokeInvitationPayload> {
        let id = NodeType::Invitation.parse(&input.invitation)?;
        let idempotency = Idempotency::of(input.idempotency_key, &id).map_err(error)?;
        match settle(ctx.service()?.revoke_invitation(ctx.access()?, id, idempotency).await)? {
            Ok(member) => {
                let removed = Some(NodeType::Member.id(member));
                Ok(RevokeInvitationPayload { removed, user_errors: Vec::new() })
            }
            Err(user_errors) => Ok(RevokeInvitationPayload { removed: None, user_errors }),
        }
    }

    /// Accepts an invitation to the signed-in person's address. The token of the mail proves that address; by id it must be
    /// verified already. Accepting twice is accepting once.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and why it is the caller's.")] input: AcceptInvitationInput,
    ) -> Result<AcceptInvitationPayload> {
        let presented = input.proof.presented()?;
        let idempotency = Idempotency::of(input.idempotency_key, &presented).map_err(error)?;
        match settle(ctx.service()?.accept_invitation(ctx.access()?, presented, idempotency).await)? {
            Ok(accepted) => Ok(accepted.into()),
            Err(user_errors) => Ok(AcceptInvitationPayload { user_errors, ..AcceptInvitationPayload::default() }),
        }
    }

    /// Declines an invitation: the pending member goes, the seat is free.
    async fn decline_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and why it is the caller's.")] input: DeclineInvitationInput,
    ) -> Result<DeclineInvitationPayload> {
        let presented = input.proof.presented()?;
        let idempotency = Idempotency::of(input.idempotency_key, &presented).map_err(error)?;
        match settle(ctx.service()?.decline_invitation(ctx.access()?, presented, idempotency).await)? {
            Ok(id) => {
                let declined = Some(NodeType::Invitation.id(id));
                Ok(DeclineInvitationPayload { declined, user_errors: Vec::new() })
            }
            Err(user_errors) => Ok(DeclineInvitationPayload { declined: None, user_errors }),
        }
    }
}
