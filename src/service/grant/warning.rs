//! Grants at the wrong level, shown to those who see what others hold (`S1.28`, `S1.31`).

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use super::AccessGrant;
pub use crate::access::lint::{Warning, WarningCode};
use crate::{
    access::{
        Grant, Held, Place,
        lint::{AppFact, guidance, warnings},
    },
    service::{
        Access, Service, ServiceError, Standing,
        app::SeenApp,
        page::{Page, PageRequest, Position, SortKey},
    },
    store,
};

/// A warning with the grants it is about.
#[derive(Debug, Clone)]
pub struct AccessWarning {
    /// What is to be thought of.
    pub warning: Warning,
    /// The grants, the one to think over first; none for guidance.
    pub grants: Vec<AccessGrant>,
}

/// Where a warning stands in a list: by code, then by the grant that it names first.
#[must_use]
pub fn position(warning: &AccessWarning) -> Position {
    let AccessWarning { warning, .. } = warning;
    let first = warning.grants.first().copied().unwrap_or_default();
    Position { key: SortKey::Text(warning.code.key().to_owned()), id: first }
}

/// A stored row as the core knows it; by which way it reaches anybody is not asked here.
fn fact(grant: &AccessGrant) -> Grant {
    Grant {
        id: grant.id,
        grantee: grant.grantee,
        path: Vec::new(),
        held: grant.held.clone(),
        place: grant.place.clone(),
        expires_at: grant.expires_at,
    }
}

/// The apps that the viewer sees.
fn apps(viewer: &Standing, apps: &[Arc<SeenApp>]) -> HashMap<Uuid, AppFact> {
    let fact = |app: &Arc<SeenApp>| {
        let (name, kind) = (app.app.name.clone(), app.app.kind.clone());
        (app.app.id, AppFact { name, kind, ancestors: app.above.ids.clone() })
    };
    apps.iter().filter(|app| app.is_seen_by(viewer)).map(fact).collect()
}

impl Service {
    /// Every warning about the organization's grants, as far as the caller sees them: for holders of `rights.read`; `None`
    /// for others. Two statements, and one where the organization's apps are not remembered.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn access_warnings(
        &self,
        access: &Access,
        request: &PageRequest,
    ) -> Result<Option<Page<AccessWarning>>, ServiceError> {
        let viewer = access.standing()?;
        if !viewer.rights.holds("rights.read") {
            return Ok(None);
        }
        let grants = store::grant::find_all(&self.store().read(), viewer.place.id).await?;
        let found = self.lint(access, viewer, grants).await?;
        Ok(Some(crate::service::capability::page(found, position, request)))
    }

    /// What to think of about a grant that has just been given: the narrower roles for single tasks, and the warnings about it
    /// and the grantee's other grants, as far as the caller sees those.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn warnings_of(&self, access: &Access, grant: Uuid) -> Result<Vec<AccessWarning>, ServiceError> {
        let viewer = access.standing()?;
        let rules = &viewer.blueprint.rules;
        let Some(given) = self.find_grant(access, grant).await? else { return Ok(Vec::new()) };
        let advice = match &given.held {
            Held::Role(role) => guidance(rules, role),
            Held::Feature { .. } => None,
        };
        let advice = advice.map(|warning| AccessWarning { warning, grants: Vec::new() });
        let mut found: Vec<AccessWarning> = advice.into_iter().collect();
        if viewer.rights.holds("rights.read")
            && let Some(grantee) = given.grantee.row()
        {
            let grants = store::grant::of_grantees(&self.store().read(), viewer.place.id, &[grantee]).await?;
            let all = self.lint(access, viewer, grants).await?;
            found.extend(all.into_iter().filter(|found| found.warning.grants.contains(&grant)));
        }
        Ok(found)
    }

    /// Warnings about those of these grants that lie where the viewer sees.
    async fn lint(
        &self,
        access: &Access,
        viewer: &Standing,
        grants: Vec<AccessGrant>,
    ) -> Result<Vec<AccessWarning>, ServiceError> {
        let directory = self.directory(access).await?;
        let now = self.now();
        let seen = |grant: &AccessGrant| match &grant.place {
            Place::Organization => true,
            Place::App { id, .. } => directory.find(*id).is_some_and(|app| app.is_seen_by(viewer)),
        };
        let grants: Vec<AccessGrant> = grants.into_iter().filter(seen).collect();
        let facts: Vec<Grant> = grants.iter().map(fact).filter(|grant| grant.is_live(now)).collect();
        let found = warnings(&viewer.blueprint.rules, &facts, &apps(viewer, &directory.apps));
        let by_id: HashMap<Uuid, &AccessGrant> = grants.iter().map(|grant| (grant.id, grant)).collect();
        let about = |warning: &Warning| {
            let named = warning.grants.iter().filter_map(|id| by_id.get(id));
            named.map(|grant| (*grant).clone()).collect()
        };
        Ok(found.into_iter().map(|warning| AccessWarning { grants: about(&warning), warning }).collect())
    }
}
