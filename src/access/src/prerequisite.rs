//! Features that need a feature of another kind of app (`S0.27`): finished apps run inside a product that must be held too, and
//! for as long.
//!
//! It is a rule about grants. A grant on a disabled app gives nothing for the while, and is there all the same.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{Blueprint, Grant, Grantee, Held, Place, rights::given};

/// A granted feature without one that it needs, or with one that ends before it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unmet {
    /// The app on which it is granted; `None` is everywhere.
    pub app: Option<Uuid>,
    /// The kind of app.
    pub kind: String,
    /// The feature.
    pub feature: String,
    /// The kind of app of which any must be held …
    pub needed_kind: String,
    /// … with this feature.
    pub needed_feature: String,
    /// When the grant of the feature ends; `None` is never.
    pub ends: Option<DateTime<Utc>>,
    /// When the last grant ends that gives the other one; `None`: there is none.
    pub held_until: Option<DateTime<Utc>>,
}

impl Unmet {
    /// Whether the other one is the same lack and no smaller: nothing that is granted lacks more, or for longer, than it did there.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        let of = |lack: &Self| Self { ends: None, held_until: None, ..lack.clone() };
        let lasts_no_longer = match (self.ends, other.ends) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(end), Some(other)) => end <= other,
        };
        of(self) == of(other) && self.held_until >= other.held_until && lasts_no_longer
    }
}

/// Whether the blueprint has a feature that needs one of another kind of app.
#[must_use]
pub fn crosses_kinds(blueprint: &Blueprint) -> bool {
    let features = blueprint.document().app_kinds.values().flat_map(|kind| kind.features.values());
    features.into_iter().any(|feature| feature.requires.iter().any(|needed| needed.contains('.')))
}

/// The features that need one of another kind of app, by kind and key.
#[must_use]
pub fn dependents(blueprint: &Blueprint) -> Vec<(&str, &str)> {
    let kinds = blueprint.document().app_kinds.iter();
    let features =
        kinds.flat_map(|(kind, rules)| rules.features.iter().map(move |(key, feature)| (kind, key, feature)));
    let needing = features.filter(|(.., feature)| feature.requires.iter().any(|needed| needed.contains('.')));
    needing.map(|(kind, key, _)| (kind.as_str(), key.as_str())).collect()
}

/// The features granted to this grantee itself that lack what they need of other kinds of apps among all the grants that reach
/// it, whatever way they do. Each needs one that lasts as long: of several it is the one that ends last that counts.
#[must_use]
pub fn unmet(blueprint: &Blueprint, grantee: Grantee, grants: &[Grant], now: DateTime<Utc>) -> BTreeSet<Unmet> {
    let kinds = &blueprint.document().app_kinds;
    let live = || grants.iter().filter(|grant| grant.is_live(now));
    let mut found = BTreeSet::new();
    for grant in live().filter(|grant| grant.grantee == grantee) {
        let Held::Feature { kind, feature, .. } = &grant.held else { continue };
        let Some(rules) = kinds.get(kind).and_then(|kind| kind.features.get(feature)) else { continue };
        for (needed_kind, needed_feature) in rules.requires.iter().filter_map(|needed| needed.split_once('.')) {
            let opening: Vec<&Grant> =
                live().filter(|other| opens(blueprint, other, needed_kind, needed_feature)).collect();
            if !opening.iter().any(|other| other.lasts_as_long(grant)) {
                found.insert(Unmet {
                    app: match grant.place {
                        Place::Organization => None,
                        Place::App { id, .. } => Some(id),
                    },
                    kind: kind.clone(),
                    feature: feature.clone(),
                    needed_kind: needed_kind.to_owned(),
                    needed_feature: needed_feature.to_owned(),
                    ends: grant.expires_at,
                    held_until: opening.iter().filter_map(|other| other.expires_at).max(),
                });
            }
        }
    }
    found
}

/// Whether a grant gives something of a feature, on whatever app.
fn opens(blueprint: &Blueprint, grant: &Grant, kind: &str, feature: &str) -> bool {
    let Some((index, kind)) = blueprint.kind(kind) else { return false };
    kind.features.get(feature).is_some_and(|feature| given(blueprint, grant).kind(index) & feature.all != 0)
}
