//! Delegation: who may give what to whom. Nobody gives what they do not hold, where the blueprint says bounded; nobody ever
//! raises themselves.

use thiserror::Error;
use uuid::Uuid;

use crate::{
    Authority, Blueprint, Held, Place, PrincipalId, Rights,
    blueprint::document::{Holder, RoleLevel},
    grant::{Grant, Grantee},
    rights::given,
};

/// Why a grant or role change is refused, although its author may change access in general.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DelegationDenial {
    /// The blueprint has no such role, feature or level, or not for this kind of app (`Q8`).
    #[error("the blueprint has nothing to give by that name")]
    Unknown,
    /// The role cannot be held by this kind of grantee.
    #[error("the role cannot be held by such a grantee")]
    WrongHolder,
    /// The role is for the other level (`S1.31`).
    #[error("the role holds at another level")]
    WrongLevel,
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
        Held::Role(role) => {
            let role = blueprint.document().roles.get(role).ok_or(DelegationDenial::Unknown)?;
            let holder = match gift.grantee {
                Grantee::Member(_) => Holder::Member,
                Grantee::Team(_) => Holder::Team,
                Grantee::ServiceAccount(_) => Holder::ServiceAccount,
                Grantee::Everyone => Holder::Everyone,
            };
            if !role.holders.contains(&holder) {
                return Err(DelegationDenial::WrongHolder);
            }
            let level = match gift.place {
                Place::Organization => RoleLevel::Organization,
                Place::App { .. } => RoleLevel::App,
            };
            if role.level == level { Ok(()) } else { Err(DelegationDenial::WrongLevel) }
        }
        Held::Feature { kind, feature, level } => {
            let right_kind = match gift.place {
                Place::Organization => true,
                Place::App { kind: place, .. } => place == kind,
            };
            if !right_kind || !blueprint.can_give(kind, feature, level.as_deref()) {
                return Err(DelegationDenial::Unknown);
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
        may_assign(blueprint, rights, role)?;
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

/// Nobody raises themselves; where the blueprint says bounded, nobody gives what they do not hold.
fn within_bounds(blueprint: &Blueprint, rights: &Rights, gift: &Gift<'_>) -> Result<(), DelegationDenial> {
    let gives = given(
        blueprint,
        &Grant {
            id: Uuid::nil(),
            grantee: gift.grantee,
            path: Vec::new(),
            held: gift.held.clone(),
            place: gift.place.clone(),
            expires_at: None,
        },
    );
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
    if is_bounded(blueprint, rights) && !holds {
        return Err(DelegationDenial::BeyondOwnRights);
    }
    Ok(())
}

/// Whether one of the roles held assigns this role.
///
/// # Errors
/// [`DelegationDenial::NotAssignable`].
pub fn may_assign(blueprint: &Blueprint, rights: &Rights, role: &str) -> Result<(), DelegationDenial> {
    let assigns = |name: &String| name == "*" || name == role;
    if rights.role_rules(blueprint).any(|rules| rules.assigns.iter().any(assigns)) {
        Ok(())
    } else {
        Err(DelegationDenial::NotAssignable { role: role.to_owned() })
    }
}

/// Bounded unless some role held is declared unbounded.
fn is_bounded(blueprint: &Blueprint, rights: &Rights) -> bool {
    rights.role_rules(blueprint).all(|rules| rules.bounded)
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
