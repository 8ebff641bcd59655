//! A state machine over whole organizations: people of every blueprint try whatever they can think of, and after each step the
//! gateway must stand where the second model stands: decisions, visible apps, counts, seats, rows and activity entries.

use std::{collections::BTreeSet, sync::Arc};

use gatehouse::{
    access::{Blueprint, Grantee, Held, Place},
    graphql::node::NodeType,
    id::new_id,
    service::blueprint::IN_THE_BOX,
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use sea_orm::Value as Sql;
use serde_json::{Value, json};
use uuid::Uuid;

use self::{
    step::{Step, predict},
    world::{App, Gift, Member, State, World},
};
use crate::support::gateway::{Answer, Engines, Gateway, Person, Tenant, scale};

#[path = "../../../src/access/tests/naive/mod.rs"]
mod naive;
mod step;
mod world;

/// Steps on each database.
const STEPS: usize = 20_000;
/// Steps in one organization, before another one begins.
const STEPS_EACH: usize = 160;
/// How many people there are.
const PEOPLE: usize = 7;

/// An organization at the gateway and as it should be.
struct Machine<'g> {
    gateway: &'g Gateway,
    people: &'g [Person],
    tenant: Tenant,
    world: World,
    random: StdRng,
    /// What has happened, for who reads a failure.
    told: Vec<String>,
}

async fn begin<'g>(gateway: &'g Gateway, people: &'g [Person], number: usize) -> Machine<'g> {
    let (_, source) = IN_THE_BOX[number % IN_THE_BOX.len()];
    let document = Arc::new(Blueprint::parse(source).unwrap().document().clone());
    let plan = document.plans.keys().next_back().unwrap().clone();
    let input =
        json!({ "slug": format!("machine-{number}"), "name": "Machine", "blueprint": document.name, "plan": plan });
    // Signed in anew: this goes on for longer than an access token lives.
    let founder = people[0].with_token(&gateway.mint(&people[0], None));
    let answer = founder.call("createOrganization", input, "organization { slug }").await;
    assert_eq!((answer.status, answer.refusals("createOrganization").len()), (200, 0), "{}", answer.text);
    let sql = "SELECT id FROM organization WHERE slug = $1";
    let rows = gateway.database.rows(sql, [format!("machine-{number}").into()]).await;
    let tenant = Tenant { id: rows[0].try_get_by_index(0).unwrap(), slug: format!("machine-{number}") };
    let world = World { document, plan, members: vec![], teams: vec![], apps: vec![], grants: vec![], entries: 0 };
    let random = StdRng::seed_from_u64(number as u64);
    let mut machine = Machine { gateway, people, tenant, world, random, told: vec![] };
    machine.world.members = machine.members().await;
    machine.world.grants = machine.grants().await;
    machine.world.entries = machine.entries().await;
    machine
}

