//! API tokens: D1 to D7, D15, D17 to D20.

use chrono::TimeDelta;
use futures_util::future::join_all;
use gatehouse::{graphql::node::NodeType, id::new_id, identity::ApiTokenText};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::gateway::{Answer, Engines, Gateway, Person, Tenant};

struct Hub {
    gateway: Gateway,
    acme: Tenant,
    alice: Person,
    bob: Person,
}

/// alice is a super admin, bob a member.
async fn hub(engines: Engines) -> Hub {
    let gateway = Gateway::on(engines).await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    gateway.settle().await;
    Hub { gateway, acme, alice, bob }
}

async fn create(by: &Person, scopes: &[&str]) -> Answer {
    let input = json!({ "name": "Backend", "scopes": scopes });
    by.call("createApiToken", input, "secret token { id scopes serviceAccount { id } }").await
}

/// A program with a token of these scopes, its secret, and the token's id.
async fn program(by: &Person, scopes: &[&str]) -> (Person, String, Value) {
    let made = create(by, scopes).await.ok();
    let secret = made.at("createApiToken.secret").as_str().unwrap().to_owned();
    (by.with_token(&secret), secret, made.at("createApiToken.token.id").clone())
}

async fn tokens(gateway: &Gateway) -> i64 {
    gateway.database.count("SELECT count(*) FROM api_token").await
}

/// D1: nobody makes or changes a token for somebody else, by whatever field.
#[tokio::test]
async fn d1_nobody_makes_or_changes_a_token_for_another() {
    let Hub { gateway, alice, bob, .. } = hub(Engines::Embedded).await;
    let (_, _, token) = program(&alice, &["members.read"]).await;
    let evil = gateway.organization("evil", "support-hub", "growth").await;
    let mallory = gateway.member(&evil, "mallory", "super_admin").await;
    let before = tokens(&gateway).await;
    let stranger = gateway.stranger();
    assert_eq!(create(&stranger, &["members.read"]).await.codes(), ["UNAUTHENTICATED"]);
    assert_eq!(create(&bob, &["members.read"]).await.codes(), ["FORBIDDEN"]);
    for field in ["user", "userId", "member", "createdBy", "organization", "permissions", "secret", "id"] {
        let mut input = json!({ "name": "Backend", "scopes": ["members.read"] });
        input[field] = json!(NodeType::Member.id(alice.member.unwrap()).to_string());
        for by in [&stranger, &bob, &mallory] {
            let answer = by.call("createApiToken", input.clone(), "secret").await;
            assert!(answer.at("createApiToken.secret").is_null() && !answer.codes().is_empty(), "{field}");
        }
    }
    for (by, code) in [(&stranger, "UNAUTHENTICATED"), (&bob, "FORBIDDEN"), (&mallory, "NOT_FOUND")] {
        for mutation in ["regenerateApiToken", "revokeApiToken"] {
            let answer = by.call(mutation, json!({ "token": token }), "token { id }").await;
            assert_eq!(answer.codes(), [code], "{mutation} by {}", by.name);
        }
    }
    assert_eq!(tokens(&gateway).await, before);
}

/// D2: a token makes no token, no session and no person, however wide it is.
#[tokio::test]
async fn d2_a_token_makes_neither_a_broader_token_nor_a_session() {
    let Hub { gateway, alice, .. } = hub(Engines::Embedded).await;
    let (backend, secret, id) =
        program(&alice, &["members.read", "rights.read", "activity.read", "activity.record", "*.*.view"]).await;
    let before = tokens(&gateway).await;
    assert_eq!(create(&backend, &["members.read"]).await.codes(), ["FORBIDDEN"]);
    for (mutation, input, selection) in [
        ("regenerateApiToken", json!({ "token": id }), "secret"),
        ("createServiceAccount", json!({ "name": "Odd" }), "serviceAccount { id }"),
        ("switchOrganization", json!({ "organization": "acme" }), "accessToken"),
        ("signOut", json!({ "everywhere": true }), "endedSessions"),
        ("createOrganization", json!({ "name": "X", "slug": "x", "blueprint": "support-hub" }), "organization { id }"),
        ("inviteMember", json!({ "email": "eve@example.org", "role": "super_admin" }), "member { id }"),
    ] {
        let answer = backend.call(mutation, input, selection).await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{mutation}: {}", answer.text);
    }
    let refreshed = backend.call("refreshSession", json!({ "refreshToken": secret }), "accessToken").await;
    assert_eq!(refreshed.codes(), ["UNAUTHENTICATED"]);
    assert_eq!(tokens(&gateway).await, before);
    assert_eq!(gateway.database.count("SELECT count(*) FROM refresh_token").await, 0);
}

