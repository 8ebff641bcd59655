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

impl Side<'_> {
    /// Whether an active principal reads this section of the profile.
    #[must_use]
    pub fn reads(&self, section: &str) -> bool {
        let section = self.blueprint.document().profile.get(section);
        section.is_some_and(|section| section.open || self.rights.holds(READ_PROFILE))
    }

    /// Whether what the principal holds at a place hands this role on, whatever else it holds there (`S0.39`).
    #[must_use]
    pub fn hands_on(&self, role: &str, (place, ancestors): (&Place, &[uuid::Uuid])) -> bool {
        let mut rules = self.rights.role_rules(self.blueprint, place, ancestors);
        may_give(*self, role, (place, ancestors)) && rules.any(|rules| rules.delegates.iter().any(|key| key == role))
    }
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
    /// Giving this role to others, whatever it holds itself (`S0.39`); told where it is bound otherwise.
    HandOn(String),
    /// Giving more than it holds.
    Unbounded,
    /// Seeing that an app exists, locked where nothing is held on it.
    See,
    /// Reading this section of the organization's profile.
    Section(String),
}

/// What opens every section of the profile.
const READ_PROFILE: &str = "profile.read";

impl Power {
    /// Whether this version has it at all: what it does not have, nobody can have held.
    #[must_use]
    pub fn is_known(&self, blueprint: &Blueprint) -> bool {
        match self {
            Self::Permission(key) => blueprint.knows(Right::Permission(key)),
            Self::Action { kind, feature, action } => blueprint.knows(Right::Action { kind, feature, action }),
            Self::Assign(role) | Self::HandOn(role) => blueprint.document().roles.contains_key(role),
            Self::Unbounded => true,
            Self::Section(key) => blueprint.document().profile.contains_key(key),
            Self::See => {
                let mut roles = blueprint.document().roles.values();
                blueprint.shows_locked_apps() || roles.any(|role| role.sees_locked)
            }
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
/// A role that only one of the versions has is no power to give: nobody holds it yet, or nobody any more. A section of the profile
/// that only one of them has is none to read: nothing is written there yet, or nothing is shown any more.
#[must_use]
pub fn difference(old: Side<'_>, new: Side<'_>, app: Option<&AppRef<'_>>) -> Difference {
    let common = |role: &&String| {
        old.blueprint.document().roles.contains_key(*role) && new.blueprint.document().roles.contains_key(*role)
    };
    let roles: Vec<&String> = old.blueprint.document().roles.keys().filter(common).collect();
    let (before, after) = match app {
        None => {
            let sections = &old.blueprint.document().profile;
            let sections = sections.keys().filter(|key| new.blueprint.document().profile.contains_key(*key));
            let sections: Vec<&String> = sections.collect();
            (in_organization(old, &roles, &sections), in_organization(new, &roles, &sections))
        }
        Some(app) => (on_app(old, app, &roles), on_app(new, app, &roles)),
    };
    // Whoever gives more than it holds hands everything on, so that is neither new where it was so, nor gone where it comes to be so.
    let implied =
        |side: Side<'_>, power: &Power| matches!(power, Power::HandOn(_)) && !is_bounded(side.blueprint, side.rights);
    Difference {
        gained: told(after.difference(&before).filter(|power| !implied(old, power))),
        lost: told(before.difference(&after).filter(|power| !implied(new, power))),
    }
}

/// That an app is seen goes without saying where an action on it is told, and that a section is read where the permission to read all
/// of them is.
fn told<'p>(powers: impl Iterator<Item = &'p Power>) -> Vec<Power> {
    let mut powers: Vec<Power> = powers.cloned().collect();
    if powers.iter().any(|power| matches!(power, Power::Action { .. })) {
        powers.retain(|power| *power != Power::See);
    }
    if powers.iter().any(|power| matches!(power, Power::Permission(key) if key == READ_PROFILE)) {
        powers.retain(|power| !matches!(power, Power::Section(_)));
    }
    powers
}

fn in_organization(side: Side<'_>, roles: &[&String], sections: &[&String]) -> BTreeSet<Power> {
    let mut powers: BTreeSet<Power> = side.rights.permissions().map(|key| Power::Permission(key.to_owned())).collect();
    if side.rights.inactive().is_none() {
        let assigned = roles.iter().filter(|role| may_give(side, role, (&Place::Organization, &[])));
        powers.extend(assigned.map(|role| Power::Assign((*role).clone())));
        if is_bounded(side.blueprint, side.rights) {
            let handed = roles.iter().filter(|role| side.hands_on(role, (&Place::Organization, &[])));
            powers.extend(handed.map(|role| Power::HandOn((*role).clone())));
        } else {
            powers.insert(Power::Unbounded);
        }
        let read = sections.iter().filter(|key| side.reads(key));
        powers.extend(read.map(|key| Power::Section((*key).clone())));
    }
    powers
}

fn on_app(side: Side<'_>, app: &AppRef<'_>, roles: &[&String]) -> BTreeSet<Power> {
    let mut powers = BTreeSet::new();
    if side.rights.sees_locked(side.blueprint) || side.rights.sees(side.blueprint, app) {
        powers.insert(Power::See);
    }
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
    if is_bounded(side.blueprint, side.rights) {
        let handed = roles.iter().filter(|role| {
            side.hands_on(role, (&place, app.ancestors)) && !side.hands_on(role, (&Place::Organization, &[]))
        });
        powers.extend(handed.map(|role| Power::HandOn((*role).clone())));
    }
    powers
}

fn may_give(side: Side<'_>, role: &str, place: (&Place, &[uuid::Uuid])) -> bool {
    may_assign_at(side.blueprint, side.rights, role, place).is_ok()
}
