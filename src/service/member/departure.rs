//! How members go: removed by others, or leaving by themselves.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{Member, get_present};
use crate::{
    access::{
        Blueprint, Denial,
        blueprint::document::OnRemove,
        verb::{LeaveOrganization, RemoveMember},
    },
    mail::{AccessNotice, NoticeMail},
    service::{
        Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
        activity::{NewEntry, target},
        input::Mistakes,
        role::{self, Remaining},
    },
    store::{
        self,
        member::{Departure, Removal},
    },
};

/// Who is to go.
#[derive(Debug, Clone, Copy)]
pub struct Departing {
    /// The member.
    pub member: Uuid,
    /// Whether the caller has confirmed it.
    pub confirm: bool,
    /// Whether to tell the person by mail (`S3.73`).
    pub notify: bool,
}

/// Who has gone.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct Removed {
    /// The member.
    pub member: Uuid,
    /// Whether the person has been told by mail.
    pub notified: bool,
}

impl Service {
    /// Removes a member, at once and with everything it holds (`S3.50` to `S3.54`). Holders of `members.remove` may, where
    /// they may also take the member's roles; not oneself.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] without the confirmation, for oneself, and for the last holder of a role.
    pub async fn remove_member(
        &self,
        access: &Access,
        departing: Departing,
        idempotency: Option<Idempotency>,
    ) -> Result<Removed, ServiceError> {
        let change = Change::in_organization("removeMember", access)?.repeatable(idempotency).about("member");
        let changed = self.mutate(change, move |work| Box::pin(async move { remove(work, departing).await })).await?;
        let left = changed.posted.left().await;
        Ok(Removed { notified: left.unwrap_or(changed.value.notified), ..changed.value })
    }

    /// Leaves the caller's organization (`S3.60`); the organization's id. Every member may, where the blueprint lets it.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] without the confirmation, where leaving is not allowed, and for the last holder of a role.
    pub async fn leave_organization(
        &self,
        access: &Access,
        confirm: bool,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("leaveOrganization", access)?.repeatable(idempotency);
        // Leaving is a person's own act, never a token's.
        if access.person.is_none() {
            return Err(Denial::PeopleOnly.into());
        }
        let changed = self.mutate(change, move |work| Box::pin(async move { leave(work, confirm).await })).await?;
        Ok(changed.value)
    }
}

pub(super) fn may_not_leave() -> UserError {
    UserError::new(UserErrorCode::MayNotLeave, "", "members of this organization cannot leave by themselves")
        .remedy("Ask an administrator to remove you.")
}

pub(super) fn not_oneself() -> UserError {
    UserError::new(UserErrorCode::Invalid, "member", "this is you").remedy("To go yourself, leave the organization.")
}

fn not_confirmed() -> UserError {
    UserError::new(UserErrorCode::NotConfirmed, "confirm", "this has not been confirmed")
        .remedy("Ask the person at the screen, then send `confirm: true`.")
}

async fn remove(work: &Work<'_>, departing: Departing) -> Result<Removed, ServiceError> {
    let permit = work.authorize::<RemoveMember>(Some(departing.member))?;
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let member = get_present(work, departing.member).await?;
    let mut mistakes = Mistakes::default();
    if !departing.confirm {
        mistakes.push(not_confirmed());
    }
    if role::is_author(work, &member) {
        mistakes.push(not_oneself());
    }
    let roles = role::of_member(work.tx, organization, member.id, work.now).await?;
    if let Err(denial) = role::may_take(blueprint, &standing.rights, &roles) {
        mistakes.push(role::not_below(blueprint, "member", &denial));
    }
    mistakes.settle()?;
    store::member::remove(work.tx, permit, departure(blueprint, &member, work.now)).await?;
    let then = "then remove this member";
    role::ensure_held(work, Remaining { organization, blueprint, lost: &roles, then, field: "member" }).await?;
    let entry = NewEntry::access("member.removed", target("member", member.id, &member.name));
    work.record(organization, entry.detail(json!({ "roles": roles }))).await?;
    if let Some(to) = member.email.filter(|_| departing.notify) {
        let reader = work.reader_at(&to).await?;
        let organization = standing.place.name.clone();
        work.post(NoticeMail { to, organization, what: AccessNotice::Removed, reader }.letter()).await?;
    }
    Ok(Removed { member: member.id, notified: departing.notify })
}

async fn leave(work: &Work<'_>, confirm: bool) -> Result<Uuid, ServiceError> {
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let id = standing.facts.principal.as_member().ok_or(Denial::PeopleOnly)?;
    let permit = work.authorize::<LeaveOrganization>(Some(id))?;
    let mut mistakes = Mistakes::default();
    if !blueprint.document().removal.may_leave {
        mistakes.push(may_not_leave());
    }
    if !confirm {
        mistakes.push(not_confirmed());
    }
    mistakes.settle()?;
    let roles = role::of_member(work.tx, organization, id, work.now).await?;
    let member = store::member::find_by_id(work.tx, organization, id).await?.ok_or(ServiceError::NotFound)?;
    store::member::leave(work.tx, permit, departure(blueprint, &member, work.now)).await?;
    let remaining = Remaining { organization, blueprint, lost: &roles, then: "then leave", field: "" };
    role::ensure_held(work, remaining).await?;
    let entry = NewEntry::access("member.left", target("member", id, &member.name));
    work.record(organization, entry.detail(json!({ "roles": roles }))).await?;
    Ok(organization)
}

/// How a member goes, by the blueprint (`Q10`).
pub(in crate::service) fn departure(blueprint: &Blueprint, member: &Member, now: DateTime<Utc>) -> Departure {
    let removal = match blueprint.document().removal.on_remove {
        OnRemove::Purge => Removal::Purge,
        OnRemove::Archive => Removal::Archive,
    };
    Departure { organization: member.organization_id, member: member.id, removal, now }
}
