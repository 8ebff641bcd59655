//! App kinds: what is protected, its features, and what can be done in them.

use indexmap::IndexMap;
use serde::Deserialize;

use super::Text;

/// A kind of app.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppKind {
    /// What people call it.
    pub label: String,
    /// What it is for.
    #[serde(default)]
    pub help: String,
    /// The kinds it may stand under, [`ROOT`] for the organization itself; empty: only there.
    #[serde(default)]
    pub parents: Vec<String>,
    /// The visibilities an app may have, the default first; empty: private only (`S4.R1`).
    #[serde(default)]
    pub visibilities: Vec<AppVisibility>,
    /// What a public app gives, and to whom (`Q16`).
    #[serde(default)]
    pub public: Option<PublicRules>,
    /// Whether only who may in the organization itself makes one, deletes it, enables and disables it, and moves it: a role on an
    /// app is not enough (`S4.11`).
    #[serde(default)]
    pub central: bool,
    /// The app role that whoever creates one is given on it.
    #[serde(default)]
    pub creator_role: Option<String>,
    /// The features that whoever creates one is given on it.
    #[serde(default)]
    pub creator_access: Vec<CreatorAccess>,
    /// Its features, in the order screens show them.
    pub features: IndexMap<String, Feature>,
}

impl AppKind {
    /// Whether apps of this kind may stand in the organization itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.parents.is_empty() || self.parents.iter().any(|parent| parent == ROOT)
    }

    /// Whether apps of this kind may stand under one of that kind, or, without one, in the organization itself.
    #[must_use]
    pub fn stands_under(&self, parent: Option<&str>) -> bool {
        parent.map_or_else(|| self.is_root(), |parent| self.parents.iter().any(|kind| kind == parent))
    }

    /// Whether apps of this kind may have this visibility.
    #[must_use]
    pub fn offers(&self, visibility: AppVisibility) -> bool {
        match self.visibilities.as_slice() {
            [] => visibility == AppVisibility::Private,
            offered => offered.contains(&visibility),
        }
    }
}

/// The word for the organization itself among an app kind's parents.
pub const ROOT: &str = "organization";

/// Who sees an app besides those it is granted to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppVisibility {
    /// Nobody.
    #[default]
    Private,
    /// Those the kind's `public` rules name.
    Public,
}

/// What a public app gives, and to whom (`Q16`).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicRules {
    /// To whom: everyone who holds something on the app of this kind above it, or [`ROOT`]: on every active member.
    pub to: String,
    /// What, as selectors of this kind.
    pub access: Vec<String>,
    /// Whether a public app may be granted to single members and teams besides (`S4.R10`).
    #[serde(default = "super::role::yes")]
    pub grants: bool,
}

/// A feature that whoever creates an app is given on it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreatorAccess {
    /// The feature.
    pub feature: String,
    /// Its level, where it has levels.
    #[serde(default)]
    pub level: Option<String>,
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
    /// Whether it is given by roles alone, and never by itself (`S1.15`, `S1.16`).
    #[serde(default)]
    pub roles_only: bool,
    /// Ordered access levels, weakest first; each contains those before it.
    #[serde(default)]
    pub levels: Vec<FeatureLevel>,
    /// Features that must be granted with it: of the same app, or, as `kind.feature`, of any app of another kind (`S0.27`).
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
