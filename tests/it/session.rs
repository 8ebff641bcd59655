//! Accounts and sessions: signing up, in and out, refreshing, changing the organization.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    database::TestDatabase,
    gateway::{Answer, Engines, Gateway, Person, scale},
    people::{fields, prove_addresses, remedies},
};

const TOKENS: &str = "accessToken refreshToken expiresAt user { id email } organization { slug }";
const PASSWORD: &str = "correct horse battery";

/// A person who has just opened an account.
async fn signed_up(gateway: &Gateway, name: &str) -> (Person, Answer) {
    let input = json!({ "email": format!("{name}@example.org"), "password": PASSWORD, "name": name });
    let answer = gateway.stranger().call("signUp", input, TOKENS).await.ok();
    let token = answer.at("signUp.accessToken").as_str().unwrap().to_owned();
    (gateway.stranger().with_token(&token), answer)
}

async fn sign_in(gateway: &Gateway, email: &str, password: &str) -> Answer {
    gateway.stranger().call("signIn", json!({ "email": email, "password": password }), TOKENS).await
}

fn text(answer: &Answer, path: &str) -> String {
    answer.at(path).as_str().unwrap_or_else(|| panic!("{path} in {}", answer.text)).to_owned()
}

async fn refresh(gateway: &Gateway, token: &str) -> Answer {
    gateway.stranger().call("refreshSession", json!({ "refreshToken": token }), TOKENS).await
}

/// Whether this token still says who its bearer is.
async fn is_known(gateway: &Gateway, token: &str) -> bool {
    gateway.stranger().with_token(token).ask("{ viewer { id } }").await.at("viewer.id").is_string()
}

async fn found(gateway: &Gateway, alice: &Person, (slug, name): (&str, &str)) {
    prove_addresses(gateway).await;
    let input = json!({ "slug": slug, "name": name, "blueprint": "support-hub" });
    alice.call("createOrganization", input, "organization { id }").await.ok();
}

#[tokio::test]
async fn who_signs_up_is_signed_in_with_an_address_that_is_not_verified() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let (alice, answer) = signed_up(&gateway, "alice").await;
        assert_eq!(answer.at("signUp.user.email"), "alice@example.org", "{engines:?}");
        assert!(answer.at("signUp.organization").is_null());
        let viewer =
            alice.ask("{ viewer { id user { id emailVerifiedAt createdAt } organization { id } } }").await.ok();
        assert_eq!(viewer.at("viewer.id"), answer.at("signUp.user.id"));
        assert!(viewer.at("viewer.user.emailVerifiedAt").is_null() && viewer.at("viewer.user.createdAt").is_string());
        // Nor does it write to strangers in the name of an organization.
        let input = json!({ "slug": "acme", "name": "Acme", "blueprint": "support-hub" });
        let refused = alice.call("createOrganization", input, "organization { id }").await;
        assert_eq!(refused.refusals("createOrganization"), ["EMAIL_NOT_VERIFIED"]);
        let again = json!({ "email": " ALICE@example.org", "password": PASSWORD, "name": "Mallory" });
        let again = gateway.stranger().call("signUp", again, TOKENS).await;
        assert_eq!(again.refusals("signUp"), ["TAKEN"]);
        assert!(again.at("signUp.accessToken").is_null());
    }
}

