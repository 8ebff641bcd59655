//! Organizations: the tenants.

pub mod mutation;

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, MaybeUndefined, MergedObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;

use super::{
    access_warning::OrganizationWarnings,
    activity::OrganizationActivity,
    api_token::OrganizationApiTokens,
    app::OrganizationApps,
    blueprint::{AppKind, Blueprint, Menu, RoleDefinition},
    blueprint_move::OrganizationBlueprintMove,
    child::OrganizationChildren,
    context::InContext,
    custom_role::OrganizationRoleComparison,
    error::{Reason, error, reasons},
    grant::OrganizationDefaults,
    invitation::OrganizationInvitations,
    invoice::OrganizationInvoices,
    member::OrganizationMembers,
    membership::OrganizationMembershipConnection,
    node::NodeType,
    page::PageArgs,
    payment_method::OrganizationPaymentMethods,
    permission::{self, Needs},
    plan::Plan,
    profile::OrganizationProfile,
    seat::OrganizationSeats,
    service_account::OrganizationServiceAccounts,
    team::OrganizationTeams,
    usage::OrganizationUsage,
    viewer::memberships,
};
use crate::{
    ablate,
    service::{self, Settings, Standing, invoice, organization::why_not, plan},
};

pub use mutation::OrganizationMutation;

/// The organization the caller's credential is bound to, as the caller sees it.
#[derive(Debug, Clone, MergedObject)]
#[rustfmt::skip] // One part a line, so that parts are added side by side.
pub struct Organization(
    OrganizationCore,
    OrganizationAccount,
    OrganizationSeats,
    OrganizationMembers,
    OrganizationInvitations,
    OrganizationActivity,
    OrganizationApiTokens,
    OrganizationServiceAccounts,
    OrganizationApps,
    OrganizationTeams,
    OrganizationDefaults,
    OrganizationWarnings,
    OrganizationProfile,
    OrganizationUsage,
    OrganizationInvoices,
    OrganizationPaymentMethods,
    OrganizationChildren,
    OrganizationRoleComparison,
    OrganizationBlueprintMove,
);

