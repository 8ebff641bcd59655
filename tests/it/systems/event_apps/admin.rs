//! What becoming and being no longer an Admin brings with it (S1.22, S1.23, S1.34, Q20).

use serde_json::json;

use super::{Scene, apps_with, become_role, may, scene, scene_on, switch};
use crate::support::{
    gateway::{Engines, Person},
    people::{accept, app_id, count, fields, invite_with, join, member_id, newest_token, remedies},
};

/// S1.7: an Admin, who removes members alone, renames members alone; and oneself.
#[tokio::test]
async fn s1_7_an_admin_renames_no_other_admin_and_no_owner() {
    for engines in Engines::DATABASES {
        let Scene { gateway, acme, alice, bob, dora, .. } = scene_on(engines).await;
        let erin = gateway.member(&acme, "erin", "admin").await;
        let rename = async |who: &Person| {
            let input = json!({ "member": member_id(who.member.unwrap()), "name": "Renamed" });
            dora.call("updateMember", input, "member { name }").await
        };
        for above in [&erin, &alice] {
            let refused = rename(above).await;
            assert_eq!(refused.refusals("updateMember"), ["NOT_GRANTABLE"], "{engines:?} {}", refused.text);
            assert_eq!(fields(&refused, "updateMember"), ["member"]);
            assert_eq!(remedies(&refused, "updateMember"), ["Ask somebody with the role Owner."]);
        }
        for other in [&bob, &dora] {
            assert_eq!(rename(other).await.ok().at("updateMember.member.name"), "Renamed", "{engines:?}");
        }
        assert_eq!(count(&gateway, "member WHERE name = 'Renamed'").await, 2);
    }
}

/// S1.22, S1.23, Q20: an Admin manages every app there is and will be; each can be switched off, and stays off.
#[tokio::test]
async fn s1_22_s1_23_q20_an_admin_manages_every_app_until_it_is_switched_off() {
    for engines in Engines::DATABASES {
        let Scene { gateway, alice, bob, dora, fair, .. } = scene_on(engines).await;
        become_role(&alice, &bob, "admin").await.ok();
        assert_eq!(apps_with(&gateway, &bob, "app_manager").await, ["fair", "gala"], "{engines:?}");
        assert!(may(&bob, "gala", ("builder", "edit")).await);
        let new = json!({ "kind": "event_app", "slug": "prom", "name": "Prom" });
        alice.call("createApp", new, "app { id }").await.ok();
        assert_eq!(apps_with(&gateway, &bob, "app_manager").await, ["fair", "gala", "prom"], "{engines:?}");
        switch(&alice, &bob, (fair, "app_manager", false)).await.ok();
        assert!(!may(&bob, "fair", ("builder", "edit")).await);
        // Nothing that happens later switches it on again.
        let renamed = json!({ "app": app_id(fair), "name": "Spring fair" });
        alice.call("updateApp", renamed, "app { name }").await.ok();
        alice.call("createApp", json!({ "kind": "event_app", "slug": "zoo", "name": "Zoo" }), "app { id }").await.ok();
        become_role(&alice, &bob, "admin").await.ok();
        assert_eq!(apps_with(&gateway, &bob, "app_manager").await, ["gala", "prom", "zoo"], "{engines:?}");
        assert_eq!(
            apps_with(&gateway, &dora, "app_manager").await,
            ["fair", "gala", "prom", "zoo"],
            "others keep theirs"
        );
    }
}

/// S1.22: an invited Admin has it from the first moment, whoever invited it.
#[tokio::test]
async fn s1_22_an_invited_admin_manages_every_app() {
    let Scene { gateway, acme, alice, .. } = scene().await;
    let erin = join(&gateway, &alice, ("erin", json!({ "role": "admin" }))).await;
    assert_eq!(apps_with(&gateway, &erin, "app_manager").await, ["fair", "gala"]);
    assert!(may(&erin, "gala", ("builder", "edit")).await);
    // The Owner who invited may be gone by then; another Owner's word is asked for what was given, not for what it brings.
    let carol = gateway.member(&acme, "carol", "owner").await;
    gateway.settle().await;
    let frank = gateway.person("frank").await;
    invite_with(&carol, json!({ "email": frank.email, "role": "admin" })).await.ok();
    alice.call("createApp", json!({ "kind": "event_app", "slug": "prom", "name": "Prom" }), "app { id }").await.ok();
    accept(&frank, &newest_token(&gateway)).await.ok();
    assert_eq!(count(&gateway, "access_grant WHERE role = 'app_manager'").await, 3 * 3);
}

