//! Moving an organization to another version of its blueprint: shown whole before it is done.
//!
//! A preview compiles everyone's rights under both versions and names every difference, everything that is in the way, and
//! what becomes of roles and grants. The move makes the same computation again in its transaction and refuses unless it comes
//! to the very same: nothing happens that nobody has seen.
//!
//! ```text
//!  version, roles ─▶ plan (pure, of rows read once) ─▶ preview + token
//!                                        └─ again, under the lock ─▶ same token? nobody in the way? ─▶ write
//! ```

mod compute;
mod holders;
mod invitations;
mod needs;
mod people;
mod strays;
mod write;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::compute::{Mover, plan};
use super::{
    Access, Change, Idempotency, Service, ServiceError, UserError,
    blueprint::Installed,
    page::{Page, PageRequest, Position, SortKey},
};
pub use crate::access::versions::Power;
use crate::store;

/// An installed version of a blueprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledVersion {
    /// The row.
    pub id: Uuid,
    /// The number.
    pub version: i32,
    /// What people call the blueprint in it.
    pub title: String,
    /// When it was installed.
    pub installed_at: DateTime<Utc>,
    /// Whether the organization lives by it.
    pub is_current: bool,
}

/// Where to, and what becomes of what the version does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MoveChoice {
    /// The version.
    pub version: i32,
    /// Roles that others take the place of, by key.
    pub roles: BTreeMap<String, String>,
    /// Another plan, by key.
    pub plan: Option<String>,
}

/// A move that somebody has seen the preview of.
#[derive(Debug, Clone)]
pub struct MoveOrder {
    /// Where to.
    pub choice: MoveChoice,
    /// The preview's token.
    pub token: String,
    /// Whether it is meant that somebody can do more than before.
    pub accept_gains: bool,
}

/// Whose rights change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HolderKind {
    /// A member, whatever its state: one who is invited or suspended too.
    Member,
    /// A team, for those who come into it.
    Team,
    /// A service account.
    ServiceAccount,
    /// Every member, for those who come.
    Everyone,
}

/// Somebody whose rights change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MoveHolder {
    /// What it is.
    pub kind: HolderKind,
    /// Its name as shown.
    pub name: String,
    /// Its row; none for everyone.
    pub id: Option<Uuid>,
}

/// Something that somebody can do after the move and not before, or the other way round.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MoveChange {
    /// Who.
    pub holder: MoveHolder,
    /// Where: name and id of an app; the organization itself otherwise.
    pub app: Option<(String, Uuid)>,
    /// What.
    pub power: Power,
    /// Whether it is gained; lost otherwise.
    pub gained: bool,
}

/// What becomes of a role that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedRole {
    /// Its key.
    pub role: String,
    /// What people call it.
    pub label: String,
    /// How often it is given.
    pub uses: u64,
    /// The role that takes its place, where one does; itself where it stays; none where it must be named first.
    pub becomes: Option<String>,
}

/// Grants of a feature, or of a level of it, that the version does not have: they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneGrants {
    /// The app kind's key.
    pub kind: String,
    /// The feature's key.
    pub feature: String,
    /// The level.
    pub level: Option<String>,
    /// How many.
    pub count: u64,
}

/// A role of the organization's own that gives less in the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NarrowedRole {
    /// Its key.
    pub role: String,
    /// What people call it.
    pub label: String,
    /// What it loses, as selectors.
    pub lost: Vec<String>,
}

/// What a move comes to.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Where to.
    pub version: InstalledVersion,
    /// The version the organization lives by.
    pub from: i32,
    /// Everything that anybody gains or loses, by holder, place and right.
    pub changes: Vec<MoveChange>,
    /// What is in the way; the move is refused while there is anything.
    pub problems: Vec<UserError>,
    /// The roles that somebody holds.
    pub roles: Vec<MovedRole>,
    /// The grants that go.
    pub gone: Vec<GoneGrants>,
    /// The organization's own roles that give less.
    pub narrowed: Vec<NarrowedRole>,
    /// Stands for all of the above.
    pub token: String,
}

