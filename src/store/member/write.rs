//! Making and changing members.

use chrono::{DateTime, Utc};
use gatehouse_entity::member::{ActiveModel, Column, Entity};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::{Member, MemberState, NewMember, read};
use crate::{
    access::{
        Grantee, Permit,
        verb::{CreateMember, InviteMember, SettleInvitation, UpdateMember},
    },
    store::{
        Reader, StoreError, Tx,
        grant::{self, AccessGrant, NewGrant, NewGrants},
        invitation::{self, Invitation, NewInvitation},
        write::{covers_row, insert_all, principal, written},
    },
};

/// Someone to be invited: the place, what it holds from now on, and the secret it is taken with.
#[derive(Debug, Clone)]
pub struct Invitee {
    /// The place; its address is where the invitation goes.
    pub member: NewMember,
    /// Its roles and features; all of them the member's.
    pub grants: Vec<NewGrant>,
    /// The invitation.
    pub invitation: NewInvitation,
}

/// Someone invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The pending place.
    pub member: Member,
    /// What it holds.
    pub grants: Vec<AccessGrant>,
    /// The invitation.
    pub invitation: Invitation,
}

/// What may change of a member; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct MemberChanges {
    /// Another name.
    pub name: Option<String>,
    /// Another first name, or none.
    pub first_name: Option<Option<String>>,
    /// Another last name, or none.
    pub last_name: Option<Option<String>>,
    /// Another address.
    pub email: Option<String>,
    /// Another login name.
    pub handle: Option<String>,
    /// Suspended or active again; who leaves, or comes by invitation, does so by other functions.
    pub state: Option<MemberState>,
    /// The moment of a sign-in.
    pub last_login_at: Option<DateTime<Utc>>,
}

/// A pending place that its person takes.
#[derive(Debug, Clone, Copy)]
pub struct Activation {
    /// Where.
    pub organization: Uuid,
    /// The place.
    pub member: Uuid,
    /// The invitation it was held for.
    pub invitation: Uuid,
    /// The person.
    pub user: Uuid,
    /// When.
    pub now: DateTime<Utc>,
}

/// Invites: the pending member, its grants and its invitation, in one.
///
/// # Errors
/// [`StoreError::Conflict`] (`member_organization_id_email_key`) when the address is a member's or invited,
/// [`StoreError::PermitMismatch`] when a grant is another grantee's.
pub async fn invite(tx: &Tx, permit: Permit<InviteMember>, invitee: Invitee) -> Result<Invited, StoreError> {
    let Invitee { member, grants, invitation } = invitee;
    let (id, organization, now) = (member.id, member.organization_id, member.now);
    // A permit for an app is one for inviting to that app.
    let apps = grants.iter().filter_map(|grant| grant::app_of(&grant.place));
    covers_row(&permit, organization, &std::iter::once(id).chain(apps).collect::<Vec<_>>())?;
    if let Some(stray) = grants.iter().find(|grant| grant.grantee != Grantee::Member(id)) {
        return Err(StoreError::PermitMismatch(stray.id));
    }
    let by = principal(&permit);
    let member: Member = member.row(MemberState::Pending, by).insert(tx.connection()).await?.into();
    let granted = grant::put(tx, by, NewGrants { organization, grants, now }).await?;
    let invitation = invitation::insert(tx, by, &member, invitation).await?;
    Ok(Invited { member, grants: granted.added, invitation })
}

/// Adds an active member without an invitation.
///
/// # Errors
/// [`StoreError::Conflict`] (`member_organization_id_…_key` of the address, the login name or the person) when there is one
/// already, [`StoreError::PermitMismatch`].
pub async fn insert(tx: &Tx, permit: Permit<CreateMember>, new: NewMember) -> Result<Member, StoreError> {
    covers_row(&permit, new.organization_id, &[new.id])?;
    Ok(new.row(MemberState::Active, principal(&permit)).insert(tx.connection()).await?.into())
}

/// Adds many active members.
///
/// # Errors
/// [`StoreError::Conflict`] as for one, [`StoreError::PermitMismatch`].
pub async fn insert_many(tx: &Tx, permit: Permit<CreateMember>, new: Vec<NewMember>) -> Result<(), StoreError> {
    for member in &new {
        covers_row(&permit, member.organization_id, &[])?;
    }
    let by = principal(&permit);
    insert_all(tx, new.into_iter().map(|member| member.row(MemberState::Active, by)).collect()).await
}

