//! What people try, and what should come of it.

use std::collections::BTreeMap;

use gatehouse::id::new_id;
use gatehouse_access::{
    Grantee, Held, Place,
    blueprint::document::{Holder, OnRemove, ROOT, RoleLevel},
};
use uuid::Uuid;

use super::world::{App, Gift, Member, State, Team, World};

/// Something that a member tries; members by their ids.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Invite { person: usize, roles: Vec<String> },
    Accept,
    Become { member: Uuid, role: String },
    Add { member: Uuid, role: String },
    Drop { member: Uuid, role: String },
    Give(Gift),
    Take(Uuid),
    Remove(Uuid),
    Leave,
    Found { slug: String, parent: Option<Uuid> },
    Join { team: Uuid, member: Uuid, maintainer: Option<bool> },
    Part { team: Uuid, member: Uuid },
    Move { team: Uuid, parent: Option<Uuid> },
    Dissolve(Uuid),
    Make { slug: String, kind: String, parent: Option<Uuid> },
    Switch { app: Uuid, enabled: bool },
    Delete(Uuid),
    Plan(String),
    Default { kind: String, feature: String, level: Option<String> },
}

/// The world after a step, or `None` where it is not to be made. A new row has the nil id.
pub(super) fn predict(world: &World, by: &Member, step: &Step) -> Option<World> {
    let mut next = world.clone();
    apply(&mut next, by, step, Uuid::nil())?;
    next.keeps_its_word(world).then_some(next)
}

fn role_gift(member: Uuid, role: &str) -> Gift {
    Gift { grantee: Grantee::Member(member), held: Held::Role(role.to_owned()), place: Place::Organization }
}

fn when(condition: bool) -> Option<()> {
    condition.then_some(())
}

fn apply(world: &mut World, by: &Member, step: &Step, fresh: Uuid) -> Option<()> {
    if by.state != State::Active && !matches!(step, Step::Accept) {
        return None;
    }
    match step {
        Step::Invite { person, roles } => invite(world, by, (*person, roles), fresh),
        Step::Accept => accept(world, by),
        Step::Become { member, role } => become_role(world, by, *member, role),
        Step::Add { member, role } => add(world, by, *member, role),
        Step::Drop { member, role } => drop_role(world, by, *member, role),
        Step::Give(gift) => give(world, by, gift, fresh),
        Step::Take(grant) => take(world, by, *grant),
        Step::Remove(member) => {
            when(world.holds(by, "members.remove"))?;
            let gone = present(world, by, *member)?;
            when(gone.id != by.id && world.may_take(by, &world.roles_of(gone.id)))?;
            depart(world, gone.id);
            Some(())
        }
        Step::Leave => {
            when(world.document.removal.may_leave)?;
            depart(world, by.id);
            Some(())
        }
        Step::Found { parent, .. } => {
            when(world.holds(by, "teams.manage") && world.document.teams.enabled)?;
            if let Some(parent) = parent {
                when(sees_team(world, by, *parent) && world.document.teams.nested)?;
            }
            world.teams.push(Team { id: fresh, parent: *parent, members: BTreeMap::new() });
            world.entries += 1;
            Some(())
        }
        Step::Join { team, member, maintainer } => join(world, by, (*team, *member), *maintainer),
        Step::Part { team, member } => part(world, by, *team, *member),
        Step::Move { team, parent } => move_team(world, by, *team, *parent),
        Step::Dissolve(team) => {
            when(sees_team(world, by, *team) && world.holds(by, "teams.manage"))?;
            when(!world.teams.iter().any(|other| other.parent == Some(*team)))?;
            world.teams.retain(|other| other.id != *team);
            world.grants.retain(|(_, gift)| gift.grantee != Grantee::Team(*team));
            world.entries += 1;
            Some(())
        }
        Step::Make { slug, kind, parent } => make(world, by, (slug, kind, *parent), fresh),
        Step::Switch { app, enabled } => {
            let app = seen_app(world, by, *app)?;
            when(world.manages(by, "apps.update", &app))?;
            if app.enabled != *enabled {
                // Of some kinds only the organization decides whether they are open.
                when(!world.document.app_kinds[&app.kind].central || world.holds(by, "apps.update"))?;
                world.apps.iter_mut().find(|other| other.id == app.id)?.enabled = *enabled;
                world.entries += 1;
            }
            Some(())
        }
        Step::Delete(app) => {
            let app = seen_app(world, by, *app)?;
            when(world.manages(by, "apps.delete", &app))?;
            when(!world.document.app_kinds[&app.kind].central || world.holds(by, "apps.delete"))?;
            when(!world.apps.iter().any(|other| other.parent == Some(app.id)))?;
            world.apps.retain(|other| other.id != app.id);
            world.grants.retain(|(_, gift)| !matches!(gift.place, Place::App { id, .. } if id == app.id));
            world.entries += 1;
            Some(())
        }
        Step::Plan(plan) => {
            when(world.holds(by, "billing.manage"))?;
            if world.plan != *plan {
                world.plan.clone_from(plan);
                world.entries += 1;
            }
            Some(())
        }
        Step::Default { kind, feature, level } => default(world, by, (kind, feature, level.as_deref()), fresh),
    }
}

