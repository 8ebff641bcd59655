//! The people of an app: members to whom something is given on it, above it or below it, and where each part comes from (`S4.18`,
//! `S4.R6`).
//!
//! Only what is given to members themselves counts: what reaches them by a team or a role in the organization is told by their
//! capabilities.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use super::{
    Access, Service, ServiceError, Standing, UserError, UserErrorCode,
    app::{Directory, SeenApp},
    grant::{self, AccessGrant, Holder, given_above},
    member::{Member, MemberState, searched},
    page::{Page, PageRequest},
    role::end_of_days,
};
use crate::{
    access::{Grantee, Place},
    store::{self, member::MemberFilter},
};

/// A member with what is given to it on an app, above it and below it.
#[derive(Debug, Clone)]
pub struct AppMember {
    /// Who.
    pub member: Member,
    /// What, in the order of giving; empty for a caller who may not see rights there.
    pub grants: Vec<Binding>,
}

/// Something that is given to a member.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The grant.
    pub grant: AccessGrant,
    /// Whether it lies on an app above the one asked about: it is changed there, for everything below at once.
    pub inherited: bool,
    /// What stands in the caller's way of taking it away here; empty: nothing.
    pub obstacles: Vec<UserError>,
}

/// Which people of an app to list.
#[derive(Debug, Clone, Default)]
pub struct AppMemberQuery {
    /// Whose name or address contains this.
    pub search: Option<String>,
    /// Whether also those to whom something is given on an app below it.
    pub below: bool,
}

impl Service {
    /// The people of an app that the caller sees, by name; for holders of `members.read` in the organization, on the app or above
    /// it. What is given to them is for holders of `rights.read` there. Three statements at most, one more for the total.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission.
    pub async fn members_on(
        &self,
        access: &Access,
        (app, query): (&Arc<SeenApp>, AppMemberQuery),
        request: &PageRequest,
    ) -> Result<Page<AppMember>, ServiceError> {
        let standing = access.standing()?;
        let rules = &standing.blueprint.rules;
        let denied = |key: &str| standing.rights.denied_on(rules, key, &app.place());
        if let Some(denial) = denied("members.read").filter(|_| !crate::ablate::off("app_members")) {
            return Err(denial.into());
        }
        let directory = self.directory(access).await?;
        let under = directory.apps.iter().filter(|other| query.below && other.above.ids.contains(&app.app.id));
        let own = std::iter::once(app.app.id).chain(app.above.ids.iter().copied());
        let places: Vec<Uuid> = own.chain(under.map(|other| other.app.id)).collect();
        let filter = MemberFilter {
            states: vec![MemberState::Pending, MemberState::Active, MemberState::Suspended],
            search: searched(query.search)?,
            apps: Some(places.clone()),
            ..MemberFilter::default()
        };
        let reader = self.store().read();
        let visible = standing.rights.visible_on(rules, "members.read", &app.place());
        let page = store::member::list(&reader, &visible, &filter, request).await?;
        let ids: Vec<Uuid> = page.items.iter().map(|member| member.id).collect();
        let mut given = if denied("rights.read").is_none() {
            self.given_on(standing, (app, &places, &directory), &ids).await?
        } else {
            HashMap::new()
        };
        let Page { items, has_next, has_previous, total } = page;
        let with = |member: Member| AppMember { grants: given.remove(&member.id).unwrap_or_default(), member };
        Ok(Page { items: items.into_iter().map(with).collect(), has_next, has_previous, total })
    }

    /// The grant of this id, if it is given to somebody who is listed on its app, and the caller sees there what is given to people:
    /// as [`Self::members_on`] tells it. Two statements, and one where the organization's apps are not remembered.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn find_grant_on_app(&self, access: &Access, id: Uuid) -> Result<Option<AccessGrant>, ServiceError> {
        let standing = access.standing()?;
        let (organization, rules, reader) = (standing.place.id, &standing.blueprint.rules, self.store().read());
        let Some(grant) = store::grant::find_by_id(&reader, organization, id).await? else { return Ok(None) };
        let (Grantee::Member(member), Place::App { id: app, .. }) = (grant.grantee, &grant.place) else {
            return Ok(None);
        };
        let Some(app) = self.find_app(access, *app).await? else { return Ok(None) };
        let shown =
            ["members.read", "rights.read"].iter().all(|key| standing.rights.holds_on(rules, key, &app.place()));
        if standing.rights.inactive().is_some() || !shown {
            return Ok(None);
        }
        let member = store::member::find_by_id(&reader, organization, member).await?;
        Ok(member.filter(|member| member.state != MemberState::Archived).map(|_| grant))
    }

    /// What is given to these members on these apps, and what stands in the way of taking it.
    async fn given_on(
        &self,
        standing: &Standing,
        (app, places, directory): (&SeenApp, &[Uuid], &Directory),
        members: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<Binding>>, ServiceError> {
        let (organization, rules, reader) = (standing.place.id, &standing.blueprint.rules, self.store().read());
        let mut given: HashMap<Uuid, Vec<Binding>> = HashMap::new();
        if members.is_empty() {
            return Ok(given);
        }
        let mut own: HashMap<Uuid, Vec<AccessGrant>> = HashMap::new();
        for grant in store::grant::of_grantees(&reader, organization, members).await? {
            if let Grantee::Member(member) = grant.grantee {
                own.entry(member).or_default().push(grant);
            }
        }
        let mut roles: HashMap<Uuid, Vec<String>> = HashMap::new();
        for (member, role) in store::member::roles_of_members(&reader, organization, members, self.now()).await? {
            roles.entry(member).or_default().push(role);
        }
        let kept = rules.kept_on_apps();
        let holders = store::grant::holders_on_apps(&reader, organization, &kept, end_of_days()).await?;
        for (member, grants) in &own {
            let roles = roles.get(member).map(Vec::as_slice).unwrap_or_default();
            let of = Holder { roles, own: grants, holders: &holders };
            for grant in grants {
                let Place::App { id, .. } = &grant.place else { continue };
                if !places.contains(id) {
                    continue;
                }
                let (inherited, place) = (app.above.ids.contains(id), directory.find(*id));
                let place = place.filter(|place| place.is_seen_by(standing));
                let obstacles = match (inherited, place) {
                    (true, place) => {
                        let above = || given_above(place.map(|place| place.app.name.as_str()), "");
                        vec![grant::lacking(standing, app).unwrap_or_else(above)]
                    }
                    (false, Some(place)) => grant::obstacles(standing, (place, grant), of),
                    (false, None) => {
                        vec![UserError::new(UserErrorCode::Forbidden, "", "you do not see the app it lies on")]
                    }
                };
                given.entry(*member).or_default().push(Binding { grant: grant.clone(), inherited, obstacles });
            }
        }
        Ok(given)
    }
}
