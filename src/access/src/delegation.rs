//! Delegation: who may give what to whom. Nobody gives what they do not hold, where the blueprint says bounded; nobody ever
//! raises themselves.

use chrono::{DateTime, Utc};
use thiserror::Error;
use uuid::Uuid;

use crate::{
    Authority, Blueprint, Facts, Held, Place, PrincipalId, Rights,
    blueprint::{
        RightSet,
        document::{Holder, Role, RoleLevel},
    },
    grant::{Grant, Grantee},
    rights::given,
};

/// Why a grant or role change is refused, although its author may change access in general.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DelegationDenial {
    /// The blueprint has no such role, feature or level, or not for this kind of app (`Q8`).
    #[error("the blueprint has nothing to give by that name")]
    Unknown,
    /// The organization's own role is switched off (`S4.R3`).
    #[error("the role `{role}` is switched off")]
    Disabled {
        /// What people call the role.
        role: String,
    },
    /// The role cannot be held by this kind of grantee.
    #[error("the role cannot be held by such a grantee")]
    WrongHolder,
    /// The role is for another level (`S1.29`, `S1.30`, `S1.31`).
    #[error("{}", level_text(role, *level))]
    WrongLevel {
        /// What people call the role.
        role: String,
        /// Where it holds.
        level: RoleLevel,
    },
    /// The app role is for other kinds of apps.
    #[error("the role `{role}` is not for such an app")]
    WrongKind {
        /// What people call the role.
        role: String,
    },
    /// The member does not hold what the role builds on (`S1.20`, `S1.29`).
    #[error("the role `{role}` is only for members who are {}", requires.join(" or "))]
    Prerequisite {
        /// What people call the role.
        role: String,
        /// What people call the roles of which one must be held.
        requires: Vec<String>,
    },
    /// A role of the grantee's sets a ceiling below it (`Q14`).
    #[error("the role `{role}` cannot go as far as this")]
    BeyondCeiling {
        /// What people call the role that sets the ceiling.
        role: String,
    },
    /// The feature is given by roles alone (`S1.15`, `S1.16`).
    #[error("{feature} is given by roles, not by itself")]
    RolesOnly {
        /// What people call the feature.
        feature: String,
    },
    /// The app is public, and not granted to single members (`S4.R10`).
    #[error("a public app is not granted to single members")]
    PublicApp,
    /// The author's roles do not assign this role.
    #[error("your role does not assign the role `{role}`")]
    NotAssignable {
        /// The role's key.
        role: String,
    },
    /// It would give more than its author holds.
    #[error("you cannot give what you do not hold")]
    BeyondOwnRights,
    /// It would raise its author.
    #[error("nobody raises themselves")]
    SelfRaise,
    /// The default level for everyone may not be this.
    #[error("this cannot be given to everyone")]
    NotForEveryone,
}

/// Where a role holds, in a sentence.
fn level_text(role: &str, level: RoleLevel) -> String {
    let held = match level {
        RoleLevel::Organization => "it is held in the organization, not on an app",
        RoleLevel::App => "it is held on one app, not in the organization",
        RoleLevel::Feature => "it is held in one feature of one app and opens nothing else of it",
    };
    format!("the role `{role}` is for another level: {held}")
}

/// What is to be given.
#[derive(Debug, Clone)]
pub struct Gift<'a> {
    /// To whom.
    pub grantee: Grantee,
    /// What.
    pub held: &'a Held,
    /// Where.
    pub place: &'a Place,
    /// The apps above that place.
    pub ancestors: &'a [Uuid],
}

