//! Viewing as a member: what is seen, by whom, and that it is written down.

use gatehouse::graphql::node::NodeType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::gateway::{Engines, Gateway, Person, Tenant};

/// The rules of `narrow`, with the permission and somebody who holds it and little else.
fn rules() -> String {
    let narrow = include_str!("cases/narrow.toml").replace("name = \"narrow\"", "name = \"viewing\"");
    let more = "[permissions.\"members.view_as\"]\nlabel = \"View as\"\nhelp = \"Read as another member does.\"\n\n\
                [roles.auditor]\nlabel = \"Auditor\"\nhelp = \"Looks at what others see.\"\n\
                permissions = [\"members.view_as\", \"members.read\"]\n\n[roles.clerk]";
    narrow.replace("[roles.clerk]", more)
}

struct Library {
    gateway: Gateway,
    ada: Tenant,
    alice: Person,
    bob: Person,
    carol: Person,
    dave: Person,
}

/// alice may everything, bob nothing, carol looks, dave makes tokens.
async fn library(engines: Engines) -> Library {
    let gateway = Gateway::on(engines).await;
    gateway.service.install_blueprint(&rules()).await.unwrap();
    let ada = gateway.organization("ada", "viewing", "free").await;
    let alice = gateway.member(&ada, "alice", "head").await;
    let bob = gateway.member(&ada, "bob", "nobody").await;
    let carol = gateway.member(&ada, "carol", "auditor").await;
    let dave = gateway.member(&ada, "dave", "clerk").await;
    gateway.app(&ada, "shelf", "novels").await;
    gateway.settle().await;
    Library { gateway, ada, alice, bob, carol, dave }
}

fn id(person: &Person) -> String {
    NodeType::Member.id(person.member.unwrap()).to_string()
}

/// What is answered to a document that is asked as these members.
async fn view(gateway: &Gateway, by: &Person, members: &[&str], document: &str) -> (u16, Value) {
    let client = reqwest::Client::new();
    let mut request = client.post(format!("{}/graphql", gateway.url)).json(&json!({ "query": document }));
    request = request.header("accept", "application/graphql-response+json");
    if let Some(token) = &by.token {
        request = request.bearer_auth(token);
    }
    for member in members {
        request = request.header("gatehouse-view-as", *member);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

const VIEWER: &str = "{ viewer { id name email permissions user { id } externalIdentities { id } apps { totalCount } organizations { totalCount } } }";

async fn written(gateway: &Gateway) -> i64 {
    gateway.database.count("SELECT count(*) FROM activity_entry WHERE action = 'member.viewed_as'").await
}

#[tokio::test]
async fn an_administrator_sees_what_the_member_sees_and_it_is_written_down_each_time() {
    for engines in Engines::ALL {
        let Library { gateway, alice, bob, .. } = library(engines).await;
        let other = gateway.organization("other", "viewing", "free").await;
        gateway.joined(&other, &bob, "head").await;
        assert_eq!(alice.ask(VIEWER).await.ok().at("viewer.apps.totalCount"), 1);
        for turn in 1..=2 {
            let (status, answer) = view(&gateway, &alice, &[&id(&bob)], VIEWER).await;
            assert_eq!(status, 200, "{answer}");
            // Of the person nothing is told but its place here.
            let expected = json!({ "id": id(&bob), "name": "bob", "email": null, "permissions": [], "user": null,
                "externalIdentities": null, "apps": { "totalCount": 0 }, "organizations": { "totalCount": 1 } });
            assert_eq!(answer["data"]["viewer"], expected, "{engines:?}");
            assert_eq!(written(&gateway).await, turn);
        }
        let list = "{ organization(slug: \"ada\") { activity(category: ACCESS) { edges { node {
            action actor { name } target { id name } } } } } }";
        let entry = alice.ask(list).await.ok().at("organization.activity.edges.0.node").clone();
        let target = json!({ "id": id(&bob), "name": "bob" });
        assert_eq!(entry, json!({ "action": "member.viewed_as", "actor": { "name": "alice" }, "target": target }));
        // The next request is the administrator's own again.
        assert_eq!(alice.ask(VIEWER).await.ok().at("viewer.name"), "alice");
        let members = "{ organization(slug: \"ada\") { members { totalCount } } }";
        assert_eq!(alice.ask(members).await.ok().at("organization.members.totalCount"), 4);
        let (_, own) = view(&gateway, &alice, &[&id(&bob)], members).await;
        assert_eq!(own["data"]["organization"]["members"]["totalCount"], 1, "bob sees himself alone");
        // What the viewer is called by is found by that.
        let node = format!("{{ node(id: \"{}\") {{ __typename id }} }}", id(&bob));
        let (_, found) = view(&gateway, &alice, &[&id(&bob)], &node).await;
        assert_eq!(found["data"]["node"], json!({ "__typename": "Member", "id": id(&bob) }), "{engines:?}");
    }
}

