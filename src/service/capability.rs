//! Capabilities: what a principal may do, feature by feature, and where it comes from. Computed, never stored.
//!
//! Everyone sees its own; the rights of others are for holders of `rights.read`, on the apps that they see themselves.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use super::{
    Access, Service, ServiceError, Standing,
    app::SeenApp,
    page::{Page, PageRequest, Position, SortKey},
};
pub use crate::access::explain::Source;
use crate::{
    access::{Capability, Facts, PrincipalId, Rights, explain},
    store::facts::{self, PrincipalFact, Within},
};

/// Somebody whose rights are shown.
#[derive(Debug)]
pub struct Holder {
    /// Which principal.
    pub principal: PrincipalId,
    /// Its name as shown.
    pub name: String,
    facts: Facts,
    rights: Rights,
}

/// What somebody may do in one feature of one app.
#[derive(Debug, Clone)]
pub struct Held {
    /// Who.
    pub holder: Arc<Holder>,
    /// Where.
    pub app: Arc<SeenApp>,
    /// What.
    pub capability: Capability,
    /// The feature's place in its kind.
    place: usize,
    /// What the list is sorted by.
    by: By,
}

#[derive(Debug, Clone, Copy)]
enum By {
    App,
    Holder,
}

impl Held {
    /// Where it stands in its list: by app, or by holder, then feature.
    #[must_use]
    pub fn position(&self) -> Position {
        let (name, id) = match self.by {
            By::App => (&self.app.app.name, self.app.app.id),
            By::Holder => (&self.holder.name, self.holder.principal.id),
        };
        Position { key: SortKey::Text(format!("{name}\u{0}{id}\u{0}{:03}", self.place)), id }
    }

    /// The grants it comes from, in the order of giving.
    #[must_use]
    pub fn sources(&self, viewer: &Standing, now: chrono::DateTime<chrono::Utc>) -> Vec<Source> {
        let rules = &viewer.blueprint.rules;
        explain::sources(rules, &self.holder.facts, &self.app.place(), &self.capability.feature, now)
    }
}

impl Holder {
    fn of(standing: &Standing) -> Self {
        Self {
            principal: standing.facts.principal,
            name: standing.name.clone(),
            facts: standing.facts.clone(),
            rights: standing.rights.clone(),
        }
    }

    fn read(viewer: &Standing, crowd: &facts::Crowd, principal: &PrincipalFact) -> Self {
        let within = Within { organization: viewer.place.id, active: viewer.facts.organization_active };
        let facts = crowd.reach.facts(principal, within, None);
        let rights = Rights::compile(&viewer.blueprint.rules, &facts, crowd.now);
        Self { principal: principal.id, name: principal.name.clone(), facts, rights }
    }
}

/// Whether the caller may see what this principal may do.
fn may_see(viewer: &Standing, principal: Uuid) -> bool {
    viewer.facts.principal.id == principal
        || (viewer.rights.holds("rights.read") && viewer.rights.visible_members().shows("", principal))
}

/// What a caller may do at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentAccess {
    /// Its organization permissions, sorted.
    pub permissions: Vec<String>,
    /// Its organization roles, sorted.
    pub roles: Vec<String>,
    /// The apps it sees, by name, with what it may do there.
    pub apps: Vec<(Arc<SeenApp>, Vec<Capability>)>,
}

/// What a holder may do on an app, as rows of a list.
fn rows(viewer: &Standing, holder: &Arc<Holder>, app: &Arc<SeenApp>, by: By) -> Vec<Held> {
    let rules = &viewer.blueprint.rules;
    let features = rules.document().app_kinds.get(&app.app.kind).map(|kind| &kind.features);
    let held = holder.rights.capabilities(rules, &app.place()).into_iter();
    held.map(|capability| Held {
        holder: Arc::clone(holder),
        app: Arc::clone(app),
        place: features.and_then(|features| features.get_index_of(&capability.feature)).unwrap_or_default(),
        capability,
        by,
    })
    .collect()
}

/// One page of a list that is whole in memory, sorted by position.
#[must_use]
pub fn page<T>(items: Vec<T>, position: impl Fn(&T) -> Position, request: &PageRequest) -> Page<T> {
    let key = |position: &Position| match &position.key {
        SortKey::Text(text) => (text.clone(), position.id),
        SortKey::Id | SortKey::Time(_) => (String::new(), position.id),
    };
    let total = request.total.then_some(items.len() as u64);
    let (after, before) = (request.after.as_ref().map(key), request.before.as_ref().map(key));
    let inside = |item: &T| {
        let own = key(&position(item));
        after.as_ref().is_none_or(|after| own > *after) && before.as_ref().is_none_or(|before| own < *before)
    };
    let mut items: Vec<T> = items.into_iter().filter(inside).collect();
    let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let (has_next, has_previous) = match (request.first, request.last) {
        (None, Some(last)) => {
            let more = items.len() > size(last);
            items.drain(..items.len().saturating_sub(size(last)));
            (request.before.is_some(), more)
        }
        (first, _) => {
            let first = size(first.unwrap_or(100));
            let more = items.len() > first;
            items.truncate(first);
            (more, request.after.is_some())
        }
    };
    Page { items, has_next, has_previous, total }
}

