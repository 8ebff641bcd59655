//! Tokens of providers, forged: each is refused for its own reason, and over HTTP all in the same words (G1 to G5).

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use gatehouse::{
    clock::{Clock, SystemClock},
    provider::{
        IdTokenError, ProviderError,
        id_token::IdTokenError::{
            Algorithm as Alg, Claims, Foreign, Header, Malformed, Nonce, Signature, Time, UnknownKey,
        },
    },
};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::{LANDING, Scene, providers, refused};
use crate::support::{
    database::TestDatabase,
    oidc::{CLIENT, Key, OidcProvider},
};

/// What a provider does to the header and the claims of a token.
type Misbehaviour = fn(&mut Value, &mut Value);

/// What is changed, the token, and why it is refused.
type Forged = (&'static str, String, IdTokenError);

fn forged_claims(acme: &OidcProvider) -> Vec<Forged> {
    let (key, claims) = (acme.key(), acme.claims());
    let (now, issuer) = (claims["iat"].as_i64().unwrap(), acme.url().to_owned());
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims.to_string()
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims.to_string()
    };
    let text = claims.to_string();
    let raw =
        |name: &str, value: &str| text.replace(&format!("\"{name}\":{}", claims[name]), &format!("\"{name}\":{value}"));
    let twice = |more: &str| text.replacen('{', &format!("{{{more},"), 1);
    let cases: Vec<(&'static str, String, IdTokenError)> = vec![
        ("exp as text", with("exp", json!((now + 300).to_string())), Claims),
        ("exp as float", raw("exp", &format!("{}.5", now + 300)), Claims),
        ("exp as infinity", raw("exp", "1e400"), Claims),
        ("exp as list", with("exp", json!([now + 300])), Claims),
        ("exp null", with("exp", json!(null)), Claims),
        ("exp missing", without("exp"), Claims),
        ("exp twice", twice(&format!("\"exp\":{}", now + 300)), Claims),
        ("exp negative", with("exp", json!(-1)), Time),
        ("exp zero", with("exp", json!(0)), Time),
        ("exp too large", raw("exp", "18446744073709551616"), Claims),
        ("exp at the end of time", raw("exp", "9223372036854775807"), Claims),
        ("exp before iat", with("exp", json!(now - 1)), Time),
        (
            "expired",
            {
                let mut c = claims.clone();
                c["iat"] = json!(now - 300);
                c["exp"] = json!(now - 40);
                c.to_string()
            },
            Time,
        ),
        ("iat missing", without("iat"), Claims),
        ("iat as text", with("iat", json!(now.to_string())), Claims),
        ("iat as float", raw("iat", &format!("{now}.5")), Claims),
        ("iat in the future", with("iat", json!(now + 120)), Time),
        ("iat an hour ago", with("iat", json!(now - 3600)), Time),
        ("nbf in the future", with("nbf", json!(now + 120)), Time),
        ("nbf as text", with("nbf", json!("0")), Claims),
        ("nbf as infinity", raw("sub", "\"s-alice\",\"nbf\":1e400"), Claims),
        ("iss missing", without("iss"), Claims),
        ("iss of another", with("iss", json!("https://evil.example")), Foreign),
        ("iss with a slash", with("iss", json!(format!("{issuer}/"))), Foreign),
        ("iss in capitals", with("iss", json!(issuer.to_uppercase())), Foreign),
        ("iss as list", with("iss", json!([issuer])), Claims),
        ("aud missing", without("aud"), Claims),
        ("aud empty", with("aud", json!("")), Foreign),
        ("aud of another", with("aud", json!("billing")), Foreign),
        ("aud an empty list", with("aud", json!([])), Foreign),
        ("aud a list of others", with("aud", json!(["billing", "mail"])), Foreign),
        ("aud that begins alike", with("aud", json!("gatehouse2")), Foreign),
        ("aud as number", with("aud", json!(1)), Claims),
        ("several aud without azp", with("aud", json!([CLIENT, "billing"])), Foreign),
        ("azp of another", with("azp", json!("billing")), Foreign),
        ("azp as list", with("azp", json!([CLIENT])), Claims),
        ("sub missing", without("sub"), Claims),
        ("sub empty", with("sub", json!("")), Claims),
        ("sub as number", with("sub", json!(1)), Claims),
        ("sub too long", with("sub", json!("s".repeat(256))), Claims),
        ("sub of two lines", with("sub", json!("s\nalice")), Claims),
        ("claims as list", format!("[{text}]"), Claims),
        ("claims empty", String::new(), Claims),
        ("claims followed by more", format!("{text}{{}}"), Claims),
    ];
    let header = key.header().to_string();
    let sign = |(what, forged, why): (&'static str, String, IdTokenError)| {
        assert_ne!(forged, text, "{what} changes nothing");
        (what, key.sign(&header, &forged), why)
    };
    cases.into_iter().map(sign).collect()
}

