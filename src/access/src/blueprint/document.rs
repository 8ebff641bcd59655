//! The blueprint document as it is written in TOML: shape and defaults only, no rules (those are in `check`).

use indexmap::IndexMap;
use serde::Deserialize;

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
    /// The roles, strongest first.
    pub roles: IndexMap<String, Role>,
    /// What plans count.
    #[serde(default)]
    pub seat_pools: IndexMap<String, Text>,
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

/// What a principal without access is shown at a level (`Q17`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DenyMode {
    /// Nothing: it answers as if it did not exist.
    #[default]
    Hide,
    /// That it exists, locked.
    ShowLocked,
}

/// The words for one level.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelRules {
    /// What people call it.
    #[serde(default)]
    pub label: String,
    /// What a principal without access is shown.
    #[serde(default)]
    pub deny: DenyMode,
}

/// The three levels.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    /// The organization.
    #[serde(default)]
    pub organization: LevelRules,
    /// An app of the organization.
    #[serde(default)]
    pub app: LevelRules,
    /// A feature of an app.
    #[serde(default)]
    pub feature: LevelRules,
}

/// A kind of app.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppKind {
    /// What people call it.
    pub label: String,
    /// What it is for.
    #[serde(default)]
    pub help: String,
    /// The kinds it may stand under; empty: it stands in the organization itself.
    #[serde(default)]
    pub parents: Vec<String>,
    /// Its features, in the order screens show them.
    pub features: IndexMap<String, Feature>,
}

/// A feature of an app kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// What people call it.
    pub label: String,
    /// What it is for.
    #[serde(default)]
    pub help: String,
    /// What can be done in it.
    pub actions: IndexMap<String, Text>,
    /// The actions that a tick gives; absent: all of them. Not with `levels`.
    #[serde(default)]
    pub granted: Option<Vec<String>>,
    /// Ordered access levels, weakest first; each contains those before it.
    #[serde(default)]
    pub levels: Vec<FeatureLevel>,
    /// Features of the same kind that must be granted with it.
    #[serde(default)]
    pub requires: Vec<String>,
}

/// One access level of a feature.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureLevel {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// The actions it adds to the level before it.
    #[serde(default)]
    pub actions: Vec<String>,
}

/// Where a role holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleLevel {
    /// In the organization.
    #[default]
    Organization,
    /// On one app.
    App,
}

/// Who may hold a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A member.
    Member,
    /// A team, for all its members.
    Team,
    /// A service account.
    ServiceAccount,
    /// Every member at once.
    Everyone,
}

/// A role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// What people call it.
    pub label: String,
    /// What it is for.
    #[serde(default)]
    pub help: String,
    /// What to warn of before giving it (`S3.22`).
    #[serde(default)]
    pub warning: Option<String>,
    /// Where it holds.
    #[serde(default)]
    pub level: RoleLevel,
    /// Whether it is held beside the one main role (a flag) instead of being it.
    #[serde(default)]
    pub flag: bool,
    /// Who may hold it.
    #[serde(default = "member_holder")]
    pub holders: Vec<Holder>,
    /// Organization permissions, as selectors.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// Permissions taken out of those.
    #[serde(default)]
    pub except: Vec<String>,
    /// Access to apps, as selectors.
    #[serde(default)]
    pub access: Vec<String>,
    /// Access taken out of that.
    #[serde(default)]
    pub access_except: Vec<String>,
    /// The roles its holders may give and take; `*` is every role.
    #[serde(default)]
    pub assigns: Vec<String>,
    /// Whether its holders may give only what they hold.
    #[serde(default = "yes")]
    pub bounded: bool,
    /// How many active members must hold it at least (`Q12`, `Q13`).
    #[serde(default)]
    pub min_holders: u32,
    /// How many may hold it at most.
    #[serde(default)]
    pub max_holders: Option<u32>,
    /// The seat pools its holders take a seat of.
    #[serde(default)]
    pub seats: Vec<String>,
    /// Whether its longest-standing holder is called the primary one (`Q26`).
    #[serde(default)]
    pub primary: bool,
}

const fn yes() -> bool {
    true
}

fn member_holder() -> Vec<Holder> {
    vec![Holder::Member]
}

