//! The second model: slow, obvious, and written from the blueprint's document alone.

use chrono::{DateTime, Utc};
use gatehouse_access::{
    Facts, Grant, Held, Place, Question,
    blueprint::{Document, document::Feature},
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
            let known = PERMISSIONS.iter().any(|known| known.key == key) || document.permissions.contains_key(key);
            known
                && live().any(|grant| gives_permission(document, grant, key))
                && scoped(&|scope| names_permission(scope, key))
        }
        Question::TeamMembers(team) => {
            allows(document, facts, Question::Permission("teams.manage"), now)
                || facts.scopes.is_none() && facts.teams.iter().any(|fact| fact.maintainer && fact.id == team)
        }
        Question::Action { app, feature, action } => {
            let Some(kind) = document.app_kinds.get(app.kind) else { return false };
            let Some(rules) = kind.features.get(feature) else { return false };
            let at = Spot { kind: app.kind, feature, action, rules };
            app.active
                && rules.actions.contains_key(action)
                && live().any(|grant| {
                    let reaches = match &grant.place {
                        Place::Organization => true,
                        Place::App { id, .. } => *id == app.id || app.ancestors.contains(id),
                    };
                    reaches && gives_action(document, grant, &at)
                })
                && scoped(&|scope| names_action(scope, &at))
        }
    }
}

struct Spot<'a> {
    kind: &'a str,
    feature: &'a str,
    action: &'a str,
    rules: &'a Feature,
}

fn gives_permission(document: &Document, grant: &Grant, key: &str) -> bool {
    let Held::Role(role) = &grant.held else { return false };
    let Some(role) = document.roles.get(role) else { return false };
    grant.place == Place::Organization
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

fn names_permission(selector: &str, key: &str) -> bool {
    selector == "*"
        || selector == key
        || selector.strip_suffix(".*").is_some_and(|area| key.split('.').next() == Some(area))
}

fn names_action(selector: &str, at: &Spot<'_>) -> bool {
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
