//! Apps: the protected resources of an organization, and who sees which.
//!
//! An app on which nothing is held does not exist for a caller (`S3.29` to `S3.31`): it answers as an id that was never
//! given out. What may not enter: the words of a blueprint, decisions.

mod change;
mod directory;
mod held;
mod obstacles;
mod place;

use std::{collections::HashSet, sync::Arc};

use uuid::Uuid;

pub use self::change::{AppEdit, NewApp};
pub use self::obstacles::{AppObstacles, obstacles_to_making};
pub(super) use self::{
    directory::{Directories, Directory},
    place::{ensure_grantable, grantable, is_closed},
};
use super::{
    Access, Service, ServiceError, Standing, Work,
    page::{Page, PageRequest},
};
pub use crate::store::app::{App, AppState, AppVisibility};
use crate::{
    ablate,
    access::{AppRef, Capability, Place},
    store::{
        self, Reader,
        app::{Above, AppFilter},
        grant::AccessGrant,
    },
};

/// An app that somebody sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenApp {
    /// The app.
    pub app: App,
    /// What stands above it.
    pub above: Above,
}

impl SeenApp {
    /// As a question names it.
    #[must_use]
    pub fn place(&self) -> AppRef<'_> {
        self.app.place(&self.above)
    }

    /// Whether it exists for this principal.
    #[must_use]
    pub fn is_seen_by(&self, standing: &Standing) -> bool {
        ablate::off("hidden_app") || standing.rights.visible_apps(&standing.blueprint.rules).shows_app(&self.place())
    }

    /// What this principal may do in it, feature by feature.
    #[must_use]
    pub fn capabilities_of(&self, standing: &Standing) -> Vec<Capability> {
        standing.rights.capabilities(&standing.blueprint.rules, &self.place())
    }
}

/// Which apps to list; nothing set is all that the caller sees.
#[derive(Debug, Clone, Default)]
pub struct AppQuery {
    /// Of one kind.
    pub kind: Option<String>,
    /// Whose name or slug contains this.
    pub search: Option<String>,
    /// Below one app.
    pub parent: Option<Uuid>,
    /// Whether also what stands further below that app, and not directly.
    pub below: bool,
}

impl Service {
    /// The apps that the caller sees, by name. One statement, and one more for the total or where apps nest.
    ///
    /// # Errors
    /// For a caller without a place in an organization.
    pub async fn list_apps(
        &self,
        access: &Access,
        query: AppQuery,
        request: &PageRequest,
    ) -> Result<Page<SeenApp>, ServiceError> {
        let standing = access.standing()?;
        let rules = &standing.blueprint.rules;
        // What stands under a hidden app is found as what stands under none.
        if let Some(parent) = query.parent
            && self.find_app(access, parent).await?.is_none()
        {
            let total = request.total.then_some(0);
            return Ok(Page { items: Vec::new(), has_next: false, has_previous: false, total });
        }
        let reader = self.store().read();
        let AppQuery { kind, search, parent, below } = query;
        let filter = AppFilter { kind, search, parent, below, state: None };
        let visible = standing.rights.visible_apps(rules);
        let page = store::app::list(&reader, &visible, &filter, request).await?;
        let ids: Vec<Uuid> = page.items.iter().filter(|app| app.parent_id.is_some()).map(|app| app.id).collect();
        let mut above = store::app::ancestors_of(&reader, standing.place.id, &ids).await?;
        let seen = |app: App| SeenApp { above: above.remove(&app.id).unwrap_or_default(), app };
        let Page { items, has_next, has_previous, total } = page;
        Ok(Page { items: items.into_iter().map(seen).collect(), has_next, has_previous, total })
    }

    /// The app of this slug, if the caller sees it.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn find_app_by_slug(&self, access: &Access, slug: &str) -> Result<Option<Arc<SeenApp>>, ServiceError> {
        let standing = access.standing()?;
        let directory = self.directory(access).await?;
        let found = directory.apps.iter().find(|app| app.app.slug == slug);
        Ok(found.filter(|app| app.is_seen_by(standing)).cloned())
    }

    /// The apps above one that the caller sees, the highest first, as far as it sees them too. No statement where the
    /// organization's apps are remembered.
    ///
    /// # Errors
    /// For a caller without a place in an organization.
    pub async fn path_of(&self, access: &Access, app: &SeenApp) -> Result<Vec<Arc<SeenApp>>, ServiceError> {
        let standing = access.standing()?;
        let directory = self.directory(access).await?;
        let above = app.above.ids.iter().rev().filter_map(|id| directory.find(*id));
        Ok(above.filter(|app| app.is_seen_by(standing)).cloned().collect())
    }

    /// The app of this id, if the caller sees it. No statement where the organization's apps are remembered.
    ///
    /// # Errors
    /// For a caller without a place in an organization.
    pub async fn find_app(&self, access: &Access, id: Uuid) -> Result<Option<Arc<SeenApp>>, ServiceError> {
        let standing = access.standing()?;
        let directory = self.directory(access).await?;
        Ok(directory.find(id).filter(|app| app.is_seen_by(standing)).cloned())
    }
}

/// An app as the author of a change sees it, in the transaction.
///
/// # Errors
/// [`ServiceError::NotFound`], for one that is hidden too.
pub(super) async fn get_seen(work: &Work<'_>, id: Uuid) -> Result<SeenApp, ServiceError> {
    let standing = work.standing()?;
    let found = store::app::find_with_ancestors(work.tx, standing.place.id, id).await?;
    let seen = found.map(|(app, above)| SeenApp { app, above }).filter(|app| app.is_seen_by(standing));
    seen.ok_or(ServiceError::NotFound)
}

/// The apps on which these grants lie, whoever sees them. Two statements, and none where they lie on none.
pub(super) async fn on(
    reader: &impl Reader,
    organization: Uuid,
    grants: &[AccessGrant],
) -> Result<Vec<SeenApp>, ServiceError> {
    let id = |grant: &AccessGrant| match &grant.place {
        Place::App { id, .. } => Some(*id),
        Place::Organization => None,
    };
    let ids: Vec<Uuid> = grants.iter().filter_map(id).collect::<HashSet<_>>().into_iter().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut above = store::app::ancestors_of(reader, organization, &ids).await?;
    let apps = store::app::find_many(reader, organization, &ids).await?.into_iter();
    Ok(apps.map(|app| SeenApp { above: above.remove(&app.id).unwrap_or_default(), app }).collect())
}
