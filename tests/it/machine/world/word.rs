//! What must hold of every state, whatever led to it: seats, last holders, and products that need others.

use std::collections::{BTreeMap, BTreeSet};

use gatehouse_access::{Grantee, Held, Place, blueprint::document::RoleLevel};

use super::{Gift, State, World};

impl World {
    /// Everything that reaches somebody, whatever way it does; a team by what it is given itself.
    fn reaches(&self, grantee: Grantee) -> Vec<Gift> {
        if let Grantee::Member(id) = grantee {
            let facts = self.member(id).map(|member| self.facts(member).grants).unwrap_or_default().into_iter();
            return facts.map(|grant| Gift { grantee: grant.grantee, held: grant.held, place: grant.place }).collect();
        }
        self.grants.iter().map(|(_, gift)| gift.clone()).filter(|gift| gift.grantee == grantee).collect()
    }

    /// The features granted to members and teams themselves that lack what they need of other kinds of apps (`S0.27`), each with
    /// whom and where.
    fn unmet(&self) -> BTreeSet<String> {
        let mut unmet = BTreeSet::new();
        for (_, gift) in self.grants.iter().filter(|(_, gift)| gift.grantee != Grantee::Everyone) {
            let Held::Feature { kind, feature, .. } = &gift.held else { continue };
            let Some(rules) = self.document.app_kinds.get(kind).and_then(|kind| kind.features.get(feature)) else {
                continue;
            };
            for needed in rules.requires.iter().filter(|needed| needed.contains('.')) {
                if !self.reaches(gift.grantee).iter().any(|other| self.opens(other, needed)) {
                    unmet.insert(format!("{:?} {kind}.{feature} {:?} {needed}", gift.grantee, gift.place));
                }
            }
        }
        unmet
    }

    /// Seats of active members and of pending ones, by pool.
    pub(in crate::machine) fn seats(&self) -> BTreeMap<String, (u32, u32)> {
        let mut seats: BTreeMap<String, (u32, u32)> =
            self.document.seat_pools.keys().map(|pool| (pool.clone(), (0, 0))).collect();
        for member in &self.members {
            let roles = self.roles_of(member.id);
            for (pool, count) in &mut seats {
                if roles.iter().filter_map(|role| self.role(role)).any(|role| role.seats.contains(pool)) {
                    count.0 += u32::from(member.state == State::Active);
                    count.1 += u32::from(member.state == State::Pending);
                }
            }
        }
        seats
    }

    /// Whether nothing that must hold of the state has been broken on the way from `before`.
    pub(in crate::machine) fn keeps_its_word(&self, before: &Self) -> bool {
        let (now, then) = (self.seats(), before.seats());
        let limits = &self.document.plans[&self.plan].seats;
        let seats = limits.iter().all(|(pool, limit)| {
            let count = |(active, pending): (u32, u32)| active + pending;
            count(now[pool]) <= *limit || count(now[pool]) <= count(then[pool])
        });
        let kept = self.document.roles.iter().filter(|(_, role)| role.min_holders > 0).all(|(key, role)| {
            let places: Vec<Place> = match role.level {
                RoleLevel::Organization => vec![Place::Organization],
                RoleLevel::App | RoleLevel::Feature => {
                    self.apps.iter().map(|app| Place::App { id: app.id, kind: app.kind.clone() }).collect()
                }
            };
            let left = |place: &&Place| match place {
                Place::Organization => true,
                Place::App { id, .. } => before.apps.iter().any(|app| app.id == *id),
            };
            places.iter().filter(left).all(|place| {
                let (was, is) = (before.holders_at(key, place), self.holders_at(key, place));
                is >= role.min_holders || was < role.min_holders && (*place != Place::Organization || is >= was)
            })
        });
        seats && kept && self.unmet().is_subset(&before.unmet())
    }

    /// How many active members hold a role there. An app role is held on that very app, by a team too; an organization role by
    /// oneself alone.
    fn holders_at(&self, key: &str, place: &Place) -> u32 {
        let held = Held::Role(key.to_owned());
        let given = self.grants.iter().filter(|(_, gift)| gift.held == held && gift.place == *place);
        let given: Vec<Grantee> = given.map(|(_, gift)| gift.grantee).collect();
        let by_others = *place != Place::Organization;
        let active = self.members.iter().filter(|member| member.state == State::Active);
        let holding = active.filter(|member| {
            given.iter().any(|grantee| match grantee {
                Grantee::Member(id) => *id == member.id,
                Grantee::Team(id) => by_others && self.teams_of(member.id).iter().any(|(team, _)| team.id == *id),
                Grantee::ServiceAccount(_) => false,
                Grantee::Everyone => by_others,
            })
        });
        u32::try_from(holding.count()).unwrap()
    }

    /// How many active members hold an organization role.
    pub(in crate::machine) fn holders(&self, role: &str) -> usize {
        let active = self.members.iter().filter(|member| member.state == State::Active);
        active.filter(|member| self.roles_of(member.id).iter().any(|held| held == role)).count()
    }
}
