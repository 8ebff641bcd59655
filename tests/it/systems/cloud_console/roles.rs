//! Roles of a domain's own, with a level for each menu; managed roles; two roles compared (S4.2, S4.10, S4.26, S4.R2, S4.R3).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::console::{Console, app_id, at, console, give, may};
use crate::{
    operations::{run, send},
    support::{
        gateway::{Answer, Engines, Person},
        people::{invite_with, member_id},
    },
};

/// What a role says of the menus of a workspace; a menu that is left out is not accessed.
fn menus(menus: &[(&str, &str)]) -> Value {
    let menu = |(menu, level): &(&str, &str)| json!({ "kind": "workspace", "feature": menu, "level": level });
    menus.iter().map(menu).collect()
}

async fn make_role(by: &Person, key: &str, access: Value) -> Answer {
    let role = json!({ "key": key, "base": "workspace_owner", "label": key, "permissions": [], "access": access });
    send(by, "cloud-console/create-role", json!({ "input": role })).await
}

/// Whether a person reads and writes in a menu of a workspace.
async fn reach(person: &Person, app: uuid::Uuid, menu: &str) -> (bool, bool) {
    (may(person, app, (menu, "view")).await, may(person, app, (menu, "manage")).await)
}

#[tokio::test]
async fn s4_2_s4_10_s4_r2_a_role_has_a_level_for_each_menu() {
    for engines in Engines::DATABASES {
        let Console { gateway: _open, alice, bob, carol, shop, .. } = console(engines).await;
        let chosen = [
            ("cost_explorer", "read_write"),
            ("asset_inventory", "read_only"),
            ("iam", "read_only"),
            ("dashboards", "read_write"),
        ];
        assert_eq!(make_role(&bob, "analyst", menus(&chosen)).await.codes(), ["FORBIDDEN"], "an admin's");
        let made = make_role(&alice, "analyst", menus(&chosen)).await.ok();
        let role = made.at("createRole.role");
        assert_eq!(
            (&role["key"], &role["base"]),
            (&json!("custom:analyst"), &json!("workspace_owner")),
            "{}",
            made.text
        );
        give(&alice, &carol, "custom:analyst", shop).await.ok();
        let (both, read, none) = ((true, true), (true, false), (false, false));
        let expected = [
            ("cost_explorer", both),
            ("asset_inventory", read),
            ("iam", read),
            ("alert_manager", none),
            ("dashboards", both),
            ("project", none),
        ];
        for (menu, expected) in expected {
            assert_eq!(reach(&carol, shop, menu).await, expected, "{engines:?} {menu}");
        }
        // Two menus have only two levels: all, or nothing.
        for menu in ["dashboards", "project"] {
            let refused = make_role(&alice, "odd", menus(&[(menu, "read_only")])).await;
            assert_eq!(refused.refusals("createRole"), ["NOT_IN_BLUEPRINT"], "{menu}");
        }
        // Another level is there with the next request.
        let access =
            menus(&[("alert_manager", "read_write"), ("cost_explorer", "read_only"), ("project", "read_write")]);
        let edit = json!({ "role": "custom:analyst", "access": access });
        assert_eq!(bob.call("updateRole", edit.clone(), "role { key }").await.codes(), ["FORBIDDEN"]);
        alice.call("updateRole", edit, "role { key }").await.ok();
        let expected = [("alert_manager", both), ("cost_explorer", read), ("project", both), ("dashboards", none)];
        for (menu, expected) in expected {
            assert_eq!(reach(&carol, shop, menu).await, expected, "{engines:?} {menu}");
        }
        let roles = run(&bob, "cloud-console/roles", json!({ "organization": "acme" })).await;
        let roles = roles.at("organization.roles").as_array().unwrap().clone();
        let analyst = roles.iter().find(|role| role["key"] == "custom:analyst").unwrap();
        assert_eq!((&analyst["level"], &analyst["isCustom"]), (&json!("APP"), &json!(true)));
    }
}

#[tokio::test]
async fn s4_r3_managed_roles_stay_and_a_role_in_use_is_neither_deleted_nor_disabled() {
    let Console { gateway: _open, alice, carol, shop, .. } = console(Engines::Embedded).await;
    for managed in ["domain_admin", "workspace_owner", "workspace_member", "user"] {
        let changed = alice.call("updateRole", json!({ "role": managed, "label": "Mine" }), "role { key }").await;
        assert_eq!(changed.refusals("updateRole"), ["MANAGED_ROLE"], "{managed}");
        let gone = alice.call("deleteRole", json!({ "role": managed }), "deletedRole").await;
        assert_eq!(gone.refusals("deleteRole"), ["MANAGED_ROLE"], "{managed}");
    }
    make_role(&alice, "viewer", menus(&[("iam", "read_only")])).await.ok();
    give(&alice, &carol, "custom:viewer", shop).await.ok();
    let delete = async || alice.call("deleteRole", json!({ "role": "custom:viewer" }), "deletedRole").await;
    let off = async || {
        let input = json!({ "role": "custom:viewer", "enabled": false });
        alice.call("updateRole", input, "role { state }").await
    };
    assert_eq!(delete().await.refusals("deleteRole"), ["ROLE_IN_USE"]);
    assert_eq!(off().await.refusals("updateRole"), ["ROLE_IN_USE"]);
    assert!(may(&carol, shop, ("iam", "view")).await);
    give(&alice, &carol, "workspace_member", shop).await.ok();
    assert_eq!(off().await.ok().at("updateRole.role.state"), "DISABLED");
    let given = give(&alice, &carol, "custom:viewer", shop).await;
    assert_eq!(given.refusals("grantAccess"), ["NOT_IN_BLUEPRINT"], "it is disabled");
    assert!(delete().await.ok().refusals("deleteRole").is_empty());
}

