//! What is asked of a provider, how often, and what of its answers is believed: G4, G6, H5.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use gatehouse::{
    clock::{Clock, SystemClock},
    provider::ProviderError,
};
use jsonwebtoken::Algorithm;
use serde_json::json;
use tokio::net::TcpListener;

use super::{LANDING, Scene, providers, refused};
use crate::support::oidc::{Key, OidcProvider, Trouble};

/// Something in the operator's network that nobody outside may have asked.
struct Inside {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Inside {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { url, connections }
    }

    fn was_asked(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// H5: a provider's answers lead into nobody's own network.
#[tokio::test]
async fn h5_no_endpoint_leads_into_the_operators_network() {
    let inside = Inside::start().await;
    for field in ["jwks_uri", "token_endpoint", "authorization_endpoint"] {
        let secure = inside.url.replace("http://", "https://");
        let named = inside.url.replace("127.0.0.1", "localhost");
        // A redirect of a browser may be to any name that is reached safely.
        for to in [
            inside.url.as_str(),
            &secure,
            &named,
            "http://169.254.169.254/latest",
            "https://169.254.169.254/latest",
            "https://[::ffff:127.0.0.1]/",
            "https://[::1]/",
            "https://10.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "file:///etc/passwd",
            "gopher://127.0.0.1/",
            "https://user@example.com/",
            "/jwks",
        ] {
            let acme = OidcProvider::start(Algorithm::EdDSA).await;
            acme.says(field, json!(to));
            let found = providers(&acme).find("acme").unwrap().metadata(SystemClock.now()).await;
            assert!(matches!(found, Err(ProviderError::Unavailable(_))), "{field} {to}: {found:?}");
        }
    }
    // A name is judged by where it leads when the connection is made.
    let scene = Scene::with("").await;
    scene.acme.says("token_endpoint", json!(inside.url.replace("http://127.0.0.1", "https://localhost")));
    let mut browser = scene.browser();
    let back = browser.leave().await;
    assert_eq!(browser.go(&back).await.location, refused("PROVIDER_UNAVAILABLE"));
    assert_eq!(inside.was_asked(), 0);
}

/// H5: redirects are not followed, large and slow answers not waited for.
#[tokio::test]
async fn h5_redirects_floods_and_pages_are_no_answers() {
    let inside = Inside::start().await;
    let metadata = "/.well-known/openid-configuration";
    for path in [metadata, "/jwks", "/token"] {
        for trouble in [
            Trouble::Redirect(inside.url.clone()),
            Trouble::Redirect("/token".to_owned()),
            Trouble::Huge,
            Trouble::Page,
            Trouble::Status(500),
        ] {
            let scene = Scene::with("").await;
            scene.acme.has_trouble(path, trouble.clone());
            let mut browser = scene.browser();
            let landed = if path == metadata {
                browser.go(&format!("{}/sign-in/acme", scene.gateway.url)).await.location
            } else {
                browser.sign_in().await
            };
            assert_eq!(landed, refused("PROVIDER_UNAVAILABLE"), "{path} {trouble:?}");
            assert_eq!((scene.users().await, inside.was_asked()), (0, 0), "{path} {trouble:?}");
        }
    }
    let scene = Scene::with("").await;
    scene.acme.has_trouble(metadata, Trouble::Slow);
    let (mut browser, url) = (scene.browser(), format!("{}/sign-in/acme", scene.gateway.url));
    let went = tokio::time::timeout(Duration::from_secs(20), browser.go(&url)).await;
    let went = went.expect("it is not waited for without end");
    assert_eq!(went.location, refused("PROVIDER_UNAVAILABLE"));
}

#[tokio::test]
async fn metadata_of_another_issuer_is_not_believed() {
    for issuer in ["https://evil.example", "", "SAME/", "http://localhost"] {
        let scene = Scene::with("").await;
        scene.acme.says("issuer", json!(issuer.replace("SAME", scene.acme.url())));
        let went = scene.browser().go(&format!("{}/sign-in/acme", scene.gateway.url)).await;
        assert_eq!(went.location, refused("PROVIDER_UNAVAILABLE"), "{issuer}");
    }
}

/// G4: however many tokens name a key that is not known, the keys are read once in an interval.
#[tokio::test]
async fn g4_a_storm_of_unknown_keys_reads_the_keys_once() {
    let scene = Scene::with("accept_tokens = true").await;
    assert!(scene.present(&scene.acme.token()).await.ok().at("signInWithProvider.accessToken").is_string());
    assert_eq!(scene.acme.asked("/jwks"), 1);
    let stranger = Key::new("stranger", Algorithm::EdDSA);
    let forged = |number: usize| {
        let mut header = stranger.header();
        header["kid"] = json!(format!("unknown-{number}"));
        stranger.sign(&header.to_string(), &scene.acme.claims().to_string())
    };
    let answers = join_all((0..40).map(|number| {
        let (scene, token) = (&scene, forged(number));
        async move { scene.present(&token).await }
    }));
    for answer in answers.await {
        assert_eq!(answer.refusals("signInWithProvider"), ["PROVIDER_REFUSED"], "{}", answer.text);
    }
    assert_eq!(scene.acme.asked("/jwks"), 1, "within the interval");
    assert_eq!(scene.acme.asked("/.well-known/openid-configuration"), 1);
}

/// G6: a new key is found when it is first used; one that is no longer published goes.
#[tokio::test]
async fn g6_a_provider_that_changes_its_keys_is_followed() {
    let scene = Scene::with("key_refresh_seconds = 1").await;
    assert_eq!(scene.browser().sign_in().await, LANDING);
    let (first, second) = (scene.acme.key(), Key::new("second", Algorithm::EdDSA));
    scene.acme.publishes(vec![second.public.clone()]);
    scene.acme.signs_with(second);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(scene.browser().sign_in().await, LANDING);
    assert_eq!(scene.acme.asked("/jwks"), 2);
    scene.acme.signs_with(first);
    assert_eq!(scene.browser().sign_in().await, refused("PROVIDER_REFUSED"), "what is no longer published");
}

#[tokio::test]
async fn an_outage_is_told_to_all_who_come_and_over_when_it_is_over() {
    let scene = Scene::with("accept_tokens = true").await;
    scene.acme.has_trouble("/jwks", Trouble::Status(503));
    let token = scene.acme.token();
    let first = scene.present(&token).await;
    assert_eq!(first.refusals("signInWithProvider"), ["PROVIDER_UNAVAILABLE"], "{}", first.text);
    let second = scene.present(&token).await;
    assert_eq!(second.refusals("signInWithProvider"), ["PROVIDER_UNAVAILABLE"]);
    assert_eq!(scene.acme.asked("/jwks"), 1, "a provider that is down is left alone");
}
