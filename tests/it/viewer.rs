//! Who am I: the first thing every caller asks.

use crate::support::gateway::{Engines, Gateway};

#[tokio::test]
async fn a_member_sees_itself_in_its_organization() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let acme = gateway.organization("acme", "support-hub", "growth").await;
        let alice = gateway.member(&acme, "alice", "super_admin").await;
        let answer = alice.ask("{ viewer { name email organization { slug plan { label } } permissions } }").await.ok();
        assert_eq!(answer.at("viewer.name"), "alice", "{engines:?}");
        assert_eq!(answer.at("viewer.organization.slug"), "acme");
        assert_eq!(answer.at("viewer.organization.plan.label"), "Growth");
        assert!(answer.at("viewer.permissions").as_array().unwrap().iter().any(|p| p == "members.invite"));
    }
}

#[tokio::test]
async fn a_stranger_is_nobody_and_a_forged_token_is_refused() {
    let gateway = Gateway::sqlite().await;
    let answer = gateway.stranger().ask("{ viewer { name } }").await.ok();
    assert!(answer.at("viewer").is_null());
    let mallory = gateway.stranger().with_token("not.a.token");
    let answer = mallory.ask("{ viewer { name } }").await;
    assert_eq!((answer.status, answer.codes()), (401, vec!["UNAUTHENTICATED"]));
}

#[tokio::test]
async fn who_am_i_costs_no_statement_when_redis_knows() {
    let gateway = Gateway::on(Engines::PostgresAndRedis).await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    // The first request reads the database, and fills the cache behind the answer.
    let mut warm = false;
    for _ in 0..100 {
        let before = gateway.statements().await;
        alice.ask("{ viewer { id } }").await.ok();
        if gateway.statements().await == before {
            warm = true;
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(warm, "every request reads the database");
    let before = gateway.statements().await;
    for _ in 0..50 {
        alice.ask("{ viewer { id } }").await.ok();
    }
    assert_eq!(gateway.statements().await - before, 0);
}
