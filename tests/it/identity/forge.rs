//! Forged access tokens, as one table: what each is about, its text, and why it is refused. All but the ones about signatures are
//! signed with the true key, so that it is the one thing each is about that refuses it (abuse cases G1 to G5).

use aws_lc_rs::{hmac, signature::Ed25519KeyPair};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, Utc};
use gatehouse::identity::AccessTokenError::{Claims, Expired, Header, Malformed, NotYet, Signature, UnknownKey};
use gatehouse::identity::{AccessTokenError, AccessTokens, RootSecret};
use hkdf::Hkdf;
use sha2::Sha256;
use uuid::Uuid;

/// One forged token.
pub(crate) struct Forged {
    pub(crate) what: &'static str,
    pub(crate) text: String,
    pub(crate) why: AccessTokenError,
}

/// Whoever holds the true key and the true claims, and changes one thing.
#[derive(Debug, Clone)]
pub(crate) struct Forge {
    pub(crate) seed: [u8; 32],
    pub(crate) kid: String,
    pub(crate) public: String,
    pub(crate) issuer: String,
    pub(crate) now: DateTime<Utc>,
    pub(crate) user: Uuid,
    pub(crate) session: Uuid,
    pub(crate) organization: Uuid,
    pub(crate) member: Uuid,
    pub(crate) jti: Uuid,
}

/// The seed of a generation of keys, made as the gateway makes it.
pub(crate) fn seed(secret: &str, generation: Uuid) -> [u8; 32] {
    let root = RootSecret::from_text(secret).unwrap().derive("access-token-signing");
    let mut seed = [0; 32];
    Hkdf::<Sha256>::new(None, root.as_slice()).expand(generation.as_bytes(), &mut seed).unwrap();
    seed
}

