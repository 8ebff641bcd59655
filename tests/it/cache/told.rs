//! What callers and operators are told: how a change became visible, and the numbers.

use serde_json::json;

use crate::support::{
    database::TestDatabase,
    gateway::{Answer, Engines, Gateway, Person},
    people::member_id,
    redis,
};

fn mode(answer: &Answer) -> (&str, bool) {
    let told = &answer.body["extensions"]["revocation"];
    (told["mode"].as_str().unwrap_or("(none)"), told["ms"].is_u64())
}

/// alice makes carol a member and a super admin, in turns.
struct Turns {
    gateway: Gateway,
    alice: Person,
    carol: Person,
}

async fn turns(gateway: Gateway) -> Turns {
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let carol = gateway.member(&acme, "carol", "super_admin").await;
    gateway.settle().await;
    Turns { gateway, alice, carol }
}

impl Turns {
    async fn demote(&self, key: Option<&str>) -> Answer {
        let input = json!({ "member": member_id(self.carol.member.unwrap()), "role": "member", "idempotencyKey": key });
        self.alice.call("changeMemberRole", input, "member { id }").await.ok()
    }
}

#[tokio::test]
async fn a_change_tells_how_it_became_visible() {
    for engines in Engines::ALL {
        let turns = turns(Gateway::on(engines).await).await;
        assert_eq!(mode(&turns.demote(None).await), ("immediate", true), "{engines:?}");
        let asked = turns.alice.ask("{ viewer { id } }").await.ok();
        assert_eq!(mode(&asked).0, "(none)", "{engines:?}");
    }
}

/// A Redis that may lose what it acknowledged is waited for, and says so.
#[tokio::test]
async fn a_change_waits_for_every_gateway_where_redis_is_not_trusted() {
    let server = redis::start();
    let url = format!("redis://127.0.0.1:{}", server.port);
    let mut admin = ::redis::Client::open(url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let _: () = ::redis::cmd("CONFIG").arg("SET").arg("save").arg("3600 1").query_async(&mut admin).await.unwrap();
    let turns = turns(Gateway::with(TestDatabase::postgres().await, Some(url)).await).await;
    assert_eq!(mode(&turns.demote(None).await), ("lease", true));
    assert!(turns.gateway.service.grants().metrics().contains("gatehouse_redis_trusted 0"));
}

/// Whoever made the change the first time may have died before every gateway knew of it.
#[tokio::test]
async fn a_repeated_answer_is_given_when_every_gateway_knows_of_the_change() {
    let turns = turns(Gateway::on(Engines::PostgresAndRedis).await).await;
    assert_eq!(mode(&turns.demote(Some("once")).await).0, "immediate");
    assert_eq!(mode(&turns.demote(Some("once")).await).0, "lease");
}

#[tokio::test]
async fn the_numbers_are_those_of_what_happened() {
    let turns = turns(Gateway::on(Engines::PostgresAndRedis).await).await;
    for _ in 0..50 {
        turns.carol.ask("{ viewer { id } }").await.ok();
    }
    turns.demote(None).await;
    let numbers = turns.gateway.service.grants().metrics();
    let number = |name: &str| -> f64 {
        let line = numbers.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}\n{numbers}"));
        line.rsplit_once(' ').unwrap().1.parse().unwrap()
    };
    assert!(number("gatehouse_grant_reads_total{outcome=\"hit\"") >= 40.0, "{numbers}");
    assert!(number("gatehouse_grant_reads_total{outcome=\"miss\"") >= 1.0, "{numbers}");
    assert!(number("gatehouse_grant_fills_total{outcome=\"stored\"") >= 1.0, "{numbers}");
    assert!(number("gatehouse_revocation_seconds_count{mode=\"immediate\"") >= 1.0, "{numbers}");
    assert!(number("gatehouse_database_lease_age_seconds") < 10.0 && numbers.contains("gatehouse_redis_trusted 1"));
    assert!(numbers.ends_with("# EOF\n"));
}
