//! Organizations: the tenants.

use std::sync::Arc;

use async_graphql::{Context, ID, MergedObject, Object, Result};

use super::{
    activity::OrganizationActivity,
    api_token::OrganizationApiTokens,
    blueprint::{AppKind, Blueprint, Menu, Plan, RoleDefinition},
    context::InContext,
    node::NodeType,
    service_account::OrganizationServiceAccounts,
};
use crate::service::Standing;

/// The organization the caller's credential is bound to, as the caller sees it.
#[derive(Debug, Clone, MergedObject)]
pub struct Organization(
    OrganizationCore,
    OrganizationActivity,
    OrganizationApiTokens,
    OrganizationServiceAccounts,
);

impl Organization {
    /// As this principal sees it.
    #[must_use]
    pub fn new(standing: Arc<Standing>) -> Self {
        Self(
            OrganizationCore { standing: Arc::clone(&standing) },
            OrganizationActivity::new(Arc::clone(&standing)),
            OrganizationApiTokens::new(Arc::clone(&standing)),
            OrganizationServiceAccounts::new(standing),
        )
    }

    /// Its global id; for the interface.
    pub(super) async fn id(&self, _ctx: &Context<'_>) -> Result<ID> {
        Ok(NodeType::Organization.id(self.0.standing.place.id))
    }
}

/// What an organization is, and the words of its blueprint.
#[derive(Debug, Clone)]
pub struct OrganizationCore {
    standing: Arc<Standing>,
}

/// A tenant: its people, apps and plan, by the rules of its blueprint.
#[Object]
impl OrganizationCore {
    /// Global id.
    async fn id(&self) -> ID {
        NodeType::Organization.id(self.standing.place.id)
    }

    /// Lower-case name, for addresses.
    async fn slug(&self) -> &str {
        &self.standing.place.slug
    }

    /// Name as shown.
    async fn name(&self) -> &str {
        &self.standing.place.name
    }

    /// The rules it lives by.
    async fn blueprint(&self) -> Blueprint {
        Blueprint(Arc::clone(&self.standing.blueprint))
    }

    /// The plan it is on.
    async fn plan(&self) -> Option<Plan> {
        Plan::of(&self.standing.blueprint, &self.standing.place.plan)
    }

    /// The plans it can be on, smallest first.
    async fn plans(&self) -> Vec<Plan> {
        let plans = self.standing.blueprint.rules.document().plans.keys();
        plans.filter_map(|key| Plan::of(&self.standing.blueprint, key)).collect()
    }

    /// The roles there are, strongest first.
    async fn roles(&self) -> Vec<RoleDefinition> {
        let roles = self.standing.blueprint.rules.document().roles.keys();
        roles.filter_map(|key| RoleDefinition::of(&self.standing, key)).collect()
    }

    /// The kinds of apps there can be, with their features and actions.
    async fn app_kinds(&self) -> Vec<AppKind> {
        let kinds = self.standing.blueprint.rules.document().app_kinds.iter();
        kinds.map(|(key, kind)| AppKind::new(key, kind)).collect()
    }

    /// The navigation the caller sees, in order.
    async fn menus(&self) -> Vec<Menu> {
        Menu::visible(&self.standing)
    }
}

/// Asking for organizations.
#[derive(Debug, Default)]
pub struct OrganizationQuery;

#[Object]
impl OrganizationQuery {
    /// The organization of this slug. Null when there is none, or when the caller has no place in it.
    async fn organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its lower-case name.")] slug: String,
    ) -> Result<Option<Organization>> {
        let standing = ctx.access()?.standing.as_ref();
        Ok(standing.filter(|standing| standing.place.slug == slug).cloned().map(Organization::new))
    }
}
