//! Grants: the stored rows that give access, and how they are given and taken.

pub mod mutation;
pub mod subscription;

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Context, ID, Object, Result, SimpleObject,
    dataloader::{DataLoader, Loader},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use mutation::GrantMutation;
pub use subscription::GrantSubscription;

use super::{
    app::App,
    blueprint::RoleDefinition,
    context::InContext,
    error::error,
    member::Member,
    node::NodeType,
    page::{Listed, PageArgs, connection},
    team::Team,
};
use crate::{
    access::{Grantee, Held, Place},
    service::{self, Access, Service, Standing, grant::AccessGrant, page::Position},
};

/// A stored row that gives access: to whom, what, where, until when.
#[derive(Debug, Clone)]
pub struct Grant {
    standing: Arc<Standing>,
    grant: Arc<AccessGrant>,
}

impl Grant {
    /// As this principal sees it.
    #[must_use]
    pub fn new(standing: Arc<Standing>, grant: AccessGrant) -> Self {
        Self { standing, grant: Arc::new(grant) }
    }

    /// Its global id; for the interface.
    pub(super) async fn id(&self, _ctx: &Context<'_>) -> Result<ID> {
        Ok(NodeType::Grant.id(self.grant.id))
    }

    /// The grant of this id, if the caller sees it: among the grantee's, or among those of the people of an app.
    pub(super) async fn find(ctx: &Context<'_>, id: Uuid) -> Result<Option<Self>> {
        let (service, access) = (ctx.service()?, ctx.access()?);
        let found = match service.find_grant(access, id).await.map_err(error)? {
            Some(grant) => Some(grant),
            None => service.find_grant_on_app(access, id).await.map_err(error)?,
        };
        let standing = ctx.standing()?;
        Ok(found.map(|grant| Self::new(Arc::clone(standing), grant)))
    }
}

/// A stored row that gives access: to whom, what, where, until when.
#[Object]
impl Grant {
    /// Global id.
    #[graphql(name = "id")]
    async fn global_id(&self) -> ID {
        NodeType::Grant.id(self.grant.id)
    }

    /// The member it is given to; null for another kind of grantee.
    async fn member(&self, ctx: &Context<'_>) -> Result<Option<Member>> {
        match self.grant.grantee {
            Grantee::Member(id) => Member::find(ctx, id).await,
            Grantee::Team(_) | Grantee::ServiceAccount(_) | Grantee::Everyone => Ok(None),
        }
    }

    /// The team it is given to; null for another kind of grantee.
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>> {
        match self.grant.grantee {
            Grantee::Team(id) => Team::find(ctx, id).await,
            Grantee::Member(_) | Grantee::ServiceAccount(_) | Grantee::Everyone => Ok(None),
        }
    }

    /// Whether it is given to every member.
    async fn everyone(&self) -> bool {
        self.grant.grantee == Grantee::Everyone
    }

    /// The role it gives; null for a feature.
    async fn role(&self) -> Option<RoleDefinition> {
        match &self.grant.held {
            Held::Role(role) => RoleDefinition::of(&self.standing, role),
            Held::Feature { .. } => None,
        }
    }

    /// The key of the app kind whose feature it gives; null for a role.
    async fn app_kind(&self) -> Option<&str> {
        match &self.grant.held {
            Held::Feature { kind, .. } => Some(kind),
            Held::Role(_) => None,
        }
    }

    /// The key of the feature it gives; null for a role.
    async fn feature(&self) -> Option<&str> {
        match &self.grant.held {
            Held::Feature { feature, .. } => Some(feature),
            Held::Role(_) => None,
        }
    }

    /// The access level, where the feature has levels.
    async fn level(&self) -> Option<&str> {
        match &self.grant.held {
            Held::Feature { level, .. } => level.as_deref(),
            Held::Role(_) => None,
        }
    }

    /// The app where it holds; null for the whole organization.
    async fn app(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        match &self.grant.place {
            Place::App { id, .. } => App::find(ctx, *id).await,
            Place::Organization => Ok(None),
        }
    }

    /// The moment from which it gives nothing any more.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.grant.expires_at
    }

    /// When it was given.
    async fn created_at(&self) -> DateTime<Utc> {
        self.grant.created_at
    }
}

impl Listed for AccessGrant {
    fn position(&self) -> Position {
        service::grant::position(self)
    }
}

connection!(GrantConnection, GrantEdge, Grant);

/// Loads the grants of everyone a page names in one go.
#[derive(Clone)]
pub struct Grants(Arc<DataLoader<Batch>>);

struct Batch {
    service: Service,
    access: Access,
}

impl std::fmt::Debug for Grants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Grants")
    }
}

impl Grants {
    /// For one request of this caller.
    #[must_use]
    pub fn new(service: Service, access: Access) -> Self {
        Self(Arc::new(DataLoader::new(Batch { service, access }, tokio::spawn)))
    }
}

impl Loader<Grantee> for Batch {
    type Value = Vec<AccessGrant>;
    type Error = async_graphql::Error;

    async fn load(&self, grantees: &[Grantee]) -> Result<HashMap<Grantee, Vec<AccessGrant>>> {
        self.service.grants_of(&self.access, grantees).await.map_err(error)
    }
}

/// One page of what a grantee is given. `None` when the caller may not see it.
pub(super) async fn grants_of(ctx: &Context<'_>, grantee: Grantee, args: PageArgs) -> Result<Option<GrantConnection>> {
    let listing = args.listing(ctx, &format!("grants:{grantee:?}"))?;
    let Some(grants) = ctx.request()?.grants.0.load_one(grantee).await? else { return Ok(None) };
    let page = service::grant::page(grants, &listing.request);
    let standing = ctx.standing()?;
    listing.connection(ctx, page, |grant| Grant::new(Arc::clone(standing), grant)).map(Some)
}

/// What a member shows of its grants.
#[derive(Debug, Clone)]
pub struct MemberGrants {
    /// The member's row.
    pub(super) member: Uuid,
}

#[Object]
impl MemberGrants {
    /// What is given to the member itself, roles included, in the order of giving; without what lies on apps that the caller
    /// does not see. Null for a caller who may not see it: one's own is always seen, that of others with `rights.read`.
    async fn grants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<GrantConnection>> {
        grants_of(ctx, Grantee::Member(self.member), PageArgs { first, after, last, before }).await
    }
}

/// What every member has on every app of a kind (S5.2).
#[derive(Debug, Clone, SimpleObject)]
pub struct DefaultAccess {
    /// The app kind's key.
    app_kind: String,
    /// The feature's key.
    feature: String,
    /// The level; null for no default access.
    level: Option<String>,
    /// The levels it can be set to.
    levels: Vec<String>,
}

impl From<service::grant::DefaultAccess> for DefaultAccess {
    fn from(default: service::grant::DefaultAccess) -> Self {
        let service::grant::DefaultAccess { kind, feature, level, levels } = default;
        Self { app_kind: kind, feature, level, levels }
    }
}

/// What an organization shows of what everyone has.
#[derive(Debug, Clone)]
pub struct OrganizationDefaults;

#[Object]
impl OrganizationDefaults {
    /// What every member has, for each feature that can have a default (S5.2).
    async fn default_access(&self, ctx: &Context<'_>) -> Result<Vec<DefaultAccess>> {
        let found = ctx.service()?.default_access(ctx.access()?).await.map_err(error)?;
        Ok(found.into_iter().map(DefaultAccess::from).collect())
    }
}
