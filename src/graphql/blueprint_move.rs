//! Versions of the organization's blueprint, and moving to another one.

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::{
    blueprint::Blueprint,
    context::InContext,
    error::{Reason, UserError, bad_input, error, reasons, settle},
    node::NodeType,
    page::{Listed, PageArgs, connection},
    permission::{self, Needs},
};
use crate::service::{
    Idempotency, Standing,
    blueprint_move::{HolderKind, InstalledVersion, MoveChange, MoveChoice, MoveOrder, Power, Preview},
    page::{Position, SortKey},
};

/// An installed version of the organization's blueprint.
#[derive(Debug, Clone, SimpleObject)]
pub struct BlueprintVersion {
    /// The number.
    version: i32,
    /// What people call the blueprint in it.
    title: String,
    /// When it was installed.
    installed_at: DateTime<Utc>,
    /// Whether the organization lives by it.
    is_current: bool,
}

impl From<InstalledVersion> for BlueprintVersion {
    fn from(installed: InstalledVersion) -> Self {
        let InstalledVersion { id: _, version, title, installed_at, is_current } = installed;
        Self { version, title, installed_at, is_current }
    }
}

impl Listed for InstalledVersion {
    fn position(&self) -> Position {
        Position { key: SortKey::Id, id: self.id }
    }
}

connection!(BlueprintVersionConnection, BlueprintVersionEdge, BlueprintVersion);

/// What gains or loses something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum MoveHolderKind {
    /// A member; one who is invited or suspended too.
    Member,
    /// A team, for those who come into it.
    Team,
    /// A service account.
    ServiceAccount,
    /// Every member, for those who come.
    Everyone,
}

/// Whether something is gained or lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum MoveDirection {
    /// Held after the move and not before.
    Gained,
    /// Held before the move and not after.
    Lost,
}

/// Something that somebody gains or loses: exactly one of `permission`, `action`, `assigns`, `handsOn`, `unbounded`,
/// `sees` and `section` says what.
#[derive(Debug, Clone, SimpleObject)]
pub struct BlueprintMoveChange {
    /// What kind of holder it is.
    holder_kind: MoveHolderKind,
    /// Its name as shown.
    holder: String,
    /// Global id of the holder; null for everyone.
    holder_id: Option<ID>,
    /// The app's name; null in the organization itself.
    app: Option<String>,
    /// Global id of the app.
    app_id: Option<ID>,
    /// The organization permission; null otherwise.
    permission: Option<String>,
    /// The action, as `kind.feature.action`; null otherwise.
    action: Option<String>,
    /// The role that can be given and taken; null otherwise.
    assigns: Option<String>,
    /// The role that can be given to others whatever one holds oneself; null otherwise.
    hands_on: Option<String>,
    /// Whether it is about giving more than one holds.
    unbounded: bool,
    /// Whether it is about seeing that the app exists, locked where nothing is held on it.
    sees: bool,
    /// The section of the organization's profile that can be read, by key; null otherwise.
    section: Option<String>,
    /// Whether it is gained or lost.
    change: MoveDirection,
}

impl Listed for MoveChange {
    fn position(&self) -> Position {
        Self::position(self)
    }
}

impl From<MoveChange> for BlueprintMoveChange {
    fn from(change: MoveChange) -> Self {
        let MoveChange { holder, app, power, gained } = change;
        let (holder_kind, node) = match holder.kind {
            HolderKind::Member => (MoveHolderKind::Member, Some(NodeType::Member)),
            HolderKind::Team => (MoveHolderKind::Team, Some(NodeType::Team)),
            HolderKind::ServiceAccount => (MoveHolderKind::ServiceAccount, Some(NodeType::ServiceAccount)),
            HolderKind::Everyone => (MoveHolderKind::Everyone, None),
        };
        let (app, app_id) = app.map(|(name, id)| (name, NodeType::App.id(id))).unzip();
        let mut shown = Self {
            holder_kind,
            holder: holder.name,
            holder_id: node.zip(holder.id).map(|(node, id)| node.id(id)),
            app,
            app_id,
            permission: None,
            action: None,
            assigns: None,
            hands_on: None,
            unbounded: false,
            sees: false,
            section: None,
            change: if gained { MoveDirection::Gained } else { MoveDirection::Lost },
        };
        match power {
            Power::Permission(key) => shown.permission = Some(key),
            Power::Action { kind, feature, action } => shown.action = Some(format!("{kind}.{feature}.{action}")),
            Power::Assign(role) => shown.assigns = Some(role),
            Power::HandOn(role) => shown.hands_on = Some(role),
            Power::Unbounded => shown.unbounded = true,
            Power::See => shown.sees = true,
            Power::Section(key) => shown.section = Some(key),
        }
        shown
    }
}

