//! What to do about a refusal of giving or taking: what there is to choose from, and who may do it.
//!
//! Remedies name roles, features and levels of the blueprint alone, which every member sees anyway; never who holds them. Each is
//! true of everybody who may be told it, of an owner and of a program too: that somebody «holds more» is said to nobody.

use super::{UserError, UserErrorCode};
use crate::access::{
    Blueprint, Grantee,
    blueprint::{
        RightSet,
        document::{Holder, Role, RoleLevel},
    },
    delegation::DelegationDenial,
};

/// The refusal at the field, of something given to a member or taken from one, with what to do where there is something.
pub(super) fn not_given(blueprint: &Blueprint, field: &str, denial: &DelegationDenial) -> UserError {
    not_given_to(blueprint, (field, Holder::Member, None), denial)
}

/// The refusal, at the field, of a role for a member on an app of this kind, with the roles there are to choose from there.
pub(super) fn not_given_on(blueprint: &Blueprint, (field, kind): (&str, &str), denial: &DelegationDenial) -> UserError {
    not_given_to(blueprint, (field, Holder::Member, Some(kind)), denial)
}

/// The refusal, at the field, of something for such a grantee, in the organization or on an app of a kind.
pub(super) fn not_given_to(
    blueprint: &Blueprint,
    (field, holder, kind): (&str, Holder, Option<&str>),
    denial: &DelegationDenial,
) -> UserError {
    let remedy = match denial {
        DelegationDenial::Unknown | DelegationDenial::WrongHolder | DelegationDenial::WrongKind { .. } => {
            one_of(&choices(blueprint, holder, kind))
        }
        DelegationDenial::NotAssignable { role } => Some(assigned_by(blueprint, role).unwrap_or_else(|| {
            let handed_over = blueprint.document().roles.get(role).is_some_and(|role| role.transfer.is_some());
            let text = "Nobody gives or takes this role";
            if handed_over { format!("{text}: its holder hands it over.") } else { format!("{text}.") }
        })),
        DelegationDenial::BeyondOwnRights => Some("Ask somebody who holds what is to be given.".to_owned()),
        DelegationDenial::SelfRaise => Some("Ask somebody else who may give it.".to_owned()),
        DelegationDenial::Disabled { .. } => Some("Enable the role first, or choose another one.".to_owned()),
        DelegationDenial::PublicApp => {
            Some("Make the app private first, or give access on an app above it.".to_owned())
        }
        DelegationDenial::Prerequisite { requires, .. } => {
            Some(format!("Give the member the role {} first.", requires.join(" or ")))
        }
        DelegationDenial::WrongLevel { level, .. } => Some(of_level(*level, holder).to_owned()),
        DelegationDenial::BeyondCeiling { role } => Some(format!("Give less, or change the role {role} first.")),
        DelegationDenial::RolesOnly { .. } | DelegationDenial::NotForEveryone => None,
    };
    with(UserError::not_given(field, denial), remedy)
}

/// What to do about a role of the organization that an invitation names for an app of this kind: where it belongs, and which roles
/// there are to choose from on the app.
pub(super) fn on_app_instead(blueprint: &Blueprint, kind: &str) -> String {
    let moved = "Name it in `role` or `roles` instead";
    match one_of(&choices(blueprint, Holder::Member, Some(kind))) {
        Some(choice) => format!("{moved}. On the app: {}", choice.replacen("Choose", "choose", 1)),
        None => {
            let label = blueprint.document().app_kinds.get(kind).map_or(kind, |rules| rules.label.as_str());
            format!("{moved}: no role is held on apps of kind {label}.")
        }
    }
}

/// The refusal of a change of somebody who holds a role that the author does not assign.
pub(super) fn not_below(blueprint: &Blueprint, field: &str, denial: &DelegationDenial) -> UserError {
    match denial {
        DelegationDenial::NotAssignable { role } if assigned_by(blueprint, role).is_none() => {
            let label = blueprint.document().roles.get(role).map_or(role.as_str(), |role| role.label.as_str());
            let remedy = format!("Ask the person: nobody is above the role {label}.");
            UserError::not_given(field, denial).remedy(remedy)
        }
        _ => not_given(blueprint, field, denial),
    }
}

