//! Forged access tokens. All but the ones about signatures are signed with the true key, so that it is the one thing each is
//! about that refuses it (abuse cases G1 to G5).

use aws_lc_rs::{hmac, signature::Ed25519KeyPair};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use gatehouse::identity::AccessTokenError::{Claims, Expired, Header, Malformed, NotYet, Signature, UnknownKey};
use gatehouse::identity::{AccessTokenError, RootSecret};

use super::{SECRET, noon, tokens_of};

/// The header and the claims of a good token, as text, so that each test can change them as it likes.
fn good() -> (String, String) {
    let (kid, now) = (tokens_of(SECRET).keys().signing_id().to_owned(), noon().timestamp());
    let id = |number: u128| uuid::Uuid::from_u128(number);
    let header = format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{kid}"}}"#);
    let claims = format!(
        r#"{{"iss":"https://gate.example","aud":"gatehouse","sub":"{}","sid":"{}","org":"{}","mid":"{}","iat":{now},"exp":{},"jti":"{}"}}"#,
        id(2),
        id(1),
        id(3),
        id(4),
        now + 300,
        id(9)
    );
    (header, claims)
}

fn sign(header: &str, claims: &str) -> String {
    let seed = RootSecret::from_text(SECRET).unwrap().derive("access-token-signing");
    let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
    let signature = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).unwrap().sign(message.as_bytes());
    format!("{message}.{}", BASE64.encode(signature.as_ref()))
}

fn verify(token: &str) -> Result<(), AccessTokenError> {
    tokens_of(SECRET).verify(token, noon()).map(|_| ())
}

#[test]
fn the_unchanged_token_is_good() {
    let (header, claims) = good();
    assert_eq!(verify(&sign(&header, &claims)), Ok(()));
}

