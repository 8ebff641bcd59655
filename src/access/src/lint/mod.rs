//! Grants at the wrong level: what an organization could give more narrowly, or does not need to give (`S1.28`, `S1.31`).
//!
//! Warnings, never refusals: what is granted holds. Each names the grants it is about, and what to do.
//!
//! ```text
//!  grants of one organization ─▶ warnings ─▶ REDUNDANT · WIDER_THAN_NEEDED · EVERYWHERE, each with grants and remedy
//!  a role about to be given   ─▶ guidance ─▶ NARROWER_ROLES: the roles to think of instead
//! ```

mod wording;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::BuildHasher,
};

use uuid::Uuid;

use crate::{
    Blueprint, Held, Place,
    blueprint::document::{Holder, RoleLevel},
    grant::{Grant, Grantee},
    rights::given,
};
use wording::Words;

/// What is wrong with the level at which something is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WarningCode {
    /// Too low: everything a grant gives is given by a wider one of the same grantee.
    Redundant,
    /// Too high: a role is held together with a narrower one that the blueprint recommends in its place, there or below.
    WiderThanNeeded,
    /// Too low: the same role or feature is held app by app, on every app of its kind.
    Everywhere,
    /// Guidance on giving: there are narrower roles for single tasks.
    NarrowerRoles,
}

impl WarningCode {
    /// The code as programs read it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Redundant => "REDUNDANT",
            Self::WiderThanNeeded => "WIDER_THAN_NEEDED",
            Self::Everywhere => "EVERYWHERE",
            Self::NarrowerRoles => "NARROWER_ROLES",
        }
    }
}

/// A warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What kind.
    pub code: WarningCode,
    /// The grants it is about, the one to think over first; none for guidance before anything is given.
    pub grants: Vec<Uuid>,
    /// What is wrong, for people.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// An app, as far as levels are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppFact {
    /// What people call it.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The apps above it.
    pub ancestors: Vec<Uuid>,
}

/// Every warning about these grants, which are stored rows of one organization, in the order of codes and then of grants.
#[must_use]
pub fn warnings<S: BuildHasher>(
    blueprint: &Blueprint,
    grants: &[Grant],
    apps: &HashMap<Uuid, AppFact, S>,
) -> Vec<Warning> {
    let mut by_grantee: BTreeMap<Grantee, Vec<&Grant>> = BTreeMap::new();
    for grant in grants {
        by_grantee.entry(grant.grantee).or_default().push(grant);
    }
    let mut found = Vec::new();
    for grants in by_grantee.values() {
        let wider = wider_than_needed(blueprint, grants, apps);
        let named: BTreeSet<Uuid> = wider.iter().flat_map(|warning| warning.grants.iter().copied()).collect();
        let redundant = redundant(blueprint, grants, apps);
        let needless: BTreeSet<Uuid> = redundant.iter().filter_map(|warning| warning.grants.first().copied()).collect();
        // One word about the same grants is enough.
        let is_new =
            |warning: &Warning, told: &BTreeSet<Uuid>| !warning.grants.iter().all(|grant| told.contains(grant));
        found.extend(redundant.into_iter().filter(|warning| is_new(warning, &named)));
        found.extend(wider);
        let everywhere = everywhere(blueprint, grants, apps).into_iter();
        found.extend(everywhere.filter(|warning| is_new(warning, &needless)));
    }
    found.sort_by(|a, b| (a.code, &a.grants).cmp(&(b.code, &b.grants)));
    found
}

/// What to think of before giving a role: the narrower roles that the blueprint names (`S1.28`).
#[must_use]
pub fn guidance(blueprint: &Blueprint, role: &str) -> Option<Warning> {
    let roles = &blueprint.document().roles;
    let rules = roles.get(role)?;
    let narrower = rules.instead.iter().filter_map(|key| roles.get(key));
    let advice: Vec<String> = narrower
        .map(|role| {
            let task =
                if role.help.is_empty() { String::new() } else { format!(" ({})", role.help.trim_end_matches('.')) };
            format!("{}{task}", role.label)
        })
        .collect();
    if advice.is_empty() {
        return None;
    }
    Some(Warning {
        code: WarningCode::NarrowerRoles,
        grants: Vec::new(),
        message: format!("{} gives more than single tasks need", rules.label),
        remedy: format!("For a single task give only: {}.", advice.join("; ")),
    })
}

