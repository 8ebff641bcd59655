//! Validation of a document: everything that parses and still makes no sense, with place and fix.

use super::{
    Blueprint,
    document::{Feature, Holder, Role, RoleLevel},
    error::{BlueprintError, Location, Step},
    selector::Reach,
};

/// The most actions one app kind can have, and the most organization permissions: the width of a compact set.
const MOST_BITS: usize = 128;

/// Everything that is wrong with a compiled document.
pub(super) fn check(blueprint: &Blueprint, source: &str) -> Vec<BlueprintError> {
    let mut check = Check { blueprint, source, errors: Vec::new() };
    check.header();
    check.permissions();
    check.app_kinds();
    check.roles();
    check.plans();
    check.people();
    check.activity();
    check.menus_and_import();
    for (location, problem, fix) in super::own_data::mistakes(&blueprint.document) {
        check.report(&location, problem, &fix);
    }
    check.errors
}

struct Check<'a> {
    blueprint: &'a Blueprint,
    source: &'a str,
    errors: Vec<BlueprintError>,
}

fn root(step: impl Into<Step>) -> Location {
    Location::default().at(step)
}

impl Check<'_> {
    fn report(&mut self, location: &Location, problem: String, fix: &str) {
        self.errors.push(BlueprintError {
            line: location.line(self.source),
            path: location.text(),
            problem,
            fix: fix.to_owned(),
        });
    }

    fn key(&mut self, location: &Location, key: &str) {
        let snake = key.starts_with(|first: char| first.is_ascii_lowercase())
            && key.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
        if !snake {
            self.report(
                location,
                format!("the key `{key}` is not snake_case"),
                "use lower-case letters, digits and `_`",
            );
        }
    }

    fn known_role(&mut self, location: &Location, key: &str) -> bool {
        let known = self.blueprint.document.roles.contains_key(key);
        if !known {
            let names = self.blueprint.document.roles.keys().map(String::as_str).collect::<Vec<_>>().join("`, `");
            self.report(
                location,
                format!("there is no role `{key}`"),
                &format!("name one of `{names}`, or declare it"),
            );
        }
        known
    }

    fn known_kind(&mut self, location: &Location, key: &str) -> bool {
        let known = self.blueprint.kinds.contains_key(key);
        if !known {
            self.report(location, format!("there is no app kind `{key}`"), "name a key of `app_kinds`, or declare it");
        }
        known
    }

    fn header(&mut self) {
        let document = &self.blueprint.document;
        let lower = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
        };
        if !lower(&document.name) || document.name.len() > 64 {
            self.report(
                &root("name"),
                format!("`{}` is no blueprint name", document.name),
                "use at most 64 lower-case letters, digits and `-`",
            );
        }
        if document.version == 0 {
            self.report(&root("version"), "versions start at 1".to_owned(), "write 1 for the first version");
        }
        let creators = root("organization").at("creator_roles");
        if document.organization.creator_roles.is_empty() {
            self.report(&creators, "an organization would have no owner".to_owned(), "name the creator's role");
        }
        for (index, key) in document.organization.creator_roles.iter().enumerate() {
            self.known_role(&creators.at(index), key);
        }
        let main = |key: &String| self.blueprint.main_roles().any(|(role, _)| role == key);
        let mains = document.organization.creator_roles.iter().filter(|key| main(key)).count();
        if mains != 1 && !document.organization.creator_roles.is_empty() {
            self.report(
                &creators,
                format!("the creator would hold {mains} main roles"),
                "name exactly one organization role that is not a flag, and flags as wanted",
            );
        }
    }

    fn permissions(&mut self) {
        let document = &self.blueprint.document;
        for (key, text) in &document.permissions {
            let location = root("permissions").at(key);
            if key.split('.').count() != 2 || key.split('.').any(str::is_empty) {
                self.report(&location, format!("`{key}` is no permission"), "write `\"area.verb\"`, quoted");
            }
            if text.label.is_empty() {
                self.report(&location, "the label is empty".to_owned(), "say in a few words what it allows");
            }
        }
        if self.blueprint.permissions.len() > MOST_BITS {
            self.report(&root("permissions"), format!("more than {MOST_BITS} permissions"), "join some of them");
        }
        let areas: Vec<String> = self
            .blueprint
            .permissions
            .keys()
            .filter_map(|key| key.split_once('.').map(|(area, _)| area.to_owned()))
            .collect();
        for kind in document.app_kinds.keys() {
            if areas.contains(kind) {
                self.report(
                    &root("app_kinds").at(kind),
                    format!("the app kind `{kind}` has the name of a permission area"),
                    "rename it, so that selectors stay unambiguous",
                );
            }
        }
    }

    fn app_kinds(&mut self) {
        let document = &self.blueprint.document;
        for (key, kind) in &document.app_kinds {
            let location = root("app_kinds").at(key);
            self.key(&location, key);
            for (index, parent) in kind.parents.iter().enumerate() {
                self.known_kind(&location.at("parents").at(index), parent);
            }
            if kind.features.is_empty() {
                self.report(&location, "an app kind without features".to_owned(), "declare at least one feature");
            }
            let actions: usize = kind.features.values().map(|feature| feature.actions.len()).sum();
            if actions > MOST_BITS {
                self.report(
                    &location,
                    format!("{actions} actions; {MOST_BITS} is the most"),
                    "join actions or split the kind",
                );
            }
            for (name, feature) in &kind.features {
                self.feature(&location.at("features").at(name), name, feature);
                for (index, other) in feature.requires.iter().enumerate() {
                    let place = location.at("features").at(name).at("requires").at(index);
                    if other == name {
                        self.report(&place, "a feature cannot require itself".to_owned(), "leave it out");
                    } else if !kind.features.contains_key(other) {
                        self.report(
                            &place,
                            format!("`{key}` has no feature `{other}`"),
                            "name a feature of the same app kind",
                        );
                    }
                }
            }
            self.require_cycles(&location, key);
        }
    }

    fn require_cycles(&mut self, location: &Location, kind: &str) {
        let Some(kind) = self.blueprint.document.app_kinds.get(kind) else { return };
        for start in kind.features.keys() {
            let mut seen = Vec::new();
            let mut open: Vec<&String> =
                kind.features.get(start).map(|f| f.requires.iter().collect()).unwrap_or_default();
            while let Some(next) = open.pop() {
                if next == start && !seen.is_empty() {
                    let place = location.at("features").at(start).at("requires");
                    self.report(&place, format!("`{start}` requires itself through other features"), "break the cycle");
                    break;
                }
                if seen.contains(&next) {
                    continue;
                }
                seen.push(next);
                open.extend(kind.features.get(next).into_iter().flat_map(|feature| feature.requires.iter()));
            }
        }
    }

    fn feature(&mut self, location: &Location, key: &str, feature: &Feature) {
        self.key(location, key);
        if feature.actions.is_empty() {
            self.report(location, "a feature without actions".to_owned(), "declare at least `view`");
        }
        for action in feature.actions.keys() {
            self.key(&location.at("actions").at(action), action);
        }
        let unknown = |names: &[String]| {
            names
                .iter()
                .enumerate()
                .filter(|(_, name)| !feature.actions.contains_key(*name))
                .map(|(index, name)| (index, name.clone()))
                .collect::<Vec<_>>()
        };
        if let Some(granted) = &feature.granted {
            let place = location.at("granted");
            if !feature.levels.is_empty() {
                self.report(
                    &place,
                    "both `granted` and `levels`".to_owned(),
                    "keep `levels` alone: a grant names one of them",
                );
            }
            if granted.is_empty() {
                self.report(
                    &place,
                    "a tick would give nothing".to_owned(),
                    "name at least `view`, or leave the key out",
                );
            }
            for (index, name) in unknown(granted) {
                self.report(&place.at(index), format!("no action `{name}`"), "name an action of this feature");
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        for (index, level) in feature.levels.iter().enumerate() {
            let place = location.at("levels").at(index);
            if seen.contains(&level.key.as_str()) {
                self.report(
                    &place.at("key"),
                    format!("a second level `{}`", level.key),
                    "level keys are unique in a feature",
                );
            }
            seen.push(&level.key);
            if level.actions.is_empty() {
                self.report(&place, format!("the level `{}` adds nothing", level.key), "name the actions it adds");
            }
            for (at, name) in unknown(&level.actions) {
                self.report(
                    &place.at("actions").at(at),
                    format!("no action `{name}`"),
                    "name an action of this feature",
                );
            }
        }
    }

    fn roles(&mut self) {
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
        }
    }

    fn selectors(&mut self, location: &Location, selectors: &[String], reach: Reach) {
        for (index, text) in selectors.iter().enumerate() {
            if let Err(error) = self.blueprint.select(text, reach) {
                let fix = match reach {
                    Reach::Permissions => {
                        "name an organization permission, `area.*` or `*`; others are declared in `permissions`"
                    }
                    Reach::Access | Reach::Both => {
                        "write `kind`, `kind.feature`, `kind.feature.action`, `kind.feature:level` or `*`"
                    }
                };
                self.report(&location.at(index), error.to_string(), fix);
            }
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
        if role.level == RoleLevel::App && !role.permissions.is_empty() {
            self.report(
                &location.at("permissions"),
                "an app role cannot hold organization permissions".to_owned(),
                "put them in an organization role",
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
            self.report(location, "the role can never be assigned".to_owned(), "name it in some role's `assigns`");
        }
    }

    fn plans(&mut self) {
        let document = &self.blueprint.document;
        if !document.plans.contains_key(&document.organization.default_plan) {
            self.report(
                &root("organization").at("default_plan"),
                format!("there is no plan `{}`", document.organization.default_plan),
                "name a key of `plans`",
            );
        }
        for (key, plan) in &document.plans {
            let location = root("plans").at(key);
            self.key(&location, key);
            for (pool, limit) in &plan.seats {
                let place = location.at("seats").at(pool);
                if !document.seat_pools.contains_key(pool) {
                    self.report(&place, format!("there is no seat pool `{pool}`"), "declare it in `seat_pools`");
                }
                if *limit == 0 {
                    self.report(&place, "a plan without a seat cannot hold its creator".to_owned(), "write at least 1");
                }
            }
        }
    }

    fn people(&mut self) {
        let document = &self.blueprint.document;
        let invitation = root("invitation");
        if let Some(role) = &document.invitation.default_role {
            let place = invitation.at("default_role");
            if self.known_role(&place, role) && !self.blueprint.main_roles().any(|(key, _)| key == role) {
                self.report(&place, format!("`{role}` is no main role of members"), "name a role that is not a flag");
            }
        }
        if document.invitation.expires_days == 0 || document.invitation.expires_days > 365 {
            self.report(&invitation.at("expires_days"), "not between 1 and 365 days".to_owned(), "write 7");
        }
        if !document.invitation.landing.starts_with('/') || document.invitation.landing.starts_with("//") {
            self.report(&invitation.at("landing"), "not a path".to_owned(), "start it with a single `/`");
        }
        for (index, access) in document.everyone.access.iter().enumerate() {
            let place = root("everyone").at("access").at(index);
            if !self.known_kind(&place.at("app_kind"), &access.app_kind) {
                continue;
            }
            for level in access.levels.iter().chain(&access.initial) {
                if !self.blueprint.can_give(&access.app_kind, &access.feature, Some(level)) {
                    let problem = format!("`{}.{}` has no level `{level}`", access.app_kind, access.feature);
                    self.report(&place, problem, "name a feature with levels, and its levels");
                }
            }
        }
    }

    fn activity(&mut self) {
        let document = &self.blueprint.document;
        if document.activity.retention_days == Some(0) {
            self.report(
                &root("activity").at("retention_days"),
                "entries would be gone at once".to_owned(),
                "write at least 1, or leave it out to keep them",
            );
        }
        for (key, target) in &document.activity.targets {
            let location = root("activity").at("targets").at(key);
            self.key(&location, key);
            for (index, kind) in target.app_kinds.iter().enumerate() {
                self.known_kind(&location.at("app_kinds").at(index), kind);
            }
        }
    }

    fn menus_and_import(&mut self) {
        let document = &self.blueprint.document;
        for (index, menu) in document.menus.iter().enumerate() {
            self.selectors(&root("menus").at(index).at("any"), &menu.any, Reach::Permissions);
        }
        let Some(import) = &document.import else { return };
        let location = root("import");
        self.known_role(&location.at("admins"), &import.admins);
        self.known_role(&location.at("members"), &import.members);
        if let Some(creators) = &import.creators {
            self.known_role(&location.at("creators"), creators);
        }
        if self.known_kind(&location.at("app_kind"), &import.app_kind) {
            let levels = document
                .app_kinds
                .get(&import.app_kind)
                .and_then(|kind| kind.features.get(&import.feature))
                .is_some_and(|feature| !feature.levels.is_empty());
            if !levels {
                self.report(
                    &location.at("feature"),
                    format!("`{}` is no feature with levels of `{}`", import.feature, import.app_kind),
                    "name a feature that has levels",
                );
            }
        }
        if let Some(plan) = &import.plan
            && !document.plans.contains_key(plan)
        {
            self.report(&location.at("plan"), format!("there is no plan `{plan}`"), "name a key of `plans`");
        }
    }
}
