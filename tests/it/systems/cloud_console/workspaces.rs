//! Workspaces: who makes, switches, moves and runs them (S4.1 to S4.5, S4.11, S4.12, S4.22, S4.23, S4.R1).

use serde_json::{Value, json};

use super::console::{Console, app_id, console, give, make, may, sees};
use crate::support::{
    gateway::{Engines, Person},
    people::member_id,
};

#[tokio::test]
async fn s4_1_s4_3_s4_4_s4_5_three_role_types_reach_what_is_theirs() {
    let Console { gateway: _open, alice, bob, carol, dave, shop, bank, .. } = console(Engines::Embedded).await;
    let project = make(&bob, "project", "till", Some(shop)).await;
    // S4.4: the admin reaches every workspace, the settings and the Admin mode.
    assert_eq!(sees(&alice).await, ["bank", "shop", "till"]);
    let mode = "{ viewer { permissions menus { key } organization { viewerCanUpdate } } }";
    let admin = alice.ask(mode).await.ok();
    assert!(admin.at("viewer.permissions").as_array().unwrap().contains(&json!("console.admin")), "S4.4");
    assert_eq!(admin.at("viewer.menus").as_array().unwrap().len(), 7, "S4.4");
    assert_eq!(admin.at("viewer.organization.viewerCanUpdate"), true);
    let owner = bob.ask(mode).await.ok();
    assert_eq!(owner.at("viewer.menus"), &json!([{ "key": "workspaces" }]));
    assert_eq!(owner.at("viewer.organization.viewerCanUpdate"), false);
    // S4.5: the owner reaches every project of the workspace, and nothing of another.
    assert_eq!(sees(&bob).await, ["shop", "till"]);
    assert_eq!(sees(&dave).await, ["bank"]);
    assert!(may(&bob, project, ("resources", "manage")).await && !may(&dave, project, ("resources", "view")).await);
    // S4.6: a member reaches the workspace, not its private projects.
    assert_eq!(sees(&carol).await, ["shop"]);
    assert!(may(&alice, bank, ("settings", "edit")).await, "S4.12");
    assert!(
        may(&bob, shop, ("settings", "edit")).await && !may(&carol, shop, ("settings", "edit")).await,
        "S4.23, S4.24"
    );
    for menu in ["asset_inventory", "cost_explorer", "alert_manager"] {
        assert!(may(&bob, shop, (menu, "manage")).await && may(&carol, shop, (menu, "view")).await, "S4.23");
        assert!(!may(&carol, shop, (menu, "manage")).await, "S4.24: limited management");
    }
    // S4.3: the role types, and "no role" for everyone.
    let roles = "{ viewer { organization { roles { key label } } } }";
    let roles = alice.ask(roles).await.ok();
    let labels: Vec<String> = roles
        .at("viewer.organization.roles")
        .as_array()
        .unwrap()
        .iter()
        .map(|role| role["label"].as_str().unwrap().to_owned())
        .collect();
    for label in ["Admin", "User", "Workspace Owner", "Workspace Member"] {
        assert!(labels.contains(&label.to_owned()), "S4.3: {label} in {labels:?}");
    }
}

