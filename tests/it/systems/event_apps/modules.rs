//! Module roles: configured inside each module, one kind of task each (S1.11 to S1.16, S1.35).

use serde_json::json;

use super::{Scene, apps_with, grant, may, scene, scene_on, switch};
use crate::{
    operations,
    support::{
        gateway::{Answer, Engines},
        people::{app_id, invite_with, member_id, remedies},
    },
};

/// What each module role does, and in which module.
const ROLES: [(&str, &str, &str); 4] = [
    ("verifier", "events", "check_in"),
    ("editor", "news_feed", "publish"),
    ("moderator", "threads", "moderate"),
    ("poll_host", "polls", "run"),
];

/// S1.11, S1.12, S1.13, S1.14, S1.16: each module declares its roles; each does its tasks, and none opens the Back Office or
/// another module.
#[tokio::test]
async fn s1_11_s1_12_s1_13_s1_14_s1_16_a_module_role_does_its_task_and_no_more() {
    let Scene { gateway, acme, alice, fair, .. } = scene().await;
    for (role, module, task) in ROLES {
        let person = gateway.member(&acme, role, "member").await;
        gateway.settle().await;
        assert!(!may(&person, "fair", (module, task)).await, "{role}");
        switch(&alice, &person, (fair, role, true)).await.ok();
        assert!(may(&person, "fair", (module, task)).await, "{role}");
        assert!(!may(&person, "fair", (module, "configure")).await, "{role}");
        assert!(!may(&person, "gala", (module, task)).await, "{role} is held on one app");
        for action in ["view", "edit", "publish"] {
            assert!(!may(&person, "fair", ("builder", action)).await, "{role}: no module role opens the Back Office");
        }
        for (_, other, _) in ROLES.iter().filter(|(other, ..)| *other != role) {
            assert!(!may(&person, "fair", (other, "view")).await, "{role} in {other}");
        }
    }
    let variables = json!({ "organization": "acme", "app": "fair", "role": "editor" });
    let module = operations::run(&alice, "event-apps/module_roles", variables).await;
    let of = module.at("organization.app.roles").as_array().unwrap();
    let editor = of.iter().find(|role| role["key"] == "editor").unwrap();
    assert_eq!((&editor["feature"], &editor["levelLabel"]), (&json!("event_app.news_feed"), &json!("Module")));
}

/// S1.15: module roles are configured by the Owner and by the app's manager; nothing of a module is ticked by itself, so that
/// no other way leads in.
#[tokio::test]
async fn s1_15_s1_16_the_apps_manager_configures_its_modules() {
    let Scene { gateway, alice, bob, dora, fair, gala, .. } = scene().await;
    let variables = json!({ "organization": "acme", "app": "fair", "role": "moderator" });
    let screen = operations::run(&dora, "event-apps/module_roles", variables).await;
    assert_eq!(screen.at("organization.app.roleCandidates.totalCount"), 3, "everyone can be a Moderator");
    switch(&dora, &bob, (fair, "moderator", true)).await.ok();
    switch(&dora, &bob, (fair, "moderator", false)).await.ok();
    grant(&dora, &bob, (fair, json!({ "role": "editor" }))).await.ok();
    switch(&alice, &dora, (gala, "app_manager", false)).await.ok();
    assert_eq!(switch(&dora, &bob, (gala, "editor", true)).await.codes(), ["FORBIDDEN"], "nor of another app");
    for (who, feature) in [(&dora, "builder"), (&alice, "builder"), (&alice, "events")] {
        let tick = json!({ "feature": { "kind": "event_app", "feature": feature } });
        assert_eq!(grant(who, &bob, (fair, tick)).await.refusals("grantAccess"), ["NOT_GRANTABLE"], "{feature}");
    }
    assert!(!may(&bob, "fair", ("builder", "view")).await);
    assert_eq!(apps_with(&gateway, &bob, "editor").await, ["fair"]);
    // A module role is held in a module, never in the organization.
    let everywhere = json!({ "grantee": { "member": crate::support::people::member_id(bob.member.unwrap()) },
                             "gives": { "role": "verifier" } });
    let refused = alice.call("grantAccess", everywhere, "grant { id }").await;
    assert_eq!(refused.refusals("grantAccess"), ["WRONG_LEVEL"]);
    assert_eq!(remedies(&refused, "grantAccess"), ["Give it on the app that has the feature."]);
}

