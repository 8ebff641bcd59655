//! Making, changing and deleting teams.

use serde_json::json;
use uuid::Uuid;

use super::{TeamPrivacy, get_seen, may_reach, privacy};
use crate::{
    ablate,
    access::{
        Grantee,
        blueprint::document::TeamPrivacy as Known,
        verb::{CreateTeam, DeleteTeam, UpdateTeam},
    },
    id::new_id,
    service::{
        Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
        activity::{NewEntry, target},
        input::{self, Mistakes},
        prerequisite::{self, Circle},
    },
    store::{
        self, StoreError,
        team::{Team, TeamChanges},
    },
};

/// A team to be made.
#[derive(Debug, Clone)]
pub struct NewTeam {
    /// Its lower-case name.
    pub slug: String,
    /// Its name as shown.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The team it is to stand under.
    pub parent: Option<Uuid>,
    /// Who sees it; the blueprint's first privacy where nothing is said.
    pub privacy: Option<TeamPrivacy>,
}

/// What is to change of a team; `None` leaves it.
#[derive(Debug, Clone)]
pub struct TeamEdit {
    /// Which.
    pub team: Uuid,
    /// Another lower-case name.
    pub slug: Option<String>,
    /// Another name.
    pub name: Option<String>,
    /// Another description.
    pub description: Option<String>,
    /// Another team to stand under, or none.
    pub parent: Option<Option<Uuid>>,
    /// Who sees it.
    pub privacy: Option<TeamPrivacy>,
}

impl Service {
    /// Makes a team; its id. Holders of `teams.manage` may.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a parent that the caller does not see, [`ServiceError::Refused`] for what the blueprint
    /// does not let teams be, and for a taken slug.
    pub async fn create_team(
        &self,
        access: &Access,
        new: NewTeam,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("createTeam", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { create(work, &new).await })).await?.value)
    }

    /// Renames, describes or moves a team; its id. Holders of `teams.manage` who see it may.
    ///
    /// # Errors
    /// As for making one; [`ServiceError::Refused`] for a place below itself (`S5.5`), and for one whose grants are not the
    /// caller's to give to the team.
    pub async fn update_team(
        &self,
        access: &Access,
        edit: TeamEdit,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("updateTeam", access)?.repeatable(idempotency).about("parent");
        Ok(self.mutate(change, move |work| Box::pin(async move { update(work, edit).await })).await?.value)
    }

    /// Deletes a team with its grants; its id. Holders of `teams.manage` who see it may.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a team that the caller does not see, [`ServiceError::Refused`] while teams stand under it, and
    /// where somebody in it would be left without what their own features need.
    pub async fn delete_team(
        &self,
        access: &Access,
        team: Uuid,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("deleteTeam", access)?.repeatable(idempotency).about("team");
        Ok(self.mutate(change, move |work| Box::pin(async move { delete(work, team).await })).await?.value)
    }
}

fn taken(error: StoreError) -> ServiceError {
    match error {
        StoreError::Conflict { .. } => UserError::new(UserErrorCode::Taken, "slug", "another team has this slug")
            .remedy("Choose another slug.")
            .into(),
        other => other.into(),
    }
}

/// The privacies that the blueprint lets teams have, the default first.
fn privacies(work: &Work<'_>) -> Result<Vec<TeamPrivacy>, ServiceError> {
    let known = &work.standing()?.blueprint.rules.document().teams.privacies;
    let stored = |privacy: &Known| match privacy {
        Known::Closed => TeamPrivacy::Closed,
        Known::Secret => TeamPrivacy::Secret,
    };
    let known: Vec<TeamPrivacy> = known.iter().map(stored).collect();
    Ok(if known.is_empty() { vec![TeamPrivacy::Closed] } else { known })
}

fn allowed_privacy(work: &Work<'_>, wanted: TeamPrivacy) -> Result<Result<TeamPrivacy, UserError>, ServiceError> {
    let known = privacies(work)?;
    if known.contains(&wanted) {
        return Ok(Ok(wanted));
    }
    let key = |stored: &TeamPrivacy| crate::access::rights::privacy_kind(privacy(*stored)).to_uppercase();
    let keys = known.iter().map(key).collect::<Vec<_>>().join("`, `");
    let refusal = UserError::new(UserErrorCode::NotInBlueprint, "privacy", "teams here cannot have this privacy");
    Ok(Err(refusal.remedy(format!("Choose among `{keys}`."))))
}

