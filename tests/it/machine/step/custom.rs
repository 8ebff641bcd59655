//! Roles of the organization's own: made, changed, switched off and deleted.

use std::collections::BTreeSet;

use gatehouse_access::{Held, Place};

use super::when;
use crate::machine::world::{Custom, Member, World};

/// What a role is to give.
#[derive(Debug, Clone)]
pub(in crate::machine) struct Selection {
    pub(in crate::machine) permissions: Vec<String>,
    pub(in crate::machine) access: Vec<Part>,
}

/// A part of one feature: a level, or single actions.
#[derive(Debug, Clone)]
pub(in crate::machine) struct Part {
    pub(in crate::machine) kind: String,
    pub(in crate::machine) feature: String,
    pub(in crate::machine) level: Option<String>,
    pub(in crate::machine) actions: Vec<String>,
}

/// A list without what it says again.
fn once(list: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept = Vec::new();
    for item in list {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

/// What is selected, as permissions and selectors, where the base has all of it.
fn select(world: &World, base: &str, selection: &Selection) -> Option<(Vec<String>, Vec<String>)> {
    let base = world.blueprint.roles.get(base).filter(|role| role.customizable)?;
    let whole = world.rights_of(base);
    when(selection.permissions.iter().all(|permission| whole.contains(permission)))?;
    let mut selectors = Vec::new();
    for Part { kind, feature, level, actions } in &selection.access {
        let known = world.blueprint.app_kinds.get(kind)?.features.get(feature)?;
        let named: Vec<&String> = match level {
            Some(level) => {
                let at = known.levels.iter().position(|known| known.key == *level)?;
                selectors.push(format!("{kind}.{feature}:{level}"));
                known.levels.iter().take(at + 1).flat_map(|level| &level.actions).collect()
            }
            None => {
                selectors.extend(actions.iter().map(|action| format!("{kind}.{feature}.{action}")));
                actions.iter().collect()
            }
        };
        when(named.iter().all(|action| whole.contains(&format!("{kind}.{feature}.{action}"))))?;
    }
    Some((once(selection.permissions.iter().cloned()), once(selectors.into_iter())))
}

/// Whether the author may have a role give this much more: nobody gives what they do not hold in the whole organization, unless
/// some role of theirs is unbounded, and nobody widens what they hold themselves.
fn may_make(world: &World, by: &Member, key: &str, gain: &BTreeSet<String>) -> bool {
    let facts = world.facts(by);
    let is_own = facts.grants.iter().any(|grant| grant.held == Held::Role(key.to_owned()));
    let held = facts.grants.iter().filter(|grant| grant.place == Place::Organization);
    let mut roles = held.filter_map(|grant| match &grant.held {
        Held::Role(role) => world.role(role),
        Held::Feature { .. } => None,
    });
    let is_free = !is_own && roles.any(|role| !role.bounded);
    is_free || gain.is_subset(&world.rights_at(&facts, &Place::Organization))
}

pub(super) fn shape(world: &mut World, by: &Member, (slug, base): (&str, &str), selection: &Selection) -> Option<()> {
    when(world.holds(by, "roles.manage"))?;
    let (permissions, access) = select(world, base, selection)?;
    let custom = Custom { key: format!("custom:{slug}"), base: base.to_owned(), permissions, access, enabled: true };
    when(may_make(world, by, &custom.key, &world.rights_of_custom(&custom)))?;
    world.custom.push(custom);
    world.live_by_own_roles();
    world.entries += 1;
    Some(())
}

pub(super) fn reshape(
    world: &mut World,
    by: &Member,
    key: &str,
    (selection, enabled): (Option<&Selection>, Option<bool>),
) -> Option<()> {
    when(world.holds(by, "roles.manage"))?;
    let before = world.custom.iter().find(|custom| custom.key == key)?.clone();
    let mut after = before.clone();
    if let Some(selection) = selection {
        (after.permissions, after.access) = select(world, &before.base, selection)?;
    }
    after.enabled = enabled.unwrap_or(before.enabled);
    if after == before {
        return Some(());
    }
    when(after.enabled || !before.enabled || !world.is_used(key))?;
    let gives = |custom: &Custom| if custom.enabled { world.rights_of_custom(custom) } else { BTreeSet::new() };
    let gain = gives(&after).difference(&gives(&before)).cloned().collect();
    when(may_make(world, by, key, &gain))?;
    for custom in world.custom.iter_mut().filter(|custom| custom.key == key) {
        *custom = after.clone();
    }
    world.live_by_own_roles();
    world.entries += 1;
    Some(())
}

/// One that nobody holds.
pub(super) fn scrap(world: &mut World, by: &Member, key: &str) -> Option<()> {
    when(world.holds(by, "roles.manage"))?;
    when(world.custom.iter().any(|custom| custom.key == key) && !world.is_used(key))?;
    world.custom.retain(|custom| custom.key != key);
    world.live_by_own_roles();
    world.entries += 1;
    Some(())
}
