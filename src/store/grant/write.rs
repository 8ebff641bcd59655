//! Giving and taking grants.

use chrono::{DateTime, Utc};
use gatehouse_entity::access_grant::{ActiveModel, Column, Entity};
use indexmap::IndexMap;
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::{
    AccessGrant, Key, NewGrant, columns, complete, held_by, key, read,
    rows::{made, put, take},
};
use crate::{
    access::{
        Grantee, Held, Permit, Place, Verb,
        verb::{AssignRole, GrantAccess, InviteMember, MoveBlueprint, StepDown, TransferRole},
    },
    store::{
        Reader, StoreError, Tx,
        select::select,
        write::{covers_row, insert_all, principal},
    },
};

/// Grants to be given.
#[derive(Debug, Clone)]
pub struct NewGrants {
    /// Where.
    pub organization: Uuid,
    /// What.
    pub grants: Vec<NewGrant>,
    /// When.
    pub now: DateTime<Utc>,
}

/// What giving came to. Grants that were held as they were given again are in neither list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// Held for the first time.
    pub added: Vec<AccessGrant>,
    /// Held before at another level or until another moment; as they are now.
    pub changed: Vec<AccessGrant>,
}

/// What replacing came to. Grants that stayed as they were are in neither list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Held from now on.
    pub added: Vec<AccessGrant>,
    /// Held until now.
    pub removed: Vec<AccessGrant>,
}

/// An organization role to be given.
#[derive(Debug, Clone)]
pub struct RoleGrant {
    /// The grant's id, should it be new.
    pub id: Uuid,
    /// The role and who is to hold it.
    pub held: HeldRole,
    /// Until when.
    pub expires_at: Option<DateTime<Utc>>,
    /// When.
    pub now: DateTime<Utc>,
}

/// An organization role that someone holds.
#[derive(Debug, Clone)]
pub struct HeldRole {
    /// Where.
    pub organization: Uuid,
    /// Who.
    pub grantee: Grantee,
    /// The role's key.
    pub role: String,
}

/// All features that a member is to hold by its own grants.
#[derive(Debug, Clone)]
pub struct FeatureSet {
    /// Where.
    pub organization: Uuid,
    /// Who.
    pub member: Uuid,
    /// The whole set; all of them the member's, none a role.
    pub grants: Vec<NewGrant>,
    /// When.
    pub now: DateTime<Utc>,
}

/// What every member is to hold of one feature, on every app of a kind.
#[derive(Debug, Clone)]
pub struct DefaultAccess {
    /// Where.
    pub organization: Uuid,
    /// The app kind's key.
    pub kind: String,
    /// The feature's key.
    pub feature: String,
    /// The grant's id and the level, where the feature has levels; `None` for no default access.
    pub grant: Option<(Uuid, Option<String>)>,
    /// When.
    pub now: DateTime<Utc>,
}

/// Gives grants, to one grantee or to many.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the permit is for another grantee or app, [`StoreError::Query`] for a grantee or app
/// of another organization.
pub async fn insert_many(tx: &Tx, permit: Permit<GrantAccess>, new: NewGrants) -> Result<Granted, StoreError> {
    given(tx, &permit, new).await
}

/// Gives a member who is there already what an invitation to apps gives.
///
/// # Errors
/// As [`insert_many`]; [`StoreError::PermitMismatch`] for what is not given to a member on an app.
pub async fn insert_invited(tx: &Tx, permit: Permit<InviteMember>, new: NewGrants) -> Result<Granted, StoreError> {
    let fits = |grant: &&NewGrant| matches!((grant.grantee, &grant.place), (Grantee::Member(_), Place::App { .. }));
    if let Some(stray) = new.grants.iter().find(|grant| !fits(grant)) {
        return Err(StoreError::PermitMismatch(stray.id));
    }
    given(tx, &permit, new).await
}

async fn given<V: Verb>(tx: &Tx, permit: &Permit<V>, new: NewGrants) -> Result<Granted, StoreError> {
    for grant in &new.grants {
        let (_, grantee) = columns(grant.grantee);
        let app = super::app_of(&grant.place);
        covers_row(permit, new.organization, &grantee.into_iter().chain(app).collect::<Vec<_>>())?;
    }
    put(tx, principal(permit), new).await
}

