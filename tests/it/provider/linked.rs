//! Identities that lead to an account, as their person sees them: listed, unlinked, linked anew by the rule.

use futures_util::future::join;
use gatehouse::{id::new_id, service::api_token::NewToken};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};

use super::Scene;
use crate::{
    operations::{run, send},
    support::{
        database::TestDatabase,
        gateway::{Answer, Person},
    },
};

const PASSWORD: &str = "correct horse battery";
/// Tokens are taken from clients, so that a test comes by one request.
const TOKENS: &str = "accept_tokens = true";
const TRUSTED: &str = "accept_tokens = true\nlinking = \"verified_email\"";
/// A second provider, which nobody asks anything in these tests.
const TWO: &str = "accept_tokens = true\n[provider.other]\ntitle = \"Other\"\nissuer = \"https://other.example\"\n\
                   client_id = \"gatehouse\"";

/// What whoever is there at the provider is answered who comes from it; each coming has a token of its own.
async fn comes(scene: &Scene) -> Answer {
    let (key, mut claims) = (scene.acme.key(), scene.acme.claims());
    claims["nonce"] = json!(new_id().to_string());
    scene.present(&key.sign(&key.header().to_string(), &claims.to_string())).await
}

/// The person who came.
async fn come(scene: &Scene) -> Person {
    let answer = comes(scene).await.ok();
    scene.gateway.stranger().with_token(answer.at("signInWithProvider.accessToken").as_str().unwrap())
}

async fn list(person: &Person) -> Vec<Value> {
    let answer = run(person, "account/external-identities", json!({})).await;
    answer.at("viewer.externalIdentities").as_array().unwrap().clone()
}

async fn unlink(person: &Person, identity: &Value, password: Option<&str>) -> Answer {
    let mut input = json!({ "externalIdentity": identity });
    if let Some(password) = password {
        input["password"] = json!(password);
    }
    send(person, "account/unlink-external-identity", json!({ "input": input })).await
}

/// Links the account of this address to an identity at another issuer, past the providers.
async fn also_linked(scene: &Scene, email: &str, issuer: &str) {
    let sql = "INSERT INTO external_identity (id, user_id, issuer, subject, created_at, last_login_at)
               SELECT $1, id, $2, 's-elsewhere', created_at, created_at FROM user_account WHERE email = $3";
    let row = [new_id().into(), issuer.into(), email.into()];
    scene.gateway.database.run(sql, row).await.unwrap();
}

/// Waits until a letter with these words was written; the letters with them.
async fn letters(scene: &Scene, words: &str) -> Vec<String> {
    for _ in 0..500 {
        let unfolded = scene.gateway.mails().into_iter().map(|mail| mail.replace("=\r\n", ""));
        let found: Vec<String> = unfolded.filter(|mail| mail.contains(words)).collect();
        if !found.is_empty() {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no letter says `{words}`");
}

#[tokio::test]
async fn a_linked_identity_is_listed_unlinked_and_dealt_with_anew_by_the_linking_rule() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let backend = database.backend;
        let mut scene = Scene::on(database, TRUSTED).await;
        let account = scene.account("alice@example.org", true).await;
        let alice = come(&scene).await;
        let listed = list(&alice).await;
        assert_eq!(listed.len(), 1, "{backend:?}");
        assert_eq!(
            (&listed[0]["provider"], &listed[0]["title"], &listed[0]["issuer"]),
            (&json!("acme"), &json!("Acme"), &json!(scene.acme.url()))
        );
        assert!(listed[0]["linkedAt"].is_string() && listed[0]["lastUsedAt"].is_string());
        let told = letters(&scene, "A way to sign in was linked").await;
        assert!(told.len() == 1 && told[0].contains("your account at Acme"), "{backend:?}: {told:?}");
        come(&scene).await;
        assert_eq!(letters(&scene, "A way to sign in was linked").await.len(), 1, "{backend:?}: it was linked before");

        let slip = unlink(&alice, &listed[0]["id"], Some("a slip of hers")).await;
        assert_eq!(slip.refusals("unlinkExternalIdentity"), ["WRONG_CREDENTIALS"], "{}", slip.text);
        assert_eq!(scene.links().await, 1, "{backend:?}");
        let done = unlink(&alice, &listed[0]["id"], Some(PASSWORD)).await.ok();
        assert_eq!((done.at("unlinkExternalIdentity.externalIdentities"), scene.links().await), (&json!([]), 0));
        letters(&scene, "A way to sign in was unlinked").await;
        // It is gone: doing it again is done, and nobody is told a second time.
        unlink(&alice, &listed[0]["id"], Some(PASSWORD)).await.ok();
        assert_eq!(list(&alice).await, Vec::<Value>::new(), "the session stays");

        // Who comes again is dealt with by the rule of the provider: here the proven address leads to the account once more.
        let again = comes(&scene).await.ok();
        assert_eq!(again.at("signInWithProvider.user.id"), &account, "{backend:?}");
        let anew = list(&alice).await;
        assert!(anew.len() == 1 && anew[0]["id"] != listed[0]["id"], "another link: {anew:?}");
        assert_eq!(letters(&scene, "A way to sign in was unlinked").await.len(), 1, "{backend:?}");

        // Where no rule links accounts, what was unlinked stays so.
        unlink(&alice, &anew[0]["id"], Some(PASSWORD)).await.ok();
        let file = scene.folder.path().join("providers.toml");
        let text = std::fs::read_to_string(&file).unwrap().replace("linking = \"verified_email\"", "");
        std::fs::write(&file, text).unwrap();
        scene.gateway.restart().await;
        assert_eq!(comes(&scene).await.refusals("signInWithProvider"), ["NOT_LINKED"], "{backend:?}");
        assert_eq!((scene.users().await, scene.links().await), (1, 0));
    }
}

