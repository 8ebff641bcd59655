//! Activity: who did what to which target. Every change writes its entry in its own transaction; products report theirs.

mod follow;
mod read;
mod report;

pub use self::{
    read::ActivityQuery,
    report::{Doer, Happening, MOST_ENTRIES, Reported},
};

use chrono::TimeDelta;
use serde_json::Value;
use uuid::Uuid;

use super::{Actor, ServiceError, Work};
pub use crate::store::activity::{ActivityCategory, ActivityEntry, Actor as ActivityActor, ActorKind, AppName, Target};
use crate::{
    access::PrincipalKind,
    id::new_id,
    store::{self, activity},
};

/// An entry about to be written; who and when come from the change it belongs to.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// What it is about: access, content or the account.
    pub category: ActivityCategory,
    /// What was done, as `noun.verb`.
    pub action: &'static str,
    /// To what.
    pub target: Target,
    /// In which app.
    pub app: Option<AppName>,
    /// What else is worth knowing; never a secret.
    pub detail: Value,
}

impl NewEntry {
    /// An entry about access: people, roles, grants.
    #[must_use]
    pub fn access(action: &'static str, target: Target) -> Self {
        Self {
            category: ActivityCategory::Access,
            action,
            target,
            app: None,
            detail: Value::Object(serde_json::Map::new()),
        }
    }

    /// An entry about the organization itself: its name, plan, tokens.
    #[must_use]
    pub fn account(action: &'static str, target: Target) -> Self {
        Self { category: ActivityCategory::Account, ..Self::access(action, target) }
    }

    /// With what else is worth knowing: one JSON object.
    #[must_use]
    pub fn detail(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }

    /// In this app.
    #[must_use]
    pub fn in_app(mut self, id: Uuid, name: &str) -> Self {
        self.app = Some(AppName { id, name: name.to_owned() });
        self
    }
}

/// A row of ours as a target.
#[must_use]
pub fn target(kind: &str, id: Uuid, name: &str) -> Target {
    Target { kind: kind.to_owned(), id: Some(id.to_string()), name: name.to_owned() }
}

impl Work<'_> {
    /// Who made the change, as its entry names it.
    fn author(&self) -> activity::Actor {
        match &self.actor {
            Actor::Principal(standing) => {
                let principal = standing.facts.principal;
                let kind = match principal.kind {
                    PrincipalKind::Member => activity::ActorKind::Member,
                    PrincipalKind::ServiceAccount => activity::ActorKind::ServiceAccount,
                };
                activity::Actor { kind, id: Some(principal.id), name: standing.name.clone() }
            }
            Actor::User { id, name } => {
                activity::Actor { kind: activity::ActorKind::User, id: Some(*id), name: name.clone() }
            }
            Actor::System(task, _) => {
                activity::Actor { kind: activity::ActorKind::System, id: None, name: task.name().to_owned() }
            }
        }
    }

    /// Writes the change's entry, to be kept as long as the organization's blueprint says.
    ///
    /// # Errors
    /// When the database cannot write it; the change then fails as a whole.
    pub async fn record(&self, organization: Uuid, entry: NewEntry) -> Result<(), ServiceError> {
        let row = store::organization::find_by_id(self.tx, organization).await?.ok_or(ServiceError::NotFound)?;
        let blueprint = self.service.blueprint(self.tx, row.blueprint_id).await?;
        let kept = blueprint.rules.document().activity.retention_days;
        let expires_at = kept.and_then(|days| self.now.checked_add_signed(TimeDelta::days(i64::from(days))));
        let entry = ActivityEntry {
            id: new_id(),
            organization_id: organization,
            at: self.now,
            category: entry.category,
            actor: self.author(),
            action: entry.action.to_owned(),
            app: entry.app,
            target: entry.target,
            detail: entry.detail,
            expires_at,
        };
        Ok(activity::insert_many(self.tx, vec![entry]).await?)
    }
}
