//! Signing keys: published before they sign, believed for a while after, then never (G6); on every node.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::TimeDelta;
use futures_util::future::join_all;
use gatehouse::{
    cli::open::{Opened, Urls, open},
    config::DeploymentArgs,
    jobs::follow_keys,
    service::{
        ServiceError,
        signing_key::{GRACE, KeyState, Rotation},
        token_notice::NoticeDays,
    },
};
use serde_json::Value;

use crate::support::{
    database::TestDatabase,
    gateway::{Engines, Gateway, Person},
};

const PLANNED: Rotation = Rotation::Planned { grace: GRACE };

/// A gateway, and what another node of the same deployment is opened with.
async fn deployed(engines: Engines) -> (Gateway, DeploymentArgs, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let database = match engines {
        Engines::Embedded => TestDatabase::sqlite().await,
        Engines::Postgres | Engines::PostgresAndRedis => TestDatabase::postgres().await,
    };
    let mut kept = None;
    let gateway = Gateway::configured(database, None, |args| {
        args.secret_file = folder.path().join("secret");
        kept = Some(args.clone());
    });
    (gateway.await, kept.unwrap(), folder)
}

async fn another_node(args: &DeploymentArgs, gateway: &Gateway) -> Opened {
    let urls = Urls { public: gateway.url.clone(), dashboard: "https://app.example.org".to_owned() };
    open(args, &urls).await.unwrap()
}