/// Changes names or the state.
///
/// # Errors
/// [`StoreError::Conflict`] (`member_organization_id_…_key`) when an address or login name is taken,
/// [`StoreError::PermitMismatch`].
pub async fn update(
    tx: &Tx,
    permit: Permit<UpdateMember>,
    (organization, id): (Uuid, Uuid),
    changes: MemberChanges,
) -> Result<Member, StoreError> {
    covers_row(&permit, organization, &[id])?;
    let MemberChanges { name, first_name, last_name, email, handle, state, last_login_at } = changes;
    let mut row = <ActiveModel as ActiveModelTrait>::default();
    row.name = name.map_or(row.name, Set);
    row.first_name = first_name.map_or(row.first_name, Set);
    row.last_name = last_name.map_or(row.last_name, Set);
    row.email = email.map_or(row.email, |email| Set(Some(email)));
    row.handle = handle.map_or(row.handle, |handle| Set(Some(handle)));
    row.state = state.map_or(row.state, Set);
    row.last_login_at = last_login_at.map_or(row.last_login_at, |at| Set(Some(at)));
    change(tx, organization, id, row).await
}

/// Gives an imported member, who has none yet, its person; `None` when it has one.
///
/// # Errors
/// [`StoreError::Conflict`] (`member_organization_id_user_id_key`) when the person has a place, [`StoreError::PermitMismatch`].
pub async fn link_user(
    tx: &Tx,
    permit: Permit<UpdateMember>,
    (organization, id): (Uuid, Uuid),
    user: Uuid,
) -> Result<Option<Member>, StoreError> {
    covers_row(&permit, organization, &[id])?;
    let update = Entity::update_many()
        .set(ActiveModel { user_id: Set(Some(user)), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::State.eq(MemberState::Active))
        .filter(Column::UserId.is_null());
    match update.exec(tx.connection()).await?.rows_affected {
        1 => read::find_by_id(tx, organization, id).await,
        _ => Ok(None),
    }
}

/// Makes a pending member active; `None` when it is not pending any more.
///
/// # Errors
/// [`StoreError::Conflict`] (`member_organization_id_user_id_key`) when the person has a place, [`StoreError::PermitMismatch`].
pub async fn activate(
    tx: &Tx,
    permit: Permit<SettleInvitation>,
    activation: Activation,
) -> Result<Option<Member>, StoreError> {
    let Activation { organization, member, invitation, user, now } = activation;
    covers_row(&permit, organization, &[member, invitation])?;
    let row = ActiveModel {
        user_id: Set(Some(user)),
        state: Set(MemberState::Active),
        joined_at: Set(Some(now)),
        ..Default::default()
    };
    let update = Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(member))
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::State.eq(MemberState::Pending));
    match update.exec(tx.connection()).await?.rows_affected {
        1 => read::find_by_id(tx, organization, member).await,
        _ => Ok(None),
    }
}

/// Gives a pending member another address; `false` when it is not pending any more. Whoever calls it had the permit.
pub(in crate::store) async fn readdress(
    tx: &Tx,
    (organization, id): (Uuid, Uuid),
    email: &str,
) -> Result<bool, StoreError> {
    let update = Entity::update_many()
        .set(ActiveModel { email: Set(Some(email.to_owned())), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::State.eq(MemberState::Pending));
    Ok(update.exec(tx.connection()).await?.rows_affected == 1)
}

/// Notes that members were there at a moment, unless they have been seen later; bookkeeping that no verb asks for and no stamp
/// follows.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn note_seen(tx: &Tx, members: &[Uuid], at: DateTime<Utc>) -> Result<(), StoreError> {
    let before = Condition::any().add(Column::LastSeenAt.is_null()).add(Column::LastSeenAt.lt(at));
    let update = Entity::update_many()
        .set(ActiveModel { last_seen_at: Set(Some(at)), ..Default::default() })
        .filter(Column::Id.is_in(members.iter().copied()))
        .filter(Column::State.eq(MemberState::Active))
        .filter(before);
    update.exec(tx.connection()).await?;
    Ok(())
}

async fn change(tx: &Tx, organization: Uuid, id: Uuid, row: ActiveModel) -> Result<Member, StoreError> {
    let update =
        Entity::update_many().set(row).filter(Column::Id.eq(id)).filter(Column::OrganizationId.eq(organization));
    update.exec(tx.connection()).await?;
    written(read::find_by_id(tx, organization, id).await?, id)
}
