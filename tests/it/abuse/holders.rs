//! Roles, owners and places, attacked (C4, C7, C15, C16, C19).

use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::json;

use crate::{
    app_role::{House, give, house_on, switch},
    support::{
        gateway::{Engines, scale},
        people::{app_id, count, member_id, ticks},
    },
};

/// C4: two owners demote each other, and leave, at once: one remains, every time; so of an app's two keepers.
#[tokio::test]
async fn c4_two_holders_go_at_once_and_one_remains() {
    for engines in Engines::DATABASES {
        let House { gateway, acme, alice, bob, carol, north, .. } = house_on(engines).await;
        for round in 0..2 * scale() {
            let erin = gateway.member(&acme, &format!("erin-{round}"), "head").await;
            gateway.settle().await;
            let demote = |who: &crate::support::gateway::Person| json!({ "member": member_id(who.member.unwrap()), "role": "member" });
            let selection = "member { id }";
            let (one, other) = if round % 2 == 0 {
                tokio::join!(
                    alice.call("changeMemberRole", demote(&erin), selection),
                    erin.call("changeMemberRole", demote(&alice), selection)
                )
            } else {
                tokio::join!(
                    alice.call("changeMemberRole", demote(&alice), selection),
                    erin.call("leaveOrganization", json!({ "confirm": true }), "left")
                )
            };
            let held =
                "access_grant g JOIN member m ON m.id = g.grantee_id WHERE g.role = 'head' AND m.state = 'active'";
            assert_eq!(count(&gateway, held).await, 1, "{engines:?}: {} {}", one.text, other.text);
            // Whoever remained makes alice the only one again.
            let by = if count(&gateway, &format!("{held} AND m.name = 'alice'")).await == 1 { &alice } else { &erin };
            let back = json!({ "member": member_id(alice.member.unwrap()), "role": "head" });
            by.call("changeMemberRole", back, selection).await.ok();
            alice.call("changeMemberRole", demote(&erin), selection).await;
        }
        for _ in 0..scale() {
            give(&alice, &carol, (north, "keeper")).await.ok();
            give(&alice, &bob, (north, "keeper")).await.ok();
            let (one, other) = tokio::join!(
                switch(&bob, &carol, (north, "keeper", false)),
                switch(&carol, &bob, (north, "keeper", false))
            );
            let kept = count(&gateway, "access_grant WHERE role = 'keeper' AND app_id IS NOT NULL").await;
            assert_eq!(kept, 1, "{engines:?}: {} {}", one.text, other.text);
        }
        // One after the other too: the last is refused, whoever asks.
        let keeper = if count(
            &gateway,
            "access_grant g JOIN member m ON m.id = g.grantee_id WHERE g.role = 'keeper' AND m.name = 'bob'",
        )
        .await
            == 1
        {
            &bob
        } else {
            &carol
        };
        let last = switch(&alice, keeper, (north, "keeper", false)).await;
        assert_eq!(last.refusals("setAppRole"), ["LAST_HOLDER"], "{engines:?}");
    }
}

/// C7: a member is removed while others put it into things: they take turns, and nothing of it is left behind.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the other writer is an operator with a shell, past the store")]
async fn c7_whoever_is_removed_while_it_is_being_added_is_gone() {
    let House { gateway, alice, bob, dave, north, .. } = house_on(Engines::Postgres).await;
    let other = gateway.database.shell.begin().await.unwrap();
    other.execute_unprepared("SELECT 1 FROM organization FOR UPDATE").await.unwrap();
    let removing = tokio::spawn({
        let (alice, gone) = (alice.clone(), json!({ "member": member_id(dave.member.unwrap()), "confirm": true }));
        async move { alice.call("removeMember", gone, "removed").await }
    });
    gateway.database.until_waiting(1).await;
    let adding = tokio::spawn({
        let (bob, dave) = (bob.clone(), dave.clone());
        async move { give(&bob, &dave, (north, "visitor")).await }
    });
    gateway.database.until_waiting(2).await;
    other.rollback().await.unwrap();
    let (removed, added) = (removing.await.unwrap(), adding.await.unwrap());
    removed.ok();
    assert!(added.refusals("grantAccess") == ["STATE_CHANGED"] || added.body["errors"].is_null(), "{}", added.text);
    let id = dave.member.unwrap();
    assert_eq!(count(&gateway, &format!("access_grant WHERE grantee_id = '{id}'")).await, 0);
    assert_eq!(count(&gateway, &format!("member WHERE id = '{id}' AND state <> 'archived'")).await, 0);
    // Nor does it come back by what comes later.
    assert_eq!(give(&alice, &dave, (north, "visitor")).await.refusals("grantAccess"), ["STATE_CHANGED"]);
    assert_eq!(count(&gateway, &format!("access_grant WHERE grantee_id = '{id}'")).await, 0);
}

