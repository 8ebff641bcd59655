//! Roles by their keys: what they give, which slots they fill, and an organization's own roles beside the blueprint's.

use indexmap::IndexMap;

use super::{
    Blueprint, RightSet,
    document::{Holder, Role, RoleLevel, Text},
    selector::Reach,
};

/// The slot of blueprints that declare none.
const ONLY_SLOT: &str = "role";

/// What a role gives where it holds, and the most that its holders can have.
#[derive(Debug, Clone)]
pub(super) struct RoleRights {
    gives: RightSet,
    ceiling: Option<RightSet>,
}

impl Blueprint {
    pub(super) fn compile_role(&self, role: &Role) -> RoleRights {
        let ceiling = role.ceiling.as_ref().map(|selectors| self.select_known(selectors, Reach::Both));
        RoleRights { gives: self.rights_of(role), ceiling }
    }

    /// What a role gives where it holds, by its selectors; those that name nothing give nothing.
    #[must_use]
    pub fn rights_of(&self, role: &Role) -> RightSet {
        let mut rights = self.select_known(&role.permissions, Reach::Permissions);
        rights.remove(&self.select_known(&role.except, Reach::Permissions));
        let mut access = self.select_known(&role.access, Reach::Access);
        access.remove(&self.select_known(&role.access_except, Reach::Access));
        rights.add(&access);
        rights
    }

    /// These rules with an organization's own roles added; a key that the blueprint has stays the blueprint's.
    #[must_use]
    pub fn with_roles(&self, roles: impl IntoIterator<Item = (String, Role)>) -> Self {
        let mut extended = self.clone();
        for (key, role) in roles {
            if extended.document.roles.contains_key(&key) {
                continue;
            }
            extended.roles.insert(key.clone(), self.compile_role(&role));
            extended.document.roles.insert(key, role);
        }
        extended
    }

    /// The rights of a role where it holds.
    #[must_use]
    pub fn role(&self, key: &str) -> Option<&RightSet> {
        self.roles.get(key).map(|role| &role.gives)
    }

    /// The most that holders of a role can have by whatever grants (`Q14`); `None` is no bound.
    #[must_use]
    pub fn ceiling(&self, key: &str) -> Option<&RightSet> {
        self.roles.get(key).and_then(|role| role.ceiling.as_ref())
    }

    /// The key of the role that is named so: its key, or another spelling of it (`S1.35`).
    #[must_use]
    pub fn role_key(&self, name: &str) -> Option<&str> {
        let roles = &self.document.roles;
        let exact = roles.get_key_value(name);
        let alias = || roles.iter().find(|(_, role)| role.aliases.iter().any(|alias| alias == name));
        exact.or_else(alias).map(|(key, _)| key.as_str())
    }

    /// The slots of which a member holds exactly one organization role each, in the document's order (`S0.15`).
    #[must_use]
    pub fn slots(&self) -> IndexMap<String, Text> {
        if self.document.slots.is_empty() {
            let text = Text { label: "Role".to_owned(), help: String::new() };
            return IndexMap::from([(ONLY_SLOT.to_owned(), text)]);
        }
        let filled = |slot: &str| self.main_roles().any(|(key, _)| self.slot_of(key) == Some(slot));
        let slots = self.document.slots.iter().filter(|(key, _)| filled(key));
        slots.map(|(key, text)| (key.clone(), text.clone())).collect()
    }

    /// The slot that a role fills: an organization role one of [`Blueprint::slots`], unless it is a flag; an app role the one
    /// it names.
    #[must_use]
    pub fn slot_of(&self, key: &str) -> Option<&str> {
        let role = self.document.roles.get(key)?;
        match role.level {
            _ if role.flag => None,
            RoleLevel::Organization if !role.holders.contains(&Holder::Member) => None,
            RoleLevel::Organization if self.document.slots.is_empty() => Some(ONLY_SLOT),
            RoleLevel::Organization if self.document.slots.len() == 1 => {
                role.slot.as_deref().or_else(|| self.document.slots.keys().next().map(String::as_str))
            }
            RoleLevel::Organization | RoleLevel::App | RoleLevel::Feature => role.slot.as_deref(),
        }
    }

    /// The organization roles that fill a slot of members (all that are not flags), in the document's order.
    pub fn main_roles(&self) -> impl Iterator<Item = (&str, &Role)> {
        self.document
            .roles
            .iter()
            .filter(|(_, role)| {
                role.level == RoleLevel::Organization && !role.flag && role.holders.contains(&Holder::Member)
            })
            .map(|(key, role)| (key.as_str(), role))
    }
}
