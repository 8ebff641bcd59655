//! The second model: slow, obvious, and written from the blueprint's document alone.

use chrono::{DateTime, Utc};
use gatehouse_access::{
    AppRef, Facts, Grant, Held, Place, Question,
    blueprint::{
        Document,
        document::{Feature, RoleLevel},
    },
    verb::PERMISSIONS,
};

/// Whether the question is allowed.
pub(crate) fn allows(document: &Document, facts: &Facts, question: Question<'_>, now: DateTime<Utc>) -> bool {
    if !facts.organization_active || !facts.principal_active {
        return false;
    }
    let live = || facts.grants.iter().filter(|grant| grant.expires_at.is_none_or(|end| end > now));
    let scoped =
        |test: &dyn Fn(&str) -> bool| facts.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|s| test(s)));
    match question {
        Question::Permission(key) => {
            is_permission(document, key)
                && live().any(|grant| grant.place == Place::Organization && gives_permission(document, grant, key))
                && scoped(&|scope| names_permission(scope, key))
                && below_ceilings(document, live(), &|selector| names_permission(selector, key))
        }
        Question::PermissionOn { permission: key, app } => {
            let there = |grant: &Grant| match &grant.place {
                Place::Organization => true,
                Place::App { id, .. } => app.active && (*id == app.id || app.ancestors.contains(id)),
            };
            is_permission(document, key)
                && live().any(|grant| there(grant) && gives_permission(document, grant, key))
                && scoped(&|scope| names_permission(scope, key))
                && below_ceilings(document, live(), &|selector| names_permission(selector, key))
        }
        Question::TeamMembers(team) => {
            allows(document, facts, Question::Permission("teams.manage"), now)
                || facts.scopes.is_none() && facts.teams.iter().any(|fact| fact.maintainer && fact.id == team)
        }
        Question::Action { app, feature, action } => {
            let Some(kind) = document.app_kinds.get(app.kind) else { return false };
            let Some(rules) = kind.features.get(feature) else { return false };
            let at = Spot { kind: app.kind, feature, action, rules };
            let granted = |grant: &Grant| {
                let reaches = match &grant.place {
                    Place::Organization => true,
                    Place::App { id, .. } => *id == app.id || app.ancestors.contains(id),
                };
                reaches && gives_action(document, grant, &at)
            };
            let left = |at: &Spot<'_>| {
                scoped(&|scope| names_action(scope, at))
                    && below_ceilings(document, live(), &|selector| names_action(selector, at))
            };
            let public = kind
                .public
                .as_ref()
                .filter(|public| app.public && public.access.iter().any(|selector| names_action(selector, &at)));
            let opened = |grant: &Grant| public.is_some_and(|public| lets_in(document, grant, &public.to, &app, &left));
            app.active
                && rules.actions.contains_key(action)
                && live().any(|grant| granted(grant) || opened(grant))
                && left(&at)
        }
    }
}

fn is_permission(document: &Document, key: &str) -> bool {
    PERMISSIONS.iter().any(|known| known.key == key) || document.permissions.contains_key(key)
}

/// Whether every ceiling of an organization role held is above what is asked.
fn below_ceilings<'a>(
    document: &Document,
    mut live: impl Iterator<Item = &'a Grant>,
    named: &dyn Fn(&str) -> bool,
) -> bool {
    live.all(|grant| {
        let Held::Role(role) = &grant.held else { return true };
        let ceiling = document.roles.get(role).and_then(|role| role.ceiling.as_ref());
        grant.place != Place::Organization || ceiling.is_none_or(|names| names.iter().any(|name| named(name)))
    })
}

/// Whether a grant makes its holder one of those to whom an app is public.
fn lets_in(document: &Document, grant: &Grant, to: &str, app: &AppRef<'_>, left: &dyn Fn(&Spot<'_>) -> bool) -> bool {
    if to == "organization" {
        let known = matches!(&grant.held, Held::Role(role) if document.roles.contains_key(role));
        return known && grant.place == Place::Organization;
    }
    let reaches = match &grant.place {
        Place::Organization => true,
        Place::App { id, .. } => app.ancestors.contains(id),
    };
    let Some(kind) = document.app_kinds.get(to) else { return false };
    let mut spots = kind
        .features
        .iter()
        .flat_map(|(feature, rules)| rules.actions.keys().map(move |action| Spot { kind: to, feature, action, rules }));
    reaches && spots.any(|at| gives_action(document, grant, &at) && left(&at))
}

pub(crate) struct Spot<'a> {
    pub(crate) kind: &'a str,
    pub(crate) feature: &'a str,
    pub(crate) action: &'a str,
    pub(crate) rules: &'a Feature,
}

fn gives_permission(document: &Document, grant: &Grant, key: &str) -> bool {
    let Held::Role(role) = &grant.held else { return false };
    let Some(role) = document.roles.get(role) else { return false };
    let level = if grant.place == Place::Organization { RoleLevel::Organization } else { RoleLevel::App };
    role.level == level
        && role.permissions.iter().any(|s| names_permission(s, key))
        && !role.except.iter().any(|s| names_permission(s, key))
}

fn gives_action(document: &Document, grant: &Grant, at: &Spot<'_>) -> bool {
    match &grant.held {
        Held::Role(role) => document.roles.get(role).is_some_and(|role| {
            role.access.iter().any(|s| names_action(s, at)) && !role.access_except.iter().any(|s| names_action(s, at))
        }),
        Held::Feature { kind, feature, level } => {
            kind == at.kind
                && feature == at.feature
                && match level {
                    Some(level) => level_contains(at, level),
                    None if at.rules.levels.is_empty() => {
                        at.rules.granted.as_ref().is_none_or(|granted| granted.iter().any(|name| name == at.action))
                    }
                    None => false,
                }
        }
    }
}

fn level_contains(at: &Spot<'_>, level: &str) -> bool {
    let Some(place) = at.rules.levels.iter().position(|other| other.key == level) else { return false };
    at.rules.levels.iter().take(place + 1).any(|level| level.actions.iter().any(|name| name == at.action))
}

pub(crate) fn names_permission(selector: &str, key: &str) -> bool {
    selector == "*"
        || selector == key
        || selector.strip_suffix(".*").is_some_and(|area| key.split('.').next() == Some(area))
}

pub(crate) fn names_action(selector: &str, at: &Spot<'_>) -> bool {
    let (path, level) = match selector.split_once(':') {
        Some((path, level)) => (path, Some(level)),
        None => (selector, None),
    };
    let mut parts = path.split('.').chain(std::iter::repeat("*"));
    let fits = |part: Option<&str>, key: &str| part == Some("*") || part == Some(key);
    path.split('.').count() <= 3
        && fits(parts.next(), at.kind)
        && fits(parts.next(), at.feature)
        && fits(parts.next(), at.action)
        && level.is_none_or(|level| level_contains(at, level))
}
