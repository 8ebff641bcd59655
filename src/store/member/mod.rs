//! Members: people's places in an organization.
//!
//! Grants and the seat hang on a member from the invitation on. An organization role is a grant of the member's own.

use chrono::{DateTime, Utc};
pub use gatehouse_entity::member::MemberState;
use gatehouse_entity::member::{ActiveModel, Model};
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

pub use self::{
    candidate::list_candidates,
    people::visible_ids,
    read::{
        Holding, MemberFilter, Membership, count_by_state, find_all, find_by_email, find_by_handle, find_by_id,
        find_by_user, find_many, list, memberships_of_user, of_emails,
    },
    removal::{Departure, Removal, leave, remove},
    restore::{Restoration, restore},
    roles::{count_holders, primary_holder, roles_of_members},
    write::{
        Activation, Invited, Invitee, MemberChanges, activate, insert, insert_many, invite, link_user, note_seen,
        update,
    },
};

mod candidate;
mod people;
mod read;
mod removal;
mod restore;
mod roles;
mod write;

pub(in crate::store) use removal::depart;
pub(in crate::store) use write::readdress;

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// Whose place it is; none while pending, or imported and not yet signed in, or archived.
    pub user_id: Option<Uuid>,
    /// Normalized address.
    pub email: Option<String>,
    /// Login name.
    pub handle: Option<String>,
    /// Name as shown.
    pub name: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// How far the person has come.
    pub state: MemberState,
    /// The principal that invited.
    pub invited_by: Option<Uuid>,
    /// When the place was made.
    pub created_at: DateTime<Utc>,
    /// When it became active.
    pub joined_at: Option<DateTime<Utc>>,
    /// When the person left.
    pub archived_at: Option<DateTime<Utc>>,
    /// Last sign-in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// Last request, to the minute.
    pub last_seen_at: Option<DateTime<Utc>>,
}

impl From<Model> for Member {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id,
            user_id: row.user_id,
            email: row.email,
            handle: row.handle,
            name: row.name,
            first_name: row.first_name,
            last_name: row.last_name,
            state: row.state,
            invited_by: row.invited_by,
            created_at: row.created_at,
            joined_at: row.joined_at,
            archived_at: row.archived_at,
            last_login_at: row.last_login_at,
            last_seen_at: row.last_seen_at,
        }
    }
}

/// What a new member is made of.
#[derive(Debug, Clone)]
pub struct NewMember {
    /// Its id.
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// Whose place it is, if the person is known.
    pub user_id: Option<Uuid>,
    /// Normalized address.
    pub email: Option<String>,
    /// Login name.
    pub handle: Option<String>,
    /// Name as shown.
    pub name: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// When.
    pub now: DateTime<Utc>,
}

impl NewMember {
    fn row(self, state: MemberState, invited_by: Option<Uuid>) -> ActiveModel {
        ActiveModel {
            id: Set(self.id),
            organization_id: Set(self.organization_id),
            user_id: Set(self.user_id),
            email: Set(self.email),
            handle: Set(self.handle),
            name: Set(self.name),
            first_name: Set(self.first_name),
            last_name: Set(self.last_name),
            state: Set(state),
            invited_by: Set(invited_by),
            created_at: Set(self.now),
            joined_at: Set((state == MemberState::Active).then_some(self.now)),
            archived_at: Set(None),
            last_login_at: Set(None),
            last_seen_at: Set(None),
        }
    }
}