/// Takes a grant; `None` when there is none of this id.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the permit is for another grant, grantee or app.
pub async fn delete(
    tx: &Tx,
    permit: Permit<GrantAccess>,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<AccessGrant>, StoreError> {
    let Some(grant) = read::find_by_id(tx, organization, id).await? else { return Ok(None) };
    let (_, grantee) = columns(grant.grantee);
    let app = super::app_of(&grant.place);
    covers_row(&permit, organization, &[id, grantee.unwrap_or(id), app.unwrap_or(id)])?;
    take(tx, &[id]).await?;
    Ok(Some(grant))
}

/// Gives an organization role.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the permit is for another grantee.
pub async fn assign_role(tx: &Tx, permit: Permit<AssignRole>, new: RoleGrant) -> Result<Granted, StoreError> {
    let RoleGrant { id, held: HeldRole { organization, grantee, role }, expires_at, now } = new;
    covers_row(&permit, organization, columns(grantee).1.as_slice())?;
    let grant = NewGrant { id, grantee, held: Held::Role(role), place: Place::Organization, expires_at };
    put(tx, principal(&permit), NewGrants { organization, grants: vec![grant], now }).await
}

/// Gives organization roles to many; for imports.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when a grant is no organization role, or the permit is for another grantee.
pub async fn assign_roles(tx: &Tx, permit: Permit<AssignRole>, new: NewGrants) -> Result<Granted, StoreError> {
    for grant in &new.grants {
        covers_row(&permit, new.organization, columns(grant.grantee).1.as_slice())?;
        if !matches!((&grant.held, &grant.place), (Held::Role(_), Place::Organization)) {
            return Err(StoreError::PermitMismatch(grant.id));
        }
    }
    put(tx, principal(&permit), new).await
}

/// Takes an organization role; `None` when it was not held by a grant of the grantee's own.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the permit is for another grantee.
pub async fn remove_role(
    tx: &Tx,
    permit: Permit<AssignRole>,
    held: HeldRole,
) -> Result<Option<AccessGrant>, StoreError> {
    covers_row(&permit, held.organization, columns(held.grantee).1.as_slice())?;
    take_role(tx, held).await
}

/// Takes an organization role that its holder gives up; `None` when it was not held by a grant of its own. A permit of a member's
/// own covers what that member holds alone.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the role is another's.
pub async fn give_up_role(
    tx: &Tx,
    permit: Permit<StepDown>,
    held: HeldRole,
) -> Result<Option<AccessGrant>, StoreError> {
    covers_row(&permit, held.organization, columns(held.grantee).1.as_slice())?;
    if principal(&permit).map(Grantee::Member) != Some(held.grantee) {
        return Err(StoreError::PermitMismatch(columns(held.grantee).1.unwrap_or(held.organization)));
    }
    take_role(tx, held).await
}

async fn take_role(tx: &Tx, held: HeldRole) -> Result<Option<AccessGrant>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(held.organization))
        .filter(held_by(held.grantee))
        .filter(Column::Role.eq(held.role))
        .filter(Column::AppId.is_null());
    let row = select.one(tx.connection()).await?;
    let Some(grant) = complete(tx, row.into_iter().collect()).await?.pop() else { return Ok(None) };
    take(tx, &[grant.id]).await?;
    Ok(Some(grant))
}

/// An organization role that its holder hands over to another member, with what both hold then.
#[derive(Debug, Clone)]
pub struct Handover {
    /// Where.
    pub organization: Uuid,
    /// The holder.
    pub from: Uuid,
    /// Who holds it from now on.
    pub to: Uuid,
    /// The role.
    pub role: String,
    /// What its holder takes instead.
    pub next: String,
    /// The ids of the grants of both, should they be new.
    pub ids: [Uuid; 2],
    /// What the other gives up for it.
    pub displaced: Vec<String>,
    /// When.
    pub now: DateTime<Utc>,
}

/// Hands a role over; `false` when the holder does not hold it by a grant of its own. A permit of a member's own covers what
/// that member holds alone.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn hand_over(tx: &Tx, permit: Permit<TransferRole>, handover: Handover) -> Result<bool, StoreError> {
    let Handover { organization, from, to, role, next, ids: [first, second], displaced, now } = handover;
    covers_row(&permit, organization, &[from])?;
    if principal(&permit) != Some(from) {
        return Err(StoreError::PermitMismatch(from));
    }
    let roles_of = |member: Uuid, roles: Vec<String>| {
        select::<Entity>()
            .filter(Column::OrganizationId.eq(organization))
            .filter(held_by(Grantee::Member(member)))
            .filter(Column::Role.is_in(roles))
            .filter(Column::AppId.is_null())
    };
    let held = roles_of(from, vec![role.clone()]).all(tx.connection()).await?;
    if held.is_empty() {
        return Ok(false);
    }
    let given_up = roles_of(to, displaced).all(tx.connection()).await?;
    take(tx, &held.iter().chain(&given_up).map(|row| row.id).collect::<Vec<_>>()).await?;
    let grant = |id, member, role| NewGrant {
        id,
        grantee: Grantee::Member(member),
        held: Held::Role(role),
        place: Place::Organization,
        expires_at: None,
    };
    let grants = vec![grant(first, to, role), grant(second, from, next)];
    put(tx, Some(from), NewGrants { organization, grants, now }).await?;
    Ok(true)
}