impl Preview {
    /// How many of the changes give something.
    #[must_use]
    pub fn gained(&self) -> usize {
        self.changes.iter().filter(|change| change.gained).count()
    }

    /// How many of the changes take something.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.changes.len() - self.gained()
    }

    /// One page of the changes.
    #[must_use]
    pub fn page(&self, request: &PageRequest) -> Page<MoveChange> {
        super::capability::page(self.changes.clone(), MoveChange::position, request)
    }
}

impl MoveChange {
    /// Where it stands in the list.
    #[must_use]
    pub fn position(&self) -> Position {
        let Self { holder, app, power, gained } = self;
        let id = holder.id.unwrap_or_default();
        let (app, app_id) = app.as_ref().map_or(("", Uuid::nil()), |(name, id)| (name, *id));
        let kind = holder.kind as u8;
        let key = format!("{kind}\u{0}{}\u{0}{id}\u{0}{app}\u{0}{app_id}\u{0}{power:?}\u{0}{gained}", holder.name);
        Position { key: SortKey::Text(key), id }
    }
}

impl Service {
    /// The installed versions of the blueprint the caller's organization lives by, in the order of installation; for everyone
    /// in it. At most two statements.
    ///
    /// # Errors
    /// As for a caller without a place in an active organization.
    pub async fn blueprint_versions(
        &self,
        access: &Access,
        request: &PageRequest,
    ) -> Result<Page<InstalledVersion>, ServiceError> {
        let standing = access.standing()?;
        if let Some(denial) = standing.rights.inactive() {
            return Err(denial.into());
        }
        let name = standing.blueprint.rules.name();
        let page = store::blueprint::list_versions(&self.store().read(), name, request).await?;
        let Page { items, has_next, has_previous, total } = page;
        let items = items.into_iter().map(|row| InstalledVersion {
            id: row.id,
            version: row.version,
            title: row.title,
            installed_at: row.installed_at,
            is_current: row.id == standing.place.blueprint,
        });
        Ok(Page { items: items.collect(), has_next, has_previous, total })
    }

    /// A version of the blueprint the caller's organization lives by.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn version_of(&self, access: &Access, version: i32) -> Result<Option<Arc<Installed>>, ServiceError> {
        let name = access.standing()?.blueprint.rules.name();
        let reader = self.store().read();
        match store::blueprint::find_by_name(&reader, name, Some(version)).await? {
            Some(row) => Ok(Some(self.blueprint(&reader, row.id).await?)),
            None => Ok(None),
        }
    }

    /// What moving the caller's organization to another version would come to; for holders of `blueprint.move`. A fixed number
    /// of statements.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission, [`ServiceError::Refused`] for a version that is not installed.
    pub async fn preview_move(&self, access: &Access, choice: &MoveChoice) -> Result<Preview, ServiceError> {
        let standing = access.standing()?;
        standing.require("blueprint.move")?;
        let mover = Mover { organization: standing.place.id, principal: standing.facts.principal };
        let plan = plan(self, &self.store().read(), (mover, choice), self.now()).await?;
        let mut preview = plan.preview;
        preview.problems.extend(plan.refusals);
        Ok(preview)
    }

    /// Moves the caller's organization to another version of its blueprint, as its preview showed it. Holders of
    /// `blueprint.move` may.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `STATE_CHANGED` when it would come to something else than the preview of this token,
    /// `GAINS` when somebody would gain something and that is not accepted, and everything that the preview names as in the
    /// way.
    pub async fn move_blueprint(
        &self,
        access: &Access,
        order: MoveOrder,
        idempotency: Option<Idempotency>,
    ) -> Result<i32, ServiceError> {
        let change = Change::in_organization("moveBlueprint", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { write::carry_out(work, &order).await })).await?.value)
    }
}