/// How a role comes from one member to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passing {
    /// It is given to one more, and taken from another.
    Given,
    /// Its holder hands it over.
    HandedOver,
    /// Not at all.
    Never,
}

impl Passing {
    /// By these rules.
    pub(super) fn of(blueprint: &Blueprint, (key, role): (&str, &Role)) -> Self {
        let has_room = role.max_holders.is_none_or(|most| most > role.min_holders);
        if has_room && assigned_by(blueprint, key).is_some() {
            Self::Given
        } else if role.transfer.is_some() {
            Self::HandedOver
        } else {
            Self::Never
        }
    }

    /// The refusal of what would first need the role to be with somebody else: what is done about it, given or handed over; that
    /// nothing can be done is said with the message.
    pub(super) fn refused(
        self,
        (code, message): (UserErrorCode, String),
        [given, handed_over]: [&str; 2],
    ) -> UserError {
        match self {
            Self::Given => UserError::new(code, "role", message).remedy(given),
            Self::HandedOver => UserError::new(code, "role", message).remedy(handed_over),
            Self::Never => UserError::new(code, "role", format!("{message}: the role stays where it is")),
        }
    }
}

/// The refusal, at the field, of a role that builds on others for a member who holds these organization roles.
pub(super) fn unfounded<'h>(
    blueprint: &Blueprint,
    (field, role): (&str, &str),
    held: impl IntoIterator<Item = &'h str> + Clone,
    denial: &DelegationDenial,
) -> UserError {
    let DelegationDenial::Prerequisite { requires, .. } = denial else { return not_given(blueprint, field, denial) };
    let roles = &blueprint.document().roles;
    let label = |key: &str| roles.get(key).map_or_else(|| key.to_owned(), |role| role.label.clone());
    let gives = blueprint.role(role);
    let gives_as_much =
        |key: &&str| matches!((blueprint.role(key), gives), (Some(more), Some(gives)) if more.contains(gives));
    if let Some(key) = held.clone().into_iter().find(gives_as_much) {
        let remedy = format!("Leave it out: the role {} gives the member as much already.", label(key));
        return UserError::not_given(field, denial).remedy(remedy);
    }
    // A main role takes the place of the one that is held in its slot.
    let needed = roles.get(role).map(|rules| rules.requires.as_slice()).unwrap_or_default();
    let gives_way = |key: &&str| {
        blueprint.slot_of(key).is_some_and(|slot| needed.iter().all(|needed| blueprint.slot_of(needed) == Some(slot)))
    };
    match held.into_iter().find(gives_way) {
        Some(key) => {
            let remedy = format!("Change the member's role {} to {} first.", label(key), requires.join(" or "));
            UserError::not_given(field, denial).remedy(remedy)
        }
        None => not_given(blueprint, field, denial),
    }
}

/// A refusal of this role beside the main one, with those there are; of one that is switched off or held elsewhere, as it is.
pub(super) fn no_flag(blueprint: &Blueprint, key: &str, refusal: UserError) -> UserError {
    let is_other = matches!(refusal.code, UserErrorCode::NotInBlueprint | UserErrorCode::NotGrantable);
    if !is_other || blueprint.disabled_role(key).is_some() {
        return refusal;
    }
    let is_flag =
        |role: &Role| role.flag && role.level == RoleLevel::Organization && role.holders.contains(&Holder::Member);
    let flags: Vec<&str> =
        blueprint.document().roles.iter().filter(|(_, role)| is_flag(role)).map(|(key, _)| key.as_str()).collect();
    let remedy = one_of(&flags).unwrap_or_else(|| "Leave it out: there is no role beside a main one.".to_owned());
    refusal.remedy(remedy)
}

/// What was to be given of a feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfFeature<'a> {
    /// The app kind that the input names.
    pub(super) kind: &'a str,
    /// The feature.
    pub(super) feature: &'a str,
    /// The level.
    pub(super) level: Option<&'a str>,
    /// The kind of the app on which it was to be given.
    pub(super) on: Option<&'a str>,
    /// To whom.
    pub(super) holder: Holder,
}