/// A plan.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What people call it.
    pub label: String,
    /// Seats by pool; a pool that is left out is not limited.
    #[serde(default)]
    pub seats: IndexMap<String, u32>,
}

/// A field of the invitation form that must be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationField {
    /// The whole name.
    Name,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
}

/// How people are invited.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InvitationRules {
    /// What the form asks for beside email and role.
    pub required: Vec<InvitationField>,
    /// The role that is preselected (`S3.21`).
    pub default_role: Option<String>,
    /// How many days an invitation can be accepted (`Q23`).
    pub expires_days: u32,
    /// Whether addresses with a sub-address (`name+tag@`) are refused (`S3.20`); an organization may change it.
    pub block_subaddress: bool,
    /// The email domains that may be invited; empty: all (`S3.19`); an organization may change it.
    pub allowed_domains: Vec<String>,
    /// Whether the form offers a tree of apps and features (`S3.23`, `S3.24`).
    pub access_tree: bool,
    /// The path below the dashboard address where an accepted invitation lands (`S3.41`).
    pub landing: String,
}

impl Default for InvitationRules {
    fn default() -> Self {
        Self {
            required: Vec::new(),
            default_role: None,
            expires_days: 7,
            block_subaddress: false,
            allowed_domains: Vec::new(),
            access_tree: false,
            landing: "/".to_owned(),
        }
    }
}

/// What happens to a member who is removed (`Q10`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRemove {
    /// The row goes, with its grants.
    #[default]
    Purge,
    /// The row stays as archived, its grants go.
    Archive,
}

/// How people go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RemovalRules {
    /// What removal does.
    pub on_remove: OnRemove,
    /// Whether members may leave by themselves (`S3.60`).
    pub may_leave: bool,
}

impl Default for RemovalRules {
    fn default() -> Self {
        Self { on_remove: OnRemove::Purge, may_leave: true }
    }
}

/// Who sees that a team exists (`S5.7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeamPrivacy {
    /// Every member who may see teams.
    Closed,
    /// Its own members, and those who may see secret teams.
    Secret,
}

/// Whether and how there are teams.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TeamRules {
    /// Whether there are teams at all.
    pub enabled: bool,
    /// Whether a team may stand under another and inherit its grants (`S5.5`).
    pub nested: bool,
    /// Whether teams have maintainers (`S5.6`).
    pub maintainers: bool,
    /// The privacies a team may have, the default first; empty: closed only.
    pub privacies: Vec<TeamPrivacy>,
}

/// What may be granted to every member at once.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EveryoneRules {
    /// Features that may have a default access level (`S5.2`).
    pub access: Vec<EveryoneAccess>,
}

/// A feature that may have a default access level.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EveryoneAccess {
    /// The app kind.
    pub app_kind: String,
    /// The feature.
    pub feature: String,
    /// The levels that may be the default.
    pub levels: Vec<String>,
    /// The level a new organization starts with; absent: none.
    #[serde(default)]
    pub initial: Option<String>,
}

/// What products record.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ActivityRules {
    /// After how many days entries are removed; absent: never (`S3.69`).
    pub retention_days: Option<u32>,
    /// What can be recorded, by the kind of target (`S3.65`).
    pub targets: IndexMap<String, ActivityTarget>,
    /// What products report but is deliberately not kept (`S3.68`).
    pub not_recorded: Vec<String>,
}

/// A kind of thing that activity is recorded about.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityTarget {
    /// What people call it.
    pub label: String,
    /// The app kinds it lives in.
    pub app_kinds: Vec<String>,
    /// What can happen to it.
    pub actions: Vec<String>,
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

/// How an organization document maps to the blueprint (`S5.8`).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRules {
    /// The role of the document's `admins`.
    pub admins: String,
    /// The role of its `members`.
    pub members: String,
    /// The app kind of its `repositories`.
    pub app_kind: String,
    /// The feature whose levels its `repos` and `default_repository_permission` name.
    pub feature: String,
    /// The flag role that `members_can_create_repositories` gives to everyone.
    #[serde(default)]
    pub creators: Option<String>,
    /// The plan an imported organization starts on; absent: the default one.
    #[serde(default)]
    pub plan: Option<String>,
}
