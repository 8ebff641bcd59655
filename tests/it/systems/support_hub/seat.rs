//! Seats and plans: S3.55 to S3.59, S3.79 with Q21 and Q28.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    events::Events,
    gateway::{Answer, Engines, Gateway, Person, Tenant},
};

const SEATS: &str = "pool label limit used reserved free full upgradeHint { key }";

async fn seats(person: &Person) -> Value {
    let answer = person.ask(&format!("{{ viewer {{ organization {{ seatUsage {{ {SEATS} }} }} }} }}")).await.ok();
    answer.at("viewer.organization.seatUsage.0").clone()
}

async fn workspace(gateway: &Gateway, plan: &str) -> (Tenant, Person) {
    let acme = gateway.organization("acme", "support-hub", plan).await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    (acme, alice)
}

#[tokio::test]
async fn s3_56_each_plan_has_its_number_of_teammates() {
    let gateway = Gateway::sqlite().await;
    let alice = gateway.person("alice").await;
    for (plan, limit) in [("free", 1), ("light", 1), ("growth", 3), ("business", 5), ("enterprise", 100)] {
        let input = json!({ "slug": plan, "name": plan, "blueprint": "support-hub", "plan": plan, "switch": true });
        let made = alice.call("createOrganization", input, "accessToken").await.ok();
        let there = alice.with_token(made.at("createOrganization.accessToken").as_str().unwrap());
        let usage = seats(&there).await;
        assert_eq!((&usage["limit"], &usage["used"], &usage["free"]), (&json!(limit), &json!(1), &json!(limit - 1)));
        assert_eq!(usage["full"], limit == 1, "{plan}");
    }
    let input = json!({ "slug": "gold", "name": "gold", "blueprint": "support-hub", "plan": "gold" });
    let unknown = alice.call("createOrganization", input, "accessToken").await;
    assert_eq!(unknown.refusals("createOrganization"), ["NOT_IN_BLUEPRINT"]);
}

async fn invite(alice: &Person, name: &str) -> Answer {
    let input = json!({ "email": format!("{name}@example.org"), "name": name, "role": "member", "notify": false });
    alice.call("inviteMember", input, "member { id }").await
}

#[tokio::test]
async fn s3_55_a_plan_is_full_at_its_number_of_teammates() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let (_, alice) = workspace(&gateway, "growth").await;
        for name in ["bob", "carol"] {
            invite(&alice, name).await.ok();
        }
        assert_eq!(invite(&alice, "dave").await.refusals("inviteMember"), ["SEAT_LIMIT"], "{engines:?}");
        assert_eq!(seats(&alice).await["reserved"], 2);
        // A smaller plan keeps everyone and stops invitations until the count fits (Q21).
        alice.call("changePlan", json!({ "plan": "light" }), "organization { id }").await.ok();
        assert_eq!(seats(&alice).await["reserved"], 2);
        assert_eq!(invite(&alice, "dave").await.refusals("inviteMember"), ["SEAT_LIMIT"]);
        alice.call("changePlan", json!({ "plan": "business" }), "organization { id }").await.ok();
        invite(&alice, "dave").await.ok();
    }
}

#[tokio::test]
async fn s3_56_the_seat_table_holds_under_sixteen_invitations_at_once() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let (_, alice) = workspace(&gateway, "business").await;
        let names: Vec<String> = (0..16).map(|n| format!("bob{n}")).collect();
        let answers = join_all(names.iter().map(|name| invite(&alice, name))).await;
        let refused: Vec<_> = answers.iter().flat_map(|answer| answer.refusals("inviteMember")).collect();
        assert_eq!(refused, ["SEAT_LIMIT"; 12], "{engines:?}");
        let usage = seats(&alice).await;
        assert_eq!((&usage["used"], &usage["reserved"], &usage["free"]), (&json!(1), &json!(4), &json!(0)));
    }
}

#[tokio::test]
async fn s3_57_and_s3_58_at_the_limit_the_pool_is_full_and_the_next_plan_is_named() {
    let gateway = Gateway::sqlite().await;
    let (acme, alice) = workspace(&gateway, "growth").await;
    gateway.member(&acme, "bob", "member").await;
    let asked = "{ viewer { organization { viewerCanInvite viewerCannotInviteReasons { code remedy } } } }";
    assert_eq!(alice.ask(asked).await.ok().at("viewer.organization.viewerCanInvite"), true);
    let before = seats(&alice).await;
    assert_eq!((&before["full"], &before["free"]), (&json!(false), &json!(1)));
    gateway.member(&acme, "carol", "member").await;
    let told = alice.ask(asked).await.ok();
    assert_eq!(told.at("viewer.organization.viewerCanInvite"), false);
    let reason = told.at("viewer.organization.viewerCannotInviteReasons.0");
    assert_eq!(reason["code"], "SEAT_LIMIT");
    // The two ways out (S3.59).
    let remedy = reason["remedy"].as_str().unwrap();
    assert!(remedy.contains("Remove a member") && remedy.contains("Business (5 seats)"), "{remedy}");
    let at = seats(&alice).await;
    assert_eq!((&at["full"], &at["free"], &at["upgradeHint"]["key"]), (&json!(true), &json!(0), &json!("business")));
    alice.call("changePlan", json!({ "plan": "enterprise" }), "organization { id }").await.ok();
    assert_eq!(alice.ask(asked).await.ok().at("viewer.organization.viewerCanInvite"), true);
    assert!(seats(&alice).await["upgradeHint"].is_null());
}

