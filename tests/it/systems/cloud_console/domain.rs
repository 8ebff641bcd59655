//! The domain: its users, roles, levels, collectors and numbers (S4.7 to S4.10, S4.17, S4.R2, S4.R4, S4.R5, S4.R9).

use std::time::Duration;

use gatehouse::{
    clock::{Clock, SystemClock},
    identity::SessionLifetimes,
};
use serde_json::json;

use super::console::{Console, app_id, at, console, give, make, may};
use crate::support::{
    gateway::Engines,
    people::{invite_with, join, member_id},
};

#[tokio::test]
async fn s4_7_s4_8_s4_9_admins_manage_every_user_admins_included() {
    let Console { gateway, alice, bob, carol, shop, bank, .. } = console(Engines::Embedded).await;
    let roles = at(&[(shop, "workspace_member"), (bank, "workspace_owner")]);
    let erin = join(&gateway, &alice, ("erin", json!({ "role": "domain_admin" }))).await;
    let frank = join(&gateway, &alice, ("frank", json!({ "appRoles": roles }))).await;
    assert!(may(&frank, shop, ("home", "view")).await && may(&frank, bank, ("settings", "edit")).await, "S4.8");
    give(&alice, &carol, "workspace_owner", bank).await.ok();
    assert!(may(&carol, bank, ("settings", "edit")).await, "S4.9");
    let lower = json!({ "member": member_id(erin.member.unwrap()), "role": "user" });
    assert_eq!(bob.call("changeMemberRole", lower.clone(), "member { id }").await.codes(), ["FORBIDDEN"]);
    alice.call("changeMemberRole", lower, "member { roles { key } }").await.ok();
    let gone = json!({ "member": member_id(frank.member.unwrap()), "confirm": true });
    assert_eq!(bob.call("removeMember", gone.clone(), "removed").await.codes(), ["FORBIDDEN"]);
    alice.call("removeMember", gone, "removed").await.ok();
}

#[tokio::test]
async fn s4_10_s4_r2_menus_have_three_levels_and_two_of_them_have_two() {
    let Console { gateway: _open, alice, carol, shop, .. } = console(Engines::Embedded).await;
    let kinds = "{ viewer { organization { appKinds { key features { key levels { key } } } } } }";
    let answer = alice.ask(kinds).await.ok();
    let kinds = answer.at("viewer.organization.appKinds").as_array().unwrap();
    let workspace = kinds.iter().find(|kind| kind["key"] == "workspace").unwrap();
    for menu in workspace["features"].as_array().unwrap() {
        let levels: Vec<&str> =
            menu["levels"].as_array().unwrap().iter().map(|level| level["key"].as_str().unwrap()).collect();
        match menu["key"].as_str().unwrap() {
            "dashboards" | "project" => {
                assert_eq!(levels, ["read_write"], "S4.R2: these have two, no access being one");
            }
            "home" | "settings" => assert!(levels.is_empty()),
            menu => assert_eq!(levels, ["read_only", "read_write"], "S4.R2: {menu}"),
        }
    }
    // S4.10: a menu is opened at a level, for one person here.
    let held = json!({ "feature": { "kind": "workspace", "feature": "iam", "level": "read_only" } });
    let input =
        json!({ "grantee": { "member": member_id(carol.member.unwrap()) }, "gives": held, "app": app_id(shop) });
    assert!(!may(&carol, shop, ("iam", "view")).await);
    alice.call("grantAccess", input, "grant { id }").await.ok();
    assert!(may(&carol, shop, ("iam", "view")).await && !may(&carol, shop, ("iam", "manage")).await);
}

#[tokio::test]
async fn s4_r4_one_role_in_each_workspace_and_nobody_changes_their_own() {
    let Console { gateway, alice, bob, carol, shop, .. } = console(Engines::Embedded).await;
    give(&bob, &carol, "workspace_owner", shop).await.ok();
    let sql = "SELECT count(*) FROM access_grant WHERE grantee_id = $1 AND app_id IS NOT NULL";
    let rows = gateway.database.rows(sql, [carol.member.into()]).await;
    assert_eq!(rows[0].try_get_by_index::<i64>(0).unwrap(), 1, "the owner's role took the member's place");
    let sql = "SELECT id FROM access_grant WHERE grantee_id = $1 AND app_id IS NOT NULL";
    let own = gateway.database.rows(sql, [carol.member.into()]).await[0].try_get_by_index::<uuid::Uuid>(0).unwrap();
    let grant = gatehouse::graphql::node::NodeType::Grant.id(own).to_string();
    let refused = carol.call("revokeAccess", json!({ "grant": grant }), "revokedGrant").await;
    assert!(!refused.refusals("revokeAccess").is_empty(), "S4.R4: {}", refused.text);
    let lowered = give(&carol, &carol, "workspace_member", shop).await;
    assert!(!lowered.refusals("grantAccess").is_empty(), "S4.R4: {}", lowered.text);
    let step = json!({ "member": member_id(alice.member.unwrap()), "role": "user" });
    let refused = alice.call("changeMemberRole", step, "member { id }").await;
    assert!(!refused.refusals("changeMemberRole").is_empty(), "S4.R4: an admin keeps its own role");
    let foretold = "{ viewer { organization { viewerMember { viewerCanChangeRole viewerCannotChangeRoleReasons { message } } } } }";
    let own = alice.ask(foretold).await.ok();
    let own = own.at("viewer.organization.viewerMember");
    assert_eq!(own["viewerCanChangeRole"], false);
    assert_eq!(own["viewerCannotChangeRoleReasons"][0]["message"], "nobody changes their own role Admin");
    bob.call("revokeAccess", json!({ "grant": grant }), "revokedGrant").await.ok();
}

