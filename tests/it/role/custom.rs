//! Roles of an organization's own: what they give, to whom, and from when.

use serde_json::json;

use super::{become_role, create, delete, desk, desk_on, may, permissions, role, update};
use crate::support::{
    gateway::Engines,
    people::{app_id, count, fields, member_id, remedies},
};

/// S4.10, S4.R2, S4.2: a role is tailored to the organization, menu by menu at a level of its own; it gives what it names of its
/// base, and a change of it is there with its holders' next request.
#[tokio::test]
async fn s4_10_s4_r2_s4_2_an_organization_tailors_a_role_menu_by_menu() {
    for engines in Engines::DATABASES {
        let desk = desk_on(engines).await;
        let bob = desk.gateway.member(&desk.tenant, "bob", "member").await;
        let menus = json!([
            { "kind": "board", "feature": "cards", "level": "write" },
            { "kind": "board", "feature": "reports", "actions": ["view"] },
        ]);
        let made = create(&desk.alice, role("clerk", "chief", &["members.read", "billing.read"], menus)).await.ok();
        let clerk = json!({
            "key": "custom:clerk", "label": "clerk", "help": "", "level": "ORGANIZATION", "levelLabel": "Company",
            "base": "chief", "isCustom": true, "state": "ENABLED", "customizable": false,
            "permissions": ["billing.read", "members.read"],
            "access": [
                { "kind": "board", "feature": "cards", "level": "write", "actions": ["view", "edit"] },
                { "kind": "board", "feature": "reports", "level": null, "actions": ["view"] },
            ],
            "holders": 0,
        });
        assert_eq!(made.at("createRole.role"), &clerk);

        assert!(!may(&bob, desk.board, "cards", "edit").await);
        let answer = become_role(&desk.alice, &bob, "custom:clerk").await.ok();
        assert_eq!(answer.at("changeMemberRole.member.roles"), &json!([{ "key": "custom:clerk", "isCustom": true }]));
        assert!(may(&bob, desk.board, "cards", "edit").await);
        assert!(may(&bob, desk.board, "reports", "view").await);
        assert!(!may(&bob, desk.board, "cards", "purge").await && !may(&bob, desk.board, "reports", "export").await);
        assert_eq!(permissions(&bob).await, ["billing.read", "members.read"]);

        let read = json!([{ "kind": "board", "feature": "cards", "level": "read" }]);
        let input = json!({ "role": "custom:clerk", "label": "Reader", "access": read });
        let changed = update(&desk.alice, input).await.ok();
        assert_eq!(changed.at("updateRole.role.label"), "Reader");
        assert_eq!(changed.at("updateRole.role.holders"), 1);
        assert_eq!(changed.at("updateRole.role.permissions"), &json!(["billing.read", "members.read"]));
        assert!(may(&bob, desk.board, "cards", "view").await);
        assert!(!may(&bob, desk.board, "cards", "edit").await && !may(&bob, desk.board, "reports", "view").await);

        let list = "{ organization(slug: \"acme\") { roles { key isCustom state holders } } }";
        let listed = desk.alice.ask(list).await.ok();
        let roles = listed.at("organization.roles").as_array().unwrap().clone();
        let last = json!({ "key": "custom:clerk", "isCustom": true, "state": "ENABLED", "holders": 1 });
        assert_eq!(roles.last().unwrap(), &last);
        assert_eq!(roles.len(), 9);
        let places = bob.ask("{ organizations { edges { node { roles { label } } } } }").await.ok();
        assert_eq!(places.at("organizations.edges.0.node.roles.0.label"), "Reader");
        let entries = "SELECT count(*) FROM activity_entry WHERE action IN ('role.created', 'role.updated')";
        assert_eq!(desk.gateway.database.count(entries).await, 2);
    }
}

