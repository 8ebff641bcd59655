//! The people of an app, and where what they hold comes from (S4.18, S4.R6).

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};

use super::{
    app::App,
    blueprint::RoleDefinition,
    context::InContext,
    error::{Reason, error, reasons},
    grant::Grant,
    member::Member,
    node::NodeType,
    page::{Listed, PageArgs, connection},
};
use crate::{
    access::{Held, Place},
    service::{
        self, Standing,
        app::SeenApp,
        app_member::{self, AppMemberQuery},
        page::Position,
    },
};

/// Something that is given to a member on an app, above it or below it.
#[derive(Debug, Clone)]
pub struct AppBinding {
    standing: Arc<Standing>,
    row: app_member::Binding,
}

/// Something that is given to a member on an app, above it or below it.
#[Object]
impl AppBinding {
    /// The grant; revoking it takes everything it gives, on its own app and below.
    async fn grant(&self) -> Grant {
        Grant::new(Arc::clone(&self.standing), self.row.grant.clone())
    }

    /// The role it gives; null for a feature.
    async fn role(&self) -> Option<RoleDefinition> {
        match &self.row.grant.held {
            Held::Role(role) => RoleDefinition::of(&self.standing, role),
            Held::Feature { .. } => None,
        }
    }

    /// The app it lies on; null for one that the caller does not see.
    async fn app(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        match &self.row.grant.place {
            Place::App { id, .. } => App::find(ctx, *id).await,
            Place::Organization => Ok(None),
        }
    }

    /// Whether it lies on an app above: it cannot be changed here, one by one (S4.R6).
    async fn is_inherited(&self) -> bool {
        self.row.inherited
    }

    /// The app above that it comes from. Null when it lies here or below, and for one that the caller does not see.
    async fn inherited_from(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        if self.row.inherited { self.app(ctx).await } else { Ok(None) }
    }

    /// Why the caller cannot take it away here; empty: the caller may.
    async fn viewer_cannot_revoke_reasons(&self) -> Vec<Reason> {
        reasons(self.row.obstacles.clone())
    }
}

/// A member to whom something is given on an app, above it or below it.
#[derive(Debug, Clone)]
pub struct AppMember {
    standing: Arc<Standing>,
    row: app_member::AppMember,
}

/// A member to whom something is given on an app, above it or below it.
#[Object]
impl AppMember {
    /// Global id of the member.
    async fn id(&self) -> ID {
        NodeType::Member.id(self.row.member.id)
    }

    /// Who.
    async fn member(&self, ctx: &Context<'_>) -> Result<Option<Member>> {
        Member::find(ctx, self.row.member.id).await
    }

    /// What is given to the member, and where; empty for a caller who may not see rights there.
    async fn bindings(&self) -> Vec<AppBinding> {
        let bindings = self.row.grants.iter().cloned();
        bindings.map(|row| AppBinding { standing: Arc::clone(&self.standing), row }).collect()
    }
}

impl Listed for app_member::AppMember {
    fn position(&self) -> Position {
        service::member::position(&self.member)
    }
}

connection!(AppMemberConnection, AppMemberEdge, AppMember);

/// What an app shows of its people.
#[derive(Debug, Clone)]
pub struct AppMembers {
    pub(super) standing: Arc<Standing>,
    pub(super) app: Arc<SeenApp>,
}

/// What an app shows of its people.
#[Object]
impl AppMembers {
    /// The members to whom something is given on the app or above it, by name. Null, with an error beside it, without
    /// `members.read` in the organization, on the app or above it.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection, and of its filter")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those whose name or address contains this.")] search: Option<String>,
        #[graphql(desc = "Also those to whom something is given on an app below it.", default)] below: bool,
    ) -> Result<Option<AppMemberConnection>> {
        let name = format!("app.members:{}:{search:?}:{below}", self.app.app.id);
        let listing = PageArgs { first, after, last, before }.listing(ctx, &name)?;
        let query = AppMemberQuery { search, below };
        let page = ctx.service()?.members_on(ctx.access()?, (&self.app, query), &listing.request).await;
        let page = page.map_err(error)?;
        listing.connection(ctx, page, |row| AppMember { standing: Arc::clone(&self.standing), row }).map(Some)
    }
}
