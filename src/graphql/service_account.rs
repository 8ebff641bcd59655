//! Service accounts: the programs of an organization.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Context, Enum, ID, InputObject, Object, Result, SimpleObject,
    dataloader::{DataLoader, Loader},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    api_token::ApiToken,
    app::App,
    blueprint::RoleDefinition,
    context::InContext,
    error::{UserError, error, settle},
    node::NodeType,
    page::{Listed, PageArgs, connection},
    permission::{self, Needs},
};
use crate::{
    access::{Held, Place},
    service::{
        Access, Idempotency, Service, Standing,
        app::SeenApp,
        page::{Position, SortKey},
        service_account::{self, AccountDetails, AccountEdit, NewAccount},
    },
};

/// Whether a program may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "service_account::ServiceAccountState")]
pub enum ServiceAccountState {
    /// It may.
    Active,
    /// It may not.
    Disabled,
}

/// A program's place in an organization: an access app. What it may do is its role, in the organization or on one app, limited by its
/// tokens' scopes (S4.13, S4.20).
#[derive(Debug, Clone)]
pub struct ServiceAccount(pub service_account::ServiceAccount);

/// How far the secret of a program has come (S4.R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SecretState {
    /// It has a secret that is good.
    Enabled,
    /// It may not act, whatever its secrets.
    Disabled,
    /// It has no secret that is good.
    Expired,
}

impl ServiceAccount {
    /// Whether it may not act.
    pub(super) fn is_disabled(&self) -> bool {
        matches!(self.0.state, service_account::ServiceAccountState::Disabled)
    }

    async fn details(&self, ctx: &Context<'_>) -> Result<AccountDetails> {
        Ok(ctx.request()?.service_accounts.0.load_one(DetailsOf(self.0.id)).await?.unwrap_or_default())
    }

    /// Its global id; for the interface.
    pub(super) async fn id(&self, _ctx: &Context<'_>) -> Result<ID> {
        Ok(NodeType::ServiceAccount.id(self.0.id))
    }
}

/// A program's place in an organization: an access app. What it may do is its role, in the organization or on one app, limited by its
/// tokens' scopes (S4.13, S4.20).
#[Object]
impl ServiceAccount {
    /// Global id.
    #[graphql(name = "id")]
    async fn global_id(&self) -> ID {
        NodeType::ServiceAccount.id(self.0.id)
    }

    /// Name as shown.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether it may act.
    async fn state(&self) -> ServiceAccountState {
        self.0.state.into()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The roles it holds: one, as it was made.
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<RoleDefinition>> {
        let standing = ctx.standing()?;
        let grants = self.details(ctx).await?.grants;
        let role = |held: &Held| match held {
            Held::Role(role) => RoleDefinition::of(standing, role),
            Held::Feature { .. } => None,
        };
        Ok(grants.iter().filter_map(|grant| role(&grant.held)).collect())
    }

    /// The apps on which it holds something; none: in the whole organization.
    async fn apps(&self, ctx: &Context<'_>) -> Result<Vec<App>> {
        let mut apps = Vec::new();
        for grant in self.details(ctx).await?.grants {
            if let Place::App { id, .. } = grant.place {
                apps.extend(App::find(ctx, id).await?);
            }
        }
        Ok(apps)
    }

    /// Its secrets that have not been revoked, as far as they can be shown; the newest first.
    async fn tokens(&self, ctx: &Context<'_>) -> Result<Vec<ApiToken>> {
        Ok(self.details(ctx).await?.tokens.into_iter().map(ApiToken).collect())
    }

    /// How far its secret has come.
    async fn secret_state(&self, ctx: &Context<'_>) -> Result<SecretState> {
        if self.is_disabled() {
            return Ok(SecretState::Disabled);
        }
        let now = ctx.service()?.now();
        let good = self.details(ctx).await?.tokens.iter().any(|token| token.is_vouched && token.expires_at > now);
        Ok(if good { SecretState::Enabled } else { SecretState::Expired })
    }

    /// When one of its secrets was last used, to the minute; those that have been revoked count too.
    async fn last_used_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        Ok(self.details(ctx).await?.last_used_at)
    }
}

