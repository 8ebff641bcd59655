//! The Permissions section of one app (S1.10, S1.17 to S1.25, S1.29, S1.33).

use serde_json::{Value, json};

use super::{Scene, apps_with, become_role, grant, may, scene, scene_on, switch};
use crate::{
    operations,
    support::{
        gateway::{Answer, Engines, Person},
        people::{app_id, invite_with, remedies},
    },
};

async fn section(who: &Person, app: &str, role: &str) -> Answer {
    operations::run(who, "event-apps/permissions_section", json!({ "organization": "acme", "app": app, "role": role }))
        .await
}

fn names(answer: &Answer) -> Vec<String> {
    let edges = answer.at("organization.app.roleCandidates.edges").as_array().cloned().unwrap_or_default();
    edges.iter().map(|edge| edge["node"]["member"]["name"].as_str().unwrap().to_owned()).collect()
}

fn node(answer: &Answer, name: &str) -> Value {
    let edges = answer.at("organization.app.roleCandidates.edges").as_array().cloned().unwrap_or_default();
    edges.iter().map(|edge| edge["node"].clone()).find(|node| node["member"]["name"] == name).unwrap()
}

/// S1.10, S1.17, S1.21, S1.24, S1.25: Permissions in the menu, the Admins by name and nobody else, one switch for each.
#[tokio::test]
async fn s1_10_s1_17_s1_21_s1_24_s1_25_one_switch_for_each_admin() {
    for engines in Engines::DATABASES {
        let Scene { gateway, alice, bob, dora, fair, acme, .. } = scene_on(engines).await;
        let carol = gateway.member(&acme, "carol", "admin").await;
        gateway.settle().await;
        let list = section(&alice, "fair", "app_manager").await;
        let menus = list.at("organization.menus").as_array().unwrap();
        assert!(menus.iter().any(|menu| menu["label"] == "Permissions"), "{engines:?}");
        // bob is no Admin, alice is the Owner: neither appears.
        assert_eq!(names(&list), ["carol", "dora"], "{engines:?}");
        assert_eq!(list.at("organization.app.roleCandidates.totalCount"), 2);
        assert_eq!(
            (&node(&list, "carol")["isHolder"], &node(&list, "dora")["isHolder"]),
            (&json!(false), &json!(true))
        );
        assert_eq!(node(&list, "carol")["viewerCanToggle"], true);

        let run = async |on: bool| {
            let input = json!({ "app": list.at("organization.app.id"), "member": node(&list, "carol")["member"]["id"],
                                "role": "app_manager", "on": on });
            operations::run(&alice, "event-apps/switch_role", json!({ "input": input })).await
        };
        let first = run(true).await;
        assert_eq!(first.at("setAppRole.isHolder"), true);
        assert!(may(&carol, "fair", ("events", "configure")).await, "{engines:?}");
        assert!(!may(&carol, "gala", ("events", "configure")).await, "one app alone");
        // It stands there already.
        assert_eq!(run(true).await.at("setAppRole.grant"), first.at("setAppRole.grant"));
        assert_eq!(run(false).await.at("setAppRole.isHolder"), false);
        assert!(!may(&carol, "fair", ("events", "configure")).await, "{engines:?}");
        run(false).await;
        let entries = "SELECT count(*) FROM activity_entry WHERE action IN ('access.granted', 'access.revoked')";
        assert_eq!(gateway.database.count(entries).await, 2, "what changed nothing is not recorded");
        assert!(apps_with(&gateway, &bob, "app_manager").await.is_empty());
        assert_eq!(apps_with(&gateway, &dora, "app_manager").await, ["fair", "gala"]);
        let _ = fair;
    }
}

/// S1.18, S1.19: roles of the organization are not managed there, and module permissions are no part of it.
#[tokio::test]
async fn s1_18_s1_19_the_section_manages_nothing_else() {
    let Scene { gateway, alice, bob, fair, .. } = scene().await;
    for role in ["admin", "owner", "member"] {
        let refused = switch(&alice, &bob, (fair, role, true)).await;
        assert_eq!(refused.refusals("setAppRole"), ["WRONG_LEVEL"], "{role}");
        assert_eq!(remedies(&refused, "setAppRole"), ["Change the member's role in the organization instead."]);
    }
    let list = section(&alice, "fair", "admin").await;
    assert!(list.at("organization.app.roleCandidates").is_null());
    assert_eq!(switch(&alice, &bob, (fair, "no_such", true)).await.refusals("setAppRole"), ["NOT_IN_BLUEPRINT"]);
    // Being App Manager of an app is one grant, and leaves module roles as they are.
    become_role(&alice, &bob, "admin").await.ok();
    switch(&alice, &bob, (fair, "verifier", true)).await.ok();
    switch(&alice, &bob, (fair, "app_manager", false)).await.ok();
    assert_eq!(apps_with(&gateway, &bob, "verifier").await, ["fair"]);
    assert!(may(&bob, "fair", ("events", "check_in")).await);
}

/// S1.20, S1.29: only Admins may be App Managers; the refusal says which role is missing, and what to do first.
#[tokio::test]
async fn s1_20_s1_29_only_an_admin_may_be_an_app_manager() {
    for engines in Engines::DATABASES {
        let Scene { gateway, alice, bob, fair, .. } = scene_on(engines).await;
        let by_switch = switch(&alice, &bob, (fair, "app_manager", true)).await;
        let by_grant = grant(&alice, &bob, (fair, json!({ "role": "app_manager" }))).await;
        for (answer, mutation) in [(by_switch, "setAppRole"), (by_grant, "grantAccess")] {
            assert_eq!(answer.refusals(mutation), ["PREREQUISITE"], "{engines:?}");
            let message = &answer.at(mutation)["userErrors"][0]["message"];
            assert_eq!(message, "the role `App Manager` is only for members who are Admin");
            assert_eq!(remedies(&answer, mutation), ["Change the member's role Member to Admin first."]);
        }
        assert!(apps_with(&gateway, &bob, "app_manager").await.is_empty());
        become_role(&alice, &bob, "admin").await.ok();
        switch(&alice, &bob, (fair, "app_manager", false)).await.ok();
        switch(&alice, &bob, (fair, "app_manager", true)).await.ok();
        assert!(may(&bob, "fair", ("builder", "edit")).await);
    }
}

