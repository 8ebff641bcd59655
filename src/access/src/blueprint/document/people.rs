//! How people come, what they are put into, and how they go.

use serde::Deserialize;

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

impl TeamRules {
    /// Whether there are teams, and of this privacy.
    #[must_use]
    pub fn offers(&self, privacy: TeamPrivacy) -> bool {
        self.enabled
            && match self.privacies.as_slice() {
                [] => privacy == TeamPrivacy::Closed,
                offered => offered.contains(&privacy),
            }
    }
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