/// What an app shows of its programs.
#[derive(Debug, Clone)]
pub struct AppServiceAccounts {
    pub(super) app: Arc<SeenApp>,
}

/// What an app shows of its programs.
#[Object]
impl AppServiceAccounts {
    /// The programs to which something is given here, in the order of creation. Null, with an error beside it, without
    /// `tokens.manage` in the organization, on the app or above it.
    async fn service_accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<ServiceAccountConnection>> {
        let name = format!("app.serviceAccounts:{}", self.app.app.id);
        let listing = PageArgs { first, after, last, before }.listing(ctx, &name)?;
        let page = ctx.service()?.service_accounts_on(ctx.access()?, &self.app, &listing.request).await;
        listing.connection(ctx, page.map_err(error)?, ServiceAccount).map(Some)
    }
}

/// A program to be made.
#[derive(Debug, Clone, InputObject)]
pub struct CreateServiceAccountInput {
    /// Name as shown.
    name: String,
    /// The role it holds, by its key; else the one for programs in the organization.
    role: Option<String>,
    /// The app on which it holds that role; where nothing is said, in the organization.
    app: Option<ID>,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// What is to change of a program; what is left out stays.
#[derive(Debug, Clone, InputObject)]
pub struct UpdateServiceAccountInput {
    /// Which.
    service_account: ID,
    /// Another name.
    name: Option<String>,
    /// Whether it may act.
    state: Option<ServiceAccountState>,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// A program to be deleted with its secrets.
#[derive(Debug, Clone, InputObject)]
pub struct DeleteServiceAccountInput {
    /// Which.
    service_account: ID,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// What became of making a program.
#[derive(Debug, SimpleObject)]
pub struct CreateServiceAccountPayload {
    /// The program. Null when there are refusals.
    service_account: Option<ServiceAccount>,
    /// Why nothing was changed.
    user_errors: Vec<UserError>,
}

/// What became of a change of a program.
#[derive(Debug, SimpleObject)]
pub struct UpdateServiceAccountPayload {
    /// The program, as it is now. Null when there are refusals.
    service_account: Option<ServiceAccount>,
    /// Why nothing was changed.
    user_errors: Vec<UserError>,
}

/// What became of a deletion.
#[derive(Debug, SimpleObject)]
pub struct DeleteServiceAccountPayload {
    /// The global id the program had. Null when there are refusals.
    deleted_service_account: Option<ID>,
    /// Why nothing was changed.
    user_errors: Vec<UserError>,
}

/// Changes of programs.
#[derive(Debug, Default)]
pub struct ServiceAccountMutation;

/// A program after a change.
async fn after(ctx: &Context<'_>, id: Uuid) -> Result<Option<ServiceAccount>> {
    let access = Access { version: None, ..ctx.access()?.clone() };
    let found = ctx.service()?.find_service_accounts(&access, &[id]).await.map_err(error)?;
    Ok(found.into_iter().next().map(ServiceAccount))
}

#[Object]
impl ServiceAccountMutation {
    /// Makes a program with a role in the organization, or on one app (S4.13, S4.20, S4.R7). Needs `tokens.manage` there, and that
    /// the role is the caller's to give.
    async fn create_service_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is called, and where it belongs.")] input: CreateServiceAccountInput,
    ) -> Result<CreateServiceAccountPayload> {
        let app = input.app.map(|id| NodeType::App.parse(&id)).transpose()?;
        let new = NewAccount { name: input.name, role: input.role, app };
        let idempotency = Idempotency::of(input.idempotency_key, &new).map_err(error)?;
        Ok(match settle(ctx.service()?.create_service_account(ctx.access()?, new, idempotency).await)? {
            Ok(id) => CreateServiceAccountPayload { service_account: after(ctx, id).await?, user_errors: Vec::new() },
            Err(user_errors) => CreateServiceAccountPayload { service_account: None, user_errors },
        })
    }

