//! Validation of a document: everything that parses and still makes no sense, with place and fix.
//!
//! Of a document that could not be read whole, what may come of that is left out: what stands in a damaged part or names one
//! ([`Check::report`]), and what only the whole shows ([`Check::report_of_whole`]).

mod apps;
mod levels;
mod people;
mod roles;
mod unused;
mod words;

use super::{
    Blueprint,
    document::{Holder, Role, RoleLevel},
    error::{BlueprintError, Location, Step},
    selector::Reach,
    shape::Damage,
};

/// The most actions one app kind can have, and the most organization permissions: the width of a compact set.
const MOST_BITS: usize = 128;

/// The most seats a plan can have: what a GraphQL `Int` holds.
const MOST_SEATS: u32 = i32::MAX.unsigned_abs();

/// Everything that is wrong with a compiled document, as far as it could be read.
pub(super) fn check(blueprint: &Blueprint, source: &str, damage: &Damage) -> Vec<BlueprintError> {
    let mut check = Check { blueprint, source, damage, errors: Vec::new() };
    check.header();
    check.permissions();
    check.app_kinds();
    check.roles();
    check.plans();
    check.people();
    check.teams();
    check.activity();
    check.menus_and_import();
    check.unused();
    check.children();
    check.words();
    for (location, problem, fix) in super::own_data::mistakes(&blueprint.document) {
        check.report(&location, problem, &fix);
    }
    check.errors
}

struct Check<'a> {
    blueprint: &'a Blueprint,
    source: &'a str,
    damage: &'a Damage,
    errors: Vec<BlueprintError>,
}

fn root(step: impl Into<Step>) -> Location {
    Location::default().at(step)
}

/// To name one of these; `None` where there are none.
fn one_of<'k>(keys: impl Iterator<Item = &'k str>) -> Option<String> {
    let keys: Vec<&str> = keys.collect();
    (!keys.is_empty()).then(|| format!("name one of `{}`", keys.join("`, `")))
}

