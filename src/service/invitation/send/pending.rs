//! Invitations that wait for an answer: sent again, sent elsewhere, taken back.

use serde_json::json;
use uuid::Uuid;

use super::{AddressFrom, Invited, Secret, address, app_of, fresh, newcomer, write};
use crate::{
    ablate,
    access::{
        Blueprint, Held,
        delegation::{DelegationDenial, Gift},
        verb::{InviteMember as Invite, RevokeInvitation},
    },
    identity::Email,
    service::{
        ServiceError, UserError, UserErrorCode, Work,
        activity::{NewEntry, target},
        app::{self, SeenApp},
        consequence,
        input::{self, Mistakes},
        invitation::{
            Invitation, InvitationStanding,
            place::{self, Inviting},
            vouch::Voucher,
        },
        member::already_member,
        role, seat,
    },
    store::{self, grant::AccessGrant, invitation::Settling, member::Member},
};

/// What the author of an invitation that is answered or taken back is told.
pub(in crate::service::invitation) fn not_pending() -> UserError {
    UserError::new(UserErrorCode::InvitationNotPending, "invitation", "this invitation is not pending any more")
        .remedy("Invite the person anew.")
}

/// An unanswered invitation, for who may invite at one of the apps it is to.
struct Unanswered {
    /// From where the author invites: of the apps it is to, those at which the author may.
    inviting: Inviting,
    /// The other ones, to which others invited.
    beyond: Vec<SeenApp>,
    /// What it gives.
    grants: Vec<AccessGrant>,
    invitation: Invitation,
    member: Member,
}

impl Unanswered {
    /// The app of a grant that others invited to.
    fn beyond(&self, grant: &AccessGrant) -> Option<&SeenApp> {
        self.beyond.iter().find(|app| app_of(&grant.place) == Some(app.app.id))
    }
}

async fn unanswered(work: &Work<'_>, id: Uuid) -> Result<Unanswered, ServiceError> {
    let standing = work.standing()?;
    let organization = standing.place.id;
    if let Err(denied) = work.authorize::<Invite>(Some(id)) {
        // Who may invite nowhere learns nothing of invitations.
        place::may_invite_somewhere(standing).then_some(()).ok_or(denied)?;
    }
    let grants = match store::invitation::find_by_id(work.tx, organization, id).await? {
        Some(found) => store::grant::of_grantees(work.tx, organization, &[found.member_id]).await?,
        None => Vec::new(),
    };
    let apps = app::on(work.tx, organization, &grants).await?;
    let from = Inviting::from(&standing.blueprint.rules, &standing.rights, apps);
    let (inviting, beyond) = from.ok_or(ServiceError::NotFound)?;
    let (invitation, member) = get_unanswered(work, id).await?;
    Ok(Unanswered { inviting, beyond, grants, invitation, member })
}

/// An invitation of the author's organization with its pending member, still to be answered.
async fn get_unanswered(work: &Work<'_>, id: Uuid) -> Result<(Invitation, Member), ServiceError> {
    let organization = work.standing()?.place.id;
    let invitation = store::invitation::find_by_id(work.tx, organization, id).await?.ok_or(ServiceError::NotFound)?;
    match invitation.standing(work.now) {
        InvitationStanding::Pending | InvitationStanding::Expired => {}
        InvitationStanding::Accepted => {
            return Err(not_pending().remedy("The person is a member by now: change the member's access.").into());
        }
        InvitationStanding::Declined | InvitationStanding::Revoked => return Err(not_pending().into()),
    }
    let member = store::member::find_by_id(work.tx, organization, invitation.member_id).await?;
    Ok((invitation, member.ok_or(ServiceError::NotFound)?))
}

