//! Invitations: pending places, the secrets by which they are taken, and the mail that carries them.
//!
//! Grants and the seat hang on the pending member; the invitation is only its token. The mail is posted with it and goes out
//! after the commit; where it does not arrive, the invitation can be sent again, and a signed-in invitee is offered it anyway
//! (`S3.74`).
//!
//! What may not enter: links from anything but the configured dashboard address, tokens in stored outcomes.

use uuid::Uuid;

pub use self::{
    batch::{Asked, MOST_INVITED, Row},
    place::AppRole,
    send::{InviteMember, Invited},
    settle::{Accepted, Presented},
};
pub use crate::store::invitation::{Invitation, InvitationStanding, InvitationTo};

use super::{
    Access, Service, ServiceError, Standing, UserError, UserErrorCode,
    page::{Page, PageRequest, Position, SortKey},
    seat::{self, SeatUsage},
};
use crate::{
    access::{Authority, Denial},
    store::{self, invitation::InvitationFilter},
};

mod batch;
mod known;
mod needless;
mod offer;
mod place;
mod send;
mod settle;
mod vouch;

pub(super) use self::{
    needless::{needless, withdraw},
    offer::nothing_to_give,
    send::{Secret, app_of, readdress, role_grants, roles},
    vouch::rights_of,
};

/// Which invitations to list; nothing set is all of them.
#[derive(Debug, Clone, Default)]
pub struct InvitationQuery {
    /// Standing in one of these ways; empty: in any.
    pub standings: Vec<InvitationStanding>,
    /// To addresses that contain this.
    pub search: Option<String>,
}

/// Where an invitation stands in lists: by age.
#[must_use]
pub const fn position(invitation: &Invitation) -> Position {
    Position { key: SortKey::Id, id: invitation.id }
}

impl Service {
    /// The invitations of the caller's organization, the newest first, for holders of `members.invite`.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission.
    pub async fn invitations(
        &self,
        access: &Access,
        query: InvitationQuery,
        request: &PageRequest,
    ) -> Result<Page<Invitation>, ServiceError> {
        let standing = access.standing()?;
        if !standing.rights.holds("members.invite") {
            return Err(Denial::MissingPermission { permission: "members.invite".to_owned() }.into());
        }
        let filter = InvitationFilter {
            standings: (!query.standings.is_empty()).then(|| (query.standings, self.now())),
            search: super::member::searched(query.search)?,
        };
        let visible = standing.rights.visible_by("members.invite");
        Ok(store::invitation::list(&self.store().read(), &visible, &filter, request).await?)
    }

    /// The invitation of this id, for holders of `members.invite`, in the organization or on an app that it is to.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn find_invitation(&self, access: &Access, id: Uuid) -> Result<Option<Invitation>, ServiceError> {
        let standing = access.standing()?;
        let found = store::invitation::find_by_id(&self.store().read(), standing.place.id, id).await?;
        let Some(invitation) = found else { return Ok(None) };
        let shown = self.invited_by_right(access, &[invitation.member_id]).await?;
        Ok(shown.contains(&invitation.member_id).then_some(invitation))
    }

    /// What stands in the way of inviting (`S3.57` to `S3.59`): a permission, no role to give, or no free seat for any role
    /// that may be given, in any slot.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn obstacles_to_inviting(&self, access: &Access) -> Result<Vec<UserError>, ServiceError> {
        let standing = access.standing()?;
        if let Some(denial) = standing.rights.inactive() {
            return Ok(vec![denial.into()]);
        }
        if !standing.rights.holds("members.invite") {
            let denial = Denial::MissingPermission { permission: "members.invite".to_owned() };
            return Ok(vec![UserError::from(denial).remedy("Ask an administrator to invite the person.")]);
        }
        let usages = seat::usage(&self.store().read(), seat::Within::of(standing), self.now()).await?;
        Ok(no_room(standing, &usages))
    }
}

/// What stands in the way of giving somebody new its main roles, one of each slot: in some slot the caller has none to give, or
/// none of those finds a free seat.
pub(super) fn no_room(standing: &Standing, usages: &[SeatUsage]) -> Vec<UserError> {
    let (blueprint, within) = (&standing.blueprint.rules, seat::Within::of(standing));
    let asking = Authority::Principal(&standing.rights);
    let given: Vec<&str> = standing.roles_to_give().collect();
    let mut found: Vec<UserError> = Vec::new();
    for slot in blueprint.slots().keys() {
        let fill: Vec<&str> =
            given.iter().copied().filter(|key| blueprint.slot_of(key) == Some(slot.as_str())).collect();
        if fill.is_empty() {
            let message = "you can give no role in the organization, and everybody who is invited has one";
            let refusal = UserError::new(UserErrorCode::NotGrantable, "role", message);
            return vec![refusal.remedy("Ask somebody with a role that gives one.")];
        }
        if fill.iter().all(|key| !seat::full(within, asking, usages, &[*key]).is_empty()) {
            found.extend(seat::full(within, asking, usages, &fill));
        }
    }
    found
}
