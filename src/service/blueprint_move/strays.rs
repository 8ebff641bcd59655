//! What the organization has and the version has no place for.

use std::collections::BTreeMap;

use super::compute::{Ground, Rules};
use crate::service::{UserError, UserErrorCode};

/// Names the apps of kinds that are gone, and the teams where there are none any more: nobody could look at them or take them
/// away, and what they give would stay.
pub(super) fn check(rules: &Rules, ground: &Ground, problems: &mut Vec<UserError>) {
    let kinds = &rules.new.document().app_kinds;
    let mut apps: BTreeMap<&str, usize> = BTreeMap::new();
    for app in ground.apps.iter().filter(|app| !kinds.contains_key(&app.kind)) {
        let count = apps.entry(&app.kind).or_default();
        *count = count.saturating_add(1);
    }
    for (kind, count) in apps {
        let there = there("app", count);
        problems.push(refusal(format!("{there} of the kind `{kind}`, which the version does not have"), count));
    }
    let count = ground.teams.len();
    let had = rules.old.rules.document().teams.enabled;
    if count > 0 && had && !rules.new.document().teams.enabled {
        let (there, version) = (there("team", count), rules.new.version());
        problems.push(refusal(format!("{there}, and version {version} has none"), count));
    }
}

fn there(what: &str, count: usize) -> String {
    match count {
        1 => format!("there is one {what}"),
        count => format!("there are {count} {what}s"),
    }
}

fn refusal(message: String, count: usize) -> UserError {
    let remedy = if count == 1 { "Delete it first." } else { "Delete them first." };
    UserError::new(UserErrorCode::NotInBlueprint, "", message).remedy(remedy)
}
