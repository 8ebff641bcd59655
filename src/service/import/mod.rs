//! Importing an organization document (`S5.8`): members, teams and repositories, whole or not at all, as often as one likes.
//!
//! ```text
//!  text ─▶ json (values with lines) ─▶ document (its shape) ─▶ check (its sense) ─▶ write (the differences, one transaction)
//! ```
//!
//! How the document maps to an organization is said by the blueprint's `[import]`. Teams of the document get exactly the
//! members and repositories it gives them; people, teams and repositories that it does not name are left as they are.
//! What may not enter: any blueprint's words.

mod check;
mod document;
mod json;
mod write;

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Change, Service, ServiceError, blueprint::Installed};
use crate::{
    access::{SystemTask, blueprint::document::ImportRules},
    id::new_id,
    store::{self, Limits, WriteScope, organization::OrganizationState},
};

/// Something wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where, from line 1.
    pub line: usize,
    /// The field, such as `teams[3].parent`; empty: the document itself.
    pub field: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, field, problem } = self;
        if field.is_empty() {
            write!(f, "line {line}: {problem}")
        } else {
            write!(f, "line {line}: {field}: {problem}")
        }
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The document is wrong; everything that is, in the order of its lines.
    #[error("the document has {} mistakes", .0.len())]
    Invalid(Vec<Mistake>),
    /// No blueprint of that name is installed.
    #[error("there is no blueprint `{0}`")]
    UnknownBlueprint(String),
    /// The blueprint does not say how to import.
    #[error("the blueprint `{0}` has no `[import]` section")]
    NoImport(String),
    /// The service could not do it.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// What became of the things of one noun.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// New ones.
    pub created: usize,
    /// Ones that were otherwise before.
    pub updated: usize,
    /// Ones that the document no longer gives to a team, or to everyone.
    pub removed: usize,
    /// Ones that were as the document has them.
    pub unchanged: usize,
}

impl Count {
    /// Whether anything was written.
    #[must_use]
    pub const fn changed(&self) -> bool {
        self.created > 0 || self.updated > 0 || self.removed > 0
    }
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The organization.
    pub organization: Count,
    /// People.
    pub members: Count,
    /// Their roles.
    pub roles: Count,
    /// Repositories.
    pub apps: Count,
    /// Teams.
    pub teams: Count,
    /// Places in teams.
    pub team_members: Count,
    /// What teams are granted.
    pub grants: Count,
    /// What every member is granted.
    pub defaults: Count,
}

impl Report {
    /// Every noun with what became of it, in the order of work.
    #[must_use]
    pub const fn rows(&self) -> [(&'static str, Count); 8] {
        [
            ("organization", self.organization),
            ("members", self.members),
            ("roles", self.roles),
            ("apps", self.apps),
            ("teams", self.teams),
            ("team members", self.team_members),
            ("team grants", self.grants),
            ("defaults", self.defaults),
        ]
    }

    /// Whether anything was written.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.rows().iter().any(|(_, count)| count.changed())
    }
}

/// Told how far an import has come: what is worked on, and how many of it there are.
pub type Progress = Arc<dyn Fn(&'static str, usize) + Send + Sync>;

impl Service {
    /// Imports a document into the organization of its slug, which is made where there is none. For the operator alone.
    ///
    /// # Errors
    /// [`ImportError`]; nothing was written then.
    pub async fn import(&self, source: &str, blueprint: &str, progress: Progress) -> Result<Report, ImportError> {
        let newest = self.find_blueprint(blueprint).await?;
        let newest = newest.ok_or_else(|| ImportError::UnknownBlueprint(blueprint.to_owned()))?;
        progress("reading", 1);
        let mut mistakes = Vec::new();
        let root = json::parse(source).map_err(|mistake| ImportError::Invalid(vec![mistake]))?;
        let document = document::read(&root, &mut mistakes);
        let Some(document) = document else { return Err(invalid(mistakes)) };
        let reader = self.store().read();
        let found =
            store::organization::find_by_slug(&reader, &document.slug.text).await.map_err(ServiceError::from)?;
        // An organization lives by the version it pins.
        let installed = match &found {
            Some(organization) => self.rules_of(&reader, (organization.id, organization.blueprint_id)).await?,
            None => newest,
        };
        let refuse = |problem: String| Mistake { line: document.slug.line, field: "slug".to_owned(), problem };
        if installed.rules.name() != blueprint {
            let other = installed.rules.name();
            mistakes.push(refuse(format!("this organization lives by the blueprint `{other}`, not by `{blueprint}`")));
            return Err(invalid(mistakes));
        }
        if found.as_ref().is_some_and(|organization| organization.state != OrganizationState::Active) {
            mistakes.push(refuse("this organization is closed".to_owned()));
        }
        let rules = rules(&installed)?;
        let wanted = check::check(&document, &installed.rules, &rules, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(invalid(mistakes));
        }
        let (id, fresh) = found.map_or_else(|| (new_id(), true), |organization| (organization.id, false));
        let scope = WriteScope { limits: Limits::Import, ..WriteScope::organization(id) };
        let change = Change::by_system("import", SystemTask::Import, scope);
        let changed = self.mutate(change, move |work| {
            Box::pin(async move {
                write::Writing { work, id, installed: &installed, rules: &rules, progress: &progress }
                    .all(fresh, &wanted)
                    .await
            })
        });
        Ok(changed.await?.value)
    }
}

fn rules(installed: &Installed) -> Result<ImportRules, ImportError> {
    let rules = installed.rules.document().import.clone();
    rules.ok_or_else(|| ImportError::NoImport(installed.rules.name().to_owned()))
}

fn invalid(mut mistakes: Vec<Mistake>) -> ImportError {
    mistakes.sort_by_key(|mistake| mistake.line);
    ImportError::Invalid(mistakes)
}