#[tokio::test]
async fn s4_r5_the_last_admin_and_the_last_owner_of_a_workspace_stay() {
    let Console { gateway, alice, bob, carol, shop, .. } = console(Engines::Embedded).await;
    let erin = join(&gateway, &alice, ("erin", json!({ "role": "domain_admin" }))).await;
    let lower =
        |who: &crate::support::gateway::Person| json!({ "member": member_id(who.member.unwrap()), "role": "user" });
    alice.call("changeMemberRole", lower(&erin), "member { id }").await.ok();
    let leave = alice.call("leaveOrganization", json!({ "confirm": true }), "left").await;
    assert_eq!(leave.refusals("leaveOrganization"), ["LAST_HOLDER"], "{}", leave.text);
    // The last owner is neither made a member nor removed.
    let lowered = give(&alice, &bob, "workspace_member", shop).await;
    assert_eq!(lowered.refusals("grantAccess"), ["LAST_HOLDER"], "{}", lowered.text);
    let gone = json!({ "member": member_id(bob.member.unwrap()), "confirm": true });
    let refused = alice.call("removeMember", gone.clone(), "removed").await;
    assert_eq!(refused.refusals("removeMember"), ["LAST_HOLDER"], "{}", refused.text);
    // Screens are told beforehand.
    let foretold = "query($id: ID!) { node(id: $id) { ... on Member { viewerCanRemove viewerCanSuspend
                      viewerCannotRemoveReasons { code message } } } }";
    let id = json!({ "id": member_id(bob.member.unwrap()) });
    let told = alice.send(foretold, id.clone()).await.ok();
    let message = "this is the only Workspace Owner of shop, and there must be one";
    let expected = json!({ "viewerCanRemove": false, "viewerCanSuspend": false,
        "viewerCannotRemoveReasons": [{ "code": "LAST_HOLDER", "message": message }] });
    assert_eq!(told.at("node"), &expected);
    let suspended = alice.call("suspendMember", json!({ "member": id["id"] }), "member { id }").await;
    assert_eq!(suspended.refusals("suspendMember"), ["LAST_HOLDER"], "{}", suspended.text);
    let leaving = "{ viewer { organization { viewerCanLeave viewerCannotLeaveReasons { code } } } }";
    let own = bob.ask(leaving).await.ok();
    let expected = json!({ "viewerCanLeave": false, "viewerCannotLeaveReasons": [{ "code": "LAST_HOLDER" }] });
    assert_eq!(own.at("viewer.organization"), &expected);
    let leave = bob.call("leaveOrganization", json!({ "confirm": true }), "left").await;
    assert_eq!(leave.refusals("leaveOrganization"), ["LAST_HOLDER"], "{}", leave.text);
    give(&alice, &carol, "workspace_owner", shop).await.ok();
    let told = alice.send(foretold, id).await.ok();
    assert_eq!(
        told.at("node"),
        &json!({ "viewerCanRemove": true, "viewerCanSuspend": true, "viewerCannotRemoveReasons": [] })
    );
    assert_eq!(bob.ask(leaving).await.ok().at("viewer.organization.viewerCanLeave"), true);
    alice.call("removeMember", gone, "removed").await.ok();
}

#[tokio::test]
async fn s4_17_the_domain_has_collectors_and_budgets_of_its_own() {
    let Console { gateway: _open, alice, bob, shop, .. } = console(Engines::Embedded).await;
    for kind in ["data_collector", "budget"] {
        let made = make(&alice, kind, &kind.replace('_', "-"), None).await;
        let input = json!({ "kind": kind, "slug": "mine", "name": "Mine", "parent": app_id(shop) });
        assert_ne!(bob.call("createApp", input, "app { id }").await.status, 500);
        let input = json!({ "kind": kind, "slug": "mine", "name": "Mine" });
        assert_eq!(bob.call("createApp", input, "app { id }").await.codes(), ["FORBIDDEN"]);
        assert!(!may(&bob, made, ("collection", "view")).await);
    }
}

#[tokio::test]
async fn s4_r9_lives_of_tokens_and_the_pause_after_ten_failures_are_as_written() {
    let lives = SessionLifetimes::default();
    let (idle, whole) = (Duration::from_hours(3), Duration::from_hours(28 * 24));
    assert_eq!((lives.access, lives.refresh_idle, lives.absolute), (Duration::from_mins(5), idle, whole));
    let access = |access| SessionLifetimes { access, ..lives }.checked().is_ok();
    assert!(access(Duration::from_mins(30)) && !access(Duration::from_secs(30 * 60 + 1)), "at most 30 minutes");
    // A refresh token ends after three idle hours, and never after the 28 days of its session.
    let now = Clock::now(&SystemClock);
    let end = lives.session_end(now);
    assert_eq!(end - now, chrono::TimeDelta::days(28));
    assert_eq!(lives.refresh_end(now, end) - now, chrono::TimeDelta::hours(3));
    let late = end - chrono::TimeDelta::hours(1);
    assert_eq!(lives.refresh_end(late, end), end);
    let limits = gatehouse::identity::SignInLimits::default();
    assert_eq!((limits.per_account, limits.window), (10, Duration::from_mins(5)));
    let Console { gateway, alice, .. } = console(Engines::Embedded).await;
    let invited = invite_with(&alice, json!({ "email": "erin@example.org" })).await.ok();
    let end = chrono::DateTime::parse_from_rfc3339(invited.at("inviteMember.invitation.expiresAt").as_str().unwrap());
    let life = end.unwrap().to_utc() - gateway.service.now();
    assert!(life > chrono::TimeDelta::days(6) && life <= chrono::TimeDelta::days(7), "an invitation lives 7 days");
}