#[tokio::test]
async fn bad_sign_ups_tell_every_mistake_and_open_nothing() {
    let gateway = Gateway::sqlite().await;
    let long = "x".repeat(201);
    let table: &[(Value, &[&str])] = &[
        (json!({ "email": "", "password": "", "name": "" }), &["email", "name", "password"]),
        (json!({ "email": "alice", "password": PASSWORD, "name": "Alice" }), &["email"]),
        (json!({ "email": "a@b", "password": PASSWORD, "name": "Alice" }), &["email"]),
        (json!({ "email": "a@b@example.org", "password": PASSWORD, "name": "Alice" }), &["email"]),
        (json!({ "email": "a\u{200b}@example.org", "password": PASSWORD, "name": "Alice" }), &["email"]),
        (json!({ "email": format!("{long}{long}@example.org"), "password": PASSWORD, "name": "Alice" }), &["email"]),
        (json!({ "email": "a@example.org", "password": "1234567", "name": "Alice" }), &["password"]),
        (json!({ "email": "a@example.org", "password": "p".repeat(1025), "name": "Alice" }), &["password"]),
        (json!({ "email": "a@example.org", "password": PASSWORD, "name": long }), &["name"]),
        (json!({ "email": "a@example.org", "password": PASSWORD, "name": "Al\u{202e}ice" }), &["name"]),
    ];
    for (input, fields) in table {
        let answer = gateway.stranger().call("signUp", input.clone(), TOKENS).await;
        let told: Vec<_> = answer.at("signUp.userErrors").as_array().unwrap().iter().collect();
        let named: Vec<_> = told.iter().map(|told| told["field"][0].as_str().unwrap()).collect();
        assert_eq!(&named, fields, "{input}");
        assert!(told.iter().all(|told| told["code"] == "INVALID"), "{input}");
    }
    let unknown = gateway.stranger().call("signUp", json!({ "mail": "a@example.org" }), TOKENS).await;
    assert_eq!(unknown.status, 400, "{}", unknown.text);
    assert_eq!(gateway.database.count("SELECT count(*) FROM user_account").await, 0);
}

#[tokio::test]
async fn where_accounts_are_by_invitation_a_stranger_opens_none() {
    let database = TestDatabase::sqlite().await;
    let gateway = Gateway::configured(database, None, |args| args.invitation_only = true).await;
    let mallory = json!({ "email": "mallory@example.org", "password": PASSWORD, "name": "Mallory" });
    assert_eq!(gateway.stranger().call("signUp", mallory, TOKENS).await.refusals("signUp"), ["SIGN_UP_CLOSED"]);
    assert_eq!(gateway.database.count("SELECT count(*) FROM user_account").await, 0);

    let acme = gateway.organization("acme", "support-hub", "growth").await;
    gateway.pending(&acme, "bob", "member", chrono::TimeDelta::days(7)).await;
    signed_up(&gateway, "bob").await;
    gateway.pending(&acme, "carol", "member", chrono::TimeDelta::seconds(-1)).await;
    let carol = json!({ "email": "carol@example.org", "password": PASSWORD, "name": "Carol" });
    assert_eq!(gateway.stranger().call("signUp", carol, TOKENS).await.refusals("signUp"), ["SIGN_UP_CLOSED"]);
}

