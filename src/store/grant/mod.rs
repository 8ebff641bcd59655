//! Grants: the stored rows that give access.
//!
//! What they say is the core's [`Grantee`], [`Held`] and [`Place`]; what they come to is the core's to decide. One grantee
//! holds a role or a feature at a place once: giving it again changes its level or its end, or nothing.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
pub(in crate::store) use gatehouse_entity::access_grant as table;
use gatehouse_entity::{access_grant::GranteeKind, app};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, QueryFilter, QuerySelect};
use uuid::Uuid;

pub use self::{
    held::{
        HoldersOnApps, delete_many, holders_of, holders_of_features, holders_on_apps, of_members_on,
        without_prerequisite,
    },
    read::{GrantFilter, find_all, find_by_id, list, list_defaults, of_grantees, on_apps},
    write::{
        DefaultAccess, FeatureSet, Granted, Handover, HeldRole, NewGrants, Replaced, RoleGrant, assign_role,
        assign_roles, delete, give_up_role, hand_over, insert_invited, insert_many, remove_role, replace_features,
        rewrite, set_default,
    },
};
use super::{Reader, StoreError, select::select};
use crate::access::{Grantee, Held, Place};

mod held;
mod read;
mod rows;
mod write;

pub(in crate::store) use rows::{drop_all, put};

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessGrant {
    /// Its id.
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// To whom it is given.
    pub grantee: Grantee,
    /// What it gives.
    pub held: Held,
    /// Where it holds.
    pub place: Place,
    /// From when it gives nothing.
    pub expires_at: Option<DateTime<Utc>>,
    /// The principal that gave it; none for the gateway itself.
    pub granted_by: Option<Uuid>,
    /// When it was given first.
    pub created_at: DateTime<Utc>,
}

/// A grant to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    /// Its id, should it be new.
    pub id: Uuid,
    /// To whom.
    pub grantee: Grantee,
    /// What.
    pub held: Held,
    /// Where.
    pub place: Place,
    /// Until when.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What one grantee can hold once.
type Key = (Grantee, Held, Option<Uuid>);

fn key(grantee: Grantee, held: &Held, place: &Place) -> Key {
    let held = match held {
        Held::Role(role) => Held::Role(role.clone()),
        Held::Feature { kind, feature, level: _ } => {
            Held::Feature { kind: kind.clone(), feature: feature.clone(), level: None }
        }
    };
    (grantee, held, app_of(place))
}

impl AccessGrant {
    fn key(&self) -> Key {
        key(self.grantee, &self.held, &self.place)
    }

    fn gives_as(&self, new: &NewGrant) -> bool {
        self.held == new.held && self.expires_at == new.expires_at
    }
}

impl From<AccessGrant> for table::ActiveModel {
    fn from(grant: AccessGrant) -> Self {
        let (grantee_kind, grantee_id) = columns(grant.grantee);
        let (role, app_kind, feature, level) = match grant.held {
            Held::Role(role) => (Some(role), None, None, None),
            Held::Feature { kind, feature, level } => (None, Some(kind), Some(feature), level),
        };
        Self {
            id: Set(grant.id),
            organization_id: Set(grant.organization_id),
            grantee_kind: Set(grantee_kind),
            grantee_id: Set(grantee_id),
            role: Set(role),
            app_kind: Set(app_kind),
            feature: Set(feature),
            level: Set(level),
            app_id: Set(app_of(&grant.place)),
            expires_at: Set(grant.expires_at),
            granted_by: Set(grant.granted_by),
            created_at: Set(grant.created_at),
        }
    }
}

pub(in crate::store) const fn app_of(place: &Place) -> Option<Uuid> {
    match place {
        Place::Organization => None,
        Place::App { id, kind: _ } => Some(*id),
    }
}

/// A grantee as it is stored.
pub(in crate::store) const fn columns(grantee: Grantee) -> (GranteeKind, Option<Uuid>) {
    match grantee {
        Grantee::Member(id) => (GranteeKind::Member, Some(id)),
        Grantee::Team(id) => (GranteeKind::Team, Some(id)),
        Grantee::ServiceAccount(id) => (GranteeKind::ServiceAccount, Some(id)),
        Grantee::Everyone => (GranteeKind::Everyone, None),
    }
}

/// The rows of one grantee.
pub(in crate::store) fn held_by(grantee: Grantee) -> Condition {
    let (kind, id) = columns(grantee);
    let condition = Condition::all().add(table::Column::GranteeKind.eq(kind));
    condition.add_option(id.map(|id| table::Column::GranteeId.eq(id)))
}

/// Rows that give a member a role in the whole organization at `now`.
pub(in crate::store) fn member_roles(now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(table::Column::GranteeKind.eq(GranteeKind::Member))
        .add(table::Column::Role.is_not_null())
        .add(table::Column::AppId.is_null())
        .add(live(now))
}

/// Rows that give something at `now`.
pub(in crate::store) fn live(now: DateTime<Utc>) -> Condition {
    Condition::any().add(table::Column::ExpiresAt.is_null()).add(table::Column::ExpiresAt.gt(now))
}

/// Rows as records, with the kinds of the apps they hold on: one more statement, where there are any.
async fn complete(reader: &impl Reader, rows: Vec<table::Model>) -> Result<Vec<AccessGrant>, StoreError> {
    let apps: BTreeSet<Uuid> = rows.iter().filter_map(|row| row.app_id).collect();
    let apps: Vec<Uuid> = apps.into_iter().collect();
    let mut kinds: HashMap<Uuid, String> = HashMap::with_capacity(apps.len());
    for some in apps.chunks(10_000) {
        let select = select::<app::Entity>().select_only().columns([app::Column::Id, app::Column::Kind]);
        let select = select.filter(app::Column::Id.is_in(some.iter().copied()));
        kinds.extend(select.into_tuple::<(Uuid, String)>().all(reader.connection()).await?);
    }
    rows.into_iter().map(|row| record(row, &kinds)).collect()
}

fn record(row: table::Model, kinds: &HashMap<Uuid, String>) -> Result<AccessGrant, StoreError> {
    let corrupt = || StoreError::Corrupt(format!("grant `{}`", row.id));
    let grantee = match (row.grantee_kind, row.grantee_id) {
        (GranteeKind::Member, Some(id)) => Grantee::Member(id),
        (GranteeKind::Team, Some(id)) => Grantee::Team(id),
        (GranteeKind::ServiceAccount, Some(id)) => Grantee::ServiceAccount(id),
        (GranteeKind::Everyone, None) => Grantee::Everyone,
        (GranteeKind::Member | GranteeKind::Team | GranteeKind::ServiceAccount, None)
        | (GranteeKind::Everyone, Some(_)) => return Err(corrupt()),
    };
    let place = match row.app_id {
        None => Place::Organization,
        Some(id) => Place::App { id, kind: kinds.get(&id).cloned().ok_or_else(corrupt)? },
    };
    let held = match (row.role, row.app_kind, row.feature) {
        (Some(role), _, None) => Held::Role(role),
        (None, Some(kind), Some(feature)) => Held::Feature { kind, feature, level: row.level },
        (role, kind, feature) => {
            return Err(StoreError::Corrupt(format!("grant `{}` gives {role:?} {kind:?} {feature:?}", row.id)));
        }
    };
    Ok(AccessGrant {
        id: row.id,
        organization_id: row.organization_id,
        grantee,
        held,
        place,
        expires_at: row.expires_at,
        granted_by: row.granted_by,
        created_at: row.created_at,
    })
}