/// Whether what a grant names exists, fits the place, and can be held by the grantee.
///
/// # Errors
/// The first [`DelegationDenial`] that applies.
pub fn fits(blueprint: &Blueprint, gift: &Gift<'_>) -> Result<(), DelegationDenial> {
    match gift.held {
        Held::Role(key) => {
            let role = blueprint.document().roles.get(key).ok_or_else(|| no_role(blueprint, key))?;
            let holder = match gift.grantee {
                Grantee::Member(_) => Holder::Member,
                Grantee::Team(_) => Holder::Team,
                Grantee::ServiceAccount(_) => Holder::ServiceAccount,
                Grantee::Everyone => Holder::Everyone,
            };
            if !role.holders.contains(&holder) {
                return Err(DelegationDenial::WrongHolder);
            }
            fits_place(role, gift.place)
        }
        Held::Feature { kind, feature, level } => {
            let right_kind = match gift.place {
                Place::Organization => true,
                Place::App { kind: place, .. } => place == kind,
            };
            if !right_kind || !blueprint.can_give(kind, feature, level.as_deref()) {
                return Err(DelegationDenial::Unknown);
            }
            let rules = blueprint.document().app_kinds.get(kind).and_then(|kind| kind.features.get(feature));
            if let Some(rules) = rules.filter(|rules| rules.roles_only) {
                return Err(DelegationDenial::RolesOnly { feature: rules.label.clone() });
            }
            let everyone = blueprint.document().everyone.access.iter().any(|access| {
                access.app_kind == *kind
                    && access.feature == *feature
                    && level.as_ref().is_some_and(|level| access.levels.contains(level))
            });
            match (gift.grantee, gift.place) {
                (Grantee::Everyone, Place::Organization) if everyone => Ok(()),
                (Grantee::Everyone, _) => Err(DelegationDenial::NotForEveryone),
                _ => Ok(()),
            }
        }
    }
}

/// Why there is no role of this key to give.
#[must_use]
pub fn no_role(blueprint: &Blueprint, key: &str) -> DelegationDenial {
    match blueprint.disabled_role(key) {
        Some(label) => DelegationDenial::Disabled { role: label.to_owned() },
        None => DelegationDenial::Unknown,
    }
}

/// Whether a role can be held at a place.
fn fits_place(role: &Role, place: &Place) -> Result<(), DelegationDenial> {
    let label = || role.label.clone();
    match (role.level, place) {
        (RoleLevel::Organization, Place::Organization) => Ok(()),
        (RoleLevel::App, Place::App { kind, .. }) => {
            let fits = role.kinds.is_empty() || role.kinds.contains(kind);
            if fits { Ok(()) } else { Err(DelegationDenial::WrongKind { role: label() }) }
        }
        (RoleLevel::Feature, Place::App { kind, .. }) => {
            let of = role.feature.as_deref().and_then(|feature| feature.split_once('.')).map(|(kind, _)| kind);
            if of == Some(kind.as_str()) { Ok(()) } else { Err(DelegationDenial::WrongKind { role: label() }) }
        }
        (level, _) => Err(DelegationDenial::WrongLevel { role: label(), level }),
    }
}

/// Whether somebody who holds these organization roles may hold a role that builds on others (`S1.20`).
///
/// # Errors
/// [`DelegationDenial::Prerequisite`].
pub fn meets_prerequisite<'r>(
    blueprint: &Blueprint,
    role: &str,
    held: impl IntoIterator<Item = &'r str>,
) -> Result<(), DelegationDenial> {
    let roles = &blueprint.document().roles;
    let Some(rules) = roles.get(role) else { return Err(DelegationDenial::Unknown) };
    if rules.requires.is_empty() || held.into_iter().any(|held| rules.requires.iter().any(|needed| needed == held)) {
        return Ok(());
    }
    let label = |key: &String| roles.get(key).map_or_else(|| key.clone(), |role| role.label.clone());
    Err(DelegationDenial::Prerequisite {
        role: rules.label.clone(),
        requires: rules.requires.iter().map(label).collect(),
    })
}

/// Whether somebody who holds these organization roles may be given this: no role's ceiling is below it (`Q14`).
///
/// # Errors
/// [`DelegationDenial::BeyondCeiling`].
pub fn below_ceiling<'r>(
    blueprint: &Blueprint,
    gift: &Gift<'_>,
    held: impl IntoIterator<Item = &'r str>,
) -> Result<(), DelegationDenial> {
    let gives = gives(blueprint, gift);
    for role in held {
        if blueprint.ceiling(role).is_some_and(|ceiling| !ceiling.contains(&gives)) {
            let label = blueprint.document().roles.get(role).map_or(role, |role| role.label.as_str());
            return Err(DelegationDenial::BeyondCeiling { role: label.to_owned() });
        }
    }
    Ok(())
}

