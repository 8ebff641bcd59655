//! Apps: the protected resources of an organization.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, MergedObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::{
    app_administration::AppAdministration,
    app_member::AppMembers,
    app_role::AppRoles,
    blueprint::AppKind,
    capability::AppCapabilities,
    context::InContext,
    error::{Reason, UserError, error, reasons, settle},
    node::NodeType,
    page::{Listed, PageArgs, connection},
    service_account::AppServiceAccounts,
};
use crate::service::{
    self, Access, Idempotency, Standing,
    app::{self, AppEdit, AppQuery, NewApp, SeenApp},
    page::{Position, SortKey},
};

/// Whether an app may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "app::AppState")]
pub enum AppState {
    /// In use.
    Active,
    /// Refuses everyone.
    Disabled,
}

/// Who sees an app besides those it is granted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "app::AppVisibility")]
pub enum AppVisibility {
    /// Nobody.
    Private,
    /// Those the blueprint names for such apps (S4.6).
    Public,
}

/// A protected resource, of one of the blueprint's kinds of apps. One on which the caller holds nothing answers as one that
/// does not exist (S3.31).
#[derive(Debug, Clone, MergedObject)]
#[rustfmt::skip] // One part a line, so that parts are added side by side.
pub struct App(
    AppCore,
    AppAdministration,
    AppCapabilities,
    AppMembers,
    AppRoles,
    AppServiceAccounts,
);

impl App {
    /// As this principal sees it.
    #[must_use]
    pub fn new(standing: &Arc<Standing>, app: Arc<SeenApp>) -> Self {
        let standing = || Arc::clone(standing);
        let core = AppCore { standing: standing(), app: Arc::clone(&app) };
        let administration = AppAdministration { standing: standing(), app: Arc::clone(&app) };
        let members = AppMembers { standing: standing(), app: Arc::clone(&app) };
        let roles = AppRoles { standing: standing(), app: Arc::clone(&app) };
        let accounts = AppServiceAccounts { app: Arc::clone(&app) };
        Self(core, administration, AppCapabilities { standing: standing(), app }, members, roles, accounts)
    }

    /// Its global id; for the interface.
    pub(super) async fn id(&self, _ctx: &Context<'_>) -> Result<ID> {
        Ok(NodeType::App.id(self.0.app.app.id))
    }

    /// The app of this id, if the caller sees it.
    pub(super) async fn find(ctx: &Context<'_>, id: uuid::Uuid) -> Result<Option<Self>> {
        let found = ctx.service()?.find_app(ctx.access()?, id).await.map_err(error)?;
        let standing = ctx.standing()?;
        Ok(found.map(|app| Self::new(standing, app)))
    }
}

/// What an app is.
#[derive(Debug, Clone)]
pub struct AppCore {
    standing: Arc<Standing>,
    app: Arc<SeenApp>,
}

/// A protected resource, of one of the blueprint's kinds of apps. One on which the caller holds nothing answers as one that
/// does not exist (S3.31).
#[Object]
impl AppCore {
    /// Global id.
    async fn id(&self) -> ID {
        NodeType::App.id(self.app.app.id)
    }

    /// Lower-case name, for addresses; unique in the organization.
    async fn slug(&self) -> &str {
        &self.app.app.slug
    }

    /// Name as shown.
    async fn name(&self) -> &str {
        &self.app.app.name
    }

    /// Its kind, with the features it has.
    async fn kind(&self) -> Option<AppKind> {
        let key = &self.app.app.kind;
        self.standing.blueprint.rules.document().app_kinds.get(key).map(|kind| AppKind::new(key, kind))
    }

    /// Whether it may be used.
    async fn state(&self) -> AppState {
        self.app.app.state.into()
    }

    /// Who sees it besides those it is granted to.
    async fn visibility(&self) -> AppVisibility {
        self.app.app.visibility.into()
    }

    /// The app it stands under. Null at the top, and when the caller does not see the one above.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<App>> {
        match self.app.app.parent_id {
            Some(parent) => App::find(ctx, parent).await,
            None => Ok(None),
        }
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.app.app.created_at
    }
}

impl Listed for SeenApp {
    fn position(&self) -> Position {
        Position { key: SortKey::Text(self.app.name.clone()), id: self.app.id }
    }
}

connection!(AppConnection, AppEdge, App);

