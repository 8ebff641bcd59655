//! What a move comes to for those who hold something: who gains and loses what, and whether everyone still fits.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    HolderKind, MoveChange, MoveHolder,
    compute::{Ground, Outcome, Rules, rights},
};
use crate::{
    ablate,
    access::{
        AppRef, Facts, Grant, Grantee, Held, Place, PrincipalId, PrincipalKind, Rights,
        blueprint::document::RoleLevel,
        compare::is_bounded,
        delegation::{DelegationDenial, may_assign_at, meets_prerequisite},
        seat::{self as seats, SeatUsage},
        versions::{Power, Side, difference},
    },
    service::{ServiceError, UserError, UserErrorCode, seat},
    store::{
        self, Reader,
        app::{Above, App},
        facts::Within,
        member::MemberState,
    },
};

/// Somebody with what it holds before and after.
struct Moving {
    holder: MoveHolder,
    old: Rights,
    new: Rights,
}

/// Everything that anybody gains or loses, and why this mover may not bring it about.
pub(super) fn changes(
    rules: &Rules,
    ground: &Ground,
    mover: PrincipalId,
    now: DateTime<Utc>,
) -> (Vec<MoveChange>, Vec<UserError>) {
    let everyone = everyone(rules, ground, now);
    let own = |moving: &&Moving| {
        let kind = match mover.kind {
            PrincipalKind::Member => HolderKind::Member,
            PrincipalKind::ServiceAccount => HolderKind::ServiceAccount,
        };
        moving.holder.kind == kind && moving.holder.id == Some(mover.id)
    };
    let author = everyone.iter().find(own);
    let (above, top) = (store::app::ancestors_within(&ground.apps), Above::default());
    let apps: Vec<(&App, &Above)> = ground.apps.iter().map(|app| (app, above.get(&app.id).unwrap_or(&top))).collect();
    let mut changes = Vec::new();
    let (mut raised, mut beyond) = (false, false);
    for moving in &everyone {
        let old = Side { blueprint: &rules.old.rules, rights: &moving.old };
        let new = Side { blueprint: &rules.new, rights: &moving.new };
        // An app that is switched off may be switched on again, so all of them count.
        let places = apps
            .iter()
            .map(|(app, above)| (Some((app.name.clone(), app.id)), Some(AppRef { active: true, ..app.place(above) })));
        for (app, place) in std::iter::once((None, None)).chain(places) {
            let found = difference(old, new, place.as_ref());
            for power in found.gained {
                // What the old version does not have, nobody could be kept from.
                if power.is_known(&rules.old.rules) {
                    raised |= author.is_some_and(|author| author.holder == moving.holder);
                    beyond |= author.is_none_or(|author| {
                        is_bounded(&rules.old.rules, &author.old) && !holds(rules, &author.new, &power, place.as_ref())
                    });
                }
                changes.push(MoveChange { holder: moving.holder.clone(), app: app.clone(), power, gained: true });
            }
            let lost = found.lost.into_iter();
            changes.extend(lost.map(|power| MoveChange {
                holder: moving.holder.clone(),
                app: app.clone(),
                power,
                gained: false,
            }));
        }
    }
    changes.sort_by_cached_key(|change| match change.position().key {
        store::page::SortKey::Text(text) => text,
        store::page::SortKey::Id | store::page::SortKey::Time(_) => String::new(),
    });
    let mut refusals = Vec::new();
    let refuse = |denial: &DelegationDenial, remedy: &str| UserError::not_given("", denial).remedy(remedy);
    if raised && !ablate::off("move_self_raise") {
        refusals
            .push(refuse(&DelegationDenial::SelfRaise, "Let somebody move the organization who gains nothing by it."));
    } else if beyond && !ablate::off("move_bounded") {
        refusals.push(refuse(
            &DelegationDenial::BeyondOwnRights,
            "Let somebody who holds what is gained move the organization.",
        ));
    }
    let assigns =
        |to: &String| author.is_some_and(|author| holds(rules, &author.new, &Power::Assign(to.clone()), None));
    let not_assigned = rules.roles.iter().filter(|(from, to)| from != to && used(ground, from)).map(|(_, to)| to);
    if let Some(role) = not_assigned.filter(|to| !assigns(to)).min()
        && !ablate::off("move_assignable")
    {
        let denial = DelegationDenial::NotAssignable { role: role.clone() };
        refusals.push(
            UserError::not_given("roles", &denial).remedy("Let somebody who gives this role move the organization."),
        );
    }
    (changes, refusals)
}

fn used(ground: &Ground, role: &str) -> bool {
    ground.grants.iter().any(|grant| matches!(&grant.held, Held::Role(held) if held == role))
}

