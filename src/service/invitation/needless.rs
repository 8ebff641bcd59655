//! Invitations that are needless: of a person who is a member already, by an address that has become the person's.

use serde_json::json;
use uuid::Uuid;

use crate::{
    access::{Authority, SystemTask, authorize, verb::RevokeInvitation},
    service::{
        ServiceError, Work,
        activity::{NewEntry, target},
    },
    store::{
        self, Reader,
        invitation::{Invitation, Settling},
        member::MemberState,
        user::User,
    },
};

/// The unanswered invitations to this address in organizations where the person has a place by its present address.
///
/// # Errors
/// When the database cannot say.
pub(in crate::service) async fn needless(
    reader: &impl Reader,
    user: &User,
    email: &str,
) -> Result<Vec<Invitation>, ServiceError> {
    let mut found = Vec::new();
    for place in store::erasure::places_of_user(reader, user.id).await? {
        let follows = place.state != MemberState::Archived && place.email.as_deref() == Some(user.email.as_str());
        if follows {
            found.extend(store::invitation::find_pending_by_email(reader, place.organization_id, email).await?);
        }
    }
    Ok(found)
}

/// Takes an invitation back in the name of the person whose address it went to, with the place that it held: its seat is free.
/// The organization's row is held by the change.
///
/// # Errors
/// [`ServiceError::NotFound`] when its place is gone.
pub(in crate::service) async fn withdraw(work: &Work<'_>, id: Uuid, found: &Invitation) -> Result<(), ServiceError> {
    let organization = found.organization_id;
    let task = Authority::System(SystemTask::SignIn, Some(organization));
    let permit = authorize::<RevokeInvitation>(task, Some(found.id))?;
    let settling = Settling { organization, id: found.id, now: work.now };
    if store::invitation::revoke(work.tx, permit, settling).await?.is_none() {
        return Ok(());
    }
    work.withdraw(found.id).await?;
    let member = store::member::find_by_id(work.tx, organization, found.member_id).await?;
    let member = member.ok_or(ServiceError::NotFound)?;
    let entry = NewEntry::access("invitation.revoked", target("member", member.id, &member.name));
    work.record(organization, entry.detail(json!({ "email": found.email, "memberAlready": id }))).await
}
