//! Organizations below and above others.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::{
    context::InContext,
    error::{Reason, error, reasons},
    membership::OrganizationMembership,
    node::NodeType,
    organization::OrganizationState,
    page::{Listed, PageArgs, connection},
    permission::{self, Needs},
};
use crate::service::{self, Standing, child, organization::Organization, page::Position};

/// An organization below the caller's, just enough to list it. To ask for more, switch to it: that takes a place in it.
#[derive(Debug, Clone, SimpleObject)]
pub struct ChildOrganization {
    /// Global id of the organization.
    id: ID,
    /// Its lower-case name.
    slug: String,
    /// Its name as shown.
    name: String,
    /// Whether anyone may act in it.
    state: OrganizationState,
    /// When it was opened.
    created_at: DateTime<Utc>,
}

impl From<Organization> for ChildOrganization {
    fn from(row: Organization) -> Self {
        Self {
            id: NodeType::Organization.id(row.id),
            slug: row.slug,
            name: row.name,
            state: row.state.into(),
            created_at: row.created_at,
        }
    }
}

impl Listed for Organization {
    fn position(&self) -> Position {
        child::position(self)
    }
}

connection!(ChildOrganizationConnection, ChildOrganizationEdge, ChildOrganization);

/// What stands above and below an organization.
#[derive(Debug, Clone)]
pub struct OrganizationChildren {
    pub(super) standing: Arc<Standing>,
}

#[Object]
impl OrganizationChildren {
    /// The organization above it. Null where there is none, and for those who have no place there.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<OrganizationMembership>> {
        let place = ctx.service()?.parent_membership(ctx.access()?).await.map_err(error)?;
        Ok(place.map(OrganizationMembership::from))
    }

    /// The organizations below it, by name. Null, with an error beside it, without the permission.
    #[graphql(guard = "Needs(\"children.read\")", directive = permission::permission::apply("children.read".to_owned()))]
    async fn children(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<ChildOrganizationConnection>> {
        let listing =
            PageArgs { first, after, last, before }.listing(ctx, &format!("children:{}", self.standing.place.id))?;
        let page = ctx.service()?.children(ctx.access()?, &listing.request).await.map_err(error)?;
        listing.connection(ctx, page, ChildOrganization::from).map(Some)
    }

    /// The blueprints that organizations below it can have, by name; empty: there are none.
    async fn child_blueprints(&self) -> &[String] {
        &self.standing.blueprint.rules.document().children.blueprints
    }

    /// Whether the caller may create an organization below it.
    async fn viewer_can_create_child(&self) -> bool {
        service::child::obstacles(&self.standing).is_empty()
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_create_child_reasons(&self) -> Vec<Reason> {
        reasons(service::child::obstacles(&self.standing))
    }
}
