//! Apps: which there are, who sees them, and that a hidden one is nothing (S3.9 to S3.12, S3.26 to S3.31).

use gatehouse::id::new_id;
use serde_json::{Value, json};
use uuid::Uuid;

use super::hub::{Hub, app_id, hub, member_id};
use crate::support::gateway::{Answer, Engines, Person};

fn slugs(answer: &Answer, path: &str) -> Vec<String> {
    let edges = answer.at(path)["edges"].as_array().unwrap();
    edges.iter().map(|edge| edge["node"]["slug"].as_str().unwrap().to_owned()).collect()
}

const SWITCHER: &str = "{ viewer { apps { edges { node { slug } } totalCount } organization { apps { edges { node { slug } } totalCount } } } }";

#[tokio::test]
async fn s3_9_s3_29_s3_30_a_member_sees_the_ticked_apps_and_no_other() {
    for engines in Engines::DATABASES {
        let Hub { gateway, hub, alice, bob, service, help, .. } = hub(engines).await;
        // S3.9: not everything, and at first nothing at all.
        let nothing = bob.ask(SWITCHER).await.ok();
        assert_eq!(nothing.at("viewer.apps.totalCount"), 0);
        assert_eq!(slugs(&nothing, "viewer.organization.apps"), Vec::<String>::new());
        gateway.tick(&hub, &bob, service, "inbox", None).await;
        let one = bob.ask(SWITCHER).await.ok();
        assert_eq!(slugs(&one, "viewer.apps"), ["desk"], "S3.29, the app switcher");
        assert_eq!(slugs(&one, "viewer.organization.apps"), ["desk"], "S3.30, the home page");
        assert_eq!(one.at("viewer.organization.apps.totalCount"), 1);
        gateway.tick(&hub, &bob, help, "articles", None).await;
        assert_eq!(slugs(&bob.ask(SWITCHER).await.ok(), "viewer.apps"), ["desk", "help"]);
        assert_eq!(slugs(&alice.ask(SWITCHER).await.ok(), "viewer.apps"), ["desk", "help", "news", "page"], "S3.5");
    }
}

#[tokio::test]
async fn s3_12_s3_76_two_members_have_different_views_of_one_organization_and_of_one_app() {
    let Hub { gateway, hub, bob, service, help, .. } = hub(Engines::Embedded).await;
    let carol = gateway.member(&hub, "carol", "member").await;
    gateway.tick(&hub, &bob, service, "inbox", None).await;
    gateway.tick(&hub, &carol, service, "tickets", None).await;
    gateway.tick(&hub, &carol, help, "tags", None).await;
    assert_eq!(slugs(&bob.ask(SWITCHER).await.ok(), "viewer.apps"), ["desk"]);
    assert_eq!(slugs(&carol.ask(SWITCHER).await.ok(), "viewer.apps"), ["desk", "help"]);
    let features = async |person: &Person| {
        let own = "query($id: ID!) { node(id: $id) { ... on App { viewerCapabilities { feature actions } } } }";
        person.send(own, json!({ "id": app_id(service) })).await.ok().at("node.viewerCapabilities").clone()
    };
    let inbox = json!([{ "feature": "inbox", "actions": ["view", "reply", "convert_to_ticket"] }]);
    assert_eq!(features(&bob).await, inbox, "S3.76");
    assert_eq!(features(&carol).await, json!([{ "feature": "tickets", "actions": ["view"] }]));
}

/// Everything that can be asked and done about an app by its id.
async fn everything(person: &Person, app: &str, other: &str) -> Vec<String> {
    let member = member_id(person);
    let queries = [
        ("query($app: ID!) { node(id: $app) { id ... on App { slug name } } }", json!({ "app": app })),
        ("query($app: ID!) { nodes(ids: [$app, $app]) { id } }", json!({ "app": app })),
        (
            "query($app: ID!, $member: ID!) { check(member: $member, app: $app, feature: \"inbox\", action: \"view\") { allowed } }",
            json!({ "app": app, "member": member }),
        ),
        (
            "query($app: ID!, $member: ID!) { node(id: $member) { ... on Member { capabilities(app: $app) { totalCount } } } }",
            json!({ "app": app, "member": member }),
        ),
        (
            "query($app: ID!) { viewer { organization { apps(parent: $app) { totalCount edges { node { id } } } } } }",
            json!({ "app": app }),
        ),
    ];
    let mut answers = Vec::new();
    for (document, variables) in queries {
        let answer = person.send(document, variables).await;
        answers.push(format!("{} {}", answer.status, answer.text));
    }
    let ticked = json!([{ "app": app, "features": [{ "feature": "inbox" }] }]);
    let inbox = json!({ "feature": { "kind": "customer_service", "feature": "inbox" } });
    let mutations = [
        ("updateApp", json!({ "app": app, "name": "Mine" }), "app { id }"),
        ("deleteApp", json!({ "app": app, "confirm": "desk" }), "deletedApp"),
        ("updateMemberAccess", json!({ "member": other, "access": ticked }), "member { id }"),
        ("grantAccess", json!({ "grantee": { "member": other }, "gives": inbox, "app": app }), "grant { id }"),
    ];
    for (mutation, input, selection) in mutations {
        let answer = person.call(mutation, input, selection).await;
        answers.push(format!("{} {}", answer.status, answer.text));
    }
    answers
}