#[tokio::test]
async fn whoever_views_as_a_member_changes_nothing() {
    let Library { gateway, alice, bob, dave, .. } = library(Engines::Embedded).await;
    let before = gateway.database.count("SELECT count(*) FROM team").await;
    for member in [&bob, &dave] {
        let mutation = "mutation { createTeam(input: { name: \"X\", slug: \"x\" }) { team { id } } }";
        let (status, answer) = view(&gateway, &alice, &[&id(member)], mutation).await;
        assert_eq!((status, answer["errors"][0]["extensions"]["code"].as_str()), (403, Some("FORBIDDEN")), "{answer}");
        assert_eq!(answer["errors"][0]["message"], "whoever views as a member only reads: queries alone");
    }
    let client = reqwest::Client::new();
    let subscription = json!({ "query": "subscription { accessChanged { __typename } }" });
    let request = client.post(format!("{}/graphql", gateway.url)).header("accept", "text/event-stream");
    let request = request.bearer_auth(alice.token.as_ref().unwrap()).header("gatehouse-view-as", id(&bob));
    let answered = request.json(&subscription).send().await.unwrap();
    assert_eq!(answered.status().as_u16(), 403);
    let request = client.get(format!("{}/graphql", gateway.url)).header("upgrade", "websocket");
    let request = request.header("connection", "upgrade").header("gatehouse-view-as", id(&bob));
    assert_eq!(request.send().await.unwrap().status().as_u16(), 403);
    assert_eq!(gateway.database.count("SELECT count(*) FROM team").await, before);
    assert_eq!(written(&gateway).await, 0);
}

#[tokio::test]
async fn nobody_views_as_a_member_who_may_more() {
    let Library { gateway, ada, alice, bob, carol, dave } = library(Engines::Embedded).await;
    for member in [&alice, &dave] {
        let (status, answer) = view(&gateway, &carol, &[&id(member)], VIEWER).await;
        assert_eq!(
            (status, answer["errors"][0]["message"].as_str()),
            (403, Some("this member may do what you may not"))
        );
    }
    assert_eq!(view(&gateway, &carol, &[&id(&bob)], VIEWER).await.0, 200);
    // Raised by one app, it is more than the auditor may.
    let shelf = gateway.app(&ada, "shelf", "poems").await;
    gateway.tick(&ada, &bob, shelf, "books", None).await;
    assert_eq!(view(&gateway, &carol, &[&id(&bob)], VIEWER).await.0, 403);
    assert_eq!(view(&gateway, &alice, &[&id(&bob)], VIEWER).await.1["data"]["viewer"]["apps"]["totalCount"], 1);
    assert_eq!(written(&gateway).await, 2);
}

#[tokio::test]
async fn only_who_holds_the_permission_views_as_others() {
    let Library { gateway, alice, bob, dave, .. } = library(Engines::Embedded).await;
    for by in [&bob, &dave] {
        let (status, answer) = view(&gateway, by, &[&id(&bob)], VIEWER).await;
        assert_eq!((status, answer["data"].is_null()), (403, true), "{answer}");
    }
    assert_eq!(view(&gateway, &gateway.stranger(), &[&id(&bob)], "{ viewer { name } }").await.0, 403);
    // Where the blueprint does not declare it, nobody holds it.
    let acme = gateway.organization("acme", "code-hosting", "free").await;
    let erin = gateway.member(&acme, "erin", "owner").await;
    let frank = gateway.member(&acme, "frank", "member").await;
    assert_eq!(view(&gateway, &erin, &[&id(&frank)], VIEWER).await.0, 403);
    // Nobody of another organization, nobody at all, and nobody unclear.
    for nobody in [id(&frank), NodeType::Member.id(Uuid::nil()).to_string(), "bob".to_owned(), String::new()] {
        assert_eq!(view(&gateway, &alice, &[&nobody], VIEWER).await.0, 404, "{nobody}");
    }
    assert_eq!(view(&gateway, &alice, &[&id(&bob), &id(&dave)], VIEWER).await.0, 404);
    gateway.database.run("UPDATE member SET state = 'suspended' WHERE name = 'bob'", []).await.unwrap();
    gateway.settle().await;
    assert_eq!(view(&gateway, &alice, &[&id(&bob)], VIEWER).await.0, 403);
    assert_eq!(written(&gateway).await, 0);
}
