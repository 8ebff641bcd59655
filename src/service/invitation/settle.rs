//! Answering an invitation: accepting or declining it, by its secret or as the signed-in person it is for.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{Invitation, InvitationStanding, InvitationTo, place::Inviting, vouch::Voucher};
use crate::{
    ablate,
    access::{
        Authority, Blueprint, Denial, Held, Permit, Place, SystemTask, authorize,
        delegation::{Gift, fits},
        verb::{SettleInvitation, UpdateMember, Verb},
    },
    identity::InvitationToken,
    service::{
        Access, Actor, Change, Client, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
        activity::{NewEntry, target},
        app, consequence,
        member::already_member,
        seat,
        user::verify_email,
    },
    store::{
        self, WriteScope,
        grant::AccessGrant,
        invitation::Settling,
        member::{Activation, Member, MemberChanges, MemberState},
        organization::{Organization, OrganizationState},
        user::User,
    },
};

/// What shows that an invitation is for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// The secret of the mail.
    Token(String),
    /// The invitation's id, by a person whose proven address it went to.
    Invitation(Uuid),
}

impl Presented {
    /// The field of the input by which it came, as a path.
    const fn field(&self) -> &'static str {
        match self {
            Self::Token(_) => "proof.token",
            Self::Invitation(_) => "proof.invitation",
        }
    }
}

/// Where an accepted invitation leads (`S3.41`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The organization.
    pub organization: Uuid,
    /// Its lower-case name.
    pub slug: String,
    /// Its name as shown.
    pub name: String,
    /// The caller's place there.
    pub member: Uuid,
    /// The path below the dashboard address where the person lands.
    pub landing: String,
}

impl Service {
    /// The invitations that wait for the signed-in person: of its proven address alone (`S3.74`).
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn pending_invitations(&self, access: &Access) -> Result<Vec<InvitationTo>, ServiceError> {
        let Some(id) = access.user_id() else { return Ok(Vec::new()) };
        let reader = self.store().read();
        let user = store::user::find_by_id(&reader, id).await?;
        let Some(user) = user.filter(|user| user.email_verified_at.is_some()) else { return Ok(Vec::new()) };
        Ok(store::invitation::pending_for_email(&reader, &user.email, self.now()).await?)
    }

    /// Accepts an invitation: the pending member becomes the person's, with exactly what it was given. Any signed-in person
    /// may whose address it went to; the secret of the mail proves that address. Twice by the same person is once.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] when it is answered, expired, for another address, or no longer vouched for.
    pub async fn accept_invitation(
        &self,
        access: &Access,
        presented: Presented,
        idempotency: Option<Idempotency>,
    ) -> Result<Accepted, ServiceError> {
        access.require_known()?;
        let user = access.user_id().ok_or(Denial::PeopleOnly)?;
        let found = self.presented(&presented, Some(user), &access.client).await?;
        let change = Change::by_user("acceptInvitation", access, vec![found.organization_id])?;
        let by_token = matches!(presented, Presented::Token(_));
        let accepting = Accepting { invitation: found, user, by_token, field: presented.field() };
        let work = self
            .mutate(change.repeatable(idempotency), move |work| Box::pin(async move { accept(work, accepting).await }));
        Ok(work.await?.value)
    }

    /// Declines an invitation: the pending member goes, the seat is free. Who holds the secret may, and the signed-in person
    /// of its address; the invitation's id.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] when it is answered otherwise.
    pub async fn decline_invitation(
        &self,
        access: &Access,
        presented: Presented,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let user = access.user_id();
        if user.is_none() && matches!(presented, Presented::Invitation(_)) {
            access.require_known()?;
            return Err(Denial::PeopleOnly.into());
        }
        let found = self.presented(&presented, user, &access.client).await?;
        let change = if user.is_some() {
            Change::by_user("declineInvitation", access, vec![found.organization_id])?.repeatable(idempotency)
        } else {
            let scope = WriteScope::organization(found.organization_id);
            Change::by_system("declineInvitation", SystemTask::SettleInvitation, scope)
        };
        let field = presented.field();
        Ok(self.mutate(change, move |work| Box::pin(async move { decline(work, found, field).await })).await?.value)
    }

