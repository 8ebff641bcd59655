//! What warnings say of grants: what is held and where, and what to do instead.

use std::{collections::HashMap, hash::BuildHasher};

use uuid::Uuid;

use super::AppFact;
use crate::{
    Blueprint, Grant, Grantee, Held, Place,
    blueprint::{
        RightSet,
        document::{Automatic, Holder, Role, RoleLevel},
    },
};

/// The words for grants of one organization.
#[derive(Debug)]
pub(super) struct Words<'a, S> {
    pub(super) blueprint: &'a Blueprint,
    pub(super) apps: &'a HashMap<Uuid, AppFact, S>,
}

impl<S: BuildHasher> Words<'_, S> {
    /// What a grant is called: what it gives, in which module where it is a role of one, and where it stands.
    pub(super) fn grant(&self, grant: &Grant) -> String {
        let what = self.held(&grant.held);
        match (&grant.held, &grant.place) {
            (Held::Role(_), Place::Organization) => format!("{what} in the organization"),
            (Held::Feature { kind, .. }, Place::Organization) => {
                format!("{what} of {} in the whole organization", self.kind(kind))
            }
            (_, Place::App { id, .. }) => {
                let app = self.apps.get(id).map_or("an app", |app| app.name.as_str());
                format!("{what} on `{app}`")
            }
        }
    }

    /// What is held, wherever it is: a role of one feature with that feature.
    pub(super) fn held(&self, held: &Held) -> String {
        match held {
            Held::Role(key) => {
                let role = self.blueprint.document().roles.get(key);
                let label = role.map_or(key.as_str(), |role| role.label.as_str());
                let module = role.and_then(|role| role.feature.as_deref()).and_then(|text| text.split_once('.'));
                match module {
                    Some((kind, feature)) => format!("{label} in {}", self.feature(kind, feature)),
                    None => label.to_owned(),
                }
            }
            Held::Feature { kind, feature, level } => {
                let feature = self.feature(kind, feature);
                level.as_ref().map_or_else(|| feature.to_owned(), |level| format!("{feature} ({level})"))
            }
        }
    }

    /// What people call an app kind.
    pub(super) fn kind<'k>(&'k self, kind: &'k str) -> &'k str {
        self.blueprint.document().app_kinds.get(kind).map_or(kind, |kind| kind.label.as_str())
    }

    fn feature<'k>(&'k self, kind: &str, feature: &'k str) -> &'k str {
        let kind = self.blueprint.document().app_kinds.get(kind);
        kind.and_then(|kind| kind.features.get(feature)).map_or(feature, |feature| feature.label.as_str())
    }

    /// What to do with a grant that gives too much; `None` where it is no grant to take away: a role that some must hold
    /// answers for more than what it opens.
    pub(super) fn less_than(&self, wide: &Grant) -> Option<String> {
        let name = self.grant(wide);
        let Held::Role(key) = &wide.held else { return Some(format!("take {name} away")) };
        let role = self.blueprint.document().roles.get(key);
        let is_main = matches!(wide.grantee, Grantee::Member(_))
            && wide.place == Place::Organization
            && self.blueprint.main_roles().any(|(main, _)| main == key);
        match role {
            Some(role) if role.min_holders > 0 => None,
            // Every member has a main role: it is changed, not taken.
            _ if is_main => Some(format!("give a narrower role than {name}")),
            _ => Some(format!("take {name} away")),
        }
    }

    /// What to do about a role or a feature that is held on every app of a kind.
    pub(super) fn once_for_all(&self, grant: &Grant, kind: &str) -> String {
        let Held::Role(key) = &grant.held else {
            return "Give it in the whole organization instead, if this is meant for apps to come too; else take it \
                    away where it is not needed."
                .to_owned();
        };
        let wider = self.roles_for(grant.grantee, key, kind);
        if wider.is_empty() {
            return "Take it away where it is not needed: no role of the organization gives this alone.".to_owned();
        }
        format!(
            "Give the role {} in the organization instead, if this is meant for apps to come too; else take it away \
             where it is not needed.",
            wider.join(" or ")
        )
    }

    /// The roles of the organization that open on every app of a kind, those to come too, what a role opens on one; not those
    /// that some must hold. The narrowest first (`S1.28`).
    fn roles_for(&self, grantee: Grantee, key: &str, kind: &str) -> Vec<&str> {
        let holder = match grantee {
            Grantee::Member(_) => Holder::Member,
            Grantee::Team(_) => Holder::Team,
            Grantee::ServiceAccount(_) => Holder::ServiceAccount,
            Grantee::Everyone => Holder::Everyone,
        };
        let narrow = self.blueprint.role(key).filter(|rights| !rights.is_empty());
        let opens = |(other, role): &(&String, &Role)| {
            let brings =
                |automatic: &Automatic| automatic.future && automatic.role == key && automatic.app_kind == kind;
            let gives = narrow.zip(self.blueprint.role(other)).is_some_and(|(narrow, wide)| wide.contains(narrow));
            role.level == RoleLevel::Organization
                && role.holders.contains(&holder)
                && role.min_holders == 0
                && (gives || role.automatic.iter().any(brings))
        };
        let mut wider: Vec<(&String, &Role)> = self.blueprint.document().roles.iter().filter(opens).collect();
        wider.sort_by_key(|(key, _)| self.blueprint.role(key).map_or(0, RightSet::count));
        wider.into_iter().map(|(_, role)| role.label.as_str()).collect()
    }
}