#[tokio::test]
async fn s4_26_owner_and_member_are_printed_side_by_side_permission_by_permission() {
    let Console { gateway: _open, alice, carol, .. } = console(Engines::Embedded).await;
    let two = json!({ "organization": "acme", "left": "workspace_owner", "right": "workspace_member" });
    let printed = run(&carol, "cloud-console/compare-roles", two).await;
    let compared = printed.at("organization.roleComparison");
    assert_eq!(
        compared["left"],
        json!({ "key": "workspace_owner", "label": "Workspace Owner", "levelLabel": "Workspace or project" })
    );
    assert_eq!(compared["right"]["label"], "Workspace Member");
    let rows = compared["rows"].as_array().unwrap();
    let name = |row: &Value| {
        let part = |key: &str| row[key].as_str().unwrap().to_owned();
        if row["permission"].is_null() {
            format!("{}.{}.{}", part("kind"), part("feature"), part("action"))
        } else {
            part("permission")
        }
    };
    let of = |left: bool, right: bool| -> BTreeSet<String> {
        rows.iter().filter(|row| row["left"] == left && row["right"] == right).map(name).collect()
    };
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let both = [
        "workspace_group.home.view",
        "workspace.home.view",
        "workspace.dashboards.view",
        "workspace.dashboards.manage",
        "workspace.project.view",
        "workspace.project.manage",
        "workspace.asset_inventory.view",
        "workspace.cost_explorer.view",
        "workspace.alert_manager.view",
    ];
    let owner = [
        "apps.create",
        "apps.update",
        "apps.delete",
        "members.read",
        "members.invite",
        "access.grant",
        "rights.read",
        "tokens.manage",
        "workspace.settings.view",
        "workspace.settings.edit",
        "workspace.asset_inventory.manage",
        "workspace.cost_explorer.manage",
        "workspace.alert_manager.manage",
        "workspace.iam.view",
        "workspace.iam.manage",
        "project_group.home.view",
        "project.summary.view",
        "project.summary.edit",
        "project.resources.view",
        "project.resources.manage",
        "project.alerts.view",
        "project.alerts.manage",
    ];
    assert_eq!(of(true, true), set(&both), "S4.24");
    assert_eq!(of(true, false), set(&owner), "S4.18, S4.20, S4.22, S4.23");
    assert_eq!(of(false, true), set(&[]), "a member has nothing that an owner lacks");
    let neither = of(false, false);
    for admins in ["console.admin", "data_collector.collection.manage"] {
        assert!(neither.contains(admins), "{admins}");
    }
    for never in ["organization.update", "roles.manage", "billing.read"] {
        assert!(!rows.iter().any(|row| row["permission"] == never), "{never} is held on no app");
    }
    assert!(rows.iter().all(|row| row["label"].as_str().is_some_and(|label| !label.is_empty())));
    // Any two: an admin holds every row there is, those of the domain too.
    let two = json!({ "organization": "acme", "left": "domain_admin", "right": "workspace_owner" });
    let printed = run(&alice, "cloud-console/compare-roles", two).await;
    let all = printed.at("organization.roleComparison.rows").as_array().unwrap().clone();
    assert!(rows.iter().map(name).all(|row| all.iter().map(name).any(|other| other == row)));
    assert!(all.iter().any(|row| row["permission"] == "organization.update"));
    assert!(all.iter().all(|row| row["left"] == true));
}

#[tokio::test]
async fn s4_18_a_whole_tree_of_access_is_edited_in_the_domain_and_single_roles_in_a_workspace() {
    let Console { gateway: _open, alice, bob, carol, shop, .. } = console(Engines::Embedded).await;
    let carols = member_id(carol.member.unwrap());
    let tree = json!([{ "app": app_id(shop), "features": [{ "feature": "iam", "level": "read_only" }] }]);
    let input = json!({ "member": carols, "access": tree });
    for mutation in ["updateMemberAccess", "updateMember"] {
        let refused = bob.call(mutation, input.clone(), "member { id }").await;
        assert_eq!(refused.codes(), ["FORBIDDEN"], "{mutation} {}", refused.text);
    }
    let asked = "query($id: ID!) { node(id: $id) { ... on App { viewerCanGrant members { edges { node { member {
                   name viewerCanEditAccess viewerCannotEditAccessReasons { code } } } } } } } }";
    let told = bob.send(asked, json!({ "id": app_id(shop) })).await.ok();
    let rows = told.at("node.members.edges").as_array().unwrap();
    let row = rows.iter().map(|edge| &edge["node"]["member"]).find(|member| member["name"] == "carol").unwrap();
    let reasons = json!([{ "code": "FORBIDDEN" }]);
    assert_eq!((&row["viewerCanEditAccess"], &row["viewerCannotEditAccessReasons"]), (&json!(false), &reasons));
    assert_eq!(told.at("node.viewerCanGrant"), true, "one by one, the owner gives it");
    assert!(!may(&carol, shop, ("iam", "view")).await);
    let gives = json!({ "feature": { "kind": "workspace", "feature": "iam", "level": "read_only" } });
    let one = json!({ "grantee": { "member": carols }, "gives": gives, "app": app_id(shop) });
    bob.call("grantAccess", one, "grant { id }").await.ok();
    assert!(may(&carol, shop, ("iam", "view")).await);
    alice.call("updateMemberAccess", input, "member { id }").await.ok();
}

