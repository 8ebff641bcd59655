//! The second model of a whole organization: slow, obvious, and written from the blueprint's document alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use gatehouse_access::{
    AppRef, Facts, Grant, Grantee, Held, Place, PrincipalId, Question,
    blueprint::{
        Document,
        document::{Holder, Role, RoleLevel},
    },
    facts::TeamFact,
    grant::TeamStep,
    verb::PERMISSIONS,
};
use uuid::Uuid;

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
    /// Shared: the world is copied at every step.
    pub(super) document: Arc<Document>,
    pub(super) plan: String,
    pub(super) members: Vec<Member>,
    pub(super) teams: Vec<Team>,
    pub(super) apps: Vec<App>,
    pub(super) grants: Vec<(Uuid, Gift)>,
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
                    self.gives(&gift).contains("members.read")
                })
        });
        let own: Vec<Uuid> = own.map(|app| app.id).collect();
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

    /// The features granted to somebody itself that lack what they need of other kinds of apps.
    pub(super) fn unmet(&self, grantee: Grantee) -> BTreeSet<String> {
        let reaching: Vec<Gift> = match grantee {
            Grantee::Member(id) => {
                let Some(member) = self.member(id) else { return BTreeSet::new() };
                let facts = self.facts(member).grants.into_iter();
                facts.map(|grant| Gift { grantee: grant.grantee, held: grant.held, place: grant.place }).collect()
            }
            _ => self.grants.iter().map(|(_, gift)| gift.clone()).filter(|gift| gift.grantee == grantee).collect(),
        };
        let mut unmet = BTreeSet::new();
        for gift in reaching.iter().filter(|gift| gift.grantee == grantee && grantee != Grantee::Everyone) {
            let Held::Feature { kind, feature, .. } = &gift.held else { continue };
            let Some(rules) = self.document.app_kinds.get(kind).and_then(|kind| kind.features.get(feature)) else {
                continue;
            };
            for needed in rules.requires.iter().filter(|needed| needed.contains('.')) {
                let prefix = format!("{needed}.");
                if !reaching.iter().any(|other| self.gives(other).iter().any(|right| right.starts_with(&prefix))) {
                    unmet.insert(format!("{gift:?} {needed}"));
                }
            }
        }
        unmet
    }

    /// Whether somebody may do something in an app.
    pub(super) fn may(&self, member: &Member, app: &App, feature: &str, action: &str) -> bool {
        self.with_place(app, |app| self.allows(&self.facts(member), Question::Action { app, feature, action }))
    }

    /// Whether an app exists for somebody, enabled or not.
    pub(super) fn sees(&self, member: &Member, app: &App) -> bool {
        let locked = self.document.levels.app.deny == gatehouse_access::blueprint::document::DenyMode::ShowLocked;
        if member.state == State::Active && locked {
            return true;
        }
        let facts = self.facts(member);
        let ancestors = self.above(app.id);
        let place = AppRef { id: app.id, kind: &app.kind, ancestors: &ancestors, active: true, public: app.public };
        self.document.app_kinds[&app.kind].features.iter().any(|(feature, rules)| {
            let mut actions = rules.actions.keys();
            actions.any(|action| self.allows(&facts, Question::Action { app: place, feature, action }))
        })
    }

    /// Everything these facts give that could be passed on at a place, word by word.
    fn rights_at(&self, facts: &Facts, place: &Place) -> BTreeSet<String> {
        let mut above = self.ancestors(place);
        if let Place::App { id, .. } = place {
            above.insert(0, *id);
        }
        let mut rights = BTreeSet::new();
        let known = PERMISSIONS.iter().map(|known| known.key);
        let keys: BTreeSet<&str> = known.chain(self.document.permissions.keys().map(String::as_str)).collect();
        for permission in keys {
            let app = AppRef { id: Uuid::max(), kind: "", ancestors: &above, active: true, public: false };
            if self.allows(facts, Question::PermissionOn { permission, app }) {
                rights.insert(permission.to_owned());
            }
        }
        for (kind, rules) in &self.document.app_kinds {
            let app = AppRef { id: Uuid::max(), kind, ancestors: &above, active: true, public: false };
            for (feature, rules) in &rules.features {
                for action in rules.actions.keys() {
                    if self.allows(facts, Question::Action { app, feature, action }) {
                        rights.insert(format!("{kind}.{feature}.{action}"));
                    }
                }
            }
        }
        rights
    }

    /// What a gift gives by itself.
    fn gives(&self, gift: &Gift) -> BTreeSet<String> {
        let nobody = PrincipalId::member(Uuid::max());
        let facts = Facts {
            organization: Uuid::nil(),
            organization_active: true,
            principal: nobody,
            principal_active: true,
            teams: vec![],
            grants: vec![Grant {
                id: Uuid::nil(),
                grantee: Grantee::Member(nobody.id),
                path: vec![],
                held: gift.held.clone(),
                place: gift.place.clone(),
                expires_at: None,
            }],
            scopes: None,
        };
        // A role's own ceiling is never below what it gives.
        self.rights_at(&facts, &gift.place)
    }

    pub(super) fn role(&self, key: &str) -> Option<&Role> {
        self.document.roles.get(key)
    }

    /// Organization roles that fill a slot of members.
    pub(super) fn is_main(&self, key: &str) -> bool {
        self.role(key).is_some_and(|role| {
            role.level == RoleLevel::Organization && !role.flag && role.holders.contains(&Holder::Member)
        })
    }

    pub(super) fn slot(&self, key: &str) -> Option<String> {
        let only = self.document.slots.keys().next().cloned().unwrap_or_default();
        self.is_main(key).then(|| self.role(key).and_then(|role| role.slot.clone()).unwrap_or(only))
    }

    /// The organization roles that a member holds by grants of its own.
    pub(super) fn roles_of(&self, member: Uuid) -> Vec<String> {
        let own = self
            .grants
            .iter()
            .filter(|(_, gift)| gift.grantee == Grantee::Member(member) && gift.place == Place::Organization);
        own.filter_map(|(_, gift)| match &gift.held {
            Held::Role(role) => Some(role.clone()),
            Held::Feature { .. } => None,
        })
        .collect()
    }

    /// The rules of every role by which somebody may give at a place.
    fn rules_at(&self, facts: &Facts, place: &Place) -> Vec<&Role> {
        let above = self.ancestors(place);
        let reaches = |grant: &&Grant| match (&grant.place, place) {
            (Place::Organization, _) => true,
            (Place::App { .. }, Place::Organization) => false,
            (Place::App { id, .. }, Place::App { id: here, .. }) => id == here || above.contains(id),
        };
        let held = facts.grants.iter().filter(reaches).filter_map(|grant| match &grant.held {
            Held::Role(role) => self.role(role),
            Held::Feature { .. } => None,
        });
        held.collect()
    }

    fn assigns(&self, facts: &Facts, role: &str, place: &Place) -> bool {
        self.rules_at(facts, place).iter().any(|rules| rules.assigns.iter().any(|name| name == "*" || name == role))
    }

    /// Whether the blueprint has this to give there, to such a grantee.
    fn fits(&self, gift: &Gift) -> bool {
        match &gift.held {
            Held::Role(key) => self.role(key).is_some_and(|role| {
                let holder = match gift.grantee {
                    Grantee::Member(_) => Holder::Member,
                    Grantee::Team(_) => Holder::Team,
                    Grantee::ServiceAccount(_) => Holder::ServiceAccount,
                    Grantee::Everyone => Holder::Everyone,
                };
                let place = match (role.level, &gift.place) {
                    (RoleLevel::Organization, Place::Organization) => true,
                    (RoleLevel::App, Place::App { kind, .. }) => role.kinds.is_empty() || role.kinds.contains(kind),
                    (RoleLevel::Feature, Place::App { kind, .. }) => {
                        role.feature.as_ref().is_some_and(|feature| feature.split('.').next() == Some(kind))
                    }
                    _ => false,
                };
                place && role.holders.contains(&holder)
            }),
            Held::Feature { kind, feature, level } => {
                let known = self.document.app_kinds.get(kind).and_then(|kind| kind.features.get(feature));
                let level_fits = known.is_some_and(|known| match level {
                    None => known.levels.is_empty(),
                    Some(level) => known.levels.iter().any(|known| known.key == *level),
                });
                let place = match &gift.place {
                    Place::Organization => true,
                    Place::App { kind: there, .. } => there == kind,
                };
                let everyone = gift.grantee != Grantee::Everyone
                    || gift.place == Place::Organization
                        && self.document.everyone.access.iter().any(|access| {
                            access.app_kind == *kind
                                && access.feature == *feature
                                && level.as_ref().is_some_and(|level| access.levels.contains(level))
                        });
                level_fits && place && everyone && known.is_some_and(|known| !known.roles_only)
            }
        }
    }

    /// Nobody raises themselves; where the blueprint says bounded, nobody gives what they do not hold.
    pub(super) fn within_bounds(&self, author: &Member, gift: &Gift) -> bool {
        let facts = self.facts(author);
        let holds = self.gives(gift).is_subset(&self.rights_at(&facts, &gift.place));
        let is_self = match gift.grantee {
            Grantee::Member(id) => id == author.id,
            Grantee::Team(id) => facts.teams.iter().any(|team| team.id == id),
            Grantee::ServiceAccount(_) => false,
            Grantee::Everyone => true,
        };
        let mut rules = self.rules_at(&facts, &gift.place).into_iter();
        let is_free = rules
            .any(|rules| !rules.bounded || matches!(&gift.held, Held::Role(role) if rules.delegates.contains(role)));
        holds || !is_self && is_free
    }

    pub(super) fn may_give(&self, author: &Member, gift: &Gift) -> bool {
        let assigned = match &gift.held {
            Held::Role(role) => self.assigns(&self.facts(author), role, &gift.place),
            Held::Feature { .. } => true,
        };
        self.fits(gift) && assigned && self.within_bounds(author, gift)
    }

    /// Whether a member's own roles let it hold this: prerequisites and ceilings.
    pub(super) fn may_hold(&self, roles: &[String], gift: &Gift) -> bool {
        let prerequisite = match &gift.held {
            Held::Role(role) => self.role(role).is_some_and(|role| {
                role.requires.is_empty() || role.requires.iter().any(|needed| roles.contains(needed))
            }),
            Held::Feature { .. } => true,
        };
        let gives = self.gives(gift);
        let below = roles
            .iter()
            .filter_map(|role| self.role(role)?.ceiling.as_ref())
            .all(|ceiling| gives.iter().all(|right| ceiling.iter().any(|selector| self.names(selector, right))));
        prerequisite && below
    }

    /// Whether a selector names a right, written as `area.verb` or `kind.feature.action`.
    fn names(&self, selector: &str, right: &str) -> bool {
        let parts: Vec<&str> = right.split('.').collect();
        match parts[..] {
            [kind, feature, action] => self
                .document
                .app_kinds
                .get(kind)
                .and_then(|kind| kind.features.get(feature))
                .is_some_and(|rules| naive::names_action(selector, &naive::Spot { kind, feature, action, rules })),
            _ => naive::names_permission(selector, right),
        }
    }

    /// Whether somebody gives and takes a role at a place.
    pub(super) fn may_assign(&self, author: &Member, role: &str, place: &Place) -> bool {
        self.role(role).is_none() || self.assigns(&self.facts(author), role, place)
    }

    pub(super) fn may_take(&self, author: &Member, roles: &[String]) -> bool {
        let facts = self.facts(author);
        roles
            .iter()
            .filter(|role| self.role(role).is_some())
            .all(|role| self.assigns(&facts, role, &Place::Organization))
    }

    /// Whether somebody with these roles is above who gives access: as for taking the roles; for an author who assigns none, those
    /// are who give access themselves.
    fn is_above(&self, author: &Member, roles: &[String]) -> bool {
        let assigns_any =
            self.rules_at(&self.facts(author), &Place::Organization).iter().any(|rules| !rules.assigns.is_empty());
        let gives_access = |role: &&String| {
            let held = Held::Role((*role).clone());
            let gift = Gift { grantee: Grantee::Member(author.id), held, place: Place::Organization };
            self.gives(&gift).contains("access.grant")
        };
        let counted: Vec<String> = roles.iter().filter(|role| assigns_any || gives_access(role)).cloned().collect();
        !self.may_take(author, &counted)
    }

    /// Features of a member above the author are not the author's to change, where it gives in the whole organization.
    pub(super) fn is_of_nobody_above(&self, author: &Member, gift: &Gift) -> bool {
        let (Grantee::Member(id), Held::Feature { .. }) = (gift.grantee, &gift.held) else { return true };
        id == author.id || !self.holds(author, "access.grant") || !self.is_above(author, &self.roles_of(id))
    }

    /// Seats of active members and of pending ones, by pool.
    pub(super) fn seats(&self) -> BTreeMap<String, (u32, u32)> {
        let mut seats: BTreeMap<String, (u32, u32)> =
            self.document.seat_pools.keys().map(|pool| (pool.clone(), (0, 0))).collect();
        for member in &self.members {
            let roles = self.roles_of(member.id);
            for (pool, count) in &mut seats {
                if roles.iter().filter_map(|role| self.role(role)).any(|role| role.seats.contains(pool)) {
                    count.0 += u32::from(member.state == State::Active);
                    count.1 += u32::from(member.state == State::Pending);
                }
            }
        }
        seats
    }

    /// Whether nothing that must hold of the state has been broken on the way from `before`.
    pub(super) fn keeps_its_word(&self, before: &Self) -> bool {
        let (now, then) = (self.seats(), before.seats());
        let limits = &self.document.plans[&self.plan].seats;
        let seats = limits.iter().all(|(pool, limit)| {
            let count = |(active, pending): (u32, u32)| active + pending;
            count(now[pool]) <= *limit || count(now[pool]) <= count(then[pool])
        });
        let holders = |world: &Self, key: &str, place: &Place| {
            let active = world.members.iter().filter(|member| member.state == State::Active);
            let holds = |member: &&Member| {
                let facts = world.facts(member);
                // An app role is held on that very app, by a team too; an organization role by oneself alone.
                let mut grants = facts
                    .grants
                    .iter()
                    .filter(|grant| *place != Place::Organization || grant.grantee == Grantee::Member(member.id));
                grants.any(|grant| grant.held == Held::Role(key.to_owned()) && grant.place == *place)
            };
            u32::try_from(active.filter(holds).count()).unwrap()
        };
        let kept = self.document.roles.iter().filter(|(_, role)| role.min_holders > 0).all(|(key, role)| {
            let places: Vec<Place> = match role.level {
                RoleLevel::Organization => vec![Place::Organization],
                RoleLevel::App | RoleLevel::Feature => {
                    self.apps.iter().map(|app| Place::App { id: app.id, kind: app.kind.clone() }).collect()
                }
            };
            let left = |place: &&Place| match place {
                Place::Organization => true,
                Place::App { id, .. } => before.apps.iter().any(|app| app.id == *id),
            };
            places.iter().filter(left).all(|place| {
                let (was, is) = (holders(before, key, place), holders(self, key, place));
                is >= role.min_holders || was < role.min_holders && (*place != Place::Organization || is >= was)
            })
        });
        seats && kept
    }

    /// How many active members hold an organization role.
    pub(super) fn holders(&self, role: &str) -> usize {
        let active = self.members.iter().filter(|member| member.state == State::Active);
        active.filter(|member| self.roles_of(member.id).iter().any(|held| held == role)).count()
    }
}

/// The moment of everything: no grant here runs out.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}
