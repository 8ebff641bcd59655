//! Who is in a team: its members and maintainers.

use serde_json::json;
use uuid::Uuid;

use super::{Team, TeamRole, get_seen, may_reach};
use crate::{
    access::{
        Grantee,
        verb::{ManageTeamMaintainer, ManageTeamMember},
    },
    service::{
        Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
        activity::{NewEntry, target},
        member,
        prerequisite::{self, Circle},
        role,
    },
    store::{
        self,
        team_member::{self, PlaceInTeam},
    },
};

/// Somebody to be put into a team.
#[derive(Debug, Clone, Copy)]
pub struct Joining {
    /// The team.
    pub team: Uuid,
    /// The member.
    pub member: Uuid,
    /// Whether it is to be a maintainer; `None` leaves that, and a new one is none.
    pub maintainer: Option<bool>,
}

/// Somebody to be taken out of a team.
#[derive(Debug, Clone, Copy)]
pub struct Leaving {
    /// The team.
    pub team: Uuid,
    /// The member.
    pub member: Uuid,
}

impl Service {
    /// Puts a member into a team, or makes one in it a maintainer or a plain member again; the team's id. Holders of
    /// `teams.manage` may, and the team's own maintainers, who may not name maintainers (`S5.6`).
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a team or member that the caller does not see, [`ServiceError::Refused`] where what the
    /// team is granted is not the caller's to give.
    pub async fn add_team_member(
        &self,
        access: &Access,
        joining: Joining,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("addTeamMember", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { add(work, joining).await })).await?.value)
    }

    /// Takes a member out of a team; the team's id. Holders of `teams.manage` may, the team's maintainers for its plain
    /// members and for themselves.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a team or member that the caller does not see, [`ServiceError::Refused`] where the member
    /// would be left without what its own features need.
    pub async fn remove_team_member(
        &self,
        access: &Access,
        leaving: Leaving,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("removeTeamMember", access)?.repeatable(idempotency).about("member");
        Ok(self.mutate(change, move |work| Box::pin(async move { remove(work, leaving).await })).await?.value)
    }
}

async fn record(
    work: &Work<'_>,
    action: &'static str,
    team: &Team,
    member: &member::Member,
) -> Result<(), ServiceError> {
    let entry = NewEntry::access(action, target("team", team.id, &team.name));
    let detail = json!({ "member": { "id": member.id, "name": member.name } });
    work.record(team.organization_id, entry.detail(detail)).await
}

async fn add(work: &Work<'_>, joining: Joining) -> Result<Uuid, ServiceError> {
    let standing = work.standing()?;
    let organization = standing.place.id;
    let team = get_seen(work, joining.team).await?;
    let permit = work.authorize::<ManageTeamMember>(Some(team.id))?;
    let member = member::get_present(work, joining.member).await?;
    let place = PlaceInTeam { organization, team: team.id, member: member.id };
    let found = team_member::find(work.tx, place).await?;
    let before = found.as_ref().map_or(TeamRole::Member, |found| found.role);
    let wanted = match joining.maintainer {
        None => before,
        Some(true) => TeamRole::Maintainer,
        Some(false) => TeamRole::Member,
    };
    if wanted == TeamRole::Maintainer && !standing.blueprint.rules.document().teams.maintainers {
        let refusal = UserError::new(UserErrorCode::NotInBlueprint, "maintainer", "teams here have no maintainers");
        return Err(refusal.into());
    }
    // Asked before anything is written, so that who may only add learns it at once.
    let maintainers =
        if wanted == before { None } else { Some(work.authorize::<ManageTeamMaintainer>(Some(team.id))?) };
    if found.is_none() {
        // From now on the team's grants, and those of the teams above it, reach the member.
        let mut teams = store::team::ancestors(work.tx, organization, team.id).await?;
        teams.push(team.id);
        may_reach(work, (&teams, Grantee::Member(member.id)), "member").await?;
        team_member::add(work.tx, permit, place, work.now).await?;
        record(work, "team.member_added", &team, &member).await?;
    }
    if let Some(permit) = maintainers {
        team_member::set_role(work.tx, permit, place, wanted).await?;
        let action = match wanted {
            TeamRole::Maintainer => "team.maintainer_named",
            TeamRole::Member => "team.maintainer_dismissed",
        };
        record(work, action, &team, &member).await?;
    }
    Ok(team.id)
}

async fn remove(work: &Work<'_>, leaving: Leaving) -> Result<Uuid, ServiceError> {
    let organization = work.standing()?.place.id;
    let team = get_seen(work, leaving.team).await?;
    let permit = work.authorize::<ManageTeamMember>(Some(team.id))?;
    let member = member::get_present(work, leaving.member).await?;
    let place = PlaceInTeam { organization, team: team.id, member: member.id };
    let Some(found) = team_member::find(work.tx, place).await? else { return Ok(team.id) };
    if found.role == TeamRole::Maintainer && !role::is_author(work, &member) {
        // Dismissing a maintainer is more than managing members.
        work.authorize::<ManageTeamMaintainer>(Some(team.id))?;
    }
    let leaver = prerequisite::watch(work, Circle::Member(member.id)).await?;
    team_member::remove(work.tx, permit, place).await?;
    leaver.ensure_met(work, "member").await?;
    record(work, "team.member_removed", &team, &member).await?;
    Ok(team.id)
}
