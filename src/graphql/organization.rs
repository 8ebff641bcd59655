//! Organizations: the tenants.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, MergedObject, Object, Result, SimpleObject};
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
    error::{Reason, UserError, error, reasons, settle},
    grant::OrganizationDefaults,
    invitation::OrganizationInvitations,
    invoice::OrganizationInvoices,
    member::OrganizationMembers,
    membership::{OrganizationMembership, OrganizationMembershipConnection},
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
    service::{
        self, Idempotency, ServiceError, Settings, Standing, invoice,
        organization::{OrganizationEdit, OrganizationInput, why_not},
        plan,
    },
};

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

    /// The roles there are: the blueprint's, strongest first, then those of the organization's own.
    async fn roles(&self) -> Vec<RoleDefinition> {
        RoleDefinition::all(&self.standing)
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

    /// What it has set for itself.
    async fn settings(&self, ctx: &Context<'_>) -> Result<OrganizationSettings> {
        let settings = Settings::read(&self.record(ctx).await?.settings).map_err(|failed| error(failed.into()))?;
        let rules = &self.standing.blueprint.rules;
        Ok(OrganizationSettings {
            allowed_domains: settings.allowed_domains(rules).to_vec(),
            block_subaddress: settings.block_subaddress(rules),
            require_second_factor: settings.require_second_factor,
        })
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

    /// Whether the caller may delete it.
    async fn viewer_can_delete(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.cannot(ctx, "organization.delete")?.is_empty())
    }

    /// Why not; empty when the caller may.
    async fn viewer_cannot_delete_reasons(&self, ctx: &Context<'_>) -> Result<Vec<Reason>> {
        self.cannot(ctx, "organization.delete")
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

/// A new organization.
#[derive(Debug, InputObject)]
pub struct CreateOrganizationInput {
    /// Name as shown: 1 to 200 characters.
    name: String,
    /// Name for addresses: 1 to 63 lower-case letters, digits and inner hyphens; no other organization has it.
    slug: String,
    /// The rules it lives by: the name of an installed blueprint.
    blueprint: String,
    /// The plan it starts on, by key; the blueprint's default where none is named.
    plan: Option<String>,
    /// The slug of the organization it is to stand below: the one the caller is in. Needs the permission `children.create`
    /// there.
    parent: Option<String>,
    /// Whether to get an access token that is bound to it.
    #[graphql(default)]
    switch: bool,
    /// Makes repeating safe: the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// A new organization.
#[derive(Debug, Default, SimpleObject)]
pub struct CreateOrganizationPayload {
    /// The organization, with the caller's place in it; null when refused.
    organization: Option<OrganizationMembership>,
    /// An access token that is bound to it, where one was asked for.
    access_token: Option<String>,
    /// When that token ends.
    expires_at: Option<DateTime<Utc>>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// What to change of an organization; what is left out stays.
#[derive(Debug, InputObject)]
pub struct UpdateOrganizationInput {
    /// Another name.
    name: Option<String>,
    /// Another slug.
    slug: Option<String>,
    /// Other settings.
    settings: Option<OrganizationSettingsInput>,
    /// Makes repeating safe: the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What to change of the settings; what is left out stays, null goes back to what the blueprint says.
#[derive(Debug, Default, InputObject)]
pub struct OrganizationSettingsInput {
    /// Email domains that may be invited, at most 100; empty: all.
    #[graphql(default)]
    allowed_domains: MaybeUndefined<Vec<String>>,
    /// Whether sub-addresses (`name+tag@example.com`) are refused in invitations.
    #[graphql(default)]
    block_subaddress: MaybeUndefined<bool>,
    /// Whether people have rights here only in sessions in which they have proven a second factor. Who asks for it has proven one;
    /// everyone else is out until they have. Programs are not asked.
    require_second_factor: Option<bool>,
}

/// An organization as it is after an edit.
#[derive(Debug, SimpleObject)]
pub struct UpdateOrganizationPayload {
    /// The organization as it is now; null when refused.
    organization: Option<Organization>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Another plan.
#[derive(Debug, InputObject)]
pub struct ChangePlanInput {
    /// The plan's key in the blueprint.
    plan: String,
    /// Makes repeating safe: the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// An organization on its plan.
#[derive(Debug, SimpleObject)]
pub struct ChangePlanPayload {
    /// The organization as it is now; null when refused.
    organization: Option<Organization>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// The end of an organization.
#[derive(Debug, InputObject)]
pub struct DeleteOrganizationInput {
    /// The slug of the organization the caller is in, to show that it is meant.
    confirm: String,
    /// Makes repeating safe: the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// The end of an organization.
#[derive(Debug, SimpleObject)]
pub struct DeleteOrganizationPayload {
    /// Global id of what was deleted; null when refused.
    deleted_organization_id: Option<ID>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Opening, editing and closing organizations.
#[derive(Debug, Default)]
pub struct OrganizationMutation;

#[Object]
impl OrganizationMutation {
    /// Opens an organization; any signed-in person may. The caller becomes its first member, with the roles its blueprint gives a
    /// creator.
    async fn create_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new organization.")] input: CreateOrganizationInput,
    ) -> Result<CreateOrganizationPayload> {
        let (service, access) = (ctx.service()?, ctx.access()?);
        let CreateOrganizationInput { name, slug, blueprint, plan, parent, switch, idempotency_key } = input;
        let input = OrganizationInput { name, slug, blueprint, plan };
        let repeat = Idempotency::of(idempotency_key, &(&input, &parent)).map_err(error)?;
        let founded = match parent {
            None => service.create_organization(access, input, repeat).await,
            Some(parent) => service.create_child(access, (parent, input), repeat).await,
        };
        let founded = match settle(founded)? {
            Ok(founded) => founded.value,
            Err(user_errors) => return Ok(CreateOrganizationPayload { user_errors, ..Default::default() }),
        };
        let place = service.own_membership(access, founded.organization).await.map_err(error)?;
        let place = place.ok_or_else(|| error(ServiceError::NotFound))?;
        let token = if switch {
            Some(service.switch_organization(access, Some(place.slug.clone())).await.map_err(error)?.access)
        } else {
            None
        };
        let (access_token, expires_at) = token.map(|token| (token.text, token.expires_at)).unzip();
        Ok(CreateOrganizationPayload {
            organization: Some(place.into()),
            access_token,
            expires_at,
            user_errors: Vec::new(),
        })
    }

    /// Changes the name, the slug or the settings of the organization the caller is in. Needs `organization.update`.
    async fn update_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateOrganizationInput,
    ) -> Result<UpdateOrganizationPayload> {
        let UpdateOrganizationInput { name, slug, settings, idempotency_key } = input;
        let settings = settings.unwrap_or_default();
        let edit = OrganizationEdit {
            name,
            slug,
            allowed_domains: given(settings.allowed_domains),
            block_subaddress: given(settings.block_subaddress),
            require_second_factor: settings.require_second_factor,
        };
        let repeat = Idempotency::of(idempotency_key, &edit).map_err(error)?;
        let updated = ctx.service()?.update_organization(ctx.access()?, edit, repeat).await;
        Ok(match settle(updated)? {
            Ok(_) => UpdateOrganizationPayload { organization: present(ctx).await?, user_errors: Vec::new() },
            Err(user_errors) => UpdateOrganizationPayload { organization: None, user_errors },
        })
    }

    /// Moves the organization the caller is in to another plan. Needs `billing.manage`. A smaller plan keeps everyone; nobody is
    /// invited until the count fits.
    async fn change_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which plan.")] input: ChangePlanInput,
    ) -> Result<ChangePlanPayload> {
        let ChangePlanInput { plan, idempotency_key } = input;
        let repeat = Idempotency::of(idempotency_key, &plan).map_err(error)?;
        let changed = ctx.service()?.change_plan(ctx.access()?, plan, repeat).await;
        Ok(match settle(changed)? {
            Ok(_) => ChangePlanPayload { organization: present(ctx).await?, user_errors: Vec::new() },
            Err(user_errors) => ChangePlanPayload { organization: None, user_errors },
        })
    }

    /// Deletes the organization the caller is in, with everything in it. Needs `organization.delete`.
    async fn delete_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is meant.")] input: DeleteOrganizationInput,
    ) -> Result<DeleteOrganizationPayload> {
        let DeleteOrganizationInput { confirm, idempotency_key } = input;
        let repeat = Idempotency::of(idempotency_key, &confirm).map_err(error)?;
        let deleted = ctx.service()?.delete_organization(ctx.access()?, confirm, repeat).await;
        Ok(match settle(deleted)? {
            Ok(deleted) => DeleteOrganizationPayload {
                deleted_organization_id: Some(NodeType::Organization.id(deleted.value)),
                user_errors: Vec::new(),
            },
            Err(user_errors) => DeleteOrganizationPayload { deleted_organization_id: None, user_errors },
        })
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
