//! Access that is chosen as a whole: everything the giver has, or a tree of apps and features (`S2.19` to `S2.21`).

use std::collections::BTreeSet;

use gatehouse_access::{
    Grantee, Held, Place,
    blueprint::document::{Feature, InitialAccess},
};
use uuid::Uuid;

use super::{
    Choice, Tree,
    access::{is_same_row, may_take},
    insert, present, seen_app, when,
};
use crate::machine::world::{App, Gift, Member, World};

/// Whose access is chosen.
#[derive(Clone, Copy)]
pub(super) struct Whom<'a> {
    pub(super) member: Uuid,
    /// The organization roles it has, or is to have.
    pub(super) roles: &'a [String],
    /// The features it holds already by grants of its own.
    pub(super) held: &'a [Gift],
}

/// What a choice comes to, or `None` where something in it is not to be given.
pub(super) fn chosen(world: &World, by: &Member, whom: Whom<'_>, choice: &Choice) -> Option<Vec<Gift>> {
    let begins = |access: InitialAccess| {
        let mut roles = whom.roles.iter().filter_map(|role| world.role(role));
        roles.any(|role| role.initial_access == access)
    };
    assert!(!begins(InitialAccess::All), "no blueprint in the box begins with everything there is");
    match choice {
        Choice::Tree(tree) => ticked(world, by, whom, tree),
        Choice::All => Some(everything(world, by, whom)),
        Choice::Initial if begins(InitialAccess::Inviter) => Some(everything(world, by, whom)),
        Choice::Initial => Some(vec![]),
    }
}

/// Every ticked feature: one that is kept just so needs nobody's leave, any other is within what the giver may give and the
/// member's roles can reach.
fn ticked(world: &World, by: &Member, whom: Whom<'_>, tree: &Tree) -> Option<Vec<Gift>> {
    let mut gifts = Vec::new();
    for (index, (app, features)) in tree.iter().enumerate() {
        let app = seen_app(world, by, *app)?;
        let is_first = !tree.iter().take(index).any(|(other, _)| *other == app.id);
        when(is_first && !features.is_empty())?;
        let is_ticked = |feature: &String| features.iter().any(|(other, _)| other == feature);
        for (at, (feature, level)) in features.iter().enumerate() {
            when(!features.iter().take(at).any(|(other, _)| other == feature))?;
            let known = world.document.app_kinds[&app.kind].features.get(feature)?;
            when(known.requires.iter().filter(|needed| !needed.contains('.')).all(is_ticked))?;
            when(match level {
                None => known.levels.is_empty(),
                Some(level) => known.levels.iter().any(|known| known.key == *level),
            })?;
            let held = Held::Feature { kind: app.kind.clone(), feature: feature.clone(), level: level.clone() };
            let place = Place::App { id: app.id, kind: app.kind.clone() };
            let gift = Gift { grantee: Grantee::Member(whom.member), held, place };
            if !whom.held.contains(&gift) {
                let everywhere = Gift { place: Place::Organization, ..gift.clone() };
                when(whom.held.contains(&everywhere) || world.may_give(by, &gift))?;
                when(world.may_hold(whom.roles, &gift) && !world.is_closed(&app))?;
            }
            gifts.push(gift);
        }
    }
    Some(gifts)
}

/// How much of a feature these rights come to: all that a tick gives, or the strongest level that is held whole.
fn strongest(kind: &str, (feature, known): (&String, &Feature), rights: &BTreeSet<String>) -> Option<Held> {
    let has = |action: &String| rights.contains(&format!("{kind}.{feature}.{action}"));
    let held = |level| Held::Feature { kind: kind.to_owned(), feature: feature.clone(), level };
    if known.levels.is_empty() {
        let given: Vec<&String> = match &known.granted {
            Some(granted) => granted.iter().collect(),
            None => known.actions.keys().collect(),
        };
        return (!given.is_empty() && given.into_iter().all(has)).then(|| held(None));
    }
    let whole = known.levels.iter().take_while(|level| level.actions.iter().all(has)).last();
    whole.map(|level| held(Some(level.key.clone())))
}