/// Whether what holds at `wide` reaches `narrow`.
fn covers<S: BuildHasher>(wide: &Place, narrow: &Place, apps: &HashMap<Uuid, AppFact, S>) -> bool {
    match (wide, narrow) {
        (Place::Organization, _) => true,
        (Place::App { .. }, Place::Organization) => false,
        (Place::App { id: wide, .. }, Place::App { id: narrow, .. }) => {
            wide == narrow || apps.get(narrow).is_some_and(|app| app.ancestors.contains(wide))
        }
    }
}

/// Whether `wide` says as much about giving roles as `narrow` does; rights are compared apart.
fn says_as_much(blueprint: &Blueprint, wide: &Grant, narrow: &Grant) -> bool {
    let Held::Role(narrow) = &narrow.held else { return true };
    let roles = &blueprint.document().roles;
    let Some(narrow) = roles.get(narrow) else { return false };
    if narrow.level == RoleLevel::Organization || narrow.min_holders > 0 {
        // What a member is in the organization is more than what it may do.
        return false;
    }
    if narrow.assigns.is_empty() && narrow.delegates.is_empty() {
        return true;
    }
    let Held::Role(wide) = &wide.held else { return false };
    let Some(wide) = roles.get(wide) else { return false };
    let all = wide.assigns.iter().any(|name| name == "*");
    (all || narrow.assigns.iter().all(|name| wide.assigns.contains(name)))
        && narrow.delegates.iter().all(|name| wide.delegates.contains(name))
}

/// Grants below wider ones of the same grantee that give all of it.
fn redundant<S: BuildHasher>(
    blueprint: &Blueprint,
    grants: &[&Grant],
    apps: &HashMap<Uuid, AppFact, S>,
) -> Vec<Warning> {
    let words = Words { blueprint, apps };
    let rights: Vec<_> = grants.iter().map(|grant| given(blueprint, grant)).collect();
    let mut found = Vec::new();
    for (narrow, gives) in grants.iter().zip(&rights).filter(|(_, gives)| !gives.is_empty()) {
        let wider = grants.iter().zip(&rights).find(|(wide, more)| {
            // Of two that give the same, the earlier one stays.
            let is_wider = wide.place != narrow.place || !gives.contains(more) || wide.id < narrow.id;
            wide.id != narrow.id
                && is_wider
                && covers(&wide.place, &narrow.place, apps)
                && more.contains(gives)
                && wide.lasts_as_long(narrow)
                && says_as_much(blueprint, wide, narrow)
        });
        if let Some((wide, _)) = wider {
            let (less, more) = (words.grant(narrow), words.grant(wide));
            let remedy = match words.less_than(wide) {
                Some(instead) => format!("Take {less} away; or, if that is all that is needed, {instead}."),
                None => format!("Take {less} away."),
            };
            found.push(Warning {
                code: WarningCode::Redundant,
                grants: vec![narrow.id, wide.id],
                message: format!("{less} gives nothing that {more} does not give already"),
                remedy,
            });
        }
    }
    found
}

/// Roles held where a narrower one, recommended in their place, is held too, there or on an app below.
fn wider_than_needed<S: BuildHasher>(
    blueprint: &Blueprint,
    grants: &[&Grant],
    apps: &HashMap<Uuid, AppFact, S>,
) -> Vec<Warning> {
    let words = Words { blueprint, apps };
    let mut found = Vec::new();
    for wide in grants {
        let Held::Role(key) = &wide.held else { continue };
        let Some(role) = blueprint.document().roles.get(key) else { continue };
        let narrower = grants.iter().filter(|other| {
            covers(&wide.place, &other.place, apps)
                && matches!(&other.held, Held::Role(other) if role.instead.contains(other))
        });
        let narrower: Vec<&&Grant> = narrower.collect();
        if narrower.is_empty() {
            continue;
        }
        let names = narrower.iter().map(|grant| words.grant(grant)).collect::<Vec<_>>().join(", ");
        let (is, does) = if narrower.len() == 1 { ("is", "does") } else { ("are", "do") };
        let label = words.grant(wide);
        let remedy = match words.less_than(wide) {
            Some(instead) => format!("If {names} {is} all that is needed, {instead}; else take {names} away."),
            None => format!("Take {names} away."),
        };
        found.push(Warning {
            code: WarningCode::WiderThanNeeded,
            grants: std::iter::once(wide.id).chain(narrower.iter().map(|grant| grant.id)).collect(),
            message: format!("{label} is held together with {names}, which {does} for a single task"),
            remedy,
        });
    }
    found
}

