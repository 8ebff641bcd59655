//! Making, sending and settling invitations.

use chrono::{DateTime, Utc};
use gatehouse_entity::invitation::{ActiveModel, Column, Entity, InvitationState};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::{Invitation, read::find_by_id};
use crate::{
    access::{
        Permit, Verb,
        verb::{InviteMember, RevokeInvitation, SettleInvitation},
    },
    store::{
        Reader, StoreError, Tx, grant,
        member::{self, Departure, Member, Removal},
        select::select,
        write::{covers_row, principal, written},
    },
};

/// What a new invitation is made of, beside the member it is for.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Its id.
    pub id: Uuid,
    /// SHA-256 of the secret.
    pub token_hash: Vec<u8>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
}

/// One invitation and a moment.
#[derive(Debug, Clone, Copy)]
pub struct Settling {
    /// Where to.
    pub organization: Uuid,
    /// Which one.
    pub id: Uuid,
    /// When.
    pub now: DateTime<Utc>,
}

/// Sends again: the same invitation with a new secret and a new end, vouched for by whoever sends it. `None` when it is not
/// pending any more.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn resend(
    tx: &Tx,
    permit: Permit<InviteMember>,
    settling: Settling,
    again: NewInvitation,
) -> Result<Option<Invitation>, StoreError> {
    let found = covered(tx, &permit, settling).await?;
    let row = ActiveModel {
        token_hash: Set(again.token_hash),
        expires_at: Set(again.expires_at),
        sent_at: Set(settling.now),
        sends: Set(found.sends.saturating_add(1)),
        invited_by: Set(principal(&permit)),
        ..Default::default()
    };
    if_pending(tx, settling, row).await
}

/// Sends the invitation of a pending member to another address, with a new secret and a new end. `None` when the member is not
/// pending any more.
///
/// # Errors
/// [`StoreError::Conflict`] (`member_organization_id_email_key`) when the address is a member's or invited,
/// [`StoreError::PermitMismatch`].
pub async fn readdress(
    tx: &Tx,
    permit: Permit<InviteMember>,
    (organization, member): (Uuid, Uuid),
    (email, again): (String, NewInvitation),
    now: DateTime<Utc>,
) -> Result<Option<Invitation>, StoreError> {
    covers_row(&permit, organization, &[member])?;
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::MemberId.eq(member))
        .filter(Column::State.eq(InvitationState::Pending));
    let Some(found) = select.one(tx.connection()).await? else { return Ok(None) };
    if !member::readdress(tx, (organization, member), &email).await? {
        return Ok(None);
    }
    let row = ActiveModel {
        email: Set(email),
        token_hash: Set(again.token_hash),
        expires_at: Set(again.expires_at),
        sent_at: Set(now),
        sends: Set(found.sends.saturating_add(1)),
        invited_by: Set(principal(&permit)),
        ..Default::default()
    };
    if_pending(tx, Settling { organization, id: found.id, now }, row).await
}

/// Takes an invitation back, and archives its place with all that it held. `None` when it is not pending any more.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn revoke(
    tx: &Tx,
    permit: Permit<RevokeInvitation>,
    settling: Settling,
) -> Result<Option<Invitation>, StoreError> {
    covered(tx, &permit, settling).await?;
    give_up(tx, settling, InvitationState::Revoked).await
}

/// Turns an invitation down, and archives its place with all that it held. `None` when it is not pending any more.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn decline(
    tx: &Tx,
    permit: Permit<SettleInvitation>,
    settling: Settling,
) -> Result<Option<Invitation>, StoreError> {
    covered(tx, &permit, settling).await?;
    give_up(tx, settling, InvitationState::Declined).await
}

/// Accepts an invitation; `None` when it is not pending any more: of two that come at once one wins. The place is taken by
/// [`member::activate`].
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn accept(
    tx: &Tx,
    permit: Permit<SettleInvitation>,
    settling: Settling,
) -> Result<Option<Invitation>, StoreError> {
    covered(tx, &permit, settling).await?;
    if_pending(tx, settling, settled(InvitationState::Accepted, settling.now)).await
}

/// Inserts the invitation of a new member; whoever calls it had the permit.
pub(in crate::store) async fn insert(
    tx: &Tx,
    by: Option<Uuid>,
    member: &Member,
    new: NewInvitation,
) -> Result<Invitation, StoreError> {
    let email = member.email.clone().ok_or_else(|| StoreError::Corrupt(format!("no address of `{}`", member.id)))?;
    let row = ActiveModel {
        id: Set(new.id),
        organization_id: Set(member.organization_id),
        member_id: Set(member.id),
        email: Set(email),
        token_hash: Set(new.token_hash),
        state: Set(InvitationState::Pending),
        expires_at: Set(new.expires_at),
        sent_at: Set(member.created_at),
        sends: Set(1),
        invited_by: Set(by),
        created_at: Set(member.created_at),
        settled_at: Set(None),
    };
    Ok(row.insert(tx.connection()).await?.into())
}

/// The invitation, if the permit is for its organization, and for it, its member or an app that it is to, where it is for one of
/// them.
async fn covered<V: Verb>(tx: &Tx, permit: &Permit<V>, settling: Settling) -> Result<Invitation, StoreError> {
    let found = written(find_by_id(tx, settling.organization, settling.id).await?, settling.id)?;
    let mut rows = vec![found.id, found.member_id];
    if permit.subject().is_some_and(|subject| !rows.contains(&subject)) {
        let grants = grant::of_grantees(tx, settling.organization, &[found.member_id]).await?;
        rows.extend(grants.iter().filter_map(|grant| grant::app_of(&grant.place)));
    }
    covers_row(permit, settling.organization, &rows)?;
    Ok(found)
}

fn settled(state: InvitationState, now: DateTime<Utc>) -> ActiveModel {
    ActiveModel { state: Set(state), settled_at: Set(Some(now)), ..Default::default() }
}

async fn if_pending(tx: &Tx, settling: Settling, row: ActiveModel) -> Result<Option<Invitation>, StoreError> {
    let update = Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(settling.id))
        .filter(Column::OrganizationId.eq(settling.organization))
        .filter(Column::State.eq(InvitationState::Pending));
    match update.exec(tx.connection()).await?.rows_affected {
        1 => find_by_id(tx, settling.organization, settling.id).await,
        _ => Ok(None),
    }
}

async fn give_up(tx: &Tx, settling: Settling, state: InvitationState) -> Result<Option<Invitation>, StoreError> {
    let Settling { organization, now, .. } = settling;
    let Some(invitation) = if_pending(tx, settling, settled(state, now)).await? else { return Ok(None) };
    let departure = Departure { organization, member: invitation.member_id, removal: Removal::Archive, now };
    member::depart(tx, departure).await?;
    Ok(Some(invitation))
}