impl Organization {
    /// As this principal sees it.
    #[must_use]
    #[rustfmt::skip]
    #[expect(clippy::needless_pass_by_value, reason = "every part takes its own share")]
    pub fn new(standing: Arc<Standing>) -> Self {
        Self(
            OrganizationCore { standing: Arc::clone(&standing) },
            OrganizationAccount::new(Arc::clone(&standing)),
            OrganizationSeats { standing: Arc::clone(&standing) },
            OrganizationMembers::new(Arc::clone(&standing)),
            OrganizationInvitations::new(Arc::clone(&standing)),
            OrganizationActivity::new(Arc::clone(&standing)),
            OrganizationApiTokens::new(Arc::clone(&standing)),
            OrganizationServiceAccounts::new(Arc::clone(&standing)),
            OrganizationApps,
            OrganizationTeams,
            OrganizationDefaults,
            OrganizationWarnings,
            OrganizationProfile { standing: Arc::clone(&standing) },
            OrganizationUsage { standing: Arc::clone(&standing) },
            OrganizationInvoices { standing: Arc::clone(&standing) },
            OrganizationPaymentMethods { standing: Arc::clone(&standing) },
            OrganizationChildren { standing: Arc::clone(&standing) },
            OrganizationRoleComparison { standing: Arc::clone(&standing) },
            OrganizationBlueprintMove { standing: Arc::clone(&standing) },
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

    /// The plan it is on (S0.11). Null, with an error beside it, without the permission.
    #[graphql(guard = "Needs(invoice::READ)", directive = permission::permission::apply("billing.read".to_owned()))]
    async fn plan(&self) -> Result<Option<Plan>> {
        let key = plan::present(&self.standing).map_err(error)?;
        Ok(Plan::of(&self.standing.blueprint, key))
    }

    /// The plans it can be on, smallest first. Null, with an error beside it, without the permission.
    #[graphql(guard = "Needs(invoice::READ)", directive = permission::permission::apply("billing.read".to_owned()))]
    async fn plans(&self) -> Result<Option<Vec<Plan>>> {
        let keys = plan::all(&self.standing).map_err(error)?;
        Ok(Some(keys.filter_map(|key| Plan::of(&self.standing.blueprint, key)).collect()))
    }

    /// The roles there are: the blueprint's, strongest first, then those of the organization's own. None for who is not active in
    /// it.
    async fn roles(&self) -> Vec<RoleDefinition> {
        if self.standing.rights.inactive().is_some() { Vec::new() } else { RoleDefinition::all(&self.standing) }
    }

    /// The kinds of apps there can be, with their features and actions. None for who is not active in it.
    async fn app_kinds(&self) -> Vec<AppKind> {
        if self.standing.rights.inactive().is_some() {
            return Vec::new();
        }
        let kinds = self.standing.blueprint.rules.document().app_kinds.iter();
        kinds.map(|(key, kind)| AppKind::new(key, kind)).collect()
    }

    /// The navigation the caller sees, in order.
    async fn menus(&self) -> Vec<Menu> {
        Menu::visible(&self.standing)
    }
}

/// Whether anyone may act in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "service::organization::OrganizationState")]
pub enum OrganizationState {
    /// Open.
    Active,
    /// Closed for a while.
    Suspended,
    /// Closed for good.
    Deleted,
}

/// What an organization has set for itself, with its blueprint's word where it has not.
#[derive(Debug, Clone, SimpleObject)]
pub struct OrganizationSettings {
    /// Email domains that may be invited; empty: all.
    pub allowed_domains: Vec<String>,
    /// Whether sub-addresses (`name+tag@example.com`) are refused in invitations.
    pub block_subaddress: bool,
    /// Whether people have rights here only in sessions in which they have proven a second factor.
    pub require_second_factor: bool,
}

/// What is stored of an organization, and what the caller may do to it.
#[derive(Debug, Clone)]
pub struct OrganizationAccount {
    standing: Arc<Standing>,
    /// Read once, when something of it is asked for.
    record: Arc<OnceCell<service::organization::Organization>>,
}

impl OrganizationAccount {
    fn new(standing: Arc<Standing>) -> Self {
        Self { standing, record: Arc::default() }
    }

    async fn record(&self, ctx: &Context<'_>) -> Result<&service::organization::Organization> {
        let load = async || ctx.service()?.organization_record(&self.standing).await.map_err(error);
        self.record.get_or_try_init(load).await
    }

    fn cannot(&self, ctx: &Context<'_>, permission: &str) -> Result<Vec<Reason>> {
        let denial = why_not(&self.standing, permission, ctx.service()?.now());
        Ok(reasons(denial.map(service::UserError::from).into_iter().collect()))
    }

    async fn cannot_delete(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        Ok(reasons(ctx.service()?.deletion_obstacles(&self.standing).await.map_err(error)?))
    }
}

#[Object]
impl OrganizationAccount {
    /// Whether anyone may act in it.
    async fn state(&self, ctx: &Context<'_>) -> Result<OrganizationState> {
        Ok(self.record(ctx).await?.state.into())
    }

    /// When it was opened.
    async fn created_at(&self, ctx: &Context<'_>) -> Result<DateTime<Utc>> {
        Ok(self.record(ctx).await?.created_at)
    }

    /// What it has set for itself. Null, with an error beside it, for who is not active in it.
    async fn settings(&self, ctx: &Context<'_>) -> Result<Option<OrganizationSettings>> {
        if let Some(denial) = self.standing.rights.inactive() {
            return Err(error(denial.into()));
        }
        let settings = Settings::read(&self.record(ctx).await?.settings).map_err(|failed| error(failed.into()))?;
        let rules = &self.standing.blueprint.rules;
        Ok(Some(OrganizationSettings {
            allowed_domains: settings.allowed_domains(rules).to_vec(),
            block_subaddress: settings.block_subaddress(rules),
            require_second_factor: settings.require_second_factor,
        }))
    }

    /// Whether the caller may rename it and change its settings.
    async fn viewer_can_update(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.cannot(ctx, "organization.update")?.is_empty())
    }

    /// Why not; empty when the caller may.
    async fn viewer_cannot_update_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        self.cannot(ctx, "organization.update")
    }

    /// Whether the caller may move it to another plan.
    async fn viewer_can_change_plan(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.cannot(ctx, "billing.manage")?.is_empty())
    }

    /// Why not; empty when the caller may.
    async fn viewer_cannot_change_plan_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        self.cannot(ctx, "billing.manage")
    }

    /// Whether the caller may delete it, and nothing stands below it.
    async fn viewer_can_delete(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.cannot_delete(ctx).await?.is_empty())
    }

    /// Why not; empty when the caller may.
    async fn viewer_cannot_delete_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        self.cannot_delete(ctx).await
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
        let named = |standing: &&Arc<Standing>| standing.place.slug == slug || ablate::off("named_organization");
        Ok(standing.filter(named).cloned().map(Organization::new))
    }

    /// The organizations the caller has a place in, by name.
    async fn organizations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front; at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back; at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<OrganizationMembershipConnection> {
        memberships(ctx, ctx.access()?, PageArgs { first, after, last, before }).await
    }
}

/// A value that may be left out, and may be taken back.
#[expect(clippy::option_option, reason = "left out, taken back and given are three things")]
pub(super) fn given<T>(value: MaybeUndefined<T>) -> Option<Option<T>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

/// The caller's organization as it is after a change of this request.
pub(super) async fn present(ctx: &Context<'_>) -> Result<Option<Organization>> {
    let access = ctx.access()?;
    let Some(credential) = access.credential else { return Ok(None) };
    let now = ctx.service()?.access(credential, access.client.clone()).await.map_err(error)?;
    Ok(now.and_then(|access| access.standing).map(Organization::new))
}
