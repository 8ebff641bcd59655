//! Memberships: the organizations a person has a place in, as the switcher between them shows (`S3.61`).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Access, Service, ServiceError, blueprint::Installed, session::Binding};
pub use crate::store::member::MemberState;
use crate::store::{self, Reader, member};

/// A person's place in an open organization, or the one place of a program.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The organization.
    pub organization: Uuid,
    /// Its lower-case name.
    pub slug: String,
    /// Its name as shown.
    pub name: String,
    /// Its rules.
    pub blueprint: Arc<Installed>,
    /// The person's member there; none for a program.
    pub member: Option<(Uuid, MemberState)>,
    /// The organization roles held, by key.
    pub roles: Vec<String>,
}

impl Service {
    /// All places of a person, by the organization's name.
    pub(super) async fn memberships(&self, user: Uuid) -> Result<Vec<Membership>, ServiceError> {
        let reader = self.store().read();
        let mut places = Vec::new();
        for place in member::memberships_of_user(&reader, user, self.now()).await? {
            places.push(Membership {
                organization: place.member.organization_id,
                slug: place.organization_slug,
                name: place.organization_name,
                blueprint: self.blueprint(&reader, place.blueprint_id).await?,
                member: Some((place.member.id, place.member.state)),
                roles: place.roles,
            });
        }
        Ok(places)
    }

    /// The organizations the caller has a place in, by name: all of a person's, the one of a program.
    ///
    /// Every caller may ask for its own.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for a stranger.
    pub async fn own_memberships(&self, access: &Access) -> Result<Vec<Membership>, ServiceError> {
        access.require_known()?;
        if let Some(user) = access.user_id() {
            return self.memberships(user).await;
        }
        let place = access.standing.as_ref().map(|standing| Membership {
            organization: standing.place.id,
            slug: standing.place.slug.clone(),
            name: standing.place.name.clone(),
            blueprint: Arc::clone(&standing.blueprint),
            member: None,
            roles: standing.rights.roles().map(str::to_owned).collect(),
        });
        Ok(place.into_iter().collect())
    }
}

/// The organization, with the person's member in it, that a new access token is bound to: the named one, else the one that was
/// used last, else the first by name.
///
/// # Errors
/// [`ServiceError::NotFound`] when the person is no active member of the named one.
pub(super) async fn choose(
    reader: &impl Reader,
    user: Uuid,
    binding: &Binding,
    now: DateTime<Utc>,
) -> Result<Option<(Uuid, Uuid)>, ServiceError> {
    let wanted = match binding {
        Binding::Unbound => return Ok(None),
        Binding::Usual => None,
        Binding::To(slug) => Some(slug),
    };
    let places = store::member::memberships_of_user(reader, user, now).await?;
    let mut open = places.into_iter().filter(|place| place.member.state == MemberState::Active);
    let ids = |place: member::Membership| (place.member.organization_id, place.member.id);
    match wanted {
        Some(slug) => match open.find(|place| place.organization_slug == *slug) {
            Some(place) => Ok(Some(ids(place))),
            None => Err(ServiceError::NotFound),
        },
        None => {
            let used = |place: &member::Membership| place.member.last_login_at.max(place.member.last_seen_at);
            let last = open.reduce(|last, place| if used(&place) > used(&last) { place } else { last });
            Ok(last.map(ids))
        }
    }
}
