//! Roles of an organization's own: each made after a customizable role of the blueprint, with less and never with more.
//!
//! Whatever a row says, [`Blueprint::with_custom_roles`] keeps a custom role within its base: a selector that names nothing of
//! this version, or something that the base does not have, gives nothing.

use serde::{Deserialize, Serialize};

use super::{
    Blueprint, RightSet,
    document::{InitialAccess, Role, RoleLevel},
    selector::{Reach, SelectorError},
};

/// What the key of a custom role begins with. Keys of a blueprint have no colon, so the two never meet, in no version.
pub const CUSTOM_PREFIX: &str = "custom:";

/// The permission without which a custom role neither gives nor takes roles, whatever its base does: what giving asks for where
/// the role holds (`S4.19`).
const fn giving(level: RoleLevel) -> &'static str {
    match level {
        RoleLevel::Organization => "roles.assign",
        RoleLevel::App | RoleLevel::Feature => "access.grant",
    }
}

/// A role of an organization's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CustomRole {
    /// [`CUSTOM_PREFIX`] and a name that is unique in the organization.
    pub key: String,
    /// The blueprint's role it is made after.
    pub base: String,
    /// What people call it.
    pub label: String,
    /// What it is for.
    pub help: String,
    /// Organization permissions, as selectors.
    pub permissions: Vec<String>,
    /// Access to apps, as selectors.
    pub access: Vec<String>,
    /// Whether it gives anything.
    pub enabled: bool,
}

impl Blueprint {
    /// These rules with an organization's own roles: those that are enabled, and whose base is there and customizable.
    ///
    /// Whoever assigns the base assigns them, and what asks for the base is content with them.
    #[must_use]
    pub fn with_custom_roles(&self, customs: &[CustomRole]) -> Self {
        let enabled = || customs.iter().filter(|custom| custom.enabled);
        let roles = enabled().filter_map(|custom| Some((custom.key.clone(), self.custom_role(custom)?)));
        let mut extended = self.with_roles(roles);
        let disabled = customs.iter().filter(|custom| !custom.enabled);
        extended.disabled = disabled.map(|custom| (custom.key.clone(), custom.label.clone())).collect();
        for rules in extended.document.roles.values_mut() {
            for names in [&mut rules.assigns, &mut rules.delegates, &mut rules.requires] {
                let made_after =
                    enabled().filter(|custom| names.contains(&custom.base)).map(|custom| custom.key.clone());
                let made_after: Vec<String> = made_after.collect();
                names.extend(made_after);
            }
        }
        extended
    }

    /// What people call the organization's own role of this key, where it is there and switched off.
    #[must_use]
    pub fn disabled_role(&self, key: &str) -> Option<&str> {
        self.disabled.get(key).map(String::as_str)
    }

    /// A custom role as a role: what its base is, and of what its base gives the part it selects. `None` where its base is
    /// gone or not customizable.
    ///
    /// A role with less than its base is bounded whatever its base is, so that its holders cannot give somebody else what was
    /// left out of it (abuse case C17).
    #[must_use]
    pub fn custom_role(&self, custom: &CustomRole) -> Option<Role> {
        let base = self.document.roles.get(&custom.base).filter(|base| base.customizable)?;
        let whole = self.role(&custom.base)?;
        let rights = self.custom_rights(custom);
        let permissions = self.permissions_of(&rights);
        let assigns = permissions.iter().any(|key| key == giving(base.level));
        let given = |names: &[String]| if assigns { names.to_vec() } else { Vec::new() };
        Some(Role {
            label: custom.label.clone(),
            help: custom.help.clone(),
            permissions,
            except: Vec::new(),
            access: self.actions_of(&rights),
            access_except: Vec::new(),
            assigns: given(&base.assigns),
            delegates: given(&base.delegates),
            bounded: base.bounded || !rights.contains(whole),
            aliases: Vec::new(),
            automatic: Vec::new(),
            initial_access: InitialAccess::None,
            min_holders: 0,
            max_holders: None,
            primary: false,
            transfer: None,
            customizable: false,
            instead: Vec::new(),
            ..base.clone()
        })
    }

    /// What a custom role gives where it holds: nothing where its base is gone.
    #[must_use]
    pub fn custom_rights(&self, custom: &CustomRole) -> RightSet {
        let mut rights = self.select_known(&custom.permissions, Reach::Permissions);
        rights.add(&self.select_known(&custom.access, Reach::Access));
        let base = self.document.roles.get(&custom.base).filter(|base| base.customizable);
        match base.and_then(|_| self.role(&custom.base)) {
            Some(base) => rights.keep(base),
            None => rights = RightSet::empty(self.kinds.len()),
        }
        rights
    }

    /// What a selector of organization permissions stands for.
    ///
    /// # Errors
    /// [`SelectorError`] when it names nothing of this blueprint.
    pub fn permission_rights(&self, text: &str) -> Result<RightSet, SelectorError> {
        self.select(text, Reach::Permissions)
    }

    /// What a selector of access to apps stands for.
    ///
    /// # Errors
    /// [`SelectorError`] when it names nothing of this blueprint.
    pub fn access_rights(&self, text: &str) -> Result<RightSet, SelectorError> {
        self.select(text, Reach::Access)
    }
}
