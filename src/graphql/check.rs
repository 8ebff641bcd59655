//! Checks: may this principal do that, and why.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use uuid::Uuid;

use super::{
    capability::GrantSource,
    context::InContext,
    error::{bad_input, error},
    node::{NodeType, parse},
};
use crate::{access::Denial, service::check::Check};

/// What a decision came to, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DecisionCode {
    /// Allowed.
    Allowed,
    /// Nothing that the principal holds gives the action.
    NotGranted,
    /// A grant gave it, and has run out.
    Expired,
    /// The principal holds it, but the API token's scopes leave it out.
    OutsideScope,
    /// The principal holds nothing on the app: to it, the app does not exist.
    AppHidden,
    /// The principal holds nothing on the app, which is shown locked.
    AppLocked,
    /// A role of the principal's goes only so far, whatever is granted.
    BeyondCeiling,
    /// The app is disabled.
    AppDisabled,
    /// Apps of this kind have no such feature.
    UnknownFeature,
    /// The feature has no such action.
    UnknownAction,
    /// The member or service account is not active.
    PrincipalInactive,
    /// The organization is not active.
    OrganizationInactive,
}

/// How a product refuses what was decided (Q24).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Refusal {
    /// As if the thing did not exist.
    NotFound,
    /// With a permission error.
    Forbidden,
}

/// The answer to a question about a principal.
#[derive(Debug, Clone, SimpleObject)]
pub struct CheckResult {
    /// Whether it is allowed.
    allowed: bool,
    /// What the decision came to.
    code: DecisionCode,
    /// How to refuse the principal; null when it is allowed.
    refusal: Option<Refusal>,
    /// The decision in one sentence.
    message: String,
    /// The grants that give the action; none when it is denied.
    reasons: Vec<GrantSource>,
}

const fn code(denial: &Denial) -> DecisionCode {
    match denial {
        Denial::OrganizationInactive => DecisionCode::OrganizationInactive,
        Denial::PrincipalInactive => DecisionCode::PrincipalInactive,
        Denial::AppInactive => DecisionCode::AppDisabled,
        Denial::AppHidden => DecisionCode::AppHidden,
        Denial::AppLocked => DecisionCode::AppLocked,
        Denial::BeyondCeiling { .. } => DecisionCode::BeyondCeiling,
        Denial::Expired { .. } => DecisionCode::Expired,
        Denial::OutsideScope { .. } => DecisionCode::OutsideScope,
        Denial::UnknownFeature { .. } => DecisionCode::UnknownFeature,
        Denial::UnknownAction { .. } => DecisionCode::UnknownAction,
        Denial::NotGranted { .. }
        | Denial::MissingPermission { .. }
        | Denial::MissingPermissions { .. }
        | Denial::UnknownPermission { .. }
        | Denial::NotAMember
        | Denial::PeopleOnly
        | Denial::WhileViewing
        | Denial::NotForCallers
        | Denial::NotForTask { .. } => DecisionCode::NotGranted,
    }
}

/// The row of a member or service account.
fn principal(id: &ID) -> Result<Uuid> {
    match parse(id) {
        Some((NodeType::Member | NodeType::ServiceAccount, row)) => Ok(row),
        _ => Err(bad_input("not the id of a `Member` or `ServiceAccount`")),
    }
}

/// Asking for decisions.
#[derive(Debug, Default)]
pub struct CheckQuery;

#[Object]
impl CheckQuery {
    /// May this member, or service account, do this action of this feature on this app, and why? About oneself always; about
    /// others with `rights.read`. An app or member that the caller does not see is `NOT_FOUND`.
    async fn check(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global id of the member or service account.")] member: ID,
        #[graphql(desc = "Global id of the app.")] app: ID,
        #[graphql(desc = "The feature's key.")] feature: String,
        #[graphql(desc = "The action's key.")] action: String,
    ) -> Result<CheckResult> {
        let check = Check { principal: principal(&member)?, app: NodeType::App.parse(&app)?, feature, action };
        let checked = ctx.service()?.check(ctx.access()?, &check).await.map_err(error)?;
        let viewer = ctx.standing()?;
        let Some(denial) = checked.denial else {
            let sources = checked.sources.into_iter();
            return Ok(CheckResult {
                allowed: true,
                code: DecisionCode::Allowed,
                refusal: None,
                message: "allowed".to_owned(),
                reasons: sources.map(|source| GrantSource::new(Arc::clone(viewer), source, true)).collect(),
            });
        };
        let hidden = matches!(denial, Denial::AppHidden);
        Ok(CheckResult {
            allowed: false,
            code: code(&denial),
            refusal: Some(if hidden { Refusal::NotFound } else { Refusal::Forbidden }),
            message: denial.to_string(),
            reasons: Vec::new(),
        })
    }
}