/// What a gift gives.
fn gives(blueprint: &Blueprint, gift: &Gift<'_>) -> RightSet {
    given(
        blueprint,
        &Grant {
            id: Uuid::nil(),
            grantee: gift.grantee,
            path: Vec::new(),
            held: gift.held.clone(),
            place: gift.place.clone(),
            expires_at: None,
        },
    )
}

/// Whether this authority may give (or take) this.
///
/// # Errors
/// The first [`DelegationDenial`] that applies.
pub fn may_give(blueprint: &Blueprint, authority: Authority<'_>, gift: &Gift<'_>) -> Result<(), DelegationDenial> {
    fits(blueprint, gift)?;
    let rights = match authority {
        Authority::Principal(rights) => rights,
        // An operator stands above the organization; a person without membership has nothing to give.
        Authority::System(..) => return Ok(()),
        Authority::User(_) => return Err(DelegationDenial::BeyondOwnRights),
    };
    if let Held::Role(role) = gift.held {
        may_assign_at(blueprint, rights, role, (gift.place, gift.ancestors))?;
    }
    within_bounds(blueprint, rights, gift)
}

/// Whether this authority may let the grantee share in what is granted already, or may take it away again: as for giving, but
/// nothing is assigned anew, so it need not be what the blueprint still has.
///
/// This holds when somebody is put into a team, or a team under another one: the team's grants reach further then.
///
/// # Errors
/// [`DelegationDenial::SelfRaise`], [`DelegationDenial::BeyondOwnRights`].
pub fn may_share(blueprint: &Blueprint, authority: Authority<'_>, gift: &Gift<'_>) -> Result<(), DelegationDenial> {
    match authority {
        Authority::Principal(rights) => within_bounds(blueprint, rights, gift),
        Authority::System(..) => Ok(()),
        Authority::User(_) => Err(DelegationDenial::BeyondOwnRights),
    }
}

/// Whether this authority may have the secret of an account that holds this: as for sharing it, and what is not for programs alone it
/// must hold itself, bounded or not. Whoever has the secret can do as much, so nobody raises themselves by a program (`D3`).
///
/// # Errors
/// [`DelegationDenial::SelfRaise`], [`DelegationDenial::BeyondOwnRights`].
pub fn may_wield(blueprint: &Blueprint, authority: Authority<'_>, gift: &Gift<'_>) -> Result<(), DelegationDenial> {
    may_share(blueprint, authority, gift)?;
    let Authority::Principal(rights) = authority else { return Ok(()) };
    let holds = rights.at(gift.place, gift.ancestors).contains(&gives(blueprint, gift));
    if holds || is_for_programs(blueprint, gift.held) { Ok(()) } else { Err(DelegationDenial::BeyondOwnRights) }
}

/// Whether nobody but programs can hold this.
fn is_for_programs(blueprint: &Blueprint, held: &Held) -> bool {
    let Held::Role(role) = held else { return false };
    let role = blueprint.document().roles.get(role);
    role.is_some_and(|role| role.holders.iter().all(|holder| *holder == Holder::ServiceAccount))
}

/// Nobody raises themselves; where the blueprint says bounded, nobody gives what they do not hold.
fn within_bounds(blueprint: &Blueprint, rights: &Rights, gift: &Gift<'_>) -> Result<(), DelegationDenial> {
    let gives = gives(blueprint, gift);
    let holds = rights.at(gift.place, gift.ancestors).contains(&gives);
    let reaches_self = match gift.grantee {
        Grantee::Member(id) => rights.principal() == PrincipalId::member(id),
        Grantee::ServiceAccount(id) => rights.principal() == PrincipalId::service_account(id),
        Grantee::Team(id) => rights.is_in_team(id),
        Grantee::Everyone => true,
    };
    if reaches_self && !holds {
        return Err(DelegationDenial::SelfRaise);
    }
    if holds || is_free(blueprint, rights, gift) { Ok(()) } else { Err(DelegationDenial::BeyondOwnRights) }
}

