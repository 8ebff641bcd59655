//! Carrying a move out.

use serde_json::json;

use super::{
    MoveOrder,
    compute::{Mover, plan},
};
use crate::{
    ablate,
    access::verb::{AssignRole, ChangePlan, MoveBlueprint},
    service::{
        ServiceError, UserError, UserErrorCode, Work,
        activity::{NewEntry, target},
    },
    store,
};

/// Makes the move, if it comes to what its author has seen.
pub(super) async fn carry_out(work: &Work<'_>, order: &MoveOrder) -> Result<i32, ServiceError> {
    work.authorize::<MoveBlueprint>(None)?;
    let standing = work.standing()?;
    let (organization, name) = (standing.place.id, &standing.place.name);
    let mover = Mover { organization, principal: standing.facts.principal };
    let plan = plan(work.service, work.tx, (mover, &order.choice), work.now).await?;
    let preview = &plan.preview;
    if preview.token != order.token && !ablate::off("move_token") {
        let message = "the move would come to something else than what was shown";
        let refusal = UserError::new(UserErrorCode::StateChanged, "token", message);
        return Err(refusal.remedy("Look at the preview again and give its token.").into());
    }
    if !preview.problems.is_empty() && !ablate::off("move_problems") {
        return Err(ServiceError::Refused(preview.problems.clone()));
    }
    if !plan.refusals.is_empty() {
        return Err(ServiceError::Refused(plan.refusals));
    }
    let (gained, lost) = (preview.gained(), preview.lost());
    if gained > 0 && !order.accept_gains && !ablate::off("move_gains") {
        let rights = if gained == 1 { "one right".to_owned() } else { format!("{gained} rights") };
        let message = format!("{rights} would be gained");
        let refusal = UserError::new(UserErrorCode::Gains, "acceptGains", message);
        return Err(refusal.remedy("Look at what is gained, then say that it is meant.").into());
    }
    if !plan.regranted.is_empty() {
        work.authorize::<AssignRole>(None)?;
    }
    if plan.plan_changes {
        work.authorize::<ChangePlan>(None)?;
    }
    let detail = json!({
        "from": preview.from,
        "to": preview.version.version,
        "gained": gained,
        "lost": lost,
        "roles": order.choice.roles,
        "grantsChanged": plan.regranted.len(),
        "grantsRemoved": plan.removed.len(),
        "rolesNarrowed": preview.narrowed.iter().map(|role| &role.role).collect::<Vec<_>>(),
        "plan": plan.plan,
    });
    let version = preview.version.version;
    let permit = work.authorize::<MoveBlueprint>(None)?;
    for row in plan.adapted {
        store::custom_role::adapt(work.tx, &permit, row).await?;
    }
    store::grant::rewrite(work.tx, &permit, (organization, &plan.removed), plan.regranted).await?;
    store::organization::update_blueprint(work.tx, permit, organization, (plan.blueprint, plan.plan), work.now).await?;
    let entry = NewEntry::account("organization.blueprint_moved", target("organization", organization, name));
    work.record(organization, entry.detail(detail)).await?;
    Ok(version)
}
