//! The workspace and its two roles: S3.2 to S3.7, S3.22, S3.61, S3.78.

use serde_json::json;

use crate::support::gateway::Gateway;

#[tokio::test]
async fn s3_2_a_super_admin_handles_billing_and_a_member_does_not() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let asked = "{ viewer { organization { viewerCanChangePlan viewerCannotChangePlanReasons { code message } } } }";
    assert_eq!(alice.ask(asked).await.ok().at("viewer.organization.viewerCanChangePlan"), true);
    let told = bob.ask(asked).await.ok();
    assert_eq!(told.at("viewer.organization.viewerCanChangePlan"), false);
    assert_eq!(told.at("viewer.organization.viewerCannotChangePlanReasons.0.code"), "FORBIDDEN");

    let refused = bob.call("changePlan", json!({ "plan": "business" }), "organization { plan { key } }").await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
    let moved = alice.call("changePlan", json!({ "plan": "business" }), "organization { plan { key } }").await.ok();
    assert_eq!(moved.at("changePlan.organization.plan.key"), "business");
}

#[tokio::test]
async fn s3_3_a_super_admin_deletes_the_organization_by_its_name_and_a_member_does_not() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let asked = "{ viewer { organization { viewerCanDelete viewerCannotDeleteReasons { code } } } }";
    assert_eq!(bob.ask(asked).await.ok().at("viewer.organization.viewerCanDelete"), false);
    assert_eq!(alice.ask(asked).await.ok().at("viewer.organization.viewerCanDelete"), true);

    let by_bob = bob.call("deleteOrganization", json!({ "confirm": "acme" }), "deletedOrganizationId").await;
    assert_eq!(by_bob.codes(), ["FORBIDDEN"]);
    let unconfirmed = alice.call("deleteOrganization", json!({ "confirm": "acne" }), "deletedOrganizationId").await;
    assert_eq!(unconfirmed.refusals("deleteOrganization"), ["NOT_CONFIRMED"]);
    bob.ask("{ organization(slug: \"acme\") { id } }").await.ok().at("organization.id").as_str().unwrap();

    let deleted = alice.call("deleteOrganization", json!({ "confirm": "acme" }), "deletedOrganizationId").await.ok();
    assert!(deleted.at("deleteOrganization.deletedOrganizationId").is_string());
    assert!(bob.ask("{ organization(slug: \"acme\") { id } }").await.ok().at("organization").is_null());
}