fn kid(token: &str) -> String {
    let header = BASE64.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

async fn published(gateway: &Gateway) -> Vec<String> {
    let url = format!("{}/.well-known/jwks.json", gateway.url);
    let set: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn status(gateway: &Gateway, token: &str) -> u16 {
    gateway.stranger().with_token(token).ask("{ viewer { id } }").await.status
}

/// Time passes: generation `generation` signs from, and those before it retire, so much sooner.
async fn pass(gateway: &Gateway, column: &str, generation: i32, from_now: TimeDelta) {
    let sql = format!("UPDATE signing_key SET {column} = $1 WHERE generation = $2");
    let at = gateway.service.now() + from_now;
    gateway.database.run(&sql, [at.into(), generation.into()]).await.unwrap();
}

async fn alice(gateway: &Gateway) -> (Person, String) {
    let alice = gateway.person("alice").await;
    let token = alice.token.clone().unwrap();
    (alice, token)
}

#[tokio::test]
async fn g6_a_key_is_published_then_signs_and_the_old_one_is_believed_for_its_grace_then_never() {
    for engines in Engines::DATABASES {
        let (gateway, _args, _folder) = deployed(engines).await;
        let (alice, before) = alice(&gateway).await;
        let first = kid(&before);
        assert_eq!(published(&gateway).await, std::slice::from_ref(&first));

        gateway.service.rotate_signing_key(PLANNED).await.unwrap();
        let both = published(&gateway).await;
        assert!(both.len() == 2 && both[0] == first, "published at once: {both:?}");
        assert_eq!(kid(&gateway.mint(&alice, None)), first, "and not signing yet");

        pass(&gateway, "signs_from", 2, TimeDelta::zero()).await;
        follow_keys(&gateway.service, None).await;
        let after = gateway.mint(&alice, None);
        assert_eq!(kid(&after), both[1], "it signs");
        assert_eq!((status(&gateway, &before).await, status(&gateway, &after).await), (200, 200), "the grace");

        // Without being told of anything, a node lets the old key go when its time comes.
        pass(&gateway, "retires_at", 1, TimeDelta::milliseconds(1500)).await;
        follow_keys(&gateway.service, None).await;
        assert_eq!(status(&gateway, &before).await, 200, "{engines:?}");
        tokio::time::sleep(std::time::Duration::from_millis(1600)).await;
        assert_eq!((status(&gateway, &before).await, status(&gateway, &after).await), (401, 200), "{engines:?}");
        assert_eq!(published(&gateway).await, [both[1].clone()]);
        let listed = gateway.service.list_signing_keys().await.unwrap();
        assert_eq!(listed.iter().map(|key| key.state).collect::<Vec<_>>(), [KeyState::Retired, KeyState::Signing]);
    }
}

#[tokio::test]
async fn g6_keys_in_the_wrong_hands_are_believed_no_more_from_the_next_request_on() {
    let (gateway, _args, _folder) = deployed(Engines::Embedded).await;
    let (alice, before) = alice(&gateway).await;
    assert_eq!(status(&gateway, &before).await, 200, "and its signature is remembered");
    gateway.service.rotate_signing_key(Rotation::AtOnce).await.unwrap();
    assert_eq!(status(&gateway, &before).await, 401);
    let after = gateway.mint(&alice, None);
    assert_ne!(kid(&before), kid(&after));
    assert_eq!(status(&gateway, &after).await, 200);
    assert_eq!(published(&gateway).await, [kid(&after)]);
}

#[tokio::test]
async fn g6_every_node_learns_of_the_next_key_before_it_signs() {
    let (gateway, args, _folder) = deployed(Engines::Postgres).await;
    let (alice, _) = alice(&gateway).await;
    let north = another_node(&args, &gateway).await;
    gateway.service.rotate_signing_key(PLANNED).await.unwrap();
    follow_keys(&north.service, None).await;
    // Both know it: whichever clock says first that its time has come, the other believes it.
    pass(&gateway, "signs_from", 2, TimeDelta::zero()).await;
    follow_keys(&gateway.service, None).await;
    let token = gateway.mint(&alice, None);
    let verified = north.service.tokens().verify(&token, north.service.now());
    assert!(verified.is_ok() || verified == Err(gatehouse::identity::AccessTokenError::Claims), "{verified:?}");
    let unknown = gatehouse::identity::AccessTokenError::UnknownKey;
    assert_ne!(verified, Err(unknown));
    north.close().await.unwrap();
}

#[tokio::test]
async fn g6_what_is_ended_at_once_is_refused_by_the_other_nodes_a_moment_later() {
    let (gateway, args, _folder) = deployed(Engines::Postgres).await;
    let (_, before) = alice(&gateway).await;
    let operator = another_node(&args, &gateway).await;
    let _upkeep = gatehouse::jobs::start(gateway.service.clone(), NoticeDays::default(), None);
    // The first round has passed: what is learnt from here on is learnt by looking again.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(status(&gateway, &before).await, 200);
    operator.service.rotate_signing_key(Rotation::AtOnce).await.unwrap();
    let looked = std::time::Instant::now();
    while status(&gateway, &before).await != 401 {
        assert!(looked.elapsed() < std::time::Duration::from_secs(10), "it is believed still");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    operator.close().await.unwrap();
}

#[tokio::test]
async fn of_nodes_that_rotate_at_once_one_makes_the_next_key() {
    for engines in Engines::DATABASES {
        let (gateway, _args, _folder) = deployed(engines).await;
        let every = TimeDelta::days(30);
        assert!(!gateway.service.rotate_signing_key_when_due(every).await.unwrap(), "the first has just begun");
        pass(&gateway, "signs_from", 1, TimeDelta::days(-30)).await;
        let rotated = join_all((0..8).map(|_| gateway.service.rotate_signing_key_when_due(every))).await;
        let won = rotated.iter().filter(|rotated| matches!(rotated, Ok(true))).count();
        let well = rotated.iter().all(|rotated| matches!(rotated, Ok(_) | Err(ServiceError::Unavailable(_))));
        assert!(won == 1 && well, "{engines:?}: {rotated:?}");
        assert_eq!(gateway.database.count("SELECT count(*) FROM signing_key").await, 2);
    }
}

#[tokio::test]
async fn the_published_keys_may_be_kept_for_a_while_and_are_not_sent_twice() {
    let (gateway, _args, _folder) = deployed(Engines::Embedded).await;
    let client = reqwest::Client::new();
    let url = format!("{}/.well-known/jwks.json", gateway.url);
    let first = client.get(&url).send().await.unwrap();
    let header = |name: &str| first.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("cache-control"), "public, max-age=300, must-revalidate");
    assert_eq!(header("content-type"), "application/jwk-set+json");
    let tag = header("etag");
    let again = client.get(&url).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(again.status().as_u16(), 304);
    gateway.service.rotate_signing_key(PLANNED).await.unwrap();
    let changed = client.get(&url).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(changed.status().as_u16(), 200);
    let text = changed.text().await.unwrap();
    assert!(!text.contains("\"d\""), "{text}");
    assert_eq!(client.post(&url).send().await.unwrap().status().as_u16(), 405);
}

#[tokio::test]
async fn g4_an_unknown_key_costs_no_statement() {
    let (gateway, _args, _folder) = deployed(Engines::Postgres).await;
    let (_, token) = alice(&gateway).await;
    status(&gateway, &token).await;
    let (_, rest) = token.split_once('.').unwrap();
    let before = gateway.statements().await;
    for name in ["A", "../../etc/passwd", "' OR 1=1 --"] {
        let header = format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{name}"}}"#);
        assert_eq!(status(&gateway, &format!("{}.{rest}", BASE64.encode(header))).await, 401);
    }
    assert_eq!(gateway.statements().await, before);
}

#[test]
fn an_operator_lists_and_rotates_keys_at_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let output = crate::cli::gatehouse(folder.path(), words);
        let told = String::from_utf8(output.stdout).unwrap();
        (output.status.success(), told, String::from_utf8(output.stderr).unwrap())
    };
    let states = |told: &str| told.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>();
    let (done, told, _) = run(&["keys", "list"]);
    assert!(done && states(&told) == ["signing"], "{told}");
    let (done, told, _) = run(&["keys", "rotate"]);
    assert!(done && states(&told) == ["signing", "next"], "{told}");
    let (done, told, _) = run(&["keys", "rotate", "--at-once"]);
    assert!(done && states(&told) == ["retired", "retired", "signing"], "{told}");
    let (done, _, told) = run(&["keys", "rotate", "--grace-minutes", "5"]);
    assert!(!done && told.contains("36"), "{told}");
}
