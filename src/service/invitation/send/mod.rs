//! Inviting, sending again, taking back.

mod pending;
mod role;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

pub(super) use self::pending::not_pending;
use self::pending::{resend, revoke, way_out};
pub(in crate::service) use self::{
    pending::readdress,
    role::{role_grants, roles},
};
use super::{
    AppRole, known,
    place::{self, Inviting, OnApps},
};
use crate::{
    ablate,
    access::{Blueprint, Grantee, Held, Place, blueprint::document::InvitationField, verb::InviteMember as Invite},
    id::new_id,
    identity::{
        Email, InvitationToken,
        email::{shown_domain, shown_domains},
    },
    mail::InvitationMail,
    service::{
        Access, Change, Changed, Idempotency, Service, ServiceError, Settings, UserError, UserErrorCode, Work,
        access_choice::{self, AccessChoice, Chosen},
        activity::{NewEntry, target},
        input::{self, Mistakes},
        member::already_member,
        prerequisite,
        role::RoleSet,
        seat,
    },
    store::{
        self,
        grant::NewGrant,
        invitation::NewInvitation,
        member::{Invitee, Member, MemberState, NewMember},
    },
};

/// Who is to be invited, to what.
#[derive(Debug, Clone, Default)]
pub struct InviteMember {
    /// Where the invitation goes.
    pub email: String,
    /// The name as shown.
    pub name: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The roles; else the blueprint's default.
    pub roles: RoleSet,
    /// How the access is chosen.
    pub access: AccessChoice,
    /// Roles on apps.
    pub app_roles: Vec<AppRole>,
    /// Whether to send the mail.
    pub notify: bool,
}

/// What inviting, or sending again, came to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Invited {
    /// The member: pending, or there already and added to the apps.
    pub member: Uuid,
    /// The invitation; `None` for somebody who is there already.
    pub invitation: Option<Uuid>,
    /// Whether the mail has gone out.
    pub mail_sent: bool,
}

/// What a new secret is made of: what is stored, and the link that carries it.
pub(in crate::service) struct Secret {
    hash: Vec<u8>,
    link: String,
}

impl Service {
    /// Invites a person: a pending member with its roles and features, and a mail (`S3.17` to `S3.25`, `S3.40`). Holders of
    /// `members.invite` may, giving only what is theirs to give.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with every mistake at once; [`ServiceError::NotFound`] for an app the caller does not see.
    pub async fn invite_member(
        &self,
        access: &Access,
        input: InviteMember,
        idempotency: Option<Idempotency>,
    ) -> Result<Invited, ServiceError> {
        let change = Change::in_organization("inviteMember", access)?.repeatable(idempotency);
        let secret = self.invitation_secret();
        let work = self.mutate(change, move |work| Box::pin(async move { invite(work, input, &secret).await }));
        Ok(sent(work.await?).await)
    }

    /// Sends a pending or expired invitation again: the same one, with a new link and a new end. An expired one needs a free
    /// seat again (`Q28`). Who sends it vouches for what it gives; what others gave on apps at which the caller does not invite,
    /// those vouch for.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] when it is answered, gives what is not the caller's to give, or finds no free seat.
    pub async fn resend_invitation(
        &self,
        access: &Access,
        id: Uuid,
        idempotency: Option<Idempotency>,
    ) -> Result<Invited, ServiceError> {
        let change = Change::in_organization("resendInvitation", access)?.repeatable(idempotency);
        let secret = self.invitation_secret();
        let work = self.mutate(change, move |work| Box::pin(async move { resend(work, id, &secret).await }));
        Ok(sent(work.await?).await)
    }

    /// Takes an invitation back: its link is dead, the pending member goes, the seat is free. The member's id.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] when it is answered already, or is also to apps at which the caller may not invite.
    pub async fn revoke_invitation(
        &self,
        access: &Access,
        id: Uuid,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("revokeInvitation", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { revoke(work, id).await })).await?.value)
    }

    /// A new secret.
    pub(in crate::service) fn invitation_secret(&self) -> Secret {
        let token = InvitationToken::mint(&mut rand::rng());
        Secret { hash: token.hash().to_vec(), link: self.options().dashboard.invitation(&token) }
    }
}

/// What a change came to, once its mail has left or is left to the queue. A repeated answer says again what was said first.
async fn sent(changed: Changed<Invited>) -> Invited {
    let left = changed.posted.left().await;
    Invited { mail_sent: left.unwrap_or(changed.value.mail_sent), ..changed.value }
}

/// What is checked before anyone is invited.
struct Checked {
    member: NewMember,
    roles: Vec<String>,
    grants: Vec<NewGrant>,
}

