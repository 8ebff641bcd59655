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
