//! What the organization has and the version has no place for: it would stay as it is, and be what nobody can make there.

mod apps;
mod teams;

use super::compute::{Ground, Rules};
use crate::service::{UserError, UserErrorCode};

/// Names the apps, teams and organizations below that the version does not have, or not so. What the present version does not
/// have either is in nobody's way.
pub(super) fn check(rules: &Rules, ground: &Ground, problems: &mut Vec<UserError>) {
    apps::check(rules, ground, problems);
    teams::check(rules, ground, problems);
    let (old, new) = (&rules.old.rules.document().children, &rules.new.document().children);
    let stray = |name: &&String| old.blueprints.contains(name) && !new.blueprints.contains(name);
    for name in ground.below.iter().filter(stray) {
        let version = rules.new.version();
        let message = format!("organizations of `{name}` stand below this one, and version {version} has none there");
        problems.push(refusal(message, "Have them deleted first."));
    }
}

/// How many there are, with the name of one where only some are meant.
fn there((one, many): (&str, &str), count: usize, name: Option<&str>) -> String {
    match (count, name) {
        (1, None) => format!("there is one {one}"),
        (1, Some(name)) => format!("there is one {one}, {name}"),
        (count, None) => format!("there are {count} {many}"),
        (count, Some(name)) => format!("there are {count} {many}, as {name}"),
    }
}

fn delete(count: usize) -> &'static str {
    if count == 1 { "Delete it first." } else { "Delete them first." }
}

fn refusal(message: String, remedy: impl Into<String>) -> UserError {
    UserError::new(UserErrorCode::NotInBlueprint, "", message).remedy(remedy)
}