/// Refuses when something that a pending member holds is not the author's to give: who sends an invitation vouches for it.
async fn vouch(work: &Work<'_>, member: &Member, field: &str) -> Result<(), ServiceError> {
    let blueprint = &work.standing()?.blueprint.rules;
    let grants = store::grant::of_grantees(work.tx, member.organization_id, &[member.id]).await?;
    let apps: Vec<Uuid> = grants.iter().filter_map(|grant| app_of(&grant.place)).collect();
    let above = store::app::ancestors_of(work.tx, member.organization_id, &apps).await?;
    let held = role::of_member(work.tx, member.organization_id, member.id, work.now).await?;
    let held: Vec<&str> = held.iter().map(String::as_str).collect();
    for grant in grants.iter().filter(|grant| !consequence::is_brought(blueprint, &held, grant)) {
        let ancestors =
            app_of(&grant.place).and_then(|app| above.get(&app)).map(|above| above.ids.as_slice()).unwrap_or_default();
        let gift = Gift { grantee: grant.grantee, held: &grant.held, place: &grant.place, ancestors };
        place::may_give_by(blueprint, work.authority(), &gift, &[])
            .map_err(|denial| not_vouched(blueprint, field, &denial))?;
    }
    Ok(())
}

/// The refusal of sending an invitation that gives what is not the author's to give.
fn not_vouched(blueprint: &Blueprint, field: &str, denial: &DelegationDenial) -> UserError {
    let refusal = role::not_given(blueprint, field, denial);
    match denial {
        DelegationDenial::NotAssignable { .. } => refusal,
        DelegationDenial::BeyondOwnRights | DelegationDenial::SelfRaise => {
            refusal.remedy("Ask somebody who holds what the invitation gives to send it.")
        }
        DelegationDenial::Unknown
        | DelegationDenial::Disabled { .. }
        | DelegationDenial::WrongHolder
        | DelegationDenial::WrongKind { .. }
        | DelegationDenial::WrongLevel { .. }
        | DelegationDenial::PublicApp
        | DelegationDenial::Prerequisite { .. }
        | DelegationDenial::BeyondCeiling { .. }
        | DelegationDenial::RolesOnly { .. }
        | DelegationDenial::NotForEveryone => refusal.remedy("Take the invitation back, and invite the person anew."),
    }
}

/// Refuses when what others gave, on an app at which the author does not invite, is not theirs to give any more.
async fn vouched_by_giver(work: &Work<'_>, grant: &AccessGrant, app: &SeenApp) -> Result<(), ServiceError> {
    let standing = work.standing()?;
    let rules = &standing.blueprint.rules;
    let giver = match grant.granted_by {
        Some(giver) => Voucher::find(work, rules, (standing.place.id, giver), std::slice::from_ref(app)).await?,
        None => None,
    };
    let gift =
        Gift { grantee: grant.grantee, held: &grant.held, place: &grant.place, ancestors: app.above.ids.as_slice() };
    if giver.is_some_and(|giver| giver.vouches(rules, &gift)) || ablate::off("vouched_invitation") {
        return Ok(());
    }
    let message = "others gave a part of what this invitation gives, and can no longer give it";
    let refusal = UserError::new(UserErrorCode::NotGrantable, "invitation", message);
    Err(refusal.remedy("Ask an administrator to send it.").into())
}

