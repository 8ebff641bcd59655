//! The blueprint's words as types: app kinds with features and actions, roles, menus. All of it is data of the
//! blueprint; nothing here asks for one by name.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Object, Result, SimpleObject};

use super::context::InContext;
use crate::{
    access::{blueprint::document, compare::FeatureAccess},
    service::{Standing, blueprint::Installed},
};

/// The rules an organization lives by.
#[derive(Debug, Clone)]
pub struct Blueprint(pub Arc<Installed>);

/// The rules an organization lives by.
#[Object]
impl Blueprint {
    /// Its name, the same in every version.
    async fn name(&self) -> &str {
        self.0.rules.name()
    }

    /// The version the organization is pinned to.
    async fn version(&self) -> u32 {
        self.0.rules.version()
    }

    /// What people call it.
    async fn title(&self) -> &str {
        &self.0.rules.document().title
    }

    /// What kind of product it is for.
    async fn description(&self) -> &str {
        &self.0.rules.document().description
    }
}

/// What can be done in a feature.
#[derive(Debug, Clone, SimpleObject)]
pub struct Action {
    /// Its key.
    pub key: String,
    /// A few words.
    pub label: String,
    /// One or two sentences, to be shown on hover.
    pub help: String,
    /// Whether ticking the feature gives it (features without levels).
    pub granted: bool,
}

/// An access level of a feature; each contains those before it.
#[derive(Debug, Clone, SimpleObject)]
pub struct AccessLevel {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// The actions it adds to the level before it.
    pub actions: Vec<String>,
}

/// A named part of an app kind.
#[derive(Debug, Clone, SimpleObject)]
pub struct Feature {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// What it is for.
    pub help: String,
    /// What can be done in it.
    pub actions: Vec<Action>,
    /// Its access levels, weakest first; empty: it is ticked or not.
    pub levels: Vec<AccessLevel>,
    /// Features that must be granted with it.
    pub requires: Vec<String>,
    /// Whether it is given by roles alone, and never ticked by itself.
    pub roles_only: bool,
}

/// A kind of app.
#[derive(Debug, Clone, SimpleObject)]
pub struct AppKind {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// What it is for.
    pub help: String,
    /// Its features, in the order screens show them.
    pub features: Vec<Feature>,
}

impl AppKind {
    /// As the blueprint has it.
    #[must_use]
    pub fn new(key: &str, kind: &document::AppKind) -> Self {
        let features = kind.features.iter().map(|(key, feature)| Feature::new(key, feature)).collect();
        Self { key: key.to_owned(), label: kind.label.clone(), help: kind.help.clone(), features }
    }
}

impl Feature {
    /// As the blueprint has it.
    #[must_use]
    pub fn new(key: &str, feature: &document::Feature) -> Self {
        let granted = |action: &String| {
            feature.levels.is_empty() && feature.granted.as_ref().is_none_or(|granted| granted.contains(action))
        };
        let action = |(key, text): (&String, &document::Text)| Action {
            key: key.clone(),
            label: text.label.clone(),
            help: text.help.clone(),
            granted: granted(key),
        };
        let level = |level: &document::FeatureLevel| AccessLevel {
            key: level.key.clone(),
            label: level.label.clone(),
            actions: level.actions.clone(),
        };
        Self {
            key: key.to_owned(),
            label: feature.label.clone(),
            help: feature.help.clone(),
            actions: feature.actions.iter().map(action).collect(),
            levels: feature.levels.iter().map(level).collect(),
            requires: feature.requires.clone(),
            roles_only: feature.roles_only,
        }
    }
}

/// Where a role holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum RoleLevel {
    /// In the organization.
    Organization,
    /// On one app.
    App,
    /// In one feature of one app.
    Feature,
}

/// What an invitation with a role gives where no access is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
#[graphql(remote = "document::InitialAccess")]
pub enum InitialAccess {
    /// Nothing.
    None,
    /// Every feature of every app.
    All,
    /// Everything that the inviter has.
    Inviter,
}

/// Whether a role gives anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum RoleState {
    /// It can be held.
    Enabled,
    /// It gives nothing, and nobody can be given it: a role of the organization's own that was switched off.
    Disabled,
}

/// What a role gives of one feature of an app kind.
#[derive(Debug, Clone, SimpleObject)]
pub struct RoleAccess {
    /// The app kind's key.
    pub kind: String,
    /// The feature's key.
    pub feature: String,
    /// The strongest access level it contains whole; null where the feature has no levels, or none is contained.
    pub level: Option<String>,
    /// The actions it gives, in the blueprint's order.
    pub actions: Vec<String>,
}

impl From<FeatureAccess> for RoleAccess {
    fn from(access: FeatureAccess) -> Self {
        let FeatureAccess { kind, feature, level, actions } = access;
        Self { kind, feature, level, actions }
    }
}