impl Service {
    /// The rights of these principals, of those that the caller may see. One statement, or none for the caller alone.
    ///
    /// # Errors
    /// For a caller without a place in an organization.
    pub async fn rights_of(&self, access: &Access, ids: &[Uuid]) -> Result<HashMap<Uuid, Arc<Holder>>, ServiceError> {
        let viewer = access.standing()?;
        let own = viewer.facts.principal.id;
        let mut holders = HashMap::with_capacity(ids.len());
        if ids.contains(&own) {
            holders.insert(own, Arc::new(Holder::of(viewer)));
        }
        let others: Vec<Uuid> = ids.iter().copied().filter(|id| *id != own && may_see(viewer, *id)).collect();
        if others.is_empty() {
            return Ok(holders);
        }
        let crowd = facts::load_many(&self.store().read(), viewer.place.id, &others).await?;
        let crowd = crowd.ok_or(ServiceError::NotFound)?;
        for principal in crowd.reach.principals() {
            holders.insert(principal.id.id, Arc::new(Holder::read(viewer, &crowd, principal)));
        }
        Ok(holders)
    }

    /// What somebody may do, by app and feature, on the apps that the caller sees.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an app that the caller does not see.
    pub async fn capabilities_of(
        &self,
        access: &Access,
        (holder, app): (&Arc<Holder>, Option<Uuid>),
        request: &PageRequest,
    ) -> Result<Page<Held>, ServiceError> {
        let viewer = access.standing()?;
        let directory = self.directory(access).await?;
        let visible = viewer.rights.visible_apps(&viewer.blueprint.rules);
        let shown = |app: &&Arc<SeenApp>| visible.shows_app(&app.place());
        let apps: Vec<&Arc<SeenApp>> = match app {
            None => directory.apps.iter().filter(shown).collect(),
            Some(id) => vec![directory.find(id).filter(shown).ok_or(ServiceError::NotFound)?],
        };
        let items = apps.into_iter().flat_map(|app| rows(viewer, holder, app, By::App)).collect();
        Ok(page(items, Held::position, request))
    }

    /// Everything that the caller itself may do at the moment.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn present_access(&self, access: &Access) -> Result<PresentAccess, ServiceError> {
        let viewer = access.standing()?;
        let directory = self.directory(access).await?;
        let apps = directory.apps.iter().filter(|app| app.is_seen_by(viewer));
        Ok(PresentAccess {
            permissions: viewer.rights.permissions().map(str::to_owned).collect(),
            roles: viewer.rights.roles().map(str::to_owned).collect(),
            apps: apps.map(|app| (Arc::clone(app), app.capabilities_of(viewer))).collect(),
        })
    }

    /// What everyone may do on an app, by holder and feature; for holders of `rights.read`. One statement.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission.
    pub async fn capabilities_on(
        &self,
        access: &Access,
        app: &Arc<SeenApp>,
        request: &PageRequest,
    ) -> Result<Page<Held>, ServiceError> {
        let viewer = access.standing()?;
        viewer.require("rights.read")?;
        if !app.is_seen_by(viewer) {
            return Err(ServiceError::NotFound);
        }
        let crowd = facts::load_all(&self.store().read(), viewer.place.id).await?.ok_or(ServiceError::NotFound)?;
        let mut holders: Vec<Arc<Holder>> = crowd
            .reach
            .principals()
            .iter()
            .filter(|principal| may_see(viewer, principal.id.id))
            .map(|principal| Arc::new(Holder::read(viewer, &crowd, principal)))
            .collect();
        holders.sort_by(|a, b| (&a.name, a.principal.id).cmp(&(&b.name, b.principal.id)));
        let items = holders.iter().flat_map(|holder| rows(viewer, holder, app, By::Holder)).collect();
        Ok(page(items, Held::position, request))
    }
}

impl Standing {
    /// Refuses a principal without an organization permission.
    pub(super) fn require(&self, permission: &str) -> Result<(), ServiceError> {
        use crate::access::Denial;
        if let Some(denial) = self.rights.inactive() {
            return Err(denial.into());
        }
        if self.rights.holds(permission) {
            Ok(())
        } else {
            Err(Denial::MissingPermission { permission: permission.to_owned() }.into())
        }
    }
}
