//! How the access of a member is chosen: everything its giver has, or a tree of apps and features (`S2.19` to `S2.21`).
//!
//! «All» is written down as grants, which can be seen and taken away one by one (`Q3`). It is everything that the giver holds
//! and the member's roles can reach, never more (`Q4`).

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    Access, Service, ServiceError, Standing, UserError, UserErrorCode, Work,
    access_tree::{self, AppAccess},
    app::{self, SeenApp},
    grant::chosen_end,
    input::Mistakes,
};
use crate::{
    access::{
        AppRef, Blueprint, Grantee, Place,
        blueprint::document::InitialAccess,
        delegation::{Gift, may_give},
        share::{Share, ceiling, everything, shareable},
    },
    id::new_id,
    store::{
        self,
        grant::{AccessGrant, NewGrant},
    },
};

/// The two positions of the toggle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessMode {
    /// Everything that the giver has.
    All,
    /// What is ticked.
    Custom,
}

/// How a member's access is chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AccessChoice {
    /// What the member's roles begin with.
    #[default]
    Initial,
    /// Everything that the giver has.
    All,
    /// What is ticked.
    Custom(Vec<AppAccess>),
}

impl AccessChoice {
    /// What is ticked, where the choice is custom.
    #[must_use]
    pub fn tree(&self) -> &[AppAccess] {
        match self {
            Self::Custom(tree) => tree,
            Self::Initial | Self::All => &[],
        }
    }

    /// As a form says it: a tree that is given is a custom choice.
    ///
    /// # Errors
    /// `INVALID` for a tree beside `ALL`.
    pub fn of(mode: Option<AccessMode>, tree: Option<Vec<AppAccess>>) -> Result<Self, UserError> {
        match (mode, tree) {
            (None, None) => Ok(Self::Initial),
            (Some(AccessMode::All), None) => Ok(Self::All),
            (Some(AccessMode::All), Some(_)) => {
                let both = "there is a tree beside `ALL`";
                Err(UserError::new(UserErrorCode::Invalid, "access", both)
                    .remedy("Send the tree with `CUSTOM`, or none."))
            }
            (None | Some(AccessMode::Custom), tree) => Ok(Self::Custom(tree.unwrap_or_default())),
        }
    }

    /// As a form says it about somebody who has access already; `None`: it says nothing.
    ///
    /// # Errors
    /// As [`AccessChoice::of`]; `MISSING` for `CUSTOM` without a tree, which would take everything away.
    pub fn edited(mode: Option<AccessMode>, tree: Option<Vec<AppAccess>>) -> Result<Option<Self>, UserError> {
        match (mode, tree) {
            (None, None) => Ok(None),
            (Some(AccessMode::Custom), None) => {
                Err(UserError::new(UserErrorCode::Missing, "access", "there is no tree beside `CUSTOM`")
                    .remedy("Send all that is to stay ticked, and an empty list for nothing."))
            }
            (mode, tree) => Self::of(mode, tree).map(Some),
        }
    }
}

/// What an invitation with these roles gives where nothing is chosen (`Q1`): the widest of what they begin with.
#[must_use]
pub fn initial<'r>(blueprint: &Blueprint, roles: impl IntoIterator<Item = &'r str>) -> InitialAccess {
    let rules = roles.into_iter().filter_map(|key| blueprint.document().roles.get(key));
    rules.fold(InitialAccess::None, |widest, role| match (widest, role.initial_access) {
        (InitialAccess::All, _) | (_, InitialAccess::All) => InitialAccess::All,
        (InitialAccess::Inviter, _) | (_, InitialAccess::Inviter) => InitialAccess::Inviter,
        (InitialAccess::None, InitialAccess::None) => InitialAccess::None,
    })
}

impl Service {
    /// How the toggle stands for these members, as far as the caller sees what they hold: all where a member holds, by grants of
    /// its own, everything that the caller could give it. For batched loading.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn access_modes(&self, access: &Access, ids: &[Uuid]) -> Result<HashMap<Uuid, AccessMode>, ServiceError> {
        let viewer = access.standing()?;
        let rules = &viewer.blueprint.rules;
        let grantees: Vec<Grantee> = ids.iter().copied().map(Grantee::Member).collect();
        let grants = self.grants_of(access, &grantees).await?;
        let roles = self.roles_of_members(access, ids).await?;
        let directory = self.directory(access).await?;
        let seen: Vec<AppRef<'_>> =
            directory.apps.iter().filter(|app| is_shared(viewer, app)).map(|app| app.place()).collect();
        let mode = |id: &Uuid| {
            let own = grants.get(&Grantee::Member(*id))?;
            let bound = ceiling(rules, roles.get(id).into_iter().flatten().map(String::as_str));
            let shares = shareable(rules, &viewer.rights, &seen, bound.as_ref());
            let is_held = |share: &Share| {
                own.iter().any(|grant| {
                    grant.held == share.held() && (grant.place == share.place || grant.place == Place::Organization)
                })
            };
            let all = !shares.is_empty() && shares.iter().all(is_held);
            Some((*id, if all { AccessMode::All } else { AccessMode::Custom }))
        };
        Ok(ids.iter().filter_map(mode).collect())
    }
}

