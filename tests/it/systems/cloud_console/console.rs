//! A domain with two workspaces, as every test of it finds it.

use serde_json::{Value, json};
use uuid::Uuid;

pub(super) use crate::support::people::app_id;
use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::{join, member_id},
};

/// A domain: alice is its admin, bob owns the workspace `shop`, carol is a member of it, dave owns the workspace `bank`.
pub(super) struct Console {
    pub(super) gateway: Gateway,
    pub(super) domain: Tenant,
    pub(super) alice: Person,
    pub(super) bob: Person,
    pub(super) carol: Person,
    pub(super) dave: Person,
    pub(super) shop: Uuid,
    pub(super) bank: Uuid,
}

/// Makes an app; its id.
pub(super) async fn make(by: &Person, kind: &str, slug: &str, parent: Option<Uuid>) -> Uuid {
    let input = json!({ "kind": kind, "slug": slug, "name": slug, "parent": parent.map(app_id) });
    id(&by.call("createApp", input, "app { id }").await.ok(), "createApp.app.id")
}

/// The app that an answer's global id names.
pub(super) fn id(answer: &Answer, path: &str) -> Uuid {
    let text = answer.at(path).as_str().unwrap_or_else(|| panic!("no id at {path}: {}", answer.text)).to_owned();
    gatehouse::graphql::node::NodeType::App.parse(&text.into()).unwrap()
}

/// Gives a member a role on an app.
pub(super) async fn give(by: &Person, to: &Person, role: &str, app: Uuid) -> Answer {
    let input = json!({ "grantee": { "member": member_id(to.member.unwrap()) }, "gives": { "role": role }, "app": app_id(app) });
    by.call("grantAccess", input, "grant { id }").await
}

/// Roles on apps, as an invitation names them.
pub(super) fn at(roles: &[(Uuid, &str)]) -> Value {
    roles.iter().map(|(app, role)| json!({ "app": app_id(*app), "role": role })).collect()
}

/// The slugs of the apps that a person sees, by name.
pub(super) async fn sees(person: &Person) -> Vec<String> {
    let answer = person.ask("{ viewer { apps(first: 100) { edges { node { slug } } } } }").await.ok();
    let edges = answer.at("viewer.apps.edges").as_array().unwrap().clone();
    edges.iter().map(|edge| edge["node"]["slug"].as_str().unwrap().to_owned()).collect()
}

/// Whether a person may do this on an app.
pub(super) async fn may(person: &Person, app: Uuid, (feature, action): (&str, &str)) -> bool {
    let can = "query($id: ID!, $feature: String!, $action: String!) {
                 node(id: $id) { ... on App { viewerCan(feature: $feature, action: $action) } } }";
    let variables = json!({ "id": app_id(app), "feature": feature, "action": action });
    person.send(can, variables).await.ok().at("node.viewerCan") == &Value::Bool(true)
}

pub(super) async fn console(engines: Engines) -> Console {
    let gateway = Gateway::on(engines).await;
    let domain = gateway.organization("acme", "cloud-console", "domain").await;
    let alice = gateway.member(&domain, "alice", "domain_admin").await;
    let shop = make(&alice, "workspace", "shop", None).await;
    let bank = make(&alice, "workspace", "bank", None).await;
    let bob = join(&gateway, &alice, ("bob", json!({ "appRoles": at(&[(shop, "workspace_owner")]) }))).await;
    let carol = join(&gateway, &alice, ("carol", json!({ "appRoles": at(&[(shop, "workspace_member")]) }))).await;
    let dave = join(&gateway, &alice, ("dave", json!({ "appRoles": at(&[(bank, "workspace_owner")]) }))).await;
    Console { gateway, domain, alice, bob, carol, dave, shop, bank }
}
