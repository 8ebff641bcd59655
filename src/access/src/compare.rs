//! Comparison: what roles hold, right by right, in the blueprint's order and words (`S4.26`).

use crate::{
    Authority, Blueprint, Place, Rights,
    blueprint::{RightSet, document::Text},
    delegation::DelegationDenial,
    verb::is_for_apps,
};

/// One right that a blueprint knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right<'b> {
    /// An organization permission.
    Permission(&'b str),
    /// An action of a feature of an app kind.
    Action {
        /// The app kind's key.
        kind: &'b str,
        /// The feature's key.
        feature: &'b str,
        /// The action's key.
        action: &'b str,
    },
}

/// One right, held by the one role, the other, both or neither.
#[derive(Debug, Clone, Copy)]
pub struct Row<'b> {
    /// The right.
    pub right: Right<'b>,
    /// Its words.
    pub text: &'b Text,
    /// Whether the role on the left gives it.
    pub left: bool,
    /// Whether the role on the right gives it.
    pub in_right: bool,
}

/// What a role gives of one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureAccess {
    /// The app kind's key.
    pub kind: String,
    /// The feature's key.
    pub feature: String,
    /// The strongest access level it contains whole, where the feature has levels.
    pub level: Option<String>,
    /// The actions, in the blueprint's order; never empty.
    pub actions: Vec<String>,
}

/// Compares two sets of rights: every organization permission, then every action of every feature, in the blueprint's order. Of
/// roles that are held on apps, the permissions are those that can be held there.
#[must_use]
pub fn compare<'b>(blueprint: &'b Blueprint, left: &RightSet, right: &RightSet, on_apps: bool) -> Vec<Row<'b>> {
    let permissions = blueprint.permissions().iter().filter(|(key, _)| !on_apps || is_for_apps(key));
    let permissions = permissions.map(|(key, text)| {
        let bit = blueprint.permission_bit(key).unwrap_or(0);
        let (left, in_right) = (left.permissions & bit != 0, right.permissions & bit != 0);
        Row { right: Right::Permission(key), text, left, in_right }
    });
    let actions = blueprint.document().app_kinds.iter().flat_map(|(kind, rules)| {
        let features = rules.features.iter();
        features
            .flat_map(move |(feature, rules)| rules.actions.iter().map(move |(key, text)| (kind, feature, key, text)))
    });
    let actions = actions.map(|(kind, feature, action, text)| {
        let holds = |set: &RightSet| blueprint.holds_action(set, (kind, feature, action));
        let right_of = Right::Action { kind, feature, action };
        Row { right: right_of, text, left: holds(left), in_right: holds(right) }
    });
    permissions.chain(actions).collect()
}

impl Blueprint {
    /// Whether a set has an action of a feature of a kind.
    fn holds_action(&self, set: &RightSet, (kind, feature, action): (&str, &str, &str)) -> bool {
        self.kind(kind)
            .and_then(|(index, kind)| Some((index, *kind.features.get(feature)?.actions.get(action)?)))
            .is_some_and(|(index, bit)| set.kind(index) & bit != 0)
    }

    /// Whether this version has such a right at all.
    #[must_use]
    pub fn knows(&self, right: Right<'_>) -> bool {
        match right {
            Right::Permission(key) => self.permissions().contains_key(key),
            Right::Action { kind, feature, action } => self.holds_action(self.all(), (kind, feature, action)),
        }
    }

    /// The organization permissions of a set, by key, in order.
    #[must_use]
    pub fn permissions_of(&self, set: &RightSet) -> Vec<String> {
        let keys = self.permissions().keys();
        keys.filter(|key| self.permission_bit(key).is_some_and(|bit| set.permissions & bit != 0)).cloned().collect()
    }

    /// The actions of a set, each as the selector `kind.feature.action`, in order.
    #[must_use]
    pub fn actions_of(&self, set: &RightSet) -> Vec<String> {
        let features = self.access_of(set).into_iter();
        features
            .flat_map(|access| {
                let FeatureAccess { kind, feature, actions, level: _ } = access;
                actions.into_iter().map(move |action| format!("{kind}.{feature}.{action}"))
            })
            .collect()
    }

    /// What a set gives feature by feature, in order; features of which it gives nothing are left out.
    #[must_use]
    pub fn access_of(&self, set: &RightSet) -> Vec<FeatureAccess> {
        let kinds = self.kinds().iter().enumerate();
        let features = kinds.flat_map(|(index, (kind, rules))| {
            let bits = set.kind(index);
            rules.features.iter().map(move |(key, feature)| (kind, key, feature, bits & feature.all))
        });
        features
            .filter(|(.., bits)| *bits != 0)
            .map(|(kind, key, feature, bits)| FeatureAccess {
                kind: kind.clone(),
                feature: key.clone(),
                level: feature.level(bits).map(str::to_owned),
                actions: feature
                    .actions
                    .iter()
                    .filter(|(_, bit)| bits & **bit != 0)
                    .map(|(key, _)| key.clone())
                    .collect(),
            })
            .collect()
    }
}

/// Whether this authority may make a role that gives so much more than before, to everyone who holds it: nobody widens a role
/// that reaches themselves beyond what they hold; where the blueprint says bounded, nobody widens any role so.
///
/// # Errors
/// [`DelegationDenial::SelfRaise`], [`DelegationDenial::BeyondOwnRights`].
pub fn may_widen(
    blueprint: &Blueprint,
    authority: Authority<'_>,
    gain: &RightSet,
    reaches_self: bool,
) -> Result<(), DelegationDenial> {
    let rights = match authority {
        Authority::Principal(rights) => rights,
        Authority::System(..) => return Ok(()),
        Authority::User(_) => return Err(DelegationDenial::BeyondOwnRights),
    };
    if rights.at(&Place::Organization, &[]).contains(gain) {
        Ok(())
    } else if reaches_self {
        Err(DelegationDenial::SelfRaise)
    } else if is_bounded(blueprint, rights) {
        Err(DelegationDenial::BeyondOwnRights)
    } else {
        Ok(())
    }
}

/// Whether no organization role held is declared unbounded.
#[must_use]
pub fn is_bounded(blueprint: &Blueprint, rights: &Rights) -> bool {
    rights.roles().filter_map(|key| blueprint.document().roles.get(key)).all(|role| role.bounded)
}
