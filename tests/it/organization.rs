//! Organizations: opening, editing, closing; who is in which.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::gateway::{Answer, Engines, Gateway, Person};

fn hub(slug: &str) -> Value {
    json!({ "slug": slug, "name": slug, "blueprint": "support-hub" })
}

async fn create(alice: &Person, input: Value) -> Answer {
    let selection = "accessToken expiresAt organization { id slug name memberState roles { key label } }";
    alice.call("createOrganization", input, selection).await
}

#[tokio::test]
async fn a_signed_in_person_opens_an_organization_and_may_go_there_at_once() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let alice = gateway.person("alice").await;
        let made = create(
            &alice,
            json!({ "slug": "acme", "name": " Acme Inc. ", "blueprint": "support-hub", "switch": true }),
        );
        let made = made.await.ok();
        assert_eq!(made.at("createOrganization.organization.name"), "Acme Inc.");
        assert_eq!(made.at("createOrganization.organization.memberState"), "ACTIVE");
        assert_eq!(made.at("createOrganization.organization.roles.0.label"), "Super Admin");
        let there = alice.with_token(made.at("createOrganization.accessToken").as_str().unwrap());
        let asked = "{ viewer { organization { id state createdAt plan { key } blueprint { name } } } }";
        let seen = there.ask(asked).await.ok();
        assert_eq!(seen.at("viewer.organization.id"), made.at("createOrganization.organization.id"), "{engines:?}");
        assert_eq!(seen.at("viewer.organization.state"), "ACTIVE");
        assert_eq!(seen.at("viewer.organization.plan.key"), "free");
        assert_eq!(seen.at("viewer.organization.blueprint.name"), "support-hub");
        let stranger = create(&gateway.stranger(), hub("strange")).await;
        assert_eq!(stranger.codes(), ["UNAUTHENTICATED"]);
    }
}

#[tokio::test]
async fn bad_organizations_tell_every_mistake_and_open_nothing() {
    let gateway = Gateway::sqlite().await;
    let alice = gateway.person("alice").await;
    let long = "x".repeat(201);
    let table: &[(Value, &[(&str, &str)])] = &[
        (
            json!({ "slug": "", "name": "", "blueprint": "" }),
            &[("name", "INVALID"), ("slug", "INVALID"), ("blueprint", "NOT_IN_BLUEPRINT")],
        ),
        (json!({ "slug": "Acme", "name": "Acme", "blueprint": "support-hub" }), &[("slug", "INVALID")]),
        (json!({ "slug": "a/b", "name": "Acme", "blueprint": "support-hub" }), &[("slug", "INVALID")]),
        (json!({ "slug": &long[..64], "name": "Acme", "blueprint": "support-hub" }), &[("slug", "INVALID")]),
        (json!({ "slug": "acme", "name": long, "blueprint": "support-hub" }), &[("name", "INVALID")]),
        (json!({ "slug": "acme", "name": "A\u{200d}cme", "blueprint": "support-hub" }), &[("name", "INVALID")]),
        (json!({ "slug": "acme", "name": "Acme", "blueprint": "no-such" }), &[("blueprint", "NOT_IN_BLUEPRINT")]),
        (
            json!({ "slug": "acme", "name": "Acme", "blueprint": "support-hub", "plan": "Growth" }),
            &[("plan", "NOT_IN_BLUEPRINT")],
        ),
    ];
    for (input, wrong) in table {
        let answer = create(&alice, input.clone()).await;
        let told = answer.at("createOrganization.userErrors").as_array().unwrap().clone();
        let told: Vec<_> =
            told.iter().map(|told| (told["field"][0].as_str().unwrap(), told["code"].as_str().unwrap())).collect();
        assert_eq!(&told, wrong, "{input}");
        assert!(answer.at("createOrganization.organization").is_null());
    }
    assert_eq!(gateway.database.count("SELECT count(*) FROM organization").await, 0);
}

