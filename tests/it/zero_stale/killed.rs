//! Gateways killed at random moments under a load of changes: no acknowledged change is lost, no seat is given twice, no
//! organization is left without an owner, and what was made and what was recorded are one to one.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::join_all;
use gatehouse::{graphql::node::NodeType, id::new_id};
use sea_orm::Value as Sql;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    company::{Company, Worker, id},
    dice::Dice,
    fleet::{Fleet, NODES},
    kind::{is_made, mutation},
};
use crate::support::gateway::{Answer, scale};

/// Kills at the usual scale.
const KILLS: usize = 20;
const COMPANIES: usize = 4;
const SEATS: i64 = 6;

/// One person's changes, one after the other, until the test is over.
struct Hand {
    fleet: Arc<Fleet>,
    dice: Arc<Dice>,
    over: Arc<AtomicBool>,
    token: String,
    /// The keys of what was acknowledged.
    made: BTreeSet<String>,
    refused: usize,
    /// How often a change had to be sent again.
    repeated: usize,
}

struct Place {
    organization: Uuid,
    owners: [Worker; 2],
    host: Worker,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_gateways_lose_nothing_that_was_acknowledged() {
    let (fleet, dice) = (Arc::new(Fleet::start().await), Arc::new(Dice::new()));
    let blueprint = fleet.office.blueprint("crew").await;
    let over = Arc::new(AtomicBool::new(false));
    let (mut places, mut hands) = (Vec::new(), Vec::new());
    for _ in 0..COMPANIES {
        let mut company = Company::new(&fleet, blueprint);
        let bob = company.worker(&fleet, "bob", "owner");
        let host = company.worker(&fleet, "carol", "host");
        company.write(&fleet).await;
        let place = Place { organization: company.organization, owners: [company.alice, bob], host };
        let hand = |token: &str| Hand {
            fleet: Arc::clone(&fleet),
            dice: Arc::clone(&dice),
            over: Arc::clone(&over),
            token: token.to_owned(),
            made: BTreeSet::new(),
            refused: 0,
            repeated: 0,
        };
        let [alice, bob] = &place.owners;
        hands.push(tokio::spawn(hand(&alice.token).raise_and_lower(bob.member)));
        hands.push(tokio::spawn(hand(&bob.token).raise_and_lower(alice.member)));
        hands.push(tokio::spawn(hand(&place.host.token).invite_and_take_back()));
        hands.push(tokio::spawn(hand(&place.host.token).invite_and_take_back()));
        places.push(place);
    }
    for _ in 0..KILLS * scale() {
        tokio::time::sleep(dice.up_to(250)).await;
        let node = &fleet.nodes[dice.below(NODES)];
        node.kill();
        check(&fleet, &places).await;
        node.start().await;
    }
    over.store(true, Ordering::SeqCst);
    let hands: Vec<Hand> = join_all(hands).await.into_iter().map(Result::unwrap).collect();
    check(&fleet, &places).await;
    let acknowledged: BTreeSet<&String> = hands.iter().flat_map(|hand| &hand.made).collect();
    let kept = texts(&fleet, "SELECT key FROM idempotency_record").await;
    let lost: Vec<_> = acknowledged.iter().filter(|key| !kept.contains(**key)).collect();
    let entries = fleet.office.database.count("SELECT count(*) FROM activity_entry").await;
    let (repeated, refused) = hands.iter().fold((0, 0), |(a, b), hand| (a + hand.repeated, b + hand.refused));
    eprintln!(
        "{} kills, {} changes acknowledged, {repeated} sent again, {refused} refused, {} lost, {entries} entries; seed {}",
        KILLS * scale(),
        acknowledged.len(),
        lost.len(),
        dice.seed
    );
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert_eq!(kept.len(), acknowledged.len(), "every change that was made was acknowledged in the end");
    assert_eq!(entries, i64::try_from(acknowledged.len()).unwrap(), "each change is recorded once");
    assert!(acknowledged.len() > KILLS * scale() && repeated > 0 && refused > 0);
}

impl Hand {
    /// Makes another person an owner and a host by turns: each time it is another role, and nobody else changes it.
    async fn raise_and_lower(mut self, other: Uuid) -> Self {
        let mut is_owner = true;
        while !self.over.load(Ordering::SeqCst) {
            let role = if is_owner { "host" } else { "owner" };
            let input = json!({ "member": id(NodeType::Member, other), "role": role });
            is_owner ^= self.change("changeMemberRole", input, "").await.is_some();
            tokio::time::sleep(self.dice.up_to(20)).await;
        }
        self
    }

    /// Invites until there is no seat, and takes half of the invitations back.
    async fn invite_and_take_back(mut self) -> Self {
        while !self.over.load(Ordering::SeqCst) {
            let input = json!({ "email": format!("g{}@example.org", new_id().simple()), "notify": false });
            let Some(answer) = self.change("inviteMember", input, "invitation { id }").await else {
                tokio::time::sleep(self.dice.up_to(40)).await;
                continue;
            };
            if self.dice.percent(70) {
                let invitation = answer.at("inviteMember.invitation.id").clone();
                assert!(self.change("revokeInvitation", json!({ "invitation": invitation }), "").await.is_some());
            }
        }
        self
    }

    /// Sends a change to any gateway until one says what became of it; the answer, if it was made.
    async fn change(&mut self, name: &str, mut input: Value, selection: &str) -> Option<Answer> {
        let key = new_id().to_string();
        input["idempotencyKey"] = json!(key);
        let request = mutation(name, &input, selection);
        for tries in 0..2_000 {
            let answer = self.fleet.ask(self.dice.below(NODES), &self.token, &request).await;
            self.repeated += usize::from(tries > 0);
            match answer {
                Some(answer) if is_made(&answer) => {
                    self.made.insert(key);
                    return Some(answer);
                }
                Some(answer) if is_final(&answer) => {
                    self.refused += 1;
                    return None;
                }
                Some(_) | None => tokio::time::sleep(self.dice.up_to(30)).await,
            }
        }
        panic!("{name} is never answered");
    }
}

/// Whether an answer says that a change was not made, and will not be.
fn is_final(answer: &Answer) -> bool {
    let codes = answer.codes();
    assert!(answer.status < 500 || codes.iter().all(|code| *code != "INTERNAL"), "{}", answer.text);
    answer.status == 200 && codes.iter().all(|code| ["FORBIDDEN", "NOT_FOUND"].contains(code))
}

/// What is true at every moment.
async fn check(fleet: &Fleet, places: &[Place]) {
    for place in places {
        let count = async |sql: &str| -> i64 {
            fleet.office.database.rows(sql, [Sql::from(place.organization)]).await[0].try_get_by_index(0).unwrap()
        };
        let seats = "SELECT count(*) FROM member m WHERE organization_id = $1 AND state IN ('active', 'pending')
            AND EXISTS (SELECT 1 FROM access_grant g WHERE g.grantee_id = m.id AND g.role = 'member')";
        let owners = "SELECT count(*) FROM member m JOIN access_grant g ON g.grantee_id = m.id
            WHERE m.organization_id = $1 AND m.state = 'active' AND g.role = 'owner'";
        let (seats, owners) = (count(seats).await, count(owners).await);
        assert!(seats <= SEATS, "{seats} of {SEATS} seats are taken");
        assert!(owners >= 1, "an organization has no owner");
    }
}

async fn texts(fleet: &Fleet, sql: &str) -> BTreeSet<String> {
    fleet.office.database.rows(sql, []).await.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}