    /// Renames a program, enables or disables it: disabled, its secrets are refused. Needs `tokens.manage` where it holds
    /// something.
    async fn update_service_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what changes of it.")] input: UpdateServiceAccountInput,
    ) -> Result<UpdateServiceAccountPayload> {
        let account = NodeType::ServiceAccount.parse(&input.service_account)?;
        let edit = AccountEdit { account, name: input.name, state: input.state.map(Into::into) };
        let idempotency = Idempotency::of(input.idempotency_key, &edit).map_err(error)?;
        Ok(match settle(ctx.service()?.update_service_account(ctx.access()?, edit, idempotency).await)? {
            Ok(id) => UpdateServiceAccountPayload { service_account: after(ctx, id).await?, user_errors: Vec::new() },
            Err(user_errors) => UpdateServiceAccountPayload { service_account: None, user_errors },
        })
    }

    /// Deletes a program with its secrets. Needs `tokens.manage` where it holds something.
    async fn delete_service_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteServiceAccountInput,
    ) -> Result<DeleteServiceAccountPayload> {
        let account = NodeType::ServiceAccount.parse(&input.service_account)?;
        let idempotency = Idempotency::of(input.idempotency_key, &account).map_err(error)?;
        let deleted = ctx.service()?.delete_service_account(ctx.access()?, account, idempotency).await;
        Ok(match settle(deleted)? {
            Ok(id) => DeleteServiceAccountPayload {
                deleted_service_account: Some(NodeType::ServiceAccount.id(id)),
                user_errors: Vec::new(),
            },
            Err(user_errors) => DeleteServiceAccountPayload { deleted_service_account: None, user_errors },
        })
    }
}

impl Listed for service_account::ServiceAccount {
    fn position(&self) -> Position {
        Position { key: SortKey::Id, id: self.id }
    }
}

connection!(ServiceAccountConnection, ServiceAccountEdge, ServiceAccount);

/// What an organization shows of its programs.
#[derive(Debug, Clone)]
pub struct OrganizationServiceAccounts {
    standing: Arc<Standing>,
}

impl OrganizationServiceAccounts {
    /// As this principal sees it.
    pub(super) const fn new(standing: Arc<Standing>) -> Self {
        Self { standing }
    }
}

#[Object]
impl OrganizationServiceAccounts {
    /// The programs, in the order of creation. Null, with an error beside it, without the permission.
    #[graphql(guard = "Needs(\"tokens.manage\")", directive = permission::permission::apply("tokens.manage".to_owned()))]
    async fn service_accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<ServiceAccountConnection>> {
        let name = format!("serviceAccounts:{}", self.standing.place.id);
        let listing = PageArgs { first, after, last, before }.listing(ctx, &name)?;
        let page = ctx.service()?.list_service_accounts(ctx.access()?, &listing.request).await.map_err(error)?;
        listing.connection(ctx, page, ServiceAccount).map(Some)
    }
}

/// Loads the service accounts that a page names in one statement.
#[derive(Clone)]
pub struct ServiceAccounts(Arc<DataLoader<Batch>>);

struct Batch {
    service: Service,
    access: Access,
}

impl std::fmt::Debug for ServiceAccounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceAccounts")
    }
}

impl ServiceAccounts {
    /// For one request of this caller.
    #[must_use]
    pub fn new(service: Service, access: Access) -> Self {
        Self(Arc::new(DataLoader::new(Batch { service, access }, tokio::spawn)))
    }

    /// The service account of this id, as far as the caller sees it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn find(&self, id: Uuid) -> Result<Option<ServiceAccount>> {
        self.0.load_one(id).await
    }
}

impl Loader<Uuid> for Batch {
    type Value = ServiceAccount;
    type Error = async_graphql::Error;

    async fn load(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, ServiceAccount>> {
        let found = self.service.find_service_accounts(&self.access, ids).await.map_err(error)?;
        Ok(found.into_iter().map(|account| (account.id, ServiceAccount(account))).collect())
    }
}

/// Loads what the programs of a page hold, and their secrets, in a fixed number of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct DetailsOf(Uuid);

impl Loader<DetailsOf> for Batch {
    type Value = AccountDetails;
    type Error = async_graphql::Error;

    async fn load(&self, ids: &[DetailsOf]) -> Result<HashMap<DetailsOf, AccountDetails>> {
        let ids: Vec<Uuid> = ids.iter().map(|of| of.0).collect();
        let found = self.service.account_details(&self.access, &ids).await.map_err(error)?;
        Ok(found.into_iter().map(|(id, details)| (DetailsOf(id), details)).collect())
    }
}
