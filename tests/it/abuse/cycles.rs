//! Circles and endless inheritance: C18.

use gatehouse::id::new_id;
use sea_orm::Value as Sql;
use serde_json::json;
use uuid::Uuid;

use crate::support::{
    gateway::{Engines, Gateway, Person, Tenant},
    people::app_id,
};

/// Rows of one statement.
const CHUNK: usize = 500;

async fn group(by: &Person, slug: &str, parent: Uuid) -> crate::support::gateway::Answer {
    let input = json!({ "kind": "project_group", "slug": slug, "name": slug, "parent": app_id(parent) });
    by.call("createApp", input, "app { id }").await
}

fn made(answer: &crate::support::gateway::Answer) -> Uuid {
    let id = answer.at("createApp.app.id").as_str().unwrap().to_owned();
    gatehouse::graphql::node::NodeType::App.parse(&id.into()).unwrap()
}

async fn domain(engines: Engines) -> (Gateway, Tenant, Person, Uuid) {
    let gateway = Gateway::on(engines).await;
    let domain = gateway.organization("acme", "cloud-console", "domain").await;
    let alice = gateway.member(&domain, "alice", "domain_admin").await;
    let root = gateway.app(&domain, "workspace", "shop").await;
    gateway.settle().await;
    (gateway, domain, alice, root)
}

#[tokio::test]
async fn c18_an_app_is_never_moved_below_itself() {
    for engines in Engines::DATABASES {
        let (gateway, _, alice, root) = domain(engines).await;
        let outer = made(&group(&alice, "outer", root).await.ok());
        let middle = made(&group(&alice, "middle", outer).await.ok());
        let inner = made(&group(&alice, "inner", middle).await.ok());
        for below in [outer, middle, inner] {
            let input = json!({ "app": app_id(outer), "parent": app_id(below) });
            let refused = alice.call("updateApp", input, "app { id }").await;
            assert_eq!(refused.refusals("updateApp"), ["CYCLE"], "{engines:?}");
        }
        // Two moves at once that would close a circle together: one of them comes second.
        let left = made(&group(&alice, "left", root).await.ok());
        let right = made(&group(&alice, "right", root).await.ok());
        let moving = |app: Uuid, parent: Uuid| json!({ "app": app_id(app), "parent": app_id(parent) });
        let (one, two) = tokio::join!(
            alice.call("updateApp", moving(left, right), "app { id }"),
            alice.call("updateApp", moving(right, left), "app { id }"),
        );
        let refused = [one.refusals("updateApp").len(), two.refusals("updateApp").len()];
        assert_eq!(refused.iter().sum::<usize>(), 1, "{} {}", one.text, two.text);
        let circles = "SELECT count(*) FROM app a JOIN app b ON a.parent_id = b.id WHERE b.parent_id = a.id";
        assert_eq!(gateway.database.count(circles).await, 0);
    }
}

#[tokio::test]
async fn c18_apps_stand_at_most_so_deep_and_a_chain_made_past_the_store_ends() {
    let (gateway, domain, alice, root) = domain(Engines::Embedded).await;
    let mut at = root;
    for depth in 1..=64 {
        at = made(&group(&alice, &format!("g-{depth}"), at).await.ok());
    }
    assert_eq!(group(&alice, "g-65", at).await.refusals("createApp"), ["INVALID"]);
    // A tree that would become too deep by a move, neither.
    let other = made(&group(&alice, "other", root).await.ok());
    let first = alice.ask("{ viewer { organization { app(slug: \"g-1\") { id } } } }").await.ok();
    let input = json!({ "app": first.at("viewer.organization.app.id"), "parent": app_id(other) });
    assert_eq!(alice.call("updateApp", input, "app { id }").await.refusals("updateApp"), ["INVALID"]);

    // Ten thousand of them, and a circle, typed by hand: every question ends.
    let ids: Vec<Uuid> = (0..10_000).map(|_| new_id()).collect();
    let now = gateway.service.now();
    for (start, some) in ids.chunks(CHUNK).enumerate() {
        let mut values: Vec<Sql> = vec![domain.id.into(), now.into()];
        let rows = some.iter().enumerate().map(|(index, id)| {
            let place = start * CHUNK + index;
            let parent = if place == 0 { root } else { ids[place - 1] };
            values.extend([Sql::from(*id), Sql::from(format!("deep-{place}")), Sql::from(parent)]);
            let n = 3 + index * 3;
            format!("(${n}, $1, 'project_group', ${}, 'deep', ${}, 'private', 'active', $2)", n + 1, n + 2)
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        let sql = format!(
            "INSERT INTO app (id, organization_id, kind, slug, name, parent_id, visibility, state, created_at) VALUES {rows}"
        );
        let values: [Sql; 2 + 3 * CHUNK] = values.try_into().unwrap();
        Box::pin(gateway.database.run(&sql, values)).await.unwrap();
    }
    gateway.settle().await;
    let deepest = *ids.last().unwrap();
    let asked = "query($id: ID!) { node(id: $id) { ... on App { slug path { id } viewerCan(feature: \"home\", action: \"view\") } } }";
    let answer = alice.send(asked, json!({ "id": app_id(deepest) })).await.ok();
    assert_eq!(answer.at("node.viewerCan"), true);
    assert!(answer.at("node.path").as_array().unwrap().len() <= 64);
    let sql = "UPDATE app SET parent_id = $1 WHERE id = $2";
    gateway.database.run(sql, [deepest.into(), ids[0].into()]).await.unwrap();
    gateway.settle().await;
    let bob = gateway.member(&domain, "bob", "user").await;
    gateway.tick(&domain, &bob, ids[5], "home", None).await;
    assert_eq!(bob.send(asked, json!({ "id": app_id(deepest) })).await.ok().status, 200);
    // What hangs together so deep is moved nowhere; that, too, is an answer.
    let input = json!({ "app": app_id(ids[0]), "parent": app_id(root) });
    assert_eq!(alice.call("updateApp", input, "app { id }").await.refusals("updateApp"), ["INVALID"]);
}
