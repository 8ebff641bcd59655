//! Where rights come from: the same answer as [`decide`](crate::decide()), told for a whole feature instead of one action.

use chrono::{DateTime, Utc};

use crate::{
    AppRef, Blueprint, Facts, Place,
    grant::Grant,
    rights::{given, inactive},
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
    let scope = facts.scopes.as_ref().map_or(u128::MAX, |scopes| blueprint.scopes(scopes).kind(index));
    let reaches = |grant: &Grant| match &grant.place {
        Place::Organization => true,
        Place::App { id, .. } => *id == app.id || app.ancestors.contains(id),
    };
    let live = facts.grants.iter().filter(|grant| grant.is_live(now) && reaches(grant));
    let mut sources: Vec<Source> = live
        .filter_map(|grant| {
            let bits = given(blueprint, grant).kind(index) & known.all & scope;
            let allowed = known.actions.iter().filter(|(_, bit)| bits & **bit != 0);
            (bits != 0).then(|| Source {
                grant: grant.clone(),
                level: known.level(bits).map(str::to_owned),
                actions: allowed.map(|(action, _)| action.clone()).collect(),
            })
        })
        .collect();
    sources.sort_by(|a, b| (a.grant.id, &a.grant.path).cmp(&(b.grant.id, &b.grant.path)));
    sources.dedup_by(|a, b| a.grant.id == b.grant.id && a.grant.path == b.grant.path);
    sources
}