    /// The invitation that was presented, as it stands outside any transaction. A secret that is none counts against where it
    /// came from, as a failed sign-in does (F7).
    async fn presented(
        &self,
        presented: &Presented,
        user: Option<Uuid>,
        client: &Client,
    ) -> Result<Invitation, ServiceError> {
        let reader = self.store().read();
        match presented {
            Presented::Token(text) => {
                let counted = self.attempt_with_secret(client)?;
                let token = InvitationToken::parse(text.trim())
                    .map_err(|error| UserError::new(UserErrorCode::Invalid, presented.field(), error.to_string()))?;
                let found = match store::invitation::find_by_token_hash(&reader, &token.hash()).await {
                    Ok(found) => found.ok_or_else(|| old_link(presented.field()))?,
                    Err(error) => {
                        counted.undecided();
                        return Err(error.into());
                    }
                };
                counted.succeeded();
                Ok(found)
            }
            Presented::Invitation(id) => {
                let user = user.ok_or(ServiceError::Unauthenticated)?;
                let user = store::user::find_by_id(&reader, user).await?.ok_or(ServiceError::Unauthenticated)?;
                let proven = user.email_verified_at.is_some() || ablate::off("verified_email");
                let found = store::invitation::find_to_email(&reader, *id, &user.email).await?;
                found.filter(|_| proven).ok_or(ServiceError::NotFound)
            }
        }
    }
}

/// The refusal of a link that leads to nothing: sent again since, taken back, or mistyped.
fn old_link(field: &str) -> UserError {
    UserError::new(UserErrorCode::InvitationNotPending, field, "this link is not good any more")
        .remedy("Use the newest mail, or ask for the invitation to be sent again.")
}

/// A person about to take a place.
struct Accepting {
    invitation: Invitation,
    user: Uuid,
    by_token: bool,
    field: &'static str,
}

/// A permit for settling work: accepting is nobody's right in the organization before it is done.
fn settle<V: Verb>(organization: Uuid, subject: Uuid) -> Result<Permit<V>, ServiceError> {
    Ok(authorize::<V>(Authority::System(SystemTask::SettleInvitation, Some(organization)), Some(subject))?)
}

/// The invitation with its organization and member, read again under the lock; an organization that is not open has none.
async fn reread(
    work: &Work<'_>,
    found: &Invitation,
    field: &str,
) -> Result<(Invitation, Organization, Member), ServiceError> {
    let organization = found.organization_id;
    let invitation = store::invitation::find_by_id(work.tx, organization, found.id).await?;
    let place = store::organization::find_by_id(work.tx, organization).await?;
    let member = store::member::find_by_id(work.tx, organization, found.member_id).await?;
    let open = place.filter(|place| place.state == OrganizationState::Active || ablate::off("open_organization"));
    // A link that was sent again between the look and the lock is an old one now.
    let same = invitation.filter(|invitation| invitation.token_hash == found.token_hash);
    match (same, open, member) {
        (Some(invitation), Some(place), Some(member)) => Ok((invitation, place, member)),
        _ => Err(not_pending(field).into()),
    }
}

