//! Grants at the wrong level: what could be given more narrowly, or need not be given (S1.28, S1.31).

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use uuid::Uuid;

use super::{
    context::InContext,
    error::error,
    grant::Grant,
    page::{Listed, PageArgs, connection},
    permission::{self, Needs},
};
use crate::service::{self, Standing, grant::WarningCode, page::Position};

/// What is wrong with the level at which something is granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "WarningCode")]
pub enum AccessWarningCode {
    /// Everything a grant gives is given by a wider one of the same holder.
    Redundant,
    /// A role is held together with a narrower one that is meant to be given in its place, there or on an app below.
    WiderThanNeeded,
    /// The same role or feature is held one by one on every app of its kind.
    Everywhere,
    /// There are narrower roles for single tasks.
    NarrowerRoles,
}

/// A grant to think over. It holds all the same.
#[derive(Debug, Clone, SimpleObject)]
pub struct AccessWarning {
    /// What kind, for programs.
    code: AccessWarningCode,
    /// What is wrong, for people.
    message: String,
    /// What to do about it.
    remedy: String,
    /// The grants it is about, the one to think over first; empty for general guidance.
    grants: Vec<Grant>,
}

impl AccessWarning {
    /// As this principal sees it.
    #[must_use]
    pub fn new(standing: &Arc<Standing>, found: service::grant::AccessWarning) -> Self {
        let service::grant::AccessWarning { warning, grants } = found;
        let grants = grants.into_iter().map(|grant| Grant::new(Arc::clone(standing), grant)).collect();
        Self { code: warning.code.into(), message: warning.message, remedy: warning.remedy, grants }
    }
}

impl Listed for service::grant::AccessWarning {
    fn position(&self) -> Position {
        service::grant::warning_position(self)
    }
}

connection!(AccessWarningConnection, AccessWarningEdge, AccessWarning);

/// What to think of about a grant that has just been given.
pub(super) async fn warnings_of(ctx: &Context<'_>, grant: Uuid) -> Result<Vec<AccessWarning>> {
    let found = ctx.service()?.warnings_of(ctx.access()?, grant).await.map_err(error)?;
    let standing = ctx.standing()?;
    Ok(found.into_iter().map(|found| AccessWarning::new(standing, found)).collect())
}

/// What an organization shows of grants at the wrong level.
#[derive(Debug, Clone)]
pub struct OrganizationWarnings;

#[Object]
impl OrganizationWarnings {
    /// Grants to think over, as far as the caller sees them (S1.31). Needs the permission `rights.read`.
    #[graphql(
        guard = "Needs(\"rights.read\")",
        directive = permission::permission::apply("rights.read".to_owned())
    )]
    async fn access_warnings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<AccessWarningConnection>> {
        let standing = ctx.standing()?;
        let args = PageArgs { first, after, last, before };
        let listing = args.listing(ctx, &format!("accessWarnings:{}", standing.place.id))?;
        let found = ctx.service()?.access_warnings(ctx.access()?, &listing.request).await.map_err(error)?;
        let page = |page| listing.connection(ctx, page, |found| AccessWarning::new(standing, found));
        found.map(page).transpose()
    }
}
