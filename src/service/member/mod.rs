//! Members: people's places in an organization, who sees them, and how they go.

use uuid::Uuid;

mod departure;
mod edit;
mod holders;
mod list;
mod obstacles;
mod restore;
mod state;

pub(super) use self::{departure::departure, list::searched};
pub use self::{
    departure::{Departing, Removed},
    edit::{EditedMember, MemberEdit, MemberNames},
    holders::Holders,
    list::{MemberCounts, MemberQuery},
    obstacles::{Obstacles, Return, obstacles, obstacles_to_removing_role},
    restore::RestoreMember,
    state::StateStep,
};
pub use crate::store::member::{Member, MemberState};

use super::{
    ServiceError, UserError, UserErrorCode, Work,
    page::{Position, SortKey},
};
use crate::store::{self, StoreError};

/// Where a member stands in lists: by name.
#[must_use]
pub fn position(member: &Member) -> Position {
    Position { key: SortKey::Text(member.name.clone()), id: member.id }
}

/// Whether anyone ever took the place, or still may.
fn is_place(member: &Member) -> bool {
    member.state != MemberState::Archived || member.joined_at.is_some()
}

/// The member of this id that the author of a change sees, and who has not left.
pub(super) async fn get_present(work: &Work<'_>, id: Uuid) -> Result<Member, ServiceError> {
    let standing = work.standing()?;
    let visible = standing.rights.visible_members();
    if !store::member::visible_ids(work.tx, &visible, &[id]).await?.contains(&id) {
        return Err(ServiceError::NotFound);
    }
    let found = store::member::find_by_id(work.tx, standing.place.id, id).await?;
    let member = found.filter(is_place).ok_or(ServiceError::NotFound)?;
    if member.state == MemberState::Archived {
        return Err(gone().into());
    }
    Ok(member)
}

/// Nothing is changed about somebody who has left. Inviting the person again would make a second place of the same address.
fn gone() -> UserError {
    UserError::new(UserErrorCode::StateChanged, "member", "this person has left").remedy("Restore the person.")
}

/// The conflict of a write that would give a person or an address two places.
pub(super) fn already_member(error: StoreError) -> ServiceError {
    match error {
        StoreError::Conflict { constraint } if constraint.starts_with("member_organization_id_") => {
            UserError::new(UserErrorCode::AlreadyMember, "", "this person is a member already").into()
        }
        error => error.into(),
    }
}