/// Roles and features held on every app there is for them, unless another role of the grantee's brings them there.
fn everywhere<S: BuildHasher>(
    blueprint: &Blueprint,
    grants: &[&Grant],
    apps: &HashMap<Uuid, AppFact, S>,
) -> Vec<Warning> {
    let roles = &blueprint.document().roles;
    let own_roles = grants.iter().filter(|grant| grant.place == Place::Organization);
    let own_roles: Vec<_> = own_roles
        .filter_map(|grant| match &grant.held {
            Held::Role(key) => roles.get(key),
            Held::Feature { .. } => None,
        })
        .collect();
    let is_brought = |held: &Held, kind: &str| match held {
        Held::Role(key) => {
            let mut brought = own_roles.iter().flat_map(|role| &role.automatic);
            brought.any(|automatic| automatic.role == *key && automatic.app_kind == kind)
        }
        Held::Feature { .. } => false,
    };
    let words = Words { blueprint, apps };
    let mut found = Vec::new();
    let mut told: Vec<(&Held, &str)> = Vec::new();
    for grant in grants {
        let Place::App { kind, .. } = &grant.place else { continue };
        if told.contains(&(&grant.held, kind.as_str())) || is_brought(&grant.held, kind) {
            continue;
        }
        told.push((&grant.held, kind.as_str()));
        let alike = grants.iter().filter(|other| other.held == grant.held);
        let on: BTreeMap<Uuid, Uuid> = alike
            .filter_map(|other| match &other.place {
                Place::App { id, kind: of } if of == kind => Some((*id, other.id)),
                Place::App { .. } | Place::Organization => None,
            })
            .collect();
        let mut all = apps.iter().filter(|(_, app)| app.kind == *kind);
        let reached = |(id, app): (&Uuid, &AppFact)| {
            on.contains_key(id) || app.ancestors.iter().any(|above| on.contains_key(above))
        };
        if on.len() < 2 || !all.all(reached) {
            continue;
        }
        found.push(Warning {
            code: WarningCode::Everywhere,
            grants: on.into_values().collect(),
            message: format!(
                "{} is held one by one on every app of the kind {}",
                words.held(&grant.held),
                words.kind(kind)
            ),
            remedy: words.once_for_all(grant, kind),
        });
    }
    found
}

impl Blueprint {
    /// The roles that can be held on an app of a kind, or in one of its features, in the document's order (`S1.5`, `S1.14`).
    #[must_use]
    pub fn roles_on(&self, kind: &str) -> Vec<&str> {
        let on = self.document().roles.iter().filter(|(_, role)| match role.level {
            RoleLevel::Organization => false,
            RoleLevel::App => role.kinds.is_empty() || role.kinds.iter().any(|other| other == kind),
            RoleLevel::Feature => {
                let of = role.feature.as_deref().and_then(|feature| feature.split_once('.'));
                of.is_some_and(|(other, _)| other == kind)
            }
        });
        on.map(|(key, _)| key.as_str()).collect()
    }

    /// Whether members can hold a role.
    #[must_use]
    pub fn is_for_members(&self, role: &str) -> bool {
        self.document().roles.get(role).is_some_and(|role| role.holders.contains(&Holder::Member))
    }

    /// The app roles of which some must stay where so many are (`S4.R5`).
    #[must_use]
    pub fn kept_on_apps(&self) -> Vec<&str> {
        let kept =
            |role: &crate::blueprint::document::Role| role.level != RoleLevel::Organization && role.min_holders > 0;
        self.document().roles.iter().filter(|(_, role)| kept(role)).map(|(key, _)| key.as_str()).collect()
    }
}