/// Makes a member's own feature grants exactly those of the set, leaving equal ones untouched. Roles stay as they are.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the set has a role or another grantee's grant.
pub async fn replace_features(tx: &Tx, permit: Permit<GrantAccess>, set: FeatureSet) -> Result<Replaced, StoreError> {
    let FeatureSet { organization, member, grants, now } = set;
    covers_row(&permit, organization, &[member])?;
    if let Some(stray) =
        grants.iter().find(|grant| grant.grantee != Grantee::Member(member) || matches!(grant.held, Held::Role(_)))
    {
        return Err(StoreError::PermitMismatch(stray.id));
    }
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(held_by(Grantee::Member(member)))
        .filter(Column::Feature.is_not_null());
    let held = complete(tx, select.all(tx.connection()).await?).await?;
    replace(tx, principal(&permit), held, NewGrants { organization, grants, now }).await
}

/// Makes one feature's default access what it is to be (`S5.2`).
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the permit is for one grantee.
pub async fn set_default(tx: &Tx, permit: Permit<GrantAccess>, access: DefaultAccess) -> Result<Replaced, StoreError> {
    let DefaultAccess { organization, kind, feature, grant, now } = access;
    covers_row(&permit, organization, &[])?;
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(held_by(Grantee::Everyone))
        .filter(Column::AppKind.eq(kind.as_str()))
        .filter(Column::Feature.eq(feature.as_str()))
        .filter(Column::AppId.is_null());
    let held = complete(tx, select.all(tx.connection()).await?).await?;
    let grant = grant.map(|(id, level)| NewGrant {
        id,
        grantee: Grantee::Everyone,
        held: Held::Feature { kind, feature, level },
        place: Place::Organization,
        expires_at: None,
    });
    let grants = grant.into_iter().collect();
    replace(tx, principal(&permit), held, NewGrants { organization, grants, now }).await
}

/// Takes grants, and makes others what they are to be, each with its id, giver and moment as before; for moves to another
/// version of the rules.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when a grant is of another organization.
pub async fn rewrite(
    tx: &Tx,
    permit: &Permit<MoveBlueprint>,
    (organization, removed): (Uuid, &[Uuid]),
    grants: Vec<AccessGrant>,
) -> Result<(), StoreError> {
    covers_row(permit, organization, &[])?;
    if let Some(stray) = grants.iter().find(|grant| grant.organization_id != organization) {
        return Err(StoreError::PermitMismatch(stray.id));
    }
    // All of them go before one comes: two that change places must not meet.
    let ids: Vec<Uuid> = removed.iter().copied().chain(grants.iter().map(|grant| grant.id)).collect();
    take(tx, &ids).await?;
    insert_all(tx, grants.into_iter().map(ActiveModel::from).collect()).await
}

async fn replace(tx: &Tx, by: Option<Uuid>, held: Vec<AccessGrant>, new: NewGrants) -> Result<Replaced, StoreError> {
    let NewGrants { organization, grants, now } = new;
    let mut wanted: IndexMap<Key, NewGrant> = IndexMap::with_capacity(grants.len());
    wanted.extend(grants.into_iter().map(|grant| (key(grant.grantee, &grant.held, &grant.place), grant)));
    let mut removed = Vec::new();
    for grant in held {
        if wanted.get(&grant.key()).is_some_and(|new| grant.gives_as(new)) {
            wanted.shift_remove(&grant.key());
        } else {
            removed.push(grant);
        }
    }
    take(tx, &removed.iter().map(|grant| grant.id).collect::<Vec<_>>()).await?;
    let added: Vec<AccessGrant> = wanted.into_values().map(|grant| made(organization, by, now, grant)).collect();
    insert_all(tx, added.iter().cloned().map(ActiveModel::from).collect()).await?;
    Ok(Replaced { added, removed })
}
