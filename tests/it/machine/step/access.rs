//! Giving and taking single grants, the switches of roles on apps, and what everyone has.

use gatehouse_access::{Grantee, Held, Place};
use uuid::Uuid;

use super::{
    present,
    role::{bring, main_or_flag, settle},
    seen_app, sees_team, when,
};
use crate::machine::world::{Gift, Member, World};

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
pub(super) fn may_take(world: &World, by: &Member, gift: &Gift) -> bool {
    let own = gift.grantee == Grantee::Member(by.id);
    match &gift.held {
        Held::Role(role) if own => world.role(role).is_none_or(|role| role.step_down),
        Held::Feature { .. } if own => true,
        Held::Role(role) => world.may_assign(by, role, &gift.place),
        Held::Feature { .. } => world.within_bounds(by, gift),
    }
}

/// Whether two grants are one row: the same but for a level.
pub(super) fn is_same_row(a: &Gift, b: &Gift) -> bool {
    let held = match (&a.held, &b.held) {
        (Held::Feature { kind, feature, .. }, Held::Feature { kind: other_kind, feature: other, .. }) => {
            kind == other_kind && feature == other
        }
        (a, b) => a == b,
    };
    held && a.grantee == b.grantee && a.place == b.place
}

pub(super) fn give(world: &mut World, by: &Member, gift: &Gift, fresh: Uuid) -> Option<()> {
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
    if world.grants.iter().any(|(_, known)| known == gift) {
        return Some(());
    }
    world.grants.retain(|(_, known)| !is_same_row(known, gift) && !displaced.contains(known));
    world.grants.push((fresh, gift.clone()));
    if let (Held::Role(role), Grantee::Member(member), Place::Organization) = (&gift.held, gift.grantee, &gift.place) {
        bring(world, member, role);
    }
    world.entries += 1;
    Some(())
}

pub(super) fn take(world: &mut World, by: &Member, grant: Uuid) -> Option<()> {
    let gift = world.grants.iter().find(|(id, _)| *id == grant)?.1.clone();
    may_change(world, by, &gift)?;
    sees_grantee(world, by, gift.grantee)?;
    when(world.is_of_nobody_above(by, &gift))?;
    if let (Held::Role(role), Grantee::Member(_), Place::Organization) = (&gift.held, gift.grantee, &gift.place) {
        when(!world.is_main(role))?;
    }
    when(may_take(world, by, &gift))?;
    let needing = |(id, other): &(Uuid, Gift)| {
        *id != grant
            && requires(world, &other.held).iter().any(|needed| {
                meets(&gift, other, needed)
                    && !world.grants.iter().any(|(id, known)| *id != grant && meets(known, other, needed))
            })
    };
    when(!world.grants.iter().any(needing))?;
    world.grants.retain(|(id, _)| *id != grant);
    if let Grantee::Member(member) = gift.grantee {
        settle(world, member);
    }
    world.entries += 1;
    Some(())
}

pub(super) fn default(
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

/// The switch of a role on an app: as giving and taking it; where it stands so already, nothing happens, for who may switch it.
pub(super) fn toggle(
    world: &mut World,
    by: &Member,
    (app, member, role, on): (Uuid, Uuid, &str, bool),
    fresh: Uuid,
) -> Option<()> {
    let app = seen_app(world, by, app)?;
    when(world.holds_on(by, "access.grant", &app))?;
    let place = Place::App { id: app.id, kind: app.kind.clone() };
    let gift = Gift { grantee: Grantee::Member(member), held: Held::Role(role.to_owned()), place };
    when(world.fits(&gift))?;
    let member = present(world, by, member)?;
    let row = world.grants.iter().find(|(_, known)| *known == gift).map(|(row, _)| *row);
    match (on, row) {
        (true, Some(_)) => when(may_take(world, by, &gift)),
        (true, None) => give(world, by, &gift, fresh),
        (false, Some(row)) => take(world, by, row),
        (false, None) => {
            when(world.may_assign(by, role, &gift.place))?;
            // What comes from a team or from above would stay (`S4.R6`).
            let above = world.above(app.id);
            let is_it = |place: &Place| matches!(place, Place::App { id, .. } if *id == app.id || above.contains(id));
            let facts = world.facts(&member);
            when(!facts.grants.iter().any(|grant| grant.held == gift.held && is_it(&grant.place)))
        }
    }
}
