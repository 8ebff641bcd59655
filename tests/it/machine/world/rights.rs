//! Who may give and take what, and what a grantee's own roles let it hold: the rules of delegation, once more.

use std::collections::BTreeSet;

use gatehouse_access::{
    AppRef, Facts, Grant, Grantee, Held, Place, PrincipalId, Question,
    blueprint::document::{Holder, Role, RoleLevel},
    verb::PERMISSIONS,
};
use uuid::Uuid;

use super::{Gift, Member, World};
use crate::machine::naive;

impl World {
    /// The apps whose grants reach a place: its own and those above it.
    fn reaching(&self, place: &Place) -> Vec<Uuid> {
        let mut apps = self.ancestors(place);
        if let Place::App { id, .. } = place {
            apps.insert(0, *id);
        }
        apps
    }

    /// Every right there is, written as `area.verb` or `kind.feature.action`.
    pub(in crate::machine) fn all_rights(&self) -> BTreeSet<String> {
        let known = PERMISSIONS.iter().map(|known| known.key.to_owned());
        let mut rights: BTreeSet<String> = known.chain(self.document.permissions.keys().cloned()).collect();
        for (kind, rules) in &self.document.app_kinds {
            for feature in rules.features.keys() {
                rights.extend(self.rights_of_feature(kind, feature));
            }
        }
        rights
    }

    fn rights_of_feature(&self, kind: &str, feature: &str) -> Vec<String> {
        let known = self.document.app_kinds.get(kind).and_then(|kind| kind.features.get(feature));
        let actions = known.into_iter().flat_map(|known| known.actions.keys());
        actions.map(|action| format!("{kind}.{feature}.{action}")).collect()
    }

    /// Whether these facts give a right that could be passed on where the grants on these apps reach.
    fn has(&self, facts: &Facts, above: &[Uuid], right: &str) -> bool {
        let at = |kind| AppRef { id: Uuid::max(), kind, ancestors: above, active: true, public: false };
        let parts: Vec<&str> = right.split('.').collect();
        match parts[..] {
            [kind, feature, action] => self.allows(facts, Question::Action { app: at(kind), feature, action }),
            _ => self.allows(facts, Question::PermissionOn { permission: right, app: at("") }),
        }
    }

    /// Everything these facts give that could be passed on at a place, word by word.
    pub(in crate::machine) fn rights_at(&self, facts: &Facts, place: &Place) -> BTreeSet<String> {
        let above = self.reaching(place);
        self.all_rights().into_iter().filter(|right| self.has(facts, &above, right)).collect()
    }

    /// Somebody who holds this and nothing else.
    fn holder_of(gift: &Gift) -> Facts {
        let nobody = PrincipalId::member(Uuid::max());
        Facts {
            organization: Uuid::nil(),
            organization_active: true,
            principal: nobody,
            principal_active: true,
            teams: vec![],
            grants: vec![Grant {
                id: Uuid::nil(),
                grantee: Grantee::Member(nobody.id),
                path: vec![],
                held: gift.held.clone(),
                place: gift.place.clone(),
                expires_at: None,
            }],
            scopes: None,
        }
    }

    /// Whether a gift gives one right by itself.
    pub(super) fn gives_right(&self, gift: &Gift, right: &str) -> bool {
        self.has(&Self::holder_of(gift), &self.reaching(&gift.place), right)
    }

    /// Whether a gift gives anything of a feature, named as `kind.feature`.
    pub(super) fn opens(&self, gift: &Gift, feature: &str) -> bool {
        let (kind, feature) = feature.split_once('.').unwrap();
        self.rights_of_feature(kind, feature).iter().any(|right| self.gives_right(gift, right))
    }

    /// What a gift gives by itself. A role's own ceiling is never below what it gives.
    fn gives(&self, gift: &Gift) -> BTreeSet<String> {
        let (facts, above) = (Self::holder_of(gift), self.reaching(&gift.place));
        let asked = match &gift.held {
            Held::Role(_) => self.all_rights(),
            Held::Feature { kind, feature, .. } => self.rights_of_feature(kind, feature).into_iter().collect(),
        };
        asked.into_iter().filter(|right| self.has(&facts, &above, right)).collect()
    }

