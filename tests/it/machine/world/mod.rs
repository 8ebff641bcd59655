//! The second model of a whole organization: slow, obvious, and written from the blueprint's document alone.

mod custom;
mod rights;
mod word;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use gatehouse_access::{
    AppRef, Facts, Grant, Grantee, Held, Place, PrincipalId, Question,
    blueprint::{Document, document::DenyMode},
    facts::TeamFact,
    grant::TeamStep,
};
use uuid::Uuid;

pub(super) use self::custom::Custom;
use super::naive;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Pending,
    Active,
    Suspended,
    Archived,
}

#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) id: Uuid,
    /// Which of the people it is.
    pub(super) person: usize,
    pub(super) state: State,
    /// Who invited it, and by which invitation.
    pub(super) invitation: Option<(Uuid, Uuid)>,
    /// Whether it ever took its place.
    pub(super) joined: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Team {
    pub(super) id: Uuid,
    pub(super) parent: Option<Uuid>,
    /// Members, and whether each is a maintainer.
    pub(super) members: BTreeMap<Uuid, bool>,
}

#[derive(Debug, Clone)]
pub(super) struct App {
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) slug: String,
    pub(super) parent: Option<Uuid>,
    pub(super) enabled: bool,
    pub(super) public: bool,
}

/// What somebody is given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gift {
    pub(super) grantee: Grantee,
    pub(super) held: Held,
    pub(super) place: Place,
}

/// An organization as it should be.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// The blueprint as it is written. Shared: the world is copied at every step.
    pub(super) blueprint: Arc<Document>,
    /// The organization's own roles, switched off or not.
    pub(super) custom: Vec<Custom>,
    /// The rules of now: the blueprint's, and the organization's own roles.
    pub(super) document: Arc<Document>,
    pub(super) plan: String,
    pub(super) members: Vec<Member>,
    pub(super) teams: Vec<Team>,
    pub(super) apps: Vec<App>,
    pub(super) grants: Vec<(Uuid, Gift)>,
    /// Who gave a grant, by its row; what a role brought was given by nobody.
    pub(super) givers: BTreeMap<Uuid, Uuid>,
    /// How many activity entries there are.
    pub(super) entries: i64,
}

impl World {
    pub(super) fn member(&self, id: Uuid) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// Gives the new row the id it has at the gateway.
    pub(super) fn name_fresh(&mut self, id: Uuid) {
        let named = |old: Uuid| if old.is_nil() { id } else { old };
        for member in &mut self.members {
            member.id = named(member.id);
        }
        for team in &mut self.teams {
            team.id = named(team.id);
        }
        for app in &mut self.apps {
            app.id = named(app.id);
        }
        for (row, gift) in &mut self.grants {
            *row = named(*row);
            if let Grantee::Member(member) = &mut gift.grantee {
                *member = named(*member);
            }
            if let Place::App { id, .. } = &mut gift.place {
                *id = named(*id);
            }
        }
    }

    /// The apps above one, the nearest first.
    pub(super) fn above(&self, app: Uuid) -> Vec<Uuid> {
        let up = |id: Uuid| self.apps.iter().find(|app| app.id == id).and_then(|app| app.parent);
        std::iter::successors(up(app), |id| up(*id)).collect()
    }

    fn ancestors(&self, place: &Place) -> Vec<Uuid> {
        match place {
            Place::Organization => Vec::new(),
            Place::App { id, .. } => self.above(*id),
        }
    }

    /// The teams a member is in, directly or through one below, each with the way up to it.
    fn teams_of(&self, member: Uuid) -> Vec<(&Team, Vec<TeamStep>)> {
        let mut found: Vec<(&Team, Vec<TeamStep>)> = Vec::new();
        let mut open: Vec<(Uuid, Vec<TeamStep>)> =
            self.teams.iter().filter(|team| team.members.contains_key(&member)).map(|team| (team.id, vec![])).collect();
        while let Some((id, mut path)) = open.pop() {
            let team = self.teams.iter().find(|team| team.id == id).unwrap();
            path.push(TeamStep { id, name: String::new() });
            open.extend(team.parent.map(|parent| (parent, path.clone())));
            if !found.iter().any(|(known, _)| known.id == id) {
                found.push((team, path));
            }
        }
        found
    }

    pub(super) fn facts(&self, member: &Member) -> Facts {
        let teams = self.teams_of(member.id);
        let grant = |(id, gift): &(Uuid, Gift), path: &[TeamStep]| Grant {
            id: *id,
            grantee: gift.grantee,
            path: path.to_vec(),
            held: gift.held.clone(),
            place: gift.place.clone(),
            expires_at: None,
        };
        let own = self.grants.iter().filter(|(_, gift)| match gift.grantee {
            Grantee::Member(id) => id == member.id,
            Grantee::Everyone => true,
            Grantee::Team(_) | Grantee::ServiceAccount(_) => false,
        });
        let mut grants: Vec<Grant> = own.map(|row| grant(row, &[])).collect();
        for (team, path) in &teams {
            let of_team = self.grants.iter().filter(|(_, gift)| gift.grantee == Grantee::Team(team.id));
            grants.extend(of_team.map(|row| grant(row, path)));
        }
        let maintains = |team: &Team| team.members.get(&member.id).copied().unwrap_or(false);
        Facts {
            organization: Uuid::nil(),
            organization_active: true,
            principal: PrincipalId::member(member.id),
            principal_active: member.state == State::Active,
            teams: teams
                .iter()
                .map(|(team, path)| TeamFact { id: team.id, direct: path.len() == 1, maintainer: maintains(team) })
                .collect(),
            grants,
            scopes: None,
        }
    }

