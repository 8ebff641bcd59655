//! Roles: comparing them, and those of an organization's own.

mod compare;
mod custom;
mod guard;

use gatehouse::graphql::node::NodeType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::{app_id, member_id},
};

pub(crate) const DESK: &str = include_str!("../cases/desk.toml");

/// A company with an owner, a chief, a lead and a member, and a board.
pub(crate) struct Desk {
    pub(crate) gateway: Gateway,
    pub(crate) tenant: Tenant,
    pub(crate) alice: Person,
    pub(crate) board: Uuid,
}

pub(crate) async fn desk() -> Desk {
    desk_on(Engines::Embedded).await
}

pub(crate) async fn desk_on(engines: Engines) -> Desk {
    let gateway = Gateway::on(engines).await;
    gateway.service.install_blueprint(DESK).await.unwrap();
    let tenant = gateway.organization("acme", "desk", "free").await;
    let alice = gateway.member(&tenant, "alice", "owner").await;
    let board = gateway.app(&tenant, "board", "board").await;
    gateway.settle().await;
    Desk { gateway, tenant, alice, board }
}

/// What the tests of roles look at.
pub(crate) const ROLE: &str = "role { key label help level levelLabel base isCustom state customizable permissions \
    access { kind feature level actions } holders }";

pub(crate) fn role(key: &str, base: &str, permissions: &[&str], access: Value) -> Value {
    let mut input = json!({ "key": key, "base": base, "label": key, "permissions": permissions });
    input["access"] = access;
    input
}

pub(crate) async fn create(by: &Person, input: Value) -> Answer {
    by.call("createRole", input, ROLE).await
}

pub(crate) async fn update(by: &Person, input: Value) -> Answer {
    by.call("updateRole", input, ROLE).await
}

pub(crate) async fn delete(by: &Person, role: &str) -> Answer {
    by.call("deleteRole", json!({ "role": role }), "deletedRole").await
}

pub(crate) async fn become_role(by: &Person, who: &Person, role: &str) -> Answer {
    let input = json!({ "member": member_id(who.member.unwrap()), "role": role });
    by.call("changeMemberRole", input, "member { roles { key isCustom } }").await
}

/// Whether somebody may do something on an app, by its own question.
pub(crate) async fn may(who: &Person, app: Uuid, feature: &str, action: &str) -> bool {
    let ask = "query($member: ID!, $app: ID!, $feature: String!, $action: String!) {
        check(member: $member, app: $app, feature: $feature, action: $action) { allowed } }";
    let member = NodeType::Member.id(who.member.unwrap()).to_string();
    let answer =
        who.send(ask, json!({ "member": member, "app": app_id(app), "feature": feature, "action": action })).await;
    answer.at("check.allowed") == &json!(true)
}

pub(crate) async fn permissions(who: &Person) -> Vec<String> {
    let answer = who.ask("{ viewer { permissions } }").await.ok();
    serde_json::from_value(answer.at("viewer.permissions").clone()).unwrap()
}
