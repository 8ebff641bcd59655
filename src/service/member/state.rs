//! Shutting members out for a while, and letting them in again.

use uuid::Uuid;

use super::{Member, MemberState, get_present, gone};
use crate::{
    ablate,
    access::verb::UpdateMember,
    service::{
        Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
        activity::{NewEntry, target},
        input::Mistakes,
        role::{self, Remaining},
        seat,
    },
    store::{self, member::MemberChanges},
};

/// How the remedy for the last holder goes on.
pub(super) const THEN: &str = "then suspend this member";

/// What is to become of a member's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateStep {
    /// Shut out: it keeps its roles and access and may use none; its seat is free.
    Suspend,
    /// Let in again, with what it kept.
    Reactivate,
}

impl StateStep {
    const fn operation(self) -> &'static str {
        match self {
            Self::Suspend => "suspendMember",
            Self::Reactivate => "reactivateMember",
        }
    }

    const fn from(self) -> MemberState {
        match self {
            Self::Suspend => MemberState::Active,
            Self::Reactivate => MemberState::Suspended,
        }
    }

    const fn to(self) -> MemberState {
        match self {
            Self::Suspend => MemberState::Suspended,
            Self::Reactivate => MemberState::Active,
        }
    }
}

impl Service {
    /// Suspends a member, or makes it active again; the member's id. Holders of `members.update` may, where they may also take
    /// the member's roles; not oneself. Coming back needs a free seat (`Q28`).
    ///
    /// # Errors
    /// [`ServiceError::Refused`] for oneself, the last holder of a role, a full plan, and a member in another state.
    pub async fn change_member_state(
        &self,
        access: &Access,
        (member, step): (Uuid, StateStep),
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization(step.operation(), access)?.repeatable(idempotency).about("member");
        Ok(self.mutate(change, move |work| Box::pin(async move { step_to(work, member, step).await })).await?.value)
    }
}

/// What in the member's state stands in the way.
pub(super) fn obstacle(step: StateStep, member: &Member) -> Option<UserError> {
    if member.state == step.from() {
        return None;
    }
    let (message, remedy) = match member.state {
        MemberState::Archived => return Some(gone()),
        MemberState::Pending => ("this person has not joined yet", Some("Take the invitation back.")),
        MemberState::Active => ("this member is active", None),
        MemberState::Suspended => ("this member is suspended already", None),
    };
    let refusal = UserError::new(UserErrorCode::StateChanged, "member", message);
    Some(match remedy {
        Some(remedy) => refusal.remedy(remedy),
        None => refusal,
    })
}

pub(super) fn not_oneself() -> UserError {
    UserError::new(UserErrorCode::Invalid, "member", "this is you").remedy("Ask somebody else to do it.")
}

async fn step_to(work: &Work<'_>, id: Uuid, step: StateStep) -> Result<Uuid, ServiceError> {
    let permit = work.authorize::<UpdateMember>(Some(id))?;
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let member = get_present(work, id).await?;
    let mut mistakes = Mistakes::default();
    if role::is_author(work, &member) && !ablate::off("suspend_oneself") {
        mistakes.push(not_oneself());
    }
    if let Some(other) = obstacle(step, &member) {
        mistakes.push(other);
    }
    let roles = role::of_member(work.tx, organization, id, work.now).await?;
    if let Err(denial) = role::may_take(blueprint, &standing.rights, &roles) {
        mistakes.push(role::not_below(blueprint, "member", &denial));
    }
    mistakes.settle()?;
    let within = seat::Within::of(standing);
    let seats = seat::taken(work, within).await?;
    let back = Member { state: step.to(), ..member };
    if step == StateStep::Reactivate {
        let field = "member";
        role::ensure_not_too_many(work, blueprint, (&back, &roles), |_| field).await?;
    }
    let changes = MemberChanges { state: Some(step.to()), ..MemberChanges::default() };
    store::member::update(work.tx, permit, (organization, id), changes).await?;
    let action = match step {
        StateStep::Suspend => {
            let remaining = Remaining { organization, blueprint, lost: &roles, then: THEN, field: "member" };
            role::ensure_held(work, remaining).await?;
            "member.suspended"
        }
        StateStep::Reactivate => {
            seat::ensure_not_over(work, within, &seats).await?;
            "member.reactivated"
        }
    };
    work.record(organization, NewEntry::access(action, target("member", id, &back.name))).await?;
    Ok(id)
}