async fn accept(work: &Work<'_>, accepting: Accepting) -> Result<Accepted, ServiceError> {
    let field = accepting.field;
    let (invitation, place, member) = reread(work, &accepting.invitation, field).await?;
    let user = store::user::find_by_id(work.tx, accepting.user).await?.ok_or(ServiceError::Unauthenticated)?;
    if invitation.email != user.email && !ablate::off("invited_email") {
        return Err(for_another(field).into());
    }
    let blueprint = work.service.rules_of(work.tx, (place.id, place.blueprint_id)).await?;
    let accepted = Accepted {
        organization: place.id,
        slug: place.slug.clone(),
        name: place.name.clone(),
        member: member.id,
        landing: blueprint.rules.document().invitation.landing.clone(),
    };
    match invitation.standing(work.now) {
        InvitationStanding::Pending => {}
        InvitationStanding::Accepted if ablate::off("invitation_single_use") => {}
        InvitationStanding::Accepted if is_taken_by(&member, &user) => return Ok(accepted),
        InvitationStanding::Declined | InvitationStanding::Revoked if ablate::off("invitation_pending") => {}
        InvitationStanding::Expired => return Err(expired(field).into()),
        InvitationStanding::Accepted | InvitationStanding::Declined | InvitationStanding::Revoked => {
            return Err(not_pending(field).into());
        }
    }
    let grants = store::grant::of_grantees(work.tx, place.id, &[member.id]).await?;
    vouched(work, &blueprint.rules, &invitation, &grants).await.map_err(|error| error.about(field))?;
    let within = seat::Within { organization: place.id, blueprint: &blueprint.rules, plan: &place.plan };
    let seats = seat::taken(work, within).await?;
    take_place(work, (&invitation, &member, &user), &accepting).await?;
    seat::ensure_active_fit(work, within, &seats).await?;
    let entry = NewEntry::access("member.joined", target("member", member.id, &user.name));
    work.record(place.id, entry.detail(json!({ "email": invitation.email }))).await?;
    Ok(accepted)
}

/// Whether the place is the person's already, and open to it: a second click is answered like the first.
fn is_taken_by(member: &Member, user: &User) -> bool {
    member.user_id == Some(user.id) && member.state == MemberState::Active
}

/// Makes the pending place the person's. INVARIANT: a live invitation has held the seat since it was sent, so that no other is
/// asked for here and none counted twice (`Q21`); only a plan that became smaller can leave it none.
async fn take_place(
    work: &Work<'_>,
    (invitation, member, user): (&Invitation, &Member, &User),
    accepting: &Accepting,
) -> Result<(), ServiceError> {
    let (organization, now) = (invitation.organization_id, work.now);
    let permit = settle::<SettleInvitation>(organization, invitation.id)?;
    let settling = Settling { organization, id: invitation.id, now };
    let won = store::invitation::accept(work.tx, permit, settling).await?;
    let permit = settle::<SettleInvitation>(organization, member.id)?;
    let activation = Activation { organization, member: member.id, invitation: invitation.id, user: user.id, now };
    let taken = store::member::activate(work.tx, permit, activation).await.map_err(already_member)?;
    let is_ablated = ablate::off("invitation_single_use") || ablate::off("invitation_pending");
    if (won.is_none() || taken.is_none()) && !is_ablated {
        return Err(not_pending(accepting.field).into());
    }
    // Invited by the address alone: the person's own name is the better one.
    let nameless = member.first_name.is_none()
        && member.last_name.is_none()
        && Some(member.name.as_str()) == invitation.email.split('@').next();
    if nameless && member.name != user.name {
        let permit = settle::<UpdateMember>(organization, member.id)?;
        let changes = MemberChanges { name: Some(user.name.clone()), ..MemberChanges::default() };
        store::member::update(work.tx, permit, (organization, member.id), changes).await?;
    }
    if accepting.by_token && user.email_verified_at.is_none() {
        // The secret came back from the mailbox it was sent to.
        verify_email(work, user.id).await?;
    }
    Ok(())
}

