//! Whether every app keeps as many holders of a role as the version wants there (`S4.R5`, `Q13`).

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::compute::{Ground, Outcome, Rules};
use crate::{
    ablate,
    access::{Grantee, Held, Place, PrincipalKind, blueprint::document::Role},
    service::{UserError, UserErrorCode},
    store::{facts::Within, member::MemberState},
};

/// Who holds which role on which app.
type OnApps<'g> = BTreeMap<(Uuid, &'g str), BTreeSet<Uuid>>;

/// Names each role of which an app that has holders now would have too few. An app on which nobody holds the role, or what it
/// takes the place of, has none to lose.
pub(super) fn check(rules: &Rules, ground: &Ground, problems: &mut Vec<UserError>) {
    let kept = rules.new.kept_on_apps();
    if kept.is_empty() || ablate::off("move_last_app_holder") {
        return;
    }
    let roles: BTreeSet<&str> =
        ground.grants.iter().filter(|grant| matches!(grant.place, Place::App { .. })).filter_map(role).collect();
    let (before, after) = held(rules, ground, &roles);
    let none = BTreeSet::new();
    for key in kept {
        let Some(role) = rules.new.document().roles.get(key) else { continue };
        let least = role.min_holders as usize;
        let had = |app: Uuid| {
            let become_it = roles.iter().filter(|old| **old == key || rules.becomes(old) == key);
            become_it.filter_map(|old| before.get(&(app, *old))).any(|holders| !holders.is_empty())
        };
        let left = |app: Uuid| after.get(&(app, key)).unwrap_or(&none).len();
        let short = ground.apps.iter().filter(|app| had(app.id) && left(app.id) < least);
        let short: Vec<&str> = short.map(|app| app.name.as_str()).collect();
        if let Some(first) = short.first() {
            problems.push(too_few(role, (first, short.len())));
        }
    }
}

fn role(grant: &crate::store::grant::AccessGrant) -> Option<&str> {
    match &grant.held {
        Held::Role(role) => Some(role),
        Held::Feature { .. } => None,
    }
}

/// Who holds roles on apps now, and who would, counted as ever: active members, by grants without an end of their own and of
/// their teams.
fn held<'g>(rules: &'g Rules, ground: &'g Ground, roles: &BTreeSet<&'g str>) -> (OnApps<'g>, OnApps<'g>) {
    let within = Within { organization: ground.row.id, active: true };
    let active = ground.members.iter().filter(|member| member.state == MemberState::Active);
    let active: BTreeSet<Uuid> = active.map(|member| member.id).collect();
    let (mut before, mut after) = (OnApps::new(), OnApps::new());
    for principal in ground.crowd.reach.principals() {
        if principal.id.kind != PrincipalKind::Member || !active.contains(&principal.id.id) {
            continue;
        }
        for grant in ground.crowd.reach.facts(principal, within, None).grants {
            let (Held::Role(held), Place::App { id, .. }) = (&grant.held, &grant.place) else { continue };
            let Some(key) = roles.get(held.as_str()).filter(|_| grant.expires_at.is_none()) else { continue };
            if grant.grantee == Grantee::Everyone {
                continue;
            }
            before.entry((*id, *key)).or_default().insert(principal.id.id);
            match rules.outcome(grant.grantee, &grant.held, &grant.place) {
                Outcome::Stays | Outcome::Becomes(_) => {
                    after.entry((*id, rules.becomes(key))).or_default().insert(principal.id.id);
                }
                Outcome::Goes | Outcome::Unmapped => {}
            }
        }
    }
    (before, after)
}

fn too_few(role: &Role, (app, apps): (&str, usize)) -> UserError {
    let (label, least) = (&role.label, role.min_holders);
    let must = match least {
        1 => "must be one".to_owned(),
        least => format!("must be at least {least}"),
    };
    let message = match apps {
        1 => format!("of the role {label} there {must} on {app}, and there would be fewer"),
        apps => {
            format!("of the role {label} there {must} on each app, and there would be fewer on {apps}, as on {app}")
        }
    };
    let remedy = format!("Leave {label} to those who hold it, or make enough others {label} first, then move.");
    UserError::new(UserErrorCode::LastHolder, "roles", message).remedy(remedy)
}