/// S4.R3: a role that somebody holds is neither deleted nor switched off, a pending member's counts; one that nobody holds is.
#[tokio::test]
async fn s4_r3_a_role_in_use_is_neither_deleted_nor_disabled() {
    let desk = desk().await;
    create(&desk.alice, role("guest", "lead", &["members.read"], json!([]))).await.ok();
    let life = chrono::TimeDelta::days(7);
    let bob = desk.gateway.pending(&desk.tenant, "bob", "custom:guest", life).await;
    let off = json!({ "role": "custom:guest", "enabled": false });
    let refused = delete(&desk.alice, "custom:guest").await;
    assert_eq!(refused.refusals("deleteRole"), ["ROLE_IN_USE"]);
    assert_eq!(refused.at("deleteRole.userErrors.0.message"), "guest is given once");
    assert_eq!(update(&desk.alice, off.clone()).await.refusals("updateRole"), ["ROLE_IN_USE"]);
    assert_eq!(count(&desk.gateway, "custom_role").await, 1);

    desk.gateway.database.run("DELETE FROM access_grant WHERE grantee_id = $1", [bob.into()]).await.unwrap();
    let disabled = update(&desk.alice, off).await.ok();
    assert_eq!(disabled.at("updateRole.role.state"), "DISABLED");
    let carol = desk.gateway.member(&desk.tenant, "carol", "member").await;
    let given = become_role(&desk.alice, &carol, "custom:guest").await;
    assert_eq!(given.refusals("changeMemberRole"), ["NOT_IN_BLUEPRINT"]);
    assert_eq!(given.at("changeMemberRole.userErrors.0.message"), "the role `guest` is switched off");
    assert_eq!(remedies(&given, "changeMemberRole"), ["Enable the role first, or choose another one."]);
    delete(&desk.alice, "custom:guest").await.ok();
    assert_eq!(count(&desk.gateway, "custom_role").await, 0);
}

/// S4.R3: the roles of the blueprint are managed: neither changed nor deleted by anyone.
#[tokio::test]
async fn s4_r3_roles_of_the_blueprint_are_managed() {
    let desk = desk().await;
    let changed = update(&desk.alice, json!({ "role": "lead", "label": "Boss" })).await;
    assert_eq!(changed.refusals("updateRole"), ["MANAGED_ROLE"]);
    assert_eq!(delete(&desk.alice, "helper").await.refusals("deleteRole"), ["MANAGED_ROLE"]);
    let unknown = delete(&desk.alice, "custom:none").await;
    assert_eq!(unknown.refusals("deleteRole"), ["NOT_IN_BLUEPRINT"]);
    let bob = desk.gateway.member(&desk.tenant, "bob", "member").await;
    assert_eq!(delete(&bob, "helper").await.codes(), ["FORBIDDEN"]);
    assert_eq!(create(&bob, role("mine", "lead", &[], json!([]))).await.codes(), ["FORBIDDEN"]);
}

/// S4.10: what is wrong with a role is said at its place, all at once.
#[tokio::test]
async fn s4_10_a_role_is_made_of_the_blueprints_words() {
    let desk = desk().await;
    let wrong = json!({
        "key": "No Good", "base": "chief", "label": "", "permissions": ["members.read", "members.fly"],
        "access": [
            { "kind": "board", "feature": "cards", "level": "supreme" },
            { "kind": "board", "feature": "cards", "actions": ["fly"] },
            { "kind": "shelf", "feature": "cards" },
            { "kind": "board", "feature": "cards", "level": "read", "actions": ["view"] },
        ],
    });
    let refused = create(&desk.alice, wrong).await;
    let at = ["key", "label", "permissions.1", "access.0.level", "access.1.actions", "access.2", "access.3"];
    assert_eq!(fields(&refused, "createRole"), at);
    let known = &remedies(&refused, "createRole")[2];
    assert!(known.starts_with("Choose among those of Chief: `") && known.contains("`members.read`"), "{known}");
    let made_after = create(&desk.alice, role("boss", "owner", &[], json!([]))).await;
    assert_eq!(fields(&made_after, "createRole"), ["base"]);
    create(&desk.alice, role("boss", "lead", &[], json!([]))).await.ok();
    assert_eq!(create(&desk.alice, role("boss", "chief", &[], json!([]))).await.refusals("createRole"), ["TAKEN"]);
}