#[tokio::test]
async fn wrong_address_wrong_password_and_no_password_are_one_refusal_after_the_same_work() {
    let gateway = Gateway::sqlite().await;
    signed_up(&gateway, "alice").await;
    gateway.person("bob").await;
    signed_up(&gateway, "carol").await;
    let sql = "UPDATE user_account SET state = 'suspended' WHERE email = 'carol@example.org'";
    gateway.database.run(sql, []).await.unwrap();
    let mut answers = Vec::new();
    for (email, password) in
        [("alice@example.org", "wrong password"), ("nobody@example.org", PASSWORD), ("bob@example.org", PASSWORD)]
    {
        let before = gateway.service.passwords().argon2_runs();
        let answer = sign_in(&gateway, email, password).await;
        assert_eq!(gateway.service.passwords().argon2_runs() - before, 1, "{email}");
        assert_eq!(answer.refusals("signIn"), ["WRONG_CREDENTIALS"]);
        answers.push(answer.text);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    sign_in(&gateway, "Alice@Example.org ", PASSWORD).await.ok();
}

#[tokio::test]
async fn a_suspended_account_is_refused_everywhere_from_the_next_request_on() {
    let gateway = Gateway::sqlite().await;
    let (alice, answer) = signed_up(&gateway, "alice").await;
    let sql = "UPDATE user_account SET state = 'suspended' WHERE email = 'alice@example.org'";
    gateway.database.run(sql, []).await.unwrap();
    gateway.settle().await;
    assert_eq!(alice.ask("{ viewer { id } }").await.status, 401);
    assert_eq!(refresh(&gateway, &text(&answer, "signUp.refreshToken")).await.codes(), ["UNAUTHENTICATED"]);
    assert_eq!(sign_in(&gateway, "alice@example.org", PASSWORD).await.refusals("signIn"), ["WRONG_CREDENTIALS"]);
}

#[tokio::test]
async fn ten_failures_block_the_account_from_that_address_and_nobody_else() {
    let gateway = Gateway::sqlite().await;
    signed_up(&gateway, "alice").await;
    signed_up(&gateway, "bob").await;
    for _ in 0..10 {
        assert_eq!(sign_in(&gateway, "alice@example.org", "guess").await.refusals("signIn"), ["WRONG_CREDENTIALS"]);
    }
    let blocked = sign_in(&gateway, "alice@example.org", PASSWORD).await;
    assert_eq!(blocked.codes(), ["RATE_LIMITED"]);
    let wait = blocked.body["errors"][0]["extensions"]["retryAfter"].as_u64().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    sign_in(&gateway, "bob@example.org", PASSWORD).await.ok();
}

#[tokio::test]
async fn a_sign_in_goes_where_it_is_told_else_where_the_person_was_last() {
    let gateway = Gateway::sqlite().await;
    let (alice, _) = signed_up(&gateway, "alice").await;
    found(&gateway, &alice, ("zeta", "A first by name")).await;
    assert_eq!(sign_in(&gateway, "alice@example.org", PASSWORD).await.ok().at("signIn.organization.slug"), "zeta");
    found(&gateway, &alice, ("acme", "Second by name")).await;
    let there =
        alice.call("switchOrganization", json!({ "organization": "acme" }), "accessToken organization { slug }");
    let there = there.await.ok();
    assert_eq!(there.at("switchOrganization.organization.slug"), "acme");
    let token = text(&there, "switchOrganization.accessToken");
    let viewer = alice.with_token(&token).ask("{ viewer { organization { slug } } }").await.ok();
    assert_eq!(viewer.at("viewer.organization.slug"), "acme");
    // Used last.
    assert_eq!(sign_in(&gateway, "alice@example.org", PASSWORD).await.ok().at("signIn.organization.slug"), "acme");
    let told = json!({ "email": "alice@example.org", "password": PASSWORD, "organization": "zeta" });
    let told = gateway.stranger().call("signIn", told, TOKENS).await.ok();
    assert_eq!(told.at("signIn.organization.slug"), "zeta");
    let none =
        alice.with_token(&token).call("switchOrganization", json!({ "organization": null }), "accessToken").await;
    let nowhere = alice.with_token(&text(&none.ok(), "switchOrganization.accessToken"));
    assert!(nowhere.ask("{ viewer { organization { slug } } }").await.ok().at("viewer.organization").is_null());
}

#[tokio::test]
async fn an_organization_one_is_not_in_answers_as_one_that_is_not() {
    let gateway = Gateway::sqlite().await;
    let (alice, _) = signed_up(&gateway, "alice").await;
    found(&gateway, &alice, ("acme", "Acme")).await;
    let (mallory, answer) = signed_up(&gateway, "mallory").await;
    let refreshable = text(&answer, "signUp.refreshToken");
    // Mallory is suspended in the third.
    let mut answers = Vec::new();
    found(&gateway, &mallory, ("evil", "Evil")).await;
    let sql = "UPDATE member SET state = 'suspended'
               WHERE organization_id = (SELECT id FROM organization WHERE slug = 'evil')";
    gateway.database.run(sql, []).await.unwrap();
    gateway.settle().await;
    for slug in ["acme", "nowhere", "evil"] {
        let switched = mallory.call("switchOrganization", json!({ "organization": slug }), "accessToken").await;
        let told = json!({ "email": "mallory@example.org", "password": PASSWORD, "organization": slug });
        let signed_in = gateway.stranger().call("signIn", told, "accessToken").await;
        let input = json!({ "refreshToken": refreshable, "organization": slug });
        let refreshed = gateway.stranger().call("refreshSession", input, "accessToken").await;
        assert_eq!([switched.codes(), refreshed.codes()], [["NOT_FOUND"], ["NOT_FOUND"]], "{slug}");
        // A form has a field for it.
        assert_eq!(signed_in.refusals("signIn"), ["INVALID"], "{slug}: {}", signed_in.text);
        assert_eq!(fields(&signed_in, "signIn"), ["organization"]);
        assert_eq!(remedies(&signed_in, "signIn"), ["Sign in without it, or choose one of yours."]);
        assert!(signed_in.text.contains("you are not an active member of such an organization"));
        answers.push([switched.text, signed_in.text, refreshed.text]);
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:?}");
    // What was refused has used nothing up.
    refresh(&gateway, &refreshable).await.ok();
}

#[tokio::test]
async fn d10_a_refresh_token_is_used_once_and_its_reuse_ends_the_session() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let (_, answer) = signed_up(&gateway, "alice").await;
        let first = text(&answer, "signUp.refreshToken");
        let second = refresh(&gateway, &first).await.ok();
        let (access, newest) =
            (text(&second, "refreshSession.accessToken"), text(&second, "refreshSession.refreshToken"));
        assert_ne!(first, newest);
        assert!(is_known(&gateway, &access).await);
        // Somebody had a copy: the newest token falls with it, and so does the access token.
        assert_eq!(refresh(&gateway, &first).await.codes(), ["UNAUTHENTICATED"], "{engines:?}");
        assert!(!is_known(&gateway, &access).await);
        assert_eq!(refresh(&gateway, &newest).await.codes(), ["UNAUTHENTICATED"]);
    }
}

