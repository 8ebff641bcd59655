//! Where an app stands, and what the viewer may do to it: for screens that manage a tree of apps (S4.11, S4.22).

use std::sync::Arc;

use async_graphql::{Context, Object, Result};

use super::{
    app::{App, AppConnection, page},
    blueprint::RoleDefinition,
    context::InContext,
    error::{Reason, error, reasons},
    page::PageArgs,
};
use crate::{
    access::blueprint::document::Holder,
    service::{
        Standing, UserError,
        app::{AppObstacles, AppQuery, SeenApp, obstacles_to_making},
    },
};

/// Where an app stands, and what the viewer may do to it.
#[derive(Debug, Clone)]
pub struct AppAdministration {
    pub(super) standing: Arc<Standing>,
    pub(super) app: Arc<SeenApp>,
}

impl AppAdministration {
    fn obstacles(&self) -> AppObstacles {
        self.app.obstacles_for(&self.standing)
    }

    fn obstacles_to_making(&self, kind: Option<&str>) -> Vec<UserError> {
        match kind {
            Some(kind) => obstacles_to_making(&self.standing, kind, Some(&self.app)),
            None => self.obstacles().create,
        }
    }
}

/// Where an app stands, and what the viewer may do to it.
#[Object]
impl AppAdministration {
    /// The apps above it that the caller sees, the highest first; empty at the top.
    async fn path(&self, ctx: &Context<'_>) -> Result<Vec<App>> {
        let path = ctx.service()?.path_of(ctx.access()?, &self.app).await.map_err(error)?;
        Ok(path.into_iter().map(|app| App::new(&self.standing, app)).collect())
    }

    /// The apps directly under it that the caller sees, by name; with `below`, those further down too, whether or not the caller
    /// sees what stands between (S4.6).
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection, and of its filter")]
    async fn children(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
        #[graphql(desc = "Only of one kind, by its key.")] kind: Option<String>,
        #[graphql(desc = "Only those whose name or slug contains this.")] search: Option<String>,
        #[graphql(desc = "Also those that stand further below it.", default)] below: bool,
    ) -> Result<AppConnection> {
        let args = PageArgs { first, after, last, before };
        let query = AppQuery { kind, search, parent: Some(self.app.app.id), below };
        page(ctx, ctx.access()?, ("app.children", args, query)).await
    }

    /// Whether everything above it is enabled: under a disabled app, nobody may do anything.
    async fn is_open(&self) -> bool {
        self.app.place().active
    }

    /// The roles that the caller can give to members here, in the blueprint's order (S4.19).
    async fn viewer_roles_to_give(&self) -> Vec<RoleDefinition> {
        let keys = self.app.roles_to_give(&self.standing, Holder::Member);
        keys.iter().filter_map(|key| RoleDefinition::of(&self.standing, key)).collect()
    }

    /// The roles that the caller can give to programs here, in the blueprint's order (S4.21).
    async fn viewer_roles_for_programs(&self) -> Vec<RoleDefinition> {
        let keys = self.app.roles_to_give(&self.standing, Holder::ServiceAccount);
        keys.iter().filter_map(|key| RoleDefinition::of(&self.standing, key)).collect()
    }

    /// Whether the caller can make an app under it, by the rules of `createApp`.
    async fn viewer_can_create_app(
        &self,
        #[graphql(desc = "Its kind, by its key; without it, whether the caller has the permission there.")]
        kind: Option<String>,
    ) -> bool {
        self.obstacles_to_making(kind.as_deref()).is_empty()
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_create_app_reasons(
        &self,
        #[graphql(desc = "Its kind, by its key; without it, whether the caller has the permission there.")]
        kind: Option<String>,
    ) -> Vec<Reason> {
        reasons(self.obstacles_to_making(kind.as_deref()))
    }

    /// Whether the caller can rename it.
    async fn viewer_can_update(&self) -> bool {
        self.obstacles().update.is_empty()
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_update_reasons(&self) -> Vec<Reason> {
        reasons(self.obstacles().update)
    }

    /// Whether the caller can enable, disable and move it.
    async fn viewer_can_switch(&self) -> bool {
        self.obstacles().switch.is_empty()
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_switch_reasons(&self) -> Vec<Reason> {
        reasons(self.obstacles().switch)
    }

    /// Whether the caller can delete it.
    async fn viewer_can_delete(&self) -> bool {
        self.obstacles().delete.is_empty()
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_delete_reasons(&self) -> Vec<Reason> {
        reasons(self.obstacles().delete)
    }

    /// Whether the caller can invite people to it. Nobody is added to a public app whose kind has no grants then (S4.R10).
    async fn viewer_can_invite(&self) -> bool {
        self.obstacles().invite.is_empty()
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_invite_reasons(&self) -> Vec<Reason> {
        reasons(self.obstacles().invite)
    }

    /// Whether the caller can give people access to it. Nobody is added to a public app whose kind has no grants then (S4.R10).
    async fn viewer_can_grant(&self) -> bool {
        self.obstacles().grant.is_empty()
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_grant_reasons(&self) -> Vec<Reason> {
        reasons(self.obstacles().grant)
    }

    /// Whether the caller can make programs and their secrets for it.
    async fn viewer_can_manage_tokens(&self) -> bool {
        self.obstacles().manage_tokens.is_empty()
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_manage_tokens_reasons(&self) -> Vec<Reason> {
        reasons(self.obstacles().manage_tokens)
    }
}
