//! A state machine over whole organizations: people of every blueprint try whatever they can think of, and after each step the
//! gateway must stand where the second model stands: decisions, visible apps, counts, seats, rows and activity entries.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use gatehouse::{access::Blueprint, graphql::node::NodeType, id::new_id, service::blueprint::IN_THE_BOX};
use rand::{SeedableRng, rngs::StdRng};
use sea_orm::Value as Sql;
use serde_json::json;
use uuid::Uuid;

use self::{
    step::{Step, predict},
    world::{Gift, Member, State, World},
};
use crate::support::gateway::{Answer, Engines, Gateway, Person, Tenant, scale};

mod call;
mod idea;
#[path = "../../../src/access/tests/naive/mod.rs"]
mod naive;
mod rows;
mod step;
mod world;

/// Steps on each database; `GATEHOUSE_MACHINE_STEPS` is another number of them.
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
    let world = World {
        blueprint: Arc::clone(&document),
        custom: vec![],
        document,
        plan,
        members: vec![],
        teams: vec![],
        apps: vec![],
        grants: vec![],
        givers: BTreeMap::new(),
        entries: 0,
    };
    let random = StdRng::seed_from_u64(number as u64);
    let mut machine = Machine { gateway, people, tenant, world, random, told: vec![] };
    machine.world.members = machine.members().await;
    (machine.world.grants, machine.world.givers) = machine.grants().await;
    machine.world.entries = machine.entries().await;
    machine
}

impl Machine<'_> {
    /// Who acts: as a member of this organization.
    fn person(&self, member: &Member) -> Person {
        let mut person = self.people[member.person].clone();
        person.member = Some(member.id);
        let token = self.gateway.mint(&person, (member.state != State::Pending).then_some(self.tenant.id));
        person.with_token(&token)
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
        self.compare(made.then_some(by.id)).await;
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

    /// Rows and entries; after a change also who made it.
    async fn compare(&mut self, author: Option<Uuid>) {
        assert_eq!(self.entries().await, self.world.entries, "entries: {}", self.story());
        let Some(author) = author else { return };
        let members = self.members().await;
        let states = |members: &[Member]| -> BTreeSet<String> {
            members.iter().map(|member| format!("{} {:?}", member.id, member.state)).collect()
        };
        assert_eq!(states(&members), states(&self.world.members), "members: {}", self.story());
        let (grants, givers) = self.grants().await;
        let told = |grants: &[(Uuid, Gift)]| -> BTreeSet<String> {
            grants.iter().map(|(_, gift)| format!("{gift:?}")).collect()
        };
        assert_eq!(told(&grants), told(&self.world.grants), "grants: {}", self.story());
        // Whoever gives is written down as the giver; what a role or a new app brings has none.
        let is_new = |row: &&Uuid| !self.world.givers.contains_key(row);
        let strange = givers.iter().find(|(row, giver)| is_new(row) && **giver != author);
        assert_eq!(strange, None, "giver: {}", self.story());
        self.world.members = members;
        (self.world.grants, self.world.givers) = (grants, givers);
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