pub(super) async fn invite(work: &Work<'_>, input: InviteMember, secret: &Secret) -> Result<Invited, ServiceError> {
    let apps = input.app_roles.iter().map(|role| role.app).chain(input.access.tree().iter().map(|ticked| ticked.app));
    let inviting = Inviting::to(work, apps).await?;
    if let Some(member) = known::hidden(work, &inviting, &input.email).await? {
        return known::add(work, (&inviting, member), &input, secret).await;
    }
    let permit = inviting.permit::<Invite>(work, None)?;
    let standing = work.standing()?;
    let blueprint = &standing.blueprint.rules;
    let Checked { member, roles, grants } = check(work, &input, &inviting).await?;
    let features = grants.iter().filter(|grant| matches!(grant.held, Held::Feature { .. })).count();
    let on_apps: Vec<Value> = grants.iter().filter_map(|grant| on_app(&inviting, grant)).collect();
    let (invitation, expires_at) = fresh(blueprint, secret, work.now);
    let invitee = Invitee { member, grants, invitation };
    let made = store::member::invite(work.tx, permit, invitee).await.map_err(already_member)?;
    let newcomer = (Grantee::Member(made.member.id), &BTreeSet::new());
    prerequisite::ensure_met(work, newcomer, |lack| prerequisite::field_of(input.access.tree(), lack)).await?;
    let entry = NewEntry::access("member.invited", target("member", made.member.id, &made.member.name));
    let detail = json!({ "email": made.invitation.email, "roles": roles, "appRoles": on_apps, "features": features });
    work.record(standing.place.id, entry.detail(detail)).await?;
    let (member, invitation) = (made.member.id, made.invitation.id);
    if input.notify {
        write(work, secret, (invitation, made.invitation.email), expires_at).await?;
    }
    Ok(Invited { member, invitation: Some(invitation), mail_sent: input.notify })
}

/// A role on an app, as an entry tells it.
fn on_app(inviting: &Inviting, grant: &NewGrant) -> Option<Value> {
    let Held::Role(role) = &grant.held else { return None };
    let app = &inviting.app(&grant.place)?.app;
    Some(json!({ "app": { "id": app.id, "name": app.name }, "role": role }))
}

pub(super) fn fresh(blueprint: &Blueprint, secret: &Secret, now: DateTime<Utc>) -> (NewInvitation, DateTime<Utc>) {
    let days = TimeDelta::days(i64::from(blueprint.document().invitation.expires_days));
    let expires_at = now.checked_add_signed(days).unwrap_or(now);
    (NewInvitation { id: new_id(), token_hash: secret.hash.clone(), expires_at }, expires_at)
}

/// Posts the mail, in place of one that has not gone out.
pub(super) async fn write(
    work: &Work<'_>,
    secret: &Secret,
    (invitation, to): (Uuid, String),
    expires_at: DateTime<Utc>,
) -> Result<(), ServiceError> {
    let standing = work.standing()?;
    work.service.count_letter(&format!("invitation {} {to}", standing.place.id))?;
    let reader = work.reader_at(&to).await?;
    let mail = InvitationMail {
        to,
        organization: standing.place.name.clone(),
        invited_by: Some(standing.name.clone()),
        link: secret.link.clone(),
        expires_at,
        reader,
    };
    work.withdraw(invitation).await?;
    work.post(mail.letter().about(invitation).until(expires_at)).await?;
    Ok(())
}

/// Checks everything at once, so that a form shows every mistake.
async fn check(work: &Work<'_>, input: &InviteMember, inviting: &Inviting) -> Result<Checked, ServiceError> {
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let mut mistakes = Mistakes::default();
    let id = new_id();
    let email = mistakes.keep(input::email("email", &input.email));
    if let Some(email) = &email {
        address(work, (email, AddressFrom::Input), &mut mistakes).await?;
        mistakes.keep(newcomer(work, email).await?);
    }
    let names = names(blueprint, input, email.as_ref(), &mut mistakes);
    let roles = roles(blueprint, &input.roles, &mut mistakes);
    let mut grants = role_grants(work, (id, inviting.by()), &roles, &mut mistakes).await?;
    let roles: Vec<String> = roles.into_iter().map(|(_, role)| role).collect();
    let asked = OnApps { member: id, held: &roles, roles: &input.app_roles };
    grants.extend(place::grants(work, inviting, asked, &mut mistakes)?);
    let chosen = Chosen { member: id, roles: &roles, held: &[] };
    let ticked = access_choice::grants(work, chosen, &input.access, &mut mistakes).await?;
    grants.extend(place::only_there(work, inviting, ticked).await?);
    match seat::require(work, seat::Within::of(standing), roles.iter().map(String::as_str)).await {
        Err(ServiceError::Refused(full)) => full.into_iter().for_each(|full| mistakes.push(full)),
        other => other?,
    }
    let Some(email) = email else { return Err(mistakes.refused()) };
    mistakes.settle()?;
    let (name, first_name, last_name) = names;
    let member = NewMember {
        id,
        organization_id: organization,
        user_id: None,
        email: Some(email.as_str().to_owned()),
        handle: None,
        name: name.unwrap_or_else(|| email.local().to_owned()),
        first_name,
        last_name,
        now: work.now,
    };
    Ok(Checked { member, roles, grants })
}