connection!(BlueprintMoveChangeConnection, BlueprintMoveChangeEdge, BlueprintMoveChange);

/// What becomes of a role that somebody holds.
#[derive(Debug, Clone, SimpleObject)]
pub struct BlueprintMoveRole {
    /// The role's key.
    role: String,
    /// What people call it.
    label: String,
    /// How often it is given.
    holders: i32,
    /// The role it becomes; itself where it stays; null: one must be named to take its place.
    becomes: Option<String>,
}

/// Grants of something that the version does not have; they go.
#[derive(Debug, Clone, SimpleObject)]
pub struct BlueprintMoveGone {
    /// The app kind's key.
    kind: String,
    /// The feature's key.
    feature: String,
    /// The access level.
    level: Option<String>,
    /// How many grants.
    count: i32,
}

/// A role of the organization's own that gives less in the version.
#[derive(Debug, Clone, SimpleObject)]
pub struct BlueprintMoveNarrowed {
    /// The role's key.
    role: String,
    /// What people call it.
    label: String,
    /// What it does not give there, as selectors.
    lost: Vec<String>,
}

/// What moving to another version comes to.
#[derive(Debug, Clone)]
pub struct BlueprintMove {
    preview: Arc<Preview>,
    list: String,
}

/// What moving to another version comes to. Nothing has been changed.
#[Object]
impl BlueprintMove {
    /// The version it is about.
    async fn version(&self) -> BlueprintVersion {
        self.preview.version.clone().into()
    }

    /// The version the organization lives by.
    async fn from(&self) -> i32 {
        self.preview.from
    }

    /// Everything that anybody gains or loses, by holder, place and right.
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front; at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back; at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<BlueprintMoveChangeConnection> {
        let listing = PageArgs { first, after, last, before }.listing(ctx, &self.list)?;
        let page = self.preview.page(&listing.request);
        listing.connection(ctx, page, BlueprintMoveChange::from)
    }

    /// How many of the changes give something.
    async fn gained(&self) -> i32 {
        count(self.preview.gained() as u64)
    }

    /// How many of the changes take something.
    async fn lost(&self) -> i32 {
        count(self.preview.lost() as u64)
    }

    /// What is in the way; the move is refused while there is anything.
    async fn problems(&self) -> Vec<Reason> {
        reasons(self.preview.problems.clone())
    }

    /// The roles that somebody holds, and what becomes of them.
    async fn roles(&self) -> Vec<BlueprintMoveRole> {
        let roles = self.preview.roles.iter();
        let role = roles.map(|moved| BlueprintMoveRole {
            role: moved.role.clone(),
            label: moved.label.clone(),
            holders: count(moved.uses),
            becomes: moved.becomes.clone(),
        });
        role.collect()
    }

    /// The grants that go, because the version does not have what they give.
    async fn gone(&self) -> Vec<BlueprintMoveGone> {
        let gone = self.preview.gone.iter();
        let gone = gone.map(|gone| BlueprintMoveGone {
            kind: gone.kind.clone(),
            feature: gone.feature.clone(),
            level: gone.level.clone(),
            count: count(gone.count),
        });
        gone.collect()
    }

    /// The roles of the organization's own that give less there.
    async fn narrowed(&self) -> Vec<BlueprintMoveNarrowed> {
        let narrowed = self.preview.narrowed.iter();
        let narrowed = narrowed.map(|narrowed| BlueprintMoveNarrowed {
            role: narrowed.role.clone(),
            label: narrowed.label.clone(),
            lost: narrowed.lost.clone(),
        });
        narrowed.collect()
    }

    /// Stands for all of this: `moveBlueprint` wants it, and refuses when it would come to anything else.
    async fn token(&self) -> &str {
        &self.preview.token
    }
}