#[tokio::test]
async fn s3_31_q24_a_hidden_app_answers_byte_for_byte_like_one_that_does_not_exist() {
    for engines in Engines::DATABASES {
        let Hub { gateway, hub, alice, bob, service, help, .. } = hub(engines).await;
        gateway.tick(&hub, &bob, help, "articles", None).await;
        let alices = member_id(&alice);
        let hidden = everything(&bob, &app_id(service), &alices).await;
        let random = everything(&bob, &app_id(new_id()), &alices).await;
        assert_eq!(hidden, random, "{engines:?}");
        assert!(hidden[2].contains("NOT_FOUND"), "{}", hidden[2]);
        // The same questions are answered where they are allowed.
        let seen = everything(&bob, &app_id(help), &alices).await;
        assert!(seen[0].contains("\"help\"") && seen[3].contains("\"totalCount\":1"), "{seen:?}");
        // An administrator without access to an app is no exception: mallory may manage apps and access, and sees one.
        let mallory = gateway.member(&hub, "mallory", "member").await;
        gateway.tick(&hub, &mallory, help, "articles", None).await;
        let gone =
            alice.call("deleteApp", json!({ "app": app_id(service), "confirm": "desk" }), "deletedApp").await.ok();
        assert_eq!(gone.at("deleteApp.deletedApp"), &json!(app_id(service)));
        assert_eq!(everything(&bob, &app_id(service), &alices).await, random, "{engines:?}: after it is gone");
    }
}

#[tokio::test]
async fn s3_25_s3_26_s3_27_s3_28_each_kind_of_app_has_its_features() {
    let Hub { gateway: _open, alice, service, help, page, .. } = hub(Engines::Embedded).await;
    let features = async |app: Uuid| -> Vec<String> {
        let kind = "query($id: ID!) { node(id: $id) { ... on App { kind { features { key } } } } }";
        let answer = alice.send(kind, json!({ "id": app_id(app) })).await.ok();
        let features = answer.at("node.kind.features").as_array().unwrap().clone();
        features.iter().map(|feature| feature["key"].as_str().unwrap().to_owned()).collect()
    };
    let desk =
        ["inbox", "tickets", "app_users", "quick_prompts", "playground", "analytics", "settings", "integrations"];
    assert_eq!(features(service).await, desk, "S3.26");
    assert_eq!(features(help).await, ["articles", "tags", "collections", "analytics", "settings"], "S3.27");
    assert_eq!(features(page).await, ["inbox", "app_users", "quick_prompts", "analytics", "settings"], "S3.28");
}

#[tokio::test]
async fn apps_are_made_renamed_disabled_and_deleted_by_those_who_may_s3_3() {
    for engines in Engines::DATABASES {
        let Hub { gateway, hub, alice, bob, service, .. } = hub(engines).await;
        gateway.tick(&hub, &bob, service, "inbox", None).await;
        let input = json!({ "kind": "newsroom", "slug": "news-2", "name": "News", "idempotencyKey": "k" });
        let made = alice.call("createApp", input.clone(), "app { id slug kind { key } state }").await.ok();
        assert_eq!(made.at("createApp.app.kind.key"), "newsroom");
        let again = alice.call("createApp", input.clone(), "app { id slug kind { key } state }").await.ok();
        assert_eq!(again.body["data"], made.body["data"]);
        assert_eq!(bob.call("createApp", input, "app { id }").await.codes(), ["FORBIDDEN"]);
        let wrong = json!({ "kind": "spaceship", "slug": "News", "name": " " });
        let refused = alice.call("createApp", wrong, "app { id }").await;
        assert_eq!(refused.refusals("createApp"), ["INVALID", "INVALID", "NOT_IN_BLUEPRINT"]);
        let taken =
            alice.call("createApp", json!({ "kind": "newsroom", "slug": "desk", "name": "X" }), "app { id }").await;
        assert_eq!(taken.refusals("createApp"), ["TAKEN"]);

        let desk = app_id(service);
        let can = "query($id: ID!) { node(id: $id) { ... on App { name state viewerCan(feature: \"inbox\", action: \"reply\") } } }";
        let before = bob.send(can, json!({ "id": desk })).await.ok();
        assert_eq!(before.at("node.viewerCan"), true);
        let off = json!({ "app": desk, "state": "DISABLED", "name": "Old desk" });
        assert_eq!(bob.call("updateApp", off.clone(), "app { id }").await.codes(), ["FORBIDDEN"]);
        alice.call("updateApp", off, "app { state name }").await.ok();
        let after = bob.send(can, json!({ "id": desk })).await.ok();
        assert_eq!(after.at("node"), &json!({ "name": "Old desk", "state": "DISABLED", "viewerCan": false }));

        let refused = alice.call("deleteApp", json!({ "app": desk, "confirm": "Desk" }), "deletedApp").await;
        assert_eq!(refused.refusals("deleteApp"), ["NOT_CONFIRMED"]);
        assert_eq!(
            bob.call("deleteApp", json!({ "app": desk, "confirm": "desk" }), "deletedApp").await.codes(),
            ["FORBIDDEN"]
        );
        alice.call("deleteApp", json!({ "app": desk, "confirm": "desk" }), "deletedApp").await.ok();
        let grants = "SELECT count(*) FROM access_grant WHERE app_id IS NOT NULL";
        assert_eq!(gateway.database.count(grants).await, 0);
        assert_eq!(bob.send(can, json!({ "id": desk })).await.ok().at("node"), &Value::Null);
    }
}