fn forged_headers(acme: &OidcProvider) -> Vec<Forged> {
    let (key, claims) = (acme.key(), acme.claims().to_string());
    let with = |name: &str, value: Value| {
        let mut header = key.header();
        header[name] = value;
        header.to_string()
    };
    let without = |name: &str| {
        let mut header = key.header();
        header.as_object_mut().unwrap().remove(name);
        header.to_string()
    };
    let cases: Vec<Forged> = vec![
        ("alg none", with("alg", json!("none")), Alg),
        ("alg None", with("alg", json!("None")), Alg),
        ("alg empty", with("alg", json!("")), Alg),
        ("alg in lower case", with("alg", json!("eddsa")), Alg),
        ("alg HS256", with("alg", json!("HS256")), Alg),
        ("alg RS256, which is not allowed here", with("alg", json!("RS256")), Alg),
        ("alg ES256, which is not allowed here", with("alg", json!("ES256")), Alg),
        ("alg missing", without("alg"), Header),
        ("alg as list", with("alg", json!(["EdDSA"])), Header),
        ("typ of another purpose", with("typ", json!("logout+jwt")), Header),
        ("crit", with("crit", json!(["exp"])), Header),
        ("kid missing", without("kid"), Header),
        ("kid as number", with("kid", json!(1)), Header),
        ("kid with a path", with("kid", json!("../../../dev/null")), UnknownKey),
        ("kid with SQL", with("kid", json!("' OR 1=1 --")), UnknownKey),
        ("kid with a URL", with("kid", json!("https://evil.example/key")), UnknownKey),
        ("kid empty", with("kid", json!("")), UnknownKey),
        ("kid of 1 kB", with("kid", json!("k".repeat(1000))), Header),
        ("kid of 20 kB", with("kid", json!("k".repeat(20_000))), Malformed),
    ];
    let mut all: Vec<Forged> =
        cases.into_iter().map(|(what, header, why)| (what, key.sign(&header, &claims), why)).collect();
    // G5: where a token says that its key is.
    let own = Key::new(&key.name, Algorithm::EdDSA);
    for (what, name, value) in [
        ("jwk of its own", "jwk", own.public.clone()),
        ("jku of its own", "jku", json!("https://evil.example/jwks")),
        ("x5u of its own", "x5u", json!("https://evil.example/certificate")),
    ] {
        let mut header = own.header();
        header[name] = value;
        all.push((what, own.sign(&header.to_string(), &claims), Signature));
    }
    all
}

fn forged_texts(acme: &OidcProvider) -> Vec<Forged> {
    let (key, claims, token) = (acme.key(), acme.claims().to_string(), acme.token());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let public = BASE64.decode(key.public["x"].as_str().unwrap()).unwrap();
    let mac = |secret: &[u8], alg: &str| {
        let mut header = key.header();
        header["alg"] = json!(alg);
        let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(&claims));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        format!("{message}.{}", BASE64.encode(tag.as_ref()))
    };
    let mut none = key.header();
    none["alg"] = json!("none");
    let other = Key::new(&key.name, Algorithm::EdDSA);
    vec![
        ("no signature", format!("{message}."), Signature),
        ("alg none and no signature", format!("{}.{}.", BASE64.encode(none.to_string()), BASE64.encode(&claims)), Alg),
        ("another key's", other.sign(&key.header().to_string(), &claims), Signature),
        ("HS256 with the public key", mac(&public, "HS256"), Alg),
        ("HS256 with the public key as text", mac(key.public.to_string().as_bytes(), "HS256"), Alg),
        ("HS256 with no key", mac(&[], "HS256"), Alg),
        ("HMAC under the name of EdDSA", mac(&public, "EdDSA"), Signature),
        ("cut", format!("{message}.{}", &signature[..80]), Signature),
        ("no third part", message.to_owned(), Malformed),
        ("four parts", format!("{token}.{signature}"), Malformed),
        ("nothing", String::new(), Malformed),
        ("a word", "gatehouse".to_owned(), Malformed),
        ("claims of another alphabet", format!("{}.@@@.{signature}", message.split('.').next().unwrap()), Signature),
    ]
}

