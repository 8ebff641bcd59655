//! API tokens: what a program proves itself with, and what it may do with it.

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse::graphql::node::NodeType;
use serde_json::{Value, json};

use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::remedies,
};

async fn hub(engines: Engines) -> (Gateway, Tenant, Person) {
    let gateway = Gateway::on(engines).await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    (gateway, acme, alice)
}

async fn create(person: &Person, scopes: &[&str], days: i64) -> Answer {
    let input = json!({ "name": "Backend", "scopes": scopes, "expiresInDays": days });
    person
        .call("createApiToken", input, "secret token { id name scopes state expiresAt serviceAccount { id name } }")
        .await
}

const LIST: &str = "{ organization(slug: \"acme\") { apiTokens { totalCount edges { node {
    id name scopes state revokedAt lastUsedAt serviceAccount { name state } } } } serviceAccounts { totalCount } } }";

#[tokio::test]
async fn a_program_does_what_its_token_says_and_no_more() {
    for engines in Engines::ALL {
        let (gateway, acme, alice) = hub(engines).await;
        gateway.app(&acme, "help_center", "help").await;
        let answer = create(&alice, &["members.read"], 30).await.ok();
        let secret = answer.at("createApiToken.secret").as_str().unwrap().to_owned();
        assert!(secret.starts_with("gat_"));
        assert_eq!(answer.at("createApiToken.token.serviceAccount.name"), "Backend");
        let backend = alice.with_token(&secret);
        let answer = backend.ask("{ viewer { name permissions organization { slug } } }").await.ok();
        assert_eq!(
            answer.at("viewer"),
            &json!({ "name": "Backend", "permissions": ["members.read"], "organization": { "slug": "acme" } }),
            "{engines:?}"
        );
        assert_eq!(create(&backend, &["members.read"], 30).await.codes(), ["FORBIDDEN"]);
        // One letter off is no token at all.
        let mut wrong = secret.clone();
        wrong.replace_range(60..61, if &secret[60..61] == "a" { "b" } else { "a" });
        assert_eq!(alice.with_token(&wrong).ask("{ viewer { name } }").await.codes(), ["UNAUTHENTICATED"]);
    }
}

#[tokio::test]
async fn a_regenerated_token_lives_as_long_as_the_old_one_was_made_for() {
    for engines in Engines::DATABASES {
        let (gateway, _, alice) = hub(engines).await;
        let answer = create(&alice, &["members.read"], 30).await.ok();
        let mut token = answer.at("createApiToken.token.id").clone();
        for (asked, days) in [(None, 30), (Some(7), 7), (None, 7)] {
            let mut input = json!({ "token": token });
            if let Some(asked) = asked {
                input["expiresInDays"] = json!(asked);
            }
            let again = alice.call("regenerateApiToken", input, "token { id expiresAt }").await.ok();
            let end = again.at("regenerateApiToken.token.expiresAt").as_str().unwrap();
            let life = DateTime::parse_from_rfc3339(end).unwrap().to_utc() - gateway.service.now();
            assert!(
                life > TimeDelta::days(days - 1) && life <= TimeDelta::days(days),
                "{engines:?}: {life}, not {days} days"
            );
            token = again.at("regenerateApiToken.token.id").clone();
        }
    }
}