impl Machine<'_> {
    async fn members(&self) -> Vec<Member> {
        let sql = "SELECT m.id, m.state, m.email, i.id, i.invited_by FROM member m
                   LEFT JOIN invitation i ON i.member_id = m.id WHERE m.organization_id = $1 ORDER BY m.id";
        let rows = self.gateway.database.rows(sql, [self.tenant.id.into()]).await;
        let member = |row: &sea_orm::QueryResult| {
            let email: String = row.try_get_by_index(2).unwrap();
            let state: String = row.try_get_by_index(1).unwrap();
            let invitation: Option<Uuid> = row.try_get_by_index(3).unwrap();
            let by: Option<Uuid> = row.try_get_by_index(4).unwrap();
            Member {
                id: row.try_get_by_index(0).unwrap(),
                person: self.people.iter().position(|person| person.email == email).unwrap(),
                state: match state.as_str() {
                    "pending" => State::Pending,
                    "active" => State::Active,
                    "suspended" => State::Suspended,
                    _ => State::Archived,
                },
                invitation: by.zip(invitation),
            }
        };
        rows.iter().map(member).collect()
    }

    async fn grants(&self) -> Vec<(Uuid, Gift)> {
        let sql = "SELECT g.id, g.grantee_kind, g.grantee_id, g.role, g.app_kind, g.feature, g.level, g.app_id, a.kind
                   FROM access_grant g LEFT JOIN app a ON a.id = g.app_id WHERE g.organization_id = $1";
        let rows = self.gateway.database.rows(sql, [self.tenant.id.into()]).await;
        let text = |row: &sea_orm::QueryResult, index| row.try_get_by_index::<Option<String>>(index).unwrap();
        let grant = |row: &sea_orm::QueryResult| {
            let grantee: Option<Uuid> = row.try_get_by_index(2).unwrap();
            let app: Option<Uuid> = row.try_get_by_index(7).unwrap();
            let gift = Gift {
                grantee: match (text(row, 1).unwrap().as_str(), grantee) {
                    ("member", Some(id)) => Grantee::Member(id),
                    ("team", Some(id)) => Grantee::Team(id),
                    ("service_account", Some(id)) => Grantee::ServiceAccount(id),
                    _ => Grantee::Everyone,
                },
                held: match text(row, 3) {
                    Some(role) => Held::Role(role),
                    None => Held::Feature {
                        kind: text(row, 4).unwrap(),
                        feature: text(row, 5).unwrap(),
                        level: text(row, 6),
                    },
                },
                place: app.map_or(Place::Organization, |id| Place::App { id, kind: text(row, 8).unwrap() }),
            };
            (row.try_get_by_index(0).unwrap(), gift)
        };
        rows.iter().map(grant).collect()
    }

    async fn entries(&self) -> i64 {
        let sql = "SELECT count(*) FROM activity_entry WHERE organization_id = $1";
        self.gateway.database.rows(sql, [self.tenant.id.into()]).await[0].try_get_by_index(0).unwrap()
    }

    /// Who acts: as a member of this organization.
    fn person(&self, member: &Member) -> Person {
        let mut person = self.people[member.person].clone();
        person.member = Some(member.id);
        let token = self.gateway.mint(&person, (member.state != State::Pending).then_some(self.tenant.id));
        person.with_token(&token)
    }

    fn any<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        of.choose(&mut self.random).cloned()
    }

    /// Somebody tries something.
    fn think(&mut self, number: usize) -> Option<(Member, Step)> {
        let world = self.world.clone();
        let active: Vec<Member> = world.members.iter().filter(|m| m.state == State::Active).cloned().collect();
        // Who may do much is asked more often, so that much happens.
        let by = if self.random.random_bool(0.5) { active.first().cloned()? } else { self.any(&active)? };
        let members: Vec<Uuid> = world.members.iter().map(|member| member.id).collect();
        let teams: Vec<Uuid> = world.teams.iter().map(|team| team.id).collect();
        let apps: Vec<App> = world.apps.clone();
        let roles: Vec<String> = world.document.roles.keys().cloned().collect();
        let slug = format!("thing-{number}");
        let step = match self.random.random_range(0..24) {
            0..=2 => {
                let absent: Vec<usize> =
                    (0..PEOPLE).filter(|person| !world.members.iter().any(|m| m.person == *person)).collect();
                Step::Invite { person: self.any(&absent)?, roles: self.slots() }
            }
            3..=4 => {
                let pending: Vec<Member> =
                    world.members.iter().filter(|member| member.state == State::Pending).cloned().collect();
                return Some((self.any(&pending)?, Step::Accept));
            }
            5 => Step::Become { member: self.any(&members)?, role: self.any(&roles)? },
            6 => Step::Add { member: self.any(&members)?, role: self.any(&roles)? },
            7 => Step::Drop { member: self.any(&members)?, role: self.any(&roles)? },
            8..=11 => Step::Give(self.gift()?),
            12..=13 => Step::Take(self.any(&world.grants)?.0),
            14 if self.random.random_bool(0.5) => Step::Remove(self.any(&members)?),
            14 => Step::Leave,
            15 => Step::Found { slug, parent: self.maybe(&teams) },
            16..=17 => {
                let maintainer = self.any(&[None, None, Some(true), Some(false)])?;
                Step::Join { team: self.any(&teams)?, member: self.any(&members)?, maintainer }
            }
            18 => Step::Part { team: self.any(&teams)?, member: self.any(&members)? },
            19 if self.random.random_bool(0.7) => Step::Move { team: self.any(&teams)?, parent: self.maybe(&teams) },
            19 => Step::Dissolve(self.any(&teams)?),
            20..=21 if apps.len() < 8 => {
                let kinds: Vec<String> = world.document.app_kinds.keys().cloned().collect();
                let ids: Vec<Uuid> = apps.iter().map(|app| app.id).collect();
                Step::Make { slug, kind: self.any(&kinds)?, parent: self.maybe(&ids) }
            }
            20..=21 => Step::Delete(self.any(&apps)?.id),
            22 => Step::Switch { app: self.any(&apps)?.id, enabled: self.random.random_bool(0.7) },
            _ if self.random.random_bool(0.5) => {
                let plans: Vec<String> = world.document.plans.keys().cloned().collect();
                Step::Plan(self.any(&plans)?)
            }
            _ => {
                let rule = self.any(&world.document.everyone.access)?;
                let level = self.maybe(&rule.levels);
                Step::Default { kind: rule.app_kind, feature: rule.feature, level }
            }
        };
        Some((by, step))
    }

    fn maybe<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        if self.random.random_bool(0.5) { self.any(of) } else { None }
    }

    /// One role for each slot.
    fn slots(&mut self) -> Vec<String> {
        let world = &self.world;
        let slots: BTreeSet<Option<String>> =
            world.document.roles.keys().filter(|role| world.is_main(role)).map(|role| world.slot(role)).collect();
        let of = |slot: &Option<String>| -> Vec<String> {
            world
                .document
                .roles
                .keys()
                .filter(|role| world.is_main(role) && world.slot(role) == *slot)
                .cloned()
                .collect()
        };
        let choices: Vec<Vec<String>> = slots.iter().map(of).collect();
        choices.iter().filter_map(|roles| self.any(roles)).collect()
    }

    fn gift(&mut self) -> Option<Gift> {
        let world = self.world.clone();
        let mut grantees: Vec<Grantee> = world.members.iter().map(|member| Grantee::Member(member.id)).collect();
        grantees.extend(world.teams.iter().map(|team| Grantee::Team(team.id)));
        if self.random.random_bool(0.1) {
            grantees.push(Grantee::Everyone);
        }
        let place = match self.random.random_range(0..4) {
            0 => Place::Organization,
            _ => self.any(&world.apps).map(|app| Place::App { id: app.id, kind: app.kind })?,
        };
        let roles: Vec<String> = world.document.roles.keys().cloned().collect();
        let held = if self.random.random_bool(0.4) {
            Held::Role(self.any(&roles)?)
        } else {
            let kinds: Vec<String> = world.document.app_kinds.keys().cloned().collect();
            let kind = match &place {
                Place::App { kind, .. } if self.random.random_bool(0.95) => kind.clone(),
                Place::App { .. } | Place::Organization => self.any(&kinds)?,
            };
            let rules = &world.document.app_kinds[&kind];
            let features: Vec<String> = rules.features.keys().cloned().collect();
            let feature = self.any(&features)?;
            let levels: Vec<String> = rules.features[&feature].levels.iter().map(|level| level.key.clone()).collect();
            let level = if levels.is_empty() { None } else { self.any(&levels) };
            Held::Feature { kind, feature, level }
        };
        Some(Gift { grantee: self.any(&grantees)?, held, place })
    }

    /// The mutation of a step.
    fn call(&self, step: &Step) -> (&'static str, Value) {
        let member = |id: &Uuid| NodeType::Member.id(*id);
        let team = |id: &Uuid| NodeType::Team.id(*id);
        let app = |id: &Uuid| NodeType::App.id(*id);
        match step {
            Step::Invite { person, roles } => {
                let email = &self.people[*person].email;
                let names = json!({ "name": "Some One", "firstName": "Some", "lastName": "One" });
                let mut input = json!({ "email": email, "access": [], "notify": false });
                match &roles[..] {
                    [role] => input["role"] = json!(role),
                    roles => input["roles"] = json!(roles),
                }
                for (key, value) in names.as_object().unwrap() {
                    input[key] = value.clone();
                }
                ("inviteMember", input)
            }
            Step::Accept => unreachable!("asked apart"),
            Step::Become { member: id, role } => ("changeMemberRole", json!({ "member": member(id), "role": role })),
            Step::Add { member: id, role } => ("addMemberRole", json!({ "member": member(id), "role": role })),
            Step::Drop { member: id, role } => ("removeMemberRole", json!({ "member": member(id), "role": role })),
            Step::Give(gift) => {
                let grantee = match gift.grantee {
                    Grantee::Member(id) => json!({ "member": member(&id) }),
                    Grantee::Team(id) => json!({ "team": team(&id) }),
                    Grantee::ServiceAccount(_) | Grantee::Everyone => json!({ "everyone": true }),
                };
                let gives = match &gift.held {
                    Held::Role(role) => json!({ "role": role }),
                    Held::Feature { kind, feature, level } => {
                        json!({ "feature": { "kind": kind, "feature": feature, "level": level } })
                    }
                };
                let place = match &gift.place {
                    Place::Organization => Value::Null,
                    Place::App { id, .. } => json!(app(id)),
                };
                ("grantAccess", json!({ "grantee": grantee, "gives": gives, "app": place }))
            }
            Step::Take(id) => ("revokeAccess", json!({ "grant": NodeType::Grant.id(*id) })),
            Step::Remove(id) => ("removeMember", json!({ "member": member(id), "confirm": true })),
            Step::Leave => ("leaveOrganization", json!({ "confirm": true })),
            Step::Found { slug, parent } => {
                ("createTeam", json!({ "slug": slug, "name": slug, "parent": parent.as_ref().map(team) }))
            }
            Step::Join { team: id, member: who, maintainer } => {
                ("addTeamMember", json!({ "team": team(id), "member": member(who), "maintainer": maintainer }))
            }
            Step::Part { team: id, member: who } => {
                ("removeTeamMember", json!({ "team": team(id), "member": member(who) }))
            }
            Step::Move { team: id, parent } => {
                ("updateTeam", json!({ "team": team(id), "parent": parent.as_ref().map(team) }))
            }
            Step::Dissolve(id) => ("deleteTeam", json!({ "team": team(id) })),
            Step::Make { slug, kind, parent } => {
                let parent = parent.as_ref().map(app);
                ("createApp", json!({ "slug": slug, "name": slug, "kind": kind, "parent": parent }))
            }
            Step::Switch { app: id, enabled } => {
                let state = if *enabled { "ACTIVE" } else { "DISABLED" };
                ("updateApp", json!({ "app": app(id), "state": state }))
            }
            Step::Delete(id) => {
                let slug = self.world.apps.iter().find(|app| app.id == *id).map(|app| app.slug.clone());
                ("deleteApp", json!({ "app": app(id), "confirm": slug }))
            }
            Step::Plan(plan) => ("changePlan", json!({ "plan": plan })),
            Step::Default { kind, feature, level } => {
                ("setDefaultAccess", json!({ "appKind": kind, "feature": feature, "level": level }))
            }
        }
    }

    async fn send(&self, by: &Member, step: &Step) -> (Answer, &'static str) {
        let person = self.person(by);
        let (mutation, input) = match step {
            Step::Accept => {
                let invitation = NodeType::Invitation.id(by.invitation.unwrap().1);
                ("acceptInvitation", json!({ "proof": { "invitation": invitation } }))
            }
            step => self.call(step),
        };
        (person.call(mutation, input, "__typename").await, mutation)
    }

    /// One step at both, and a comparison of all there is. An idea that has nothing to be tried on (no team to leave, no app
    /// to delete) is no step: another one is thought of.
    async fn step(&mut self, number: usize) {
        let (by, step) = (0..100).find_map(|_| self.think(number)).unwrap();
        let expected = predict(&self.world, &by, &step);
        let (answer, mutation) = self.send(&by, &step).await;
        let known = ["FORBIDDEN", "NOT_FOUND"];
        let sane = answer.status == 200 && answer.codes().iter().all(|code| known.contains(code));
        let made = answer.codes().is_empty() && answer.refusals(mutation).is_empty();
        let roles = self.world.roles_of(by.id);
        self.told.push(format!("#{number} {:?} {roles:?} tries {step:?}: {made} {}", by.id, answer.text));
        assert!(sane && made == expected.is_some(), "expected {}\n{}", expected.is_some(), self.story());
        if let Some(mut next) = expected {
            next.name_fresh(self.fresh(&step).await);
            self.world = next;
        }
        self.compare(made).await;
        // Rows are compared after every step, what a member is shown after every third.
        if number.is_multiple_of(3) {
            self.look().await;
        }
    }

    /// The id of what a step has made.
    async fn fresh(&self, step: &Step) -> Uuid {
        let (sql, name) = match step {
            Step::Invite { person, .. } => {
                ("SELECT id FROM member WHERE organization_id = $1 AND email = $2", self.people[*person].email.clone())
            }
            Step::Found { slug, .. } => ("SELECT id FROM team WHERE organization_id = $1 AND slug = $2", slug.clone()),
            Step::Make { slug, .. } => ("SELECT id FROM app WHERE organization_id = $1 AND slug = $2", slug.clone()),
            _ => return new_id(),
        };
        let rows = self.gateway.database.rows(sql, [Sql::from(self.tenant.id), name.into()]).await;
        rows[0].try_get_by_index(0).unwrap()
    }

    fn story(&self) -> String {
        let from = self.told.len().saturating_sub(40);
        let steps = self.told[from..].join("\n");
        let grants: Vec<_> = self.world.grants.iter().map(|(id, gift)| format!("{id} {gift:?}")).collect();
        let grants = grants.join("\n");
        format!("{} of {}\n{steps}\n{grants}", self.tenant.slug, self.world.document.name)
    }

    /// Rows and entries.
    async fn compare(&mut self, made: bool) {
        assert_eq!(self.entries().await, self.world.entries, "entries: {}", self.story());
        if made {
            let members = self.members().await;
            let states = |members: &[Member]| -> BTreeSet<String> {
                members.iter().map(|member| format!("{} {:?}", member.id, member.state)).collect()
            };
            assert_eq!(states(&members), states(&self.world.members), "members: {}", self.story());
            let grants = self.grants().await;
            let told = |grants: &[(Uuid, Gift)]| -> BTreeSet<String> {
                grants.iter().map(|(_, gift)| format!("{gift:?}")).collect()
            };
            assert_eq!(told(&grants), told(&self.world.grants), "grants: {}", self.story());
            self.world.members = members;
            self.world.grants = grants;
        }
    }

    /// What one member sees and may do, of all there is to see.
    async fn look(&mut self) {
        let members = self.world.members.clone();
        let Some(viewer) = self.any(&members).filter(|member| member.state == State::Active) else { return };
        let app = self.any(&self.world.apps.clone());
        let mut document = format!(
            "{{ organization(slug: \"{}\") {{ apps(first: 100) {{ totalCount edges {{ node {{ id }} }} }}
               members(first: 1) {{ totalCount }} seatUsage {{ pool used reserved }} }}",
            self.tenant.slug
        );
        let mut asked = None;
        let mut check = String::new();
        if let Some(app) = &app {
            let kind = self.world.document.app_kinds[&app.kind].clone();
            let features: Vec<String> = kind.features.keys().cloned().collect();
            let feature = self.any(&features).unwrap();
            let actions: Vec<String> = kind.features[&feature].actions.keys().cloned().collect();
            let action = self.any(&actions).unwrap();
            check = format!(
                "{{ check(member: \"{}\", app: \"{}\", feature: \"{feature}\", action: \"{action}\") {{ allowed }} }}",
                *NodeType::Member.id(viewer.id),
                *NodeType::App.id(app.id)
            );
            asked = Some((feature, action));
        }
        document += " }";
        let answer = self.person(&viewer).ask(&document).await;
        let story =
            |what: &str, machine: &Self| format!("{what} of {}: {}\n{}", viewer.id, answer.text, machine.story());
        let expected: BTreeSet<String> = self
            .world
            .apps
            .iter()
            .filter(|app| self.world.sees(&viewer, app))
            .map(|app| NodeType::App.id(app.id).to_string())
            .collect();
        let edges = answer.at("organization.apps.edges").as_array().cloned().unwrap_or_default();
        let shown: BTreeSet<String> =
            edges.iter().map(|edge| edge["node"]["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(shown, expected, "{}", story("apps", self));
        assert_eq!(answer.at("organization.apps.totalCount"), expected.len(), "{}", story("count", self));
        let present = self.world.members.iter().filter(|member| member.state != State::Archived);
        let people = present.filter(|member| self.world.sees_member(&viewer, member.id)).count();
        assert_eq!(answer.at("organization.members.totalCount"), people, "{}", story("members", self));
        let permissions = ["billing.read", "usage.read", "members.invite"];
        let shown = permissions.iter().any(|permission| self.world.holds(&viewer, permission));
        // Without pools of seats, those who invite at an app alone are shown the empty list.
        if !self.world.document.seat_pools.is_empty() {
            assert_eq!(answer.at("organization.seatUsage").is_array(), shown, "{}", story("who sees seats", self));
        }
        for usage in answer.at("organization.seatUsage").as_array().cloned().unwrap_or_default() {
            let (active, pending) = self.world.seats()[usage["pool"].as_str().unwrap()];
            assert_eq!(usage["used"], active, "{}", story("seats", self));
            assert_eq!(usage["reserved"], pending, "{}", story("seats", self));
        }
        if let (Some(app), Some((feature, action))) = (app, asked) {
            let answer = self.person(&viewer).ask(&check).await;
            let story =
                |what: &str, machine: &Self| format!("{what} of {}: {}\n{}", viewer.id, answer.text, machine.story());
            if self.world.sees(&viewer, &app) {
                let allowed = self.world.may(&viewer, &app, &feature, &action);
                assert_eq!(answer.at("check.allowed"), allowed, "{}", story(&format!("{feature}.{action}"), self));
            } else {
                assert_eq!(answer.codes(), ["NOT_FOUND"], "{}", story("hidden app", self));
            }
        }
    }
}

async fn run(engines: Engines) {
    let gateway = Gateway::on(engines).await;
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        people.push(gateway.person(&format!("person{number}")).await);
    }
    let steps =
        std::env::var("GATEHOUSE_MACHINE_STEPS").ok().and_then(|text| text.parse().ok()).unwrap_or(STEPS) * scale();
    for number in 0..steps.div_ceil(STEPS_EACH) {
        let mut machine = begin(&gateway, &people, number).await;
        for step in 0..STEPS_EACH {
            machine.step(step).await;
        }
    }
}

#[tokio::test]
async fn the_gateway_agrees_with_the_second_model_on_sqlite() {
    run(Engines::Embedded).await;
}

#[tokio::test]
async fn the_gateway_agrees_with_the_second_model_on_postgresql() {
    run(Engines::Postgres).await;
}
