//! What is wrong with app kinds and features.

use super::{Check, MOST_BITS, one_of, root};
use crate::blueprint::{
    document::{AppKind, AppVisibility, Feature, ROOT, Role, RoleLevel},
    error::Location,
    selector::Reach,
};

impl Check<'_> {
    pub(super) fn app_kinds(&mut self) {
        let document = &self.blueprint.document;
        for (key, kind) in &document.app_kinds {
            let location = root("app_kinds").at(key);
            self.key(&location, key);
            for (index, parent) in kind.parents.iter().enumerate().filter(|(_, parent)| *parent != ROOT) {
                self.known_kind(&location.at("parents").at(index), parent);
            }
            if !self.stands_somewhere(key) {
                let problem = "no app of this kind can stand anywhere".to_owned();
                let fix = format!("let a kind above it, or itself, have `{ROOT}` among its `parents`");
                self.report_of_whole(&location.at("parents"), problem, &fix);
            }
            self.public(&location, key, kind);
            self.public_grants(&location, key, kind);
            self.creator(&location, key, kind);
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
                self.requires(&location.at("features").at(name), (key, name), feature);
            }
            self.require_cycles(&location, key);
        }
    }

    /// Whether an app of this kind can stand in the organization, or below one that can.
    fn stands_somewhere(&self, key: &str) -> bool {
        let kinds = &self.blueprint.document.app_kinds;
        let mut standing: Vec<&str> =
            kinds.iter().filter(|(_, kind)| kind.is_root()).map(|(key, _)| key.as_str()).collect();
        for _ in 0..kinds.len() {
            for (key, kind) in kinds {
                let stands = kind.parents.iter().any(|parent| standing.contains(&parent.as_str()));
                if stands && !standing.contains(&key.as_str()) {
                    standing.push(key);
                }
            }
        }
        standing.contains(&key)
    }

    /// What a feature needs beside it: features of its own kind by name, of others as `kind.feature`.
    fn requires(&mut self, location: &Location, (kind, name): (&str, &str), feature: &Feature) {
        let kinds = &self.blueprint.document.app_kinds;
        let has = |kind: &str, feature: &str| kinds.get(kind).is_some_and(|kind| kind.features.contains_key(feature));
        for (index, other) in feature.requires.iter().enumerate() {
            let place = location.at("requires").at(index);
            let problem = match other.split_once('.') {
                _ if other == name => {
                    self.report(&place, "a feature cannot require itself".to_owned(), "leave it out");
                    continue;
                }
                None if has(kind, other) => continue,
                None => format!("`{kind}` has no feature `{other}`"),
                Some((of, feature)) if of == kind && has(kind, feature) => {
                    let problem = format!("`{other}` is a feature of the same app kind");
                    self.report(&place, problem, &format!("write `{feature}`: its own kind is not named"));
                    continue;
                }
                Some((of, feature)) if has(of, feature) => continue,
                Some((of, _)) if !kinds.contains_key(of) => format!("there is no app kind `{of}`"),
                Some((of, feature)) => format!("`{of}` has no feature `{feature}`"),
            };
            let others = kinds.get(kind).into_iter().flat_map(|kind| kind.features.keys());
            let others: Vec<&str> = others.map(String::as_str).filter(|other| *other != name).collect();
            let own = if others.is_empty() { String::new() } else { format!(" (`{}`)", others.join("`, `")) };
            let fix = format!(
                "`requires` takes features of this app kind by name{own}, and those of others as `kind.feature`"
            );
            self.report(&place, problem, &fix);
        }
    }

    fn public(&mut self, location: &Location, key: &str, kind: &AppKind) {
        let offered = kind.visibilities.contains(&AppVisibility::Public);
        match &kind.public {
            None if offered => {
                let problem = "a public app would give nothing".to_owned();
                self.report(&location.at("visibilities"), problem, "say in `public` what it gives, and to whom");
            }
            Some(_) if !offered => {
                let problem = "no app of this kind can be public".to_owned();
                self.report(&location.at("public"), problem, "name `public` among its `visibilities`");
            }
            Some(public) => {
                let place = location.at("public");
                if public.to != ROOT && self.known_kind(&place.at("to"), &public.to) {
                    self.public_above(&place.at("to"), (key, kind), &public.to);
                }
                self.selectors(&place.at("access"), &public.access, Reach::Access);
                let whole = self.blueprint.select(key, Reach::Access).unwrap_or_default();
                let outside = public.access.iter().filter_map(|text| self.blueprint.select(text, Reach::Access).ok());
                if outside.into_iter().any(|given| !whole.contains(&given)) {
                    let problem = format!("a public `{key}` gives access to other kinds of apps");
                    self.report(&place.at("access"), problem, &format!("write selectors of `{key}`"));
                }
            }
            None => {}
        }
    }

    /// Whether whom a public app is opened to can be on an app above it.
    fn public_above(&mut self, place: &Location, (key, kind): (&str, &AppKind), to: &str) {
        let is_above = |above: &str| kind.parents.iter().any(|parent| self.stands_below(parent, above));
        if is_above(to) {
            return;
        }
        let kinds = self.blueprint.document.app_kinds.keys().map(String::as_str);
        let above = std::iter::once(ROOT).chain(kinds.filter(|other| is_above(other)));
        let fix = one_of(above).unwrap_or_default();
        self.report_of_whole(place, format!("no `{key}` stands below a `{to}`"), &fix);
    }

    fn creator(&mut self, location: &Location, key: &str, kind: &AppKind) {
        if let Some(name) = &kind.creator_role {
            let place = location.at("creator_role");
            let fits = |_: &str, role: &Role| {
                role.level == RoleLevel::App && (role.kinds.is_empty() || role.kinds.iter().any(|kind| kind == key))
            };
            let known = self.known_role_among(&place, name, fits);
            let role = self.blueprint.document.roles.get(name).filter(|_| known);
            if role.is_some_and(|role| !fits(name, role)) {
                let problem = format!("`{name}` cannot be held on a `{key}`");
                let fix = self.one_role_of(fits).unwrap_or_else(|| "declare an app role for this kind".to_owned());
                self.report(&place, problem, &fix);
            }
        }
        for (index, given) in kind.creator_access.iter().enumerate() {
            if !self.blueprint.can_give(key, &given.feature, given.level.as_deref()) {
                let level = given.level.as_deref().map(|level| format!(" at the level `{level}`")).unwrap_or_default();
                let problem = format!("`{key}` has no feature `{}`{level} to give", given.feature);
                let place = location.at("creator_access").at(index);
                self.report(&place, problem, "name a feature of this kind, with a level where it has levels");
            }
        }
    }

    /// Features that need one another, on apps of one kind or of several: none of them could be given first.
    fn require_cycles(&mut self, location: &Location, kind: &str) {
        let kinds = &self.blueprint.document.app_kinds;
        let needs = |(kind, feature): (&str, &str)| -> Vec<(String, String)> {
            let rules = kinds.get(kind).and_then(|kind| kind.features.get(feature));
            let of = |other: &String| match other.split_once('.') {
                Some((kind, feature)) => (kind.to_owned(), feature.to_owned()),
                None => (kind.to_owned(), other.clone()),
            };
            rules.map(|rules| rules.requires.iter().map(of).collect()).unwrap_or_default()
        };
        let Some(rules) = kinds.get(kind) else { return };
        for start in rules.features.keys() {
            let mut seen: Vec<(String, String)> = Vec::new();
            let is_start = |next: &(String, String)| next.0 == kind && next.1 == *start;
            // What requires itself directly is told where it says so.
            let mut open = needs((kind, start.as_str()));
            open.retain(|next| !is_start(next));
            while let Some(next) = open.pop() {
                if is_start(&next) {
                    let place = location.at("features").at(start).at("requires");
                    self.report(&place, format!("`{start}` requires itself through other features"), "break the cycle");
                    break;
                }
                if seen.contains(&next) {
                    continue;
                }
                open.extend(needs((next.0.as_str(), next.1.as_str())));
                seen.push(next);
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
}