#[tokio::test]
async fn s4_11_only_admins_create_disable_enable_and_delete_workspaces() {
    for engines in Engines::DATABASES {
        let Console { gateway, alice, bob, carol, shop, .. } = console(engines).await;
        let project = make(&bob, "project", "till", Some(shop)).await;
        let another = json!({ "kind": "workspace", "slug": "lab", "name": "Lab" });
        assert_eq!(bob.call("createApp", another, "app { id }").await.codes(), ["FORBIDDEN"]);
        let off = json!({ "app": app_id(shop), "state": "DISABLED" });
        assert_eq!(bob.call("updateApp", off.clone(), "app { id }").await.codes(), ["FORBIDDEN"]);
        bob.call("updateApp", json!({ "app": app_id(shop), "name": "The shop" }), "app { name }").await.ok();
        let gone = json!({ "app": app_id(shop), "confirm": "shop" });
        assert_eq!(bob.call("deleteApp", gone, "deletedApp").await.codes(), ["FORBIDDEN"]);
        let can =
            "query($id: ID!) { node(id: $id) { ... on App { isOpen viewerCanUpdate viewerCanSwitch viewerCanDelete
                     viewerCanCreateApp viewerCanInvite viewerCannotSwitchReasons { code } } } }";
        let told = bob.send(can, json!({ "id": app_id(shop) })).await.ok();
        let expected = json!({ "isOpen": true, "viewerCanUpdate": true, "viewerCanSwitch": false, "viewerCanDelete": false,
            "viewerCanCreateApp": true, "viewerCanInvite": true, "viewerCannotSwitchReasons": [{ "code": "FORBIDDEN" }] });
        assert_eq!(told.at("node"), &expected);

        assert!(may(&carol, shop, ("home", "view")).await);
        alice.call("updateApp", off, "app { state }").await.ok();
        // Everything below is denied, to everyone, and only an admin opens it again.
        assert!(!may(&bob, project, ("summary", "view")).await && !may(&carol, shop, ("home", "view")).await);
        assert!(!may(&alice, shop, ("home", "view")).await);
        // Who would see its people and programs is told why not.
        for list in ["members", "serviceAccounts"] {
            let ask = format!("query($id: ID!) {{ node(id: $id) {{ ... on App {{ {list} {{ totalCount }} }} }} }}");
            let refused = bob.send(&ask, json!({ "id": app_id(shop) })).await;
            assert_eq!(refused.body["errors"][0]["message"], "the app is disabled", "{list} {}", refused.text);
        }
        let new = json!({ "kind": "project", "slug": "new", "name": "New", "parent": app_id(shop) });
        assert_eq!(bob.call("createApp", new, "app { id }").await.codes(), ["FORBIDDEN"]);
        let on = json!({ "app": app_id(shop), "state": "ACTIVE" });
        assert_eq!(bob.call("updateApp", on.clone(), "app { id }").await.codes(), ["FORBIDDEN"]);
        alice.call("updateApp", on, "app { state }").await.ok();
        assert!(may(&bob, project, ("summary", "view")).await);

        let full = alice.call("deleteApp", json!({ "app": app_id(shop), "confirm": "The shop" }), "deletedApp").await;
        assert_eq!(full.refusals("deleteApp"), ["NOT_CONFIRMED"]);
        let full = alice.call("deleteApp", json!({ "app": app_id(shop), "confirm": "shop" }), "deletedApp").await;
        assert_eq!(full.refusals("deleteApp"), ["STATE_CHANGED"], "projects stand in it");
        bob.call("deleteApp", json!({ "app": app_id(project), "confirm": "till" }), "deletedApp").await.ok();
        alice.call("deleteApp", json!({ "app": app_id(shop), "confirm": "shop" }), "deletedApp").await.ok();
        assert_eq!(gateway.database.count("SELECT count(*) FROM app WHERE slug = 'shop'").await, 0);
    }
}

#[tokio::test]
async fn s4_2_s4_22_s4_r1_an_owner_builds_the_tree_of_the_workspace() {
    let Console { gateway: _open, alice, bob, carol, shop, bank, .. } = console(Engines::Embedded).await;
    let group = make(&bob, "project_group", "web", Some(shop)).await;
    let inner = make(&bob, "project_group", "mobile", Some(group)).await;
    let project = make(&bob, "project", "app", Some(inner)).await;
    let tree = "query($id: ID!) { node(id: $id) { ... on App { visibility path { slug } parent { slug }
                  children { edges { node { slug } } totalCount } } } }";
    let leaf = bob.send(tree, json!({ "id": app_id(project) })).await.ok();
    assert_eq!(leaf.at("node.path"), &json!([{ "slug": "shop" }, { "slug": "web" }, { "slug": "mobile" }]));
    assert_eq!(leaf.at("node.visibility"), "PRIVATE", "S4.R1: private is the default");
    let root = bob.send(tree, json!({ "id": app_id(shop) })).await.ok();
    assert_eq!(root.at("node.children.edges"), &json!([{ "node": { "slug": "web" } }]));
    // Kinds stand where the blueprint has them.
    for (kind, parent) in [("project", None), ("workspace", Some(shop)), ("project_group", Some(project))] {
        let parent = parent.map(app_id);
        let input = json!({ "kind": kind, "slug": "odd", "name": "Odd", "parent": parent });
        let refused = alice.call("createApp", input, "app { id }").await;
        assert_eq!(refused.refusals("createApp"), ["NOT_IN_BLUEPRINT"], "{kind}");
    }
    let elsewhere = json!({ "kind": "project", "slug": "odd", "name": "Odd", "parent": app_id(bank) });
    assert_eq!(bob.call("createApp", elsewhere, "app { id }").await.codes(), ["NOT_FOUND"]);
    let input = json!({ "kind": "project", "slug": "odd", "name": "Odd", "parent": app_id(shop) });
    assert_eq!(carol.call("createApp", input, "app { id }").await.codes(), ["FORBIDDEN"], "S4.24");
    // Groups of workspaces: an admin's.
    let all = make(&alice, "workspace_group", "all", None).await;
    alice
        .call("updateApp", json!({ "app": app_id(shop), "parent": app_id(all) }), "app { parent { slug } }")
        .await
        .ok();
    let moved = bob.send(tree, json!({ "id": app_id(project) })).await.ok();
    assert_eq!(moved.at("node.path.0.slug"), "shop", "the group above is not bob's to see");
    assert_eq!(alice.send(tree, json!({ "id": app_id(project) })).await.ok().at("node.path.0.slug"), "all");
}