#[tokio::test]
async fn g1_g2_g3_g4_g5_every_forged_token_is_refused_for_its_own_reason() {
    let acme = OidcProvider::start(Algorithm::EdDSA).await;
    let providers = providers(&acme);
    let provider = providers.find("acme").unwrap();
    let judged = async |token: &str| provider.accept(token, None, SystemClock.now()).await;
    assert_eq!(judged(&acme.token()).await.unwrap().identity.subject, "s-alice", "the unchanged token is good");
    let all = [forged_claims(&acme), forged_headers(&acme), forged_texts(&acme)].concat();
    let mut wrong = Vec::new();
    for (what, token, why) in all {
        match judged(&token).await {
            Err(ProviderError::Token(found)) if found == why => {}
            other => wrong.push(format!("{what}: {other:?} instead of {why:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(acme.asked("/jwks"), 1);
}

#[tokio::test]
async fn a_token_for_several_is_good_where_it_was_given_to_us() {
    let acme = OidcProvider::start(Algorithm::EdDSA).await;
    let (providers, key) = (providers(&acme), acme.key());
    let mut claims = acme.claims();
    claims["aud"] = json!(["billing", CLIENT]);
    claims["azp"] = json!(CLIENT);
    claims["nbf"] = json!(claims["iat"]);
    let token = key.sign(&key.header().to_string(), &claims.to_string());
    assert!(providers.find("acme").unwrap().accept(&token, None, SystemClock.now()).await.is_ok());
    let nonce = providers.find("acme").unwrap().accept(&token, Some("expected"), SystemClock.now()).await;
    assert!(matches!(nonce, Err(ProviderError::Token(Nonce))), "{nonce:?}");
}

/// G3: a key set that offers a shared secret, or a key for something else, offers nothing.
#[tokio::test]
async fn g3_only_public_keys_for_signatures_verify() {
    let acme = OidcProvider::start(Algorithm::EdDSA).await;
    let key = acme.key();
    let secret = b"a secret that was published by mistake";
    let shared = json!({ "kty": "oct", "kid": "shared", "alg": "HS256", "k": BASE64.encode(secret) });
    let mut encryption = key.public.clone();
    encryption["use"] = json!("enc");
    let mut mislabelled = key.public.clone();
    mislabelled["alg"] = json!("RS256");
    let mut nameless = key.public.clone();
    nameless.as_object_mut().unwrap().remove("kid");
    let strange = json!({ "kty": "PQC", "kid": "strange" });
    for published in [vec![shared], vec![encryption], vec![mislabelled], vec![nameless], vec![strange], vec![]] {
        acme.publishes(published.clone());
        let found = providers(&acme).find("acme").unwrap().accept(&acme.token(), None, SystemClock.now()).await;
        assert!(matches!(found, Err(ProviderError::Token(UnknownKey))), "{published:?}: {found:?}");
    }
    // What is strange does not spoil what is not.
    acme.publishes(vec![json!({ "kty": "PQC", "kid": "strange" }), key.public]);
    assert!(providers(&acme).find("acme").unwrap().accept(&acme.token(), None, SystemClock.now()).await.is_ok());
}

#[tokio::test]
async fn each_kind_of_key_signs_people_in() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let acme = OidcProvider::start(algorithm).await;
        let scene = Scene::of(acme, TestDatabase::sqlite().await, "").await;
        assert_eq!(scene.browser().sign_in().await, LANDING, "{algorithm:?}");
    }
}

/// The same in the course of a sign-in, where the token comes from the provider itself.
#[tokio::test]
async fn g2_a_provider_that_misbehaves_signs_nobody_in() {
    let scene = Scene::with("").await;
    let changes: Vec<(&str, Misbehaviour)> = vec![
        ("iss", |_, claims| claims["iss"] = json!("https://evil.example")),
        ("aud", |_, claims| claims["aud"] = json!("billing")),
        ("azp", |_, claims| claims["azp"] = json!("billing")),
        ("exp", |_, claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap() - 1)),
        ("old", |_, claims| claims["iat"] = json!(claims["iat"].as_i64().unwrap() - 3600)),
        ("nonce of another sign-in", |_, claims| claims["nonce"] = json!("another")),
        ("no nonce", |_, claims| drop(claims.as_object_mut().unwrap().remove("nonce"))),
        ("alg none", |header, _| header["alg"] = json!("none")),
        ("alg HS256", |header, _| header["alg"] = json!("HS256")),
        ("kid", |header, _| header["kid"] = json!("unknown")),
        ("crit", |header, _| header["crit"] = json!(["x"])),
    ];
    for (what, change) in changes {
        scene.acme.will_change(change);
        assert_eq!(scene.browser().sign_in().await, refused("PROVIDER_REFUSED"), "{what}");
    }
    assert_eq!((scene.users().await, scene.links().await), (0, 0));
    scene.acme.behaves();
    assert_eq!(scene.browser().sign_in().await, LANDING);
}

#[tokio::test]
async fn a_token_that_a_client_got_itself_counts_once_and_only_where_that_is_allowed() {
    let scene = Scene::with("accept_tokens = true").await;
    let token = scene.acme.token();
    let answer = scene.present(&token).await.ok();
    assert_eq!(answer.at("signInWithProvider.user.email"), "alice@example.org");
    let again = scene.present(&token).await;
    assert_eq!(again.refusals("signInWithProvider"), ["SIGN_IN_EXPIRED"], "{}", again.text);
    let forged = forged_texts(&scene.acme).into_iter().map(|(_, token, _)| token);
    for token in forged {
        let answer = scene.present(&token).await;
        assert_eq!(answer.refusals("signInWithProvider"), ["PROVIDER_REFUSED"], "{token}: {}", answer.text);
    }
    // A provider's token is no credential of ours: it signs in, and is asked nothing else.
    let asked = scene.gateway.stranger().with_token(&scene.acme.token()).ask("{ viewer { id } }").await;
    assert_eq!((asked.status, asked.codes()), (401, vec!["UNAUTHENTICATED"]));

    let careful = Scene::with("").await;
    let answer = careful.present(&careful.acme.token()).await;
    assert_eq!(answer.codes(), ["NOT_FOUND"], "{}", answer.text);
    assert_eq!(careful.users().await, 0);
}

/// D8, D16: a token for another client counts where the operator named it, in an exchange alone.
#[tokio::test]
async fn d8_a_token_for_another_client_counts_only_where_it_is_named() {
    let scene = Scene::with("accept_tokens = true\naudiences = [\"mobile\"]").await;
    let token = |audience: &str, nonce: &str| {
        let (key, mut claims) = (scene.acme.key(), scene.acme.claims());
        claims["aud"] = json!(audience);
        claims["nonce"] = json!(nonce);
        key.sign(&key.header().to_string(), &claims.to_string())
    };
    for other in ["billing", "Mobile", "mobile ", "*"] {
        let answer = scene.present(&token(other, "n")).await;
        assert_eq!(answer.refusals("signInWithProvider"), ["PROVIDER_REFUSED"], "{other}");
    }
    scene.present(&token("mobile", "n-1")).await.ok();
    let with_nonce = async |nonce: &str, token: &str| {
        let input = json!({ "provider": "acme", "token": token, "nonce": nonce });
        scene.gateway.stranger().call("signInWithProvider", input, "accessToken").await
    };
    assert_eq!(with_nonce("n-3", &token("mobile", "n-2")).await.refusals("signInWithProvider"), ["PROVIDER_REFUSED"]);
    with_nonce("n-2", &token("mobile", "n-2")).await.ok();
    // Where a browser is sent, the token is for us alone.
    scene.acme.will_change(|_, claims| claims["aud"] = json!("mobile"));
    assert_eq!(scene.browser().sign_in().await, refused("PROVIDER_REFUSED"));
}
