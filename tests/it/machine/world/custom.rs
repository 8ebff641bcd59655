//! Roles of the organization's own: each made after a customizable one of the blueprint, with a part of what that one holds.

use std::{collections::BTreeSet, sync::Arc};

use gatehouse_access::{
    Held,
    blueprint::document::{InitialAccess, Role, RoleLevel},
};

use super::World;

/// A role of the organization's own, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::machine) struct Custom {
    pub(in crate::machine) key: String,
    /// The blueprint's role it is made after.
    pub(in crate::machine) base: String,
    pub(in crate::machine) permissions: Vec<String>,
    /// As `kind.feature.action` or `kind.feature:level`.
    pub(in crate::machine) access: Vec<String>,
    pub(in crate::machine) enabled: bool,
}

impl World {
    /// Every right that a role of these names, wherever it is held.
    pub(in crate::machine) fn rights_of(&self, role: &Role) -> BTreeSet<String> {
        let named = |right: &String| {
            let (given, taken) = match right.split('.').count() {
                3 => (&role.access, &role.access_except),
                _ => (&role.permissions, &role.except),
            };
            given.iter().any(|selector| self.names(selector, right))
                && !taken.iter().any(|selector| self.names(selector, right))
        };
        self.all_rights().into_iter().filter(named).collect()
    }

    /// What a role of the organization's own gives: what it asks for, of what its base has.
    pub(in crate::machine) fn rights_of_custom(&self, custom: &Custom) -> BTreeSet<String> {
        let asked = |right: &String| match right.split('.').count() {
            3 => custom.access.iter().any(|selector| self.names(selector, right)),
            _ => custom.permissions.contains(right),
        };
        self.rights_of(&self.blueprint.roles[&custom.base]).into_iter().filter(asked).collect()
    }

    /// What it is as a role. It assigns what its base assigns only where it may give at all, and who holds less than the base
    /// is bounded. Nobody must hold it, and nothing comes with it.
    fn made_after(&self, custom: &Custom) -> Role {
        let base = &self.blueprint.roles[&custom.base];
        let gives = self.rights_of_custom(custom);
        let giving = if base.level == RoleLevel::Organization { "roles.assign" } else { "access.grant" };
        let may_give = gives.contains(giving);
        let bounded = base.bounded || gives != self.rights_of(base);
        let (access, permissions) = gives.into_iter().partition(|right| right.split('.').count() == 3);
        Role {
            permissions,
            except: vec![],
            access,
            access_except: vec![],
            assigns: if may_give { base.assigns.clone() } else { vec![] },
            delegates: if may_give { base.delegates.clone() } else { vec![] },
            bounded,
            automatic: vec![],
            initial_access: InitialAccess::None,
            min_holders: 0,
            max_holders: None,
            transfer: None,
            customizable: false,
            ..base.clone()
        }
    }

    /// The rules of now, after a role of the organization's own has come, changed or gone. Whoever assigns the base assigns it,
    /// and what asks for the base is content with it; one that is switched off is no role.
    pub(in crate::machine) fn live_by_own_roles(&mut self) {
        let mut document = (*self.blueprint).clone();
        let enabled: Vec<&Custom> = self.custom.iter().filter(|custom| custom.enabled).collect();
        for custom in &enabled {
            document.roles.insert(custom.key.clone(), self.made_after(custom));
        }
        for role in document.roles.values_mut() {
            for names in [&mut role.assigns, &mut role.delegates, &mut role.requires] {
                let with =
                    enabled.iter().filter(|custom| names.contains(&custom.base)).map(|custom| custom.key.clone());
                let with: Vec<String> = with.collect();
                names.extend(with);
            }
        }
        self.document = Arc::new(document);
    }

    /// Whether anybody holds a role, a pending member or a team too.
    pub(in crate::machine) fn is_used(&self, role: &str) -> bool {
        self.grants.iter().any(|(_, gift)| gift.held == Held::Role(role.to_owned()))
    }
}