/// Whether somebody holds a power under the new rules.
fn holds(rules: &Rules, rights: &Rights, power: &Power, app: Option<&AppRef<'_>>) -> bool {
    match (power, app) {
        (Power::Permission(key), None) => rights.holds(key),
        (Power::Permission(key), Some(app)) => rights.holds_on(&rules.new, key, app),
        (Power::Action { .. } | Power::See, None) => false,
        (Power::Action { feature, action, .. }, Some(app)) => rights.allows(&rules.new, app, feature, action),
        (Power::Assign(role), None) => may_assign_at(&rules.new, rights, role, (&Place::Organization, &[])).is_ok(),
        (Power::Assign(role), Some(app)) => {
            let place = Place::App { id: app.id, kind: app.kind.to_owned() };
            may_assign_at(&rules.new, rights, role, (&place, app.ancestors)).is_ok()
        }
        (Power::HandOn(role), app) => {
            let place = app.map_or(Place::Organization, |app| Place::App { id: app.id, kind: app.kind.to_owned() });
            let ancestors = app.map_or(&[][..], |app| app.ancestors);
            let side = Side { blueprint: &rules.new, rights };
            !is_bounded(&rules.new, rights) || side.hands_on(role, (&place, ancestors))
        }
        (Power::Unbounded, _) => !is_bounded(&rules.new, rights),
        (Power::Section(key), _) => Side { blueprint: &rules.new, rights }.reads(key),
        (Power::See, Some(app)) => rights.sees_locked(&rules.new) || rights.sees(&rules.new, app),
    }
}

/// Members in whatever state but gone, service accounts, teams and everyone: whoever is invited, suspended or yet to come has
/// the rights one day.
fn everyone(rules: &Rules, ground: &Ground, now: DateTime<Utc>) -> Vec<Moving> {
    let within = Within { organization: ground.row.id, active: true };
    let archived: BTreeSet<Uuid> =
        ground.members.iter().filter(|member| member.state == MemberState::Archived).map(|member| member.id).collect();
    let mut all = Vec::new();
    for principal in ground.crowd.reach.principals().iter().filter(|principal| !archived.contains(&principal.id.id)) {
        let facts = Facts { principal_active: true, ..ground.crowd.reach.facts(principal, within, None) };
        let kind = match principal.id.kind {
            PrincipalKind::Member => HolderKind::Member,
            PrincipalKind::ServiceAccount => HolderKind::ServiceAccount,
        };
        let holder = MoveHolder { kind, name: principal.name.clone(), id: Some(principal.id.id) };
        all.push(moving(rules, holder, facts, now));
    }
    let parents: HashMap<Uuid, Uuid> =
        ground.teams.iter().filter_map(|team| Some((team.id, team.parent_id?))).collect();
    let facts = |principal, grantees: &[Grantee]| Facts {
        organization: ground.row.id,
        organization_active: true,
        principal,
        principal_active: true,
        teams: Vec::new(),
        grants: ground.grants.iter().filter(|grant| grantees.contains(&grant.grantee)).map(grant).collect(),
        scopes: None,
    };
    for team in &ground.teams {
        let up = std::iter::successors(Some(team.id), |id| parents.get(id).copied()).take(64);
        let grantees: Vec<Grantee> = up.map(Grantee::Team).collect();
        let holder = MoveHolder { kind: HolderKind::Team, name: team.name.clone(), id: Some(team.id) };
        all.push(moving(rules, holder, facts(PrincipalId::member(team.id), &grantees), now));
    }
    let holder = MoveHolder { kind: HolderKind::Everyone, name: ground.row.name.clone(), id: None };
    all.push(moving(rules, holder, facts(PrincipalId::member(Uuid::nil()), &[Grantee::Everyone]), now));
    all
}

pub(super) fn grant(grant: &store::grant::AccessGrant) -> Grant {
    Grant {
        id: grant.id,
        grantee: grant.grantee,
        path: Vec::new(),
        held: grant.held.clone(),
        place: grant.place.clone(),
        expires_at: grant.expires_at,
    }
}

fn moving(rules: &Rules, holder: MoveHolder, facts: Facts, now: DateTime<Utc>) -> Moving {
    let old = rights(&rules.old.rules, &facts, now);
    let grants = facts.grants.into_iter().filter_map(|grant| rules.moved(grant)).collect();
    let new = rights(&rules.new, &Facts { grants, ..facts }, now);
    Moving { holder, old, new }
}

