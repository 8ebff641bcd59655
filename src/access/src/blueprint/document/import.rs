//! How an organization document maps to a blueprint.

use serde::Deserialize;

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
