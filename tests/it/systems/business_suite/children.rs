//! Sub-accounts (S2.42).

use serde_json::{Value, json};

use super::suite::{Suite, suite};
use crate::support::{
    gateway::{Answer, Person},
    people::{remedies, switch},
};

async fn create(by: &Person, slug: &str, more: Value) -> Answer {
    let mut input = json!({ "name": slug, "slug": slug, "blueprint": "business-suite", "parent": "acme" });
    for (key, value) in more.as_object().unwrap() {
        input[key] = value.clone();
    }
    by.call("createOrganization", input, "organization { slug }").await
}

const SECTION: &str =
    "query($slug: String!) { organization(slug: $slug) { parent { slug } viewerCanCreateChild childBlueprints
    children { totalCount edges { node { slug name state } } } } }";

/// S2.42: an account may have sub-accounts, created by those who may; each is a tenant of its own.
#[tokio::test]
async fn s2_42_an_account_may_have_sub_accounts() {
    let Suite { gateway, acme, alice, carol, bob, .. } = suite().await;
    create(&alice, "acme-north", json!({})).await.ok();
    create(&alice, "acme-east", json!({})).await.ok();
    let section = alice.send(SECTION, json!({ "slug": "acme" })).await.ok();
    assert_eq!(section.at("organization.viewerCanCreateChild"), true);
    let slugs: Vec<_> = section
        .at("organization.children.edges")
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge["node"]["slug"].clone())
        .collect();
    assert_eq!(slugs, ["acme-east", "acme-north"]);
    assert!(section.at("organization.parent").is_null());
    let inside = switch(&alice, "acme-north").await;
    let seen = inside.send(SECTION, json!({ "slug": "acme-north" })).await.ok();
    assert_eq!(seen.at("organization.parent.slug"), "acme");
    let own = inside
        .ask("{ organization(slug: \"acme-north\") { viewerMember { roles { key } } members { totalCount } } }")
        .await
        .ok();
    assert_eq!(own.at("organization.viewerMember.roles.0.key"), "owner");
    assert_eq!(own.at("organization.members.totalCount"), 1, "nobody else of the account is in it");
    // Who has no place above does not learn of it.
    let north = crate::support::gateway::Tenant {
        id: gateway.database.rows("SELECT id FROM organization WHERE slug = 'acme-north'", []).await[0]
            .try_get_by_index(0)
            .unwrap(),
        slug: "acme-north".to_owned(),
    };
    let dave = gateway.member(&north, "dave", "user").await;
    gateway.settle().await;
    assert!(
        dave.ask("{ organization(slug: \"acme-north\") { parent { slug } } }")
            .await
            .ok()
            .at("organization.parent")
            .is_null()
    );
    for person in [&carol, &bob] {
        assert_eq!(create(person, "acme-west", json!({})).await.codes(), ["FORBIDDEN"]);
        assert_eq!(
            person.call("switchOrganization", json!({ "organization": "acme-north" }), "accessToken").await.codes(),
            ["NOT_FOUND"]
        );
    }
    let mallory = gateway.person("mallory").await;
    assert_eq!(create(&mallory, "stolen", json!({})).await.codes(), ["NOT_FOUND"]);
    assert_eq!(create(&alice, "x", json!({ "parent": "nowhere" })).await.codes(), ["NOT_FOUND"]);
    let other = create(&alice, "x", json!({ "blueprint": "support-hub" })).await;
    assert_eq!(other.refusals("createOrganization"), ["NOT_IN_BLUEPRINT"]);
    assert_eq!(create(&alice, "acme-east", json!({})).await.refusals("createOrganization"), ["TAKEN"]);
    let entries = "SELECT count(*) FROM activity_entry WHERE action = 'child.created'";
    assert_eq!(gateway.database.count(entries).await, 2);
    let hub = gateway.organization("hub", "support-hub", "enterprise").await;
    let erin = gateway.member(&hub, "erin", "super_admin").await;
    let none = create(&erin, "y", json!({ "parent": "hub" })).await;
    assert_eq!(none.refusals("createOrganization"), ["NOT_IN_BLUEPRINT"], "{} {}", acme.slug, none.text);
}

/// S2.42: an account with sub-accounts is not closed over their heads.
#[tokio::test]
async fn s2_42_an_account_with_sub_accounts_is_not_deleted() {
    let Suite { gateway: _serving, alice, bob, .. } = suite().await;
    create(&alice, "acme-north", json!({})).await.ok();
    let delete = async |who: &Person, slug: &str| {
        who.call("deleteOrganization", json!({ "confirm": slug }), "deletedOrganizationId").await
    };
    let may = async |who: &Person, slug: &str| {
        let document = "query($slug: String!) { organization(slug: $slug) { viewerCanDelete
            viewerCannotDeleteReasons { code message remedy } } }";
        who.send(document, json!({ "slug": slug })).await.ok()
    };
    let told = may(&alice, "acme").await;
    assert_eq!(told.at("organization.viewerCanDelete"), false);
    let reason = json!([{
        "code": "STATE_CHANGED", "message": "an organization stands below this one", "remedy": "Delete those first.",
    }]);
    assert_eq!(told.at("organization.viewerCannotDeleteReasons"), &reason);
    // Who may not delete it is told that, and nothing of what stands below.
    let told = may(&bob, "acme").await;
    assert_eq!(told.at("organization.viewerCannotDeleteReasons.0.code"), "FORBIDDEN");
    assert!(told.at("organization.viewerCannotDeleteReasons.1").is_null());
    let refused = delete(&alice, "acme").await;
    assert_eq!(refused.refusals("deleteOrganization"), ["STATE_CHANGED"]);
    assert_eq!(remedies(&refused, "deleteOrganization"), ["Delete those first."]);
    let inside = switch(&alice, "acme-north").await;
    delete(&inside, "acme-north").await.ok();
    assert_eq!(may(&alice, "acme").await.at("organization.viewerCanDelete"), true);
    delete(&alice, "acme").await.ok();
}
