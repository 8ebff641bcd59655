//! What is wrong with roles.

use super::{Check, root};
use crate::blueprint::{
    RightSet,
    document::{Holder, Role, RoleLevel},
    error::Location,
    selector::Reach,
};

impl Check<'_> {
    pub(super) fn roles(&mut self) {
        let document = &self.blueprint.document;
        if self.blueprint.main_roles().next().is_none() {
            self.report(&root("roles"), "no role a member can hold".to_owned(), "declare an organization role");
        }
        for (key, role) in &document.roles {
            let location = root("roles").at(key);
            self.key(&location, key);
            self.selectors(&location.at("permissions"), &role.permissions, Reach::Permissions);
            self.selectors(&location.at("except"), &role.except, Reach::Permissions);
            self.selectors(&location.at("access"), &role.access, Reach::Access);
            self.selectors(&location.at("access_except"), &role.access_except, Reach::Access);
            for (index, other) in role.assigns.iter().enumerate().filter(|(_, other)| *other != "*") {
                self.known_role(&location.at("assigns").at(index), other);
            }
            for (index, pool) in role.seats.iter().enumerate() {
                if !document.seat_pools.contains_key(pool) {
                    let place = location.at("seats").at(index);
                    self.report(&place, format!("there is no seat pool `{pool}`"), "declare it in `seat_pools`");
                }
            }
            self.holders(&location, key, role);
            self.slot(&location, role);
            self.scope_of(&location, role);
            self.names(&location, key, role);
            self.conditions(&location, key, role);
            self.bounds(&location, key, role);
            self.reach(&location, key, role);
        }
        self.slots();
    }

    /// Slots are filled by roles of one level, and every organization role that is no flag fills one.
    fn slots(&mut self) {
        let document = &self.blueprint.document;
        for key in document.slots.keys() {
            let location = root("slots").at(key);
            self.key(&location, key);
            let mut levels: Vec<RoleLevel> = Vec::new();
            for (name, role) in &document.roles {
                if self.blueprint.slot_of(name) == Some(key) && !levels.contains(&role.level) {
                    levels.push(role.level);
                }
            }
            if levels.is_empty() {
                self.report_of_whole(&location, "no role fills this slot".to_owned(), "name it in a role's `slot`");
            }
            if levels.len() > 1 {
                let problem = "roles of several levels fill this slot".to_owned();
                self.report_of_whole(&location, problem, "declare a slot for each level");
            }
        }
    }

    fn slot(&mut self, location: &Location, role: &Role) {
        let slots = &self.blueprint.document.slots;
        let place = location.at("slot");
        match &role.slot {
            Some(_) if role.flag => {
                self.report(&place, "a flag fills no slot".to_owned(), "keep `flag` or `slot`");
            }
            Some(slot) if !slots.contains_key(slot) => {
                self.report(&place, format!("there is no slot `{slot}`"), "declare it in `slots`");
            }
            None if role.level == RoleLevel::Organization
                && !role.flag
                && role.holders.contains(&Holder::Member)
                && slots.len() > 1 =>
            {
                let names = slots.keys().map(String::as_str).collect::<Vec<_>>().join("`, `");
                self.report(location, "the role fills no slot".to_owned(), &format!("name one of `{names}` in `slot`"));
            }
            Some(_) | None => {}
        }
    }

    /// Where the role holds: the keys of the other levels are mistakes.
    fn scope_of(&mut self, location: &Location, role: &Role) {
        for (index, kind) in role.kinds.iter().enumerate() {
            self.known_kind(&location.at("kinds").at(index), kind);
        }
        if role.level != RoleLevel::App && !role.kinds.is_empty() {
            let problem = "only an app role is held on kinds of apps".to_owned();
            self.report(&location.at("kinds"), problem, "write `level = \"app\"`, or leave it out");
        }
        let place = location.at("feature");
        match (&role.feature, role.level) {
            (None, RoleLevel::Feature) => {
                self.report(location, "the role names no feature".to_owned(), "write `feature = \"kind.feature\"`");
            }
            (Some(_), RoleLevel::Organization | RoleLevel::App) => {
                let problem = "only a feature role is held in a feature".to_owned();
                self.report(&place, problem, "write `level = \"feature\"`, or leave it out");
            }
            (Some(feature), RoleLevel::Feature) => {
                let Ok(whole) = self.blueprint.select(feature, Reach::Access) else {
                    let problem = format!("there is no feature `{feature}`");
                    self.report(&place, problem, "write `kind.feature` of an app kind");
                    return;
                };
                if feature.split('.').count() != 2 || feature.contains('*') {
                    self.report(&place, format!("`{feature}` is not one feature"), "write `kind.feature`");
                }
                if !whole.contains(&self.blueprint.rights_of(role)) {
                    let problem = format!("a role in `{feature}` gives access outside of it");
                    self.report(
                        &location.at("access"),
                        problem,
                        "name actions of that feature, or make it an app role",
                    );
                }
            }
            (None, RoleLevel::Organization | RoleLevel::App) => {}
        }
        if role.level == RoleLevel::Feature && !role.permissions.is_empty() {
            self.report(
                &location.at("permissions"),
                "a feature role cannot hold organization permissions".to_owned(),
                "put them in an app role or an organization role",
            );
        }
    }

    fn names(&mut self, location: &Location, key: &str, role: &Role) {
        let roles = &self.blueprint.document.roles;
        for (index, alias) in role.aliases.iter().enumerate() {
            let taken = roles.contains_key(alias)
                || roles.iter().any(|(other, rules)| other != key && rules.aliases.contains(alias));
            if taken {
                let place = location.at("aliases").at(index);
                self.report(&place, format!("`{alias}` names another role too"), "choose another spelling");
            }
        }
    }

    /// What a role builds on and brings with it.
    fn conditions(&mut self, location: &Location, key: &str, role: &Role) {
        let document = &self.blueprint.document;
        for (index, other) in role.requires.iter().enumerate() {
            let place = location.at("requires").at(index);
            let blueprint = self.blueprint;
            let is_main = |role: &str, _: &Role| role != key && blueprint.main_roles().any(|(main, _)| main == role);
            if !self.known_role_among(&place, other, is_main) {
                continue;
            }
            if !is_main(other, role) {
                let problem = format!("`{other}` cannot be built on");
                self.report(&place, problem, "name another organization role of members that is not a flag");
            }
        }
        if !role.requires.is_empty() && role.holders.iter().any(|holder| *holder != Holder::Member) {
            let problem = "only members hold what a role builds on".to_owned();
            self.report(&location.at("requires"), problem, "let `holders` be [\"member\"]");
        }
        for (index, automatic) in role.automatic.iter().enumerate() {
            let place = location.at("automatic").at(index);
            let is_kind = self.known_kind(&place.at("app_kind"), &automatic.app_kind);
            if role.level != RoleLevel::Organization {
                let problem = "only an organization role brings others with it".to_owned();
                self.report(&place, problem, "move it to an organization role");
            }
            let fits = |_: &str, given: &Role| {
                let on_kind = given.kinds.is_empty() || given.kinds.contains(&automatic.app_kind);
                given.level == RoleLevel::App && on_kind && given.holders.contains(&Holder::Member)
            };
            if !self.known_role_among(&place.at("role"), &automatic.role, fits) || !is_kind {
                continue;
            }
            let Some(given) = document.roles.get(&automatic.role) else { continue };
            if !fits(&automatic.role, given) {
                let problem = format!("members cannot hold `{}` on a `{}`", automatic.role, automatic.app_kind);
                let fix = self.one_role_of(fits).unwrap_or_else(|| "declare an app role for that kind".to_owned());
                self.report(&place.at("role"), problem, &fix);
            }
        }
        for (index, other) in role.instead.iter().enumerate() {
            let place = location.at("instead").at(index);
            if other == key {
                self.report(&place, format!("`{key}` is not narrower than itself"), "leave it out");
                continue;
            }
            self.known_role(&place, other);
        }
        if let Some(other) = &role.transfer {
            let place = location.at("transfer");
            let blueprint = self.blueprint;
            let fits = |other: &str, _: &Role| other != key && blueprint.slot_of(other) == blueprint.slot_of(key);
            let known = self.known_role_among(&place, other, fits);
            if known && blueprint.slot_of(other) != blueprint.slot_of(key) {
                let problem = format!("`{other}` does not fill the same slot");
                self.report(&place, problem, "name the role that the former holder takes instead");
            }
        }
    }

    /// How far a role and its holders may go.
    fn bounds(&mut self, location: &Location, key: &str, role: &Role) {
        if let Some(selectors) = &role.ceiling {
            let place = location.at("ceiling");
            self.selectors(&place, selectors, Reach::Both);
            if selectors.is_empty() {
                let problem = "its holders could hold nothing at all".to_owned();
                self.report(&place, problem, "name the most they can hold, or leave the key out: no bound");
            }
            if role.level != RoleLevel::Organization {
                let problem = "only an organization role sets a ceiling".to_owned();
                self.report(&place, problem, "move it to an organization role");
            }
            let rights = self.blueprint.rights_of(role);
            let is_past = |ceiling: &RightSet| !selectors.is_empty() && !ceiling.contains(&rights);
            if self.blueprint.ceiling(key).is_some_and(is_past) {
                let problem = "the role gives more than its own ceiling".to_owned();
                self.report(&place, problem, "raise the ceiling, or take rights out of the role");
            }
        }
        for (index, other) in role.delegates.iter().enumerate() {
            let place = location.at("delegates").at(index);
            let assigned = role.assigns.iter().any(|name| name == "*" || name == other);
            if self.known_role(&place, other) && !assigned {
                self.report(&place, format!("`{other}` is not assigned by this role"), "name it in `assigns` too");
            }
        }
        if !role.seats.is_empty() && role.holders.iter().any(|holder| *holder != Holder::Member) {
            let problem = "a role that takes a seat can be held by members alone".to_owned();
            self.report(&location.at("seats"), problem, "let `holders` be [\"member\"]");
        }
        if !role.seats.is_empty() && role.level != RoleLevel::Organization {
            let problem = "only organization roles take seats".to_owned();
            self.report(&location.at("seats"), problem, "move them to an organization role");
        }
    }

    fn holders(&mut self, location: &Location, key: &str, role: &Role) {
        let document = &self.blueprint.document;
        if role.holders.is_empty() {
            self.report(
                &location.at("holders"),
                "nobody may hold the role".to_owned(),
                "name `member`, `team` or `service_account`",
            );
        }
        if let Some(most) = role.max_holders
            && (most < role.min_holders || most == 0)
        {
            self.report(
                &location.at("max_holders"),
                format!("at most {most} holders cannot be met"),
                "raise it or leave it out",
            );
        }
        let by_people = role.holders.contains(&Holder::Member);
        let assigned = document.roles.values().any(|other| other.assigns.iter().any(|name| name == "*" || name == key));
        if by_people && !assigned && !document.organization.creator_roles.iter().any(|name| name == key) {
            self.report_of_whole(
                location,
                "the role can never be assigned".to_owned(),
                "name it in some role's `assigns`",
            );
        }
    }
}