/// A member who has not left, as far as `by` sees it.
fn present(world: &World, by: &Member, member: Uuid) -> Option<Member> {
    let found = world.member(member)?;
    when(world.sees_member(by, member))?;
    when(found.state != State::Archived)?;
    Some(found.clone())
}

fn seen_app(world: &World, by: &Member, app: Uuid) -> Option<App> {
    world.apps.iter().find(|other| other.id == app).filter(|app| world.sees(by, app)).cloned()
}

fn sees_team(world: &World, by: &Member, team: Uuid) -> bool {
    let known = world.teams.iter().any(|other| other.id == team);
    let is_in = world.facts(by).teams.iter().any(|fact| fact.id == team);
    known && (is_in || world.holds(by, "teams.read") || world.holds(by, "teams.read_secret"))
}

fn insert(world: &mut World, gift: Gift) {
    if !world.grants.iter().any(|(_, known)| *known == gift) {
        world.grants.push((new_id(), gift));
    }
}

/// What holding organization roles brings on the apps there are (`S1.22`).
fn bring(world: &mut World, member: Uuid, role: &str) {
    let automatic = world.role(role).map(|role| role.automatic.clone()).unwrap_or_default();
    let mut brings = false;
    for rule in automatic {
        let apps: Vec<App> = world.apps.iter().filter(|app| app.kind == rule.app_kind).cloned().collect();
        for app in apps {
            let place = Place::App { id: app.id, kind: app.kind };
            insert(world, Gift { grantee: Grantee::Member(member), held: Held::Role(rule.role.clone()), place });
            brings = true;
        }
    }
    world.entries += i64::from(brings);
}

/// Roles that build on one that is not held any more go (`S1.34`).
fn settle(world: &mut World, member: Uuid) {
    let roles = world.roles_of(member);
    let document = world.document.clone();
    let before = world.grants.len();
    world.grants.retain(|(_, gift)| {
        let Held::Role(key) = &gift.held else { return true };
        let requires = document.roles.get(key).map(|role| role.requires.clone()).unwrap_or_default();
        gift.grantee != Grantee::Member(member)
            || requires.is_empty()
            || requires.iter().any(|needed| roles.contains(needed))
    });
    world.entries += i64::from(world.grants.len() < before);
}

fn has_room(world: &World, role: &str) -> bool {
    let most = world.role(role).and_then(|role| role.max_holders);
    most.is_none_or(|most| world.holders(role) < most as usize)
}

fn invite(world: &mut World, by: &Member, (person, roles): (usize, &[String]), fresh: Uuid) -> Option<()> {
    when(world.holds(by, "members.invite"))?;
    when(!world.members.iter().any(|member| member.person == person))?;
    for role in roles {
        let gift = role_gift(fresh, role);
        when(world.may_give(by, &gift) && world.may_hold(roles, &gift) && has_room(world, role))?;
    }
    let limits = &world.document.plans[&world.plan].seats;
    let taken = world.seats();
    for pool in roles.iter().filter_map(|role| world.role(role)).flat_map(|role| &role.seats) {
        let (active, pending) = taken[pool];
        when(limits.get(pool).is_none_or(|limit| active + pending < *limit))?;
    }
    let invitation = Some((by.id, fresh));
    world.members.push(Member { id: fresh, person, state: State::Pending, invitation });
    for role in roles {
        insert(world, role_gift(fresh, role));
        bring(world, fresh, role);
    }
    world.entries += 1;
    Some(())
}

