//! Versions: what another version of the rules gives one principal, and what it takes.
//!
//! Two versions have other bits for the same words, so they are compared by words.

use std::collections::BTreeSet;

use crate::{
    AppRef, Blueprint, Place, Rights,
    compare::{Right, is_bounded},
    delegation::may_assign_at,
};

/// One principal under one version.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The rules.
    pub blueprint: &'a Blueprint,
    /// What they give the principal.
    pub rights: &'a Rights,
}

/// Something that a principal can do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Power {
    /// An organization permission.
    Permission(String),
    /// An action of a feature, on an app of this kind.
    Action {
        /// The app kind's key.
        kind: String,
        /// The feature's key.
        feature: String,
        /// The action's key.
        action: String,
    },
    /// Giving and taking this role.
    Assign(String),
    /// Giving more than it holds.
    Unbounded,
}

impl Power {
    /// Whether this version has it at all: what it does not have, nobody can have held.
    #[must_use]
    pub fn is_known(&self, blueprint: &Blueprint) -> bool {
        match self {
            Self::Permission(key) => blueprint.knows(Right::Permission(key)),
            Self::Action { kind, feature, action } => blueprint.knows(Right::Action { kind, feature, action }),
            Self::Assign(role) => blueprint.document().roles.contains_key(role),
            Self::Unbounded => true,
        }
    }
}

/// What is gained and what is lost, each in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Held under the new rules alone.
    pub gained: Vec<Power>,
    /// Held under the old rules alone.
    pub lost: Vec<Power>,
}

/// What changes for a principal in the organization, or on one app beyond that.
///
/// A role that only one of the versions has is no power to give: nobody holds it yet, or nobody any more.
#[must_use]
pub fn difference(old: Side<'_>, new: Side<'_>, app: Option<&AppRef<'_>>) -> Difference {
    let common = |role: &&String| {
        old.blueprint.document().roles.contains_key(*role) && new.blueprint.document().roles.contains_key(*role)
    };
    let roles: Vec<&String> = old.blueprint.document().roles.keys().filter(common).collect();
    let (before, after) = match app {
        None => (in_organization(old, &roles), in_organization(new, &roles)),
        Some(app) => (on_app(old, app, &roles), on_app(new, app, &roles)),
    };
    Difference {
        gained: after.difference(&before).cloned().collect(),
        lost: before.difference(&after).cloned().collect(),
    }
}

fn in_organization(side: Side<'_>, roles: &[&String]) -> BTreeSet<Power> {
    let mut powers: BTreeSet<Power> = side.rights.permissions().map(|key| Power::Permission(key.to_owned())).collect();
    if side.rights.inactive().is_none() {
        let assigned = roles.iter().filter(|role| may_give(side, role, (&Place::Organization, &[])));
        powers.extend(assigned.map(|role| Power::Assign((*role).clone())));
        if !is_bounded(side.blueprint, side.rights) {
            powers.insert(Power::Unbounded);
        }
    }
    powers
}

fn on_app(side: Side<'_>, app: &AppRef<'_>, roles: &[&String]) -> BTreeSet<Power> {
    let mut powers = BTreeSet::new();
    for capability in side.rights.capabilities(side.blueprint, app) {
        powers.extend(capability.actions.into_iter().map(|action| Power::Action {
            kind: app.kind.to_owned(),
            feature: capability.feature.clone(),
            action,
        }));
    }
    let here = side
        .blueprint
        .permissions()
        .keys()
        .filter(|key| !side.rights.holds(key) && side.rights.holds_on(side.blueprint, key, app));
    powers.extend(here.cloned().map(Power::Permission));
    let place = Place::App { id: app.id, kind: app.kind.to_owned() };
    let assigned = roles.iter().filter(|role| {
        may_give(side, role, (&place, app.ancestors)) && !may_give(side, role, (&Place::Organization, &[]))
    });
    powers.extend(assigned.map(|role| Power::Assign((*role).clone())));
    powers
}

fn may_give(side: Side<'_>, role: &str, place: (&Place, &[uuid::Uuid])) -> bool {
    may_assign_at(side.blueprint, side.rights, role, place).is_ok()
}
