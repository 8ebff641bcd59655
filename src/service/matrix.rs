//! The capability matrix of an organization: every right of every member, for auditors.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Service, ServiceError};
use crate::{
    access::{AppRef, Rights},
    store::{
        self,
        app::{App, AppState},
        facts::{self, Within},
        organization::OrganizationState,
    },
};

/// What a member may do in one feature of one app.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MatrixRow {
    /// The member's handle, or its email where it has none.
    pub member: String,
    /// The app's slug.
    pub app: String,
    /// The feature's key.
    pub feature: String,
    /// Its access level, or else its allowed actions joined by commas.
    pub access: String,
}

/// The apps above each app, the nearest first.
pub(super) fn ancestors(apps: &[App]) -> HashMap<Uuid, Vec<Uuid>> {
    let parents: HashMap<Uuid, Uuid> = apps.iter().filter_map(|app| Some((app.id, app.parent_id?))).collect();
    let above = |app: &App| {
        let up = std::iter::successors(parents.get(&app.id), |id| parents.get(*id));
        // Nobody can close a circle, but one made past the store must still end.
        (app.id, up.take(64).copied().collect::<Vec<_>>())
    };
    apps.iter().filter(|app| app.parent_id.is_some()).map(above).collect()
}

impl Service {
    /// Every right of every member, in the order of member, app and feature. For the operator alone.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is no such organization.
    pub async fn matrix(&self, organization: &str) -> Result<Vec<MatrixRow>, ServiceError> {
        let reader = self.store().read();
        let row = store::organization::find_by_slug(&reader, organization).await?.ok_or(ServiceError::NotFound)?;
        let apps = store::app::find_all(&reader, row.id).await?;
        let above = ancestors(&apps);
        let crowd = facts::load_all(&reader, row.id).await?.ok_or(ServiceError::NotFound)?;
        let blueprint = self.rules(&reader, crowd.organization.blueprint_id, &crowd.organization.roles).await?;
        let within = Within { organization: row.id, active: row.state == OrganizationState::Active };
        let mut rows = Vec::new();
        for principal in crowd.reach.principals() {
            let Some(member) = principal.handle.clone().or_else(|| principal.email.clone()) else { continue };
            let facts = crowd.reach.facts(principal, within, None);
            let rights = Rights::compile(&blueprint.rules, &facts, crowd.now);
            for app in &apps {
                let ancestors = above.get(&app.id).map_or(&[][..], Vec::as_slice);
                let active = app.state == AppState::Active;
                let place = AppRef { id: app.id, kind: &app.kind, ancestors, active };
                rows.extend(rights.capabilities(&blueprint.rules, &place).into_iter().map(|held| MatrixRow {
                    member: member.clone(),
                    app: app.slug.clone(),
                    feature: held.feature,
                    access: held.level.unwrap_or_else(|| held.actions.join(",")),
                }));
            }
        }
        rows.sort_unstable();
        Ok(rows)
    }
}
