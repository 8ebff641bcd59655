//! Handing a role over to another member (`Q12`): for its holder alone, where the blueprint says what the holder takes instead.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
    activity::{NewEntry, target},
    input::Mistakes,
    member,
    prerequisite::{self, Circle},
    role::{self, Remaining},
    seat,
};
use crate::{
    ablate,
    access::{Denial, verb::TransferRole},
    id::new_id,
    store::{self, grant::Handover, member::MemberState},
};

/// A role of the caller's own, and who is to have it.
#[derive(Debug, Clone)]
pub struct RoleTransfer {
    /// The role's key.
    pub role: String,
    /// Who is to hold it.
    pub member: Uuid,
    /// Whether the caller has confirmed it.
    pub confirm: bool,
}

/// Who has handed over, and to whom.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Transferred {
    /// Who held the role.
    pub from: Uuid,
    /// Who holds it now.
    pub to: Uuid,
}

impl Service {
    /// Hands a role that the caller holds over to another active member, in one step: the caller takes the role that the
    /// blueprint names for it. Its holder alone may.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] without the confirmation, for a role that cannot be handed over (`S2.28`) or is not held,
    /// and for a member who is not active or has it.
    pub async fn transfer_role(
        &self,
        access: &Access,
        transfer: RoleTransfer,
        idempotency: Option<Idempotency>,
    ) -> Result<Transferred, ServiceError> {
        let change = Change::in_organization("transferRole", access)?.repeatable(idempotency).about("role");
        // A person's own act, never a token's.
        if access.person.is_none() {
            return Err(Denial::PeopleOnly.into());
        }
        Ok(self.mutate(change, move |work| Box::pin(async move { hand_over(work, transfer).await })).await?.value)
    }
}

async fn hand_over(work: &Work<'_>, transfer: RoleTransfer) -> Result<Transferred, ServiceError> {
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let from = standing.facts.principal.as_member().ok_or(Denial::PeopleOnly)?;
    let permit = work.authorize::<TransferRole>(Some(from))?;
    let RoleTransfer { role: key, member, confirm } = transfer;
    let own = role::of_member(work.tx, organization, from, work.now).await?;
    let rules = role::organization_role(blueprint, "role", &key)?;
    let mut mistakes = Mistakes::default();
    if !own.contains(&key) {
        let refusal = UserError::new(UserErrorCode::NotGrantable, "role", "only its holder hands a role over");
        mistakes.push(refusal.remedy("Ask its holder."));
    }
    let next = rules.transfer.clone();
    if next.is_none() && !ablate::off("role_transfer") {
        let message = format!("the role {} cannot be handed over", rules.label);
        mistakes.push(UserError::new(UserErrorCode::NotGrantable, "role", message));
    }
    if !confirm {
        let refusal = UserError::new(UserErrorCode::NotConfirmed, "confirm", "this has not been confirmed");
        mistakes.push(refusal.remedy("Ask the person at the screen, then send `confirm: true`."));
    }
    let other = member::get_present(work, member).await?;
    let held = role::of_member(work.tx, organization, other.id, work.now).await?;
    if other.id == from || held.contains(&key) {
        mistakes.push(UserError::new(UserErrorCode::Invalid, "member", "this member holds the role already"));
    } else if other.state != MemberState::Active {
        let refusal = UserError::new(UserErrorCode::StateChanged, "member", "this person is not an active member");
        mistakes.push(refusal.remedy("Choose an active member."));
    }
    mistakes.settle()?;
    let next = next.unwrap_or_else(|| key.clone());
    let main = |role: &&String| blueprint.main_roles().any(|(other, _)| other == role.as_str());
    let in_place = |role: &&String| main(role) && !rules.flag && role::is_same_slot(blueprint, role, &key);
    let displaced: Vec<String> = held.iter().filter(in_place).cloned().collect();
    let within = seat::Within::of(standing);
    let seats = seat::taken(work, within).await?;
    let handover = Handover {
        organization,
        from,
        to: other.id,
        role: key.clone(),
        next: next.clone(),
        ids: [new_id(), new_id()],
        displaced: displaced.clone(),
        now: work.now,
    };
    // Both give up something, which their own features may need (S0.27).
    let giver = prerequisite::watch(work, Circle::Member(from)).await?;
    let taker = prerequisite::watch(work, Circle::of_roles(other.id, !displaced.is_empty())).await?;
    if !store::grant::hand_over(work.tx, permit, handover).await? {
        return Err(ServiceError::NotFound);
    }
    giver.ensure_met(work, "role").await?;
    taker.ensure_met(work, "member").await?;
    let then = "then hand this one over";
    let remaining = Remaining { organization, blueprint, lost: &displaced, then, field: "member" };
    role::ensure_held(work, remaining).await?;
    seat::ensure_not_over(work, within, &seats).await?;
    let entry = NewEntry::access("role.transferred", target("member", other.id, &other.name));
    work.record(organization, entry.detail(json!({ "role": key, "takes": next, "gaveUp": displaced }))).await?;
    Ok(Transferred { from, to: other.id })
}
