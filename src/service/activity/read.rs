//! Reading activity: for those who hold `activity.read`, and only of apps they see.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{ActivityCategory, ActivityEntry};
use crate::{
    access::{Denial, Visibility, visibility::Rows},
    service::{
        Access, Service, ServiceError, Standing,
        page::{Page, PageRequest},
    },
    store::{self, activity::ActivityFilter},
};

/// The permission that opens activity.
pub(super) const READ: &str = "activity.read";

/// Which entries are asked for; nothing set is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityQuery {
    /// Of one log.
    pub category: Option<ActivityCategory>,
    /// In one app.
    pub app: Option<Uuid>,
    /// By one actor.
    pub actor: Option<Uuid>,
    /// To things of one kind.
    pub target_kind: Option<String>,
    /// At this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
}

/// The caller's place, if it may read activity (S3.70).
pub(super) fn reader(access: &Access) -> Result<&Arc<Standing>, ServiceError> {
    let standing = access.standing()?;
    if let Some(denial) = standing.rights.inactive() {
        return Err(denial.into());
    }
    if standing.rights.holds(READ) || crate::ablate::off("activity_read") {
        Ok(standing)
    } else {
        Err(Denial::MissingPermission { permission: READ.to_owned() }.into())
    }
}

/// The entries that a principal sees at this moment, as the store is asked for them.
pub(super) fn seen(standing: &Standing, query: ActivityQuery, now: DateTime<Utc>) -> (Visibility, ActivityFilter) {
    let rules = standing.blueprint.rules.document();
    // What retention will remove is gone already (S3.69): it is only not yet swept.
    let days = rules.activity.retention_days.filter(|_| !crate::ablate::off("activity_retention"));
    let kept = days.map(|days| now - TimeDelta::days(i64::from(days)));
    let filter = ActivityFilter {
        category: query.category,
        app: query.app,
        actor: query.actor,
        target_kind: query.target_kind,
        target_id: None,
        since: query.since.max(kept),
        until: query.until,
        apps: apps(standing),
    };
    (standing.rights.visible_by(READ), filter)
}

/// The apps whose entries are seen; `None` when that is every app there is or was.
fn apps(standing: &Standing) -> Option<Visibility> {
    let rules = &standing.blueprint.rules;
    let visibility = standing.rights.visible_apps(rules);
    let every_kind =
        |kinds: &std::collections::BTreeSet<String>| rules.document().app_kinds.keys().all(|kind| kinds.contains(kind));
    let all = match visibility.rows() {
        Rows::All => true,
        Rows::None => false,
        Rows::Only { kinds, .. } => every_kind(kinds),
    };
    (!all).then_some(visibility)
}

impl Service {
    /// Entries of the caller's organization, the newest first. For holders of `activity.read` (S3.70); entries of apps that
    /// the caller does not see are left out. At most two statements.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission.
    pub async fn list_activity(
        &self,
        access: &Access,
        query: ActivityQuery,
        request: &PageRequest,
    ) -> Result<Page<ActivityEntry>, ServiceError> {
        let (visibility, filter) = seen(reader(access)?, query, self.now());
        Ok(store::activity::list(&self.store().read(), &visibility, &filter, request).await?)
    }

    /// One entry; `None` when there is none, or none that the caller sees.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn find_activity(&self, access: &Access, id: Uuid) -> Result<Option<ActivityEntry>, ServiceError> {
        let Ok(standing) = reader(access) else { return Ok(None) };
        let (reading, now) = (self.store().read(), self.now());
        let (_, filter) = seen(standing, ActivityQuery::default(), now);
        let found = store::activity::find_by_id(&reading, standing.place.id, id).await?;
        let Some(entry) = found.filter(|entry| filter.since.is_none_or(|since| since <= entry.at)) else {
            return Ok(None);
        };
        let (Some(apps), Some(app)) = (filter.apps, &entry.app) else { return Ok(Some(entry)) };
        let found = store::app::find_with_ancestors(&reading, standing.place.id, app.id).await?;
        let shown = found.is_some_and(|(app, above)| apps.shows_app(&app.place(&above)));
        Ok(shown.then_some(entry))
    }
}