#[tokio::test]
async fn d9_of_refreshes_at_once_one_wins_and_the_session_ends() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        for round in 0..2 * scale() {
            let (_, answer) = signed_up(&gateway, &format!("alice{round}")).await;
            let token = text(&answer, "signUp.refreshToken");
            let answers = join_all((0..8).map(|_| refresh(&gateway, &token))).await;
            let won: Vec<_> = answers.iter().filter(|answer| answer.codes().is_empty()).collect();
            assert_eq!(won.len(), 1, "{engines:?}");
            assert!(answers.iter().all(|answer| answer.codes().is_empty() || answer.codes() == ["UNAUTHENTICATED"]));
            assert!(!is_known(&gateway, &text(won[0], "refreshSession.accessToken")).await, "{engines:?}");
            let next = text(won[0], "refreshSession.refreshToken");
            assert_eq!(refresh(&gateway, &next).await.codes(), ["UNAUTHENTICATED"], "{engines:?}");
        }
    }
}

#[tokio::test]
async fn d8_what_is_no_live_refresh_token_refreshes_nothing() {
    let gateway = Gateway::sqlite().await;
    let (alice, answer) = signed_up(&gateway, "alice").await;
    let good = text(&answer, "signUp.refreshToken");
    let flipped = format!("{}{}", &good[..good.len() - 2], if good.ends_with("AA") { "BA" } else { "AA" });
    let access = alice.token.clone().unwrap();
    for bad in ["", "grt_", &access, &flipped, &format!("{good}x"), &"g".repeat(10_000)] {
        assert_eq!(refresh(&gateway, bad).await.codes(), ["UNAUTHENTICATED"], "{bad}");
    }
    assert_eq!(gateway.stranger().with_token(&good).ask("{ viewer { id } }").await.status, 401);
    gateway.database.run("UPDATE refresh_token SET expires_at = issued_at", []).await.unwrap();
    assert_eq!(refresh(&gateway, &good).await.codes(), ["UNAUTHENTICATED"]);
}

