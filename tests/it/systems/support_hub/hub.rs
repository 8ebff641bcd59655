//! A workspace with an app of each kind, an owner and a member; and what tests of access ask and do in it.

use gatehouse::graphql::node::NodeType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::gateway::{Answer, Engines, Gateway, Person, Tenant};

/// The workspace: alice owns it, bob works in it.
#[expect(clippy::struct_field_names, reason = "the organization is called `hub`")]
pub(super) struct Hub {
    pub(super) gateway: Gateway,
    pub(super) hub: Tenant,
    pub(super) alice: Person,
    pub(super) bob: Person,
    pub(super) service: Uuid,
    pub(super) help: Uuid,
    pub(super) news: Uuid,
    pub(super) page: Uuid,
}

pub(super) async fn hub(engines: Engines) -> Hub {
    let gateway = Gateway::on(engines).await;
    let hub = gateway.organization("acme", "support-hub", "enterprise").await;
    let alice = gateway.member(&hub, "alice", "super_admin").await;
    let bob = gateway.member(&hub, "bob", "member").await;
    let service = gateway.app(&hub, "customer_service", "desk").await;
    let help = gateway.app(&hub, "help_center", "help").await;
    let news = gateway.app(&hub, "newsroom", "news").await;
    let page = gateway.app(&hub, "ai_page", "page").await;
    gateway.settle().await;
    Hub { gateway, hub, alice, bob, service, help, news, page }
}

pub(super) fn app_id(app: Uuid) -> String {
    NodeType::App.id(app).0
}

pub(super) fn member_id(person: &Person) -> String {
    NodeType::Member.id(person.member.unwrap()).0
}

/// The tree as the form sends it.
pub(super) fn tree(apps: &[(Uuid, &[&str])]) -> Value {
    let app = |(app, features): &(Uuid, &[&str])| {
        let features: Vec<Value> = features.iter().map(|feature| json!({ "feature": feature })).collect();
        json!({ "app": app_id(*app), "features": features })
    };
    apps.iter().map(app).collect()
}

pub(super) async fn save(editor: &Person, member: &Person, apps: &[(Uuid, &[&str])]) -> Answer {
    let input = json!({ "member": member_id(member), "access": tree(apps) });
    editor.call("updateMemberAccess", input, "member { id }").await
}

pub(super) async fn check(asker: &Person, about: &Person, app: Uuid, (feature, action): (&str, &str)) -> Answer {
    let document = "query($member: ID!, $app: ID!, $feature: String!, $action: String!) {
        check(member: $member, app: $app, feature: $feature, action: $action) {
            allowed code refusal message reasons { via level actions role { key } teamPath { name } } } }";
    let variables = json!({ "member": member_id(about), "app": app_id(app), "feature": feature, "action": action });
    asker.send(document, variables).await
}

pub(super) async fn may(person: &Person, app: Uuid, feature: &str, action: &str) -> bool {
    let answer = check(person, person, app, (feature, action)).await;
    answer.at("check.allowed") == true
}
