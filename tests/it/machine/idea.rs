//! What people think of: mostly what might work, and now and then what should not.

use std::collections::BTreeSet;

use gatehouse::access::{
    Grantee, Held, Place,
    blueprint::document::{Holder, Role, RoleLevel},
};
use rand::{RngExt, seq::IndexedRandom};
use uuid::Uuid;

use super::{
    Machine, PEOPLE,
    step::{Choice, Part, Selection, Step, Tree},
    world::{App, Gift, Member, State},
};

impl Machine<'_> {
    pub(super) fn any<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        of.choose(&mut self.random).cloned()
    }

    /// Somebody tries something.
    pub(super) fn think(&mut self, number: usize) -> Option<(Member, Step)> {
        let world = self.world.clone();
        let active: Vec<Member> = world.members.iter().filter(|m| m.state == State::Active).cloned().collect();
        // Who may do much is asked more often, so that much happens.
        let by = if self.random.random_bool(0.5) { active.first().cloned()? } else { self.any(&active)? };
        let members: Vec<Uuid> = world.members.iter().map(|member| member.id).collect();
        let teams: Vec<Uuid> = world.teams.iter().map(|team| team.id).collect();
        let apps: Vec<App> = world.apps.clone();
        let in_state = |state: State| -> Vec<Member> {
            world.members.iter().filter(|member| member.state == state).cloned().collect()
        };
        // One that is switched off too.
        let mut roles: Vec<String> = world.document.roles.keys().cloned().collect();
        roles.extend(world.custom.iter().filter(|custom| !custom.enabled).map(|custom| custom.key.clone()));
        let slug = format!("thing-{number}");
        let step = match self.random.random_range(0..34) {
            0..=2 => {
                let absent: Vec<usize> =
                    (0..PEOPLE).filter(|person| !world.members.iter().any(|m| m.person == *person)).collect();
                let (person, roles) = (self.any(&absent)?, self.slots());
                Step::Invite { person, roles, on_apps: self.on_apps(), choice: self.choice() }
            }
            3..=4 => return Some((self.any(&in_state(State::Pending))?, Step::Accept)),
            5 => Step::Become { member: self.any(&members)?, role: self.any(&roles)? },
            6 => Step::Add { member: self.any(&members)?, role: self.any(&roles)? },
            7 => Step::Drop { member: self.any(&members)?, role: self.any(&roles)? },
            8..=11 => Step::Give(self.gift()?),
            12..=13 => Step::Take(self.any(&world.grants)?.0),
            14 if self.random.random_bool(0.5) => Step::Remove(self.any(&members)?),
            14 => Step::Leave,
            15 => Step::Found { slug, parent: self.maybe(&teams) },
            16..=17 => {
                let maintainer = self.any(&[None, None, Some(true), Some(false)])?;
                Step::Join { team: self.any(&teams)?, member: self.any(&members)?, maintainer }
            }
            18 => Step::Part { team: self.any(&teams)?, member: self.any(&members)? },
            19 if self.random.random_bool(0.7) => Step::Move { team: self.any(&teams)?, parent: self.maybe(&teams) },
            19 => Step::Dissolve(self.any(&teams)?),
            20..=21 if apps.len() < 8 => {
                let kinds: Vec<String> = world.document.app_kinds.keys().cloned().collect();
                let ids: Vec<Uuid> = apps.iter().map(|app| app.id).collect();
                Step::Make { slug, kind: self.any(&kinds)?, parent: self.maybe(&ids) }
            }
            20..=21 => Step::Delete(self.any(&apps)?.id),
            22 => Step::Switch { app: self.any(&apps)?.id, enabled: self.random.random_bool(0.7) },
            23..=25 => {
                let member = self.any(&members)?;
                let choice = if self.random.random_bool(0.2) { Choice::All } else { Choice::Tree(self.edited(member)) };
                Step::Save { member, choice }
            }
            26..=27 => {
                let is_there = |role: &Role| role.level != RoleLevel::Organization;
                let on_apps: Vec<String> =
                    roles.iter().filter(|role| world.role(role).is_some_and(is_there)).cloned().collect();
                let role = if self.random.random_bool(0.05) { self.any(&roles)? } else { self.any(&on_apps)? };
                let on = self.random.random_bool(0.6);
                Step::Toggle { app: self.any(&apps)?.id, member: self.any(&members)?, role, on }
            }
            28 => {
                let ids: Vec<Uuid> = apps.iter().map(|app| app.id).collect();
                // Where nothing stands under anything there is little to try.
                let nests = world.document.app_kinds.values().any(|kind| !kind.parents.is_empty());
                if !nests && self.random.random_bool(0.9) {
                    return None;
                }
                Step::Carry { app: self.any(&ids)?, parent: self.maybe(&ids) }
            }
            29..=30 => self.own_role(slug)?,
            31 => Step::Suspend(self.any(&members)?),
            32 if self.random.random_bool(0.6) => {
                let suspended = in_state(State::Suspended);
                let anybody = self.any(&world.members)?;
                Step::Reactivate(if self.random.random_bool(0.9) { self.any(&suspended)? } else { anybody }.id)
            }
            32 => {
                let member = self.any(&in_state(State::Archived))?.id;
                Step::Restore { member, roles: self.slots(), choice: self.choice() }
            }
            _ if self.random.random_bool(0.5) => {
                let plans: Vec<String> = world.document.plans.keys().cloned().collect();
                Step::Plan(self.any(&plans)?)
            }
            _ => {
                let rule = self.any(&world.document.everyone.access)?;
                let level = self.maybe(&rule.levels);
                Step::Default { kind: rule.app_kind, feature: rule.feature, level }
            }
        };
        Some((by, step))
    }

    fn maybe<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        if self.random.random_bool(0.5) { self.any(of) } else { None }
    }

    /// One role for each slot.
    fn slots(&mut self) -> Vec<String> {
        let world = &self.world;
        let slots: BTreeSet<Option<String>> =
            world.document.roles.keys().filter(|role| world.is_main(role)).map(|role| world.slot(role)).collect();
        let of = |slot: &Option<String>| -> Vec<String> {
            world
                .document
                .roles
                .keys()
                .filter(|role| world.is_main(role) && world.slot(role) == *slot)
                .cloned()
                .collect()
        };
        let choices: Vec<Vec<String>> = slots.iter().map(of).collect();
        choices.iter().filter_map(|roles| self.any(roles)).collect()
    }

    /// Mostly none.
    fn on_apps(&mut self) -> Vec<(Uuid, String)> {
        let world = self.world.clone();
        let roles = world.document.roles.iter().filter(|(_, role)| role.level != RoleLevel::Organization);
        let roles: Vec<String> = roles.map(|(key, _)| key.clone()).collect();
        let mut on_apps = Vec::new();
        for _ in 0..self.any(&[0, 0, 1, 2]).unwrap_or_default() {
            let named = self.any(&world.apps).zip(self.any(&roles));
            on_apps.extend(named.map(|(app, role)| (app.id, role)));
        }
        on_apps
    }

    fn choice(&mut self) -> Choice {
        match self.random.random_range(0..4) {
            0 => Choice::Initial,
            1 => Choice::All,
            2 => Choice::Tree(vec![]),
            _ => Choice::Tree(self.tree(vec![])),
        }
    }

    /// The tree of somebody's features on apps as a form shows it, with some of it changed.
    fn edited(&mut self, member: Uuid) -> Tree {
        let mut tree = Tree::new();
        for (_, gift) in self.world.grants.clone() {
            let (Held::Feature { feature, level, .. }, Place::App { id, .. }) = (gift.held, gift.place) else {
                continue;
            };
            if gift.grantee != Grantee::Member(member) || self.random.random_bool(0.2) {
                continue;
            }
            match tree.iter_mut().find(|(app, _)| *app == id) {
                Some((_, features)) => features.push((feature, level)),
                None => tree.push((id, vec![(feature, level)])),
            }
        }
        self.tree(tree)
    }

    /// A tree with more ticked: features of an app or two, mostly with what they need there.
    fn tree(&mut self, mut tree: Tree) -> Tree {
        let world = self.world.clone();
        for _ in 0..self.any(&[0, 1, 1, 2]).unwrap_or_default() {
            let Some(app) = self.any(&world.apps) else { continue };
            let known = &world.document.app_kinds[&app.kind].features;
            let names: Vec<String> = known.keys().cloned().collect();
            let Some(feature) = self.any(&names) else { continue };
            let mut wanted = vec![feature];
            if self.random.random_bool(0.9) {
                wanted.extend(known[&wanted[0]].requires.iter().filter(|needed| !needed.contains('.')).cloned());
            }
            let at = tree.iter().position(|(other, _)| *other == app.id).unwrap_or_else(|| {
                tree.push((app.id, vec![]));
                tree.len() - 1
            });
            for feature in wanted {
                let levels: Vec<String> = known[&feature].levels.iter().map(|level| level.key.clone()).collect();
                let level = self.any(&levels);
                // Once, with another level perhaps; now and then twice, which is a mistake.
                if self.random.random_bool(0.98) {
                    tree[at].1.retain(|(other, _)| *other != feature);
                }
                tree[at].1.push((feature, level));
            }
        }
        tree
    }

    /// Something about roles of the organization's own, where the blueprint lets it have any.
    fn own_role(&mut self, slug: String) -> Option<Step> {
        let world = self.world.clone();
        let bases: Vec<String> = world
            .blueprint
            .roles
            .iter()
            .filter(|(_, role)| role.customizable && role.holders.contains(&Holder::Member))
            .map(|(key, _)| key.clone())
            .collect();
        if bases.is_empty() {
            return None;
        }
        let own: Vec<String> = world.custom.iter().map(|custom| custom.key.clone()).collect();
        let all: Vec<String> = world.document.roles.keys().cloned().collect();
        match self.random.random_range(0..8) {
            0..=2 if own.len() < 6 => {
                let base = if self.random.random_bool(0.05) { self.any(&all)? } else { self.any(&bases)? };
                let selection = self.selection(&base);
                Some(Step::Shape { slug, base, selection })
            }
            0..=5 => {
                // Now and then the blueprint's own, which are nobody's to change.
                let role = if self.random.random_bool(0.05) { self.any(&all)? } else { self.any(&own)? };
                let base = world.custom.iter().find(|custom| custom.key == role).map(|custom| custom.base.clone());
                let selection = self.random.random_bool(0.7).then(|| self.selection(&base.unwrap_or(role.clone())));
                let enabled = self.any(&[None, None, Some(false), Some(true)])?;
                Some(Step::Reshape { role, selection, enabled })
            }
            _ => Some(Step::Scrap(self.any(&own)?)),
        }
    }

    /// A part of what a role has, now and then more.
    fn selection(&mut self, base: &str) -> Selection {
        let world = self.world.clone();
        let whole = world.role(base).map(|role| world.rights_of(role)).unwrap_or_default();
        let mut selection = Selection { permissions: vec![], access: vec![] };
        let share = self.any(&[0.3, 0.9, 1.0]).unwrap_or_default();
        for right in &whole {
            if right.split('.').count() == 2 && self.random.random_bool(share) {
                selection.permissions.push(right.clone());
            }
        }
        for (kind, rules) in &world.blueprint.app_kinds {
            for (feature, known) in &rules.features {
                let beyond = self.random.random_bool(0.005);
                let is_had = |action: &&String| beyond || whole.contains(&format!("{kind}.{feature}.{action}"));
                let mut actions: Vec<String> = known.actions.keys().filter(is_had).cloned().collect();
                if actions.is_empty() || !self.random.random_bool(share) {
                    continue;
                }
                let is_level = !known.levels.is_empty() && self.random.random_bool(0.3);
                let level = if is_level { Some(known.levels[0].key.clone()) } else { None };
                actions.retain(|_| self.random.random_bool(0.8));
                selection.access.push(Part { kind: kind.clone(), feature: feature.clone(), level, actions });
            }
        }
        selection
    }

    fn gift(&mut self) -> Option<Gift> {
        let world = self.world.clone();
        let mut grantees: Vec<Grantee> = world.members.iter().map(|member| Grantee::Member(member.id)).collect();
        grantees.extend(world.teams.iter().map(|team| Grantee::Team(team.id)));
        if self.random.random_bool(0.1) {
            grantees.push(Grantee::Everyone);
        }
        let place = match self.random.random_range(0..4) {
            0 => Place::Organization,
            _ => self.any(&world.apps).map(|app| Place::App { id: app.id, kind: app.kind })?,
        };
        let roles: Vec<String> = world.document.roles.keys().cloned().collect();
        let held = if self.random.random_bool(0.4) {
            Held::Role(self.any(&roles)?)
        } else {
            let kinds: Vec<String> = world.document.app_kinds.keys().cloned().collect();
            let kind = match &place {
                Place::App { kind, .. } if self.random.random_bool(0.95) => kind.clone(),
                Place::App { .. } | Place::Organization => self.any(&kinds)?,
            };
            let rules = &world.document.app_kinds[&kind];
            let features: Vec<String> = rules.features.keys().cloned().collect();
            let feature = self.any(&features)?;
            let levels: Vec<String> = rules.features[&feature].levels.iter().map(|level| level.key.clone()).collect();
            let level = if levels.is_empty() { None } else { self.any(&levels) };
            Held::Feature { kind, feature, level }
        };
        Some(Gift { grantee: self.any(&grantees)?, held, place })
    }
}