/// Whether «everything» is about this app: it is seen, and people can be added to it (`S4.R10`).
fn is_shared(author: &Standing, app: &SeenApp) -> bool {
    app.is_seen_by(author) && !app::is_closed(&author.blueprint.rules, &app.app)
}

/// Whose access is chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chosen<'a> {
    /// The member.
    pub member: Uuid,
    /// The organization roles it has, or is to have.
    pub roles: &'a [String],
    /// The features it holds already by grants of its own.
    pub held: &'a [AccessGrant],
}

/// The grants that a choice comes to, every mistake in it told at its place.
///
/// # Errors
/// [`ServiceError::NotFound`] for an app that there is not, or that the author does not see.
pub(super) async fn grants(
    work: &Work<'_>,
    chosen: Chosen<'_>,
    choice: &AccessChoice,
    mistakes: &mut Mistakes,
) -> Result<Vec<NewGrant>, ServiceError> {
    let rules = &work.standing()?.blueprint.rules;
    let begin = initial(rules, chosen.roles.iter().map(String::as_str));
    match (choice, begin) {
        (AccessChoice::Custom(tree), _) => access_tree::grants(work, chosen, tree, mistakes).await,
        (AccessChoice::Initial, InitialAccess::None) => Ok(Vec::new()),
        (AccessChoice::All | AccessChoice::Initial, InitialAccess::All) => all(work, chosen, true).await,
        (AccessChoice::All, InitialAccess::None | InitialAccess::Inviter)
        | (AccessChoice::Initial, InitialAccess::Inviter) => all(work, chosen, false).await,
    }
}

/// The apps of the author's organization that the author sees.
pub(super) async fn seen_apps(work: &Work<'_>) -> Result<Vec<SeenApp>, ServiceError> {
    let standing = work.standing()?;
    let apps = store::app::find_all(work.tx, standing.place.id).await?;
    let mut above = store::app::ancestors_within(&apps);
    let apps = apps.into_iter().map(|app| SeenApp { above: above.remove(&app.id).unwrap_or_default(), app });
    Ok(apps.filter(|app| app.is_seen_by(standing)).collect())
}

/// Everything the author has, or everything there is, as far as the author may give it and the member's roles reach. What is
/// held already keeps its end, and nothing lasts longer than the author has it.
async fn all(work: &Work<'_>, chosen: Chosen<'_>, widest: bool) -> Result<Vec<NewGrant>, ServiceError> {
    let standing = work.standing()?;
    let rules = &standing.blueprint.rules;
    let bound = ceiling(rules, chosen.roles.iter().map(String::as_str));
    let apps = seen_apps(work).await?;
    let shares = if widest {
        everything(rules, bound.as_ref())
    } else {
        let shared = apps.iter().filter(|app| is_shared(standing, app));
        let places: Vec<AppRef<'_>> = shared.map(SeenApp::place).collect();
        shareable(rules, &standing.rights, &places, bound.as_ref())
    };
    let grantee = Grantee::Member(chosen.member);
    let mut grants = Vec::with_capacity(shares.len());
    for share in shares {
        let held = share.held();
        let above = match &share.place {
            Place::Organization => None,
            Place::App { id, .. } => apps.iter().find(|app| app.app.id == *id),
        };
        let ancestors = above.map(|app| app.above.ids.as_slice()).unwrap_or_default();
        let gift = Gift { grantee, held: &held, place: &share.place, ancestors };
        if may_give(rules, work.authority(), &gift).is_ok() {
            let before = chosen.held.iter().find(|grant| grant.held == held && grant.place == share.place);
            let expires_at = match before {
                Some(grant) => grant.expires_at,
                None => chosen_end(work, chosen.held, &gift),
            };
            grants.push(NewGrant { id: new_id(), grantee, held, place: share.place, expires_at });
        }
    }
    Ok(grants)
}
