//! Rows that come and go; who calls these functions had the permit.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use gatehouse_entity::access_grant::{ActiveModel, Column, Entity};
use indexmap::IndexMap;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::{AccessGrant, Granted, Key, NewGrant, NewGrants, columns, held_by, key, read};
use crate::{
    access::{Grantee, Held},
    store::{
        Reader, StoreError, Tx,
        write::{ROWS, insert_all},
    },
};

/// Gives grants: inserts what is missing, changes what differs.
pub(in crate::store) async fn put(tx: &Tx, by: Option<Uuid>, new: NewGrants) -> Result<Granted, StoreError> {
    let NewGrants { organization, grants, now } = new;
    let mut wanted: IndexMap<Key, NewGrant> = IndexMap::with_capacity(grants.len());
    wanted.extend(grants.into_iter().map(|grant| (key(grant.grantee, &grant.held, &grant.place), grant)));
    let mut held: HashMap<Key, AccessGrant> = HashMap::new();
    let grantees: BTreeSet<Uuid> = wanted.values().filter_map(|grant| columns(grant.grantee).1).collect();
    for some in grantees.into_iter().collect::<Vec<_>>().chunks(ROWS) {
        held.extend(read::of_grantees(tx, organization, some).await?.into_iter().map(|grant| (grant.key(), grant)));
    }
    if wanted.values().any(|grant| grant.grantee == Grantee::Everyone) {
        held.extend(read::list_defaults(tx, organization).await?.into_iter().map(|grant| (grant.key(), grant)));
    }
    let mut granted = Granted::default();
    for (key, new) in wanted {
        match held.remove(&key) {
            None => granted.added.push(made(organization, by, now, new)),
            Some(grant) if grant.gives_as(&new) => {}
            Some(grant) => granted.changed.push(change(tx, by, now, (grant, new)).await?),
        }
    }
    insert_all(tx, granted.added.iter().cloned().map(ActiveModel::from).collect()).await?;
    Ok(granted)
}

async fn change(
    tx: &Tx,
    by: Option<Uuid>,
    now: DateTime<Utc>,
    (mut grant, new): (AccessGrant, NewGrant),
) -> Result<AccessGrant, StoreError> {
    // One that had run out is given anew: whoever held it longest is told by this moment.
    let over = grant.expires_at.is_some_and(|end| end <= now);
    grant.created_at = if over { now } else { grant.created_at };
    (grant.held, grant.expires_at, grant.granted_by) = (new.held, new.expires_at, by);
    let level = match &grant.held {
        Held::Role(_) => None,
        Held::Feature { level, .. } => level.clone(),
    };
    let row = ActiveModel {
        level: Set(level),
        expires_at: Set(grant.expires_at),
        granted_by: Set(by),
        created_at: Set(grant.created_at),
        ..Default::default()
    };
    Entity::update_many().set(row).filter(Column::Id.eq(grant.id)).exec(tx.connection()).await?;
    Ok(grant)
}

pub(super) fn made(organization: Uuid, by: Option<Uuid>, now: DateTime<Utc>, new: NewGrant) -> AccessGrant {
    let NewGrant { id, grantee, held, place, expires_at } = new;
    AccessGrant { id, organization_id: organization, grantee, held, place, expires_at, granted_by: by, created_at: now }
}

pub(super) async fn take(tx: &Tx, ids: &[Uuid]) -> Result<(), StoreError> {
    for some in ids.chunks(ROWS) {
        let delete = Entity::delete_many().filter(Column::Id.is_in(some.iter().copied()));
        delete.exec(tx.connection()).await?;
    }
    Ok(())
}

/// Takes everything a grantee holds by itself.
pub(in crate::store) async fn drop_all(tx: &Tx, organization: Uuid, grantee: Grantee) -> Result<(), StoreError> {
    let delete = Entity::delete_many().filter(Column::OrganizationId.eq(organization)).filter(held_by(grantee));
    delete.exec(tx.connection()).await?;
    Ok(())
}
