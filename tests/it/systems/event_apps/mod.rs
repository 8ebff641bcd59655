//! Event apps: the organization, one app, one module (S1.1 to S1.35).

mod admin;
mod levels;
mod modules;
mod operations;
mod permissions;
mod wrong_level;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::{app_id, member_id},
};

/// An organization with two apps: alice owns, dora is an Admin who manages both, bob is a member.
struct Scene {
    gateway: Gateway,
    acme: Tenant,
    alice: Person,
    bob: Person,
    dora: Person,
    fair: Uuid,
    gala: Uuid,
}

async fn scene_on(engines: Engines) -> Scene {
    let gateway = Gateway::on(engines).await;
    let acme = gateway.organization("acme", "event-apps", "starter").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let dora = gateway.member(&acme, "dora", "member").await;
    let fair = gateway.app(&acme, "event_app", "fair").await;
    let gala = gateway.app(&acme, "event_app", "gala").await;
    gateway.settle().await;
    become_role(&alice, &dora, "admin").await.ok();
    Scene { gateway, acme, alice, bob, dora, fair, gala }
}

async fn scene() -> Scene {
    scene_on(Engines::Embedded).await
}

async fn become_role(by: &Person, who: &Person, role: &str) -> Answer {
    let input = json!({ "member": member_id(who.member.unwrap()), "role": role });
    by.call("changeMemberRole", input, "member { roles { key } }").await
}

/// Switches somebody's role on an app.
async fn switch(by: &Person, who: &Person, (app, role, on): (Uuid, &str, bool)) -> Answer {
    let input = json!({ "app": app_id(app), "member": member_id(who.member.unwrap()), "role": role, "on": on });
    by.call("setAppRole", input, "isHolder grant { id } warnings { code remedy }").await
}

/// Grants a member what is asked for, on an app.
async fn grant(by: &Person, who: &Person, (app, gives): (Uuid, Value)) -> Answer {
    let input = json!({ "grantee": { "member": member_id(who.member.unwrap()) }, "gives": gives, "app": app_id(app) });
    by.call("grantAccess", input, "grant { id role { key } } warnings { code message remedy }").await
}

/// Whether somebody may do something on an app; false where the app is hidden.
async fn may(who: &Person, app: &str, (feature, action): (&str, &str)) -> bool {
    let query = "query($app: String!, $feature: String!, $action: String!) { organization(slug: \"acme\") {
        app(slug: $app) { viewerCan(feature: $feature, action: $action) } } }";
    let answer = who.send(query, json!({ "app": app, "feature": feature, "action": action })).await.ok();
    answer.at("organization.app.viewerCan") == &json!(true)
}

/// The apps somebody holds a role on, by slug.
async fn apps_with(gateway: &Gateway, who: &Person, role: &str) -> Vec<String> {
    let sql = "SELECT a.slug FROM access_grant g JOIN app a ON a.id = g.app_id
               WHERE g.grantee_id = $1 AND g.role = $2 ORDER BY a.slug";
    let rows = gateway.database.rows(sql, [who.member.unwrap().into(), role.into()]).await;
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}