    fn allows(&self, facts: &Facts, question: Question<'_>) -> bool {
        naive::allows(&self.document, facts, question, now())
    }

    pub(super) fn holds(&self, member: &Member, permission: &str) -> bool {
        self.allows(&self.facts(member), Question::Permission(permission))
    }

    /// Whether a permission is held in the organization or on this app.
    pub(super) fn holds_on(&self, member: &Member, permission: &str, app: &App) -> bool {
        self.with_place(app, |app| self.allows(&self.facts(member), Question::PermissionOn { permission, app }))
    }

    fn with_place<T>(&self, app: &App, ask: impl FnOnce(AppRef<'_>) -> T) -> T {
        let ancestors = self.above(app.id);
        let is_enabled = |id: &Uuid| self.apps.iter().any(|app| app.id == *id && app.enabled);
        let active = app.enabled && ancestors.iter().all(is_enabled);
        ask(AppRef { id: app.id, kind: &app.kind, ancestors: &ancestors, active, public: app.public })
    }

    /// Whether an organization permission is held on an app as whoever manages it asks: that it is disabled itself is no
    /// obstacle.
    pub(super) fn manages(&self, member: &Member, permission: &str, app: &App) -> bool {
        self.with_place(&App { enabled: true, ..app.clone() }, |app| {
            self.allows(&self.facts(member), Question::PermissionOn { permission, app })
        })
    }

    /// Whether one member is shown another: by a permission in the organization, or as one of the people of an app.
    pub(super) fn sees_member(&self, viewer: &Member, other: Uuid) -> bool {
        if viewer.id == other || self.holds(viewer, "members.read") {
            return true;
        }
        let facts = self.facts(viewer);
        let own = self.apps.iter().filter(|app| {
            let place = Place::App { id: app.id, kind: app.kind.clone() };
            viewer.state == State::Active
                && facts.grants.iter().filter(|grant| grant.place == place).any(|grant| {
                    let gift = Gift { grantee: Grantee::Member(other), held: grant.held.clone(), place: place.clone() };
                    self.gives_right(&gift, "members.read")
                })
        });
        let own: Vec<Uuid> = own.map(|app| app.id).collect();
        if own.is_empty() {
            return false;
        }
        let is_open = |id: Uuid| self.apps.iter().any(|app| app.id == id && app.enabled);
        self.grants.iter().any(|(_, gift)| {
            let Place::App { id, .. } = gift.place else { return false };
            let above = self.above(id);
            let below = own.contains(&id) || above.iter().any(|app| own.contains(app));
            let open = is_open(id) && above.iter().all(|app| is_open(*app));
            let upward = own.iter().any(|app| self.above(*app).contains(&id));
            gift.grantee == Grantee::Member(other) && (below && open || upward)
        })
    }

    /// Whether an app is enabled, and all those above it.
    pub(super) fn is_open(&self, app: &App) -> bool {
        self.with_place(app, |app| app.active)
    }

    /// Whether an app is public and of a kind whose public apps nobody is added to (`S4.R10`).
    pub(super) fn is_closed(&self, app: &App) -> bool {
        let public = self.document.app_kinds[&app.kind].public.as_ref();
        app.public && public.is_some_and(|public| !public.grants)
    }

    /// Whether somebody may do something in an app.
    pub(super) fn may(&self, member: &Member, app: &App, feature: &str, action: &str) -> bool {
        self.with_place(app, |app| self.allows(&self.facts(member), Question::Action { app, feature, action }))
    }

    /// Whether an app exists for somebody, enabled or not.
    pub(super) fn sees(&self, member: &Member, app: &App) -> bool {
        let locked = self.document.levels.app.deny == DenyMode::ShowLocked;
        let facts = self.facts(member);
        let by_role = facts.grants.iter().any(|grant| {
            let Held::Role(role) = &grant.held else { return false };
            grant.place == Place::Organization && self.document.roles.get(role).is_some_and(|role| role.sees_locked)
        });
        if member.state == State::Active && (locked || by_role) {
            return true;
        }
        let ancestors = self.above(app.id);
        let place = AppRef { id: app.id, kind: &app.kind, ancestors: &ancestors, active: true, public: app.public };
        self.document.app_kinds[&app.kind].features.iter().any(|(feature, rules)| {
            let mut actions = rules.actions.keys();
            actions.any(|action| self.allows(&facts, Question::Action { app: place, feature, action }))
        })
    }
}

/// The moment of everything: no grant here runs out.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}
