//! Teams and apps: who is in a team, what stands under what, and what comes with a new app.

use gatehouse_access::{
    Grantee, Held, Place,
    blueprint::document::{AppVisibility, ROOT},
};
use uuid::Uuid;

use super::{insert, present, seen_app, sees_team, when};
use crate::machine::world::{App, Gift, Member, World};

/// Everything that reaches a grantee from a team and those above it.
fn reaches(world: &World, team: Uuid, grantee: Grantee) -> Vec<Gift> {
    let up = |id: Uuid| world.teams.iter().find(|team| team.id == id).and_then(|team| team.parent);
    let teams: Vec<Uuid> = std::iter::successors(Some(team), |id| up(*id)).collect();
    let of_teams =
        world.grants.iter().filter(|(_, gift)| matches!(gift.grantee, Grantee::Team(id) if teams.contains(&id)));
    of_teams.map(|(_, gift)| Gift { grantee, ..gift.clone() }).collect()
}

pub(super) fn join(
    world: &mut World,
    by: &Member,
    (team, member): (Uuid, Uuid),
    maintainer: Option<bool>,
) -> Option<()> {
    when(sees_team(world, by, team))?;
    let maintains = world.facts(by).teams.iter().any(|fact| fact.id == team && fact.maintainer);
    let manages = world.holds(by, "teams.manage");
    when(manages || maintains)?;
    let member = present(world, by, member)?;
    let found = world.teams.iter().find(|other| other.id == team)?.members.get(&member.id).copied();
    let before = found.unwrap_or(false);
    let wanted = maintainer.unwrap_or(before);
    when(!wanted || world.document.teams.maintainers)?;
    when(wanted == before || manages)?;
    if found.is_none() {
        for gift in reaches(world, team, Grantee::Member(member.id)) {
            when(world.within_bounds(by, &gift))?;
        }
        world.entries += 1;
    }
    if wanted != before {
        world.entries += 1;
    }
    world.teams.iter_mut().find(|other| other.id == team)?.members.insert(member.id, wanted);
    Some(())
}

pub(super) fn part(world: &mut World, by: &Member, team: Uuid, member: Uuid) -> Option<()> {
    when(sees_team(world, by, team))?;
    let maintains = world.facts(by).teams.iter().any(|fact| fact.id == team && fact.maintainer);
    let manages = world.holds(by, "teams.manage");
    when(manages || maintains)?;
    let member = present(world, by, member)?;
    let team = world.teams.iter_mut().find(|other| other.id == team)?;
    let Some(maintainer) = team.members.get(&member.id).copied() else { return Some(()) };
    when(!maintainer || manages || member.id == by.id)?;
    team.members.remove(&member.id);
    world.entries += 1;
    Some(())
}

pub(super) fn move_team(world: &mut World, by: &Member, team: Uuid, parent: Option<Uuid>) -> Option<()> {
    when(sees_team(world, by, team) && world.holds(by, "teams.manage"))?;
    let before = world.teams.iter().find(|other| other.id == team)?.parent;
    if before == parent {
        return Some(());
    }
    if let Some(parent) = parent {
        when(sees_team(world, by, parent) && world.document.teams.nested)?;
        let up = |id: Uuid| world.teams.iter().find(|team| team.id == id).and_then(|team| team.parent);
        when(!std::iter::successors(Some(parent), |id| up(*id)).any(|id| id == team))?;
        for gift in reaches(world, parent, Grantee::Team(team)) {
            when(world.within_bounds(by, &gift))?;
        }
    }
    world.teams.iter_mut().find(|other| other.id == team)?.parent = parent;
    world.entries += 1;
    Some(())
}

pub(super) fn make(
    world: &mut World,
    by: &Member,
    (slug, kind, parent): (&str, &str, Option<Uuid>),
    fresh: Uuid,
) -> Option<()> {
    let rules = world.document.app_kinds.get(kind)?.clone();
    match parent {
        None => {
            when(world.holds(by, "apps.create"))?;
            when(rules.parents.is_empty() || rules.parents.iter().any(|parent| parent == ROOT))?;
        }
        Some(parent) => {
            let parent = seen_app(world, by, parent)?;
            when(world.holds_on(by, "apps.create", &parent))?;
            when(!rules.central || world.holds(by, "apps.create"))?;
            when(rules.parents.contains(&parent.kind))?;
        }
    }
    let public = rules.visibilities.first() == Some(&AppVisibility::Public);
    let (slug, kind) = (slug.to_owned(), kind.to_owned());
    world.apps.push(App { id: fresh, kind: kind.clone(), slug, parent, enabled: true, public });
    let place = Place::App { id: fresh, kind: kind.clone() };
    let before = world.grants.len();
    for member in world.members.clone() {
        for role in world.roles_of(member.id) {
            let automatic = world.role(&role).map(|role| role.automatic.clone()).unwrap_or_default();
            for rule in automatic.into_iter().filter(|rule| rule.future && rule.app_kind == kind) {
                let held = Held::Role(rule.role);
                insert(world, Gift { grantee: Grantee::Member(member.id), held, place: place.clone() });
            }
        }
    }
    let grantee = Grantee::Member(by.id);
    if let Some(role) = rules.creator_role {
        insert(world, Gift { grantee, held: Held::Role(role), place: place.clone() });
    }
    for given in rules.creator_access {
        let held = Held::Feature { kind: kind.clone(), feature: given.feature, level: given.level };
        insert(world, Gift { grantee, held, place: place.clone() });
    }
    world.entries += 1 + i64::from(world.grants.len() > before);
    Some(())
}

/// Whoever may take an app from where it stands, and make one where it is to stand, puts it there; and those who hold something
/// above that place get to reach it, within what the author may give.
pub(super) fn carry(world: &mut World, by: &Member, app: Uuid, parent: Option<Uuid>) -> Option<()> {
    let app = seen_app(world, by, app)?;
    when(world.manages(by, "apps.update", &app))?;
    if app.parent == parent {
        return Some(());
    }
    let rules = world.document.app_kinds[&app.kind].clone();
    when(!rules.central || world.holds(by, "apps.update") && world.holds(by, "apps.create"))?;
    match app.parent.and_then(|from| world.apps.iter().find(|other| other.id == from)) {
        Some(from) => when(world.holds_on(by, "apps.update", from))?,
        None => when(world.holds(by, "apps.update"))?,
    }
    match parent {
        None => {
            when(world.holds(by, "apps.create"))?;
            when(rules.parents.is_empty() || rules.parents.iter().any(|parent| parent == ROOT))?;
        }
        Some(to) => {
            let to = seen_app(world, by, to)?;
            when(world.holds_on(by, "apps.create", &to))?;
            let above: Vec<Uuid> = std::iter::once(to.id).chain(world.above(to.id)).collect();
            when(!above.contains(&app.id) && rules.parents.contains(&to.kind))?;
            let before = world.above(app.id);
            let new: Vec<Uuid> = above.into_iter().filter(|id| !before.contains(id)).collect();
            let place = Place::App { id: app.id, kind: app.kind.clone() };
            let there = |gift: &Gift| matches!(gift.place, Place::App { id, .. } if new.contains(&id));
            for (_, gift) in world.grants.iter().filter(|(_, gift)| there(gift)) {
                when(world.within_bounds(by, &Gift { place: place.clone(), ..gift.clone() }))?;
            }
        }
    }
    world.apps.iter_mut().find(|other| other.id == app.id)?.parent = parent;
    world.entries += 1;
    Some(())
}
