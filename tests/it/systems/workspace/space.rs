//! A workspace: alice founded it, carol administers it without its billing, bob runs apps; and its products.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::{app_id, member_id},
};

pub(super) struct Space {
    pub(super) gateway: Gateway,
    pub(super) tenant: Tenant,
    pub(super) alice: Person,
    pub(super) bob: Person,
    pub(super) carol: Person,
    /// The AI Solutions Builder.
    pub(super) builder: Uuid,
    /// Process Automation.
    pub(super) flows: Uuid,
}

pub(super) async fn space(engines: Engines) -> Space {
    let gateway = Gateway::on(engines).await;
    let tenant = gateway.organization("acme", "workspace", "growth").await;
    let alice = person(&gateway, &tenant, "alice", &["app_builder", "administrator", "billing_admin"]).await;
    let carol = person(&gateway, &tenant, "carol", &["app_builder", "administrator"]).await;
    let bob = person(&gateway, &tenant, "bob", &["app_user", "non_admin"]).await;
    let builder = gateway.app(&tenant, "ai_solutions_builder", "builder").await;
    let flows = gateway.app(&tenant, "process_automation", "flows").await;
    gateway.settle().await;
    Space { gateway, tenant, alice, bob, carol, builder, flows }
}

/// A member with these roles.
pub(super) async fn person(gateway: &Gateway, tenant: &Tenant, name: &str, roles: &[&str]) -> Person {
    let person = gateway.member(tenant, name, roles[0]).await;
    for role in &roles[1..] {
        gateway.grant_role(tenant, "member", person.member, role).await;
    }
    gateway.settle().await;
    person
}

pub(super) fn id(person: &Person) -> String {
    member_id(person.member.unwrap())
}

/// A product with modules, each at a level or ticked, as the form sends it.
pub(super) fn product(app: Uuid, modules: &[(&str, Option<&str>)]) -> Value {
    let features: Vec<Value> =
        modules.iter().map(|(feature, level)| json!({ "feature": feature, "level": level })).collect();
    json!({ "app": app_id(app), "features": features })
}

/// Saves what a member has of the products.
pub(super) async fn save(by: &Person, member: &str, products: &[Value]) -> Answer {
    let input = json!({ "member": member, "access": products });
    crate::operations::send(by, "workspace/save-access", json!({ "input": input })).await
}

/// Whether somebody may do something in a module now.
pub(super) async fn may(person: &Person, app: Uuid, module: &str, action: &str) -> bool {
    let document = "query($member: ID!, $app: ID!, $feature: String!, $action: String!) {
        check(member: $member, app: $app, feature: $feature, action: $action) { allowed } }";
    let variables = json!({ "member": id(person), "app": app_id(app), "feature": module, "action": action });
    person.send(document, variables).await.at("check.allowed") == true
}

/// The keys of the modules of Settings, and whatever else the navigation has, that somebody sees.
pub(super) async fn menus(person: &Person) -> Vec<String> {
    let answer = crate::operations::run(person, "workspace/settings", json!({})).await;
    let menus = answer.at("viewer.organization.menus").as_array().unwrap();
    menus.iter().map(|menu| menu["key"].as_str().unwrap().to_owned()).collect()
}

/// The used and reserved seats of the two pools.
pub(super) async fn seats(person: &Person) -> [(u64, u64); 2] {
    let answer = person.ask("{ viewer { organization { seatUsage { pool used reserved } } } }").await.ok();
    let usage = answer.at("viewer.organization.seatUsage");
    [0, 1].map(|pool| (usage[pool]["used"].as_u64().unwrap(), usage[pool]["reserved"].as_u64().unwrap()))
}

/// The keys of the roles in an answer.
pub(super) fn keys(roles: &Value) -> Vec<&str> {
    roles.as_array().unwrap().iter().map(|role| role["key"].as_str().unwrap()).collect()
}
