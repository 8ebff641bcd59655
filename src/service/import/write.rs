//! Writing the differences between what a document asks for and what is there.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use uuid::Uuid;

use super::{
    Count, Progress, Report,
    check::{Wanted, WantedTeam},
};
use crate::{
    access::{
        Grantee, Held, Place,
        blueprint::document::{ImportRules, TeamPrivacy as Privacy},
        verb::{
            AssignRole, CreateApp, CreateMember, CreateOrganization, CreateTeam, GrantAccess, ManageTeamMaintainer,
            ManageTeamMember, UpdateApp, UpdateOrganization, UpdateTeam,
        },
    },
    id::new_id,
    service::{
        ServiceError, UserError, UserErrorCode, Work,
        activity::{NewEntry, target},
        blueprint::Installed,
        consequence, seat,
    },
    store::{
        app::{self, App, AppChanges, AppState, AppVisibility},
        grant::{self, AccessGrant, DefaultAccess, HeldRole, NewGrant, NewGrants},
        member::{self, MemberState, NewMember},
        organization::{self, NewOrganization, OrganizationChanges},
        team::{self, Team, TeamChanges, TeamPrivacy},
        team_member::{self, PlaceInTeam, TeamMember, TeamRole},
    },
};

/// An import at work in its transaction.
pub(super) struct Writing<'w> {
    pub(super) work: &'w Work<'w>,
    /// The organization.
    pub(super) id: Uuid,
    pub(super) installed: &'w Installed,
    pub(super) rules: &'w ImportRules,
    pub(super) progress: &'w Progress,
}

type Written<T> = Result<T, ServiceError>;

/// Rows by handle or slug.
type Ids = HashMap<String, Uuid>;

fn refused(line: usize, problem: &str) -> ServiceError {
    UserError::new(UserErrorCode::StateChanged, "", format!("line {line}: {problem}")).into()
}

/// An organization role without an end.
fn role(grantee: Grantee, role: &str) -> NewGrant {
    let held = Held::Role(role.to_owned());
    NewGrant { id: new_id(), grantee, held, place: Place::Organization, expires_at: None }
}

fn id_of(ids: &Ids, key: &str) -> Written<Uuid> {
    ids.get(key).copied().ok_or_else(|| ServiceError::Internal(anyhow::anyhow!("`{key}` was checked and is missing")))
}