/// Everything that somebody holds, as far as it may be given to who has these roles: in the organization what is held
/// everywhere, on an app what is held there besides; nothing without what it needs.
fn everything(world: &World, by: &Member, whom: Whom<'_>) -> Vec<Gift> {
    let facts = world.facts(by);
    let rights = |place: &Place| -> BTreeSet<String> {
        let held = world.rights_at(&facts, place).into_iter();
        held.filter(|right| world.is_below_ceilings(whom.roles, right)).collect()
    };
    let gift = |held, place: &Place| Gift { grantee: Grantee::Member(whom.member), held, place: place.clone() };
    let mut gifts: Vec<Gift> = Vec::new();
    let everywhere = rights(&Place::Organization);
    for (kind, rules) in &world.document.app_kinds {
        let held = rules.features.iter().filter_map(|feature| strongest(kind, feature, &everywhere));
        gifts.extend(held.map(|held| gift(held, &Place::Organization)));
    }
    let shared = |app: &&App| world.sees(by, app) && world.is_open(app) && !world.is_closed(app);
    for app in world.apps.iter().filter(shared) {
        let place = Place::App { id: app.id, kind: app.kind.clone() };
        let there = rights(&place);
        let features = &world.document.app_kinds[&app.kind].features;
        let held = features.iter().filter_map(|feature| strongest(&app.kind, feature, &there));
        let besides: Vec<Held> =
            held.filter(|held| !gifts.contains(&gift(held.clone(), &Place::Organization))).collect();
        gifts.extend(besides.into_iter().map(|held| gift(held, &place)));
    }
    loop {
        let whole: Vec<Gift> = gifts.iter().filter(|gift| has_what_it_needs(world, gift, &gifts)).cloned().collect();
        if whole.len() == gifts.len() {
            break;
        }
        gifts = whole;
    }
    gifts.retain(|gift| world.may_give(by, gift));
    gifts
}

/// Whether what a feature needs is among these: of its own kind there or everywhere, of another kind anywhere.
fn has_what_it_needs(world: &World, gift: &Gift, among: &[Gift]) -> bool {
    let Held::Feature { kind, feature, .. } = &gift.held else { return true };
    let requires = &world.document.app_kinds[kind].features[feature].requires;
    requires.iter().all(|needed| {
        among.iter().any(|other| {
            let Held::Feature { kind: of, feature: key, .. } = &other.held else { return false };
            match needed.split_once('.') {
                Some((kind, feature)) => of == kind && key == feature,
                None => {
                    of == kind && key == needed && (other.place == gift.place || other.place == Place::Organization)
                }
            }
        })
    })
}

/// Whether one gives the other's feature, at its level or a stronger one.
fn is_as_much(world: &World, one: &Gift, other: &Gift) -> bool {
    let (Held::Feature { kind, feature, level }, Held::Feature { kind: of, feature: key, level: least }) =
        (&one.held, &other.held)
    else {
        return false;
    };
    if (kind, feature) != (of, key) {
        return false;
    }
    let levels = &world.document.app_kinds[kind].features[feature].levels;
    let strength = |level: &Option<String>| levels.iter().position(|known| Some(&known.key) == level.as_ref());
    level == least || strength(level).zip(strength(least)).is_some_and(|(level, least)| level > least)
}

/// Whether what is held and not chosen stays all the same; `None` where it would have to go and is not the author's to take.
fn stays(world: &World, by: &Member, old: &Gift, new: &[Gift]) -> Option<bool> {
    let Held::Feature { kind, .. } = &old.held else { return Some(true) };
    match &old.place {
        // What the author does not see is not its to edit.
        Place::App { id, .. } if seen_app(world, by, *id).is_none() => Some(true),
        Place::App { .. } => when(may_take(world, by, old)).map(|()| false),
        Place::Organization if may_take(world, by, old) => Some(false),
        Place::Organization => {
            let mut apps =
                world.apps.iter().filter(|app| app.kind == *kind && world.sees(by, app) && !world.is_closed(app));
            let has_it = |app: &App| {
                let here = |gift: &&Gift| matches!(gift.place, Place::App { id, .. } if id == app.id);
                new.iter().filter(here).any(|gift| is_as_much(world, gift, old))
            };
            when(apps.all(has_it)).map(|()| true)
        }
    }
}

/// Makes a member's own features on the apps that the author sees exactly what is chosen.
pub(super) fn save(world: &mut World, by: &Member, member: Uuid, choice: &Choice) -> Option<()> {
    when(world.holds(by, "access.grant"))?;
    let member = present(world, by, member)?;
    let roles = world.roles_of(member.id);
    when(member.id == by.id || !world.is_above(by, &roles))?;
    let own = |gift: &Gift| gift.grantee == Grantee::Member(member.id) && matches!(gift.held, Held::Feature { .. });
    let held: Vec<Gift> = world.grants.iter().map(|(_, gift)| gift.clone()).filter(own).collect();
    let mut new = chosen(world, by, Whom { member: member.id, roles: &roles, held: &held }, choice)?;
    for old in &held {
        if new.contains(old) || !stays(world, by, old, &new)? {
            continue;
        }
        // What stays everywhere need not be given again on an app.
        let again = |gift: &Gift| old.place == Place::Organization && gift.held == old.held && !held.contains(gift);
        new.retain(|gift| !again(gift) && !is_same_row(gift, old));
        new.push(old.clone());
    }
    let changed = held.iter().any(|old| !new.contains(old)) || new.iter().any(|gift| !held.contains(gift));
    world.grants.retain(|(_, gift)| !own(gift) || new.contains(gift));
    for gift in new {
        insert(world, gift);
    }
    world.entries += i64::from(changed);
    Some(())
}
