//! The blueprint's words as types: app kinds with features and actions, roles, plans, menus. All of it is data of the
//! blueprint; nothing here asks for one by name.

use std::sync::Arc;

use async_graphql::{Object, SimpleObject};

use crate::{
    access::blueprint::document,
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

/// A role of the blueprint.
#[derive(Debug, Clone, SimpleObject)]
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
    /// Whether it is held beside the one main role.
    pub flag: bool,
}

impl RoleDefinition {
    /// As the blueprint has it; `None` for a key it does not have.
    #[must_use]
    pub fn of(standing: &Standing, key: &str) -> Option<Self> {
        Self::in_blueprint(&standing.blueprint, key)
    }

    /// The same of a blueprint by itself.
    #[must_use]
    pub fn in_blueprint(installed: &Installed, key: &str) -> Option<Self> {
        let role = installed.rules.document().roles.get(key)?;
        let levels = &installed.rules.document().levels;
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
        })
    }
}

/// What a plan limits.
#[derive(Debug, Clone, SimpleObject)]
pub struct PlanSeats {
    /// The seat pool's key.
    pub pool: String,
    /// The pool's label.
    pub label: String,
    /// How many seats; null: no limit.
    pub limit: Option<u32>,
}

/// A plan.
#[derive(Debug, Clone, SimpleObject)]
pub struct Plan {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// Its seats, by pool.
    pub seats: Vec<PlanSeats>,
}

impl Plan {
    /// As the blueprint has it; `None` for a key it does not have.
    #[must_use]
    pub fn of(installed: &Installed, key: &str) -> Option<Self> {
        let document = installed.rules.document();
        let plan = document.plans.get(key)?;
        let seats = document.seat_pools.iter().map(|(pool, text)| PlanSeats {
            pool: pool.clone(),
            label: text.label.clone(),
            limit: plan.seats.get(pool).copied(),
        });
        Some(Self { key: key.to_owned(), label: plan.label.clone(), seats: seats.collect() })
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