/// Whether what the invitation gives still exists, and whether who sent it, or else who gave the part, may still give it: a
/// right that was lost between the invitation and its acceptance gives nothing (abuse case B10).
async fn vouched(
    work: &Work<'_>,
    rules: &Blueprint,
    invitation: &Invitation,
    grants: &[AccessGrant],
) -> Result<(), ServiceError> {
    let organization = invitation.organization_id;
    let inviting = Inviting { apps: app::on(work.tx, organization, grants).await?, there: false };
    let voucher = |id| Voucher::find(work, rules, (organization, id), &inviting.apps);
    let inviter = match invitation.invited_by {
        None => None,
        Some(id) => match voucher(id).await? {
            None if !ablate::off("vouched_invitation") => return Err(not_vouched().into()),
            found => found,
        },
    };
    let held: Vec<&str> = grants.iter().filter_map(organization_role).collect();
    for grant in grants.iter().filter(|grant| !consequence::is_brought(rules, &held, grant)) {
        let ancestors = inviting.ancestors(&grant.place);
        let gift = Gift { grantee: grant.grantee, held: &grant.held, place: &grant.place, ancestors };
        let mut vouched = match (&inviter, invitation.invited_by) {
            (Some(inviter), _) => inviter.vouches(rules, &gift),
            (None, None) => fits(rules, &gift).is_ok(),
            (None, Some(_)) => false,
        };
        // Others may have given a part since, to a member who was pending already: each vouches for its own.
        if !vouched && let Some(giver) = grant.granted_by.filter(|giver| Some(*giver) != invitation.invited_by) {
            vouched = voucher(giver).await?.is_some_and(|giver| giver.vouches(rules, &gift));
        }
        if !vouched && !ablate::off("vouched_invitation") {
            return Err(not_vouched().into());
        }
    }
    Ok(())
}

/// The organization role that a grant gives.
fn organization_role(grant: &AccessGrant) -> Option<&str> {
    match (&grant.held, &grant.place) {
        (Held::Role(role), Place::Organization) => Some(role),
        _ => None,
    }
}

async fn decline(work: &Work<'_>, found: Invitation, field: &str) -> Result<Uuid, ServiceError> {
    let (invitation, place, member) = reread(work, &found, field).await?;
    // The secret may be passed on, the answer is the invited person's: nobody else who is signed in gives it.
    if let Actor::User { id, .. } = &work.actor {
        let user = store::user::find_by_id(work.tx, *id).await?.ok_or(ServiceError::Unauthenticated)?;
        if user.email != invitation.email {
            return Err(for_another(field).into());
        }
    }
    match invitation.standing(work.now) {
        InvitationStanding::Pending | InvitationStanding::Expired => {}
        InvitationStanding::Declined => return Ok(invitation.id),
        InvitationStanding::Accepted if member.state == MemberState::Active => {
            let there = "You are a member by now: leave the organization, if you do not want to be.";
            return Err(not_pending(field).remedy(there).into());
        }
        InvitationStanding::Accepted | InvitationStanding::Revoked => return Err(not_pending(field).into()),
    }
    let permit = settle::<SettleInvitation>(place.id, invitation.id)?;
    let settling = Settling { organization: place.id, id: invitation.id, now: work.now };
    store::invitation::decline(work.tx, permit, settling).await?.ok_or_else(|| not_pending(field))?;
    work.withdraw(invitation.id).await?;
    let entry = NewEntry::access("invitation.declined", target("member", member.id, &member.name));
    work.record(place.id, entry.detail(json!({ "email": invitation.email }))).await?;
    Ok(invitation.id)
}

/// What the person is told whose invitation is answered or taken back.
fn not_pending(field: &str) -> UserError {
    UserError::new(UserErrorCode::InvitationNotPending, field, "this invitation is not pending any more")
        .remedy("Ask for a new invitation.")
}

fn for_another(field: &str) -> UserError {
    UserError::new(UserErrorCode::InvitationForAnother, field, "this invitation went to another email address")
        .remedy("Sign in with the address it went to, or ask for an invitation to yours.")
}

fn expired(field: &str) -> UserError {
    UserError::new(UserErrorCode::InvitationExpired, field, "this invitation has expired")
        .remedy("Ask for it to be sent again.")
}

fn not_vouched() -> UserError {
    let message = "whoever sent this invitation can no longer give what it gives";
    UserError::new(UserErrorCode::InvitationNotPending, "", message)
        .remedy("Ask for it to be sent again by somebody else.")
}
