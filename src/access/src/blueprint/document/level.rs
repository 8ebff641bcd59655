//! The words for the three levels, and what a refusal shows at each.

use serde::Deserialize;

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