/// `by` is the pending member: whoever invited it must still be able to.
fn accept(world: &mut World, by: &Member) -> Option<()> {
    when(by.state == State::Pending)?;
    let inviter = world.member(by.invitation?.0)?.clone();
    when(world.holds(&inviter, "members.invite"))?;
    let given: Vec<Gift> = world
        .grants
        .iter()
        .map(|(_, gift)| gift.clone())
        .filter(|gift| gift.grantee == Grantee::Member(by.id))
        .collect();
    for gift in given {
        when(world.may_give(&inviter, &gift) || is_brought(world, by.id, &gift))?;
    }
    let limits = &world.document.plans[&world.plan].seats;
    let taken = world.seats();
    for pool in world.roles_of(by.id).iter().filter_map(|role| world.role(role)).flat_map(|role| &role.seats) {
        when(limits.get(pool).is_none_or(|limit| taken[pool].0 < *limit))?;
    }
    world.members.iter_mut().find(|member| member.id == by.id)?.state = State::Active;
    world.entries += 1;
    Some(())
}

/// Whether a grant is one that the member's roles bring by themselves.
fn is_brought(world: &World, member: Uuid, gift: &Gift) -> bool {
    let roles = world.roles_of(member);
    let mut rules = roles.iter().filter_map(|role| world.role(role)).flat_map(|role| &role.automatic);
    rules.any(|rule| gift.held == Held::Role(rule.role.clone()))
}

fn main_or_flag(world: &World, role: &str, flag: bool) -> Option<()> {
    let rules = world.role(role)?;
    let member = rules.holders.contains(&Holder::Member);
    when(rules.level == RoleLevel::Organization && member && rules.flag == flag)
}

/// Gives and takes organization roles of a member.
fn exchange(world: &mut World, by: &Member, member: &Member, (give, take): (Option<&str>, &[String])) -> Option<()> {
    if give.is_none() && take.is_empty() {
        return Some(());
    }
    if let Some(role) = give {
        when(world.may_give(by, &role_gift(member.id, role)))?;
        let then: Vec<String> = world
            .roles_of(member.id)
            .into_iter()
            .filter(|held| !take.contains(held))
            .chain([role.to_owned()])
            .collect();
        when(world.may_hold(&then, &role_gift(member.id, role)))?;
    }
    if by.id == member.id {
        when(take.iter().filter_map(|role| world.role(role)).all(|role| role.step_down))?;
    } else {
        when(world.may_take(by, take))?;
    }
    if let Some(role) = give {
        when(member.state != State::Active || has_room(world, role))?;
    }
    world.grants.retain(|(_, gift)| {
        let is_taken = matches!(&gift.held, Held::Role(role) if take.contains(role));
        !(is_taken && gift.grantee == Grantee::Member(member.id) && gift.place == Place::Organization)
    });
    if let Some(role) = give {
        insert(world, role_gift(member.id, role));
        bring(world, member.id, role);
    }
    settle(world, member.id);
    world.entries += 1;
    Some(())
}

fn become_role(world: &mut World, by: &Member, member: Uuid, role: &str) -> Option<()> {
    when(world.holds(by, "roles.assign"))?;
    let member = present(world, by, member)?;
    main_or_flag(world, role, false)?;
    let held = world.roles_of(member.id);
    let slot = world.slot(role);
    let take: Vec<String> = held.iter().filter(|other| *other != role && world.slot(other) == slot).cloned().collect();
    let give = (!held.iter().any(|other| other == role)).then_some(role);
    exchange(world, by, &member, (give, &take))
}

fn add(world: &mut World, by: &Member, member: Uuid, role: &str) -> Option<()> {
    when(world.holds(by, "roles.assign"))?;
    let member = present(world, by, member)?;
    main_or_flag(world, role, true)?;
    let give = (!world.roles_of(member.id).iter().any(|other| other == role)).then_some(role);
    exchange(world, by, &member, (give, &[]))
}

fn drop_role(world: &mut World, by: &Member, member: Uuid, role: &str) -> Option<()> {
    when(world.holds(by, "roles.assign"))?;
    let member = present(world, by, member)?;
    when(!world.is_main(role))?;
    let held = world.roles_of(member.id).iter().any(|other| other == role);
    let take = if held { vec![role.to_owned()] } else { vec![] };
    exchange(world, by, &member, (None, &take))
}

