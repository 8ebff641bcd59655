//! The way of a browser to a provider and back: D11, D12, H6, and what it must not be talked into.

use futures_util::future::join_all;
use serde_json::json;

use super::{Browser, LANDING, Scene, refused};
use crate::support::{
    database::TestDatabase,
    oidc::{Trouble, person},
};

#[tokio::test]
async fn a_browser_signs_in_by_a_provider_and_keeps_nothing_but_its_session() {
    let scene = Scene::with("").await;
    let mut browser = scene.browser();
    let left = browser.go(&format!("{}/sign-in/acme", scene.gateway.url)).await;
    let there = url::Url::parse(&left.location).unwrap();
    assert!(left.location.starts_with(&format!("{}/authorize?", scene.acme.url())), "{}", left.location);
    let asked: std::collections::HashMap<_, _> = there.query_pairs().into_owned().collect();
    assert_eq!(asked["redirect_uri"], format!("{}/sign-in/acme/callback", scene.gateway.url));
    assert_eq!((asked["scope"].as_str(), asked["code_challenge_method"].as_str()), ("openid email profile", "S256"));
    let [cookie] = left.set.as_slice() else { panic!("{:?}", left.set) };
    assert!(
        cookie.starts_with("gatehouse-sign-in=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=600")
    );
    for secret in [&asked["state"], &asked["nonce"]] {
        assert!(secret.len() == 43 && !cookie.contains(secret.as_str()), "sealed, and random");
    }
    assert_eq!(browser.sign_in().await, LANDING);
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["gatehouse"]);
    assert_eq!(browser.who().await["user"]["email"], "alice@example.org");
}

/// Somebody who makes a browser follow a link finishes no sign-in of theirs in it.
#[tokio::test]
async fn who_did_not_leave_here_does_not_come_back() {
    let scene = Scene::with("").await;
    // Mallory leaves, and has alice's browser come back in her place.
    scene.acme.has(person("s-mallory", "mallory@example.org"));
    let mallorys = scene.browser().leave().await;
    let mut alice = scene.browser();
    assert_eq!(alice.go(&mallorys).await.location, refused("SIGN_IN_EXPIRED"), "no cookie");
    alice.leave().await;
    assert_eq!(alice.go(&mallorys).await.location, refused("SIGN_IN_EXPIRED"), "another state");
    assert!(alice.cookies.is_empty() && scene.users().await == 0);

    // Without a state, with two, with one that is made up.
    for change in [
        (|back: &str| back.replace("state=", "estate=")) as fn(&str) -> String,
        |back| format!("{back}&state=again"),
        |back| back.replace("state=", "state=x"),
    ] {
        let back = alice.leave().await;
        assert_eq!(alice.go(&change(&back)).await.location, refused("SIGN_IN_EXPIRED"));
    }
    // The answer of another issuer (RFC 9207), no code, a refusal.
    for (change, code) in [
        ((|back: &str| back.replace("iss=http", "iss=https")) as fn(&str) -> String, "PROVIDER_REFUSED"),
        (|back| back.replace("code=", "decode="), "PROVIDER_REFUSED"),
        (|back| back.replace("code=", "error=access_denied&x="), "PROVIDER_REFUSED"),
        (|back| back.replace("code=", "code=0"), "PROVIDER_REFUSED"),
    ] {
        let back = alice.leave().await;
        assert_eq!(alice.go(&change(&back)).await.location, refused(code));
    }
    assert_eq!(scene.users().await, 0);
}

#[tokio::test]
async fn coming_back_counts_once() {
    let scene = Scene::with("").await;
    scene.acme.takes_codes_again();
    let mut browser = scene.browser();
    let back = browser.leave().await;
    let taken_along = browser.cookies.clone();
    assert_eq!(browser.go(&back).await.location, LANDING);
    let spent = "SELECT count(*) FROM spent_sign_in";
    assert_eq!(scene.gateway.database.count(spent).await, 1);
    // Even a provider that takes a code twice brings nobody back twice.
    let mut copy = Browser { cookies: taken_along, ..scene.browser() };
    assert_eq!(copy.go(&back).await.location, refused("SIGN_IN_EXPIRED"));
    assert!(!copy.cookies.contains_key("gatehouse"));
    assert_eq!(scene.gateway.database.count("SELECT count(*) FROM session").await, 1);
}

/// D11: what is good for one thing is good for no other.
#[tokio::test]
async fn d11_a_sign_ins_state_and_cookie_are_good_for_nothing_else() {
    let scene = Scene::with("accept_tokens = true").await;
    let mut browser = scene.browser();
    let back = browser.leave().await;
    let pairs: std::collections::HashMap<_, _> = url::Url::parse(&back).unwrap().query_pairs().into_owned().collect();
    let sealed = browser.cookies["gatehouse-sign-in"].clone();
    let token = scene.acme.token();
    for text in [&pairs["state"], &pairs["code"], &sealed, &format!("grt_{}", pairs["state"]), &token] {
        let refreshed =
            scene.gateway.stranger().call("refreshSession", json!({ "refreshToken": text }), "accessToken").await;
        assert_eq!(refreshed.codes(), ["UNAUTHENTICATED"], "{text}");
        let invitation = json!({ "proof": { "token": text } });
        let declined = scene.gateway.stranger().call("declineInvitation", invitation, "declined").await;
        assert_eq!(declined.at("declineInvitation.declined"), &json!(null), "{text}");
        let asked = scene.gateway.stranger().with_token(text).ask("{ viewer { id } }").await;
        assert_eq!((asked.status, asked.codes()), (401, vec!["UNAUTHENTICATED"]), "{text}");
    }
    // Nor is another's cookie, or the session's, good for coming back.
    for other in
        [sealed.replace('A', "B"), "grt_AAAA".to_owned(), pairs["state"].clone(), String::new(), "x".repeat(5000)]
    {
        let cookies = [("gatehouse-sign-in".to_owned(), other.clone())].into();
        let mut forged = Browser { cookies, ..scene.browser() };
        if other != sealed {
            assert_eq!(forged.go(&back).await.location, refused("SIGN_IN_EXPIRED"), "{other}");
        }
    }
    assert_eq!(browser.go(&back).await.location, LANDING, "what was tried did not use it up");
}