/// Whether the giver is not bound to what it holds: by a role that is declared unbounded, or that hands on this very role
/// (`S0.39`).
fn is_free(blueprint: &Blueprint, rights: &Rights, gift: &Gift<'_>) -> bool {
    rights.role_rules(blueprint, gift.place, gift.ancestors).any(|rules| {
        let hands_on = matches!(gift.held, Held::Role(role) if rules.delegates.contains(role));
        !rules.bounded || hands_on
    })
}

/// Until when a giver who is bound to what it holds has all that a gift gives: nothing is given for longer (`S2.31`). `None` is
/// for good, for who is not bound, and for what is not held now, which [`may_give`] refuses.
///
/// `rights` are those of the facts at the moment.
#[must_use]
pub fn held_until(blueprint: &Blueprint, facts: &Facts, rights: &Rights, gift: &Gift<'_>) -> Option<DateTime<Utc>> {
    // Mostly nothing of what somebody holds ends.
    let mut end = rights.valid_until()?;
    let gives = gives(blueprint, gift);
    let holds = |rights: &Rights| rights.at(gift.place, gift.ancestors).contains(&gives);
    if is_free(blueprint, rights, gift) || !holds(rights) {
        return None;
    }
    loop {
        let then = Rights::compile(blueprint, facts, end);
        if !holds(&then) {
            return Some(end);
        }
        end = then.valid_until()?;
    }
}

/// Whether one of the organization roles held assigns this role.
///
/// # Errors
/// [`DelegationDenial::NotAssignable`].
pub fn may_assign(blueprint: &Blueprint, rights: &Rights, role: &str) -> Result<(), DelegationDenial> {
    may_assign_at(blueprint, rights, role, (&Place::Organization, &[]))
}

/// Whether one of the roles held in the organization or, for a place on an app, there or above it assigns this role.
///
/// # Errors
/// [`DelegationDenial::NotAssignable`].
pub fn may_assign_at(
    blueprint: &Blueprint,
    rights: &Rights,
    role: &str,
    (place, ancestors): (&Place, &[Uuid]),
) -> Result<(), DelegationDenial> {
    let assigns = |name: &String| name == "*" || name == role;
    if rights.role_rules(blueprint, place, ancestors).any(|rules| rules.assigns.iter().any(assigns)) {
        Ok(())
    } else {
        Err(DelegationDenial::NotAssignable { role: role.to_owned() })
    }
}

/// Whether this authority may limit a program that holds `role` by these scopes: each names something of the blueprint, gives
/// the program something, and opens nothing that its author does not hold in the organization.
///
/// # Errors
/// The first scope that does not fit, with the [`DelegationDenial`] that says why.
pub fn may_scope<'s>(
    blueprint: &Blueprint,
    authority: Authority<'_>,
    role: &str,
    scopes: &'s [String],
) -> Result<(), (&'s str, DelegationDenial)> {
    for scope in scopes {
        let fail = |denial| Err((scope.as_str(), denial));
        let Ok(mut opens) = blueprint.scope(scope) else { return fail(DelegationDenial::Unknown) };
        let gives = blueprint.role(role).is_some_and(|role| {
            let mut given = opens.clone();
            given.keep(role);
            !given.is_empty()
        });
        if !gives {
            return fail(DelegationDenial::WrongHolder);
        }
        match authority {
            Authority::Principal(rights) => {
                opens.remove(&rights.at(&Place::Organization, &[]));
                if !opens.is_empty() {
                    return fail(DelegationDenial::BeyondOwnRights);
                }
            }
            Authority::System(..) => {}
            Authority::User(_) => return fail(DelegationDenial::BeyondOwnRights),
        }
    }
    Ok(())
}
