//! What a role says about places that it does not reach: permissions that are asked for elsewhere, roles that it cannot give.

use super::Check;
use crate::{
    blueprint::{
        document::{Role, RoleLevel},
        error::Location,
        selector::Reach,
    },
    verb::{PERMISSIONS, is_for_apps},
};

/// What lets the holder of an app role bring people into the organization, with roles there.
const INVITE: &str = "members.invite";

impl Check<'_> {
    pub(super) fn reach(&mut self, location: &Location, key: &str, role: &Role) {
        if role.level == RoleLevel::App {
            self.permissions_on_apps(&location.at("permissions"), role);
        }
        self.assigned(&location.at("assigns"), key, role);
        if role.sees_locked && role.level != RoleLevel::Organization {
            let problem = "only an organization role shows the apps of the organization".to_owned();
            self.report(&location.at("sees_locked"), problem, "move it to an organization role");
        }
    }

    /// Permissions of an app role that nothing asks for on an app. One that the product declares is the product's own matter.
    fn permissions_on_apps(&mut self, location: &Location, role: &Role) {
        for (index, text) in role.permissions.iter().enumerate() {
            let Ok(rights) = self.blueprint.select(text, Reach::Permissions) else { continue };
            if !self.blueprint.permissions_of(&rights).iter().any(|key| is_for_apps(key)) {
                let known = PERMISSIONS.iter().filter(|known| known.on_apps).map(|known| known.key);
                let known = known.collect::<Vec<_>>().join("`, `");
                let problem = format!("`{text}` is asked for in the organization alone, and does nothing on an app");
                let fix = format!("move it to an organization role; on an app count `{known}`");
                self.report(&location.at(index), problem, &fix);
            }
        }
    }

    /// Roles that the holders of this one are said to give, and never can.
    fn assigned(&mut self, location: &Location, key: &str, role: &Role) {
        let roles = &self.blueprint.document.roles;
        for (index, other) in role.assigns.iter().enumerate() {
            let Some(given) = roles.get(other) else { continue };
            let mistake = if other == key && role.max_holders == Some(1) {
                let problem = format!("the only holder of `{key}` can give it to nobody else");
                Some((problem, "leave it out; say in `transfer` what the holder takes who hands it over"))
            } else {
                self.out_of_reach(key, role, (other, given))
            };
            if let Some((problem, fix)) = mistake {
                self.report_of_whole(&location.at(index), problem, fix);
            }
        }
    }

    /// Why a role that is held on apps can never give another one.
    fn out_of_reach(&self, key: &str, role: &Role, (other, given): (&String, &Role)) -> Option<(String, &'static str)> {
        match (role.level, given.level) {
            (RoleLevel::Organization, _) => None,
            (RoleLevel::Feature, RoleLevel::Organization | RoleLevel::App) => Some((
                format!("`{key}` is held in one feature, and cannot give `{other}`, which reaches further"),
                "let an app role or an organization role assign it",
            )),
            (RoleLevel::App, RoleLevel::Organization) => {
                let rights = self.blueprint.rights_of(role);
                let invites = self.blueprint.permissions_of(&rights).iter().any(|held| held == INVITE);
                (!invites).then(|| {
                    let problem = format!("`{key}` is held on an app, and `{other}` in the organization");
                    (problem, "let an organization role assign it, or give the app role `members.invite`")
                })
            }
            (RoleLevel::App, RoleLevel::App | RoleLevel::Feature) | (RoleLevel::Feature, RoleLevel::Feature) => {
                let (own, theirs) = (self.held_on(role), self.held_on(given));
                let meets = theirs.iter().any(|kind| own.iter().any(|above| self.stands_below(kind, above)));
                (!meets).then(|| {
                    let problem = format!("`{other}` is held on no app where `{key}` is, nor below one");
                    (problem, "leave it out, or let the two have a kind of apps in common")
                })
            }
        }
    }

    /// The app kinds on which a role is held.
    fn held_on<'r>(&'r self, role: &'r Role) -> Vec<&'r str> {
        let of = role.feature.as_deref().and_then(|feature| feature.split_once('.')).map(|(kind, _)| kind);
        match role.level {
            RoleLevel::Organization => Vec::new(),
            RoleLevel::Feature => of.into_iter().collect(),
            RoleLevel::App if role.kinds.is_empty() => {
                self.blueprint.document.app_kinds.keys().map(String::as_str).collect()
            }
            RoleLevel::App => role.kinds.iter().map(String::as_str).collect(),
        }
    }

    /// Whether an app of a kind is of this one, or can stand somewhere below it.
    pub(super) fn stands_below(&self, kind: &str, above: &str) -> bool {
        let kinds = &self.blueprint.document.app_kinds;
        let mut below = vec![above];
        for _ in 0..kinds.len() {
            for (key, rules) in kinds {
                if !below.contains(&key.as_str()) && rules.parents.iter().any(|parent| below.contains(&parent.as_str()))
                {
                    below.push(key);
                }
            }
        }
        below.contains(&kind)
    }
}