/// D3, D4: scopes hold in every decision, for a super admin's token as for any.
#[tokio::test]
async fn d3_d4_a_token_does_what_each_scope_says_and_nothing_else() {
    for engines in Engines::ALL {
        let Hub { gateway, acme, alice, .. } = hub(engines).await;
        let app = gateway.app(&acme, "help_center", "help").await;
        gateway.settle().await;
        let target = json!({ "kind": "article", "id": "1", "name": "T" });
        let entry = json!({ "app": NodeType::App.id(app).to_string(), "action": "edited", "target": target });
        for (scopes, reads, records, sees) in [
            (&["members.read"][..], true, false, false),
            (&["activity.record", "help_center.articles.view"], false, true, true),
            (&["help_center.articles.view"], false, false, true),
            (&["activity.record"], false, false, false),
        ] {
            let made = create(&alice, scopes).await.ok();
            let backend = alice.with_token(made.at("createApiToken.secret").as_str().unwrap());
            let shown = backend.ask("{ viewer { permissions apps { totalCount } } }").await.ok();
            let held: Vec<&&str> = scopes.iter().filter(|scope| !scope.contains("articles")).collect();
            assert_eq!(shown.at("viewer.permissions"), &json!(held), "{engines:?} {scopes:?}");
            assert_eq!(shown.at("viewer.apps.totalCount"), i32::from(sees), "{engines:?} {scopes:?}");
            let members = backend.ask("{ organization(slug: \"acme\") { members { totalCount } } }").await;
            let seen = members.at("organization.members.totalCount").as_u64().unwrap_or_default();
            assert_eq!(seen > 0, reads, "{engines:?} {scopes:?}: {}", members.text);
            let recorded = backend.call("recordActivity", json!({ "entries": [entry] }), "recorded").await;
            let written = recorded.at("recordActivity.recorded") == 1;
            assert_eq!(written, records, "{engines:?} {scopes:?}: {}", recorded.text);
            let check = "query($who: ID!, $app: ID!) {
                check(member: $who, app: $app, feature: \"articles\", action: \"edit\") { allowed } }";
            let who = made.at("createApiToken.token.serviceAccount.id");
            let asked = backend.send(check, json!({ "who": who, "app": NodeType::App.id(app).to_string() })).await;
            assert_ne!(asked.at("check.allowed"), true, "{engines:?} {scopes:?}");
        }
    }
}

/// D5: nothing that hangs below an allowed field is read beyond the scopes.
#[tokio::test]
async fn d5_nested_fields_are_within_the_scopes_too() {
    let Hub { gateway, acme, alice, .. } = hub(Engines::Embedded).await;
    gateway.app(&acme, "help_center", "help").await;
    let (backend, _, id) = program(&alice, &["members.read"]).await;
    let nested = "{ organization(slug: \"acme\") { name
        activity { edges { node { id } } } apiTokens { edges { node { id } } } serviceAccounts { totalCount }
        members { edges { node { name capabilities { edges { node { level } } } } } } apps { totalCount } } }";
    let answer = backend.ask(nested).await;
    assert!(answer.at("organization.activity").is_null() && answer.at("organization.apiTokens").is_null());
    assert!(answer.at("organization.serviceAccounts").is_null(), "{}", answer.text);
    assert_eq!(answer.at("organization.apps.totalCount"), 0);
    assert!(!answer.text.contains("\"level\""), "{}", answer.text);
    let tokens = format!("{{ node(id: {id}) {{ id }} }}");
    assert!(backend.ask(&tokens).await.at("node").is_null());
}

