//! Granting at the wrong level: guidance and warnings (S1.28, S1.31).

use serde_json::{Value, json};

use super::{Scene, become_role, grant, scene, switch};
use crate::{operations, support::gateway::Person};

async fn warnings(who: &Person) -> Vec<Value> {
    let answer = operations::run(who, "event-apps/warnings", json!({ "organization": "acme" })).await;
    let edges = answer.at("organization.accessWarnings.edges").as_array().unwrap().clone();
    edges.into_iter().map(|edge| edge["node"].clone()).collect()
}

/// S1.28: giving App Manager tells which narrower role does for a single task.
#[tokio::test]
async fn s1_28_giving_app_manager_names_the_narrower_roles() {
    let Scene { gateway: _serving, alice, bob, dora, fair, .. } = scene().await;
    switch(&alice, &dora, (fair, "app_manager", false)).await.ok();
    let given = switch(&alice, &dora, (fair, "app_manager", true)).await.ok();
    let advice = given.at("setAppRole.warnings").as_array().unwrap();
    assert_eq!(advice[0]["code"], "NARROWER_ROLES");
    let remedy = advice[0]["remedy"].as_str().unwrap();
    for (role, task) in [("Verifier", "Check-in"), ("Editor", "Content publishing"), ("Moderator", "Moderating")] {
        assert!(remedy.contains(&format!("{role} ({task}")), "{remedy}");
    }
    // A narrow role needs no such word.
    let narrow = grant(&alice, &bob, (fair, json!({ "role": "verifier" }))).await.ok();
    assert_eq!(narrow.at("grantAccess.warnings"), &json!([]));
}

/// S1.31: too high and too low are warned of, with the grants and what to do; what is automatic is no mistake.
#[tokio::test]
async fn s1_31_grants_at_the_wrong_level_are_warned_of() {
    let Scene { gateway: _serving, alice, bob, dora, fair, gala, .. } = scene().await;
    assert_eq!(warnings(&alice).await, Vec::<Value>::new(), "managing every app comes with being an Admin");
    // Too high: App Manager and Verifier on the same app.
    let both = switch(&alice, &dora, (fair, "verifier", true)).await.ok();
    let codes = |answer: &crate::support::gateway::Answer, mutation: &str| {
        let found = answer.at(mutation)["warnings"].as_array().unwrap().clone();
        found.iter().map(|warning| warning["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&both, "setAppRole"), ["WIDER_THAN_NEEDED"]);
    let found = warnings(&alice).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["code"], "WIDER_THAN_NEEDED");
    assert_eq!(found[0]["grants"][0]["role"]["key"], "app_manager");
    assert_eq!(found[0]["grants"][1]["role"]["key"], "verifier");
    assert_eq!(found[0]["grants"][0]["member"]["name"], "dora");
    assert_eq!(found[0]["grants"][0]["app"]["name"], "fair");
    switch(&alice, &dora, (fair, "verifier", false)).await.ok();
    assert_eq!(warnings(&alice).await, Vec::<Value>::new());
    // Too low: what an Owner has everywhere is given on one app again.
    become_role(&alice, &bob, "owner").await.ok();
    let below = grant(&alice, &bob, (gala, json!({ "role": "moderator" }))).await.ok();
    assert_eq!(codes(&below, "grantAccess"), ["REDUNDANT"]);
    let found = warnings(&alice).await;
    assert_eq!(found[0]["code"], "REDUNDANT");
    assert_eq!(found[0]["grants"].as_array().unwrap().len(), 2);
    assert!(found[0]["remedy"].as_str().unwrap().contains("Moderator"), "{found:?}");
    // The list is for those who see what others hold.
    become_role(&alice, &dora, "member").await.ok();
    let hidden = operations::send(&dora, "event-apps/warnings", json!({ "organization": "acme" })).await;
    assert_eq!(hidden.codes(), ["FORBIDDEN"]);
}
