//! Lists of members, how many there are, and what pages of them need.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Member, MemberState, is_place};
use crate::{
    access::Blueprint,
    service::{
        Access, Person, Service, ServiceError, input,
        invitation::Invitation,
        page::{Page, PageRequest},
        role,
    },
    store::{
        self,
        member::{Holding, MemberFilter},
    },
};

/// Which members to list; nothing set is everyone who has not left.
#[derive(Debug, Clone, Default)]
pub struct MemberQuery {
    /// In one of these states; empty: everyone but the archived.
    pub states: Vec<MemberState>,
    /// Whose name, address or login name contains this.
    pub search: Option<String>,
    /// Who hold this organization role.
    pub role: Option<String>,
}

/// How many members are in each state: the tabs of the list (`S2.7`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemberCounts {
    /// Active ones.
    pub active: u64,
    /// Invited ones.
    pub pending: u64,
    /// Suspended ones.
    pub suspended: u64,
    /// Those who have left.
    pub archived: u64,
}

impl Service {
    /// The members the caller sees, by name: everyone with `members.read`, else oneself.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn members(
        &self,
        access: &Access,
        query: MemberQuery,
        request: &PageRequest,
    ) -> Result<Page<Member>, ServiceError> {
        let standing = access.standing()?;
        let mut filter = self.filter(&standing.blueprint.rules, query)?;
        if filter.states.is_empty() {
            filter.states = vec![MemberState::Pending, MemberState::Active, MemberState::Suspended];
        }
        let visible = standing.rights.visible_members();
        Ok(store::member::list(&self.store().read(), &visible, &filter, request).await?)
    }

    /// How many of the members the caller sees are in each state. One statement.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn member_counts(&self, access: &Access, query: MemberQuery) -> Result<MemberCounts, ServiceError> {
        let standing = access.standing()?;
        let (visible, filter) = (standing.rights.visible_members(), self.filter(&standing.blueprint.rules, query)?);
        let mut counts = MemberCounts::default();
        for (state, count) in store::member::count_by_state(&self.store().read(), &visible, &filter).await? {
            match state {
                MemberState::Active => counts.active = count,
                MemberState::Pending => counts.pending = count,
                MemberState::Suspended => counts.suspended = count,
                MemberState::Archived => counts.archived = count,
            }
        }
        Ok(counts)
    }

    fn filter(&self, rules: &Blueprint, query: MemberQuery) -> Result<MemberFilter, ServiceError> {
        Ok(MemberFilter {
            states: query.states,
            search: searched(query.search)?,
            role: query.role.map(|name| Holding { role: role::canonical(rules, &name), now: self.now() }),
            team: None,
            apps: None,
        })
    }

    /// The members of these ids, as far as the caller sees them; for batched loading.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn members_by_id(&self, access: &Access, ids: &[Uuid]) -> Result<HashMap<Uuid, Member>, ServiceError> {
        let standing = access.standing()?;
        let visible = standing.rights.visible_members();
        let reader = self.store().read();
        let shown: Vec<Uuid> = store::member::visible_ids(&reader, &visible, ids).await?.into_iter().collect();
        if shown.is_empty() {
            return Ok(HashMap::new());
        }
        let found = store::member::find_many(&reader, standing.place.id, &shown).await?;
        Ok(found.into_iter().filter(is_place).map(|member| (member.id, member)).collect())
    }

    /// The organization roles of these members, by key in the order of giving; for batched loading.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn roles_of_members(
        &self,
        access: &Access,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<String>>, ServiceError> {
        let organization = access.standing()?.place.id;
        let pairs = store::member::roles_of_members(&self.store().read(), organization, ids, self.now()).await?;
        let mut roles: HashMap<Uuid, Vec<String>> = ids.iter().map(|id| (*id, Vec::new())).collect();
        for (member, role) in pairs {
            roles.entry(member).or_default().push(role);
        }
        Ok(roles)
    }

    /// The newest invitation of each of these members, for those who may invite; for batched loading.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn invitations_of_members(
        &self,
        access: &Access,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Invitation>, ServiceError> {
        let standing = access.standing()?;
        let ids = self.invited_by_right(access, ids).await?;
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found = store::invitation::of_members(&self.store().read(), standing.place.id, &ids).await?;
        Ok(found.into_iter().map(|invitation| (invitation.member_id, invitation)).collect())
    }

    /// The accounts of these ids, which are those of members the caller sees; for batched loading.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn people(&self, access: &Access, ids: &[Uuid]) -> Result<HashMap<Uuid, Person>, ServiceError> {
        access.standing()?;
        let found = store::user::find_many(&self.store().read(), ids).await?.into_iter();
        Ok(found.map(|user| (user.id, Person { id: user.id, email: user.email, name: user.name })).collect())
    }
}

/// A text to search for: none where it is empty.
pub(in crate::service) fn searched(search: Option<String>) -> Result<Option<String>, ServiceError> {
    let search = search.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match search {
        Some(text) if text.chars().count() > input::NAME_LENGTH => {
            Err(ServiceError::BadInput(format!("`search` has at most {} characters", input::NAME_LENGTH)))
        }
        search => Ok(search),
    }
}
