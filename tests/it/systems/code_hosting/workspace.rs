//! The organization, its roles and its default level: S5.1, S5.2.

use serde_json::json;

use crate::support::gateway::Gateway;

#[tokio::test]
async fn s5_1_an_owner_has_billing_members_and_settings_and_a_member_has_not() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "code-hosting", "free").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let asked =
        "{ viewer { permissions menus { key } organization { viewerCanUpdate viewerCanChangePlan viewerCanDelete } } }";
    let (owner, member) = (alice.ask(asked).await.ok(), bob.ask(asked).await.ok());
    let holds = |answer: &crate::support::gateway::Answer, permission: &str| {
        answer.at("viewer.permissions").as_array().unwrap().iter().any(|held| held == permission)
    };
    for permission in ["billing.manage", "members.invite", "members.remove", "organization.update"] {
        assert!(holds(&owner, permission) && !holds(&member, permission), "{permission}");
    }
    let can = |yes: bool| json!({ "viewerCanUpdate": yes, "viewerCanChangePlan": yes, "viewerCanDelete": yes });
    assert_eq!((owner.at("viewer.organization"), member.at("viewer.organization")), (&can(true), &can(false)));
    let refused = bob.call("updateOrganization", json!({ "name": "Bob's" }), "organization { id }").await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
    alice.call("updateOrganization", json!({ "name": "Acme" }), "organization { id }").await.ok();
}

#[tokio::test]
async fn s5_2_a_new_organization_starts_with_the_default_level_for_everyone() {
    let gateway = Gateway::sqlite().await;
    let alice = gateway.person("alice").await;
    for (slug, blueprint, expected) in [
        ("code", "code-hosting", vec!["everyone/repository/code/read".to_owned()]),
        ("desk", "support-hub", Vec::new()),
    ] {
        let input = json!({ "slug": slug, "name": slug, "blueprint": blueprint });
        alice.call("createOrganization", input, "organization { id }").await.ok();
        let sql = "SELECT grantee_kind || '/' || app_kind || '/' || feature || '/' || level FROM access_grant \
                   WHERE organization_id = (SELECT id FROM organization WHERE slug = $1) AND role IS NULL";
        let rows = gateway.database.rows(sql, [slug.into()]).await;
        let defaults: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        assert_eq!(defaults, expected, "{slug}");
    }
}
