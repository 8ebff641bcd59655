//! The three levels and the roles of the organization (S1.1 to S1.9, S1.26, S1.27, S1.30, S1.32).

use serde_json::json;

use super::{Scene, become_role, may, scene, switch};
use crate::{
    operations,
    support::{gateway::Person, people::app_id},
};

async fn create(by: &Person, slug: &str) -> crate::support::gateway::Answer {
    by.call("createApp", json!({ "kind": "event_app", "slug": slug, "name": slug }), "app { id }").await
}

/// S1.1, S1.2, S1.3, S1.4, S1.5, S1.30: three levels, each role says its own, and the blueprint's word for it.
#[tokio::test]
async fn s1_1_s1_2_s1_3_s1_4_s1_5_s1_30_every_role_says_its_level() {
    let Scene { gateway: _serving, alice, .. } = scene().await;
    let people = operations::run(&alice, "event-apps/people", json!({ "organization": "acme" })).await;
    let roles = people.at("organization.roles").as_array().unwrap();
    let of = |level: &str| {
        let of = roles.iter().filter(|role| role["level"] == level);
        of.map(|role| (role["label"].as_str().unwrap(), role["levelLabel"].as_str().unwrap())).collect::<Vec<_>>()
    };
    let organization = of("ORGANIZATION");
    assert_eq!(organization[..2], [("Owner", "Organization"), ("Admin", "Organization")]);
    assert_eq!(of("APP"), [("App Manager", "App")]);
    let modules = [("Verifier", "Module"), ("Editor", "Module"), ("Moderator", "Module"), ("Poll Host", "Module")];
    assert_eq!(of("FEATURE"), modules);
    // Wherever a role is shown: on a member, and on a grant.
    let members = people.at("organization.members.edges").as_array().unwrap();
    let dora = members.iter().find(|edge| edge["node"]["name"] == "dora").unwrap();
    assert_eq!(dora["node"]["roles"][0]["levelLabel"], "Organization");
    let grants = dora["node"]["grants"]["edges"].as_array().unwrap();
    let managed = grants.iter().find(|edge| edge["node"]["role"]["key"] == "app_manager").unwrap();
    assert_eq!(managed["node"]["role"]["levelLabel"], "App");
    let app = operations::run(&alice, "event-apps/app", json!({ "organization": "acme", "app": "fair" })).await;
    let keys = app.at("organization.app.roles").as_array().unwrap();
    assert_eq!(keys.iter().filter(|role| role["level"] == "ORGANIZATION").count(), 0, "only what is held on an app");
    assert_eq!(keys.len(), 5);
}

/// S1.6, S1.7, S1.8, Q27: the Owner makes apps, manages subscriptions and permissions; an Admin does not.
#[tokio::test]
async fn s1_6_s1_7_s1_8_an_admin_neither_makes_apps_nor_gives_access() {
    let Scene { gateway: _serving, alice, bob, dora, fair, .. } = scene().await;
    create(&alice, "prom").await.ok();
    assert_eq!(create(&dora, "ball").await.codes(), ["FORBIDDEN"]);
    alice.call("changePlan", json!({ "plan": "professional" }), "organization { plan { key } }").await.ok();
    assert_eq!(
        dora.call("changePlan", json!({ "plan": "starter" }), "organization { plan { key } }").await.codes(),
        ["FORBIDDEN"]
    );
    become_role(&alice, &bob, "admin").await.ok();
    assert_eq!(become_role(&dora, &bob, "member").await.codes(), ["FORBIDDEN"]);
    // Not even on the app that the Admin manages.
    switch(&alice, &bob, (fair, "app_manager", false)).await.ok();
    assert_eq!(switch(&dora, &bob, (fair, "app_manager", true)).await.refusals("setAppRole"), ["NOT_GRANTABLE"]);
    switch(&alice, &bob, (fair, "app_manager", true)).await.ok();
    // What an Admin has of an Owner's rights: settings and people.
    dora.call("updateOrganization", json!({ "name": "Acme Events" }), "organization { name }").await.ok();
    dora.call("inviteMember", json!({ "email": "erin@example.org" }), "member { id }").await.ok();
    let as_owner = json!({ "email": "frank@example.org", "role": "owner" });
    assert_eq!(
        dora.call("inviteMember", as_owner, "member { id }").await.refusals("inviteMember").first(),
        Some(&"NOT_GRANTABLE")
    );
}

/// S1.9, S1.26, S1.27, S1.32, Q6: an Admin enters the system, an App Manager runs one app and nothing beyond it, a module role
/// does one kind of task.
#[tokio::test]
async fn s1_9_s1_26_s1_27_s1_32_an_app_manager_manages_one_app() {
    let Scene { gateway: _serving, alice, bob, dora, fair, gala, .. } = scene().await;
    switch(&alice, &dora, (gala, "app_manager", false)).await.ok();
    for (feature, action) in
        [("events", "configure"), ("news_feed", "publish"), ("threads", "configure"), ("builder", "edit")]
    {
        assert!(may(&dora, "fair", (feature, action)).await, "{feature} {action}");
        assert!(!may(&dora, "gala", (feature, action)).await, "{feature} {action}");
    }
    // An Admin by itself holds nothing on apps, and still enters the system.
    let home = operations::run(&dora, "event-apps/home", json!({ "organization": "acme" })).await;
    // An app on which it manages nothing is there, and locked (Q22).
    let apps = home.at("organization.apps.edges").as_array().unwrap();
    let entered =
        |edge: &&serde_json::Value| edge["node"]["viewerCapabilities"].as_array().is_some_and(|may| !may.is_empty());
    let names = apps.iter().filter(entered).map(|edge| &edge["node"]["slug"]).collect::<Vec<_>>();
    assert_eq!((apps.len(), names), (2, vec![&json!("fair")]));
    let menus = home.at("organization.menus").as_array().unwrap();
    assert!(menus.iter().any(|menu| menu["key"] == "settings"), "{menus:?}");
    assert!(menus.iter().all(|menu| menu["key"] != "subscriptions"), "{menus:?}");
    // One app is the manager's to operate, the organization and the other app are not.
    let module = switch(&dora, &bob, (fair, "verifier", true)).await.ok();
    assert_eq!(module.at("setAppRole.isHolder"), true);
    assert_eq!(switch(&dora, &bob, (gala, "verifier", true)).await.codes(), ["FORBIDDEN"]);
    let rename = |app| json!({ "app": app_id(app), "name": "Renamed" });
    assert_eq!(dora.call("updateApp", rename(gala), "app { name }").await.codes(), ["FORBIDDEN"]);
    dora.call("updateApp", rename(fair), "app { name }").await.ok();
    let deletion = json!({ "app": app_id(fair), "confirm": "fair" });
    assert_eq!(dora.call("deleteApp", deletion, "deletedApp").await.codes(), ["FORBIDDEN"]);
    assert!(may(&bob, "fair", ("events", "check_in")).await);
    assert!(!may(&bob, "fair", ("events", "configure")).await);
}