#[test]
fn forged_claims_are_refused() {
    let (header, claims) = good();
    let now = noon().timestamp();
    let (iat, exp) = (format!(r#""iat":{now}"#), format!(r#""exp":{}"#, now + 300));
    let with_exp = |value: &str| claims.replace(&exp, &format!(r#""exp":{value}"#));
    let with_iat = |value: &str| claims.replace(&iat, &format!(r#""iat":{value}"#));
    let with = |more: &str| claims.replace('{', &format!("{{{more},"));
    let id = |number: u128| uuid::Uuid::from_u128(number).to_string();
    let without = |claim: &str| claims.replace(&format!("{claim},"), "");
    let cases: Vec<(&str, String, AccessTokenError)> = vec![
        ("exp as text", with_exp(&format!("\"{}\"", now + 300)), Claims),
        ("exp as float", with_exp(&format!("{}.0", now + 300)), Claims),
        ("exp as exponent", with_exp("1e3"), Claims),
        ("exp as infinity", with_exp("1e400"), Claims),
        ("exp negative", with_exp("-1"), Claims),
        ("exp zero", with_exp("0"), Claims),
        ("exp null", with_exp("null"), Claims),
        ("exp true", with_exp("true"), Claims),
        ("exp as list", with_exp("[1]"), Claims),
        ("exp as object", with_exp("{}"), Claims),
        ("exp too large for 64 bits", with_exp("18446744073709551616"), Claims),
        ("exp at the end of time", with_exp("9223372036854775807"), Claims),
        ("exp in a year", with_exp(&(now + 31_536_000).to_string()), Claims),
        ("exp before iat", with_exp(&(now - 1).to_string()), Claims),
        ("exp missing", claims.replace(&format!("{exp},"), ""), Claims),
        ("exp twice", with(&exp), Claims),
        (
            "expired",
            claims.replace(&exp, &format!(r#""exp":{}"#, now - 5)).replace(&iat, &format!(r#""iat":{}"#, now - 305)),
            Expired,
        ),
        ("iat as text", with_iat(&format!("\"{now}\"")), Claims),
        ("iat as float", with_iat(&format!("{now}.5")), Claims),
        ("iat negative", with_iat("-300"), Claims),
        ("iat missing", claims.replace(&format!("{iat},"), ""), Claims),
        ("iat in the future", with_iat(&(now + 6).to_string()), NotYet),
        (
            "iat and exp in the future",
            claims
                .replace(&iat, &format!(r#""iat":{}"#, now + 3600))
                .replace(&exp, &format!(r#""exp":{}"#, now + 3900)),
            NotYet,
        ),
        ("nbf in the future", with(&format!(r#""nbf":{}"#, now + 60)), NotYet),
        ("nbf after exp", with(&format!(r#""nbf":{}"#, now + 301)), Claims),
        ("nbf as text", with(r#""nbf":"0""#), Claims),
        ("nbf as infinity", with(r#""nbf":1e400"#), Claims),
        ("iss missing", without(r#""iss":"https://gate.example""#), Claims),
        ("iss of another", claims.replace("gate.example", "evil.example"), Claims),
        ("iss as list", claims.replace(r#""https://gate.example""#, r#"["https://gate.example"]"#), Claims),
        ("iss with a slash", claims.replace("gate.example", "gate.example/"), Claims),
        ("aud missing", without(r#""aud":"gatehouse""#), Claims),
        ("aud empty", claims.replace(r#""gatehouse""#, r#""""#), Claims),
        ("aud of another", claims.replace(r#""gatehouse""#, r#""billing""#), Claims),
        ("aud as list", claims.replace(r#""gatehouse""#, r#"["gatehouse","billing"]"#), Claims),
        ("sub missing", without(&format!(r#""sub":"{}""#, id(2))), Claims),
        ("sub no id", claims.replace(&id(2), "admin"), Claims),
        ("sub as number", claims.replace(&format!("\"{}\"", id(2)), "2"), Claims),
        ("sid missing", without(&format!(r#""sid":"{}""#, id(1))), Claims),
        ("jti missing", claims.replace(&format!(r#","jti":"{}""#, id(9)), ""), Claims),
        ("org no id", claims.replace(&id(3), "*"), Claims),
        ("member without organization", without(&format!(r#""org":"{}""#, id(3))), Claims),
        ("a role on top", with(r#""role":"owner""#), Claims),
        ("claims as list", format!("[{claims}]"), Claims),
        ("claims empty", String::new(), Claims),
        ("claims not JSON", "owner".to_owned(), Claims),
        ("claims followed by more", format!("{claims}{{}}"), Claims),
    ];
    for (what, forged, expected) in cases {
        assert_ne!(forged, claims, "{what} changes nothing");
        assert_eq!(verify(&sign(&header, &forged)), Err(expected), "{what}");
    }
}

#[test]
fn forged_headers_are_refused() {
    let (header, claims) = good();
    let kid = tokens_of(SECRET).keys().signing_id().to_owned();
    let with = |more: &str| header.replace('{', &format!("{{{more},"));
    let alg = |alg: &str| header.replace("EdDSA", alg);
    let named = |name: &str| header.replace(&kid, name);
    let cases = [
        ("alg none", alg("none"), Header),
        ("alg None", alg("None"), Header),
        ("alg NONE", alg("NONE"), Header),
        ("alg empty", alg(""), Header),
        ("alg HS256", alg("HS256"), Header),
        ("alg RS256", alg("RS256"), Header),
        ("alg ES256", alg("ES256"), Header),
        ("alg in lower case", alg("eddsa"), Header),
        ("alg missing", header.replace(r#""alg":"EdDSA","#, ""), Header),
        ("alg twice", with(r#""alg":"none""#), Header),
        ("typ of another purpose", header.replace("at+jwt", "JWT"), Header),
        ("typ missing", header.replace(r#""typ":"at+jwt","#, ""), Header),
        ("kid missing", header.replace(&format!(r#","kid":"{kid}""#), ""), Header),
        ("kid of another", named("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), UnknownKey),
        ("kid empty", named(""), UnknownKey),
        ("kid with a path", named("../../../dev/null"), UnknownKey),
        ("kid with SQL", named("' OR 1=1 --"), UnknownKey),
        ("kid as number", header.replace(&format!("\"{kid}\""), "0"), Header),
        ("jku", with(r#""jku":"https://evil.example/jwks.json""#), Header),
        ("x5u", with(r#""x5u":"https://evil.example/cert""#), Header),
        ("x5c", with(r#""x5c":["MIIB"]"#), Header),
        (
            "jwk",
            with(r#""jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#),
            Header,
        ),
        ("crit", with(r#""crit":["exp"]"#), Header),
        ("b64 false", with(r#""b64":false"#), Header),
        ("zip", with(r#""zip":"DEF""#), Header),
        ("header not JSON", "EdDSA".to_owned(), Header),
        ("header empty", String::new(), Header),
    ];
    for (what, forged, expected) in cases {
        assert_ne!(forged, header, "{what} changes nothing");
        assert_eq!(verify(&sign(&forged, &claims)), Err(expected), "{what}");
    }
    assert_eq!(verify(&sign(&named(&"k".repeat(10_000_000)), &claims)), Err(Malformed), "a kid of 10 MB");
}

#[test]
fn forged_signatures_are_refused() {
    let (header, claims) = good();
    let token = sign(&header, &claims);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let public = tokens_of(SECRET).keys().jwks()["keys"][0]["x"].as_str().unwrap().to_owned();
    let hs256 = |key: &[u8], header: &str| {
        let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(&claims));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
        format!("{message}.{}", BASE64.encode(tag.as_ref()))
    };
    let raw_public = BASE64.decode(&public).unwrap();
    let hs_header = header.replace("EdDSA", "HS256");
    let other = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap().sign(message.as_bytes());
    let cases = [
        ("no signature", format!("{message}."), Signature),
        ("no third part", message.to_owned(), Malformed),
        ("four parts", format!("{token}.{signature}"), Malformed),
        ("one part", "gatehouse".to_owned(), Malformed),
        ("nothing", String::new(), Malformed),
        ("another key's", format!("{message}.{}", BASE64.encode(other.as_ref())), Signature),
        ("all zero", format!("{message}.{}", BASE64.encode([0; 64])), Signature),
        ("cut", format!("{message}.{}", &signature[..80]), Signature),
        ("padded", format!("{token}=="), Signature),
        ("HS256 with the public key", hs256(&raw_public, &hs_header), Header),
        ("HS256 with the public key as text", hs256(public.as_bytes(), &hs_header), Header),
        ("HS256 with no key", hs256(&[], &hs_header), Header),
        ("HMAC under the name of EdDSA", hs256(&raw_public, &header), Signature),
        ("spaces around", format!(" {token} "), Malformed),
        ("standard alphabet", format!("{message}.{}", signature.replace('-', "+").replace('_', "/") + "+"), Signature),
    ];
    for (what, forged, expected) in cases {
        assert_eq!(verify(&forged), Err(expected), "{what}");
    }
}
