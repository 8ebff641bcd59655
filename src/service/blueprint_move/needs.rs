//! Whether everyone has what the version's features need of other kinds of apps (`S0.27`).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    compute::{Ground, Rules},
    people,
};
use crate::{
    ablate,
    access::{
        Blueprint, Grant, Grantee,
        prerequisite::{Unmet, crosses_kinds, unmet},
    },
    service::{UserError, UserErrorCode},
    store::{facts::Within, member::MemberState},
};

/// Names each feature that somebody holds, and would hold without another one that the version needs with it, or would hold for
/// longer than that. What is lacked now may stay so.
pub(super) fn check(rules: &Rules, ground: &Ground, now: DateTime<Utc>, problems: &mut Vec<UserError>) {
    if !crosses_kinds(&rules.new) || ablate::off("move_prerequisite") {
        return;
    }
    let mut lacking: BTreeMap<Unmet, u64> = BTreeMap::new();
    for (grantee, grants) in holders(ground) {
        let before = unmet(&rules.old.rules, grantee, &grants, now);
        let moved: Vec<Grant> = grants.into_iter().filter_map(|grant| rules.moved(grant)).collect();
        let after = unmet(&rules.new, grantee, &moved, now);
        let added = after.iter().filter(|lack| !before.iter().any(|other| lack.is_within(other)));
        for lack in added.map(anywhere).collect::<BTreeSet<Unmet>>() {
            let count = lacking.entry(lack).or_default();
            *count = count.saturating_add(1);
        }
    }
    problems.extend(lacking.iter().map(|(lack, count)| refusal(rules, lack, *count)));
}

/// Everyone who can hold features by itself, with the grants that give it something; of a team, as ever, its own.
fn holders(ground: &Ground) -> Vec<(Grantee, Vec<Grant>)> {
    let within = Within { organization: ground.row.id, active: true };
    let archived: BTreeSet<Uuid> =
        ground.members.iter().filter(|member| member.state == MemberState::Archived).map(|member| member.id).collect();
    let principals = ground.crowd.reach.principals().iter().filter(|principal| !archived.contains(&principal.id.id));
    let principals = principals.map(|principal| {
        let grantee = principal.id.as_member().map_or(Grantee::ServiceAccount(principal.id.id), Grantee::Member);
        (grantee, ground.crowd.reach.facts(principal, within, None).grants)
    });
    let teams = ground.teams.iter().map(|team| {
        let grantee = Grantee::Team(team.id);
        let own = ground.grants.iter().filter(|grant| grant.grantee == grantee);
        (grantee, own.map(people::grant).collect())
    });
    principals.chain(teams).collect()
}

/// A lack, on whatever app and for however long: whether there is nothing of what is needed, or too short a time of it.
fn anywhere(lack: &Unmet) -> Unmet {
    Unmet { app: None, ends: None, held_until: lack.held_until.map(|_| DateTime::UNIX_EPOCH), ..lack.clone() }
}

fn refusal(rules: &Rules, lack: &Unmet, count: u64) -> UserError {
    let needing = label(&rules.new, &lack.kind, &lack.feature);
    let needed = label(&rules.new, &lack.needed_kind, &lack.needed_feature);
    let holders = match count {
        1 => format!("one holder of {needing}"),
        count => format!("{count} holders of {needing}"),
    };
    let there = rules.old.rules.document().app_kinds.get(&lack.needed_kind);
    let can_be_given = there.is_some_and(|kind| kind.features.contains_key(&lack.needed_feature));
    let (message, remedy) = match lack.held_until {
        Some(_) => (
            format!("{holders} would have {needed}, which the version needs with it, for a shorter time"),
            format!("Let {needing} end with it first, or give {needed} for as long."),
        ),
        None if can_be_given => (
            format!("{holders} would be without {needed}, which the version needs with it"),
            format!("Take {needing} from them first, or give them {needed} too."),
        ),
        None => (
            format!("{holders} would be without {needed}, which the version needs with it"),
            format!("Take {needing} from them first."),
        ),
    };
    UserError::new(UserErrorCode::Missing, "", message).remedy(remedy)
}

/// A feature as people call it.
fn label(blueprint: &Blueprint, kind: &str, feature: &str) -> String {
    let rules = blueprint.document().app_kinds.get(kind);
    let words = rules.and_then(|rules| Some((&rules.features.get(feature)?.label, &rules.label)));
    words.map_or_else(|| format!("{kind}.{feature}"), |(feature, kind)| format!("{feature} of {kind}"))
}
