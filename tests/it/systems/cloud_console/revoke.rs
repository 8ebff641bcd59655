//! What the people of a workspace show beforehand, and what taking it then answers: the same (S4.18, S4.R4, S4.R5, S4.R6).

use serde_json::json;
use uuid::Uuid;

use super::console::{Console, app_id, at, console, give, make};
use crate::support::{
    gateway::{Answer, Engines, Person},
    people::{join, member_id},
};

const PEOPLE: &str = "query($id: ID!) { node(id: $id) { ... on App { members(below: true, first: 50) { edges { node {
    member { id name } bindings { grant { id } role { key } app { id } isInherited viewerCannotRevokeReasons { code } } } } } } } }";

fn done(answer: &Answer, mutation: &str) -> bool {
    answer.codes().is_empty() && answer.refusals(mutation).is_empty()
}

/// Tries to take everything that somebody is shown of a workspace's people, and has alice put back what went; how much of it went,
/// and how much stayed.
async fn tried(by: &Person, alice: &Person, shop: Uuid) -> (usize, usize) {
    let shown = by.send(PEOPLE, json!({ "id": app_id(shop) })).await.ok();
    let (mut went, mut stayed) = (0, 0);
    for edge in shown.at("node.members.edges").as_array().unwrap() {
        let member = &edge["node"]["member"];
        for binding in edge["node"]["bindings"].as_array().unwrap() {
            let inherited = binding["isInherited"] == true;
            let app = if inherited { json!(app_id(shop)) } else { binding["app"]["id"].clone() };
            let role = &binding["role"]["key"];
            let (mutation, input, answer) = if role.is_null() {
                ("revokeAccess", json!({ "grant": binding["grant"]["id"] }), "revokedGrant")
            } else {
                let off = json!({ "app": app, "member": member["id"], "role": role, "on": false });
                ("setAppRole", off, "isHolder")
            };
            let answer = by.call(mutation, input, answer).await;
            let reasons = &binding["viewerCannotRevokeReasons"];
            let foretold = reasons.as_array().unwrap().is_empty();
            assert_eq!(foretold, done(&answer, mutation), "{member} {role} {reasons}: {}", answer.text);
            if !foretold {
                stayed += 1;
                continue;
            }
            went += 1;
            if role.is_null() {
                let gives = json!({ "feature": { "kind": "workspace", "feature": "iam", "level": "read_only" } });
                let again = json!({ "grantee": { "member": member["id"] }, "gives": gives, "app": app });
                alice.call("grantAccess", again, "grant { id }").await.ok();
            } else {
                let on = json!({ "app": app, "member": member["id"], "role": role, "on": true });
                alice.call("setAppRole", on, "isHolder").await.ok();
            }
        }
    }
    (went, stayed)
}

#[tokio::test]
async fn s4_18_s4_r4_s4_r5_s4_r6_what_is_shown_is_what_taking_answers() {
    for engines in Engines::DATABASES {
        let Console { gateway, domain, alice, bob, carol, shop, .. } = console(engines).await;
        let group = make(&alice, "workspace_group", "all", None).await;
        alice.call("updateApp", json!({ "app": app_id(shop), "parent": app_id(group) }), "app { id }").await.ok();
        let erin = gateway.member(&domain, "erin", "user").await;
        gateway.settle().await;
        give(&alice, &erin, "workspace_member", group).await.ok();
        let project = make(&bob, "project", "till", Some(shop)).await;
        join(&gateway, &bob, ("frank", json!({ "appRoles": at(&[(project, "project_member")]) }))).await;
        let gives = json!({ "feature": { "kind": "workspace", "feature": "iam", "level": "read_only" } });
        let tick =
            json!({ "grantee": { "member": member_id(carol.member.unwrap()) }, "gives": gives, "app": app_id(shop) });
        alice.call("grantAccess", tick, "grant { id }").await.ok();
        // The one owner stays, by whomever, and so does what comes from above.
        assert_eq!(tried(&alice, &alice, shop).await, (3, 2), "{engines:?}");
        assert_eq!(tried(&bob, &alice, shop).await, (3, 2), "{engines:?}");
        // Of two owners an admin and each other take the role; nobody takes their own.
        give(&alice, &erin, "workspace_owner", shop).await.ok();
        assert_eq!(tried(&alice, &alice, shop).await, (5, 1), "{engines:?}");
        assert_eq!(tried(&bob, &alice, shop).await, (4, 2), "{engines:?}");
        assert_eq!(tried(&erin, &alice, shop).await, (4, 2), "{engines:?}");
    }
}