/// Whether every member still has its roles as the version wants them.
pub(super) fn check(rules: &Rules, ground: &Ground, now: DateTime<Utc>, problems: &mut Vec<UserError>) {
    let refuse = |code, message: String, remedy: &str| UserError::new(code, "", message).remedy(remedy);
    let document = rules.new.document();
    let slots = rules.new.slots();
    let mut wrong: BTreeMap<(&str, bool), u64> = BTreeMap::new();
    let mut unfounded: BTreeMap<String, u64> = BTreeMap::new();
    let mut holders: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let present = ground.members.iter().filter(|member| member.state != MemberState::Archived);
    for member in present {
        let own = |grant: &&store::grant::AccessGrant| {
            grant.grantee == Grantee::Member(member.id) && grant.expires_at.is_none_or(|end| now < end)
        };
        let mut held: Vec<&str> = Vec::new();
        let mut on_apps: Vec<&str> = Vec::new();
        for grant in ground.grants.iter().filter(own) {
            let Held::Role(role) = &grant.held else { continue };
            if matches!(rules.outcome(grant.grantee, &grant.held, &grant.place), Outcome::Goes | Outcome::Unmapped) {
                continue;
            }
            let becomes = rules.becomes(role);
            let list = if grant.place == Place::Organization { &mut held } else { &mut on_apps };
            if list.contains(&becomes) && grant.place == Place::Organization {
                continue;
            }
            list.push(becomes);
            if member.state == MemberState::Active && grant.place == Place::Organization {
                let count = holders.entry(becomes).or_default();
                count.0 = count.0.saturating_add(1);
                count.1 = count.1.saturating_add(u32::from(grant.expires_at.is_none()));
            }
        }
        for slot in slots.keys() {
            let filled = held.iter().filter(|role| rules.new.slot_of(role) == Some(slot)).count();
            if filled != 1 {
                let count = wrong.entry((slot, filled > 1)).or_default();
                *count = count.saturating_add(1);
            }
        }
        for role in held.iter().chain(&on_apps) {
            if meets_prerequisite(&rules.new, role, held.iter().copied()).is_err() {
                let count = unfounded.entry((*role).to_owned()).or_default();
                *count = count.saturating_add(1);
            }
        }
    }
    for ((slot, many), count) in wrong {
        let label = slots.get(slot).map_or(slot, |text| text.label.as_str());
        let held = if many { "several" } else { "none" };
        let members = if count == 1 { "one member".to_owned() } else { format!("{count} members") };
        let message = format!("of {label}, of which everyone holds one, {members} would hold {held}");
        problems.push(refuse(
            UserErrorCode::Missing,
            message,
            "Change their roles first, or name roles that take the place of theirs.",
        ));
    }
    for (role, count) in unfounded {
        let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
        let message = format!("{times}, `{role}` would be held without a role that it needs");
        problems.push(refuse(UserErrorCode::Missing, message, "Take it away first, or give the role that it needs."));
    }
    for (key, role) in document.roles.iter().filter(|(_, role)| role.level == RoleLevel::Organization) {
        let (count, lasting) = holders.get(key.as_str()).copied().unwrap_or_default();
        if lasting < role.min_holders {
            let (label, least) = (&role.label, role.min_holders);
            let message = format!("at least {least} must hold the role {label}, and there would be fewer");
            let remedy = format!("Leave {label} to those who hold it, or make enough others {label} first, then move.");
            problems.push(UserError::new(UserErrorCode::LastHolder, "roles", message).remedy(remedy));
        }
        if let Some(most) = role.max_holders.filter(|most| count > *most) {
            let message = format!("at most {most} may be {}", role.label);
            let remedy = "Change somebody else's role first, or name another role that takes its place.";
            problems.push(refuse(UserErrorCode::TooManyHolders, message, remedy));
        }
    }
}

/// Whether the plan is there and has the seats. What is over its limit before may stay, not grow (`Q21`).
pub(super) async fn check_seats(
    reader: &impl Reader,
    rules: &Rules,
    (ground, plan): (&Ground, &str),
    now: DateTime<Utc>,
    problems: &mut Vec<UserError>,
) -> Result<(), ServiceError> {
    let document = rules.new.document();
    if !document.plans.contains_key(plan) {
        let known = document.plans.keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let message = format!("the version has no plan `{plan}`");
        let refusal = UserError::new(UserErrorCode::NotInBlueprint, "plan", message);
        problems.push(refusal.remedy(format!("Name one of {known}.")));
        return Ok(());
    }
    let before = seat::Within { organization: ground.row.id, blueprint: &rules.old.rules, plan: &ground.row.plan };
    let before = seat::usage(reader, before, now).await?;
    let within = seat::Within { organization: ground.row.id, blueprint: &rules.new, plan };
    for pool in document.seat_pools.keys() {
        let takes = |role: &&String| {
            let becomes = document.roles.get(rules.becomes(role));
            becomes.is_some_and(|becomes| becomes.seats.contains(pool))
        };
        let roles: Vec<String> = rules.old.rules.document().roles.keys().filter(takes).cloned().collect();
        let count = store::seat::count(reader, ground.row.id, &roles, now).await?;
        let limit = seats::limit(&rules.new, plan, pool);
        let usage = SeatUsage { pool: pool.clone(), limit, used: count.active, reserved: count.pending };
        let taken = usage.used.saturating_add(usage.reserved);
        let earlier = before.iter().find(|earlier| earlier.pool == *pool);
        let earlier = earlier.map_or(0, |earlier| earlier.used.saturating_add(earlier.reserved));
        if limit.is_some_and(|limit| taken > limit) && taken > earlier {
            problems.push(seat::refusal(within, &usage));
        }
    }
    Ok(())
}