/// S0.28, B10: what an Owner gave somebody whom an Admin invited, the Owner vouches for, as long as it is an Owner.
#[tokio::test]
async fn s0_28_who_raised_somebody_pending_vouches_for_it() {
    for engines in Engines::DATABASES {
        let Scene { gateway, acme, alice, dora, .. } = scene_on(engines).await;
        let carol = gateway.member(&acme, "carol", "owner").await;
        gateway.settle().await;
        let pending = async |by: &Person, who: &Person| {
            let invited = invite_with(&dora, json!({ "email": who.email, "role": "member" })).await.ok();
            let token = newest_token(&gateway);
            let raise = json!({ "member": invited.at("inviteMember.member.id"), "role": "admin" });
            let raised = by.call("updateMember", raise, "member { state roles { key } }").await.ok();
            let told = json!({ "state": "PENDING", "roles": [{ "key": "admin" }] });
            assert_eq!(raised.at("updateMember.member"), &told, "{engines:?}");
            token
        };
        let erin = gateway.person("erin").await;
        let token = pending(&alice, &erin).await;
        accept(&erin, &token).await.ok();
        let admins =
            "access_grant g JOIN member m ON m.id = g.grantee_id WHERE m.state = 'active' AND g.role = 'admin'";
        assert_eq!(count(&gateway, admins).await, 2, "{engines:?}: dora and erin");

        // Whoever gave it has lost the right meanwhile.
        let frank = gateway.person("frank").await;
        let token = pending(&carol, &frank).await;
        become_role(&alice, &carol, "member").await.ok();
        let refused = accept(&frank, &token).await;
        assert_eq!(refused.refusals("acceptInvitation"), ["INVITATION_NOT_PENDING"], "{engines:?}");
        assert_eq!(count(&gateway, admins).await, 2, "{engines:?}");
    }
}

/// S1.34: whoever is no Admin any more manages no app, from the next request on; module roles stay.
#[tokio::test]
async fn s1_34_losing_admin_removes_app_manager() {
    for engines in Engines::ALL {
        let Scene { gateway, alice, bob, dora, fair, .. } = scene_on(engines).await;
        switch(&alice, &dora, (fair, "verifier", true)).await.ok();
        assert!(may(&dora, "gala", ("builder", "edit")).await);
        become_role(&alice, &dora, "member").await.ok();
        assert!(apps_with(&gateway, &dora, "app_manager").await.is_empty(), "{engines:?}");
        assert!(!may(&dora, "gala", ("builder", "edit")).await);
        assert!(!may(&dora, "fair", ("builder", "edit")).await);
        assert!(may(&dora, "fair", ("events", "check_in")).await);
        assert_eq!(switch(&dora, &bob, (fair, "verifier", true)).await.codes(), ["FORBIDDEN"], "{engines:?}");
        let told = "SELECT count(*) FROM activity_entry WHERE action = 'access.prerequisite_lost'";
        assert_eq!(gateway.database.count(told).await, 1);
        // An Owner is no Admin either: the role was changed, not added to.
        become_role(&alice, &dora, "admin").await.ok();
        assert_eq!(apps_with(&gateway, &dora, "app_manager").await, ["fair", "gala"], "once more an Admin");
        become_role(&alice, &dora, "owner").await.ok();
        assert!(apps_with(&gateway, &dora, "app_manager").await.is_empty(), "{engines:?}");
        // Whoever is removed keeps nothing at all.
        become_role(&alice, &bob, "admin").await.ok();
        let gone = json!({ "member": member_id(bob.member.unwrap()), "confirm": true });
        alice.call("removeMember", gone, "removed").await.ok();
        assert!(apps_with(&gateway, &bob, "app_manager").await.is_empty(), "{engines:?}");
    }
}
