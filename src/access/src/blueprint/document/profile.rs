//! What an organization says about itself: a customer register, how its console looks, its timezone.

use indexmap::IndexMap;
use serde::Deserialize;

/// A section of an organization's profile.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileSection {
    /// What people call it.
    pub label: String,
    /// What it is for.
    #[serde(default)]
    pub help: String,
    /// Whether every member sees it, or those with `profile.read` alone.
    #[serde(default)]
    pub open: bool,
    /// Its fields, in the order screens show them.
    pub fields: IndexMap<String, ProfileField>,
}

/// A field of a profile.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileField {
    /// What people call it.
    pub label: String,
    /// What it is for.
    #[serde(default)]
    pub help: String,
    /// What it takes.
    #[serde(default)]
    pub kind: FieldKind,
    /// Whether it cannot be emptied once it is filled in.
    #[serde(default)]
    pub required: bool,
    /// What can be chosen, for a choice.
    #[serde(default)]
    pub options: Vec<String>,
    /// What it says until somebody fills it in.
    #[serde(default)]
    pub default: Option<String>,
}

/// What a profile field takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// One line of text.
    #[default]
    Text,
    /// One of the options.
    Choice,
    /// A whole number, not negative.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An `https` address.
    Url,
    /// A colour as `#rrggbb`.
    Color,
    /// A timezone of the IANA database, as `Europe/Rome`.
    Timezone,
    /// A language tag, as `en` or `pt-BR` (BCP 47).
    Language,
}