impl Check<'_> {
    /// A mistake that stands at one place, whatever stands at others.
    fn report(&mut self, location: &Location, problem: String, fix: &str) {
        if self.damage.hides(location, &problem) {
            return;
        }
        self.errors.push(BlueprintError {
            line: location.line(self.source),
            path: location.text(),
            problem,
            fix: fix.to_owned(),
        });
    }

    /// A mistake that only the whole document shows: something stands nowhere in it, or several declarations do not go together.
    fn report_of_whole(&mut self, location: &Location, problem: String, fix: &str) {
        if self.damage.is_none() {
            self.report(location, problem, fix);
        }
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

    /// The name of a blueprint: this one's, or another's.
    fn name(&mut self, location: &Location, name: &str) {
        let is_name = name.len() <= 64
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
        if !is_name {
            let fix = "use at most 64 lower-case letters, digits and `-`, beginning with a letter";
            self.report(location, format!("`{name}` is no blueprint name"), fix);
        }
    }

    fn children(&mut self) {
        let children = root("children").at("blueprints");
        for (index, name) in self.blueprint.document.children.blueprints.iter().enumerate() {
            self.name(&children.at(index), name);
        }
    }

    fn known_role(&mut self, location: &Location, key: &str) -> bool {
        self.known_role_among(location, key, |_, _| true)
    }

    /// Whether there is such a role; where there is none, those are named that fit there.
    fn known_role_among(&mut self, location: &Location, key: &str, fits: impl Fn(&str, &Role) -> bool) -> bool {
        let known = self.blueprint.document.roles.contains_key(key);
        if !known {
            let fix =
                self.one_role_of(fits).map_or_else(|| "declare it".to_owned(), |one| format!("{one}, or declare it"));
            self.report(location, format!("there is no role `{key}`"), &fix);
        }
        known
    }

    /// To name one of the roles that fit; `None` where none does.
    fn one_role_of(&self, fits: impl Fn(&str, &Role) -> bool) -> Option<String> {
        let roles = self.blueprint.document.roles.iter().filter(|(key, role)| fits(key, role));
        one_of(roles.map(|(key, _)| key.as_str()))
    }

    /// Whether this is a role of the organization, of those that fit.
    fn own_role(&mut self, location: &Location, key: &str, fits: impl Fn(&str, &Role) -> bool + Copy) {
        let fits = |key: &str, role: &Role| role.level == RoleLevel::Organization && fits(key, role);
        if !self.known_role_among(location, key, fits) {
            return;
        }
        let role = self.blueprint.document.roles.get(key);
        if role.is_some_and(|role| !fits(key, role)) {
            let problem = format!("`{key}` cannot be held by members in the organization");
            let fix = self.one_role_of(fits).unwrap_or_else(|| "declare an organization role of members".to_owned());
            self.report(location, problem, &fix);
        }
    }

    fn known_kind(&mut self, location: &Location, key: &str) -> bool {
        let known = self.blueprint.kinds.contains_key(key);
        if !known {
            let kinds = one_of(self.blueprint.kinds.keys().map(String::as_str));
            let fix =
                kinds.map_or_else(|| "declare it in `app_kinds`".to_owned(), |one| format!("{one}, or declare it"));
            self.report(location, format!("there is no app kind `{key}`"), &fix);
        }
        known
    }

    fn header(&mut self) {
        let document = &self.blueprint.document;
        self.name(&root("name"), &document.name);
        if document.version == 0 {
            self.report(&root("version"), "versions start at 1".to_owned(), "write 1 for the first version");
        }
        let creators = root("organization").at("creator_roles");
        if document.organization.creator_roles.is_empty() {
            self.report(&creators, "an organization would have no owner".to_owned(), "name the creator's role");
        }
        for (index, key) in document.organization.creator_roles.iter().enumerate() {
            self.own_role(&creators.at(index), key, |_, role| role.holders.contains(&Holder::Member));
        }
        for (slot, text) in self.blueprint.slots() {
            let fills = |key: &&String| self.blueprint.slot_of(key) == Some(slot.as_str());
            let count = document.organization.creator_roles.iter().filter(fills).count();
            if count != 1 && !document.organization.creator_roles.is_empty() {
                self.report_of_whole(
                    &creators,
                    format!("the creator would hold {count} roles of `{}`", text.label),
                    "name exactly one organization role of each slot, and flags as wanted",
                );
            }
        }
    }

    fn permissions(&mut self) {
        let document = &self.blueprint.document;
        for key in document.permissions.keys() {
            let location = root("permissions").at(key);
            if key.split('.').count() != 2 || key.split('.').any(str::is_empty) {
                self.report(&location, format!("`{key}` is no permission"), "write `\"area.verb\"`, quoted");
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
                if *limit > MOST_SEATS {
                    let problem = format!("{limit} seats are more than can be told to clients");
                    self.report(
                        &place,
                        problem,
                        &format!("write at most {MOST_SEATS}, or leave the pool out: no limit"),
                    );
                }
            }
        }
    }

    fn menus_and_import(&mut self) {
        let document = &self.blueprint.document;
        for (index, menu) in document.menus.iter().enumerate() {
            let location = root("menus").at(index);
            self.key(&location.at("key"), &menu.key);
            self.selectors(&location.at("any"), &menu.any, Reach::Permissions);
            if document.menus.iter().take(index).any(|earlier| earlier.key == menu.key) {
                let problem = format!("a second menu `{}`", menu.key);
                self.report(&location.at("key"), problem, "menu keys are unique: choose another one, or join the two");
            }
        }
        let Some(import) = &document.import else { return };
        let location = root("import");
        let held = |_: &str, role: &Role| role.holders.contains(&Holder::Member);
        self.own_role(&location.at("admins"), &import.admins, held);
        self.own_role(&location.at("members"), &import.members, held);
        if let Some(creators) = &import.creators {
            self.own_role(&location.at("creators"), creators, held);
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
}