#[tokio::test]
async fn a_token_is_replaced_once_and_the_new_one_lives_as_long() {
    for engines in Engines::DATABASES {
        let (gateway, _, alice) = hub(engines).await;
        let answer = create(&alice, &["members.read"], 30).await.ok();
        let old = alice.with_token(answer.at("createApiToken.secret").as_str().unwrap());
        let input = json!({ "token": answer.at("createApiToken.token.id"), "overlapHours": 24 });
        let first = alice.call("regenerateApiToken", input.clone(), "token { id expiresAt }").await.ok();
        // In its overlap it is good, and has no life of its own any more that another one could have.
        old.ask("{ viewer { name } }").await.ok();
        let tokens = gateway.database.count("SELECT count(*) FROM api_token").await;
        for days in [None, Some(7)] {
            let mut input = input.clone();
            input["expiresInDays"] = json!(days);
            let again = alice.call("regenerateApiToken", input, "token { id }").await;
            assert_eq!(again.refusals("regenerateApiToken"), ["STATE_CHANGED"], "{engines:?}: {}", again.text);
            let told = again.at("regenerateApiToken.userErrors.0.message");
            assert_eq!(told, "this token was regenerated already");
            assert_eq!(
                remedies(&again, "regenerateApiToken"),
                ["Regenerate the new one, or make another token."],
                "{engines:?}"
            );
        }
        assert_eq!(gateway.database.count("SELECT count(*) FROM api_token").await, tokens, "{engines:?}");
        let input = json!({ "token": first.at("regenerateApiToken.token.id"), "overlapHours": 1 });
        let next = alice.call("regenerateApiToken", input, "token { expiresAt }").await.ok();
        let end = next.at("regenerateApiToken.token.expiresAt").as_str().unwrap();
        let life = DateTime::parse_from_rfc3339(end).unwrap().to_utc() - gateway.service.now();
        assert!(life > TimeDelta::days(29), "{engines:?}: {life}");
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused_from_the_next_request_on() {
    for engines in Engines::ALL {
        let (_gateway, _, alice) = hub(engines).await;
        let answer = create(&alice, &["members.read"], 30).await.ok();
        let backend = alice.with_token(answer.at("createApiToken.secret").as_str().unwrap());
        backend.ask("{ viewer { name } }").await.ok();
        let token = answer.at("createApiToken.token.id").clone();
        let revoked = alice.call("revokeApiToken", json!({ "token": token }), "token { state revokedAt }").await.ok();
        assert_eq!(revoked.at("revokeApiToken.token.state"), "REVOKED");
        assert_eq!(backend.ask("{ viewer { name } }").await.codes(), ["UNAUTHENTICATED"], "{engines:?}");
        let again = alice.call("revokeApiToken", json!({ "token": token }), "token { id }").await;
        assert_eq!(again.refusals("revokeApiToken"), ["STATE_CHANGED"]);
    }
}

/// D16: there is no client and no setting by which a token gets every scope: `*` is for who holds everything.
#[tokio::test]
async fn d16_scopes_are_words_of_the_blueprint_and_at_most_the_creators_rights() {
    let (gateway, _, alice) = hub(Engines::Embedded).await;
    for (scope, code) in [
        ("members.fly", "NOT_IN_BLUEPRINT"),
        ("help_center.tickets", "NOT_IN_BLUEPRINT"),
        ("", "NOT_IN_BLUEPRINT"),
        // The role for programs has neither.
        ("members.invite", "NOT_GRANTABLE"),
        ("help_center.articles.delete", "NOT_GRANTABLE"),
    ] {
        let answer = create(&alice, &["members.read", scope], 30).await;
        assert_eq!(answer.refusals("createApiToken"), [code], "{scope}");
        assert!(answer.at("createApiToken.userErrors.0.remedy").is_string());
    }
    // Every wrong one is told, once.
    let answer = create(&alice, &["nope", "members.read", "also.bad", "nope"], 30).await;
    assert_eq!(answer.refusals("createApiToken"), ["NOT_IN_BLUEPRINT", "NOT_IN_BLUEPRINT"]);
    assert!(answer.text.contains("`nope`") && answer.text.contains("`also.bad`"), "{}", answer.text);
    for days in [0, -1, 366] {
        assert_eq!(create(&alice, &["members.read"], days).await.refusals("createApiToken"), ["INVALID"]);
    }
    assert_eq!(create(&alice, &[], 30).await.refusals("createApiToken"), ["INVALID"]);
    assert_eq!(alice.ask(LIST).await.ok().at("organization.apiTokens.totalCount"), 0);
    // A blueprint whose token makers do not hold everything.
    let narrow = include_str!("cases/narrow.toml");
    gateway.service.install_blueprint(narrow).await.unwrap();
    let ada = gateway.organization("ada", "narrow", "free").await;
    let bob = gateway.member(&ada, "bob", "clerk").await;
    assert_eq!(create(&bob, &["shelf.books.read"], 30).await.refusals("createApiToken"), ["NOT_GRANTABLE"]);
    assert_eq!(create(&bob, &["*"], 30).await.refusals("createApiToken"), ["NOT_GRANTABLE"]);
}

#[tokio::test]
async fn only_who_manages_tokens_sees_or_makes_or_ends_one() {
    let (gateway, acme, alice) = hub(Engines::Embedded).await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let answer = create(&alice, &["members.read"], 30).await.ok();
    let token = answer.at("createApiToken.token.id").clone();
    assert_eq!(bob.ask(LIST).await.codes(), ["FORBIDDEN", "FORBIDDEN"]);
    assert_eq!(create(&bob, &["members.read"], 30).await.codes(), ["FORBIDDEN"]);
    assert_eq!(bob.call("revokeApiToken", json!({ "token": token }), "token { id }").await.codes(), ["FORBIDDEN"]);
    let node = format!("{{ node(id: {token}) {{ id }} }}");
    assert!(bob.ask(&node).await.ok().at("node").is_null());
    assert_eq!(alice.ask(&node).await.ok().at("node.id"), &token);
    // Another organization's administrator finds nothing of it.
    let evil = gateway.organization("evil", "support-hub", "growth").await;
    let mallory = gateway.member(&evil, "mallory", "super_admin").await;
    assert_eq!(mallory.call("revokeApiToken", json!({ "token": token }), "token { id }").await.codes(), ["NOT_FOUND"]);
    assert!(mallory.ask(&node).await.ok().at("node").is_null());
    let account = answer.at("createApiToken.token.serviceAccount.id");
    let node = format!("{{ node(id: {account}) {{ id }} }}");
    assert!(mallory.ask(&node).await.ok().at("node").is_null());
    assert!(bob.ask(&node).await.ok().at("node").is_null());
}

#[tokio::test]
async fn the_secret_is_shown_once_and_kept_nowhere() {
    let (gateway, _, alice) = hub(Engines::Embedded).await;
    let input = json!({ "name": "Backend", "scopes": ["members.read"], "expiresInDays": 1, "idempotencyKey": "k" });
    let first = alice.call("createApiToken", input.clone(), "secret token { id }").await.ok();
    let again = alice.call("createApiToken", input, "secret token { id }").await.ok();
    assert_eq!(first.at("createApiToken.token"), again.at("createApiToken.token"));
    assert!(again.at("createApiToken.secret").is_null());
    let secret = first.at("createApiToken.secret").as_str().unwrap();
    let part = secret.split('_').nth(3).unwrap();
    let kept = gateway
        .database
        .rows("SELECT response, (SELECT group_concat(detail) FROM activity_entry) FROM idempotency_record", [])
        .await;
    for column in 0..2 {
        let text: String = kept[0].try_get_by_index(column).unwrap();
        assert!(!text.contains(part), "{text}");
    }
    assert_eq!(alice.ask(LIST).await.ok().at("organization.apiTokens.totalCount"), 1);
}

#[tokio::test]
async fn its_use_is_noted_to_the_minute_and_moves_nothing() {
    let (gateway, _, alice) = hub(Engines::Postgres).await;
    let answer = create(&alice, &["members.read"], 30).await.ok();
    let backend = alice.with_token(answer.at("createApiToken.secret").as_str().unwrap());
    let stamps = "SELECT coalesce(sum(ver), 0)::bigint FROM grant_stamp";
    let before = gateway.database.count(stamps).await;
    for _ in 0..5 {
        backend.ask("{ viewer { name } }").await.ok();
    }
    let used = "SELECT count(*) FROM api_token WHERE last_used_at IS NOT NULL";
    for _ in 0..100 {
        if gateway.database.count(used).await == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let noted = alice.ask(LIST).await.ok().at("organization.apiTokens.edges.0.node.lastUsedAt").clone();
    let noted: DateTime<Utc> = noted.as_str().unwrap().parse().unwrap();
    assert!(gateway.service.now() - noted < TimeDelta::minutes(1));
    assert_eq!(gateway.database.count(stamps).await, before);
}

#[tokio::test]
async fn making_and_ending_a_token_are_recorded() {
    let (_gateway, _, alice) = hub(Engines::Embedded).await;
    let answer = create(&alice, &["members.read"], 30).await.ok();
    let token = answer.at("createApiToken.token.id").clone();
    alice.call("revokeApiToken", json!({ "token": token }), "token { id }").await.ok();
    let list = "{ organization(slug: \"acme\") { activity(category: ACCOUNT) { edges { node { action actor { name } target { kind id name } } } } } }";
    let answer = alice.ask(list).await.ok();
    let rows: Vec<&Value> = (0..2).map(|row| answer.at(&format!("organization.activity.edges.{row}.node"))).collect();
    assert_eq!((&rows[0]["action"], &rows[1]["action"]), (&json!("api_token.revoked"), &json!("api_token.created")));
    assert_eq!(rows[0]["target"], json!({ "kind": "api_token", "id": token, "name": "Backend" }));
    assert_eq!(NodeType::of_noun("api_token"), Some(NodeType::ApiToken));
}
