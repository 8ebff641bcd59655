//! Grants: the stored rows that give access, who sees them, and how they are given and taken.
//!
//! Everyone sees its own; those of others are for holders of `rights.read`, as far as they lie on apps that the caller sees.
//! What may not enter: decisions about who may give what, which are the core's (`access::delegation`).

mod app_role;
mod change;
mod edit;
mod invited;
mod lasting;
mod taking;
mod toggle;
mod warning;

use std::collections::HashMap;

use uuid::Uuid;

pub use self::{
    change::{Default, NewAccess},
    edit::AccessEdit,
    toggle::{AppRoleSwitch, Candidate, Switched},
    warning::{AccessWarning, Warning, WarningCode, position as warning_position},
};
pub(super) use self::{
    edit::{apply, plan},
    invited::{Asked, give_invited},
    lasting::chosen_end,
    taking::{Holder, given_above, gives_on, lacking, obstacles},
};
use super::{
    Access, Service, ServiceError, Standing,
    page::{Page, PageRequest, Position, SortKey},
};
pub use crate::store::grant::AccessGrant;
use crate::{
    access::{Grantee, Held, Place},
    store,
};

/// What every member has on every app of a kind (`S5.2`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultAccess {
    /// The app kind's key.
    pub kind: String,
    /// The feature's key.
    pub feature: String,
    /// The level; `None` for no default access.
    pub level: Option<String>,
    /// The levels it can be set to.
    pub levels: Vec<String>,
}

/// Whether the caller may see what is given to this grantee.
fn may_see(viewer: &Standing, grantee: Grantee) -> bool {
    let own = viewer.facts.principal.id;
    let mine = match grantee {
        Grantee::Member(id) | Grantee::ServiceAccount(id) => id == own,
        Grantee::Team(id) => viewer.rights.is_in_team(id),
        Grantee::Everyone => viewer.rights.inactive().is_none(),
    };
    mine || viewer.rights.holds("rights.read")
}

/// Where a grant stands in a list: in the order of giving.
#[must_use]
pub const fn position(grant: &AccessGrant) -> Position {
    Position { key: SortKey::Id, id: grant.id }
}

/// One page of a list that is whole in memory, in the order of ids.
#[must_use]
pub fn page(grants: Vec<AccessGrant>, request: &PageRequest) -> Page<AccessGrant> {
    super::capability::page(grants, position, request)
}

impl Service {
    /// The grants of these members, teams and service accounts, as far as the caller sees them; for batched loading. Two
    /// statements, and one where the organization's apps are not remembered.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn grants_of(
        &self,
        access: &Access,
        grantees: &[Grantee],
    ) -> Result<HashMap<Grantee, Vec<AccessGrant>>, ServiceError> {
        let viewer = access.standing()?;
        let mut grants: HashMap<Grantee, Vec<AccessGrant>> = grantees
            .iter()
            .filter(|grantee| may_see(viewer, **grantee))
            .map(|grantee| (*grantee, Vec::new()))
            .collect();
        let ids: Vec<Uuid> = grants.keys().filter_map(|grantee| grantee.row()).collect();
        if ids.is_empty() {
            return Ok(grants);
        }
        let directory = self.directory(access).await?;
        for grant in store::grant::of_grantees(&self.store().read(), viewer.place.id, &ids).await? {
            let seen = match &grant.place {
                Place::Organization => true,
                Place::App { id, .. } => directory.find(*id).is_some_and(|app| app.is_seen_by(viewer)),
            };
            if seen && let Some(list) = grants.get_mut(&grant.grantee) {
                list.push(grant);
            }
        }
        Ok(grants)
    }

    /// The grant of this id, if the caller sees it.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn find_grant(&self, access: &Access, id: Uuid) -> Result<Option<AccessGrant>, ServiceError> {
        let viewer = access.standing()?;
        let found = store::grant::find_by_id(&self.store().read(), viewer.place.id, id).await?;
        let Some(grant) = found.filter(|grant| may_see(viewer, grant.grantee)) else { return Ok(None) };
        let seen = match &grant.place {
            Place::Organization => true,
            Place::App { id, .. } => self.find_app(access, *id).await?.is_some(),
        };
        Ok(seen.then_some(grant))
    }

    /// What every member has, for each feature that can have a default; for everyone in the organization. One statement.
    ///
    /// # Errors
    /// As for a caller without a place in an active organization.
    pub async fn default_access(&self, access: &Access) -> Result<Vec<DefaultAccess>, ServiceError> {
        let viewer = access.standing()?;
        if let Some(denial) = viewer.rights.inactive() {
            return Err(denial.into());
        }
        let held = store::grant::list_defaults(&self.store().read(), viewer.place.id).await?;
        let rules = viewer.blueprint.rules.document().everyone.access.iter();
        let default = rules.map(|rule| {
            let level = held.iter().find_map(|grant| match (&grant.held, &grant.place) {
                (Held::Feature { kind, feature, level }, Place::Organization)
                    if *kind == rule.app_kind && *feature == rule.feature =>
                {
                    level.clone()
                }
                _ => None,
            });
            let (kind, feature) = (rule.app_kind.clone(), rule.feature.clone());
            DefaultAccess { kind, feature, level, levels: rule.levels.clone() }
        });
        Ok(default.collect())
    }
}