#[tokio::test]
async fn a_slug_belongs_to_one_organization() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let mut people = Vec::new();
        for name in ["alice", "bob", "carol", "dave"] {
            people.push(gateway.person(name).await);
        }
        let answers = join_all(people.iter().map(|person| create(person, hub("acme")))).await;
        let refused: Vec<_> = answers.iter().flat_map(|answer| answer.refusals("createOrganization")).collect();
        assert_eq!(refused, ["TAKEN"; 3], "{engines:?}");
        assert_eq!(gateway.database.count("SELECT count(*) FROM organization").await, 1);
        assert_eq!(gateway.database.count("SELECT count(*) FROM member").await, 1);
        // Also when one is renamed.
        let other =
            create(&people[0], json!({ "slug": "other", "name": "Other", "blueprint": "support-hub", "switch": true }));
        let token = other.await.ok().at("createOrganization.accessToken").as_str().unwrap().to_owned();
        let alice = people[0].with_token(&token);
        let renamed = alice.call("updateOrganization", json!({ "slug": "acme" }), "organization { slug }");
        assert_eq!(renamed.await.refusals("updateOrganization"), ["TAKEN"]);
    }
}

#[tokio::test]
async fn creating_twice_with_one_key_makes_one() {
    let gateway = Gateway::sqlite().await;
    let alice = gateway.person("alice").await;
    let mut input = hub("acme");
    input["idempotencyKey"] = json!("once");
    let first = create(&alice, input.clone()).await.ok();
    let again = create(&alice, input.clone()).await.ok();
    assert_eq!(first.at("createOrganization.organization.id"), again.at("createOrganization.organization.id"));
    input["name"] = json!("Another");
    assert_eq!(create(&alice, input).await.codes(), ["CONFLICT"]);
    assert_eq!(gateway.database.count("SELECT count(*) FROM organization").await, 1);
}

#[tokio::test]
async fn settings_are_changed_one_by_one_and_go_back_to_the_blueprints_word() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let all = "organization { name slug settings { allowedDomains blockSubaddress } }";
    let first = json!({
        "name": "Acme Support",
        "settings": { "allowedDomains": ["Example.org", "bücher.example"], "blockSubaddress": true }
    });
    let first = alice.call("updateOrganization", first, all).await.ok();
    assert_eq!(first.at("updateOrganization.organization.name"), "Acme Support");
    let second = json!({ "settings": { "blockSubaddress": null } });
    let second = alice.call("updateOrganization", second, all).await.ok();
    let expected = json!({
        "allowedDomains": ["example.org", "xn--bcher-kva.example"],
        "blockSubaddress": first_word(&gateway).await,
    });
    assert_eq!(*second.at("updateOrganization.organization.settings"), expected);
    // The next request sees it too, not only the answer of the change.
    let seen = bob.ask("{ organization(slug: \"acme\") { name settings { allowedDomains } } }").await.ok();
    assert_eq!(
        (seen.at("organization.name"), seen.at("organization.settings.allowedDomains.0")),
        (&json!("Acme Support"), &json!("example.org"))
    );
    let wrong = json!({ "settings": { "allowedDomains": ["example.org", "nope"] } });
    let answer = alice.call("updateOrganization", wrong, all).await;
    assert_eq!(crate::support::people::fields(&answer, "updateOrganization"), ["settings.allowedDomains.1"]);
    let refused = bob.call("updateOrganization", json!({ "name": "Bob's" }), all).await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
    let reasons = "{ viewer { organization { viewerCanUpdate viewerCannotUpdateReasons { code message } } } }";
    let told = bob.ask(reasons).await.ok();
    assert_eq!(told.at("viewer.organization.viewerCanUpdate"), false);
    assert_eq!(told.at("viewer.organization.viewerCannotUpdateReasons.0.code"), "FORBIDDEN");
}

/// What the blueprint says about sub-addresses.
async fn first_word(gateway: &Gateway) -> bool {
    let hub = gateway.service.find_blueprint("support-hub").await.unwrap().unwrap();
    hub.rules.document().invitation.block_subaddress
}

#[tokio::test]
async fn every_change_leaves_one_entry() {
    let gateway = Gateway::sqlite().await;
    let alice = gateway.person("alice").await;
    let made =
        create(&alice, json!({ "slug": "acme", "name": "Acme", "blueprint": "support-hub", "switch": true })).await;
    let alice = alice.with_token(made.ok().at("createOrganization.accessToken").as_str().unwrap());
    alice.call("updateOrganization", json!({ "name": "Acme 2" }), "organization { id }").await.ok();
    alice.call("updateOrganization", json!({ "name": "Acme 2" }), "organization { id }").await.ok();
    alice.call("changePlan", json!({ "plan": "growth" }), "organization { id }").await.ok();
    alice.call("changePlan", json!({ "plan": "no-such" }), "organization { id }").await;
    alice.call("deleteOrganization", json!({ "confirm": "acme" }), "deletedOrganizationId").await.ok();
    let rows = gateway.database.rows("SELECT action FROM activity_entry ORDER BY id", []).await;
    let actions: Vec<String> = rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    assert_eq!(
        actions,
        ["organization.created", "organization.updated", "organization.plan_changed", "organization.deleted"]
    );
}