/// The refusal of a feature at one of two fields, of the feature or of its level, with what there is to choose from.
pub(super) fn feature_not_given(
    blueprint: &Blueprint,
    (field, level_field): (&str, &str),
    given: OfFeature<'_>,
    denial: &DelegationDenial,
) -> UserError {
    let refusal = UserError::not_given(field, denial);
    let kinds = &blueprint.document().app_kinds;
    let place = given.on.unwrap_or(given.kind);
    match denial {
        DelegationDenial::Unknown => {
            let Some(rules) = kinds.get(place) else {
                let keys: Vec<&str> = kinds.keys().map(String::as_str).collect();
                return with(refusal, one_of(&keys));
            };
            match rules.features.get(given.feature).filter(|_| place == given.kind) {
                Some(feature) if feature.levels.is_empty() => {
                    let message = format!("{} has no levels", feature.label);
                    UserError::new(refusal.code, level_field, message).remedy("Leave the level out.")
                }
                Some(feature) => {
                    let levels: Vec<&str> = feature.levels.iter().map(|level| level.key.as_str()).collect();
                    let message = match given.level {
                        Some(_) => format!("{} has other levels", feature.label),
                        None => format!("{} is given at a level", feature.label),
                    };
                    with(UserError::new(refusal.code, level_field, message), one_of(&levels))
                }
                None => {
                    let keys = rules.features.keys().map(String::as_str).collect::<Vec<_>>().join("`, `");
                    refusal.remedy(format!("Apps of kind {} have the features `{keys}`.", rules.label))
                }
            }
        }
        DelegationDenial::RolesOnly { .. } => {
            let opening = format!("{place}.{}", given.feature);
            let opens = |key: &&str| {
                let rights = blueprint.role(key).map(|rights| blueprint.access_of(rights)).unwrap_or_default();
                rights.iter().any(|access| format!("{}.{}", access.kind, access.feature) == opening)
            };
            let roles: Vec<&str> = choices(blueprint, given.holder, Some(place)).into_iter().filter(opens).collect();
            with(refusal, one_of(&roles).map(|roles| format!("Give a role instead. {roles}")))
        }
        _ => not_given_to(blueprint, (field, given.holder, given.on), denial),
    }
}

/// What was to be taken of a feature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken<'a> {
    /// The app kind that has it.
    pub(super) kind: &'a str,
    /// The feature.
    pub(super) feature: &'a str,
    /// The level.
    pub(super) level: Option<&'a str>,
    /// The name of the app on which it is held; `None` for the whole organization.
    pub(super) on: Option<&'a str>,
}

impl Taken<'_> {
    /// The feature, its level and its place, as people call them.
    fn called(self, blueprint: &Blueprint) -> String {
        let kind = blueprint.document().app_kinds.get(self.kind);
        let feature = kind.and_then(|kind| kind.features.get(self.feature));
        let label = feature.map_or(self.feature, |feature| feature.label.as_str());
        let level = self.level.map(|level| format!(" ({level})")).unwrap_or_default();
        match self.on {
            Some(app) => format!("{label}{level} on `{app}`"),
            None => {
                let kind = kind.map_or(self.kind, |kind| kind.label.as_str());
                format!("{label}{level} of {kind} in the whole organization")
            }
        }
    }
}

/// The refusal of taking a feature away, with the feature and its place, for many are taken by one field; `None` where the author
/// does not see what the grantee holds.
pub(super) fn feature_not_taken(
    blueprint: &Blueprint,
    field: &str,
    taken: Option<Taken<'_>>,
    denial: &DelegationDenial,
) -> UserError {
    let what = taken.map_or_else(|| "this".to_owned(), |taken| taken.called(blueprint));
    let why = match denial {
        DelegationDenial::BeyondOwnRights | DelegationDenial::SelfRaise => "you do not hold it".to_owned(),
        other => other.to_string(),
    };
    let code = UserError::not_given(field, denial).code;
    UserError::new(code, field, format!("you cannot take {what} away: {why}"))
        .remedy("Ask somebody who holds what is to be taken.")
}