impl Writing<'_> {
    /// Everything, in the order in which rows refer to each other.
    pub(super) async fn all(&self, fresh: bool, wanted: &Wanted) -> Written<Report> {
        let mut report = Report { organization: self.organization(fresh, wanted).await?, ..Report::default() };
        let row = organization::find_by_id(self.work.tx, self.id).await?.ok_or(ServiceError::NotFound)?;
        if row.blueprint_id != self.installed.id {
            return Err(ServiceError::Conflict(
                "the organization has moved to another version meanwhile; import again",
            ));
        }
        let within = seat::Within { organization: self.id, blueprint: &self.installed.rules, plan: &row.plan };
        let seats = seat::taken(self.work, within).await?;
        let grants = grant::find_all(self.work.tx, self.id).await?;
        let people = self.members(wanted, &mut report).await?;
        self.roles(wanted, &people, &grants, &mut report).await?;
        let apps = self.apps(wanted, &mut report).await?;
        let teams = self.teams(wanted, &mut report).await?;
        self.team_members(wanted, &people, &teams, &mut report).await?;
        self.team_grants(wanted, (&teams, &apps), &grants, &mut report).await?;
        self.defaults(wanted, &grants, &mut report).await?;
        seat::ensure_not_over(self.work, within, &seats).await?;
        if report.changed() {
            let counts = report.rows().map(|(noun, count)| (noun.replace(' ', "_"), json!(count)));
            let entry = NewEntry::account("organization.imported", target("organization", self.id, &wanted.name));
            self.work.record(self.id, entry.detail(counts.into_iter().collect())).await?;
        }
        Ok(report)
    }

    async fn organization(&self, fresh: bool, wanted: &Wanted) -> Written<Count> {
        (self.progress)("organization", 1);
        let rules = self.installed.rules.document();
        if fresh {
            let new = NewOrganization {
                id: self.id,
                slug: wanted.slug.clone(),
                name: wanted.name.clone(),
                parent_id: None,
                blueprint_id: self.installed.id,
                plan: self.rules.plan.clone().unwrap_or_else(|| rules.organization.default_plan.clone()),
                settings: json!({}),
                now: self.work.now,
            };
            organization::insert(self.work.tx, self.work.authorize::<CreateOrganization>(None)?, new).await?;
            return Ok(Count { created: 1, ..Count::default() });
        }
        let row = organization::find_by_id(self.work.tx, self.id).await?.ok_or(ServiceError::NotFound)?;
        if row.name == wanted.name {
            return Ok(Count { unchanged: 1, ..Count::default() });
        }
        let changes = OrganizationChanges { name: Some(wanted.name.clone()), ..OrganizationChanges::default() };
        let permit = self.work.authorize::<UpdateOrganization>(None)?;
        organization::update(self.work.tx, permit, self.id, changes, self.work.now).await?;
        Ok(Count { updated: 1, ..Count::default() })
    }

    async fn members(&self, wanted: &Wanted, report: &mut Report) -> Written<Ids> {
        (self.progress)("members", wanted.people.len());
        let there = member::find_all(self.work.tx, self.id).await?;
        let there: HashMap<&str, &member::Member> =
            there.iter().filter_map(|member| Some((member.handle.as_deref()?, member))).collect();
        let (mut ids, mut new) = (Ids::with_capacity(wanted.people.len()), Vec::new());
        for person in &wanted.people {
            match there.get(person.handle.as_str()) {
                Some(member) if member.state == MemberState::Archived => {
                    return Err(refused(person.line, &format!("`{}` has left this organization", person.handle)));
                }
                Some(member) => {
                    report.members.unchanged += 1;
                    ids.insert(person.handle.clone(), member.id);
                }
                None => {
                    let id = new_id();
                    ids.insert(person.handle.clone(), id);
                    new.push(NewMember {
                        id,
                        organization_id: self.id,
                        user_id: None,
                        email: None,
                        handle: Some(person.handle.clone()),
                        name: person.handle.clone(),
                        first_name: None,
                        last_name: None,
                        now: self.work.now,
                    });
                }
            }
        }
        report.members.created = new.len();
        if !new.is_empty() {
            member::insert_many(self.work.tx, self.work.authorize::<CreateMember>(None)?, new).await?;
        }
        Ok(ids)
    }

    /// Gives each person its main role, and takes another one.
    async fn roles(&self, wanted: &Wanted, people: &Ids, grants: &[AccessGrant], report: &mut Report) -> Written<()> {
        (self.progress)("roles", wanted.people.len());
        let main: HashSet<&str> = self.installed.rules.main_roles().map(|(key, _)| key).collect();
        let mut held: HashMap<Uuid, Vec<&str>> = HashMap::new();
        for grant in grants {
            if let (Grantee::Member(id), Held::Role(role), Place::Organization) =
                (grant.grantee, &grant.held, &grant.place)
                && main.contains(role.as_str())
            {
                held.entry(id).or_default().push(role);
            }
        }
        let mut new = Vec::new();
        for person in &wanted.people {
            let id = id_of(people, &person.handle)?;
            let held = held.remove(&id).unwrap_or_default();
            let other: Vec<&str> = held.iter().copied().filter(|role| *role != person.role).collect();
            for role in &other {
                let held = HeldRole { organization: self.id, grantee: Grantee::Member(id), role: (*role).to_owned() };
                grant::remove_role(self.work.tx, self.work.authorize::<AssignRole>(None)?, held).await?;
            }
            match (held.contains(&person.role.as_str()), other.is_empty()) {
                (true, true) => report.roles.unchanged += 1,
                (true, false) => report.roles.updated += 1,
                (false, alone) => {
                    if alone {
                        report.roles.created += 1;
                    } else {
                        report.roles.updated += 1;
                    }
                    new.push(role(Grantee::Member(id), &person.role));
                }
            }
        }
        self.assign(new).await
    }

    async fn assign(&self, grants: Vec<NewGrant>) -> Written<()> {
        if !grants.is_empty() {
            let permit = self.work.authorize::<AssignRole>(None)?;
            let new = NewGrants { organization: self.id, grants, now: self.work.now };
            grant::assign_roles(self.work.tx, permit, new).await?;
        }
        Ok(())
    }

    async fn apps(&self, wanted: &Wanted, report: &mut Report) -> Written<Ids> {
        (self.progress)("apps", wanted.repositories.len());
        let there = app::find_all(self.work.tx, self.id).await?;
        let there: HashMap<&str, &App> = there.iter().map(|app| (app.slug.as_str(), app)).collect();
        let (mut ids, mut new) = (Ids::with_capacity(wanted.repositories.len()), Vec::new());
        for repository in &wanted.repositories {
            let id = there.get(repository.slug.as_str()).map_or_else(new_id, |app| app.id);
            ids.insert(repository.slug.clone(), id);
            match there.get(repository.slug.as_str()) {
                Some(app) if app.kind != self.rules.app_kind => {
                    let kind = &app.kind;
                    let problem = format!("`{}` is an app of the kind `{kind}`", repository.slug);
                    return Err(refused(repository.line, &problem));
                }
                Some(app) if app.name == repository.name => report.apps.unchanged += 1,
                Some(app) => {
                    let changes = AppChanges { name: Some(repository.name.clone()), ..AppChanges::default() };
                    let permit = self.work.authorize::<UpdateApp>(None)?;
                    app::update(self.work.tx, permit, (self.id, app.id), changes).await?;
                    report.apps.updated += 1;
                }
                None => new.push(App {
                    id,
                    organization_id: self.id,
                    kind: self.rules.app_kind.clone(),
                    slug: repository.slug.clone(),
                    name: repository.name.clone(),
                    parent_id: None,
                    visibility: AppVisibility::Private,
                    state: AppState::Active,
                    created_at: self.work.now,
                }),
            }
        }
        report.apps.created = new.len();
        if !new.is_empty() {
            app::insert_many(self.work.tx, self.work.authorize::<CreateApp>(None)?, new.clone()).await?;
            for app in &new {
                consequence::of_new_app(self.work, &self.installed.rules, app).await?;
            }
        }
        Ok(ids)
    }

    async fn teams(&self, wanted: &Wanted, report: &mut Report) -> Written<Ids> {
        (self.progress)("teams", wanted.teams.len());
        let there = team::find_all(self.work.tx, self.id).await?;
        let there: HashMap<&str, &Team> = there.iter().map(|team| (team.slug.as_str(), team)).collect();
        let mut ids = Ids::with_capacity(wanted.teams.len());
        for team in &wanted.teams {
            ids.insert(team.slug.clone(), there.get(team.slug.as_str()).map_or_else(new_id, |found| found.id));
        }
        let mut new = Vec::new();
        let mut moved = Vec::new();
        for team in &wanted.teams {
            let row = self.team(team, &ids)?;
            match there.get(team.slug.as_str()) {
                None => new.push(row),
                Some(found) => {
                    let as_found = Team { created_at: found.created_at, ..row.clone() };
                    if as_found == **found {
                        report.teams.unchanged += 1;
                    } else {
                        moved.push(row);
                    }
                }
            }
        }
        report.teams.created = new.len();
        report.teams.updated = moved.len();
        if !new.is_empty() {
            team::insert_many(self.work.tx, self.work.authorize::<CreateTeam>(None)?, new).await?;
        }
        for row in moved {
            let changes = TeamChanges {
                slug: None,
                name: Some(row.name),
                description: Some(row.description),
                parent: Some(row.parent_id),
                privacy: Some(row.privacy),
            };
            let permit = self.work.authorize::<UpdateTeam>(None)?;
            team::update(self.work.tx, permit, (self.id, row.id), changes).await?;
        }
        self.stays_a_tree(report).await?;
        Ok(ids)
    }

    /// Teams that the document does not name may stand between those that it moves.
    async fn stays_a_tree(&self, report: &Report) -> Written<()> {
        if report.teams.updated == 0 {
            return Ok(());
        }
        let teams = team::find_all(self.work.tx, self.id).await?;
        let parents: HashMap<Uuid, Uuid> = teams.iter().filter_map(|team| Some((team.id, team.parent_id?))).collect();
        for team in &teams {
            let above = std::iter::successors(parents.get(&team.id), |id| parents.get(*id)).take(teams.len());
            if above.into_iter().any(|id| *id == team.id) {
                let message = format!("the team `{}` would stand under itself", team.name);
                return Err(UserError::new(UserErrorCode::Cycle, "", message).into());
            }
        }
        Ok(())
    }

    fn team(&self, team: &WantedTeam, ids: &Ids) -> Written<Team> {
        Ok(Team {
            id: id_of(ids, &team.slug)?,
            organization_id: self.id,
            slug: team.slug.clone(),
            name: team.name.clone(),
            description: team.description.clone(),
            parent_id: team.parent.as_deref().map(|parent| id_of(ids, parent)).transpose()?,
            privacy: match team.privacy {
                Privacy::Closed => TeamPrivacy::Closed,
                Privacy::Secret => TeamPrivacy::Secret,
            },
            created_at: self.work.now,
        })
    }

    async fn team_members(&self, wanted: &Wanted, people: &Ids, teams: &Ids, report: &mut Report) -> Written<()> {
        let total = wanted.teams.iter().map(|team| team.members.len()).sum();
        (self.progress)("team members", total);
        let ours: HashSet<Uuid> = teams.values().copied().collect();
        let there = team_member::find_all(self.work.tx, self.id).await?;
        let mut there: HashMap<(Uuid, Uuid), TeamRole> = there
            .into_iter()
            .filter(|place| ours.contains(&place.team_id))
            .map(|place| ((place.team_id, place.member_id), place.role))
            .collect();
        let mut new = Vec::new();
        for team in &wanted.teams {
            let team_id = id_of(teams, &team.slug)?;
            for (handle, maintainer) in &team.members {
                let member_id = id_of(people, handle)?;
                let role = if *maintainer { TeamRole::Maintainer } else { TeamRole::Member };
                match there.remove(&(team_id, member_id)) {
                    Some(held) if held == role => report.team_members.unchanged += 1,
                    Some(_) => {
                        report.team_members.updated += 1;
                        let permit = self.work.authorize::<ManageTeamMaintainer>(None)?;
                        let place = PlaceInTeam { organization: self.id, team: team_id, member: member_id };
                        team_member::set_role(self.work.tx, permit, place, role).await?;
                    }
                    None => new.push(TeamMember {
                        team_id,
                        member_id,
                        organization_id: self.id,
                        role,
                        added_at: self.work.now,
                    }),
                }
            }
        }
        report.team_members.created = new.len();
        report.team_members.removed = there.len();
        for (team, member) in there.into_keys() {
            let permit = self.work.authorize::<ManageTeamMember>(None)?;
            let place = PlaceInTeam { organization: self.id, team, member };
            team_member::remove(self.work.tx, permit, place).await?;
        }
        if !new.is_empty() {
            team_member::insert_many(self.work.tx, self.work.authorize::<ManageTeamMember>(None)?, new).await?;
        }
        Ok(())
    }

    async fn team_grants(
        &self,
        wanted: &Wanted,
        (teams, apps): (&Ids, &Ids),
        grants: &[AccessGrant],
        report: &mut Report,
    ) -> Written<()> {
        let total = wanted.teams.iter().map(|team| team.repositories.len()).sum();
        (self.progress)("team grants", total);
        let (kind, feature) = (&self.rules.app_kind, &self.rules.feature);
        let mut keep: HashSet<(Uuid, Uuid)> = HashSet::with_capacity(total);
        let mut new = Vec::with_capacity(total);
        for team in &wanted.teams {
            let team_id = id_of(teams, &team.slug)?;
            for (repository, level) in &team.repositories {
                let app = id_of(apps, repository)?;
                keep.insert((team_id, app));
                new.push(NewGrant {
                    id: new_id(),
                    grantee: Grantee::Team(team_id),
                    held: Held::Feature { kind: kind.clone(), feature: feature.clone(), level: Some(level.clone()) },
                    place: Place::App { id: app, kind: kind.clone() },
                    expires_at: None,
                });
            }
        }
        let ours: HashSet<Uuid> = teams.values().copied().collect();
        for grant in grants {
            let Grantee::Team(team) = grant.grantee else { continue };
            let Place::App { id: app, .. } = &grant.place else { continue };
            let named = matches!(&grant.held, Held::Feature { kind: k, feature: f, .. } if k == kind && f == feature);
            if named && ours.contains(&team) && !keep.contains(&(team, *app)) {
                let permit = self.work.authorize::<GrantAccess>(None)?;
                grant::delete(self.work.tx, permit, self.id, grant.id).await?;
                report.grants.removed += 1;
            }
        }
        let permit = self.work.authorize::<GrantAccess>(None)?;
        let new = NewGrants { organization: self.id, grants: new, now: self.work.now };
        let granted = grant::insert_many(self.work.tx, permit, new).await?;
        report.grants.created = granted.added.len();
        report.grants.updated = granted.changed.len();
        report.grants.unchanged = total.saturating_sub(granted.added.len()).saturating_sub(granted.changed.len());
        Ok(())
    }

    /// The default level of everyone (`S5.2`), and the role of everyone who may create repositories.
    async fn defaults(&self, wanted: &Wanted, grants: &[AccessGrant], report: &mut Report) -> Written<()> {
        (self.progress)("defaults", 1);
        let (kind, feature) = (&self.rules.app_kind, &self.rules.feature);
        let replaced = grant::set_default(
            self.work.tx,
            self.work.authorize::<GrantAccess>(None)?,
            DefaultAccess {
                organization: self.id,
                kind: kind.clone(),
                feature: feature.clone(),
                grant: wanted.default_level.clone().map(|level| (new_id(), Some(level))),
                now: self.work.now,
            },
        );
        let replaced = replaced.await?;
        let count = &mut report.defaults;
        match (replaced.added.is_empty(), replaced.removed.is_empty()) {
            (false, false) => count.updated += 1,
            (false, true) => count.created += 1,
            (true, false) => count.removed += 1,
            (true, true) => count.unchanged += usize::from(wanted.default_level.is_some()),
        }
        let Some(creator) = &self.rules.creators else { return Ok(()) };
        let held = grants.iter().any(|grant| {
            grant.grantee == Grantee::Everyone
                && grant.place == Place::Organization
                && grant.held == Held::Role(creator.clone())
        });
        match (wanted.creators, held) {
            (true, true) => count.unchanged += 1,
            (true, false) => {
                count.created += 1;
                self.assign(vec![role(Grantee::Everyone, creator)]).await?;
            }
            (false, true) => {
                count.removed += 1;
                let held = HeldRole { organization: self.id, grantee: Grantee::Everyone, role: creator.clone() };
                grant::remove_role(self.work.tx, self.work.authorize::<AssignRole>(None)?, held).await?;
            }
            (false, false) => {}
        }
        Ok(())
    }
}