#[tokio::test]
async fn a_token_without_an_address_is_told_apart_from_one_that_is_not_verified() {
    let scene = Scene::with(TRUSTED).await;
    let unverified = json!({ "sub": "s-mallory", "email": "alice@example.org", "email_verified": false });
    for (claims, said) in [
        (unverified, "the provider does not say that your address is verified"),
        (json!({ "sub": "s-mallory", "email_verified": true }), "the provider gave no usable email address"),
        (json!({ "sub": "s-mallory" }), "the provider gave no usable email address"),
        (
            json!({ "sub": "s-mallory", "email": "alice", "email_verified": true }),
            "the provider gave no usable email address",
        ),
    ] {
        scene.acme.has(claims.clone());
        let refused = comes(&scene).await;
        assert_eq!(refused.refusals("signInWithProvider"), ["EMAIL_NOT_VERIFIED"], "{claims}");
        assert_eq!(refused.at("signInWithProvider.userErrors.0.message"), said, "{claims}");
    }
}

#[tokio::test]
async fn the_last_way_to_sign_in_is_not_unlinked() {
    let scene = Scene::with(TOKENS).await;
    let alice = come(&scene).await;
    let own = list(&alice).await.remove(0)["id"].clone();
    let refused = unlink(&alice, &own, None).await;
    assert_eq!(refused.refusals("unlinkExternalIdentity"), ["LAST_WAY_IN"], "{}", refused.text);
    assert!(refused.at("unlinkExternalIdentity.externalIdentities").is_null());
    assert!(refused.at("unlinkExternalIdentity.userErrors.0.remedy").is_string());
    // An issuer of which no provider is set up leads nobody in.
    also_linked(&scene, "alice@example.org", "https://gone.example").await;
    let listed = list(&alice).await;
    let gone = listed.iter().find(|one| one["id"] != own).unwrap();
    assert_eq!((&gone["provider"], &gone["title"]), (&Value::Null, &json!("https://gone.example")));
    assert_eq!(unlink(&alice, &own, None).await.refusals("unlinkExternalIdentity"), ["LAST_WAY_IN"]);
    let left = unlink(&alice, &gone["id"], None).await.ok();
    assert_eq!(left.at("unlinkExternalIdentity.externalIdentities.0.id"), &own);
    assert_eq!(scene.links().await, 1);

    // With a password there is another way, and the password is asked for.
    let stranger = scene.gateway.stranger();
    stranger.call("requestPasswordReset", json!({ "email": "alice@example.org" }), "").await.ok();
    let letter = letters(&scene, "gcr_").await.remove(0);
    let code = &letter[letter.find("gcr_").unwrap()..][..47];
    stranger.call("resetPassword", json!({ "code": code, "newPassword": PASSWORD }), "endedSessions").await.ok();
    let alice = come(&scene).await;
    let slip = unlink(&alice, &own, Some("a slip of hers")).await;
    assert_eq!(slip.refusals("unlinkExternalIdentity"), ["WRONG_CREDENTIALS"]);
    unlink(&alice, &own, Some(PASSWORD)).await.ok();
    assert_eq!(scene.links().await, 0);
}

/// One of an issuer that no provider has leads nobody in: taking it away takes no way in away.
#[tokio::test]
async fn an_identity_that_leads_nobody_in_is_unlinked_though_it_is_the_last() {
    let scene = Scene::with(TOKENS).await;
    let alice = come(&scene).await;
    let issuer = "UPDATE external_identity SET issuer = 'https://gone.example'";
    scene.gateway.database.run(issuer, []).await.unwrap();
    let gone = list(&alice).await.remove(0);
    assert_eq!(gone["provider"], Value::Null);
    let done = unlink(&alice, &gone["id"], None).await.ok();
    assert_eq!((done.at("unlinkExternalIdentity.externalIdentities"), scene.links().await), (&json!([]), 0));
}