#[tokio::test]
async fn s3_5_a_super_admin_sees_every_part_of_the_dashboard_and_a_member_its_own() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let hub = gateway.service.find_blueprint("support-hub").await.unwrap().unwrap();
    let every: Vec<_> = hub.rules.document().menus.iter().map(|menu| menu.key.clone()).collect();
    let menus = async |person: &crate::support::gateway::Person| -> Vec<String> {
        let answer = person.ask("{ viewer { menus { key } organization { menus { key } } } }").await.ok();
        assert_eq!(answer.at("viewer.menus"), answer.at("viewer.organization.menus"));
        answer.at("viewer.menus").as_array().unwrap().iter().map(|m| m["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(menus(&alice).await, every);
    let his = menus(&bob).await;
    assert!(his.len() < every.len() && his.iter().all(|key| every.contains(key)), "{his:?}");
    for hidden in ["billing", "activity"] {
        assert!(every.iter().any(|key| key == hidden) && !his.iter().any(|key| key == hidden), "{hidden}");
    }
}

#[tokio::test]
async fn s3_6_who_creates_the_organization_is_its_super_admin() {
    let gateway = Gateway::sqlite().await;
    let alice = gateway.person("alice").await;
    let input = json!({ "slug": "acme", "name": "Acme", "blueprint": "support-hub", "switch": true });
    let made = alice.call("createOrganization", input, "accessToken organization { roles { key } }").await.ok();
    assert_eq!(*made.at("createOrganization.organization.roles"), json!([{ "key": "super_admin" }]));
    let there = alice.with_token(made.at("createOrganization.accessToken").as_str().unwrap());
    assert_eq!(
        there
            .ask("{ viewer { organization { viewerCanDelete } } }")
            .await
            .ok()
            .at("viewer.organization.viewerCanDelete"),
        true
    );
    // Nobody else is.
    let mallory = gateway.person("mallory").await;
    let kept_out = mallory.call("switchOrganization", json!({ "organization": "acme" }), "accessToken").await;
    assert_eq!(kept_out.codes(), ["NOT_FOUND"]);
}

#[tokio::test]
async fn s3_7_and_s3_22_guidance_and_warning_come_with_the_role() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let answer = alice.ask("{ viewer { organization { roles { key help warning } } } }").await.ok();
    let roles = answer.at("viewer.organization.roles").as_array().unwrap();
    let role = |key: &str| roles.iter().find(|role| role["key"] == key).unwrap();
    assert!(role("super_admin")["help"].as_str().unwrap().contains("one or two"));
    let warning = role("super_admin")["warning"].as_str().unwrap();
    assert!(warning.contains("billing") && warning.contains("delete"), "{warning}");
    assert!(role("member")["warning"].is_null());
}

#[tokio::test]
async fn s3_61_the_switcher_forgets_an_organization_the_moment_one_is_out_of_it() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    gateway.member(&acme, "alice", "super_admin").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    bob.call(
        "createOrganization",
        json!({ "slug": "bobs", "name": "Bob's", "blueprint": "support-hub" }),
        "organization { id }",
    )
    .await
    .ok();
    let switcher = "{ viewer { organizations { edges { node { slug roles { label } memberState } } } } }";
    let before = bob.ask(switcher).await.ok();
    assert_eq!(before.at("viewer.organizations.edges").as_array().unwrap().len(), 2);
    assert_eq!(before.at("viewer.organizations.edges.1.node.slug"), "acme");
    assert_eq!(before.at("viewer.organizations.edges.1.node.roles.0.label"), "Member");

    let kept = bob.call("leaveOrganization", json!({ "confirm": false }), "left").await;
    assert_eq!(kept.refusals("leaveOrganization"), ["NOT_CONFIRMED"]);
    bob.call("leaveOrganization", json!({ "confirm": true }), "left").await.ok();
    // The session goes on, in no organization; the switcher shows what is left.
    let after = bob.ask(switcher).await.ok();
    assert_eq!(after.at("viewer.organizations.edges").as_array().unwrap().len(), 1);
    assert_eq!(after.at("viewer.organizations.edges.0.node.slug"), "bobs");
    assert!(bob.ask("{ viewer { organization { id } } }").await.ok().at("viewer.organization").is_null());
    bob.call("switchOrganization", json!({ "organization": "bobs" }), "accessToken").await.ok();
}

#[tokio::test]
async fn s3_78_the_creator_is_the_primary_super_admin_and_the_mark_passes_on() {
    let gateway = Gateway::sqlite().await;
    let alice = gateway.person("alice").await;
    let input = json!({ "slug": "acme", "name": "Acme", "blueprint": "support-hub", "plan": "growth", "switch": true });
    let made = alice.call("createOrganization", input, "accessToken organization { member }").await.ok();
    let there = alice.with_token(made.at("createOrganization.accessToken").as_str().unwrap());
    let id = gateway.database.rows("SELECT id FROM organization", []).await[0].try_get_by_index(0).unwrap();
    let acme = crate::support::gateway::Tenant { id, slug: "acme".to_owned() };
    let bob = gateway.member(&acme, "bob", "super_admin").await;
    let asked = "{ viewer { organization { members { edges { node { name isPrimary } } } } } }";
    let primaries = async || -> Vec<(String, bool)> {
        let answer = bob.ask(asked).await.ok();
        let edges = answer.at("viewer.organization.members.edges").as_array().unwrap().clone();
        let node = |edge: &serde_json::Value| {
            (edge["node"]["name"].as_str().unwrap().to_owned(), edge["node"]["isPrimary"].as_bool().unwrap())
        };
        edges.iter().map(node).collect()
    };
    assert_eq!(primaries().await, [("alice".to_owned(), true), ("bob".to_owned(), false)]);
    there.call("leaveOrganization", json!({ "confirm": true }), "").await.ok();
    assert_eq!(primaries().await, [("bob".to_owned(), true)]);
}