fn may_change(world: &World, by: &Member, gift: &Gift) -> Option<()> {
    match (&gift.held, &gift.place) {
        (Held::Role(_), Place::Organization) => when(world.holds(by, "roles.assign")),
        (Held::Feature { .. }, Place::Organization) => when(world.holds(by, "access.grant")),
        (_, Place::App { id, .. }) => when(world.holds_on(by, "access.grant", &seen_app(world, by, *id)?)),
    }
}

fn sees_grantee(world: &World, by: &Member, grantee: Grantee) -> Option<()> {
    match grantee {
        Grantee::Member(id) => present(world, by, id).map(drop),
        Grantee::Team(id) => when(sees_team(world, by, id)),
        Grantee::ServiceAccount(_) => None,
        Grantee::Everyone => Some(()),
    }
}

/// What must be held with a feature in the same place.
fn requires(world: &World, held: &Held) -> Vec<String> {
    let Held::Feature { kind, feature, .. } = held else { return vec![] };
    let known = world.document.app_kinds.get(kind).and_then(|kind| kind.features.get(feature));
    let needed = known.map(|known| known.requires.clone()).unwrap_or_default();
    needed.into_iter().filter(|needed| !needed.contains('.')).collect()
}

fn meets(gift: &Gift, needing: &Gift, needed: &str) -> bool {
    let (Held::Feature { kind, feature, .. }, Held::Feature { kind: of, .. }) = (&gift.held, &needing.held) else {
        return false;
    };
    feature == needed && gift.grantee == needing.grantee && kind == of && gift.place == needing.place
}

/// Whether a role on an app fills the slot that another fills there.
fn displaces(world: &World, new: &Gift, old: &Gift) -> bool {
    let (Held::Role(role), Held::Role(other), Place::App { .. }) = (&new.held, &old.held, &new.place) else {
        return false;
    };
    let slot = |key: &str| world.role(key).filter(|role| !role.flag).and_then(|role| role.slot.clone());
    role != other
        && new.grantee == old.grantee
        && new.place == old.place
        && slot(role).is_some()
        && slot(role) == slot(other)
}

/// Whether somebody may take what is held.
fn may_take(world: &World, by: &Member, gift: &Gift) -> bool {
    let own = gift.grantee == Grantee::Member(by.id);
    match &gift.held {
        Held::Role(role) if own => world.role(role).is_none_or(|role| role.step_down),
        Held::Feature { .. } if own => true,
        Held::Role(role) => world.may_assign(by, role, &gift.place),
        Held::Feature { .. } => world.within_bounds(by, gift),
    }
}

/// Whether two grants are one row: the same but for a level.
fn is_same_row(a: &Gift, b: &Gift) -> bool {
    let held = match (&a.held, &b.held) {
        (Held::Feature { kind, feature, .. }, Held::Feature { kind: other_kind, feature: other, .. }) => {
            kind == other_kind && feature == other
        }
        (a, b) => a == b,
    };
    held && a.grantee == b.grantee && a.place == b.place
}

fn give(world: &mut World, by: &Member, gift: &Gift, fresh: Uuid) -> Option<()> {
    may_change(world, by, gift)?;
    sees_grantee(world, by, gift.grantee)?;
    when(world.is_of_nobody_above(by, gift))?;
    if let (Held::Role(role), Grantee::Member(_), Place::Organization) = (&gift.held, gift.grantee, &gift.place) {
        main_or_flag(world, role, true)?;
    }
    when(world.may_give(by, gift))?;
    if let Grantee::Member(member) = gift.grantee {
        when(world.may_hold(&world.roles_of(member), gift))?;
    }
    for needed in requires(world, &gift.held) {
        when(world.grants.iter().any(|(_, known)| meets(known, gift, &needed)))?;
    }
    let displaced: Vec<Gift> =
        world.grants.iter().map(|(_, old)| old.clone()).filter(|old| displaces(world, gift, old)).collect();
    for old in &displaced {
        when(may_take(world, by, old))?;
    }
    let lacking = world.unmet(gift.grantee);
    if world.grants.iter().any(|(_, known)| known == gift) {
        return Some(());
    }
    world.grants.retain(|(_, known)| !is_same_row(known, gift) && !displaced.contains(known));
    world.grants.push((fresh, gift.clone()));
    when(world.unmet(gift.grantee).is_subset(&lacking))?;
    if let (Held::Role(role), Grantee::Member(member), Place::Organization) = (&gift.held, gift.grantee, &gift.place) {
        bring(world, member, role);
    }
    world.entries += 1;
    Some(())
}