/// S1.35: one role, two spellings: both mean it, and only its own key is stored and shown.
#[tokio::test]
async fn s1_35_both_spellings_are_one_role() {
    for engines in Engines::DATABASES {
        let Scene { gateway, alice, bob, fair, gala, .. } = scene_on(engines).await;
        let given = grant(&alice, &bob, (fair, json!({ "role": "verifyer" }))).await.ok();
        assert_eq!(given.at("grantAccess.grant.role.key"), "verifier");
        let again = switch(&alice, &bob, (fair, "verifier", true)).await.ok();
        assert_eq!(again.at("setAppRole.grant.id"), given.at("grantAccess.grant.id"), "{engines:?}");
        switch(&alice, &bob, (gala, "verifyer", true)).await.ok();
        assert_eq!(apps_with(&gateway, &bob, "verifier").await, ["fair", "gala"]);
        assert!(apps_with(&gateway, &bob, "verifyer").await.is_empty());
        let variables = json!({ "organization": "acme", "app": "fair", "role": "verifyer" });
        let screen = operations::run(&alice, "event-apps/module_roles", variables).await;
        let edges = screen.at("organization.app.roleCandidates.edges").as_array().unwrap();
        assert_eq!(edges.iter().filter(|edge| edge["node"]["isHolder"] == true).count(), 1);
        switch(&alice, &bob, (fair, "verifyer", false)).await.ok();
        assert_eq!(apps_with(&gateway, &bob, "verifier").await, ["gala"], "{engines:?}");
    }
}

/// S1.35: an invitation takes both spellings; of a role that there is not, it tells those of the app.
#[tokio::test]
async fn s1_35_an_invitation_takes_both_spellings() {
    let Scene { gateway, alice, fair, .. } = scene().await;
    let person = |role: &str| {
        let roles = json!([{ "app": app_id(fair), "role": role }]);
        json!({ "email": "erin@example.org", "role": "member", "appRoles": roles, "notify": false })
    };
    let unknown = invite_with(&alice, person("verifyr")).await;
    assert_eq!(unknown.refusals("inviteMember"), ["NOT_IN_BLUEPRINT"]);
    let remedy = "Choose one of `verifier`, `editor`, `moderator`, `poll_host`, `app_manager`.";
    assert_eq!(remedies(&unknown, "inviteMember"), [remedy]);
    invite_with(&alice, person("verifyer")).await.ok();
    let stored = "SELECT count(*) FROM access_grant WHERE role = 'verifier' AND app_id IS NOT NULL";
    assert_eq!(gateway.database.count(stored).await, 1);
}

/// S1.35: a refusal names a field that the input has, by which what is refused was asked for.
#[tokio::test]
async fn s1_35_refusals_name_fields_of_their_input() {
    let Scene { gateway: _open, alice, bob, fair, .. } = scene().await;
    let field = |answer: &Answer, mutation: &str| answer.at(mutation)["userErrors"][0]["field"].clone();
    let invited = invite_with(&alice, json!({ "email": "erin@example.org", "roles": ["king"] })).await;
    assert_eq!(field(&invited, "inviteMember"), json!(["roles", "0"]));
    for (input, at) in [
        (json!({ "roles": ["king"] }), json!(["roles", "0"])),
        (json!({ "roles": ["member", "admin"] }), json!(["roles", "1"])),
        (json!({ "role": "king" }), json!(["role"])),
        (json!({ "flags": ["king"] }), json!(["flags", "0"])),
    ] {
        let mut input = input;
        input["member"] = json!(member_id(bob.member.unwrap()));
        let refused = alice.call("updateMember", input, "member { id }").await;
        assert_eq!(field(&refused, "updateMember"), at);
    }
    let role = grant(&alice, &bob, (fair, json!({ "role": "king" }))).await;
    assert_eq!(field(&role, "grantAccess"), json!(["gives", "role"]));
    let feature = json!({ "feature": { "kind": "event_app", "feature": "builder" } });
    let feature = grant(&alice, &bob, (fair, feature)).await;
    assert_eq!(field(&feature, "grantAccess"), json!(["gives", "feature", "feature"]));
    let switched = switch(&alice, &bob, (fair, "king", true)).await;
    assert_eq!(field(&switched, "setAppRole"), json!(["role"]));
}