#[tokio::test]
async fn an_app_is_moved_by_who_may_at_both_ends_and_holds_what_those_above_hold_s4_22() {
    let Console { gateway, alice, bob, carol, dave, shop, bank, .. } = console(Engines::Embedded).await;
    let project = make(&bob, "project", "till", Some(shop)).await;
    let group = make(&bob, "project_group", "web", Some(shop)).await;
    let moving = |parent: Value| json!({ "app": app_id(project), "parent": parent });
    bob.call("updateApp", moving(json!(app_id(group))), "app { id }").await.ok();
    // Not where one may make nothing.
    assert_eq!(bob.call("updateApp", moving(json!(app_id(bank))), "app { id }").await.codes(), ["NOT_FOUND"]);
    assert_eq!(bob.call("updateApp", moving(Value::Null), "app { id }").await.codes(), ["FORBIDDEN"]);
    give(&alice, &dave, "project_member", project).await.ok();
    assert_eq!(dave.call("updateApp", moving(json!(app_id(bank))), "app { id }").await.codes(), ["FORBIDDEN"]);
    alice.call("updateApp", moving(json!(app_id(bank))), "app { id }").await.ok();
    assert!(may(&dave, project, ("summary", "edit")).await && !may(&bob, project, ("summary", "view")).await);
    alice.call("updateApp", moving(json!(app_id(shop))), "app { id }").await.ok();
    // Whoever sits above gets to reach it, so that its mover holds as much: a program that may arrange projects and see them
    // does not put one where carol would manage its resources.
    give(&bob, &carol, "project_member", group).await.ok();
    let input = json!({ "name": "Arranger", "role": "workspace_app", "app": app_id(shop) });
    let made = bob.call("createServiceAccount", input, "serviceAccount { id }").await.ok();
    let account = made.at("createServiceAccount.serviceAccount.id");
    let token = async |scopes: Value| {
        let input = json!({ "name": "Secret", "serviceAccount": account, "scopes": scopes });
        let made = bob.call("createApiToken", input, "secret").await.ok();
        gateway.stranger().with_token(made.at("createApiToken.secret").as_str().unwrap())
    };
    let narrow = token(json!(["apps.*", "*.*.view"])).await;
    let refused = narrow.call("updateApp", moving(json!(app_id(group))), "app { id }").await;
    assert_eq!(refused.refusals("updateApp"), ["NOT_GRANTABLE"], "{}", refused.text);
    assert!(!may(&carol, project, ("resources", "manage")).await);
    token(json!([])).await.call("updateApp", moving(json!(app_id(group))), "app { id }").await.ok();
    assert!(may(&carol, project, ("resources", "manage")).await);
}

/// Entries of apps tell what has changed, and name the app above by its global id.
#[tokio::test]
async fn entries_of_apps_tell_what_has_changed() {
    let Console { gateway: _open, alice, shop, .. } = console(Engines::Embedded).await;
    let all = make(&alice, "workspace_group", "all", None).await;
    for edit in [json!({ "parent": app_id(all) }), json!({ "state": "DISABLED" })] {
        let mut edit = edit;
        edit["app"] = json!(app_id(shop));
        alice.call("updateApp", edit, "app { id }").await.ok();
    }
    let roles = json!([{ "app": app_id(all), "role": "workspace_member" }]);
    let invited = json!({ "email": "erin@example.org", "appRoles": roles });
    alice.call("inviteMember", invited, "member { id }").await.ok();
    let log = "{ viewer { organization { activity(first: 3) { edges { node { action detail } } } } } }";
    let log = alice.ask(log).await.ok();
    let [invited, disabled, moved] =
        [0, 1, 2].map(|at| log.at("viewer.organization.activity.edges")[at]["node"].clone());
    assert_eq!(
        (&invited["action"], &disabled["action"], &moved["action"]),
        (&json!("member.invited"), &json!("app.disabled"), &json!("app.moved"))
    );
    let app = json!({ "app": { "id": app_id(all), "name": "all" }, "role": "workspace_member" });
    assert_eq!((&invited["detail"]["appRoles"], &invited["detail"]["features"]), (&json!([app]), &json!(0)));
    let state = |when: &str| disabled["detail"][when]["state"].clone();
    assert_eq!((state("before"), state("after")), (json!("active"), json!("disabled")));
    let parent = |when: &str| moved["detail"][when]["parent"]["id"].clone();
    assert_eq!((parent("before"), parent("after")), (Value::Null, json!(app_id(all))));
}