/// A page of the apps that the caller sees.
pub(super) async fn page(
    ctx: &Context<'_>,
    access: &Access,
    (name, args, query): (&str, PageArgs, AppQuery),
) -> Result<AppConnection> {
    let standing = access.standing().map_err(error)?;
    let listing = args.listing(ctx, &format!("{name}:{}:{query:?}", standing.place.id))?;
    let page = ctx.service()?.list_apps(access, query, &listing.request).await.map_err(error)?;
    listing.connection(ctx, page, |app| App::new(standing, Arc::new(app)))
}

/// What an organization shows of its apps.
#[derive(Debug, Clone)]
pub struct OrganizationApps;

#[Object]
impl OrganizationApps {
    /// The apps that the caller sees, by name: for the home page and the app switcher (S3.29, S3.30).
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection, and of its filter")]
    async fn apps(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
        #[graphql(desc = "Only of one kind, by its key.")] kind: Option<String>,
        #[graphql(desc = "Only those whose name or slug contains this.")] search: Option<String>,
        #[graphql(desc = "Only those directly under one app.")] parent: Option<ID>,
    ) -> Result<AppConnection> {
        let parent = parent.map(|id| NodeType::App.parse(&id)).transpose()?;
        let args = PageArgs { first, after, last, before };
        page(ctx, ctx.access()?, ("apps", args, AppQuery { kind, search, parent, below: false })).await
    }

    /// The app of this slug, if the caller sees it.
    async fn app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its lower-case name.")] slug: String,
    ) -> Result<Option<App>> {
        let found = ctx.service()?.find_app_by_slug(ctx.access()?, &slug).await.map_err(error)?;
        let standing = ctx.standing()?;
        Ok(found.map(|app| App::new(standing, app)))
    }

    /// Whether the caller can make an app of this kind there, by the rules of `createApp`: for the button on a screen. Its name and
    /// its slug are judged when it is made.
    async fn viewer_can_create_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its kind, by its key.")] kind: String,
        #[graphql(desc = "The app it is to stand under; without it, the organization itself.")] parent: Option<ID>,
    ) -> Result<bool> {
        Ok(obstacles_to_making(ctx, &kind, parent).await?.is_empty())
    }

    /// Why not; empty: it can be done.
    async fn viewer_cannot_create_app_reasons(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its kind, by its key.")] kind: String,
        #[graphql(desc = "The app it is to stand under; without it, the organization itself.")] parent: Option<ID>,
    ) -> Result<Vec<Reason>> {
        Ok(reasons(obstacles_to_making(ctx, &kind, parent).await?))
    }
}

async fn obstacles_to_making(ctx: &Context<'_>, kind: &str, parent: Option<ID>) -> Result<Vec<service::UserError>> {
    let parent = parent.map(|id| NodeType::App.parse(&id)).transpose()?;
    ctx.service()?.obstacles_to_making(ctx.access()?, (kind, parent)).await.map_err(error)
}

/// The app switcher: the apps that a caller sees.
///
/// # Errors
/// For a page that makes no sense.
pub(super) async fn switcher(ctx: &Context<'_>, access: &Access, args: PageArgs) -> Result<Option<AppConnection>> {
    if access.standing.is_none() {
        return Ok(None);
    }
    page(ctx, access, ("viewer.apps", args, AppQuery::default())).await.map(Some)
}

