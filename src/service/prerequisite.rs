//! Features that need a feature of another kind of app (`S0.27`), held as an invariant of what a change of grants leaves.
//!
//! What was so before may stay: only what a change itself leaves without its prerequisite is refused.

use std::collections::BTreeSet;

use super::{ServiceError, UserError, UserErrorCode, Work};
use crate::{
    ablate,
    access::{
        Grant, Grantee,
        prerequisite::{self, Unmet},
    },
    service::access_tree::AppAccess,
    store::{self, facts::Within, grant::AccessGrant},
};

/// What a grantee lacks of what its features need on other kinds of apps.
///
/// # Errors
/// When the database cannot say.
pub(super) async fn unmet(work: &Work<'_>, grantee: Grantee) -> Result<BTreeSet<Unmet>, ServiceError> {
    let standing = work.standing()?;
    let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
    if !prerequisite::crosses_kinds(rules) || ablate::off("feature_prerequisite") {
        return Ok(BTreeSet::new());
    }
    let grants: Vec<Grant> = match grantee {
        Grantee::Member(id) | Grantee::ServiceAccount(id) => {
            let within = Within { organization, active: true };
            let crowd = store::facts::load_many(work.tx, organization, &[id]).await?;
            let reach = crowd.map(|crowd| crowd.reach);
            let facts = reach
                .iter()
                .flat_map(|reach| reach.principals().iter().map(move |principal| reach.facts(principal, within, None)));
            facts.flat_map(|facts| facts.grants).collect()
        }
        Grantee::Team(id) => {
            let held = store::grant::of_grantees(work.tx, organization, &[id]).await?;
            held.into_iter().map(fact).collect()
        }
        Grantee::Everyone => Vec::new(),
    };
    Ok(prerequisite::unmet(rules, grantee, &grants, work.now))
}

/// Refuses what a change has left without its prerequisite.
///
/// # Errors
/// [`ServiceError::Refused`] with `MISSING`, each at the field that `field` names for it.
pub(super) async fn ensure_met(
    work: &Work<'_>,
    (grantee, before): (Grantee, &BTreeSet<Unmet>),
    field: impl Fn(&Unmet) -> String,
) -> Result<(), ServiceError> {
    let now = unmet(work, grantee).await?;
    let refusals: Vec<UserError> = now.difference(before).map(|lack| refusal(work, lack, &field(lack))).collect();
    if refusals.is_empty() { Ok(()) } else { Err(ServiceError::Refused(refusals)) }
}

/// The place of a feature in a ticked tree, as a field of the input.
pub(super) fn field_of(tree: &[AppAccess], lack: &Unmet) -> String {
    let app = tree.iter().position(|ticked| Some(ticked.app) == lack.app);
    let features = app.and_then(|at| tree.get(at)).map(|ticked| ticked.features.as_slice()).unwrap_or_default();
    match (app, features.iter().position(|ticked| ticked.feature == lack.feature)) {
        (Some(app), Some(feature)) => format!("access.{app}.features.{feature}.feature"),
        _ => "access".to_owned(),
    }
}

fn fact(grant: AccessGrant) -> Grant {
    let AccessGrant { id, grantee, held, place, expires_at, .. } = grant;
    Grant { id, grantee, path: Vec::new(), held, place, expires_at }
}

fn refusal(work: &Work<'_>, lack: &Unmet, field: &str) -> UserError {
    let Unmet { kind, feature, needed_kind, needed_feature, .. } = lack;
    let kinds = work.standing().ok().map(|standing| &standing.blueprint.rules.document().app_kinds);
    let kind_label = |key: &String| {
        let found = kinds.and_then(|kinds| kinds.get(key));
        found.map_or_else(|| key.clone(), |kind| kind.label.clone())
    };
    let feature_label = |kind: &String, key: &String| {
        let found = kinds.and_then(|kinds| kinds.get(kind)?.features.get(key));
        found.map_or_else(|| key.clone(), |feature| feature.label.clone())
    };
    let needed = format!("{} of {}", feature_label(needed_kind, needed_feature), kind_label(needed_kind));
    let message = format!("{} of {} needs {needed} too", feature_label(kind, feature), kind_label(kind));
    UserError::new(UserErrorCode::Missing, field, message).remedy(format!("Give {needed} as well."))
}
