//! Deleting one's own account: every place is left by the rules of leaving, every credential dies, and the person is erased
//! from what is kept.
//!
//! Nobody is put in the person's place (C6): where the rules of an organization need the person, the account stays, and the
//! refusal names the organization. That members may not leave by themselves there is no such rule: whose account it is decides.

use std::fmt;

use serde_json::json;
use uuid::Uuid;

use super::{
    Access, Change, Service, ServiceError, UserError, Work,
    activity::{NewEntry, target},
    consequence, invitation,
    member::departure,
    membership, one_time_code,
    role::{self, Remaining},
    session::session_of,
};
use crate::{
    ablate,
    access::{
        Authority, Blueprint, Permit, Rights, SystemTask, Verb, authorize,
        verb::{DeleteOrganization, DeleteUser, ErasePerson, LeaveOrganization},
    },
    mail::Matter,
    store::{
        self,
        member::{Member, MemberState},
        organization::OrganizationState,
    },
};

/// How often it begins anew when the person joins an organization meanwhile.
const TRIES: u32 = 3;

/// What deleting an account is asked for.
pub struct AccountDeletion {
    /// The account's password, where it has one.
    pub password: Option<String>,
}

/// Without the password, which belongs in no log.
impl fmt::Debug for AccountDeletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountDeletion").finish_non_exhaustive()
    }
}

impl Service {
    /// Deletes the caller's account. Every signed-in person may who knows the password.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `WRONG_CREDENTIALS`, and with `LAST_HOLDER` for each organization that needs the person;
    /// [`ServiceError::RateLimited`]; [`ServiceError::Conflict`] when the person keeps joining organizations meanwhile.
    pub async fn delete_account(&self, access: &Access, deletion: AccountDeletion) -> Result<(), ServiceError> {
        session_of(access)?;
        let proven = self.ask_password(access, deletion.password).await?;
        for _ in 0..TRIES {
            let places = store::erasure::places_of_user(&self.store().read(), proven.id).await?;
            let organizations: Vec<Uuid> = places.iter().map(|place| place.organization_id).collect();
            let change = Change::by_user("deleteAccount", access, organizations.clone())?;
            let (user, hash) = (proven.id, proven.password_hash.clone());
            let deleted = self
                .mutate(change, move |work| Box::pin(async move { delete(work, (user, hash), &organizations).await }));
            if deleted.await?.value {
                return Ok(());
            }
        }
        Err(ServiceError::Conflict("the account's places have changed meanwhile; try again"))
    }
}

/// A permit for what ends with an account, in this organization or in none.
fn ending<V: Verb>(organization: Option<Uuid>, subject: Option<Uuid>) -> Result<Permit<V>, ServiceError> {
    Ok(authorize::<V>(Authority::System(SystemTask::CloseAccount, organization), subject)?)
}

/// Whether it was done; it was not, and nothing was changed, where the person has places in other organizations than these,
/// which nobody holds.
async fn delete(work: &Work<'_>, (id, proven): (Uuid, Option<String>), held: &[Uuid]) -> Result<bool, ServiceError> {
    let user = store::user::find_by_id(work.tx, id).await?.ok_or(ServiceError::Unauthenticated)?;
    if user.password_hash != proven {
        return Err(ServiceError::Unauthenticated);
    }
    let places = store::erasure::places_of_user(work.tx, id).await?;
    let all_held = places.iter().all(|place| held.contains(&place.organization_id));
    if !all_held && !ablate::off("deletion_places") {
        return Ok(false);
    }
    // Before its places go, from which its language is known.
    let reader = membership::reader_of(work, &user).await?;
    let mut refusals = Vec::new();
    for place in places.iter().filter(|place| held.contains(&place.organization_id)) {
        match leave(work, place).await {
            Err(ServiceError::Refused(refused)) => refusals.extend(refused),
            other => other?,
        }
    }
    if !refusals.is_empty() {
        return Err(ServiceError::Refused(refusals));
    }
    one_time_code::end_all(work, id).await?;
    work.withdraw(id).await?;
    one_time_code::tell_reader(work, &user, (Matter::AccountDeleted, reader)).await?;
    let traces: Vec<Uuid> = std::iter::once(id).chain(places.iter().map(|place| place.id)).collect();
    if !ablate::off("erased_traces") {
        store::erasure::erase_traces(work.tx, ending::<ErasePerson>(None, None)?, &traces).await?;
    }
    // Sessions go with it, and with them every access and refresh token (A10).
    store::user::delete(work.tx, work.authorize::<DeleteUser>(Some(id))?, id).await?;
    Ok(true)
}

/// Leaves one organization, as leaving does; nothing of the person stays there.
async fn leave(work: &Work<'_>, place: &Member) -> Result<(), ServiceError> {
    let (organization, id) = (place.organization_id, place.id);
    let found = store::organization::find_by_id(work.tx, organization).await?.ok_or(ServiceError::NotFound)?;
    let open = found.state != OrganizationState::Deleted;
    let rules = work.service.rules_of(work.tx, (organization, found.blueprint_id)).await?;
    let blueprint = &rules.rules;
    let scenes = consequence::watch(work, organization).await?;
    let roles = role::of_member(work.tx, organization, id, work.now).await?;
    // Before the place goes, which gives the rights.
    let deletes = found.state == OrganizationState::Active && may_delete(work, (organization, id), blueprint).await?;
    let permit = ending::<LeaveOrganization>(Some(organization), Some(id))?;
    store::member::leave(work.tx, permit, departure(blueprint, place, work.now)).await?;
    if open && place.state == MemberState::Active {
        let then =
            if deletes { "or delete the organization, then delete the account" } else { "then delete the account" };
        let held = role::ensure_held(work, Remaining { organization, blueprint, lost: &roles, then, field: "" }).await;
        held.map_err(|error| named(error, &found.name))?;
    }
    consequence::after(work, scenes).await.map_err(|error| named(error, &found.name))?;
    let entry = NewEntry::access("member.left", target("member", id, store::erasure::ERASED));
    work.record(organization, entry.detail(json!({ "roles": roles, "account": "deleted" }))).await?;
    store::erasure::erase_place(work.tx, ending::<ErasePerson>(Some(organization), Some(id))?, (organization, id))
        .await?;
    Ok(())
}

/// Whether the person may delete an organization that is open, by the place there.
async fn may_delete(work: &Work<'_>, place: (Uuid, Uuid), rules: &Blueprint) -> Result<bool, ServiceError> {
    let rights = invitation::rights_of(work, rules, place).await?;
    let may = |rights: &Rights| authorize::<DeleteOrganization>(Authority::Principal(rights), Some(place.0)).is_ok();
    Ok(rights.as_ref().is_some_and(may))
}

/// A refusal with the organization whose rules it follows from.
fn named(error: ServiceError, organization: &str) -> ServiceError {
    match error {
        ServiceError::Refused(refusals) => {
            let named =
                |refusal: UserError| UserError { message: format!("{organization}: {}", refusal.message), ..refusal };
            ServiceError::Refused(refusals.into_iter().map(named).collect())
        }
        other => other,
    }
}