/// An app to be made.
#[derive(Debug, Clone, InputObject)]
pub struct CreateAppInput {
    /// Its kind, by its key.
    kind: String,
    /// Lower-case name, for addresses: letters, digits and inner hyphens.
    slug: String,
    /// Name as shown.
    name: String,
    /// The app it is to stand under, for kinds that do.
    parent: Option<ID>,
    /// Who sees it besides; else as its kind begins.
    visibility: Option<AppVisibility>,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// What is to change of an app; what is left out stays.
#[derive(Debug, Clone, InputObject)]
pub struct UpdateAppInput {
    /// Which.
    app: ID,
    /// Another lower-case name.
    slug: Option<String>,
    /// Another name.
    name: Option<String>,
    /// Enabled or disabled.
    state: Option<AppState>,
    /// Who sees it besides.
    visibility: Option<AppVisibility>,
    /// Another app to stand under; null: the organization itself.
    parent: MaybeUndefined<ID>,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// An app to be deleted.
#[derive(Debug, Clone, InputObject)]
pub struct DeleteAppInput {
    /// Which.
    app: ID,
    /// The app's slug, to confirm.
    confirm: String,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// What became of making an app.
#[derive(Debug, SimpleObject)]
pub struct CreateAppPayload {
    /// The app. Null when there are refusals, and when the caller does not see it.
    app: Option<App>,
    /// Why nothing was changed.
    user_errors: Vec<UserError>,
}

/// What became of a change of an app.
#[derive(Debug, SimpleObject)]
pub struct UpdateAppPayload {
    /// The app, as it is now. Null when there are refusals.
    app: Option<App>,
    /// Why nothing was changed.
    user_errors: Vec<UserError>,
}

/// What became of a deletion.
#[derive(Debug, SimpleObject)]
pub struct DeleteAppPayload {
    /// The global id the app had. Null when there are refusals.
    deleted_app: Option<ID>,
    /// Why nothing was changed.
    user_errors: Vec<UserError>,
}

/// Changes of apps.
#[derive(Debug, Default)]
pub struct AppMutation;

/// An app after a change; with the rights the caller had before, which a change of an app leaves as they are.
async fn after(ctx: &Context<'_>, id: uuid::Uuid) -> Result<Option<App>> {
    let access = Access { version: None, ..ctx.access()?.clone() };
    let found = ctx.service()?.find_app(&access, id).await.map_err(error)?;
    let standing = ctx.standing()?;
    Ok(found.map(|app| App::new(standing, app)))
}

#[Object]
impl AppMutation {
    /// Makes an app. Needs `apps.create`, in the organization or on an app above it.
    async fn create_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is called, of which kind, and where it stands.")] input: CreateAppInput,
    ) -> Result<CreateAppPayload> {
        let parent = input.parent.map(|id| NodeType::App.parse(&id)).transpose()?;
        let new = NewApp {
            kind: input.kind,
            slug: input.slug,
            name: input.name,
            parent,
            visibility: input.visibility.map(Into::into),
        };
        let idempotency = Idempotency::of(input.idempotency_key, &new).map_err(error)?;
        Ok(match settle(ctx.service()?.create_app(ctx.access()?, new, idempotency).await)? {
            Ok(id) => CreateAppPayload { app: after(ctx, id).await?, user_errors: Vec::new() },
            Err(user_errors) => CreateAppPayload { app: None, user_errors },
        })
    }

    /// Renames an app, enables, disables, opens or moves it. Needs `apps.update`, in the organization, on it or above it; moving
    /// needs `apps.create` where it goes, and as much as those hold who sit above that place.
    async fn update_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what changes of it.")] input: UpdateAppInput,
    ) -> Result<UpdateAppPayload> {
        let app = NodeType::App.parse(&input.app)?;
        let parent = match input.parent {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(id) => Some(Some(NodeType::App.parse(&id)?)),
        };
        let (slug, name, state) = (input.slug, input.name, input.state.map(Into::into));
        let edit = AppEdit { app, slug, name, state, visibility: input.visibility.map(Into::into), parent };
        let idempotency = Idempotency::of(input.idempotency_key, &edit).map_err(error)?;
        Ok(match settle(ctx.service()?.update_app(ctx.access()?, edit, idempotency).await)? {
            Ok(id) => UpdateAppPayload { app: after(ctx, id).await?, user_errors: Vec::new() },
            Err(user_errors) => UpdateAppPayload { app: None, user_errors },
        })
    }

    /// Deletes an app with every grant on it (S3.3). Needs `apps.delete`, in the organization, on it or above it.
    async fn delete_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, with its slug typed again.")] input: DeleteAppInput,
    ) -> Result<DeleteAppPayload> {
        let deletion = (NodeType::App.parse(&input.app)?, input.confirm);
        let idempotency = Idempotency::of(input.idempotency_key, &deletion).map_err(error)?;
        Ok(match settle(ctx.service()?.delete_app(ctx.access()?, deletion, idempotency).await)? {
            Ok(id) => DeleteAppPayload { deleted_app: Some(NodeType::App.id(id)), user_errors: Vec::new() },
            Err(user_errors) => DeleteAppPayload { deleted_app: None, user_errors },
        })
    }
}