/// D6, D15: a token is of one organization, whatever its maker or the request names.
#[tokio::test]
async fn d6_d15_a_token_knows_no_organization_but_its_own() {
    let Hub { gateway, alice, .. } = hub(Engines::Embedded).await;
    let other = gateway.organization("other", "support-hub", "growth").await;
    let there = gateway.joined(&other, &alice, "super_admin").await;
    let team = there.call("createTeam", json!({ "name": "Team", "slug": "team" }), "team { id }").await;
    gateway.settle().await;
    let (backend, secret, _) = program(&alice, &["members.read", "activity.record", "*.*.view"]).await;
    let listed =
        backend.ask("{ organizations { totalCount edges { node { slug } } } viewer { organization { slug } } }").await;
    assert_eq!(listed.at("viewer.organization.slug"), "acme");
    assert!(!listed.text.contains("other"), "{}", listed.text);
    let absent = backend.ask("{ organization(slug: \"absent\") { id } }").await;
    assert!(absent.at("organization").is_null(), "{}", absent.text);
    let named = backend.ask("{ organization(slug: \"other\") { id } }").await;
    assert_eq!(named.text, absent.text, "as one that does not exist");
    let foreign = [
        NodeType::Organization.id(other.id).to_string(),
        NodeType::Member.id(there.member.unwrap()).to_string(),
        team.at("createTeam.team.id").as_str().unwrap_or("team_none").to_owned(),
    ];
    for id in foreign {
        let answer = backend.send("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert!(answer.at("node").is_null(), "{id}");
    }
    // A header names nothing.
    let client = reqwest::Client::new();
    for header in ["x-organization", "x-gatehouse-organization", "x-tenant-id", "x-org-id"] {
        let request = client.post(format!("{}/graphql", gateway.url)).bearer_auth(&secret).header(header, "other");
        let query = json!({ "query": "{ viewer { organization { slug } } }" });
        let text = request.json(&query).send().await.unwrap().text().await.unwrap();
        assert!(text.contains("acme") && !text.contains("other"), "{header}: {text}");
    }
}

/// D7: every text that is not exactly a token's is refused, alike, and nobody is asked.
#[tokio::test]
async fn d7_a_mistyped_cut_or_padded_token_is_refused_without_a_statement() {
    let Hub { gateway, alice, .. } = hub(Engines::Postgres).await;
    let (backend, secret, _) = program(&alice, &["members.read"]).await;
    backend.ask("{ viewer { name } }").await.ok();
    let refusal = gateway.stranger().with_token("nonsense").ask("{ viewer { name } }").await;
    // Its use is written down beside the answer.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let before = gateway.statements().await;
    let mut wrong: Vec<String> =
        (0..secret.len()).step_by(7).map(|at| secret[..at].to_owned() + &secret[at + 1..]).collect();
    wrong.extend((4..secret.len()).step_by(9).map(|at| {
        let mut text = secret.clone();
        let other = if &secret[at..=at] == "z" { "y" } else { "z" };
        text.replace_range(at..=at, other);
        text
    }));
    wrong.extend([format!("{secret}0"), format!("{secret}="), format!("{secret}%20"), secret.to_uppercase()]);
    wrong.extend([secret[..secret.len() - 7].to_owned(), secret.replace('_', "-"), "gat_".to_owned()]);
    for text in wrong {
        let answer = gateway.stranger().with_token(&text).ask("{ viewer { name } }").await;
        assert_eq!((answer.status, &answer.text), (401, &refusal.text), "{text}");
    }
    assert_eq!(gateway.statements().await, before);
}

/// D17: a token is taken from the header alone, and shown nowhere again.
#[tokio::test]
async fn d17_a_token_is_in_no_url_error_or_entry() {
    let Hub { gateway, alice, .. } = hub(Engines::Embedded).await;
    let (backend, secret, _) = program(&alice, &["members.read", "activity.record"]).await;
    let client = reqwest::Client::new();
    for name in ["access_token", "token", "authorization", "api_key"] {
        let url = format!("{}/graphql?query=%7Bviewer%7Bname%7D%7D&{name}={secret}", gateway.url);
        let text = client.get(url).send().await.unwrap().text().await.unwrap();
        assert!(!text.contains("Backend") && !text.contains(&secret), "{name}: {text}");
    }
    let echoes = [
        backend
            .send("query($first: Int) { viewer { apps(first: $first) { totalCount } } }", json!({ "first": secret }))
            .await,
        backend.send("query($id: ID!) { node(id: $id) { id } }", json!({ "id": secret })).await,
        backend
            .call("createApiToken", json!({ "name": secret, "scopes": [secret], "expiresInDays": secret }), "secret")
            .await,
        gateway.stranger().with_token(&format!("{secret}x")).ask("{ viewer { name } }").await,
    ];
    for echo in echoes {
        assert!(!echo.text.contains(&secret), "{}", echo.text);
    }
    let rows = gateway.database.rows("SELECT detail FROM activity_entry", []).await;
    assert!(!rows.is_empty());
    for row in rows {
        let detail: Value = row.try_get_by_index(0).unwrap();
        assert!(!detail.to_string().contains("gat_"), "{detail}");
    }
    let parsed = ApiTokenText::parse(&secret).unwrap();
    assert!(!format!("{parsed:?}").contains(secret.split('_').nth(3).unwrap()));
}

/// D18: expired, revoked, of another deployment, not yet there: one answer for all.
#[tokio::test]
async fn d18_a_token_out_of_its_time_or_place_is_none() {
    for engines in Engines::ALL {
        let Hub { gateway, acme, alice, .. } = hub(engines).await;
        let elsewhere = hub(Engines::Embedded).await;
        let refusal = gateway.stranger().with_token("nonsense").ask("{ viewer { name } }").await;
        let refused = async |text: &str| {
            let answer = gateway.stranger().with_token(text).ask("{ viewer { name } }").await;
            assert_eq!((answer.status, &answer.text), (401, &refusal.text), "{engines:?}");
        };
        let (backend, ended, _) = program(&alice, &["members.read"]).await;
        backend.ask("{ viewer { name } }").await.ok();
        let past = gateway.service.now() - TimeDelta::seconds(1);
        gateway.database.run("UPDATE api_token SET expires_at = $1", [past.into()]).await.unwrap();
        gateway.settle().await;
        refused(&ended).await;
        let (_, revoked, id) = program(&alice, &["members.read"]).await;
        alice.call("revokeApiToken", json!({ "token": id }), "token { id }").await.ok();
        refused(&revoked).await;
        refused(&program(&elsewhere.alice, &["members.read"]).await.1).await;
        refused(&ApiTokenText::mint(new_id(), acme.id, &mut rand::rng()).to_text()).await;
        refused(&ApiTokenText::mint(new_id(), Uuid::nil(), &mut rand::rng()).to_text()).await;
    }
}

/// D19: the whole secret is hashed and compared; the row is found by the id, never by a part of the secret.
#[tokio::test]
async fn d19_another_secret_under_the_same_ids_is_refused_warm_and_cold() {
    for engines in Engines::ALL {
        let Hub { gateway, alice, .. } = hub(engines).await;
        let (backend, secret, _) = program(&alice, &["members.read"]).await;
        let good = ApiTokenText::parse(&secret).unwrap();
        let forged = ApiTokenText::mint(good.token(), good.organization(), &mut rand::rng());
        for warm in [false, true] {
            let answer = gateway.stranger().with_token(&forged.to_text()).ask("{ viewer { name } }").await;
            assert_eq!(answer.status, 401, "{engines:?} {warm}");
            backend.ask("{ viewer { name } }").await.ok();
        }
        let rows = gateway.database.rows("SELECT secret_hash FROM api_token", []).await;
        let kept: Vec<u8> = rows[0].try_get_by_index(0).unwrap();
        assert!(good.matches(&kept) && !forged.matches(&kept) && kept.len() == 32);
        assert!(!good.matches(&kept[..31]) && !good.matches(&[]), "a part of it is not it");
    }
}

/// D20: an idempotency key is its caller's own, stands for one input, and makes one token however often it comes at once.
#[tokio::test]
async fn d20_a_key_is_of_one_caller_and_one_input() {
    for engines in Engines::DATABASES {
        let Hub { gateway, acme, alice, .. } = hub(engines).await;
        let carol = gateway.member(&acme, "carol", "super_admin").await;
        gateway.settle().await;
        let input = |name: &str| json!({ "name": name, "scopes": ["members.read"], "idempotencyKey": "k" });
        let selection = "secret token { id }";
        let first = alice.call("createApiToken", input("Backend"), selection).await.ok();
        let other = carol.call("createApiToken", input("Backend"), selection).await.ok();
        assert_ne!(first.at("createApiToken.token.id"), other.at("createApiToken.token.id"), "another caller's");
        let changed = alice.call("createApiToken", input("Other"), selection).await;
        assert_eq!(changed.codes(), ["CONFLICT"], "{}", changed.text);
        let before = tokens(&gateway).await;
        let at_once = || {
            let input = json!({ "name": "Once", "scopes": ["members.read"], "idempotencyKey": "at once" });
            alice.call("createApiToken", input, selection)
        };
        let answers = join_all((0..8).map(|_| at_once())).await;
        let shown = answers.iter().filter(|answer| answer.at("createApiToken.secret").is_string()).count();
        assert_eq!((tokens(&gateway).await - before, shown), (1, 1), "{engines:?}");
        assert!(answers.iter().all(|answer| answer.codes().is_empty() || answer.codes() == ["CONFLICT"]));
    }
}