/// S4.R2: a role for an app is made after an app role, and is held there alone.
#[tokio::test]
async fn s4_r2_an_app_role_of_its_own_is_held_on_an_app() {
    let desk = desk().await;
    let bob = desk.gateway.member(&desk.tenant, "bob", "member").await;
    let other = desk.gateway.app(&desk.tenant, "board", "other").await;
    desk.gateway.settle().await;
    let reports = json!([{ "kind": "board", "feature": "reports" }]);
    let made = create(&desk.alice, role("reporter", "keeper", &[], reports)).await.ok();
    assert_eq!(made.at("createRole.role.level"), "APP");
    let input = json!({
        "grantee": { "member": member_id(bob.member.unwrap()) }, "gives": { "role": "custom:reporter" },
        "app": app_id(desk.board),
    });
    desk.alice.call("grantAccess", input, "grant { id }").await.ok();
    assert!(may(&bob, desk.board, "reports", "export").await);
    assert!(!may(&bob, desk.board, "cards", "edit").await && !may(&bob, other, "reports", "view").await);
    assert_eq!(become_role(&desk.alice, &bob, "custom:reporter").await.refusals("changeMemberRole"), ["WRONG_LEVEL"]);
}

/// A custom role takes the seat that its base takes.
#[tokio::test]
async fn a_role_of_its_own_takes_the_seat_of_its_base() {
    let desk = desk().await;
    create(&desk.alice, role("small", "lead", &["members.read"], json!([]))).await.ok();
    desk.gateway.member(&desk.tenant, "bob", "custom:small").await;
    desk.gateway.settle().await;
    let ask = "{ organization(slug: \"acme\") { seatUsage { pool used } } }";
    let answer = desk.alice.ask(ask).await.ok();
    assert_eq!(answer.at("organization.seatUsage"), &json!([{ "pool": "people", "used": 1 }]));
}

/// Rights by a custom role are remembered like all others: a warm request asks the database nothing, whatever roles there are.
#[tokio::test]
async fn a_warm_request_costs_no_statement_with_roles_of_its_own() {
    let desk = desk_on(Engines::PostgresAndRedis).await;
    create(&desk.alice, role("small", "lead", &["members.read"], json!([]))).await.ok();
    let bob = desk.gateway.member(&desk.tenant, "bob", "custom:small").await;
    desk.gateway.settle().await;
    let ask = "{ viewer { permissions organization { roles { key isCustom permissions } } } }";
    let mut spent = i64::MAX;
    for _ in 0..100 {
        let before = desk.gateway.statements().await;
        let answer = bob.ask(ask).await.ok();
        assert_eq!(answer.at("viewer.permissions"), &json!(["members.read"]));
        spent = desk.gateway.statements().await - before;
        if spent == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(spent, 0, "every request reads the database");
}

/// Entries name a role by its key, and tell what it was called before.
#[tokio::test]
async fn entries_of_roles_tell_what_they_were_called() {
    let desk = desk().await;
    create(&desk.alice, role("clerk", "chief", &["members.read"], json!([]))).await.ok();
    update(&desk.alice, json!({ "role": "custom:clerk", "label": "Reader" })).await.ok();
    let log =
        "{ organization(slug: \"acme\") { activity(first: 1) { edges { node { target { id name } detail } } } } }";
    let log = desk.alice.ask(log).await.ok();
    let entry = log.at("organization.activity.edges.0.node");
    assert_eq!(entry["target"], json!({ "id": "custom:clerk", "name": "Reader" }));
    assert_eq!(
        (&entry["detail"]["before"]["label"], &entry["detail"]["after"]["label"]),
        (&json!("clerk"), &json!("Reader"))
    );
}
