//! What is empty gives nothing: an organization without an owner (C5), a list of needed or given rights without an entry (C13).

use serde_json::{Value, json};

use crate::support::{
    gateway::{Gateway, Person},
    people::member_id,
};

async fn owners(gateway: &Gateway) -> i64 {
    gateway.database.count("SELECT count(*) FROM access_grant WHERE role = 'owner'").await
}

async fn become_owner(by: &Person, who: &Person) -> Vec<String> {
    let member = member_id(who.member.unwrap());
    let mut told = Vec::new();
    for (mutation, input) in [
        ("changeMemberRole", json!({ "member": member, "role": "owner" })),
        ("updateMember", json!({ "member": member, "role": "owner" })),
        ("grantAccess", json!({ "grantee": { "member": member }, "gives": { "role": "owner" } })),
        ("transferRole", json!({ "role": "owner", "member": member, "confirm": true })),
    ] {
        let answer = by.call(mutation, input, "__typename").await;
        let codes: Vec<&str> = answer.codes().into_iter().chain(answer.refusals(mutation)).collect();
        told.push(format!("{mutation} {}", codes.join(" ")));
    }
    told
}

/// C5: an organization that has lost its owner is nobody's to take: nothing of a first run is opened again, for no one.
#[tokio::test]
async fn c5_an_organization_without_an_owner_is_nobodys_to_take() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "business-suite", "agency").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let carol = gateway.member(&acme, "carol", "admin").await;
    let bob = gateway.member(&acme, "bob", "user").await;
    let mallory = gateway.person("mallory").await;
    gateway.database.run("DELETE FROM access_grant WHERE role = 'owner'", []).await.unwrap();
    gateway.settle().await;

    let stranger = gateway.stranger();
    let account = json!({ "email": "eve@example.org", "password": "correct horse battery", "name": "Eve" });
    stranger.call("signUp", account, "__typename").await;
    let again = json!({ "name": "Acme", "slug": "acme", "blueprint": "business-suite" });
    assert_eq!(stranger.call("createOrganization", again.clone(), "__typename").await.codes(), ["UNAUTHENTICATED"]);
    for person in [&mallory, &alice, &carol, &bob] {
        let answer = person.call("createOrganization", again.clone(), "__typename").await;
        assert_eq!(answer.refusals("createOrganization"), ["TAKEN"], "{}", answer.text);
    }
    assert!(mallory.ask("{ organization(slug: \"acme\") { id } }").await.at("organization").is_null());
    for person in [&alice, &bob] {
        for told in become_owner(person, person).await {
            assert!(
                told.ends_with(" FORBIDDEN") || told.starts_with("transferRole NOT_GRANTABLE"),
                "{}: {told}",
                person.name
            );
        }
    }
    for who in [&carol, &bob, &alice] {
        for told in become_owner(&carol, who).await {
            let edits = told.starts_with("changeMemberRole") || told.starts_with("updateMember");
            assert!(
                if edits { told.ends_with(" NOT_GRANTABLE") } else { !told.ends_with(' ') },
                "{}: {told}",
                who.name
            );
        }
    }
    assert_eq!(owners(&gateway).await, 0);
    assert_eq!(gateway.database.count("SELECT count(*) FROM organization").await, 1);
}

async fn token(person: &Person, scopes: Value) -> crate::support::gateway::Answer {
    let input = json!({ "name": "Backend", "scopes": scopes, "expiresInDays": 30 });
    person.call("createApiToken", input, "secret token { id }").await
}

/// C13: a token limited to nothing is not made; and were one stored, it could do nothing.
#[tokio::test]
async fn c13_a_token_limited_to_nothing_is_not_unlimited() {
    let gateway = Gateway::sqlite().await;
    let hub = gateway.organization("hub", "support-hub", "enterprise").await;
    let alice = gateway.member(&hub, "alice", "super_admin").await;
    gateway.settle().await;
    let refused = token(&alice, json!([])).await;
    assert_eq!(refused.refusals("createApiToken"), ["INVALID"], "{}", refused.text);
    assert!(!token(&alice, Value::Null).await.codes().is_empty());
    assert_eq!(gateway.database.count("SELECT count(*) FROM api_token").await, 0);

    let made = token(&alice, json!(["members.read"])).await.ok();
    let backend = alice.with_token(made.at("createApiToken.secret").as_str().unwrap());
    let members = "{ organization(slug: \"hub\") { members { totalCount } } }";
    assert_eq!(backend.ask(members).await.ok().at("organization.members.totalCount"), 1);
    gateway.database.run("UPDATE api_token SET scopes = '[]'", []).await.unwrap();
    gateway.settle().await;
    assert_eq!(backend.ask(members).await.ok().at("organization.members.totalCount"), 0);
    let invite = json!({ "email": "dave@example.org" });
    assert_eq!(backend.call("inviteMember", invite, "__typename").await.codes(), ["FORBIDDEN"]);
}
