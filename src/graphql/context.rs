//! What every resolver has in hand: the service, the caller with its rights, and loaders that live as long as the request.

use std::sync::Arc;

use async_graphql::{Context, Result};

use super::{
    browser::BrowserSession, capability::RightsOf, cursor::Cursors, custom_role::RoleUses, error::error, grant::Grants,
    member::MemberLoaders, service_account::ServiceAccounts, team::Teams,
};
use crate::service::{Access, Service, Standing};

/// The context of one request. Loaders in it are never shared by two callers.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The system.
    pub service: Service,
    /// The caller.
    pub access: Access,
    /// Signs and reads cursors.
    pub cursors: Cursors,
    /// Batched reads about members.
    pub members: MemberLoaders,
    /// Service accounts, loaded in batches.
    pub service_accounts: ServiceAccounts,
    /// Rights of members and service accounts, loaded in batches.
    pub rights: RightsOf,
    /// Grants, loaded in batches.
    pub grants: Grants,
    /// Teams, loaded in batches.
    pub teams: Teams,
    /// How often roles are held, loaded in batches.
    pub roles: RoleUses,
}

impl RequestContext {
    /// For one request of this caller.
    #[must_use]
    pub fn new(service: Service, access: Access, cursors: Cursors) -> Self {
        let members = MemberLoaders::new(service.clone(), access.clone());
        let service_accounts = ServiceAccounts::new(service.clone(), access.clone());
        let rights = RightsOf::new(service.clone(), access.clone());
        let grants = Grants::new(service.clone(), access.clone());
        let teams = Teams::new(service.clone(), access.clone());
        let roles = RoleUses::new(service.clone(), access.clone());
        Self { service, access, cursors, members, service_accounts, rights, grants, teams, roles }
    }
}

/// Short ways to what resolvers need.
pub(super) trait InContext {
    /// The request's context.
    fn request(&self) -> Result<&RequestContext>;
    /// The system.
    fn service(&self) -> Result<&Service>;
    /// The caller.
    fn access(&self) -> Result<&Access>;
    /// The caller's place in its organization; `UNAUTHENTICATED` or `NOT_FOUND` without one.
    fn standing(&self) -> Result<&Arc<Standing>>;
    /// The browser whose refresh token is kept in a cookie; none for programs.
    fn browser(&self) -> Option<&BrowserSession>;
}

impl InContext for Context<'_> {
    fn request(&self) -> Result<&RequestContext> {
        self.data::<RequestContext>()
    }

    fn service(&self) -> Result<&Service> {
        Ok(&self.request()?.service)
    }

    fn access(&self) -> Result<&Access> {
        Ok(&self.request()?.access)
    }

    fn standing(&self) -> Result<&Arc<Standing>> {
        self.access()?.standing().map_err(error)
    }

    fn browser(&self) -> Option<&BrowserSession> {
        self.data_opt::<BrowserSession>()
    }
}
