//! Roles of members: given, taken, and what follows from holding them.

use gatehouse_access::{
    Grantee, Held, Place,
    blueprint::document::{Holder, RoleLevel},
};
use uuid::Uuid;

use super::{insert, present, role_gift, when};
use crate::machine::world::{App, Gift, Member, State, World};

/// What holding organization roles brings on the apps there are (`S1.22`).
pub(super) fn bring(world: &mut World, member: Uuid, role: &str) {
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
pub(super) fn settle(world: &mut World, member: Uuid) {
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

pub(super) fn has_room(world: &World, role: &str) -> bool {
    let most = world.role(role).and_then(|role| role.max_holders);
    most.is_none_or(|most| world.holders(role) < most as usize)
}

pub(super) fn main_or_flag(world: &World, role: &str, flag: bool) -> Option<()> {
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
        // What was granted above a ceiling is not one's own to set free.
        let held = world.roles_of(member.id);
        let mut then: Vec<String> = held.iter().filter(|role| !take.contains(role)).cloned().collect();
        then.extend(give.map(str::to_owned));
        when(
            world
                .all_rights()
                .iter()
                .all(|right| world.is_below_ceilings(&held, right) || !world.is_below_ceilings(&then, right)),
        )?;
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

pub(super) fn become_role(world: &mut World, by: &Member, member: Uuid, role: &str) -> Option<()> {
    when(world.holds(by, "roles.assign"))?;
    let member = present(world, by, member)?;
    main_or_flag(world, role, false)?;
    let held = world.roles_of(member.id);
    let slot = world.slot(role);
    let take: Vec<String> = held.iter().filter(|other| *other != role && world.slot(other) == slot).cloned().collect();
    let give = (!held.iter().any(|other| other == role)).then_some(role);
    exchange(world, by, &member, (give, &take))
}

pub(super) fn add(world: &mut World, by: &Member, member: Uuid, role: &str) -> Option<()> {
    when(world.holds(by, "roles.assign"))?;
    let member = present(world, by, member)?;
    main_or_flag(world, role, true)?;
    let give = (!world.roles_of(member.id).iter().any(|other| other == role)).then_some(role);
    exchange(world, by, &member, (give, &[]))
}

pub(super) fn drop_role(world: &mut World, by: &Member, member: Uuid, role: &str) -> Option<()> {
    // Giving up one's own takes being a member and nothing else.
    let steps_down = by.id == member && by.state == State::Active;
    when(steps_down || world.holds(by, "roles.assign"))?;
    let member = present(world, by, member)?;
    when(!world.is_main(role))?;
    let held = world.roles_of(member.id).iter().any(|other| other == role);
    let take = if held { vec![role.to_owned()] } else { vec![] };
    exchange(world, by, &member, (None, &take))
}
