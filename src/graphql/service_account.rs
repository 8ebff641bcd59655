//! Service accounts: the programs of an organization.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Context, Enum, ID, Object, Result,
    dataloader::{DataLoader, Loader},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    context::InContext,
    error::error,
    node::NodeType,
    page::{Listed, PageArgs, connection},
    permission::{self, Needs},
};
use crate::service::{
    Access, Service, Standing,
    page::{Position, SortKey},
    service_account,
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

/// A program's place in an organization. What it may do is the blueprint's role for programs, limited by its token's scopes.
#[derive(Debug, Clone)]
pub struct ServiceAccount(pub service_account::ServiceAccount);

impl ServiceAccount {
    /// Its global id; for the interface.
    pub(super) async fn id(&self, _ctx: &Context<'_>) -> Result<ID> {
        Ok(NodeType::ServiceAccount.id(self.0.id))
    }
}

/// A program's place in an organization. What it may do is the blueprint's role for programs, limited by its token's scopes.
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