#[tokio::test]
async fn s3_59_removing_a_member_and_a_larger_plan_both_make_room() {
    let gateway = Gateway::sqlite().await;
    let (acme, alice) = workspace(&gateway, "growth").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    gateway.member(&acme, "carol", "member").await;
    assert_eq!(seats(&alice).await["full"], true);
    let selection = format!("organization {{ seatUsage {{ {SEATS} }} }}");
    let larger = alice.call("changePlan", json!({ "plan": "business" }), &selection).await;
    assert_eq!(larger.ok().at("changePlan.organization.seatUsage.0.free"), 2);
    // Smaller again: everyone stays, nobody more fits (Q21).
    alice.call("changePlan", json!({ "plan": "free" }), "organization { id }").await.ok();
    let over = seats(&alice).await;
    assert_eq!(
        (&over["limit"], &over["used"], &over["free"], &over["full"]),
        (&json!(1), &json!(3), &json!(0), &json!(true))
    );
    alice.call("changePlan", json!({ "plan": "growth" }), "organization { id }").await.ok();
    gateway.database.run("DELETE FROM member WHERE id = $1", [bob.member.into()]).await.unwrap();
    gateway.settle().await;
    assert_eq!(seats(&alice).await["free"], 1);
}

#[tokio::test]
async fn s3_79_who_holds_a_seat() {
    let gateway = Gateway::sqlite().await;
    let (acme, alice) = workspace(&gateway, "business").await;
    let counts = async || {
        let usage = seats(&alice).await;
        (usage["used"].as_u64().unwrap(), usage["reserved"].as_u64().unwrap())
    };
    // The creator counts as one (Q21).
    assert_eq!(counts().await, (1, 0));
    let pending = gateway.pending(&acme, "bob", "member", TimeDelta::days(7)).await;
    assert_eq!(counts().await, (1, 1));
    // Accepted: never counted twice.
    let set = async |sql: &str| {
        gateway.database.run(sql, [pending.into()]).await.unwrap();
        gateway.settle().await;
    };
    set("UPDATE invitation SET state = 'accepted' WHERE member_id = $1").await;
    set("UPDATE member SET state = 'active' WHERE id = $1").await;
    assert_eq!(counts().await, (2, 0));
    // Suspended and archived people hold none, nor does an invitation that has expired (Q28).
    set("UPDATE member SET state = 'suspended' WHERE id = $1").await;
    assert_eq!(counts().await, (1, 0));
    set("UPDATE member SET state = 'archived' WHERE id = $1").await;
    assert_eq!(counts().await, (1, 0));
    gateway.pending(&acme, "carol", "member", TimeDelta::seconds(-1)).await;
    assert_eq!(counts().await, (1, 0));
}

#[tokio::test]
async fn the_usage_is_followed_as_it_changes_and_not_when_it_does_not() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let (acme, alice) = workspace(&gateway, "growth").await;
        let mut events =
            Events::open(&gateway, &alice, "subscription { seatUsageChanged(take: 3) { limit used reserved } }").await;
        let seen = events.next().await.unwrap();
        assert_eq!(seen["data"]["seatUsageChanged"], json!([{ "limit": 3, "used": 1, "reserved": 0 }]), "{engines:?}");
        // A change that moves no seat is not told.
        alice.call("updateOrganization", json!({ "name": "Acme 2" }), "organization { id }").await.ok();
        alice.call("changePlan", json!({ "plan": "business" }), "organization { id }").await.ok();
        let seen = events.next().await.unwrap();
        assert_eq!(seen["data"]["seatUsageChanged"][0]["limit"], 5, "{engines:?}");
        gateway.pending(&acme, "bob", "member", TimeDelta::days(7)).await;
        gateway.settle().await;
        let seen = events.next().await.unwrap();
        assert_eq!(seen["data"]["seatUsageChanged"][0]["reserved"], 1, "{engines:?}");
        assert_eq!(events.next().await, None, "three were asked for");
    }
}

#[tokio::test]
async fn who_loses_the_place_follows_no_more_and_a_stranger_never_did() {
    let gateway = Gateway::sqlite().await;
    let (acme, alice) = workspace(&gateway, "growth").await;
    let bob = gateway.member(&acme, "bob", "super_admin").await;
    let carol = gateway.member(&acme, "carol", "member").await;
    let follow = "subscription { seatUsageChanged { used } }";
    let mut events = Events::open(&gateway, &bob, follow).await;
    assert_eq!(events.next().await.unwrap()["data"]["seatUsageChanged"][0]["used"], 3);
    let refused = Events::open(&gateway, &carol, follow).await.next().await.unwrap();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "a Member neither invites nor pays: {refused}");
    alice.call("deleteOrganization", json!({ "confirm": "acme" }), "deletedOrganizationId").await.ok();
    while let Some(event) = events.next().await {
        assert!(event["data"].is_null(), "{event}");
    }
    assert_eq!(gateway.stranger().ask(follow).await.codes().len(), 1);
    let none = Events::open(&gateway, &alice, "subscription { seatUsageChanged(take: 0) { used } }").await.next().await;
    assert!(none.is_none_or(|event| event["errors"].is_array()));
}
