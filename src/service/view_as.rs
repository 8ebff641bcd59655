//! Viewing as a member: an administrator reads what a member reads, as that member reads it, and changes nothing.
//!
//! The permission is `members.view_as`. The gateway's own vocabulary does not have it, so that no role gets it by a star: a blueprint
//! that wants it declares it. Who views sees at most what the member sees; of a member who may what the viewer may not, nothing,
//! unless a role of the viewer's is unbounded. Every request is recorded, under both names, before it is answered.

use uuid::Uuid;

use super::{
    Access, Change, Service, ServiceError, Standing, UserError, UserErrorCode,
    activity::{NewEntry, target},
    share::shareable,
};
use crate::{
    ablate,
    access::{Denial, verb::ViewAs},
    identity::Credential,
};

/// The permission to view as others.
const VIEW: &str = "members.view_as";
/// The permission to see members, without which nobody is viewed.
const SEE: &str = "members.read";

impl Service {
    /// The caller as one of its organization's members sees it; for one request, and for reading alone. For signed-in holders of
    /// `members.view_as` who see the members.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for who may not, and for a member that is not active; [`ServiceError::Refused`] for one who may
    /// more than the viewer; [`ServiceError::NotFound`] for a member that there is not.
    pub async fn view_as(&self, access: &Access, member: Uuid) -> Result<Access, ServiceError> {
        let viewer = access.standing()?;
        let signed_in = matches!(access.credential, Some(Credential::Session(_)));
        access.require_own_eyes()?;
        if !signed_in {
            return Err(Denial::PeopleOnly.into());
        }
        for permission in [VIEW, SEE] {
            if !viewer.rights.holds(permission) && !ablate::off("view_as_permission") {
                return Err(Denial::MissingPermission { permission: permission.to_owned() }.into());
            }
        }
        let seen = self.standing_of(viewer.place.id, member).await?;
        if seen.facts.principal.as_member() != Some(member) {
            return Err(ServiceError::NotFound);
        }
        if let Some(denial) = seen.rights.inactive() {
            return Err(denial.into());
        }
        self.within_view(viewer, &seen).await?;
        self.record_view(access, &seen).await?;
        Ok(Access { person: None, standing: Some(seen), version: None, viewing: true, ..access.clone() })
    }

    /// Refuses to show who may what the viewer may not, by the rule of giving.
    async fn within_view(&self, viewer: &Standing, seen: &Standing) -> Result<(), ServiceError> {
        let (organization, rules) = (viewer.place.id, &viewer.blueprint.rules);
        let reader = self.store().read();
        let shared = shareable(&reader, (organization, rules), &viewer.rights, &seen.facts.grants).await?;
        let within = shared.into_iter().all(|shared| shared);
        if within || ablate::off("view_as_bounds") {
            return Ok(());
        }
        let message = "this member may do what you may not";
        Err(UserError::new(UserErrorCode::NotGrantable, "member", message).into())
    }

    /// Writes down who viewed as whom; the viewer's own right is read again there.
    async fn record_view(&self, access: &Access, seen: &Standing) -> Result<(), ServiceError> {
        let (organization, name) = (seen.place.id, seen.name.clone());
        let member = seen.facts.principal.id;
        let change = Change::in_organization("viewAs", access)?;
        let recorded = self.mutate(change, move |work| {
            Box::pin(async move {
                if !ablate::off("view_as_permission") {
                    work.authorize::<ViewAs>(Some(member)).map(drop)?;
                }
                let entry = NewEntry::access("member.viewed_as", target("member", member, &name));
                work.record(organization, entry).await
            })
        });
        recorded.await.map(drop)
    }
}