/// C15: a good outer object does not carry an inner one of another organization along.
#[tokio::test]
async fn c15_an_inner_object_of_another_organization_is_none() {
    for engines in Engines::DATABASES {
        let House { gateway, alice, bob, north, .. } = house_on(engines).await;
        let rival = gateway.organization("rival", "halls", "open").await;
        let mallory = gateway.member(&rival, "mallory", "head").await;
        let theirs = gateway.app(&rival, "hall", "theirs").await;
        gateway.settle().await;
        let before = count(&gateway, "access_grant").await;
        for answer in [
            switch(&alice, &mallory, (north, "visitor", true)).await,
            switch(&alice, &bob, (theirs, "visitor", true)).await,
            give(&alice, &mallory, (north, "visitor")).await,
            give(&mallory, &mallory, (north, "visitor")).await,
            switch(&mallory, &bob, (theirs, "visitor", true)).await,
        ] {
            assert_eq!(answer.codes(), ["NOT_FOUND"], "{engines:?}: {}", answer.text);
        }
        let tree = json!({ "member": member_id(bob.member.unwrap()),
                           "access": [{ "app": app_id(theirs), "features": [{ "feature": "desk" }] }] });
        assert_eq!(alice.call("updateMemberAccess", tree, "member { id }").await.codes(), ["NOT_FOUND"]);
        assert_eq!(count(&gateway, "access_grant").await, before, "{engines:?}");
    }
}

/// C16: of many things in one change each is judged, and one that is refused undoes all.
#[tokio::test]
async fn c16_every_item_of_many_is_judged() {
    let House { gateway, acme, carol, north: mine, south: other, .. } = house_on(Engines::Embedded).await;
    let bob = gateway.member(&acme, "steward", "steward").await;
    for app in [mine, other] {
        gateway.tick(&acme, &bob, app, "desk", None).await;
    }
    gateway.tick(&acme, &bob, mine, "books", None).await;
    let ticked = |app, features: &[&str]| {
        let features: Vec<_> = features.iter().map(|feature| json!({ "feature": feature })).collect();
        json!({ "app": app_id(app), "features": features })
    };
    let edit = |second: serde_json::Value| json!({ "member": member_id(carol.member.unwrap()), "access": [ticked(mine, &["desk", "books"]), second] });
    let refused = bob.call("updateMemberAccess", edit(ticked(other, &["desk", "books"])), "member { id }").await;
    assert_eq!(refused.refusals("updateMemberAccess"), ["NOT_GRANTABLE"], "{}", refused.text);
    assert!(ticks(&gateway, carol.member.unwrap()).await.is_empty(), "not even the first");
    bob.call("updateMemberAccess", edit(ticked(other, &["desk"])), "member { id }").await.ok();
    assert_eq!(ticks(&gateway, carol.member.unwrap()).await, ["north books", "north desk", "south desk"]);
}

/// C19: bob asks while somebody else holds the organization; before he gets his turn, his role on the app is taken.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the other writer is an operator with a shell, past the store")]
async fn c19_a_role_on_an_app_that_is_lost_while_a_change_waits_is_lost() {
    let House { gateway, bob, carol, north, .. } = house_on(Engines::Postgres).await;
    let other = gateway.database.shell.begin().await.unwrap();
    other.execute_unprepared("SELECT 1 FROM organization FOR UPDATE").await.unwrap();
    let asked = tokio::spawn({
        let (bob, carol) = (bob.clone(), carol.clone());
        async move { give(&bob, &carol, (north, "visitor")).await }
    });
    gateway.database.until_waiting(1).await;
    other.execute_unprepared("DELETE FROM access_grant WHERE role = 'keeper'").await.unwrap();
    other.commit().await.unwrap();
    let answer = asked.await.unwrap();
    assert_eq!(answer.codes(), ["FORBIDDEN"], "{}", answer.text);
    assert_eq!(count(&gateway, "access_grant WHERE role = 'visitor'").await, 0);
}
