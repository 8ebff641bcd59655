//! The decision: one question, answered from facts, with reasons. Total and pure; what is unknown is denied.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    AppRef, Blueprint, Decision, Denial, Facts, Place, Reason,
    grant::Grant,
    rights::{self, ceiling, given, inactive, lets_in},
};

/// What is asked about a principal.
#[derive(Debug, Clone, Copy)]
pub enum Question<'a> {
    /// Does it hold an organization permission?
    Permission(&'a str),
    /// Does it hold an organization permission on this app, from the organization or by a role there or above it?
    PermissionOn {
        /// The permission's key.
        permission: &'a str,
        /// The app.
        app: AppRef<'a>,
    },
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
        Question::Permission(key) => permission(blueprint, facts, (key, None), now),
        Question::PermissionOn { permission: key, app } => permission(blueprint, facts, (key, Some(&app)), now),
        Question::Action { app, feature, action } => act(blueprint, facts, &app, (feature, action), now),
        Question::TeamMembers(team) => {
            let maintains = facts.scopes.is_none() && facts.teams.iter().any(|fact| fact.id == team && fact.maintainer);
            match permission(blueprint, facts, ("teams.manage", None), now) {
                Decision::Deny(_) if maintains => Decision::Allow(vec![Reason::Maintainer(team)]),
                decision => decision,
            }
        }
    }
}

fn permission(
    blueprint: &Blueprint,
    facts: &Facts,
    (key, app): (&str, Option<&AppRef<'_>>),
    now: DateTime<Utc>,
) -> Decision {
    let Some(bit) = blueprint.permission_bit(key) else {
        return Decision::Deny(Denial::UnknownPermission { permission: key.to_owned() });
    };
    let reaches = |grant: &Grant| match (&grant.place, app) {
        (Place::Organization, _) => true,
        (Place::App { .. }, None) => false,
        (Place::App { id, .. }, Some(app)) => app.active && reaches_app(*id, app),
    };
    let reasons = sources(facts, now, |grant| reaches(grant) && given(blueprint, grant).permissions & bit != 0);
    if reasons.is_empty() {
        return Decision::Deny(Denial::MissingPermission { permission: key.to_owned() });
    }
    if ceiling(blueprint, facts, now).is_some_and(|ceiling| ceiling.permissions & bit == 0) {
        return Decision::Deny(Denial::BeyondCeiling { right: key.to_owned() });
    }
    match &facts.scopes {
        Some(scopes) if blueprint.scopes(scopes).permissions & bit == 0 => {
            Decision::Deny(Denial::OutsideScope { scope: key.to_owned() })
        }
        _ => Decision::Allow(reasons.into_iter().map(Reason::Granted).collect()),
    }
}

fn reaches_app(id: Uuid, app: &AppRef<'_>) -> bool {
    id == app.id || app.ancestors.contains(&id)
}

fn act(
    blueprint: &Blueprint,
    facts: &Facts,
    app: &AppRef<'_>,
    (feature, action): (&str, &str),
    now: DateTime<Utc>,
) -> Decision {
    let is_shown = || blueprint.shows_locked_apps() || rights::sees_locked(blueprint, facts, now);
    let hidden = || if is_shown() { Denial::AppLocked } else { Denial::AppHidden };
    let Some((index, kind)) = blueprint.kind(app.kind) else { return Decision::Deny(hidden()) };
    let reaches = |grant: &Grant| match &grant.place {
        Place::Organization => true,
        Place::App { id, .. } => reaches_app(*id, app),
    };
    let scope = facts.scopes.as_ref().map_or(u128::MAX, |scopes| blueprint.scopes(scopes).kind(index));
    let ceiling = ceiling(blueprint, facts, now).map_or(u128::MAX, |ceiling| ceiling.kind(index));
    let public = kind.public.filter(|_| app.public);
    let lets_in = |grant: &Grant| {
        // A grant that nothing is left of lets nobody in.
        public.is_some_and(|public| {
            let left = |to: usize| {
                let scope = facts.scopes.as_ref().map_or(u128::MAX, |scopes| blueprint.scopes(scopes).kind(to));
                let ceiling = rights::ceiling(blueprint, facts, now).map_or(u128::MAX, |ceiling| ceiling.kind(to));
                given(blueprint, grant).kind(to) & scope & ceiling != 0
            };
            lets_in(blueprint, grant, public.to, app) && public.to.is_none_or(left)
        })
    };
    let gives = |grant: &Grant, bits: u128| reaches(grant) && given(blueprint, grant).kind(index) & bits != 0;
    let opens = |grant: &Grant, bits: u128| public.is_some_and(|public| public.bits & bits != 0) && lets_in(grant);
    let within = scope & ceiling & kind.all;
    let seen = facts.grants.iter().any(|grant| grant.is_live(now) && (gives(grant, within) || opens(grant, within)));
    if !seen {
        return Decision::Deny(hidden());
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
    let granted = sources(facts, now, |grant| gives(grant, bit)).into_iter().map(Reason::Granted);
    let opened = sources(facts, now, |grant| opens(grant, bit)).into_iter().map(Reason::Public);
    let reasons: Vec<Reason> = granted.chain(opened).collect();
    if reasons.is_empty() {
        let expired = facts.grants.iter().find(|grant| !grant.is_live(now) && gives(grant, bit));
        let (feature, action) = (feature.to_owned(), action.to_owned());
        return Decision::Deny(match expired {
            Some(grant) => Denial::Expired { feature, action, grant: grant.id },
            None => Denial::NotGranted { feature, action },
        });
    }
    let right = || format!("{}.{feature}.{action}", app.kind);
    if ceiling & bit == 0 {
        return Decision::Deny(Denial::BeyondCeiling { right: right() });
    }
    if scope & bit == 0 {
        return Decision::Deny(Denial::OutsideScope { scope: right() });
    }
    Decision::Allow(reasons)
}

/// The live grants that pass, in the order of their ids, each once: the order of facts tells nothing.
fn sources(facts: &Facts, now: DateTime<Utc>, passes: impl Fn(&Grant) -> bool) -> Vec<Grant> {
    let mut grants: Vec<&Grant> = facts.grants.iter().filter(|grant| grant.is_live(now) && passes(grant)).collect();
    grants.sort_by(|a, b| (a.id, &a.path).cmp(&(b.id, &b.path)));
    grants.dedup_by(|a, b| a.id == b.id && a.path == b.path);
    grants.into_iter().cloned().collect()
}
