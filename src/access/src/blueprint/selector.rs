//! Selectors: how roles and scopes name rights.
//!
//! | Selector | Stands for |
//! |---|---|
//! | `*` | everything |
//! | `members.invite`, `members.*` | one organization permission, or all of its area |
//! | `help_center`, `help_center.*` | every feature of an app kind |
//! | `help_center.articles`, `help_center.articles.*` | every action of a feature |
//! | `help_center.articles.publish` | one action |
//! | `*.analytics`, `*.analytics.view` | the same in every app kind that has it |
//! | `repository.code:write` | a level of a feature |

use thiserror::Error;

use super::{Blueprint, RightSet};

/// Which rights a selector may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Permissions,
    Access,
    Both,
}

/// A selector that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SelectorError {
    /// Nothing of the blueprint is named so.
    #[error("`{0}` names nothing of this blueprint")]
    Unknown(String),
}

impl Blueprint {
    pub(super) fn select(&self, text: &str, reach: Reach) -> Result<RightSet, SelectorError> {
        let unknown = || SelectorError::Unknown(text.to_owned());
        let mut rights = RightSet::empty(self.kinds.len());
        let mut found = false;
        if reach != Reach::Access {
            for (place, key) in self.permissions.keys().enumerate() {
                let area = key.split_once('.').map_or(key.as_str(), |(area, _)| area);
                if text == "*" || text == key || text.strip_suffix(".*") == Some(area) {
                    rights.permissions |= super::bit(place).unwrap_or(0);
                    found = true;
                }
            }
        }
        if reach != Reach::Permissions {
            let (path, level) = text.split_once(':').map_or((text, None), |(path, level)| (path, Some(level)));
            let mut parts = path.split('.');
            let wanted_kind = parts.next().unwrap_or_default();
            let wanted_feature = parts.next().unwrap_or("*");
            let wanted_action = parts.next().unwrap_or("*");
            if parts.next().is_some() || (level.is_some() && wanted_action != "*") {
                return Err(unknown());
            }
            let matches = |wanted: &str, key: &str| wanted == "*" || wanted == key;
            for ((kind_key, kind), mask) in self.kinds.iter().zip(rights.kinds.iter_mut()) {
                if !matches(wanted_kind, kind_key) {
                    continue;
                }
                for (feature_key, feature) in &kind.features {
                    if !matches(wanted_feature, feature_key) {
                        continue;
                    }
                    if let Some(level) = level {
                        if let Some((_, bits)) = feature.levels.iter().find(|(key, _)| key == level) {
                            *mask |= bits;
                            found = true;
                        }
                        continue;
                    }
                    for (action_key, place) in &feature.actions {
                        if matches(wanted_action, action_key) {
                            *mask |= place;
                            found = true;
                        }
                    }
                }
            }
            // `*` of a blueprint without app kinds is empty, not wrong.
            found |= text == "*";
        }
        if found { Ok(rights) } else { Err(unknown()) }
    }
}