fn count(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A role and the one that takes its place.
#[derive(Debug, Clone, InputObject)]
pub struct RoleMappingInput {
    /// The key of a role that the organization has now.
    from: String,
    /// The key of the role that its holders have then.
    to: String,
}

fn mapping(roles: Option<Vec<RoleMappingInput>>) -> Result<BTreeMap<String, String>> {
    let mut mapping = BTreeMap::new();
    for RoleMappingInput { from, to } in roles.unwrap_or_default() {
        if mapping.insert(from, to).is_some() {
            return Err(bad_input("one role takes the place of a role"));
        }
    }
    Ok(mapping)
}

/// The versions of an organization's blueprint.
#[derive(Debug, Clone)]
pub struct OrganizationBlueprintMove {
    pub(super) standing: Arc<Standing>,
}

/// The versions of an organization's blueprint.
#[Object]
impl OrganizationBlueprintMove {
    /// The installed versions of its blueprint, in the order of installation.
    async fn blueprint_versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front; at most 100.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back; at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<BlueprintVersionConnection> {
        let list = format!("blueprintVersions:{}", self.standing.place.id);
        let listing = PageArgs { first, after, last, before }.listing(ctx, &list)?;
        let page = ctx.service()?.blueprint_versions(ctx.access()?, &listing.request).await.map_err(error)?;
        listing.connection(ctx, page, BlueprintVersion::from)
    }

    /// What moving to another version of its blueprint would come to. Needs the permission `blueprint.move`.
    #[graphql(guard = "Needs(\"blueprint.move\")", directive = permission::permission::apply("blueprint.move".to_owned()))]
    async fn blueprint_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version.")] version: i32,
        #[graphql(desc = "Roles that take the place of others.")] roles: Option<Vec<RoleMappingInput>>,
        #[graphql(desc = "Another plan, by key.")] plan: Option<String>,
    ) -> Result<Option<BlueprintMove>> {
        let choice = MoveChoice { version, roles: mapping(roles)?, plan };
        let list = format!("blueprintMove:{}:{choice:?}", self.standing.place.id);
        let preview = ctx.service()?.preview_move(ctx.access()?, &choice).await.map_err(error)?;
        Ok(Some(BlueprintMove { preview: Arc::new(preview), list }))
    }
}

/// A move that somebody has seen the preview of.
#[derive(Debug, InputObject)]
pub struct MoveBlueprintInput {
    /// The version.
    version: i32,
    /// Roles that take the place of others.
    roles: Option<Vec<RoleMappingInput>>,
    /// Another plan, by key.
    plan: Option<String>,
    /// The preview's token.
    token: String,
    /// Whether it is meant that somebody can do more than before.
    #[graphql(default)]
    accept_gains: bool,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of a move.
#[derive(Debug, SimpleObject)]
pub struct MoveBlueprintPayload {
    /// The rules the organization lives by now; null when it was refused.
    blueprint: Option<Blueprint>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// Moving to another version.
#[derive(Debug, Default)]
pub struct BlueprintMoveMutation;

#[Object]
impl BlueprintMoveMutation {
    /// Moves the organization to another version of its blueprint, as `organization.blueprintMove` has shown it. Needs the
    /// permission `blueprint.move`; never gives anybody more without `acceptGains`.
    async fn move_blueprint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to, and what has been seen.")] input: MoveBlueprintInput,
    ) -> Result<MoveBlueprintPayload> {
        let MoveBlueprintInput { version, roles, plan, token, accept_gains, idempotency_key } = input;
        let order = MoveOrder { choice: MoveChoice { version, roles: mapping(roles)?, plan }, token, accept_gains };
        let repeat = Idempotency::of(idempotency_key, &order).map_err(error)?;
        let (service, access) = (ctx.service()?, ctx.access()?);
        match settle(service.move_blueprint(access, order, repeat).await)? {
            Ok(version) => {
                let rules = service.version_of(access, version).await.map_err(error)?;
                Ok(MoveBlueprintPayload { blueprint: rules.map(Blueprint), user_errors: Vec::new() })
            }
            Err(user_errors) => Ok(MoveBlueprintPayload { blueprint: None, user_errors }),
        }
    }
}