/// S4.11, S4.22: whoever manages a disabled app is told that it is disabled, and what to do, not that a permission is missing; so is
/// who tries. Whoever would not manage it, were it enabled, is told what is missing.
#[tokio::test]
async fn s4_11_s4_22_a_disabled_app_says_that_it_is_disabled() {
    let Console { gateway: _open, alice, bob, carol, shop, .. } = console(Engines::Embedded).await;
    let group = make(&bob, "project_group", "old", Some(shop)).await;
    let switch = async |by: &Person, app, state: &str| {
        by.call("updateApp", json!({ "app": app_id(app), "state": state }), "app { id }").await.ok();
    };
    let told = async |by: &Person, app| {
        let ask = "query($id: ID!) { node(id: $id) { ... on App {
            invite: viewerCannotInviteReasons { message remedy } grant: viewerCannotGrantReasons { message remedy }
            tokens: viewerCannotManageTokensReasons { message remedy }
            make: viewerCannotCreateAppReasons(kind: \"project\") { message remedy } } } }";
        by.send(ask, json!({ "id": app_id(app) })).await.ok().at("node").clone()
    };
    let closed = |remedy: &str| {
        let reasons = json!([{ "message": "the app is disabled", "remedy": remedy }]);
        json!({ "invite": reasons, "grant": reasons, "tokens": reasons, "make": reasons })
    };
    switch(&bob, group, "DISABLED").await;
    assert_eq!(told(&bob, group).await, closed("Enable it first."));
    let role = |app| json!({ "app": app_id(app), "member": member_id(carol.member.unwrap()), "role": "project_member", "on": true });
    let refused = bob.call("setAppRole", role(group), "isHolder").await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
    assert!(refused.text.contains("the app is disabled"), "{}", refused.text);
    // Lists that are for whoever manages it say so too.
    for (by, closed) in [(&bob, true), (&carol, false)] {
        for list in ["members", "serviceAccounts"] {
            let ask =
                format!("query($id: ID!) {{ node(id: $id) {{ ... on App {{ {list}(first: 1) {{ totalCount }} }} }} }}");
            let refused = by.send(&ask, json!({ "id": app_id(group) })).await;
            assert_eq!(refused.text.contains("the app is disabled"), closed, "{}: {}", by.name, refused.text);
        }
    }
    switch(&bob, group, "ACTIVE").await;
    // Only admins enable workspaces.
    switch(&alice, shop, "DISABLED").await;
    assert_eq!(told(&bob, shop).await, closed("Ask somebody who may enable it."));
    assert_eq!(told(&bob, group).await, closed("Ask somebody who may enable the app above it."));
    let missing = json!([{ "message": "the permission `members.invite` is missing", "remedy": null }]);
    assert_eq!(told(&carol, shop).await["invite"], missing);
}

/// S4.18: whoever sees what is given to the people of an app sees the grant that a switch answers with, and nobody else does.
#[tokio::test]
async fn s4_18_an_owner_sees_the_grant_that_it_has_switched_on() {
    let Console { gateway: _open, bob, carol, dave, shop, .. } = console(Engines::Embedded).await;
    let role = json!({ "app": app_id(shop), "member": member_id(carol.member.unwrap()), "role": "workspace_member", "on": true });
    let set = bob.call("setAppRole", role, "grant { id role { key } }").await.ok();
    let grant = set.at("setAppRole.grant");
    assert_eq!(grant["role"]["key"], "workspace_member", "{}", set.text);
    let people = "query($id: ID!) { node(id: $id) { ... on App {
        members(first: 9) { edges { node { bindings { grant { id } } } } } } } }";
    let people = bob.send(people, json!({ "id": app_id(shop) })).await.ok();
    let edges = people.at("node.members.edges").as_array().unwrap();
    assert!(edges.iter().any(|edge| edge["node"]["bindings"][0]["grant"]["id"] == grant["id"]), "{}", people.text);
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(bob.send(node, json!({ "id": grant["id"] })).await.ok().at("node.id"), &grant["id"]);
    assert_eq!(dave.send(node, json!({ "id": grant["id"] })).await.ok().at("node"), &Value::Null);
}