    pub(in crate::machine) fn role(&self, key: &str) -> Option<&Role> {
        self.document.roles.get(key)
    }

    /// Organization roles that fill a slot of members.
    pub(in crate::machine) fn is_main(&self, key: &str) -> bool {
        self.role(key).is_some_and(|role| {
            role.level == RoleLevel::Organization && !role.flag && role.holders.contains(&Holder::Member)
        })
    }

    pub(in crate::machine) fn slot(&self, key: &str) -> Option<String> {
        let only = self.document.slots.keys().next().cloned().unwrap_or_default();
        self.is_main(key).then(|| self.role(key).and_then(|role| role.slot.clone()).unwrap_or(only))
    }

    /// The organization roles that a member holds by grants of its own.
    pub(in crate::machine) fn roles_of(&self, member: Uuid) -> Vec<String> {
        let own = self
            .grants
            .iter()
            .filter(|(_, gift)| gift.grantee == Grantee::Member(member) && gift.place == Place::Organization);
        own.filter_map(|(_, gift)| match &gift.held {
            Held::Role(role) => Some(role.clone()),
            Held::Feature { .. } => None,
        })
        .collect()
    }

    /// The rules of every role by which somebody may give at a place.
    fn rules_at(&self, facts: &Facts, place: &Place) -> Vec<&Role> {
        let above = self.ancestors(place);
        let reaches = |grant: &&Grant| match (&grant.place, place) {
            (Place::Organization, _) => true,
            (Place::App { .. }, Place::Organization) => false,
            (Place::App { id, .. }, Place::App { id: here, .. }) => id == here || above.contains(id),
        };
        let held = facts.grants.iter().filter(reaches).filter_map(|grant| match &grant.held {
            Held::Role(role) => self.role(role),
            Held::Feature { .. } => None,
        });
        held.collect()
    }

    pub(in crate::machine) fn assigns(&self, facts: &Facts, role: &str, place: &Place) -> bool {
        self.rules_at(facts, place).iter().any(|rules| rules.assigns.iter().any(|name| name == "*" || name == role))
    }

    /// Whether the blueprint has this to give there, to such a grantee.
    pub(in crate::machine) fn fits(&self, gift: &Gift) -> bool {
        match &gift.held {
            Held::Role(key) => self.role(key).is_some_and(|role| {
                let holder = match gift.grantee {
                    Grantee::Member(_) => Holder::Member,
                    Grantee::Team(_) => Holder::Team,
                    Grantee::ServiceAccount(_) => Holder::ServiceAccount,
                    Grantee::Everyone => Holder::Everyone,
                };
                let place = match (role.level, &gift.place) {
                    (RoleLevel::Organization, Place::Organization) => true,
                    (RoleLevel::App, Place::App { kind, .. }) => role.kinds.is_empty() || role.kinds.contains(kind),
                    (RoleLevel::Feature, Place::App { kind, .. }) => {
                        role.feature.as_ref().is_some_and(|feature| feature.split('.').next() == Some(kind))
                    }
                    _ => false,
                };
                place && role.holders.contains(&holder)
            }),
            Held::Feature { kind, feature, level } => {
                let known = self.document.app_kinds.get(kind).and_then(|kind| kind.features.get(feature));
                let level_fits = known.is_some_and(|known| match level {
                    None => known.levels.is_empty(),
                    Some(level) => known.levels.iter().any(|known| known.key == *level),
                });
                let place = match &gift.place {
                    Place::Organization => true,
                    Place::App { kind: there, .. } => there == kind,
                };
                let everyone = gift.grantee != Grantee::Everyone
                    || gift.place == Place::Organization
                        && self.document.everyone.access.iter().any(|access| {
                            access.app_kind == *kind
                                && access.feature == *feature
                                && level.as_ref().is_some_and(|level| access.levels.contains(level))
                        });
                level_fits && place && everyone && known.is_some_and(|known| !known.roles_only)
            }
        }
    }