/// As whom a grantee holds roles.
pub(super) const fn holder(grantee: Grantee) -> Holder {
    match grantee {
        Grantee::Member(_) => Holder::Member,
        Grantee::Team(_) => Holder::Team,
        Grantee::ServiceAccount(_) => Holder::ServiceAccount,
        Grantee::Everyone => Holder::Everyone,
    }
}

/// The roles that such a grantee can hold there, on an app the narrowest first; of a member in the organization, those of which it
/// has one.
fn choices<'b>(blueprint: &'b Blueprint, holder: Holder, kind: Option<&str>) -> Vec<&'b str> {
    let roles = &blueprint.document().roles;
    let holds = |key: &&str| roles.get(*key).is_some_and(|role| role.holders.contains(&holder));
    match (kind, holder) {
        (Some(kind), _) => {
            let mut there: Vec<&str> = blueprint.roles_on(kind).into_iter().filter(holds).collect();
            // The narrowest first (`S1.28`): a role of one feature before one of the whole app, and what gives less before what
            // gives more.
            there.sort_by_key(|key| {
                let level = roles.get(*key).map(|role| role.level);
                (level != Some(RoleLevel::Feature), blueprint.role(key).map_or(0, RightSet::count))
            });
            there
        }
        (None, Holder::Member) => blueprint.main_roles().map(|(key, _)| key).collect(),
        (None, Holder::Team | Holder::ServiceAccount | Holder::Everyone) => {
            let own = roles.iter().filter(|(_, role)| role.level == RoleLevel::Organization);
            own.map(|(key, _)| key.as_str()).filter(holds).collect()
        }
    }
}

fn one_of(keys: &[&str]) -> Option<String> {
    (!keys.is_empty()).then(|| format!("Choose one of `{}`.", keys.join("`, `")))
}

/// Who gives and takes a role: those with a role that assigns it, and where it does.
pub(super) fn assigned_by(blueprint: &Blueprint, role: &str) -> Option<String> {
    let roles = &blueprint.document().roles;
    let in_organization = roles.get(role).is_some_and(|role| role.level == RoleLevel::Organization);
    let gives = |giver: &&Role| {
        giver.holders.contains(&Holder::Member)
            && (giver.level == RoleLevel::Organization || !in_organization)
            && giver.assigns.iter().any(|name| name == "*" || name == role)
    };
    let labels: Vec<&str> = roles.values().filter(gives).map(|giver| giver.label.as_str()).collect();
    (!labels.is_empty()).then(|| format!("Ask somebody with the role {}.", labels.join(" or ")))
}

/// The roles, by key and name, whose holders give this role of the organization by that role alone: it assigns it, and with it
/// goes the permission to give roles.
pub(super) fn givers<'b>(blueprint: &'b Blueprint, role: &str) -> Vec<(&'b str, &'b str)> {
    let Ok(assigning) = blueprint.scope("roles.assign") else { return Vec::new() };
    let gives = |(key, giver): &(&String, &Role)| {
        giver.holders.contains(&Holder::Member)
            && giver.level == RoleLevel::Organization
            && giver.assigns.iter().any(|name| name == "*" || name == role)
            && blueprint.role(key).is_some_and(|rights| rights.contains(&assigning))
    };
    let roles = blueprint.document().roles.iter().filter(gives);
    roles.map(|(key, giver)| (key.as_str(), giver.label.as_str())).collect()
}

/// Where a role of this level is given instead.
const fn of_level(level: RoleLevel, holder: Holder) -> &'static str {
    match (level, holder) {
        (RoleLevel::Organization, Holder::Member) => "Change the member's role in the organization instead.",
        // Programs and teams have no main role to change.
        (RoleLevel::Organization, Holder::Team | Holder::ServiceAccount | Holder::Everyone) => {
            "Leave the app out: the role is held in the organization."
        }
        (RoleLevel::App, _) => "Give it on one app.",
        (RoleLevel::Feature, _) => "Give it on the app that has the feature.",
    }
}

fn with(refusal: UserError, remedy: Option<String>) -> UserError {
    match remedy {
        Some(remedy) => refusal.remedy(remedy),
        None => refusal,
    }
}