/// D12: nothing that a request says is sealed, or sent to the provider.
#[tokio::test]
async fn d12_no_state_of_the_callers_is_taken_along() {
    let scene = Scene::with("").await;
    let mut browser = scene.browser();
    let chosen = "state=chosen&nonce=chosen&redirect_uri=https://evil.example&landing=https://evil.example&scope=admin";
    let left = browser.go(&format!("{}/sign-in/acme?{chosen}", scene.gateway.url)).await;
    assert!(!left.location.contains("chosen") && !left.location.contains("evil"), "{}", left.location);
    assert!(!left.location.contains("admin"), "{}", left.location);
    let second = scene.browser().go(&format!("{}/sign-in/acme?{chosen}", scene.gateway.url)).await;
    assert_ne!(left.location, second.location, "new each time");
}

/// H6: where a browser lands stands in the configuration.
#[tokio::test]
async fn h6_no_request_says_where_a_browser_lands() {
    let scene = Scene::with("landing = \"https://app.example.org/signed-in?from=acme\"").await;
    let landings = [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "https://app.example.org@evil.example",
        "javascript:alert(1)",
    ];
    for evil in landings {
        let evil: String = form_urlencoded::byte_serialize(evil.as_bytes()).collect();
        let more = format!("&landing={evil}&redirect={evil}&redirect_uri={evil}&next={evil}&returnTo={evil}");
        let mut browser = scene.browser();
        let back = browser.leave().await;
        let landed = browser.go(&format!("{back}{more}")).await;
        assert_eq!(landed.location, "https://app.example.org/signed-in?from=acme");
        let refused = scene.browser().go(&format!("{back}{more}")).await;
        assert_eq!(refused.location, "https://app.example.org/signed-in?from=acme&signInError=SIGN_IN_EXPIRED");
    }
}

#[tokio::test]
async fn an_unknown_provider_and_one_that_is_away_are_told_clearly_and_others_are_unaffected() {
    let scene = Scene::with("").await;
    for path in ["/sign-in/nobody", "/sign-in/nobody/callback?code=x&state=y", "/sign-in/..%2facme"] {
        let went = scene.browser().go(&format!("{}{path}", scene.gateway.url)).await;
        assert_eq!((went.status, went.location.as_str()), (404, ""), "{path}");
    }
    scene.acme.has_trouble("/.well-known/openid-configuration", Trouble::Status(503));
    let went = scene.browser().go(&format!("{}/sign-in/acme", scene.gateway.url)).await;
    assert_eq!((went.status, went.location), (303, refused("PROVIDER_UNAVAILABLE")));
    scene.account("bob@example.org", false).await;
    let bob = json!({ "email": "bob@example.org", "password": "correct horse battery" });
    scene.gateway.stranger().call("signIn", bob, "accessToken").await.ok();
    let shown = scene.gateway.stranger().ask("{ signInProviders { key title path } }").await.ok();
    assert_eq!(shown.at("signInProviders"), &json!([{ "key": "acme", "title": "Acme", "path": "/sign-in/acme" }]));
}

/// Of comings at once, with a provider that takes a code as often as it comes, one counts.
#[tokio::test]
async fn of_several_comings_at_once_one_counts() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let backend = database.backend;
        let scene = Scene::on(database, "").await;
        scene.acme.takes_codes_again();
        let mut first = scene.browser();
        let back = first.leave().await;
        let comings = (0..8).map(|_| {
            let mut copy = Browser { cookies: first.cookies.clone(), ..scene.browser() };
            let back = back.clone();
            async move { copy.go(&back).await.location }
        });
        let landed = join_all(comings).await;
        assert_eq!(landed.iter().filter(|location| *location == LANDING).count(), 1, "{backend:?}: {landed:?}");
        assert_eq!(scene.gateway.database.count("SELECT count(*) FROM session").await, 1, "{backend:?}");
        assert_eq!((scene.users().await, scene.links().await), (1, 1), "{backend:?}");
    }
}

#[tokio::test]
async fn a_client_shows_its_secret_in_the_way_that_the_provider_wants() {
    let scene = Scene::with("client_authentication = \"post\"").await;
    assert_eq!(scene.browser().sign_in().await, LANDING);
    let secret = scene.folder.path().join("secret");
    std::fs::write(&secret, "another").unwrap();
    let mut wrong = scene;
    wrong.gateway.restart().await;
    assert_eq!(wrong.browser().sign_in().await, refused("PROVIDER_REFUSED"));
}
