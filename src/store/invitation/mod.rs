//! Invitations: the secrets by which people take pending places.

use chrono::{DateTime, Utc};
use gatehouse_entity::invitation::{InvitationState, Model};
use uuid::Uuid;

pub use self::{
    read::{
        InvitationFilter, InvitationTo, find_by_id, find_by_token_hash, find_pending_by_email, find_to_email, list,
        of_members, pending_for_email,
    },
    write::{NewInvitation, Settling, accept, decline, readdress, resend, revoke},
};

mod read;
mod write;

pub(in crate::store) use write::insert;

/// How an invitation stands at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvitationStanding {
    /// It can be accepted.
    Pending,
    /// Taken.
    Accepted,
    /// Turned down.
    Declined,
    /// Withdrawn.
    Revoked,
    /// Not answered in time; it can be sent again.
    Expired,
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// Where to.
    pub organization_id: Uuid,
    /// The place it is for.
    pub member_id: Uuid,
    /// Normalized address it went to.
    pub email: String,
    /// SHA-256 of the secret.
    pub token_hash: Vec<u8>,
    state: InvitationState,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
    /// When it was last sent.
    pub sent_at: DateTime<Utc>,
    /// How often it was sent.
    pub sends: i32,
    /// The principal that invited.
    pub invited_by: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was answered or withdrawn.
    pub settled_at: Option<DateTime<Utc>>,
}

impl Invitation {
    /// How it stands at `now`.
    #[must_use]
    pub fn standing(&self, now: DateTime<Utc>) -> InvitationStanding {
        match self.state {
            InvitationState::Pending if self.expires_at <= now => InvitationStanding::Expired,
            InvitationState::Pending => InvitationStanding::Pending,
            InvitationState::Accepted => InvitationStanding::Accepted,
            InvitationState::Declined => InvitationStanding::Declined,
            InvitationState::Revoked => InvitationStanding::Revoked,
        }
    }
}

impl From<Model> for Invitation {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id,
            member_id: row.member_id,
            email: row.email,
            token_hash: row.token_hash,
            state: row.state,
            expires_at: row.expires_at,
            sent_at: row.sent_at,
            sends: row.sends,
            invited_by: row.invited_by,
            created_at: row.created_at,
            settled_at: row.settled_at,
        }
    }
}