async fn create(work: &Work<'_>, new: &NewTeam) -> Result<Uuid, ServiceError> {
    let standing = work.standing()?;
    let organization = standing.place.id;
    let rules = &standing.blueprint.rules.document().teams;
    let permit = work.authorize::<CreateTeam>(None)?;
    if !rules.enabled {
        let refusal = UserError::new(UserErrorCode::NotInBlueprint, "", "there are no teams in this organization");
        return Err(refusal.into());
    }
    if let Some(parent) = new.parent {
        get_seen(work, parent).await?;
    }
    let mut mistakes = Mistakes::default();
    let name = mistakes.keep(input::name("name", &new.name));
    let slug = mistakes.keep(input::slug("slug", &new.slug));
    let description = mistakes.keep(input::text("description", new.description.as_deref().unwrap_or_default()));
    let default = privacies(work)?.first().copied().unwrap_or(TeamPrivacy::Closed);
    let privacy = mistakes.keep(allowed_privacy(work, new.privacy.unwrap_or(default))?);
    if new.parent.is_some() && !rules.nested {
        mistakes.push(flat());
    }
    let (Some(name), Some(slug), Some(description), Some(privacy)) = (name, slug, description, privacy) else {
        return Err(mistakes.refused());
    };
    mistakes.settle()?;
    let team = Team {
        id: new_id(),
        organization_id: organization,
        slug,
        name,
        description,
        parent_id: new.parent,
        privacy,
        created_at: work.now,
    };
    let team = store::team::insert(work.tx, permit, team).await.map_err(taken)?;
    let entry = NewEntry::access("team.created", target("team", team.id, &team.name));
    work.record(organization, entry.detail(json!({ "slug": team.slug }))).await?;
    Ok(team.id)
}

fn flat() -> UserError {
    UserError::new(UserErrorCode::NotInBlueprint, "parent", "teams here do not stand under one another")
}

async fn update(work: &Work<'_>, edit: TeamEdit) -> Result<Uuid, ServiceError> {
    let standing = work.standing()?;
    let organization = standing.place.id;
    let seen = get_seen(work, edit.team).await?;
    let permit = work.authorize::<UpdateTeam>(Some(edit.team))?;
    let parent = edit.parent.filter(|parent| *parent != seen.parent_id);
    if let Some(Some(parent)) = parent {
        get_seen(work, parent).await?;
    }
    let mut mistakes = Mistakes::default();
    let name = mistakes.keep_given(edit.name.as_deref(), |name| input::name("name", name));
    // One that was imported may have letters that a new one may not.
    let changed = edit.slug.as_deref().filter(|slug| *slug != seen.slug);
    let slug = mistakes.keep_given(changed, |slug| input::slug("slug", slug));
    let description = mistakes.keep_given(edit.description.as_deref(), |text| input::text("description", text));
    let privacy = match edit.privacy {
        Some(wanted) => mistakes.keep(allowed_privacy(work, wanted)?),
        None => None,
    };
    if let Some(Some(_)) = parent
        && !standing.blueprint.rules.document().teams.nested
    {
        mistakes.push(flat());
    }
    mistakes.settle()?;
    if let Some(Some(parent)) = parent {
        moves_under(work, &seen, parent).await?;
    }
    let changes = TeamChanges {
        slug,
        name: name.filter(|name| *name != seen.name),
        description: description.filter(|text| *text != seen.description),
        parent,
        privacy: privacy.filter(|privacy| *privacy != seen.privacy),
    };
    let moved = changes.parent.is_some();
    let renamed = changes.slug.is_some() || changes.name.is_some() || changes.description.is_some();
    if !moved && !renamed && changes.privacy.is_none() {
        return Ok(edit.team);
    }
    let watch = prerequisite::watch(work, if moved { Circle::Team(edit.team) } else { Circle::Nobody }).await?;
    let team = store::team::update(work.tx, permit, (organization, edit.team), changes).await.map_err(taken)?;
    watch.ensure_met(work, "parent").await?;
    let action = if moved { "team.moved" } else { "team.updated" };
    let entry = NewEntry::access(action, target("team", team.id, &team.name));
    work.record(organization, entry.detail(json!({ "before": { "name": seen.name, "slug": seen.slug } }))).await?;
    Ok(team.id)
}

/// Refuses a place below the team itself (`S5.5`), and one whose grants are not the author's to give to the team: they reach
/// its members from now on.
async fn moves_under(work: &Work<'_>, team: &Team, parent: Uuid) -> Result<(), ServiceError> {
    let mut above = store::team::ancestors(work.tx, team.organization_id, parent).await?;
    above.push(parent);
    if above.contains(&team.id) && !ablate::off("team_cycle") {
        let refusal = UserError::new(UserErrorCode::Cycle, "parent", "the team would stand under itself");
        return Err(refusal.remedy("Choose a team that does not stand under this one.").into());
    }
    may_reach(work, (&above, Grantee::Team(team.id)), "parent").await
}

async fn delete(work: &Work<'_>, id: Uuid) -> Result<Uuid, ServiceError> {
    let organization = work.standing()?.place.id;
    get_seen(work, id).await?;
    let permit = work.authorize::<DeleteTeam>(Some(id))?;
    if store::team::has_children(work.tx, organization, id).await? {
        let refusal = UserError::new(UserErrorCode::StateChanged, "", "other teams stand under this one");
        return Err(refusal.remedy("Move or delete those first.").into());
    }
    let watch = prerequisite::watch(work, Circle::Team(id)).await?;
    let team = store::team::delete(work.tx, permit, organization, id).await?;
    watch.ensure_met(work, "team").await?;
    let entry = NewEntry::access("team.deleted", target("team", team.id, &team.name));
    work.record(organization, entry.detail(json!({ "slug": team.slug }))).await?;
    Ok(id)
}