    /// Nobody raises themselves; where the blueprint says bounded, nobody gives what they do not hold.
    pub(in crate::machine) fn within_bounds(&self, author: &Member, gift: &Gift) -> bool {
        let facts = self.facts(author);
        let above = self.reaching(&gift.place);
        let holds = self.gives(gift).iter().all(|right| self.has(&facts, &above, right));
        let is_self = match gift.grantee {
            Grantee::Member(id) => id == author.id,
            Grantee::Team(id) => facts.teams.iter().any(|team| team.id == id),
            Grantee::ServiceAccount(_) => false,
            Grantee::Everyone => true,
        };
        let mut rules = self.rules_at(&facts, &gift.place).into_iter();
        let is_free = rules
            .any(|rules| !rules.bounded || matches!(&gift.held, Held::Role(role) if rules.delegates.contains(role)));
        holds || !is_self && is_free
    }

    pub(in crate::machine) fn may_give(&self, author: &Member, gift: &Gift) -> bool {
        let assigned = match &gift.held {
            Held::Role(role) => self.assigns(&self.facts(author), role, &gift.place),
            Held::Feature { .. } => true,
        };
        self.fits(gift) && assigned && self.within_bounds(author, gift)
    }

    /// Whether a member's own roles let it hold this: prerequisites and ceilings.
    pub(in crate::machine) fn may_hold(&self, roles: &[String], gift: &Gift) -> bool {
        let prerequisite = match &gift.held {
            Held::Role(role) => self.role(role).is_some_and(|role| {
                role.requires.is_empty() || role.requires.iter().any(|needed| roles.contains(needed))
            }),
            Held::Feature { .. } => true,
        };
        prerequisite && self.gives(gift).iter().all(|right| self.is_below_ceilings(roles, right))
    }

    /// Whether a holder of these roles may have this right at all (`Q14`).
    pub(in crate::machine) fn is_below_ceilings(&self, roles: &[String], right: &str) -> bool {
        let mut ceilings = roles.iter().filter_map(|role| self.role(role)?.ceiling.as_ref());
        ceilings.all(|ceiling| ceiling.iter().any(|selector| self.names(selector, right)))
    }

    /// Whether a selector names a right, written as `area.verb` or `kind.feature.action`.
    pub(super) fn names(&self, selector: &str, right: &str) -> bool {
        let parts: Vec<&str> = right.split('.').collect();
        match parts[..] {
            [kind, feature, action] => self
                .document
                .app_kinds
                .get(kind)
                .and_then(|kind| kind.features.get(feature))
                .is_some_and(|rules| naive::names_action(selector, &naive::Spot { kind, feature, action, rules })),
            _ => naive::names_permission(selector, right),
        }
    }

    /// Whether somebody gives and takes a role at a place.
    pub(in crate::machine) fn may_assign(&self, author: &Member, role: &str, place: &Place) -> bool {
        self.role(role).is_none() || self.assigns(&self.facts(author), role, place)
    }

    pub(in crate::machine) fn may_take(&self, author: &Member, roles: &[String]) -> bool {
        let facts = self.facts(author);
        roles
            .iter()
            .filter(|role| self.role(role).is_some())
            .all(|role| self.assigns(&facts, role, &Place::Organization))
    }

    /// Whether somebody with these roles is above who gives access: as for taking the roles; for an author who assigns none, those
    /// are who give access themselves.
    pub(in crate::machine) fn is_above(&self, author: &Member, roles: &[String]) -> bool {
        let assigns_any =
            self.rules_at(&self.facts(author), &Place::Organization).iter().any(|rules| !rules.assigns.is_empty());
        let gives_access = |role: &&String| {
            let held = Held::Role((*role).clone());
            let gift = Gift { grantee: Grantee::Member(author.id), held, place: Place::Organization };
            self.gives_right(&gift, "access.grant")
        };
        let counted: Vec<String> = roles.iter().filter(|role| assigns_any || gives_access(role)).cloned().collect();
        !self.may_take(author, &counted)
    }

    /// Features of a member above the author are not the author's to change, where it gives in the whole organization.
    pub(in crate::machine) fn is_of_nobody_above(&self, author: &Member, gift: &Gift) -> bool {
        let (Grantee::Member(id), Held::Feature { .. }) = (gift.grantee, &gift.held) else { return true };
        id == author.id || !self.holds(author, "access.grant") || !self.is_above(author, &self.roles_of(id))
    }
}