/// Where the address of an invitation comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum AddressFrom {
    /// The author's input.
    Input,
    /// The invitation, which is sent again.
    Invitation,
}

impl AddressFrom {
    /// The refusal of the address at the field it came by.
    fn refusal(self, code: UserErrorCode, message: impl Into<String>, instead: &str, or: &str) -> UserError {
        let (field, remedy) = match self {
            Self::Input => ("email", format!("Invite {instead}")),
            Self::Invitation => ("invitation", format!("Take the invitation back and invite {instead}")),
        };
        UserError::new(code, field, message).remedy(format!("{remedy}{or}."))
    }
}

/// Which addresses may be invited: the allowed domains and whether a sub-address may be (`S3.19`, `S3.20`, `Q19`).
pub(super) async fn address(
    work: &Work<'_>,
    (email, from): (&Email, AddressFrom),
    mistakes: &mut Mistakes,
) -> Result<(), ServiceError> {
    let standing = work.standing()?;
    let blueprint = &standing.blueprint.rules;
    let row = store::organization::find_by_id(work.tx, standing.place.id).await?.ok_or(ServiceError::NotFound)?;
    let settings = Settings::read(&row.settings)?;
    let domains = settings.allowed_domains(blueprint);
    let is_allowed = domains.is_empty() || domains.iter().any(|domain| email.is_at(domain));
    if !is_allowed && !ablate::off("allowed_domain") {
        let message = format!("addresses at {} cannot be invited here", shown_domain(email.domain()));
        let instead = format!("an address at {}", shown_domains(domains));
        let or = ", or change the allowed domains";
        mistakes.push(from.refusal(UserErrorCode::DomainNotAllowed, message, &instead, or));
    }
    if settings.block_subaddress(blueprint) && email.is_sub_address() && !ablate::off("sub_address") {
        let plain = email.local().split('+').next().unwrap_or_default();
        let instead = format!("{plain}@{}", email.domain());
        let message = "addresses with a `+` cannot be invited here";
        mistakes.push(from.refusal(UserErrorCode::SubaddressNotAllowed, message, &instead, " instead"));
    }
    Ok(())
}

/// Who has a place here: by the address, and by the account of that address.
pub(super) async fn placed(work: &Work<'_>, email: &Email) -> Result<Option<Member>, ServiceError> {
    let organization = work.standing()?.place.id;
    let found = store::member::find_by_email(work.tx, organization, email.as_str()).await?;
    match (found, store::user::find_by_email(work.tx, email.as_str()).await?) {
        (None, Some(user)) => Ok(store::member::find_by_user(work.tx, organization, user.id).await?),
        (found, _) => Ok(found),
    }
}

/// Whether the person is new here.
async fn newcomer(work: &Work<'_>, email: &Email) -> Result<Result<(), UserError>, ServiceError> {
    let found = placed(work, email).await?;
    let Some(member) = found.filter(|_| !ablate::off("already_invited")) else { return Ok(Ok(())) };
    let (message, remedy) = match member.state {
        MemberState::Pending => ("this person is invited already", way_out(work, &member).await?),
        MemberState::Active | MemberState::Archived => {
            ("this person is a member already", "Change the member's access.")
        }
        MemberState::Suspended => ("this person is a suspended member", "Make the member active again."),
    };
    Ok(Err(UserError::new(UserErrorCode::AlreadyMember, "email", message).remedy(remedy)))
}

/// The name as shown, the first name and the last name.
type Names = (Option<String>, Option<String>, Option<String>);

pub(super) fn names(
    blueprint: &Blueprint,
    input: &InviteMember,
    email: Option<&Email>,
    mistakes: &mut Mistakes,
) -> Names {
    let fields = [
        (InvitationField::Name, "name", &input.name),
        (InvitationField::FirstName, "firstName", &input.first_name),
        (InvitationField::LastName, "lastName", &input.last_name),
    ];
    let required = &blueprint.document().invitation.required;
    let [name, first, last] = fields.map(|(asked, field, given)| {
        let text = mistakes.keep(input::optional_name(field, given.as_deref()));
        if text == Some(None) && required.contains(&asked) {
            mistakes.push(UserError::new(UserErrorCode::Missing, field, "this is required").remedy("Fill it in."));
        }
        text.flatten()
    });
    let both = match (&first, &last) {
        (Some(first), Some(last)) => Some(format!("{first} {last}")),
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (None, None) => email.map(|email| email.local().to_owned()),
    };
    (name.or(both), first, last)
}

pub(in crate::service) const fn app_of(place: &Place) -> Option<Uuid> {
    match place {
        Place::Organization => None,
        Place::App { id, .. } => Some(*id),
    }
}