/// What a pending member's inviter can do about its invitation, who wants to invite it once more.
pub(super) async fn way_out(work: &Work<'_>, member: &Member) -> Result<&'static str, ServiceError> {
    let standing = work.standing()?;
    let grants = store::grant::of_grantees(work.tx, member.organization_id, &[member.id]).await?;
    let apps = app::on(work.tx, member.organization_id, &grants).await?;
    Ok(match Inviting::from(&standing.blueprint.rules, &standing.rights, apps) {
        Some((_, beyond)) if beyond.is_empty() => "Send the invitation again, or take it back first.",
        Some(_) => "Send the invitation again.",
        None => "Ask an administrator to send the invitation again.",
    })
}

pub(super) async fn resend(work: &Work<'_>, id: Uuid, secret: &Secret) -> Result<Invited, ServiceError> {
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let found = unanswered(work, id).await?;
    let Unanswered { inviting, grants, invitation, member, .. } = &found;
    let permit = inviting.permit::<Invite>(work, Some(id))?;
    let mut mistakes = Mistakes::default();
    if let Some(email) = mistakes.keep(input::email("invitation", &invitation.email)) {
        address(work, (&email, AddressFrom::Invitation), &mut mistakes).await?;
    }
    mistakes.settle()?;
    let held = role::of_member(work.tx, organization, member.id, work.now).await?;
    let held: Vec<&str> = held.iter().map(String::as_str).collect();
    for grant in grants.iter().filter(|grant| !consequence::is_brought(blueprint, &held, grant)) {
        if let Some(app) = found.beyond(grant) {
            vouched_by_giver(work, grant, app).await?;
            continue;
        }
        let ancestors = inviting.ancestors(&grant.place);
        let gift = Gift { grantee: grant.grantee, held: &grant.held, place: &grant.place, ancestors };
        place::may_give_by(blueprint, work.authority(), &gift, inviting.by())
            .map_err(|denial| not_vouched(blueprint, "invitation", &denial))?;
    }
    let within = seat::Within::of(standing);
    let seats = seat::taken(work, within).await?;
    let (again, expires_at) = fresh(blueprint, secret, work.now);
    let settling = Settling { organization, id, now: work.now };
    let sent = store::invitation::resend(work.tx, permit, settling, again).await?.ok_or_else(not_pending)?;
    seat::ensure_not_over(work, within, &seats).await?;
    let entry = NewEntry::access("invitation.resent", target("member", member.id, &member.name));
    work.record(organization, entry.detail(json!({ "email": sent.email, "sends": sent.sends }))).await?;
    write(work, secret, (id, sent.email), expires_at).await?;
    Ok(Invited { member: member.id, invitation: Some(id), mail_sent: true })
}

/// Sends the invitation of a pending member to another address: the link that went to the old one is dead.
pub(in crate::service) async fn readdress(
    work: &Work<'_>,
    member: &Member,
    email: &Email,
    secret: &Secret,
) -> Result<(), ServiceError> {
    let permit = work.authorize::<Invite>(Some(member.id))?;
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let mut mistakes = Mistakes::default();
    address(work, (email, AddressFrom::Input), &mut mistakes).await?;
    mistakes.keep(newcomer(work, email).await?);
    mistakes.settle()?;
    vouch(work, member, "email").await?;
    let within = seat::Within::of(standing);
    let seats = seat::taken(work, within).await?;
    let (again, expires_at) = fresh(blueprint, secret, work.now);
    let (member_id, now) = (member.id, work.now);
    let address = email.as_str().to_owned();
    let moved = store::invitation::readdress(work.tx, permit, (organization, member_id), (address, again), now).await;
    let sent = moved.map_err(already_member)?.ok_or_else(|| not_pending().at("email"))?;
    seat::ensure_not_over(work, within, &seats).await?;
    let entry = NewEntry::access("invitation.readdressed", target("member", member.id, &member.name));
    let detail = json!({ "email": { "from": member.email, "to": sent.email }, "sends": sent.sends });
    work.record(organization, entry.detail(detail)).await?;
    write(work, secret, (sent.id, sent.email), expires_at).await
}

pub(super) async fn revoke(work: &Work<'_>, id: Uuid) -> Result<Uuid, ServiceError> {
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let Unanswered { inviting, beyond, grants, member, .. } = unanswered(work, id).await?;
    if !beyond.is_empty() && !ablate::off("revoke_at_every_app") {
        let message = "this invitation is also to apps at which you may not invite";
        let refusal = UserError::new(UserErrorCode::NotGrantable, "invitation", message);
        let remedy =
            "Others invited this person too: take back what you gave with `revokeAccess`, or ask an administrator.";
        return Err(refusal.remedy(remedy).into());
    }
    let permit = inviting.permit::<RevokeInvitation>(work, Some(id))?;
    if inviting.there {
        for grant in grants.iter().filter(|grant| matches!(grant.held, Held::Role(_))) {
            let ancestors = inviting.ancestors(&grant.place);
            let gift = Gift { grantee: grant.grantee, held: &grant.held, place: &grant.place, ancestors };
            place::may_give_by(blueprint, work.authority(), &gift, inviting.by())
                .map_err(|denial| role::not_given(blueprint, "invitation", &denial))?;
        }
    } else {
        let roles = role::of_member(work.tx, organization, member.id, work.now).await?;
        role::may_take(blueprint, &standing.rights, &roles)
            .map_err(|denial| role::not_given(blueprint, "invitation", &denial))?;
    }
    let settling = Settling { organization, id, now: work.now };
    store::invitation::revoke(work.tx, permit, settling).await?.ok_or_else(not_pending)?;
    work.withdraw(id).await?;
    let entry = NewEntry::access("invitation.revoked", target("member", member.id, &member.name));
    work.record(organization, entry.detail(json!({ "email": member.email }))).await?;
    Ok(member.id)
}