fn take(world: &mut World, by: &Member, grant: Uuid) -> Option<()> {
    let gift = world.grants.iter().find(|(id, _)| *id == grant)?.1.clone();
    may_change(world, by, &gift)?;
    sees_grantee(world, by, gift.grantee)?;
    when(world.is_of_nobody_above(by, &gift))?;
    if let (Held::Role(role), Grantee::Member(_), Place::Organization) = (&gift.held, gift.grantee, &gift.place) {
        when(!world.is_main(role))?;
    }
    when(may_take(world, by, &gift))?;
    let lacking = world.unmet(gift.grantee);
    let needing = |(id, other): &(Uuid, Gift)| {
        *id != grant
            && requires(world, &other.held).iter().any(|needed| {
                meets(&gift, other, needed)
                    && !world.grants.iter().any(|(id, known)| *id != grant && meets(known, other, needed))
            })
    };
    when(!world.grants.iter().any(needing))?;
    world.grants.retain(|(id, _)| *id != grant);
    when(world.unmet(gift.grantee).is_subset(&lacking))?;
    if let Grantee::Member(member) = gift.grantee {
        settle(world, member);
    }
    world.entries += 1;
    Some(())
}

fn depart(world: &mut World, member: Uuid) {
    world.grants.retain(|(_, gift)| gift.grantee != Grantee::Member(member));
    for team in &mut world.teams {
        team.members.remove(&member);
    }
    match world.document.removal.on_remove {
        OnRemove::Purge => world.members.retain(|other| other.id != member),
        OnRemove::Archive => {
            for other in world.members.iter_mut().filter(|other| other.id == member) {
                other.state = State::Archived;
            }
        }
    }
    world.entries += 1;
}

/// Everything that reaches a grantee from a team and those above it.
fn reaches(world: &World, team: Uuid, grantee: Grantee) -> Vec<Gift> {
    let up = |id: Uuid| world.teams.iter().find(|team| team.id == id).and_then(|team| team.parent);
    let teams: Vec<Uuid> = std::iter::successors(Some(team), |id| up(*id)).collect();
    let of_teams =
        world.grants.iter().filter(|(_, gift)| matches!(gift.grantee, Grantee::Team(id) if teams.contains(&id)));
    of_teams.map(|(_, gift)| Gift { grantee, ..gift.clone() }).collect()
}

fn join(world: &mut World, by: &Member, (team, member): (Uuid, Uuid), maintainer: Option<bool>) -> Option<()> {
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

fn part(world: &mut World, by: &Member, team: Uuid, member: Uuid) -> Option<()> {
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

fn move_team(world: &mut World, by: &Member, team: Uuid, parent: Option<Uuid>) -> Option<()> {
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

fn make(world: &mut World, by: &Member, (slug, kind, parent): (&str, &str, Option<Uuid>), fresh: Uuid) -> Option<()> {
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
    let public = rules.visibilities.first() == Some(&gatehouse_access::blueprint::document::AppVisibility::Public);
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

fn default(
    world: &mut World,
    by: &Member,
    (kind, feature, level): (&str, &str, Option<&str>),
    fresh: Uuid,
) -> Option<()> {
    when(world.holds(by, "access.grant"))?;
    let mut rules = world.document.everyone.access.iter();
    let rule = rules.find(|rule| rule.app_kind == kind && rule.feature == feature)?;
    let gift = |level: Option<String>| Gift {
        grantee: Grantee::Everyone,
        held: Held::Feature { kind: kind.to_owned(), feature: feature.to_owned(), level },
        place: Place::Organization,
    };
    let held = world.grants.iter().map(|(_, known)| known.clone()).find(|known| is_same_row(known, &gift(None)));
    match level {
        Some(level) => {
            let new = gift(Some(level.to_owned()));
            when(rule.levels.iter().any(|known| known == level) && world.may_give(by, &new))?;
            if held.as_ref() != Some(&new) {
                world.grants.retain(|(_, known)| !is_same_row(known, &new));
                world.grants.push((fresh, new));
                world.entries += 1;
            }
        }
        None => {
            if let Some(held) = held {
                when(world.within_bounds(by, &held))?;
                world.grants.retain(|(_, known)| *known != held);
                world.entries += 1;
            }
        }
    }
    Some(())
}
