//! The blueprint document as it is written in TOML: shape and defaults only, no rules (those are in `check`).

mod activity;
mod app;
mod import;
mod level;
mod people;
mod plan;
mod profile;
mod role;

use indexmap::IndexMap;
use serde::Deserialize;

pub use activity::{ActivityRules, ActivityTarget};
pub use app::{AppKind, AppVisibility, CreatorAccess, Feature, FeatureLevel, PublicRules, ROOT};
pub use import::ImportRules;
pub use level::{DenyMode, LevelRules, Levels};
pub use people::{
    EveryoneAccess, EveryoneRules, InvitationField, InvitationRules, OnRemove, RemovalRules, TeamPrivacy, TeamRules,
};
pub use plan::{Meter, MeterKind, MeterLimit, OnLimit, Plan};
pub use profile::{FieldKind, ProfileField, ProfileSection};
pub use role::{Automatic, Holder, InitialAccess, Role, RoleLevel};

/// A whole blueprint document. Unknown keys are refused everywhere.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The blueprint's name: lower-case words joined by `-`.
    pub name: String,
    /// Its version; a change to a blueprint is a new version.
    pub version: u32,
    /// What people call it.
    pub title: String,
    /// What kind of product it is for.
    #[serde(default)]
    pub description: String,
    /// How organizations of this blueprint begin.
    pub organization: OrganizationRules,
    /// The words for the three levels and what a refusal shows at each.
    #[serde(default)]
    pub levels: Levels,
    /// Labels and help of organization permissions: the gateway's own may be reworded, others are declared here.
    #[serde(default)]
    pub permissions: IndexMap<String, Text>,
    /// The kinds of apps, in the order screens show them.
    #[serde(default)]
    pub app_kinds: IndexMap<String, AppKind>,
    /// What a member holds exactly one role of each (`S0.15`, `S0.22`); empty: one slot, the main role.
    #[serde(default)]
    pub slots: IndexMap<String, Text>,
    /// The roles, strongest first.
    pub roles: IndexMap<String, Role>,
    /// What plans count.
    #[serde(default)]
    pub seat_pools: IndexMap<String, Text>,
    /// What is counted while it is used (`S0.13`).
    #[serde(default)]
    pub meters: IndexMap<String, Meter>,
    /// The plans, smallest first.
    pub plans: IndexMap<String, Plan>,
    /// How people are invited.
    #[serde(default)]
    pub invitation: InvitationRules,
    /// How people go.
    #[serde(default)]
    pub removal: RemovalRules,
    /// Whether and how there are teams.
    #[serde(default)]
    pub teams: TeamRules,
    /// What may be granted to every member at once.
    #[serde(default)]
    pub everyone: EveryoneRules,
    /// What products record, and for how long.
    #[serde(default)]
    pub activity: ActivityRules,
    /// What an organization says about itself, section by section (`S0.4`, `S4.15`, `S4.16`).
    #[serde(default)]
    pub profile: IndexMap<String, ProfileSection>,
    /// Which organizations may stand below one of this blueprint (`S2.42`).
    #[serde(default)]
    pub children: ChildRules,
    /// The navigation, in order.
    #[serde(default)]
    pub menus: Vec<Menu>,
    /// How an organization document (members, teams, repositories) maps to this blueprint; absent: no import.
    #[serde(default)]
    pub import: Option<ImportRules>,
}

/// A label and its help text, shown on hover (`S2.40`).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// A few words.
    pub label: String,
    /// One or two sentences.
    #[serde(default)]
    pub help: String,
}

/// How organizations begin.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationRules {
    /// The roles of the member who creates one (`S3.6`).
    pub creator_roles: Vec<String>,
    /// The plan it starts on.
    pub default_plan: String,
}

/// Which organizations may stand below one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChildRules {
    /// The names of the blueprints they may have; empty: there are no child organizations.
    pub blueprints: Vec<String>,
}

/// An entry of the navigation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Menu {
    /// Its key.
    pub key: String,
    /// What people see.
    pub label: String,
    /// The permissions of which one is needed; empty: every member sees it.
    #[serde(default)]
    pub any: Vec<String>,
}
