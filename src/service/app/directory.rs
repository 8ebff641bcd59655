//! Where the apps of an organization stand, remembered in this process as long as nothing of the organization has changed.
//!
//! A directory is read after the request that needs it was granted its rights, and kept under the version they were read at:
//! the organization's stamp moves with every app that is moved, closed or deleted, and comes with the rights themselves. So
//! a directory is never older than the rights it is used with; names and new apps follow the version of the content.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

use super::SeenApp;
use crate::{
    service::{Access, Service, ServiceError, Version},
    store,
};

/// How many organizations' directories are kept.
const KEPT: usize = 1_000;

/// The apps of one organization.
#[derive(Debug)]
pub(in crate::service) struct Directory {
    /// All of them, by name, then id.
    pub(in crate::service) apps: Vec<Arc<SeenApp>>,
    by_id: HashMap<Uuid, Arc<SeenApp>>,
}

impl Directory {
    /// The app of this id.
    pub(in crate::service) fn find(&self, id: Uuid) -> Option<&Arc<SeenApp>> {
        self.by_id.get(&id)
    }
}

/// Directories of organizations, each at a version of it.
#[derive(Debug, Default)]
pub(in crate::service) struct Directories(Mutex<HashMap<Uuid, (Version, Arc<Directory>)>>);

impl Directories {
    fn find(&self, organization: Uuid, version: Version) -> Option<Arc<Directory>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&organization).filter(|(at, _)| *at == version).map(|(_, found)| Arc::clone(found))
    }

    fn keep(&self, organization: Uuid, version: Version, directory: &Arc<Directory>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT && !known.contains_key(&organization) {
            known.clear();
        }
        known.insert(organization, (version, Arc::clone(directory)));
    }
}

impl Service {
    /// Where the apps of the caller's organization stand: remembered, or read in one statement.
    pub(in crate::service) async fn directory(&self, access: &Access) -> Result<Arc<Directory>, ServiceError> {
        let organization = access.standing()?.place.id;
        if let Some(known) = access.version.and_then(|version| self.directories().find(organization, version)) {
            return Ok(known);
        }
        let mut rows = store::app::find_all(&self.store().read(), organization).await?;
        rows.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        let mut above = store::app::ancestors_within(&rows);
        let apps: Vec<Arc<SeenApp>> = rows
            .into_iter()
            .map(|app| Arc::new(SeenApp { above: above.remove(&app.id).unwrap_or_default(), app }))
            .collect();
        let by_id = apps.iter().map(|app| (app.app.id, Arc::clone(app))).collect();
        let directory = Arc::new(Directory { apps, by_id });
        if let Some(version) = access.version {
            self.directories().keep(organization, version, &directory);
        }
        Ok(directory)
    }
}
