//! An account with an application of several kinds: alice owns it, carol is an admin, bob a user.

use gatehouse::{graphql::node::NodeType, id::new_id};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::{app_id, member_id},
};

pub(super) struct Suite {
    pub(super) gateway: Gateway,
    pub(super) acme: Tenant,
    pub(super) alice: Person,
    pub(super) carol: Person,
    pub(super) bob: Person,
    pub(super) crm: Uuid,
    pub(super) billing: Uuid,
    pub(super) work: Uuid,
}

pub(super) async fn suite() -> Suite {
    suite_on(Engines::Embedded, "agency").await
}

pub(super) async fn suite_on(engines: Engines, plan: &str) -> Suite {
    let gateway = Gateway::on(engines).await;
    let acme = gateway.organization("acme", "business-suite", plan).await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let carol = gateway.member(&acme, "carol", "admin").await;
    let bob = gateway.member(&acme, "bob", "user").await;
    let crm = gateway.app(&acme, "crm", "crm").await;
    let billing = gateway.app(&acme, "invoicing", "billing").await;
    let work = gateway.app(&acme, "projects", "work").await;
    gateway.settle().await;
    Suite { gateway, acme, alice, carol, bob, crm, billing, work }
}

pub(super) fn id_of(person: &Person) -> String {
    member_id(person.member.unwrap())
}

/// The tree as the form sends it; a feature with a level is written `tasks:work`.
pub(super) fn tree(apps: &[(Uuid, &[&str])]) -> Value {
    let feature = |text: &&str| match text.split_once(':') {
        Some((feature, level)) => json!({ "feature": feature, "level": level }),
        None => json!({ "feature": text }),
    };
    let app = |(app, features): &(Uuid, &[&str])| json!({ "app": app_id(*app), "features": features.iter().map(feature).collect::<Vec<_>>() });
    apps.iter().map(app).collect()
}

/// Gives a member a feature on every app of a kind, past the API.
pub(super) async fn everywhere(suite: &Suite, person: &Person, feature: (&str, &str, Option<&str>)) {
    let (kind, key, level) = feature;
    let sql =
        "INSERT INTO access_grant (id, organization_id, grantee_kind, grantee_id, app_kind, feature, level, created_at)
               VALUES ($1, $2, 'member', $3, $4, $5, $6, $7)";
    let row = [
        new_id().into(),
        suite.acme.id.into(),
        person.member.into(),
        kind.into(),
        key.into(),
        level.map(str::to_owned).into(),
        suite.gateway.service.now().into(),
    ];
    suite.gateway.database.run(sql, row).await.unwrap();
    suite.gateway.settle().await;
}

/// The feature grants of a member's own, as `app-or-* kind.feature:level`, sorted.
pub(super) async fn held(gateway: &Gateway, member: Uuid) -> Vec<String> {
    let sql = "SELECT coalesce(a.slug, '*') AS place, g.app_kind, g.feature, coalesce(g.level, '') AS level FROM access_grant g
               LEFT JOIN app a ON a.id = g.app_id WHERE g.grantee_id = $1 AND g.feature IS NOT NULL";
    let rows = gateway.database.rows(sql, [member.into()]).await;
    let text = |row: &sea_orm::QueryResult, column: &str| row.try_get::<String>("", column).unwrap();
    let mut held: Vec<String> = rows
        .iter()
        .map(|row| {
            let level = text(row, "level");
            let level = if level.is_empty() { level } else { format!(":{level}") };
            format!("{} {}.{}{level}", text(row, "place"), text(row, "app_kind"), text(row, "feature"))
        })
        .collect();
    held.sort();
    held
}

/// Somebody invited by the API who has not answered yet; the member's id.
pub(super) async fn invited(by: &Person, name: &str, input: Value) -> Uuid {
    let answer = try_invite(by, name, input).await.ok();
    let id = answer.at("inviteMember.member.id").as_str().unwrap().to_owned();
    NodeType::Member.parse(&id.into()).unwrap()
}

pub(super) async fn try_invite(by: &Person, name: &str, mut input: Value) -> Answer {
    input["email"] = json!(format!("{name}@example.org"));
    for (field, text) in [("firstName", name), ("lastName", "Example")] {
        if input.get(field).is_none() {
            input[field] = json!(text);
        }
    }
    by.call("inviteMember", input, "member { id name email state roles { key } } invitation { id }").await
}

pub(super) async fn update(by: &Person, who: Uuid, mut input: Value) -> Answer {
    input["member"] = json!(member_id(who));
    by.call("updateMember", input, "member { id name email roles { key } accessMode } mailSent").await
}

/// Saves the whole tree of a member's access.
pub(super) async fn save_access(by: &Person, who: Uuid, access: Value) -> Answer {
    by.call("updateMemberAccess", json!({ "member": member_id(who), "access": access }), "member { id }").await
}

pub(super) async fn archive(by: &Person, who: &Person) -> Answer {
    by.call("removeMember", json!({ "member": id_of(who), "confirm": true }), "removed").await
}

pub(super) async fn restore(by: &Person, who: &Person, mut input: Value) -> Answer {
    input["member"] = json!(id_of(who));
    by.call("restoreMember", input, "member { id state roles { key } }").await
}

/// Suspends or reactivates: `suspendMember`, `reactivateMember`.
pub(super) async fn step(by: &Person, who: &Person, mutation: &str) -> Answer {
    by.call(mutation, json!({ "member": id_of(who) }), "member { state }").await
}

/// What somebody may do in an app, as `feature: actions`; nothing where the app is hidden.
pub(super) async fn may(person: &Person, app: Uuid) -> Vec<String> {
    let ask = "query($id: ID!) { node(id: $id) { ... on App { viewerCapabilities { feature actions } } } }";
    let answer = person.send(ask, json!({ "id": app_id(app) })).await.ok();
    let Some(list) = answer.at("node.viewerCapabilities").as_array() else { return Vec::new() };
    let tell = |held: &Value| {
        let actions: Vec<&str> = held["actions"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
        format!("{}: {}", held["feature"].as_str().unwrap(), actions.join(" "))
    };
    list.iter().map(tell).collect()
}

/// The keys of a list of objects.
pub(super) fn keys(list: &Value) -> Vec<String> {
    let items = list.as_array().cloned().unwrap_or_default();
    items.iter().map(|item| item["key"].as_str().unwrap_or_default().to_owned()).collect()
}
