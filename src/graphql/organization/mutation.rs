//! Opening, editing and closing organizations.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::{Organization, given, present};
use crate::{
    graphql::{
        context::InContext,
        error::{UserError, error, settle},
        membership::OrganizationMembership,
        node::NodeType,
    },
    service::{
        Idempotency, ServiceError,
        organization::{OrganizationEdit, OrganizationInput},
    },
};

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
