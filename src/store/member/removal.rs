//! Members who go.

use chrono::{DateTime, Utc};
use gatehouse_entity::{
    api_token,
    invitation::{self, InvitationState},
    member::{ActiveModel, Column, Entity},
    team_member,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::{Member, MemberState, read};
use crate::{
    access::{
        Author, Grantee, Permit,
        verb::{LeaveOrganization, RemoveMember},
    },
    store::{
        Reader, StoreError, Tx, grant,
        write::{covers_row, written},
    },
};

/// What becomes of the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It stays for the records that name it, with nobody in it: the person may be invited again, to another one.
    Archive,
    /// It goes with everything that hangs on it.
    Purge,
}

/// A member who goes.
#[derive(Debug, Clone, Copy)]
pub struct Departure {
    /// Where from.
    pub organization: Uuid,
    /// Who.
    pub member: Uuid,
    /// What becomes of the place.
    pub removal: Removal,
    /// When.
    pub now: DateTime<Utc>,
}

/// Removes a member (`S3.53`): its grants, its teams, its API tokens and its pending invitation end with it.
///
/// The record is the last one: archived, or what was purged.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn remove(tx: &Tx, permit: Permit<RemoveMember>, departure: Departure) -> Result<Member, StoreError> {
    covers_row(&permit, departure.organization, &[departure.member])?;
    depart(tx, departure).await
}

/// Leaves an organization (`S3.60`), with the same consequences. A permit of a member's own covers that member alone; without a
/// caller, members leave with their accounts.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn leave(tx: &Tx, permit: Permit<LeaveOrganization>, departure: Departure) -> Result<Member, StoreError> {
    covers_row(&permit, departure.organization, &[departure.member])?;
    let covered = match permit.author() {
        Author::Principal(principal) => principal.id == departure.member,
        Author::System(_) => true,
        Author::User(_) => false,
    };
    if !covered {
        return Err(StoreError::PermitMismatch(departure.member));
    }
    depart(tx, departure).await
}

/// Ends a member's place; whoever calls it had the permit.
pub(in crate::store) async fn depart(tx: &Tx, departure: Departure) -> Result<Member, StoreError> {
    let Departure { organization, member: id, removal, now } = departure;
    let member = written(read::find_by_id(tx, organization, id).await?, id)?;
    match removal {
        Removal::Archive => {
            end_everything(tx, organization, id, now).await?;
            let row = ActiveModel {
                user_id: Set(None),
                state: Set(MemberState::Archived),
                archived_at: Set(Some(now)),
                ..Default::default()
            };
            Entity::update_many().set(row).filter(Column::Id.eq(id)).exec(tx.connection()).await?;
            written(read::find_by_id(tx, organization, id).await?, id)
        }
        // Foreign keys and a trigger take the rest along.
        Removal::Purge => {
            Entity::delete_many().filter(Column::Id.eq(id)).exec(tx.connection()).await?;
            Ok(member)
        }
    }
}

async fn end_everything(tx: &Tx, organization: Uuid, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
    if crate::ablate::off("place_ends") {
        return Ok(());
    }
    let connection = tx.connection();
    grant::drop_all(tx, organization, Grantee::Member(id)).await?;
    team_member::Entity::delete_many().filter(team_member::Column::MemberId.eq(id)).exec(connection).await?;
    api_token::Entity::update_many()
        .set(api_token::ActiveModel { revoked_at: Set(Some(now)), ..Default::default() })
        .filter(api_token::Column::MemberId.eq(id))
        .filter(api_token::Column::RevokedAt.is_null())
        .exec(connection)
        .await?;
    invitation::Entity::update_many()
        .set(invitation::ActiveModel {
            state: Set(InvitationState::Revoked),
            settled_at: Set(Some(now)),
            ..Default::default()
        })
        .filter(invitation::Column::MemberId.eq(id))
        .filter(invitation::Column::State.eq(InvitationState::Pending))
        .exec(connection)
        .await?;
    Ok(())
}
