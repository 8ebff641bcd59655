//! What grants give, and the bounds that are set to all of them.

use chrono::{DateTime, Utc};

use crate::{
    AppRef, Blueprint, Denial, Facts, Held, Place,
    blueprint::{RightSet, document::RoleLevel},
    grant::Grant,
};

/// What a grant gives, and whether what it names exists.
pub(crate) fn given(blueprint: &Blueprint, grant: &Grant) -> RightSet {
    let mut rights = RightSet::empty(blueprint.kinds().len());
    match &grant.held {
        Held::Role(key) => {
            if let Some(role) = blueprint.role(key) {
                rights.add(role);
            }
            let level = blueprint.document().roles.get(key).map(|role| role.level);
            let holds = match grant.place {
                Place::Organization => level == Some(RoleLevel::Organization),
                Place::App { .. } => level == Some(RoleLevel::App),
            };
            if !holds {
                // A role says something about the organization, or about an app as a whole, at its own level alone.
                rights.permissions = 0;
            }
        }
        Held::Feature { kind, feature, level } => {
            let bits = blueprint
                .kind(kind)
                .and_then(|(index, kind)| Some((index, kind.features.get(feature)?.given(level.as_deref())?)));
            if let Some((index, bits)) = bits
                && let Some(mask) = rights.kinds.get_mut(index)
            {
                *mask |= bits;
            }
        }
    }
    rights
}

/// The most that the principal can hold: what its token's scopes name, below the ceilings of its organization roles.
pub(crate) fn limit(blueprint: &Blueprint, facts: &Facts, now: DateTime<Utc>) -> Option<RightSet> {
    let scopes = facts.scopes.as_ref().map(|scopes| blueprint.scopes(scopes));
    scopes.into_iter().chain(ceiling(blueprint, facts, now)).reduce(|mut limit, other| {
        limit.keep(&other);
        limit
    })
}

/// What the ceilings of the organization roles held leave (`Q14`); `None` where no role sets one.
pub(crate) fn ceiling(blueprint: &Blueprint, facts: &Facts, now: DateTime<Utc>) -> Option<RightSet> {
    let live = facts.grants.iter().filter(|grant| grant.is_live(now) && grant.place == Place::Organization);
    let ceilings = live.filter_map(|grant| match &grant.held {
        Held::Role(role) => blueprint.ceiling(role),
        Held::Feature { .. } => None,
    });
    ceilings.cloned().reduce(|mut limit, other| {
        limit.keep(&other);
        limit
    })
}

/// Whether the grant lets its holder in where public apps are open to those who hold something on a kind above (`Q16`).
pub(crate) fn lets_in(blueprint: &Blueprint, grant: &Grant, to: Option<usize>, app: &AppRef<'_>) -> bool {
    match (to, &grant.place) {
        (None, Place::Organization) => matches!(&grant.held, Held::Role(role) if blueprint.role(role).is_some()),
        (None, Place::App { .. }) => false,
        (Some(kind), Place::Organization) => given(blueprint, grant).kind(kind) != 0,
        (Some(kind), Place::App { id, .. }) => app.ancestors.contains(id) && given(blueprint, grant).kind(kind) != 0,
    }
}

/// Whether an organization role shows its holder the apps on which nothing is held (`Q22`); as [`Rights::visible_apps`](super::Rights::visible_apps) says.
pub(crate) fn sees_locked(blueprint: &Blueprint, facts: &Facts, now: DateTime<Utc>) -> bool {
    let shows = |grant: &Grant| {
        let Held::Role(key) = &grant.held else { return false };
        let role = blueprint.document().roles.get(key);
        grant.place == Place::Organization && grant.is_live(now) && role.is_some_and(|role| role.sees_locked)
    };
    facts.grants.iter().any(shows)
}

/// Why the principal is denied everything, if it is.
pub(crate) fn inactive(facts: &Facts) -> Option<Denial> {
    if !facts.organization_active {
        Some(Denial::OrganizationInactive)
    } else if !facts.principal_active {
        Some(Denial::PrincipalInactive)
    } else {
        None
    }
}
