//! Sharing everything: what somebody would give who gives «all» (`Q3`, `Q4`).

use std::collections::BTreeSet;

use crate::{
    AppRef, Blueprint, Held, Place, Rights,
    blueprint::{Feature, RightSet},
};

/// A feature that can be passed on whole, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Share {
    /// The app kind's key.
    pub kind: String,
    /// The feature's key.
    pub feature: String,
    /// The strongest level held whole, where the feature has levels.
    pub level: Option<String>,
    /// In the whole organization, or on one app.
    pub place: Place,
}

impl Share {
    /// As a grant gives it.
    #[must_use]
    pub fn held(&self) -> Held {
        Held::Feature { kind: self.kind.clone(), feature: self.feature.clone(), level: self.level.clone() }
    }
}

/// The most that a holder of these roles can have (`Q14`); `None` is no bound.
#[must_use]
pub fn ceiling<'r>(blueprint: &Blueprint, roles: impl IntoIterator<Item = &'r str>) -> Option<RightSet> {
    let ceilings = roles.into_iter().filter_map(|key| blueprint.ceiling(key)).cloned();
    ceilings.reduce(|mut bound, other| {
        bound.keep(&other);
        bound
    })
}

/// How much of a feature can be given: a level, or the tick of a feature without levels.
struct Strength {
    level: Option<String>,
}

/// The strongest that can be given of a feature to somebody who may hold these bits; `None` is nothing of it.
fn strongest(feature: &Feature, bits: u128) -> Option<Strength> {
    if feature.levels.is_empty() {
        let whole = feature.granted != 0 && feature.granted & !bits == 0;
        return whole.then_some(Strength { level: None });
    }
    feature.level(bits).map(|level| Strength { level: Some(level.to_owned()) })
}

/// Everything of every app kind, within a bound; for whoever may give without holding.
#[must_use]
pub fn everything(blueprint: &Blueprint, bound: Option<&RightSet>) -> Vec<Share> {
    let within = |kind: usize| bound.map_or(u128::MAX, |bound| bound.kind(kind));
    with_what_they_need(blueprint, everywhere(blueprint, within))
}

/// Everything a principal holds, as feature grants of somebody else's: in the organization what it holds on every app of a
/// kind, on an app what it holds there besides. A feature is given only where every bit of it is held, and nothing beyond the
/// bound.
///
/// The apps come with those above them; apps that are closed are passed over.
#[must_use]
pub fn shareable(blueprint: &Blueprint, rights: &Rights, apps: &[AppRef<'_>], bound: Option<&RightSet>) -> Vec<Share> {
    let cap = |kind: usize, bits: u128| bits & bound.map_or(u128::MAX, |bound| bound.kind(kind));
    let organization = rights.at(&Place::Organization, &[]);
    let mut shares = everywhere(blueprint, |kind| cap(kind, organization.kind(kind)));
    for app in apps.iter().filter(|app| app.active) {
        let Some((index, kind)) = blueprint.kind(app.kind) else { continue };
        let place = Place::App { id: app.id, kind: app.kind.to_owned() };
        let held = cap(index, rights.at(&place, app.ancestors).kind(index));
        for (key, feature) in &kind.features {
            let Some(Strength { level }) = strongest(feature, held) else { continue };
            let everywhere = shares.iter().any(|share| {
                share.kind == app.kind
                    && share.feature == *key
                    && share.level == level
                    && share.place == Place::Organization
            });
            if !everywhere {
                let (kind, feature, place) = (app.kind.to_owned(), key.clone(), place.clone());
                shares.push(Share { kind, feature, level, place });
            }
        }
    }
    with_what_they_need(blueprint, shares)
}

/// What these bits come to in the whole organization.
fn everywhere(blueprint: &Blueprint, bits: impl Fn(usize) -> u128) -> Vec<Share> {
    let mut shares = Vec::new();
    for (index, (kind, rules)) in blueprint.kinds().iter().enumerate() {
        for (key, feature) in &rules.features {
            if let Some(Strength { level }) = strongest(feature, bits(index)) {
                shares.push(Share { kind: kind.clone(), feature: key.clone(), level, place: Place::Organization });
            }
        }
    }
    shares
}

/// Without features that need one which is not among them.
fn with_what_they_need(blueprint: &Blueprint, mut shares: Vec<Share>) -> Vec<Share> {
    loop {
        let there: BTreeSet<(&str, &str, &Place)> =
            shares.iter().map(|share| (share.kind.as_str(), share.feature.as_str(), &share.place)).collect();
        let is_met = |share: &Share, needed: &str| match needed.split_once('.') {
            Some((kind, feature)) => there.iter().any(|(other, key, _)| *other == kind && *key == feature),
            None => {
                let at = |place: &Place| there.contains(&(share.kind.as_str(), needed, place));
                at(&share.place) || at(&Place::Organization)
            }
        };
        let rules = |share: &Share| {
            let kind = blueprint.document().app_kinds.get(&share.kind)?;
            kind.features.get(&share.feature)
        };
        let is_whole = |share: &Share| {
            rules(share).is_some_and(|feature| feature.requires.iter().all(|needed| is_met(share, needed)))
        };
        let whole: Vec<Share> = shares.iter().filter(|share| is_whole(share)).cloned().collect();
        if whole.len() == shares.len() {
            return shares;
        }
        shares = whole;
    }
}