#[tokio::test]
async fn a_person_lists_all_its_organizations_and_nobody_elses() {
    let gateway = Gateway::sqlite().await;
    let (alice, mallory) = (gateway.person("alice").await, gateway.person("mallory").await);
    create(&mallory, hub("theirs")).await.ok();
    for slug in ["delta", "alpha", "charlie", "bravo"] {
        create(&alice, hub(slug)).await.ok();
    }
    let slugs = |answer: &Answer, path: &str| -> Vec<String> {
        let edges = answer.at(path).as_array().unwrap().clone();
        edges.iter().map(|edge| edge["node"]["slug"].as_str().unwrap().to_owned()).collect()
    };
    let page = "edges { cursor node { slug } } totalCount pageInfo { hasNextPage hasPreviousPage endCursor }";
    let whole =
        alice.ask(&format!("{{ viewer {{ organizations {{ {page} }} }} organizations {{ {page} }} }}")).await.ok();
    assert_eq!(slugs(&whole, "viewer.organizations.edges"), ["alpha", "bravo", "charlie", "delta"]);
    assert_eq!(whole.at("viewer.organizations"), whole.at("organizations"));
    assert_eq!(whole.at("organizations.totalCount"), 4);
    let first = alice.ask(&format!("{{ organizations(first: 3) {{ {page} }} }}")).await.ok();
    assert_eq!(slugs(&first, "organizations.edges"), ["alpha", "bravo", "charlie"]);
    assert_eq!(first.at("organizations.pageInfo.hasNextPage"), true);
    let cursor = first.at("organizations.pageInfo.endCursor").as_str().unwrap();
    let rest = alice.ask(&format!("{{ organizations(first: 3, after: \"{cursor}\") {{ {page} }} }}")).await.ok();
    assert_eq!(slugs(&rest, "organizations.edges"), ["delta"]);
    assert_eq!(rest.at("organizations.pageInfo.hasPreviousPage"), true);
    let back = alice.ask(&format!("{{ organizations(last: 2, before: \"{cursor}\") {{ {page} }} }}")).await.ok();
    assert_eq!(slugs(&back, "organizations.edges"), ["alpha", "bravo"]);
    let foreign = mallory.ask(&format!("{{ organizations(first: 3, after: \"{cursor}\") {{ {page} }} }}")).await;
    assert_eq!(foreign.codes(), ["BAD_USER_INPUT"]);
    assert_eq!(gateway.stranger().ask(&format!("{{ organizations {{ {page} }} }}")).await.codes(), ["UNAUTHENTICATED"]);
}

#[tokio::test]
async fn a_deleted_organization_refuses_the_next_request_of_everyone() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let acme = gateway.organization("acme", "support-hub", "growth").await;
        let alice = gateway.member(&acme, "alice", "super_admin").await;
        let bob = gateway.member(&acme, "bob", "member").await;
        bob.ask("{ organization(slug: \"acme\") { id } }").await.ok();
        alice.call("deleteOrganization", json!({ "confirm": "acme" }), "deletedOrganizationId").await.ok();
        for person in [&alice, &bob] {
            let answer = person
                .ask("{ organization(slug: \"acme\") { id } viewer { organization { id } permissions } }")
                .await
                .ok();
            assert!(answer.at("organization").is_null() && answer.at("viewer.organization").is_null(), "{engines:?}");
            assert_eq!(*answer.at("viewer.permissions"), json!([]));
            let edit = person.call("updateOrganization", json!({ "name": "x" }), "organization { id }").await;
            assert_eq!(edit.codes(), ["NOT_FOUND"], "{engines:?}");
            let back = person.call("switchOrganization", json!({ "organization": "acme" }), "accessToken").await;
            assert_eq!(back.codes(), ["NOT_FOUND"]);
        }
    }
}
