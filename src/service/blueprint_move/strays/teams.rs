//! Teams that the version does not have, or not so.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::{delete, refusal, there};
use crate::{
    access::blueprint::document::TeamPrivacy as Known,
    service::{
        UserError,
        blueprint_move::compute::{Ground, Rules},
    },
    store::{
        facts::Within,
        member::MemberState,
        team::{Team, TeamPrivacy},
    },
};

/// Names the teams where there are none any more, those under others, those of a privacy and the maintainers that the version does
/// not have: what a team above gives would go on reaching them, and maintainers would go on managing.
pub(super) fn check(rules: &Rules, ground: &Ground, problems: &mut Vec<UserError>) {
    let (old, new) = (&rules.old.rules.document().teams, &rules.new.document().teams);
    let (count, version) = (ground.teams.len(), rules.new.version());
    if !new.enabled {
        if old.enabled && count > 0 {
            let there = there(("team", "teams"), count, None);
            problems.push(refusal(format!("{there}, and version {version} has none"), delete(count)));
        }
        return;
    }
    if old.nested && !new.nested {
        let nested: Vec<&Team> = ground.teams.iter().filter(|team| team.parent_id.is_some()).collect();
        if !nested.is_empty() {
            let there = there(("team under another", "teams under others"), nested.len(), known(&nested));
            let remedy = "Let no team stand under another first.";
            problems.push(refusal(format!("{there}, and version {version} has teams under no others"), remedy));
        }
    }
    for (privacy, stored, word) in
        [(Known::Closed, TeamPrivacy::Closed, "closed"), (Known::Secret, TeamPrivacy::Secret, "secret")]
    {
        if !old.offers(privacy) || new.offers(privacy) {
            continue;
        }
        let strays: Vec<&Team> = ground.teams.iter().filter(|team| team.privacy == stored).collect();
        if strays.is_empty() {
            continue;
        }
        let words = (format!("{word} team"), format!("{word} teams"));
        let there = there((&words.0, &words.1), strays.len(), known(&strays));
        let remedy = match privacy {
            Known::Closed if old.offers(Known::Secret) => "Make each of them secret first, or delete it.",
            Known::Secret if old.offers(Known::Closed) => {
                "Make each of them closed first, for everyone who sees teams to see, or delete it."
            }
            Known::Closed | Known::Secret => delete(strays.len()),
        };
        problems.push(refusal(format!("{there}, and version {version} has no {word} teams"), remedy));
    }
    if old.maintainers && !new.maintainers {
        maintainers(rules, ground, problems);
    }
}

/// One of them by name; secret ones are not the mover's to hear of.
fn known<'t>(teams: &[&'t Team]) -> Option<&'t str> {
    teams.iter().find(|team| team.privacy == TeamPrivacy::Closed).map(|team| team.name.as_str())
}

fn maintainers(rules: &Rules, ground: &Ground, problems: &mut Vec<UserError>) {
    let within = Within { organization: ground.row.id, active: true };
    let archived: BTreeSet<Uuid> =
        ground.members.iter().filter(|member| member.state == MemberState::Archived).map(|member| member.id).collect();
    let teams: HashMap<Uuid, &Team> = ground.teams.iter().map(|team| (team.id, team)).collect();
    let mut places = Vec::new();
    for principal in ground.crowd.reach.principals().iter().filter(|principal| !archived.contains(&principal.id.id)) {
        let facts = ground.crowd.reach.facts(principal, within, None);
        let maintained = facts.teams.iter().filter(|team| team.maintainer).filter_map(|team| teams.get(&team.id));
        places.extend(maintained.map(|team| (principal.name.as_str(), *team)));
    }
    if places.is_empty() {
        return;
    }
    let open = places.iter().find(|(_, team)| team.privacy == TeamPrivacy::Closed);
    let name = open.map(|(name, team)| format!("{name} of {}", team.name));
    let there = there(("maintainer", "maintainers"), places.len(), name.as_deref());
    let remedy = "Make every maintainer a plain member of the team first.";
    problems.push(refusal(format!("{there}, and teams of version {} have none", rules.new.version()), remedy));
}
