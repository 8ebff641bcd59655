//! Inviting to apps somebody who is a member already, and whom the inviter does not see (`S4.18`, `S4.22`).
//!
//! Who invites at apps alone sees their people and nobody else, so that a refusal would leave no way, and tell who is in the
//! organization. Instead the person is given what is asked for there: at once where the place is taken, and with the invitation
//! that waits where it is not. Everything is checked as for a newcomer; of who the person is in the organization, nothing is
//! told. What the person has in the organization stays as it is.

use serde_json::json;

use super::{
    AppRole, Invitation, InvitationStanding,
    place::{self, Inviting, OnApps},
    send::{
        AddressFrom, InviteMember, Invited, Secret, address, fresh, names, not_pending, placed, role_grants, roles,
        write,
    },
};
use crate::{
    ablate,
    access::{Blueprint, Held, Place, verb::InviteMember as Invite},
    id::new_id,
    mail::{AccessNotice, NoticeMail},
    service::{
        ServiceError, Work,
        access_choice::{self, AccessChoice, Chosen},
        activity::{NewEntry, target},
        grant::{Asked, give_invited},
        input::{self, Mistakes},
        role, seat,
    },
    store::{
        self,
        grant::NewGrant,
        invitation::Settling,
        member::{Member, MemberState},
    },
};

/// The member of this address, where the author invites to apps alone and does not see it.
///
/// # Errors
/// When the database cannot say.
pub(super) async fn hidden(work: &Work<'_>, inviting: &Inviting, email: &str) -> Result<Option<Member>, ServiceError> {
    let Ok(email) = input::email("email", email) else { return Ok(None) };
    if !inviting.there || ablate::off("hidden_member") {
        return Ok(None);
    }
    let Some(member) = placed(work, &email).await? else { return Ok(None) };
    let visible = work.standing()?.rights.visible_members();
    let seen = store::member::visible_ids(work.tx, &visible, &[member.id]).await?;
    Ok((!seen.contains(&member.id)).then_some(member))
}

/// Gives it what the invitation asks for on apps.
///
/// # Errors
/// [`ServiceError::Refused`] with every mistake at once, and for what the member cannot hold.
pub(super) async fn add(
    work: &Work<'_>,
    (inviting, member): (&Inviting, Member),
    input: &InviteMember,
    secret: &Secret,
) -> Result<Invited, ServiceError> {
    let asked = check(work, (inviting, &member), input).await?;
    give_invited(work, &member, asked).await?;
    match member.state {
        MemberState::Pending => wait(work, (inviting, &member), input.notify, secret).await,
        MemberState::Active | MemberState::Suspended | MemberState::Archived => {
            let mail_sent = input.notify && notify(work, &member).await?;
            Ok(Invited { member: member.id, invitation: None, mail_sent })
        }
    }
}

/// Checks everything at once, as for a newcomer; what is to be given, with the field that asks for it.
async fn check<'a>(
    work: &Work<'_>,
    (inviting, member): (&'a Inviting, &Member),
    input: &InviteMember,
) -> Result<Vec<Asked<'a>>, ServiceError> {
    let blueprint = &work.standing()?.blueprint.rules;
    let mut mistakes = Mistakes::default();
    let email = mistakes.keep(input::email("email", &input.email));
    if let Some(email) = &email {
        address(work, (email, AddressFrom::Input), &mut mistakes).await?;
    }
    names(blueprint, input, email.as_ref(), &mut mistakes);
    let roles = roles(blueprint, &input.roles, &mut mistakes);
    role_grants(work, (new_id(), inviting.by()), &roles, &mut mistakes).await?;
    let roles: Vec<String> = roles.into_iter().map(|(_, role)| role).collect();
    let asked = OnApps { member: member.id, held: &roles, roles: &input.app_roles };
    let mut grants = place::grants(work, inviting, asked, &mut mistakes)?;
    if input.access != AccessChoice::Initial {
        let held = store::grant::of_grantees(work.tx, member.organization_id, &[member.id]).await?;
        let chosen = Chosen { member: member.id, roles: &roles, held: &held };
        grants.extend(access_choice::grants(work, chosen, &input.access, &mut mistakes).await?);
    }
    mistakes.settle()?;
    let asked = |grant: NewGrant| {
        let app = inviting.app(&grant.place)?;
        let field = field(blueprint, input, &grant);
        Some(Asked { grant, app, field })
    };
    Ok(grants.into_iter().filter_map(asked).collect())
}

/// The field that asks for a grant.
fn field(blueprint: &Blueprint, input: &InviteMember, grant: &NewGrant) -> String {
    let Place::App { id, .. } = &grant.place else { return "access".to_owned() };
    match &grant.held {
        Held::Role(role) => {
            let is_it = |asked: &AppRole| asked.app == *id && role::canonical(blueprint, &asked.role) == *role;
            let at = input.app_roles.iter().position(is_it);
            at.map_or_else(|| "appRoles".to_owned(), |at| format!("appRoles.{at}.role"))
        }
        Held::Feature { feature, .. } => {
            let tree = input.access.tree();
            let app = tree.iter().position(|ticked| ticked.app == *id);
            let features = app.and_then(|at| tree.get(at)).map(|ticked| ticked.features.as_slice()).unwrap_or_default();
            match (app, features.iter().position(|ticked| ticked.feature == *feature)) {
                (Some(app), Some(at)) => format!("access.{app}.features.{at}.feature"),
                _ => "access".to_owned(),
            }
        }
    }
}

/// The pending member's invitation brings the rest too; one that has run out is sent again.
async fn wait(
    work: &Work<'_>,
    (inviting, member): (&Inviting, &Member),
    notify: bool,
    secret: &Secret,
) -> Result<Invited, ServiceError> {
    let standing = work.standing()?;
    let organization = standing.place.id;
    let found = store::invitation::of_members(work.tx, organization, &[member.id]).await?.pop();
    let Some(Invitation { id, .. }) =
        found.as_ref().filter(|found| found.standing(work.now) == InvitationStanding::Expired)
    else {
        let invitation = found.map(|found| found.id);
        return Ok(Invited { member: member.id, invitation, mail_sent: false });
    };
    let within = seat::Within::of(standing);
    let seats = seat::taken(work, within).await?;
    let (again, expires_at) = fresh(&standing.blueprint.rules, secret, work.now);
    let settling = Settling { organization, id: *id, now: work.now };
    let permit = inviting.permit::<Invite>(work, Some(*id))?;
    let sent = store::invitation::resend(work.tx, permit, settling, again).await?;
    let sent = sent.ok_or_else(|| not_pending().at("email"))?;
    seat::ensure_not_over(work, within, &seats).await?;
    let entry = NewEntry::access("invitation.resent", target("member", member.id, &member.name));
    work.record(organization, entry.detail(json!({ "email": sent.email, "sends": sent.sends }))).await?;
    if notify {
        write(work, secret, (*id, sent.email), expires_at).await?;
    }
    Ok(Invited { member: member.id, invitation: Some(*id), mail_sent: notify })
}

/// Tells the person; whether there is an address to tell.
async fn notify(work: &Work<'_>, member: &Member) -> Result<bool, ServiceError> {
    let Some(to) = member.email.clone() else { return Ok(false) };
    let organization = work.standing()?.place.name.clone();
    let reader = work.reader_at(&to).await?;
    work.post(NoticeMail { to, organization, what: AccessNotice::Given, reader }.letter()).await?;
    Ok(true)
}
