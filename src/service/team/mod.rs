//! Teams: groups of members, nested, that are granted what a member can be; and who sees which.
//!
//! A secret team does not exist for anybody but its own members and those who see secret teams (`S5.7`). What may not enter:
//! how a team's grants reach its members, which is the core's and the facts'.

mod change;
mod place;

use std::collections::HashMap;

use uuid::Uuid;

pub use self::{
    change::{NewTeam, TeamEdit},
    place::{Joining, Leaving},
};
use super::{
    Access, Service, ServiceError, Work,
    page::{Page, PageRequest, Position, SortKey},
};
pub use crate::store::{
    team::{Below, Team, TeamPrivacy},
    team_member::{TeamMember, TeamOfMember, TeamRole},
};
use crate::{
    access::{
        Grantee, Place,
        delegation::{Gift, may_share},
        rights::privacy_kind,
    },
    service::{UserError, role::judge},
    store::{self, team::TeamFilter},
};

/// Which teams to list; nothing set is all that the caller sees.
#[derive(Debug, Clone, Default)]
pub struct TeamQuery {
    /// At one place of the tree.
    pub parent: Option<Below>,
    /// Whose name or slug contains this.
    pub search: Option<String>,
    /// That one member is in itself.
    pub member: Option<Uuid>,
}

/// Where a team stands in lists: by name.
#[must_use]
pub fn position(team: &Team) -> Position {
    Position { key: SortKey::Text(team.name.clone()), id: team.id }
}

/// A team's privacy as the core calls it.
const fn privacy(privacy: TeamPrivacy) -> crate::access::blueprint::document::TeamPrivacy {
    use crate::access::blueprint::document::TeamPrivacy as Known;
    match privacy {
        TeamPrivacy::Closed => Known::Closed,
        TeamPrivacy::Secret => Known::Secret,
    }
}

pub(super) fn is_seen(standing: &super::Standing, team: &Team) -> bool {
    standing.rights.visible_teams().shows(privacy_kind(privacy(team.privacy)), team.id)
}

/// A team as the author of a change sees it.
///
/// # Errors
/// [`ServiceError::NotFound`], for one that is secret to the author too.
pub(super) async fn get_seen(work: &Work<'_>, id: Uuid) -> Result<Team, ServiceError> {
    let standing = work.standing()?;
    let found = store::team::find_by_id(work.tx, standing.place.id, id).await?;
    found.filter(|team| is_seen(standing, team)).ok_or(ServiceError::NotFound)
}

/// Refuses when what these teams are granted is not the author's to give to somebody whom it is about to reach.
///
/// # Errors
/// [`ServiceError::Refused`] at this field.
async fn may_reach(work: &Work<'_>, (teams, grantee): (&[Uuid], Grantee), field: &str) -> Result<(), ServiceError> {
    let standing = work.standing()?;
    let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
    let grants = store::grant::of_grantees(work.tx, organization, teams).await?;
    let live = grants.into_iter().filter(|grant| grant.expires_at.is_none_or(|end| end > work.now));
    let live: Vec<_> = live.collect();
    let apps: Vec<Uuid> = if rules.nests_apps() {
        live.iter()
            .filter_map(|grant| match &grant.place {
                Place::App { id, .. } => Some(*id),
                Place::Organization => None,
            })
            .collect()
    } else {
        Vec::new()
    };
    let above = store::app::ancestors_of(work.tx, organization, &apps).await?;
    for grant in live {
        let ancestors = match &grant.place {
            Place::App { id, .. } => above.get(id).map(|above| above.ids.as_slice()).unwrap_or_default(),
            Place::Organization => &[],
        };
        let gift = Gift { grantee, held: &grant.held, place: &grant.place, ancestors };
        judge(may_share(rules, work.authority(), &gift)).map_err(|denial| {
            UserError::not_given(field, &denial).remedy("Ask somebody who holds what the team is granted.")
        })?;
    }
    Ok(())
}

impl Service {
    /// The teams that the caller sees, by name.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn list_teams(
        &self,
        access: &Access,
        query: TeamQuery,
        request: &PageRequest,
    ) -> Result<Page<Team>, ServiceError> {
        let standing = access.standing()?;
        let search = super::member::searched(query.search)?;
        let nothing =
            || Page { items: Vec::new(), has_next: false, has_previous: false, total: request.total.then_some(0) };
        if let Some(Below::Team(parent)) = query.parent
            && !self.teams_by_id(access, &[parent]).await?.contains_key(&parent)
        {
            return Ok(nothing());
        }
        if query.member.is_some_and(|member| !standing.rights.visible_members().shows("", member)) {
            return Ok(nothing());
        }
        let filter = TeamFilter { parent: query.parent, search, member: query.member };
        Ok(store::team::list(&self.store().read(), &standing.rights.visible_teams(), &filter, request).await?)
    }

    /// The teams of these ids, as far as the caller sees them; for batched loading.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn teams_by_id(&self, access: &Access, ids: &[Uuid]) -> Result<HashMap<Uuid, Team>, ServiceError> {
        let standing = access.standing()?;
        let found = store::team::find_many(&self.store().read(), standing.place.id, ids).await?;
        Ok(found.into_iter().filter(|team| is_seen(standing, team)).map(|team| (team.id, team)).collect())
    }

    /// The team of this slug, if the caller sees it.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn find_team_by_slug(&self, access: &Access, slug: &str) -> Result<Option<Team>, ServiceError> {
        let standing = access.standing()?;
        let found = store::team::find_by_slug(&self.store().read(), standing.place.id, slug).await?;
        Ok(found.filter(|team| is_seen(standing, team)))
    }

    /// The teams that each of these members is in itself, by name, as far as the caller sees both; for batched loading. One
    /// statement.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn teams_of_members(
        &self,
        access: &Access,
        members: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<TeamOfMember>>, ServiceError> {
        let standing = access.standing()?;
        let visible = standing.rights.visible_members();
        let members: Vec<Uuid> = members.iter().copied().filter(|id| visible.shows("", *id)).collect();
        let mut teams: HashMap<Uuid, Vec<TeamOfMember>> = members.iter().map(|id| (*id, Vec::new())).collect();
        let reader = self.store().read();
        let found = store::team_member::teams_of_members(&reader, &standing.rights.visible_teams(), &members).await?;
        for place in found {
            teams.entry(place.member_id).or_default().push(place);
        }
        Ok(teams)
    }

    /// The members of a team that the caller sees, in the order in which they came to the organization.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn members_of_team(
        &self,
        access: &Access,
        team: &Team,
        request: &PageRequest,
    ) -> Result<Page<TeamMember>, ServiceError> {
        let standing = access.standing()?;
        let visible = standing.rights.visible_members();
        Ok(store::team_member::list(&self.store().read(), &visible, team.id, request).await?)
    }
}
