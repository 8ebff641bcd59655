//! The decision: one question, answered from facts, with reasons. Total and pure; what is unknown is denied.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    AppRef, Blueprint, Decision, Denial, Facts, Place, Reason,
    grant::Grant,
    rights::{given, inactive},
};

/// What is asked about a principal.
#[derive(Debug, Clone, Copy)]
pub enum Question<'a> {
    /// Does it hold an organization permission?
    Permission(&'a str),
    /// May it do this action of this feature on this app?
    Action {
        /// The app.
        app: AppRef<'a>,
        /// The feature's key.
        feature: &'a str,
        /// The action's key.
        action: &'a str,
    },
    /// May it manage this team's members?
    TeamMembers(Uuid),
}

/// Answers a question about the principal of these facts, at a moment.
#[must_use]
pub fn decide(blueprint: &Blueprint, facts: &Facts, question: Question<'_>, now: DateTime<Utc>) -> Decision {
    if let Some(denial) = inactive(facts) {
        return Decision::Deny(denial);
    }
    match question {
        Question::Permission(key) => permission(blueprint, facts, key, now),
        Question::Action { app, feature, action } => act(blueprint, facts, &app, (feature, action), now),
        Question::TeamMembers(team) => {
            let maintains = facts.scopes.is_none() && facts.teams.iter().any(|fact| fact.id == team && fact.maintainer);
            match permission(blueprint, facts, "teams.manage", now) {
                Decision::Deny(_) if maintains => Decision::Allow(vec![Reason::Maintainer(team)]),
                decision => decision,
            }
        }
    }
}

fn permission(blueprint: &Blueprint, facts: &Facts, key: &str, now: DateTime<Utc>) -> Decision {
    let Some(bit) = blueprint.permission_bit(key) else {
        return Decision::Deny(Denial::UnknownPermission { permission: key.to_owned() });
    };
    let reasons = sources(facts, now, |grant| {
        grant.place == Place::Organization && given(blueprint, grant).permissions & bit != 0
    });
    if reasons.is_empty() {
        return Decision::Deny(Denial::MissingPermission { permission: key.to_owned() });
    }
    match &facts.scopes {
        Some(scopes) if blueprint.scopes(scopes).permissions & bit == 0 => {
            Decision::Deny(Denial::OutsideScope { scope: key.to_owned() })
        }
        _ => Decision::Allow(reasons),
    }
}

fn act(
    blueprint: &Blueprint,
    facts: &Facts,
    app: &AppRef<'_>,
    (feature, action): (&str, &str),
    now: DateTime<Utc>,
) -> Decision {
    let Some((index, kind)) = blueprint.kind(app.kind) else { return Decision::Deny(Denial::AppHidden) };
    let reaches = |grant: &Grant| match &grant.place {
        Place::Organization => true,
        Place::App { id, .. } => *id == app.id || app.ancestors.contains(id),
    };
    let scope = facts.scopes.as_ref().map_or(u128::MAX, |scopes| blueprint.scopes(scopes).kind(index));
    let gives = |grant: &Grant, bits: u128| reaches(grant) && given(blueprint, grant).kind(index) & bits != 0;
    let seen = facts.grants.iter().any(|grant| grant.is_live(now) && gives(grant, scope & kind.all));
    if !seen {
        return Decision::Deny(Denial::AppHidden);
    }
    if !app.active {
        return Decision::Deny(Denial::AppInactive);
    }
    let Some(known) = kind.features.get(feature) else {
        return Decision::Deny(Denial::UnknownFeature { kind: app.kind.to_owned(), feature: feature.to_owned() });
    };
    let Some(bit) = known.actions.get(action).copied() else {
        return Decision::Deny(Denial::UnknownAction { feature: feature.to_owned(), action: action.to_owned() });
    };
    let reasons = sources(facts, now, |grant| gives(grant, bit));
    if reasons.is_empty() {
        let expired = facts.grants.iter().find(|grant| !grant.is_live(now) && gives(grant, bit));
        let (feature, action) = (feature.to_owned(), action.to_owned());
        return Decision::Deny(match expired {
            Some(grant) => Denial::Expired { feature, action, grant: grant.id },
            None => Denial::NotGranted { feature, action },
        });
    }
    if scope & bit == 0 {
        return Decision::Deny(Denial::OutsideScope { scope: format!("{}.{feature}.{action}", app.kind) });
    }
    Decision::Allow(reasons)
}

/// The live grants that pass, in the order of their ids, each once: the order of facts tells nothing.
fn sources(facts: &Facts, now: DateTime<Utc>, passes: impl Fn(&Grant) -> bool) -> Vec<Reason> {
    let mut grants: Vec<&Grant> = facts.grants.iter().filter(|grant| grant.is_live(now) && passes(grant)).collect();
    grants.sort_by(|a, b| (a.id, &a.path).cmp(&(b.id, &b.path)));
    grants.dedup_by(|a, b| a.id == b.id && a.path == b.path);
    grants.into_iter().cloned().map(Reason::Granted).collect()
}