/// Each is another way in as long as the other is there.
#[tokio::test]
async fn of_two_unlinked_at_once_without_a_password_one_stays() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let backend = database.backend;
        let scene = Scene::on(database, TWO).await;
        let alice = come(&scene).await;
        also_linked(&scene, "alice@example.org", "https://other.example").await;
        let listed = list(&alice).await;
        let titles: Vec<&str> = listed.iter().map(|one| one["title"].as_str().unwrap()).collect();
        assert_eq!(titles, ["Acme", "Other"], "{backend:?}");
        let (one, two) = join(unlink(&alice, &listed[0]["id"], None), unlink(&alice, &listed[1]["id"], None)).await;
        let refused = [one, two].iter().filter(|answer| !answer.refusals("unlinkExternalIdentity").is_empty()).count();
        assert_eq!((refused, scene.links().await), (1, 1), "{backend:?}");
    }
}

#[tokio::test]
async fn an_identity_is_its_persons_alone_to_see_and_to_unlink() {
    let scene = Scene::with(TOKENS).await;
    let alice = come(&scene).await;
    let identity = list(&alice).await.remove(0)["id"].clone();
    // To another account it is none, as one that is gone is.
    let bob = scene.gateway.person("bob").await;
    assert_eq!(list(&bob).await, Vec::<Value>::new());
    let done = unlink(&bob, &identity, None).await.ok();
    assert_eq!((done.at("unlinkExternalIdentity.externalIdentities"), scene.links().await), (&json!([]), 1));
    let node = format!("{{ node(id: {identity}) {{ id }} }}");
    assert!(bob.ask(&node).await.ok().at("node").is_null());
    // A program has none and unlinks none, a stranger neither.
    let acme = scene.gateway.organization("acme", "support-hub", "growth").await;
    let scopes = vec!["members.read".to_owned()];
    let new = NewToken { name: "Program".to_owned(), scopes, expires_in_days: 1, account: None };
    let made = scene.gateway.service.create_api_token_as_operator(&acme.slug, new).await.unwrap();
    let program = scene.gateway.stranger().with_token(made.secret.as_deref().unwrap());
    let asked = run(&program, "account/external-identities", json!({})).await;
    assert!(asked.at("viewer.externalIdentities").is_null(), "{}", asked.text);
    let refused = unlink(&program, &identity, None).await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
    assert!(refused.text.contains("only a signed-in person may do this"), "{}", refused.text);
    assert_eq!(unlink(&scene.gateway.stranger(), &identity, None).await.codes(), ["UNAUTHENTICATED"]);
    // What is no id of an identity is told as such.
    assert_eq!(unlink(&alice, &json!("ses_0000000000000000000000"), None).await.codes(), ["BAD_USER_INPUT"]);
    assert_eq!(scene.links().await, 1);
}

/// What somebody is answered who waits for a row of this table while the identity goes.
#[expect(clippy::disallowed_methods, reason = "the other writer holds the moment open, past the store")]
async fn comes_too_late(scene: &Scene, table: &str) -> Answer {
    let database = &scene.gateway.database;
    let other = database.shell.begin().await.unwrap();
    other.execute_unprepared(&format!("SELECT 1 FROM {table} FOR UPDATE")).await.unwrap();
    let gone = async {
        database.until_waiting(1).await;
        other.execute_unprepared("DELETE FROM external_identity").await.unwrap();
        other.commit().await.unwrap();
    };
    join(comes(scene), gone).await.0
}

/// An identity that is unlinked while somebody comes by it opens no session: none is there that began after unlinking had returned.
#[tokio::test]
async fn an_identity_that_was_unlinked_since_it_was_found_opens_no_session() {
    let scene = Scene::on(TestDatabase::postgres().await, TRUSTED).await;
    scene.account("alice@example.org", true).await;
    come(&scene).await;
    let sessions = "SELECT count(*) FROM session";
    let before = scene.gateway.database.count(sessions).await;
    let answer = comes_too_late(&scene, "user_account").await;
    assert_eq!(answer.refusals("signInWithProvider"), ["NOT_LINKED"], "{}", answer.text);
    assert_eq!(scene.gateway.database.count(sessions).await, before);
}

/// One that is unlinked at the moment it is found is dealt with as one that comes for the first time.
#[tokio::test]
async fn an_identity_that_is_gone_when_its_use_is_noted_comes_for_the_first_time() {
    let scene = Scene::on(TestDatabase::postgres().await, TRUSTED).await;
    let account = scene.account("alice@example.org", true).await;
    come(&scene).await;
    let answer = comes_too_late(&scene, "external_identity").await;
    assert_eq!(answer.ok().at("signInWithProvider.user.id"), &account);
    assert_eq!(scene.links().await, 1);
}
