//! The capability matrix of an organization: every right of every member, for auditors.

use super::{Service, ServiceError};
use crate::{
    access::Rights,
    store::{
        self,
        app::Above,
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

impl Service {
    /// Every right of every member, in the order of member, app and feature. For the operator alone.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is no such organization.
    pub async fn matrix(&self, organization: &str) -> Result<Vec<MatrixRow>, ServiceError> {
        let reader = self.store().read();
        let row = store::organization::find_by_slug(&reader, organization).await?.ok_or(ServiceError::NotFound)?;
        let apps = store::app::find_all(&reader, row.id).await?;
        let above = store::app::ancestors_within(&apps);
        let top = Above::default();
        let crowd = facts::load_all(&reader, row.id).await?.ok_or(ServiceError::NotFound)?;
        let blueprint = self.rules(&reader, crowd.organization.blueprint_id, &crowd.organization.roles).await?;
        let within = Within { organization: row.id, active: row.state == OrganizationState::Active };
        let mut rows = Vec::new();
        for principal in crowd.reach.principals() {
            let Some(member) = principal.handle.clone().or_else(|| principal.email.clone()) else { continue };
            let facts = crowd.reach.facts(principal, within, None);
            let rights = Rights::compile(&blueprint.rules, &facts, crowd.now);
            for app in &apps {
                let place = app.place(above.get(&app.id).unwrap_or(&top));
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