/// S1.33, Q22: the Owner alone operates the switch; an Admin sees the list read-only, and why; others do not see it.
#[tokio::test]
async fn s1_33_q22_an_admin_sees_the_list_read_only() {
    let Scene { gateway, acme, alice, bob, dora, fair, .. } = scene().await;
    let carol = gateway.member(&acme, "carol", "admin").await;
    gateway.settle().await;
    let list = section(&dora, "fair", "app_manager").await;
    assert_eq!(names(&list), ["carol", "dora"]);
    for name in ["carol", "dora"] {
        let node = node(&list, name);
        assert_eq!(node["viewerCanToggle"], false, "{name}");
        assert_eq!(node["viewerCannotToggleReasons"][0]["code"], "NOT_GRANTABLE", "{name}");
    }
    assert_eq!(switch(&dora, &dora, (fair, "app_manager", false)).await.refusals("setAppRole"), ["NOT_GRANTABLE"]);
    assert_eq!(switch(&dora, &carol, (fair, "app_manager", true)).await.refusals("setAppRole"), ["NOT_GRANTABLE"]);
    // An Admin whose own switch is off reads the same list, sees what it lacks, and does nothing else there.
    switch(&alice, &dora, (fair, "app_manager", false)).await.ok();
    let list = section(&dora, "fair", "app_manager").await;
    assert_eq!(names(&list), ["carol", "dora"]);
    assert_eq!((&node(&list, "carol")["isHolder"], &node(&list, "dora")["isHolder"]), (&json!(false), &json!(false)));
    for name in ["carol", "dora"] {
        let node = node(&list, name);
        assert_eq!(node["viewerCanToggle"], false, "{name}");
        assert_eq!(node["viewerCannotToggleReasons"][0]["code"], "FORBIDDEN", "{name}");
    }
    assert!(!may(&dora, "fair", ("events", "view")).await);
    assert_eq!(switch(&dora, &dora, (fair, "app_manager", true)).await.codes(), ["FORBIDDEN"]);
    let app = operations::run(&dora, "event-apps/app", json!({ "organization": "acme", "app": "fair" })).await;
    assert_eq!(app.at("organization.app.viewerCapabilities"), &json!([]));
    // A member without anything there does not see the app at all.
    assert!(section(&bob, "fair", "app_manager").await.at("organization.app").is_null());
    become_role(&alice, &dora, "member").await.ok();
    assert!(section(&dora, "fair", "app_manager").await.at("organization.app").is_null(), "no Admin any more");
    become_role(&alice, &dora, "admin").await.ok();
    // A holder of a module role sees the app, and no list.
    switch(&alice, &bob, (fair, "verifier", true)).await.ok();
    let list = section(&bob, "fair", "app_manager").await;
    assert_eq!(list.at("organization.app.name"), "fair");
    assert!(list.at("organization.app.roleCandidates").is_null());
    assert_eq!(switch(&bob, &dora, (fair, "app_manager", true)).await.codes(), ["FORBIDDEN"]);
}

/// S1.29: an invitation with a role on an app is refused as giving it later is, each row of a batch by itself; with the role that
/// it builds on, it goes out.
#[tokio::test]
async fn s1_29_nobody_is_invited_as_an_app_manager_without_being_an_admin() {
    for engines in Engines::DATABASES {
        let Scene { gateway, alice, fair, .. } = scene_on(engines).await;
        let person = |name: &str, role: &str| {
            let roles = json!([{ "app": app_id(fair), "role": "app_manager" }]);
            json!({ "email": format!("{name}@example.org"), "role": role, "appRoles": roles })
        };
        let mails = gateway.mails().len();
        for role in ["member", "owner"] {
            let refused = invite_with(&alice, person("erin", role)).await;
            assert_eq!(refused.refusals("inviteMember"), ["PREREQUISITE"], "{engines:?}: {role}");
            let error = &refused.at("inviteMember")["userErrors"][0];
            assert_eq!(error["field"], json!(["appRoles", "0", "role"]));
            assert_eq!(error["remedy"], "Invite the person as Admin, or leave this role out.");
        }
        let people = json!({ "people": [person("erin", "member"), person("frank", "admin")] });
        let rows = alice.call("inviteMembers", people, "rows { member { name } userErrors { code field } }").await;
        let rows = rows.at("inviteMembers.rows");
        assert_eq!(rows[0]["userErrors"][0]["code"], "PREREQUISITE");
        assert_eq!(rows[1]["userErrors"], json!([]));
        assert_eq!(gateway.mails().len(), mails + 1, "{engines:?}: only to who is invited");
        let erins = "SELECT count(*) FROM member WHERE email = 'erin@example.org'";
        assert_eq!(gateway.database.count(erins).await, 0);
        let given = "SELECT count(*) FROM access_grant g JOIN member m ON m.id = g.grantee_id
                     WHERE g.role = 'app_manager' AND m.email = 'frank@example.org'";
        assert_eq!(gateway.database.count(given).await, 2, "once on each app, as every Admin has it");
    }
}
