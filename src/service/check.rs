//! Checks: may this principal do that, and why.

use std::sync::Arc;

use uuid::Uuid;

use super::{Access, Service, ServiceError, capability::Source};
use crate::access::{Decision, Denial, Question, Reason, decide, explain};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Check {
    /// About whom: a member or a service account.
    pub principal: Uuid,
    /// On which app.
    pub app: Uuid,
    /// In which feature.
    pub feature: String,
    /// Which action.
    pub action: String,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Why not, if not.
    pub denial: Option<Denial>,
    /// Where it comes from, if it is allowed: the grants that give the action.
    pub sources: Vec<Source>,
}

impl Service {
    /// Answers a question about the caller itself, or, for holders of `rights.read`, about another principal of its
    /// organization. No statement where rights and apps are remembered.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an app or a principal that the caller does not see (`Q24`), [`ServiceError::Forbidden`]
    /// about others without the permission.
    pub async fn check(&self, access: &Access, check: &Check) -> Result<Checked, ServiceError> {
        let viewer = access.standing()?;
        let own = viewer.facts.principal.id == check.principal;
        if !own {
            viewer.require("rights.read")?;
        }
        let app = self.find_app(access, check.app).await?.ok_or(ServiceError::NotFound)?;
        let asked = if own {
            Arc::clone(viewer)
        } else if viewer.rights.visible_members().shows("", check.principal) {
            self.standing_of(viewer.place.id, check.principal).await?
        } else {
            return Err(ServiceError::NotFound);
        };
        let (rules, place, now) = (&viewer.blueprint.rules, app.place(), self.now());
        let question = Question::Action { app: place, feature: &check.feature, action: &check.action };
        Ok(match decide(rules, &asked.facts, question, now) {
            Decision::Deny(denial) => Checked { denial: Some(denial), sources: Vec::new() },
            Decision::Allow(reasons) => {
                let mut sources = explain::sources(rules, &asked.facts, &place, &check.feature, now);
                let gives = |source: &Source| {
                    let same = |reason: &Reason| match reason {
                        Reason::Granted(grant) => !source.public && *grant == source.grant,
                        Reason::Public(grant) => source.public && *grant == source.grant,
                        Reason::Maintainer(_) => false,
                    };
                    reasons.iter().any(same)
                };
                sources.retain(gives);
                Checked { denial: None, sources }
            }
        })
    }
}