#[tokio::test]
async fn signing_out_ends_one_session_or_all_of_them_at_once() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let (alice, first) = signed_up(&gateway, "alice").await;
        let second = sign_in(&gateway, "alice@example.org", PASSWORD).await.ok();
        let third = sign_in(&gateway, "alice@example.org", PASSWORD).await.ok();
        let [second, third] = [second, third].map(|answer| text(&answer, "signIn.accessToken"));
        let out = alice.call("signOut", json!({}), "endedSessions").await.ok();
        assert_eq!(out.at("signOut.endedSessions"), 1, "{engines:?}");
        assert_eq!(alice.ask("{ viewer { id } }").await.status, 401, "{engines:?}");
        assert_eq!(refresh(&gateway, &text(&first, "signUp.refreshToken")).await.codes(), ["UNAUTHENTICATED"]);
        assert!(is_known(&gateway, &second).await && is_known(&gateway, &third).await);
        let everywhere =
            alice.with_token(&second).call("signOut", json!({ "everywhere": true }), "endedSessions").await;
        assert_eq!(everywhere.ok().at("signOut.endedSessions"), 2);
        assert!(!is_known(&gateway, &second).await && !is_known(&gateway, &third).await);
        let stranger = gateway.stranger().call("signOut", json!({}), "endedSessions").await;
        assert_eq!(stranger.codes(), ["UNAUTHENTICATED"]);
    }
}

#[tokio::test]
async fn a_changed_or_foreign_token_says_nothing() {
    let gateway = Gateway::sqlite().await;
    let (alice, _) = signed_up(&gateway, "alice").await;
    let token = alice.token.clone().unwrap();
    let other = Gateway::sqlite().await;
    let (foreign, _) = signed_up(&other, "alice").await;
    let claims = token.split('.').nth(1).unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{claims}.");
    for forged in [&token[..token.len() - 4], &foreign.token.unwrap(), &unsigned, "Bearer", "gat_x"] {
        let answer = gateway.stranger().with_token(forged).ask("{ viewer { id } }").await;
        assert_eq!((answer.status, answer.codes()), (401, vec!["UNAUTHENTICATED"]), "{forged}");
    }
    assert!(is_known(&gateway, &token).await);
}

#[tokio::test]
async fn nobody_elses_account_is_found_by_its_id() {
    let gateway = Gateway::sqlite().await;
    let (alice, answer) = signed_up(&gateway, "alice").await;
    let (mallory, _) = signed_up(&gateway, "mallory").await;
    let id = text(&answer, "signUp.user.id");
    let ask = format!("{{ node(id: \"{id}\") {{ id ... on User {{ email }} }} }}");
    assert_eq!(alice.ask(&ask).await.ok().at("node.email"), "alice@example.org");
    assert!(mallory.ask(&ask).await.ok().at("node").is_null());
}

#[tokio::test]
async fn an_operator_opens_accounts_at_the_command_line() {
    use std::process::Stdio;

    use tokio::{io::AsyncWriteExt, process::Command};

    let gateway = Gateway::sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    // Not waited for in this thread: a gateway that is stopped within a transaction keeps the database locked.
    let create = async |email: &str, password: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gatehouse"))
            .args(["user", "create", "--email", email, "--name", "Alice", "--password-stdin", "--database-url"])
            .arg(&gateway.database.url)
            .env("GATEHOUSE_SECRET_FILE", folder.path().join("secret"))
            .env("GATEHOUSE_MAIL_DIR", folder.path().join("mail"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).await.unwrap();
        let done = child.wait_with_output().await.unwrap();
        (done.status.success(), String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    let (done, id, _) = create("alice@example.org", PASSWORD).await;
    assert!(done && id.starts_with("usr_") && id.lines().count() == 1, "{id}");
    let signed_in = sign_in(&gateway, "alice@example.org", PASSWORD).await.ok();
    assert_eq!(signed_in.at("signIn.user.id"), id.trim());
    let alice = gateway.stranger().with_token(&text(&signed_in, "signIn.accessToken"));
    assert!(
        alice.ask("{ viewer { user { emailVerifiedAt } } }").await.ok().at("viewer.user.emailVerifiedAt").is_string()
    );
    let (done, out, told) = create("alice@example.org", PASSWORD).await;
    assert!(!done && out.is_empty() && told.contains("email: this address has an account"), "{told}");
    let (done, _, told) = create("bob@example.org", "short").await;
    assert!(!done && told.contains("password: the password is too short"), "{told}");
}
