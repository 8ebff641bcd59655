//! Forged access tokens are refused: by the verifier, each for its own reason, and over HTTP, all in the same words (abuse cases G1
//! to G5, G7, G16).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::TimeDelta;
use gatehouse::identity::{AccessTokenError, RootSecret};
use serde_json::json;

use super::{SECRET, forge::Forge, noon, tokens_of};
use crate::support::{
    database::TestDatabase,
    gateway::{Gateway, Person},
};

fn forge() -> Forge {
    Forge::new(SECRET, &tokens_of(SECRET), "https://gate.example", noon())
}

fn verify(token: &str) -> Result<(), AccessTokenError> {
    tokens_of(SECRET).verify(token, noon()).map(|_| ())
}

#[test]
fn the_unchanged_token_is_good() {
    assert_eq!(verify(&forge().good()), Ok(()));
}

#[test]
fn each_forged_token_is_refused_for_what_was_changed() {
    for forged in forge().all() {
        assert_eq!(verify(&forged.text), Err(forged.why), "{}", forged.what);
    }
    let forge = forge();
    let named = forge.header().replace(&forge.kid, &"k".repeat(10_000_000));
    assert_eq!(verify(&forge.sign(&named, &forge.claims())), Err(AccessTokenError::Malformed), "a kid of 10 MB");
}

/// What a request was answered: the status, `WWW-Authenticate`, and the body without the request's id.
async fn answered(gateway: &Gateway, authorization: &[&str]) -> (u16, String, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mutation = "mutation { createTeam(input: { name: \"Forged\", slug: \"forged\" }) { team { id } } }";
    let mut request = client.post(format!("{}/graphql", gateway.url)).json(&json!({ "query": mutation }));
    for value in authorization {
        request = request.header("authorization", *value);
    }
    let response = request.send().await.unwrap();
    let told = response.headers().get("www-authenticate").map_or("", |value| value.to_str().unwrap()).to_owned();
    (response.status().as_u16(), told, response.text().await.unwrap())
}

/// Everything that a request could have changed, counted.
async fn state(gateway: &Gateway) -> i64 {
    let sql = "SELECT CAST((SELECT coalesce(sum(ver), 0) FROM grant_stamp) + (SELECT count(*) FROM team)
               + (SELECT count(*) FROM activity_entry) + (SELECT count(*) FROM refresh_token) AS bigint)";
    gateway.database.count(sql).await
}

/// A gateway of a known secret, somebody who may make teams there, and whoever forges that person's tokens.
async fn forging() -> (Gateway, Person, Forge, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known");
    // A file that the gateway makes itself, so that its mode is right.
    RootSecret::from_file(&path, &mut rand::rng()).unwrap();
    let secret = std::fs::read_to_string(&path).unwrap();
    let database = TestDatabase::sqlite().await;
    let gateway = Gateway::configured(database, None, |args| args.secret_file = path).await;
    let acme = gateway.organization("acme", "code-hosting", "free").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let claims = BASE64.decode(alice.token.as_ref().unwrap().split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    let issuer = claims["iss"].as_str().unwrap();
    let mut forge = Forge::new(secret.trim(), gateway.service.tokens(), issuer, gateway.service.now());
    forge.user = alice.user;
    forge.session = alice.session;
    forge.organization = acme.id;
    forge.member = alice.member.unwrap();
    (gateway, alice, forge, folder)
}

#[tokio::test]
async fn g1_g2_g3_g4_g5_every_forged_token_is_answered_alike_and_changes_nothing() {
    let (gateway, _, forge, _folder) = forging().await;
    let bearer = |token: &str| format!("Bearer {token}");
    let (status, _, text) = answered(&gateway, &[&bearer(&forge.good())]).await;
    assert!(status == 200 && text.contains("tem_"), "the unchanged one is good: {text}");
    let before = state(&gateway).await;
    let all = forge.all();
    assert!(all.len() >= 100, "{}", all.len());
    let expected = answered(&gateway, &["Bearer nonsense"]).await;
    assert_eq!((expected.0, expected.1.as_str()), (401, "Bearer error=\"invalid_token\""));
    for forged in all {
        // What cannot stand in a header never arrives.
        if forged.text.is_empty() || forged.text.contains(' ') {
            continue;
        }
        assert_eq!(answered(&gateway, &[&bearer(&forged.text)]).await, expected, "{}", forged.what);
    }
    let good = bearer(&forge.good());
    assert_eq!(answered(&gateway, &[&good, &good]).await, expected, "two headers");
    assert_eq!(answered(&gateway, &[&good, "Bearer nonsense"]).await, expected, "two headers");
    assert_eq!(answered(&gateway, &[&format!("{good}, {good}")]).await, expected, "two in one");
    assert_eq!(answered(&gateway, &["Basic YWxpY2U6cGFzc3dvcmQ="]).await, expected, "another scheme");
    assert_eq!(state(&gateway).await, before, "nothing was changed");
}

#[tokio::test]
async fn g16_a_node_whose_clock_is_five_minutes_off_is_not_believed_and_breaks_nothing() {
    let (gateway, alice, forge, _folder) = forging().await;
    for minutes in [-6, 5] {
        let shifted = Forge { now: forge.now + TimeDelta::minutes(minutes), ..forge.clone() };
        let (status, _, _) = answered(&gateway, &[&format!("Bearer {}", shifted.good())]).await;
        assert_eq!(status, 401, "{minutes} minutes");
    }
    alice.ask("{ viewer { id } }").await.ok();
}

/// G7: how long a private RSA key computes tells nothing, for there is none. That is what is linked and what the keys are, and no line
/// that could be switched off (`tests/it/catalogue.rs` says so too).
#[test]
fn g7_no_rsa_is_linked_and_only_eddsa_is_published() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    assert!(!lock.contains("name = \"rsa\"\n"));
    let published = tokens_of(SECRET).keys().jwks(noon());
    let keys = published["keys"].as_array().unwrap();
    assert!(keys.iter().all(|key| key["alg"] == "EdDSA" && key["crv"] == "Ed25519" && key.get("d").is_none()));
}
