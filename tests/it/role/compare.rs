//! Two roles side by side.

use serde_json::{Value, json};

use super::{create, desk, role};

const COMPARE: &str = "query($left: String!, $right: String!) { organization(slug: \"acme\") {
    roleComparison(left: $left, right: $right) {
        left { key level levelLabel } right { key level levelLabel }
        rows { area areaLabel label help permission kind feature action left right } } } }";

/// S4.26, S4.R2: areas have the same names for roles of the organization's own as for the blueprint's; the permissions of app roles
/// are those that they give on an app.
#[tokio::test]
async fn s4_26_s4_r2_areas_are_named_alike_for_roles_of_ones_own() {
    let desk = desk().await;
    create(&desk.alice, role("seer", "chief", &["members.read"], json!([]))).await.ok();
    create(&desk.alice, role("guard", "keeper", &[], json!([{ "kind": "board", "feature": "cards" }]))).await.ok();
    let rows = async |left: &str, right: &str| {
        let answer = desk.alice.send(COMPARE, json!({ "left": left, "right": right })).await.ok();
        answer.at("organization.roleComparison.rows").as_array().unwrap().clone()
    };
    let areas =
        |rows: &[Value]| rows.iter().map(|row| (row["area"].clone(), row["areaLabel"].clone())).collect::<Vec<_>>();
    let own = areas(&rows("chief", "lead").await);
    for (left, right) in [("custom:seer", "lead"), ("chief", "custom:seer"), ("custom:seer", "custom:guard")] {
        assert_eq!(areas(&rows(left, right).await), own, "{left} {right}");
    }
    for (area, label) in &own {
        // By the words of its place and its own, never by the key.
        let name = label.as_str().unwrap().split_once(": ").map(|(_, name)| name);
        assert!(name.is_some_and(|name| area != name), "{area}: {label}");
    }
    let on_app = areas(&rows("keeper", "custom:guard").await);
    assert_eq!(on_app[0], (json!("members"), json!("App: Members")), "nothing of the organization is held on an app");
    assert!(on_app.contains(&(json!("board.cards"), json!("Board: Cards"))), "{on_app:?}");
}

/// S4.26, S1.30: any two roles are compared right by right, in order, with the words that explain each; each says where it
/// holds. Roles are no secret among members; strangers are told nothing.
#[tokio::test]
async fn s4_26_any_two_roles_are_compared_right_by_right() {
    let desk = desk().await;
    let bob = desk.gateway.member(&desk.tenant, "bob", "member").await;
    let answer = bob.send(COMPARE, json!({ "left": "lead", "right": "member" })).await.ok();
    let compared = answer.at("organization.roleComparison");
    assert_eq!(compared["left"], json!({ "key": "lead", "level": "ORGANIZATION", "levelLabel": "Company" }));
    let rows = compared["rows"].as_array().unwrap();
    let of = |key: &str| rows.iter().find(|row| row["permission"] == key).unwrap();
    assert_eq!((&of("members.read")["left"], &of("members.read")["right"]), (&json!(true), &json!(true)));
    assert_eq!((&of("members.invite")["left"], &of("members.invite")["right"]), (&json!(true), &json!(false)));
    assert_eq!((&of("billing.manage")["left"], &of("billing.manage")["right"]), (&json!(false), &json!(false)));
    assert_eq!(of("members.invite")["area"], "members");
    assert_eq!(of("members.invite")["areaLabel"], "Company: Members");
    assert_eq!(of("tokens.manage")["areaLabel"], "Company: API tokens");
    let actions: Vec<_> = rows.iter().filter(|row| row["permission"].is_null()).cloned().collect();
    let expected = json!({
        "area": "board.cards", "areaLabel": "Board: Cards", "label": "See cards", "help": "Open cards.", "permission": null,
        "kind": "board", "feature": "cards", "action": "view", "left": true, "right": true,
    });
    assert_eq!(actions[0], expected);
    let held: Vec<_> = actions.iter().map(|row| (row["left"] == true, row["right"] == true)).collect();
    assert_eq!(held, [(true, true), (true, false), (false, false), (true, false), (false, false)]);

    create(&desk.alice, role("seer", "chief", &[], json!([{ "kind": "board", "feature": "reports" }]))).await.ok();
    let answer = bob.send(COMPARE, json!({ "left": "keeper", "right": "custom:seer" })).await.ok();
    assert_eq!(answer.at("organization.roleComparison.left.level"), "APP");
    assert_eq!(answer.at("organization.roleComparison.left.levelLabel"), "App");
    let rows = answer.at("organization.roleComparison.rows").as_array().unwrap().clone();
    assert_eq!(rows.iter().filter(|row| row["right"] == true).count(), 2);

    let none = bob.send(COMPARE, json!({ "left": "lead", "right": "emperor" })).await.ok();
    assert!(none.at("organization.roleComparison").is_null());
    let mallory = desk.gateway.person("mallory").await;
    let hidden = mallory.send(COMPARE, json!({ "left": "lead", "right": "member" })).await.ok();
    assert!(hidden.at("organization").is_null());
}