/// A role: the blueprint's, or one of the organization's own.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of its own in the schema")]
pub struct RoleDefinition {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// What it is for.
    pub help: String,
    /// What to warn of before giving it.
    pub warning: Option<String>,
    /// Where it holds.
    pub level: RoleLevel,
    /// What people call that level, to be shown wherever the role is.
    pub level_label: String,
    /// The app kinds on which an app role may be held; empty: all.
    pub kinds: Vec<String>,
    /// The feature in which a feature role holds, as `kind.feature`.
    pub feature: Option<String>,
    /// Whether it is held beside the main roles.
    pub flag: bool,
    /// The slot it fills, by its key; null for a flag.
    pub slot: Option<String>,
    /// The seat pools its holders take a seat of, by their keys.
    pub seats: Vec<String>,
    /// What an invitation with it gives where no access is chosen: how the toggle between all and custom stands at first.
    pub initial_access: InitialAccess,
    /// The organization permissions it gives, by key.
    pub permissions: Vec<String>,
    /// The access to apps it gives, feature by feature.
    pub access: Vec<RoleAccess>,
    /// Other spellings by which it may be named.
    pub aliases: Vec<String>,
    /// The roles of which one must be held to hold this one.
    pub requires: Vec<String>,
    /// Narrower roles to think of before giving this one.
    pub instead: Vec<String>,
    /// Whether it is a role of the organization's own.
    pub is_custom: bool,
    /// The blueprint's role that a role of the organization's own is made after.
    pub base: Option<String>,
    /// Whether it gives anything.
    pub state: RoleState,
    /// Whether the organization may make roles of its own after it.
    pub customizable: bool,
    /// Whether its holder can hand it over to somebody else.
    pub transferable: bool,
    /// Where it is held.
    #[graphql(skip)]
    pub organization: Option<uuid::Uuid>,
}

#[ComplexObject]
impl RoleDefinition {
    /// How often it is given, to pending members and teams too. Null without the permission `members.read`, and among the
    /// organizations that the caller is not in at the moment.
    async fn holders(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        let here = ctx.access()?.standing.as_ref();
        let here = here.filter(|standing| self.organization == Some(standing.place.id));
        if here.is_none_or(|standing| !standing.rights.holds("members.read")) {
            return Ok(None);
        }
        let uses = ctx.request()?.roles.uses(&self.key).await?;
        Ok(Some(i32::try_from(uses).unwrap_or(i32::MAX)))
    }
}

/// What a member holds exactly one organization role of.
#[derive(Debug, Clone, SimpleObject)]
pub struct RoleSlot {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// What it is for.
    pub help: String,
}

impl RoleSlot {
    /// Those of a blueprint, in its order.
    #[must_use]
    pub fn all(rules: &crate::access::Blueprint) -> Vec<Self> {
        rules.slots().into_iter().map(|(key, text)| Self { key, label: text.label, help: text.help }).collect()
    }
}

impl RoleDefinition {
    /// As the organization has it; `None` for a key it does not have.
    #[must_use]
    pub fn of(standing: &Standing, key: &str) -> Option<Self> {
        let organization = Some(standing.place.id);
        Some(Self { organization, ..Self::in_blueprint(&standing.blueprint, key)? })
    }

    /// Every role there is, the blueprint's first and strongest first.
    #[must_use]
    pub fn all(standing: &Standing) -> Vec<Self> {
        let roles = &standing.blueprint.rules.document().roles;
        let disabled =
            standing.blueprint.custom.iter().map(|custom| &custom.key).filter(|key| !roles.contains_key(*key));
        roles.keys().chain(disabled).filter_map(|key| Self::of(standing, key)).collect()
    }

    /// The same of the rules by themselves.
    #[must_use]
    pub fn in_blueprint(installed: &Installed, key: &str) -> Option<Self> {
        let rules = &installed.rules;
        let custom = installed.custom.iter().find(|custom| custom.key == key);
        // A role that is switched off is not among the rules.
        let disabled = custom.filter(|custom| !custom.enabled).and_then(|custom| rules.custom_role(custom));
        let role = rules.document().roles.get(key).or(disabled.as_ref())?;
        let gives = rules.rights_of(role);
        let levels = &rules.document().levels;
        let (level, words, otherwise) = match role.level {
            document::RoleLevel::Organization => (RoleLevel::Organization, &levels.organization, "Organization"),
            document::RoleLevel::App => (RoleLevel::App, &levels.app, "App"),
            document::RoleLevel::Feature => (RoleLevel::Feature, &levels.feature, "Feature"),
        };
        let level_label = if words.label.is_empty() { otherwise.to_owned() } else { words.label.clone() };
        Some(Self {
            key: key.to_owned(),
            label: role.label.clone(),
            help: role.help.clone(),
            warning: role.warning.clone(),
            level,
            level_label,
            kinds: role.kinds.clone(),
            feature: role.feature.clone(),
            flag: role.flag,
            slot: installed.rules.slot_of(key).map(str::to_owned),
            seats: role.seats.clone(),
            initial_access: role.initial_access.into(),
            permissions: rules.permissions_of(&gives),
            access: rules.access_of(&gives).into_iter().map(RoleAccess::from).collect(),
            aliases: role.aliases.clone(),
            requires: role.requires.clone(),
            instead: role.instead.clone(),
            is_custom: custom.is_some(),
            base: custom.map(|custom| custom.base.clone()),
            state: if disabled.is_some() { RoleState::Disabled } else { RoleState::Enabled },
            customizable: role.customizable,
            transferable: role.transfer.is_some(),
            organization: None,
        })
    }
}

/// An entry of the navigation that the caller sees.
#[derive(Debug, Clone, SimpleObject)]
pub struct Menu {
    /// Its key.
    pub key: String,
    /// What people see.
    pub label: String,
}

impl Menu {
    /// The entries this principal sees, in the blueprint's order.
    #[must_use]
    pub fn visible(standing: &Standing) -> Vec<Self> {
        let menus = standing.blueprint.rules.document().menus.iter();
        menus
            .filter(|menu| menu.any.is_empty() || menu.any.iter().any(|permission| standing.rights.holds(permission)))
            .map(|menu| Self { key: menu.key.clone(), label: menu.label.clone() })
            .collect()
    }
}
