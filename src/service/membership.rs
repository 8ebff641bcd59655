//! Memberships: the organizations a person has a place in, as the switcher between them shows (`S3.61`).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Access, Service, ServiceError, Settings, UserError, UserErrorCode, Work,
    blueprint::Installed,
    page::{Page, PageRequest, Position, SortKey},
    profile,
    session::Binding,
    user::chosen_reader,
};
pub use crate::store::member::MemberState;
use crate::{
    mail,
    store::{self, Reader, member, user::User},
};

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
    /// Whether the person has rights there only in sessions in which it has proven a second factor.
    pub requires_second_factor: bool,
}

impl Service {
    /// All places of a person, by the organization's name.
    pub(super) async fn memberships(&self, user: Uuid) -> Result<Vec<Membership>, ServiceError> {
        let reader = self.store().read();
        let found = member::memberships_of_user(&reader, user, self.now()).await?;
        let organizations: Vec<Uuid> = found.iter().map(|place| place.member.organization_id).collect();
        let custom = store::custom_role::find_many(&reader, &organizations).await?;
        let custom_of = |organization: Uuid| {
            let roles = custom.get(&organization).into_iter().flatten();
            roles.map(|stored| stored.role.clone()).collect::<Vec<_>>()
        };
        let mut places = Vec::new();
        for place in found {
            places.push(Membership {
                organization: place.member.organization_id,
                slug: place.organization_slug,
                name: place.organization_name,
                blueprint: self.rules(&reader, place.blueprint_id, &custom_of(place.member.organization_id)).await?,
                member: Some((place.member.id, place.member.state)),
                roles: place.roles,
                requires_second_factor: Settings::read(&place.organization_settings)?.require_second_factor,
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
    pub async fn own_memberships(
        &self,
        access: &Access,
        request: &PageRequest,
    ) -> Result<Page<Membership>, ServiceError> {
        access.require_known()?;
        if let Some(user) = access.user_id() {
            return Ok(page(self.memberships(user).await?, request));
        }
        let place = access.standing.as_ref().map(|standing| Membership {
            organization: standing.place.id,
            slug: standing.place.slug.clone(),
            name: standing.place.name.clone(),
            blueprint: Arc::clone(&standing.blueprint),
            member: None,
            roles: standing.rights.roles().map(str::to_owned).collect(),
            requires_second_factor: false,
        });
        Ok(page(place.into_iter().collect(), request))
    }

    /// The caller's place in one organization, whether or not its credential is bound to it.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for anyone but a person.
    pub async fn own_membership(
        &self,
        access: &Access,
        organization: Uuid,
    ) -> Result<Option<Membership>, ServiceError> {
        let user = access.user_id().ok_or(ServiceError::Unauthenticated)?;
        Ok(self.memberships(user).await?.into_iter().find(|place| place.organization == organization))
    }
}

impl Membership {
    /// Where it stands in a list.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { key: SortKey::Text(self.name.clone()), id: self.organization }
    }
}

/// One page of a list that is read whole.
fn page(mut all: Vec<Membership>, request: &PageRequest) -> Page<Membership> {
    let place = |row: &Membership| (row.name.clone(), row.organization);
    let mark = |position: &Position| match &position.key {
        SortKey::Text(name) => (name.clone(), position.id),
        SortKey::Id | SortKey::Time(_) => (String::new(), position.id),
    };
    all.sort_by_key(place);
    let total = request.total.then_some(all.len() as u64);
    let from = request.after.as_ref().map_or(0, |after| all.partition_point(|row| place(row) <= mark(after)));
    let to = request.before.as_ref().map_or(all.len(), |before| all.partition_point(|row| place(row) < mark(before)));
    let (mut from, mut to) = (from, to.max(from));
    let size = |count: Option<u32>| count.and_then(|count| usize::try_from(count).ok());
    match (size(request.first), size(request.last)) {
        (Some(first), _) => to = to.min(from.saturating_add(first)),
        (None, Some(last)) => from = from.max(to.saturating_sub(last)),
        (None, None) => to = to.min(from.saturating_add(100)),
    }
    let (has_previous, has_next) = (from > 0, to < all.len());
    Page { items: all.into_iter().take(to).skip(from).collect(), has_next, has_previous, total }
}

/// The organization, with the person's member in it, that a new access token is bound to: the named one, else the one that was
/// used last, else the first by name. `proven` says whether the person has proven a second factor in the session; where not,
/// organizations that ask for one are out of reach.
///
/// # Errors
/// [`ServiceError::NotFound`] when the person is no active member of the named one, `SECOND_FACTOR_REQUIRED` when that one asks
/// for a second factor.
pub(super) async fn choose(
    reader: &impl Reader,
    (user, proven): (Uuid, bool),
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
    let ids = |place: &member::Membership| (place.member.organization_id, place.member.id);
    let closed = |place: &member::Membership| {
        let settings = Settings::read(&place.organization_settings)?;
        Ok::<_, ServiceError>(settings.require_second_factor && !proven && !crate::ablate::off("second_factor_place"))
    };
    if let Some(slug) = wanted {
        let named = open.find(|place| place.organization_slug == *slug).ok_or(ServiceError::NotFound)?;
        if closed(&named)? {
            let refusal = UserError::new(
                UserErrorCode::SecondFactorRequired,
                "organization",
                "this organization asks for a second factor",
            );
            return Err(refusal.remedy("Set one up, or prove yours in this session, and come back.").into());
        }
        return Ok(Some(ids(&named)));
    }
    let mut reachable = Vec::new();
    for place in open {
        if !closed(&place)? {
            reachable.push(place);
        }
    }
    let recency = |place: &member::Membership| place.member.last_login_at.max(place.member.last_seen_at);
    let latest =
        reachable.into_iter().reduce(|latest, place| if recency(&place) > recency(&latest) { place } else { latest });
    Ok(latest.as_ref().map(ids))
}

/// How a person reads letters about the account: as it has chosen, and where it has not, as the organization does that it used
/// last, or that has invited it.
///
/// # Errors
/// When the database cannot say.
pub(super) async fn reader_of(work: &Work<'_>, user: &User) -> Result<mail::Reader, ServiceError> {
    Ok(chosen_reader(user, usual_reader(work, user).await?))
}

async fn usual_reader(work: &Work<'_>, user: &User) -> Result<mail::Reader, ServiceError> {
    let used = choose(work.tx, (user.id, true), &Binding::Usual, work.now).await?.map(|(organization, _)| organization);
    let organization = match used {
        Some(organization) => Some(organization),
        None => {
            let invited = store::invitation::pending_for_email(work.tx, &user.email, work.now).await?;
            invited.first().map(|invited| invited.invitation.organization_id)
        }
    };
    let Some(organization) = organization else { return Ok(mail::Reader::default()) };
    let Some(found) = store::organization::find_by_id(work.tx, organization).await? else {
        return Ok(mail::Reader::default());
    };
    let rules = work.service.blueprint(work.tx, found.blueprint_id).await?;
    Ok(profile::reader(&rules.rules, &found.profile)?)
}