impl Forge {
    /// With the key that signs now, of this secret and for this issuer.
    pub(crate) fn new(secret: &str, tokens: &AccessTokens, issuer: &str, now: DateTime<Utc>) -> Self {
        let keys = tokens.keys();
        let kid = keys.signing_id(now).unwrap().to_owned();
        let generation = keys.names().find(|(_, name)| *name == kid).unwrap().0;
        let set = keys.jwks(now);
        let published = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str()).unwrap();
        let id = Uuid::from_u128;
        Self {
            seed: seed(secret, generation),
            public: published["x"].as_str().unwrap().to_owned(),
            kid,
            issuer: issuer.to_owned(),
            now,
            user: id(2),
            session: id(1),
            organization: id(3),
            member: id(4),
            jti: id(9),
        }
    }

    /// The header of a good token.
    pub(crate) fn header(&self) -> String {
        format!(r#"{{"typ":"at+jwt","alg":"EdDSA","kid":"{}"}}"#, self.kid)
    }

    /// The claims of a good token.
    pub(crate) fn claims(&self) -> String {
        let Self { issuer, user, session, organization, member, jti, .. } = self;
        let now = self.now.timestamp();
        format!(
            r#"{{"iss":"{issuer}","aud":"gatehouse","sub":"{user}","sid":"{session}","org":"{organization}","mid":"{member}","iat":{now},"exp":{},"jti":"{jti}"}}"#,
            now + 300,
        )
    }

    /// A token of this header and these claims, signed with the true key.
    pub(crate) fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
        let signature = Ed25519KeyPair::from_seed_unchecked(&self.seed).unwrap().sign(message.as_bytes());
        format!("{message}.{}", BASE64.encode(signature.as_ref()))
    }

    /// The token in which nothing is changed.
    pub(crate) fn good(&self) -> String {
        self.sign(&self.header(), &self.claims())
    }

    /// Every forged token.
    pub(crate) fn all(&self) -> Vec<Forged> {
        let (header, claims) = (self.header(), self.claims());
        let of_claims = self.forged_claims().into_iter().map(|(what, forged, why)| {
            assert_ne!(forged, claims, "{what} changes nothing");
            Forged { what, text: self.sign(&header, &forged), why }
        });
        let of_headers = self.forged_headers().into_iter().map(|(what, forged, why)| {
            assert_ne!(forged, header, "{what} changes nothing");
            Forged { what, text: self.sign(&forged, &claims), why }
        });
        let others = self.forged_texts().into_iter().map(|(what, text, why)| Forged { what, text, why });
        of_claims.chain(of_headers).chain(others).collect()
    }

    fn forged_claims(&self) -> Vec<(&'static str, String, AccessTokenError)> {
        let (claims, now, issuer) = (self.claims(), self.now.timestamp(), self.issuer.as_str());
        let (iat, exp) = (format!(r#""iat":{now}"#), format!(r#""exp":{}"#, now + 300));
        let with_exp = |value: &str| claims.replace(&exp, &format!(r#""exp":{value}"#));
        let with_iat = |value: &str| claims.replace(&iat, &format!(r#""iat":{value}"#));
        let with = |more: &str| claims.replace('{', &format!("{{{more},"));
        let without = |claim: &str| claims.replace(&format!("{claim},"), "");
        let cases = vec![
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
                claims
                    .replace(&exp, &format!(r#""exp":{}"#, now - 5))
                    .replace(&iat, &format!(r#""iat":{}"#, now - 305)),
                Expired,
            ),
            ("iat as text", with_iat(&format!("\"{now}\"")), Claims),
            ("iat as float", with_iat(&format!("{now}.5")), Claims),
            ("iat negative", with_iat("-300"), Claims),
            ("iat as infinity", with_iat("1e400"), Claims),
            ("iat as negative infinity", with_iat("-1e400"), Claims),
            ("iat null", with_iat("null"), Claims),
            ("iat missing", claims.replace(&format!("{iat},"), ""), Claims),
            ("iat in the future", with_iat(&(now + 60).to_string()), NotYet),
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
            ("nbf as float", with(&format!(r#""nbf":{now}.5"#)), Claims),
            ("nbf as list", with(r#""nbf":[0]"#), Claims),
            ("iss missing", without(&format!(r#""iss":"{issuer}""#)), Claims),
            ("iss of another", claims.replace(issuer, "https://evil.example"), Claims),
            ("iss as list", claims.replace(&format!("\"{issuer}\""), &format!("[\"{issuer}\"]")), Claims),
            ("iss with a slash", claims.replace(issuer, &format!("{issuer}/")), Claims),
            ("aud missing", without(r#""aud":"gatehouse""#), Claims),
            ("aud empty", claims.replace(r#""gatehouse""#, r#""""#), Claims),
            ("aud of another", claims.replace(r#""gatehouse""#, r#""billing""#), Claims),
            ("aud as list", claims.replace(r#""gatehouse""#, r#"["gatehouse","billing"]"#), Claims),
            ("sub missing", without(&format!(r#""sub":"{}""#, self.user)), Claims),
            ("sub no id", claims.replace(&self.user.to_string(), "admin"), Claims),
            ("sub as number", claims.replace(&format!("\"{}\"", self.user), "2"), Claims),
            ("sid missing", without(&format!(r#""sid":"{}""#, self.session)), Claims),
            ("jti missing", claims.replace(&format!(r#","jti":"{}""#, self.jti), ""), Claims),
            ("org no id", claims.replace(&self.organization.to_string(), "*"), Claims),
            ("member without organization", without(&format!(r#""org":"{}""#, self.organization)), Claims),
            ("a role on top", with(r#""role":"owner""#), Claims),
            ("scopes on top", with(r#""scope":"*""#), Claims),
            ("a proxy's word on top", with(r#""act":{"sub":"admin"}"#), Claims),
            ("claims as list", format!("[{claims}]"), Claims),
            ("claims empty", String::new(), Claims),
            ("claims not JSON", "owner".to_owned(), Claims),
            ("claims followed by more", format!("{claims}{{}}"), Claims),
        ];
        cases
    }

    fn forged_headers(&self) -> Vec<(&'static str, String, AccessTokenError)> {
        let (header, kid) = (self.header(), &self.kid);
        let with = |more: &str| header.replace('{', &format!("{{{more},"));
        let alg = |alg: &str| header.replace("EdDSA", alg);
        let named = |name: &str| header.replace(kid, name);
        let cases = vec![
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
            ("kid with a NUL", named("\\u0000"), UnknownKey),
            ("kid with a URL", named("https://evil.example/key"), UnknownKey),
            ("kid of 10 kB", named(&"k".repeat(10_000)), Malformed),
            ("kid null", header.replace(&format!("\"{kid}\""), "null"), Header),
            ("kid as number", header.replace(&format!("\"{kid}\""), "0"), Header),
            ("jku", with(r#""jku":"https://evil.example/jwks.json""#), Header),
            ("x5u", with(r#""x5u":"https://evil.example/cert""#), Header),
            ("x5c", with(r#""x5c":["MIIB"]"#), Header),
            (
                "jwk",
                with(r#""jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#),
                Header,
            ),
            ("x5t", with(r#""x5t":"dGhl""#), Header),
            ("cty of a token in a token", with(r#""cty":"JWT""#), Header),
            ("crit", with(r#""crit":["exp"]"#), Header),
            ("b64 false", with(r#""b64":false"#), Header),
            ("zip", with(r#""zip":"DEF""#), Header),
            ("header not JSON", "EdDSA".to_owned(), Header),
            ("header empty", String::new(), Header),
        ];
        cases
    }

    fn forged_texts(&self) -> Vec<(&'static str, String, AccessTokenError)> {
        let (header, claims, token) = (self.header(), self.claims(), self.good());
        let (message, signature) = token.rsplit_once('.').unwrap();
        let public = &self.public;
        let hs256 = |key: &[u8], header: &str| {
            let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(&claims));
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
            format!("{message}.{}", BASE64.encode(tag.as_ref()))
        };
        let raw_public = BASE64.decode(public).unwrap();
        let hs_header = header.replace("EdDSA", "HS256");
        let none_header = header.replace("EdDSA", "none");
        let unsigned = format!("{}.{}.", BASE64.encode(&none_header), BASE64.encode(&claims));
        let other = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap().sign(message.as_bytes());
        let cases = vec![
            ("no signature", format!("{message}."), Signature),
            ("alg none and no signature", unsigned, Header),
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
            (
                "standard alphabet",
                format!("{message}.{}", signature.replace('-', "+").replace('_', "/") + "+"),
                Signature,
            ),
        ];
        cases
    }
}
