//! What products record.

use indexmap::IndexMap;
use serde::Deserialize;

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