/// S4.19: a whole copy of the owner's role gives what the owner gives; one that lacks something gives no more than it has, and one
/// that may not give access gives nothing (C17).
#[tokio::test]
async fn s4_19_a_copy_of_the_owners_role_gives_what_the_owner_gives() {
    let Console { gateway: _open, alice, bob, carol, shop, .. } = console(Engines::Embedded).await;
    let permissions = [
        "apps.create",
        "apps.update",
        "apps.delete",
        "members.read",
        "members.invite",
        "access.grant",
        "rights.read",
        "tokens.manage",
    ];
    let kinds = [
        ("workspace_group", vec!["home"]),
        (
            "workspace",
            vec![
                "home",
                "settings",
                "dashboards",
                "project",
                "asset_inventory",
                "cost_explorer",
                "alert_manager",
                "iam",
            ],
        ),
        ("project_group", vec!["home"]),
        ("project", vec!["summary", "resources", "alerts"]),
    ];
    let whole: Value = kinds
        .iter()
        .flat_map(|(kind, features)| features.iter().map(move |feature| json!({ "kind": kind, "feature": feature })))
        .collect();
    let make = async |key: &str, permissions: &[&str], access: &Value| {
        let role = json!({ "key": key, "base": "workspace_owner", "label": key, "permissions": permissions, "access": access });
        alice.call("createRole", role, "role { key }").await.ok();
    };
    let without: Vec<&str> = permissions.into_iter().filter(|key| *key != "access.grant").collect();
    make("copy", &permissions, &whole).await;
    make("part", &["access.grant", "members.invite", "members.read"], &menus(&[("iam", "read_only")])).await;
    make("mute", &without, &whole).await;
    let form =
        "query($id: ID!) { node(id: $id) { ... on App { viewerCanGrant viewerCanInvite viewerRolesToGive { key } } } }";
    let told = async |role: &str| {
        give(&alice, &carol, role, shop).await.ok();
        let told = carol.send(form, json!({ "id": app_id(shop) })).await.ok();
        let keys = told.at("node.viewerRolesToGive").as_array().unwrap().iter();
        let keys: Vec<String> = keys.map(|role| role["key"].as_str().unwrap().to_owned()).collect();
        (told.at("node.viewerCanGrant") == true, told.at("node.viewerCanInvite") == true, keys)
    };
    let all = ["workspace_owner", "workspace_member", "custom:copy", "custom:mute", "custom:part"];
    let (grants, invites, mut keys) = told("custom:copy").await;
    keys.sort_by_key(|key| all.iter().position(|known| known == key));
    assert_eq!((grants, invites, keys), (true, true, all.map(str::to_owned).to_vec()));
    let to = |email: &str, role: &str| json!({ "email": email, "appRoles": at(&[(shop, role)]) });
    invite_with(&carol, to("erin@example.org", "workspace_member")).await.ok();
    invite_with(&carol, to("frank@example.org", "workspace_owner")).await.ok();

    let (grants, invites, keys) = told("custom:part").await;
    assert_eq!((grants, invites, keys), (true, true, vec!["custom:part".to_owned()]));
    let beyond = invite_with(&carol, to("gina@example.org", "workspace_owner")).await;
    assert_eq!(beyond.refusals("inviteMember"), ["NOT_GRANTABLE"]);

    // Who gives nothing invites nobody, and is told so beforehand.
    let (grants, invites, keys) = told("custom:mute").await;
    assert_eq!((grants, invites, keys), (false, false, vec![]));
    let why = "query($id: ID!) { node(id: $id) { ... on App { viewerCannotInviteReasons { code remedy } } } }";
    let why = carol.send(why, json!({ "id": app_id(shop) })).await.ok();
    assert_eq!(why.at("node.viewerCannotInviteReasons.0.code"), "NOT_GRANTABLE", "{}", why.text);
    let refused = invite_with(&carol, to("hal@example.org", "workspace_member")).await;
    assert!(refused.refusals("inviteMember").contains(&"NOT_GRANTABLE"), "{}", refused.text);
    assert_eq!(give(&carol, &bob, "workspace_member", shop).await.codes(), ["FORBIDDEN"]);
}
