//! Where rights come from: the same answer as [`decide`](crate::decide()), told for a whole feature instead of one action.

use chrono::{DateTime, Utc};

use crate::{
    AppRef, Blueprint, Facts, Place,
    grant::Grant,
    rights::{given, inactive, lets_in, limit},
};

/// What one grant gives in one feature of one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The grant, with the path by which it reaches the principal.
    pub grant: Grant,
    /// The strongest access level it gives whole by itself, where the feature has levels.
    pub level: Option<String>,
    /// The actions it gives by itself, in the blueprint's order; never empty.
    pub actions: Vec<String>,
    /// Whether it gives them because the app is public and the grant lets its holder in (`Q16`).
    pub public: bool,
}

/// Every live grant that gives something in a feature of an app, in the order of their ids; none where nothing is held.
#[must_use]
pub fn sources(
    blueprint: &Blueprint,
    facts: &Facts,
    app: &AppRef<'_>,
    feature: &str,
    now: DateTime<Utc>,
) -> Vec<Source> {
    let Some((index, kind)) = blueprint.kind(app.kind).filter(|_| app.active && inactive(facts).is_none()) else {
        return Vec::new();
    };
    let Some(known) = kind.features.get(feature) else { return Vec::new() };
    let within = limit(blueprint, facts, now);
    let left = |kind: usize| within.as_ref().map_or(u128::MAX, |limit| limit.kind(kind));
    let reaches = |grant: &Grant| match &grant.place {
        Place::Organization => true,
        Place::App { id, .. } => *id == app.id || app.ancestors.contains(id),
    };
    let source = |grant: &Grant, bits: u128, public: bool| {
        let bits = bits & known.all & left(index);
        let allowed = known.actions.iter().filter(|(_, bit)| bits & **bit != 0);
        (bits != 0).then(|| Source {
            grant: grant.clone(),
            level: known.level(bits).map(str::to_owned),
            actions: allowed.map(|(action, _)| action.clone()).collect(),
            public,
        })
    };
    let open = kind.public.filter(|_| app.public);
    let live = || facts.grants.iter().filter(|grant| grant.is_live(now));
    let granted = live().filter(|grant| reaches(grant));
    let mut sources: Vec<Source> =
        granted.filter_map(|grant| source(grant, given(blueprint, grant).kind(index), false)).collect();
    if let Some(open) = open {
        let is_left = |grant: &Grant| open.to.is_none_or(|to| given(blueprint, grant).kind(to) & left(to) != 0);
        let let_in = live().filter(|grant| lets_in(blueprint, grant, open.to, app) && is_left(grant));
        sources.extend(let_in.filter_map(|grant| source(grant, open.bits, true)));
    }
    sources.sort_by(|a, b| (a.grant.id, &a.grant.path, a.public).cmp(&(b.grant.id, &b.grant.path, b.public)));
    sources.dedup_by(|a, b| a.grant.id == b.grant.id && a.grant.path == b.grant.path && a.public == b.public);
    sources
}
