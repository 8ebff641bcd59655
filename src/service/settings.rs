//! What an organization can set for itself, beside what its blueprint says.

use serde::{Deserialize, Serialize};

use crate::{access::Blueprint, store::StoreError};

/// An organization's settings; what is absent is as the blueprint says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Email domains that may be invited; empty: all (`S3.19`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_domains: Option<Vec<String>>,
    /// Whether sub-addresses are refused (`S3.20`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_subaddress: Option<bool>,
    /// Whether people have rights here only in sessions in which they have proven a second factor.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_second_factor: bool,
}

impl Settings {
    /// Reads the stored form.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be read; settings restrict, so nothing is assumed in their place.
    pub fn read(stored: &serde_json::Value) -> Result<Self, StoreError> {
        Self::deserialize(stored).map_err(|error| StoreError::Corrupt(format!("settings: {error}")))
    }

    /// The allowed domains in force.
    #[must_use]
    pub fn allowed_domains<'a>(&'a self, blueprint: &'a Blueprint) -> &'a [String] {
        self.allowed_domains.as_deref().unwrap_or(&blueprint.document().invitation.allowed_domains)
    }

    /// Whether sub-addresses are refused.
    #[must_use]
    pub fn block_subaddress(&self, blueprint: &Blueprint) -> bool {
        self.block_subaddress.unwrap_or(blueprint.document().invitation.block_subaddress)
    }
}
