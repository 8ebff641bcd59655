//! The way of a browser to a provider and back: authorization code with PKCE (RFC 6749, RFC 7636, RFC 9700).
//!
//! What must be remembered meanwhile is sealed into a cookie of that browser, and nothing that a request says goes into it: the
//! state, the nonce and the verifier are random, made here (abuse cases D11, D12). Coming back needs the cookie and the state of
//! the same leaving, so that nobody is brought back from a sign-in of somebody else's.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use hyper::header::HeaderValue;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    ClientAuthentication, ProviderError, ProviderOptions, ProviderOptionsError, fetch::Form, metadata::Metadata,
};

/// How long somebody may take to sign in at the provider.
pub const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// What the cookie is sealed for, and nothing else.
const PURPOSE: &[u8] = b"gatehouse provider sign-in, first form";
/// Longer than any sealed cookie of ours.
const LONGEST: usize = 2 * 1024;

/// Seals what is remembered of a sign-in under way: AES-256-GCM. Every gateway of a deployment has the same key.
pub struct FlowKey(RandomizedNonceKey);

impl std::fmt::Debug for FlowKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FlowKey(…)")
    }
}

/// A sign-in that has begun.
pub struct Begun {
    /// Where the browser goes.
    pub location: String,
    /// What it takes along.
    pub sealed: String,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Begun(…)")
    }
}

/// What is remembered of a sign-in under way.
#[derive(Serialize, Deserialize)]
pub(super) struct Left {
    provider: String,
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) until: DateTime<Utc>,
}

/// What a browser brings back, as it stands in the address. Nothing of it is believed.
#[derive(Clone, Default)]
pub struct Callback {
    /// The state.
    pub state: Option<String>,
    /// The code.
    pub code: Option<String>,
    /// Who says so (RFC 9207).
    pub issuer: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Callback(…)")
    }
}

impl Callback {
    /// The code, if it comes from this provider.
    pub(super) fn code(&self, issuer: &str, metadata: &Metadata) -> Result<&str, ProviderError> {
        let other = self.issuer.as_ref().map_or(metadata.names_itself, |named| named != issuer);
        if other && !crate::ablate::off("callback_issuer") {
            return Err(ProviderError::Refused("the answer is another issuer's".to_owned()));
        }
        if let Some(error) = &self.error {
            // A word of the protocol; what else a provider says here, anybody can write.
            let word: String = error.chars().filter(char::is_ascii_graphic).take(64).collect();
            return Err(ProviderError::Refused(format!("`{word}`")));
        }
        self.code.as_deref().ok_or_else(|| ProviderError::Refused("it sent no code".to_owned()))
    }
}

impl FlowKey {
    /// With this key.
    ///
    /// # Errors
    /// When the cryptography is not to be had.
    pub fn new(key: &[u8; 32]) -> Result<Self, ProviderOptionsError> {
        let made = RandomizedNonceKey::new(&AES_256_GCM, key).map(Self);
        made.map_err(|_| ProviderOptionsError::Machine("its cryptography fails".to_owned()))
    }

    pub(super) fn begin(
        &self,
        options: &ProviderOptions,
        metadata: &Metadata,
        rng: &mut impl CryptoRng,
        now: DateTime<Utc>,
    ) -> Result<Begun, ProviderError> {
        let left = Left {
            provider: options.key.clone(),
            state: random(rng),
            nonce: random(rng),
            verifier: random(rng),
            until: now + PATIENCE,
        };
        let mut url = metadata.authorization.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &options.client_id)
            .append_pair("redirect_uri", &options.redirect_url)
            .append_pair("scope", &options.scopes.join(" "))
            .append_pair("state", &left.state)
            .append_pair("nonce", &left.nonce)
            .append_pair("code_challenge", &BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&left.verifier)))
            .append_pair("code_challenge_method", "S256");
        let sealed =
            self.seal(&left).ok_or_else(|| ProviderError::Unavailable("a cookie cannot be sealed".to_owned()))?;
        Ok(Begun { location: url.into(), sealed })
    }

    /// What was remembered, if this browser comes back from this provider with the state it left with, in time.
    pub(super) fn finish(
        &self,
        provider: &str,
        sealed: Option<&str>,
        callback: &Callback,
        now: DateTime<Utc>,
    ) -> Result<Left, ProviderError> {
        let left = sealed.and_then(|sealed| self.open(sealed)).ok_or(ProviderError::NotUnderWay)?;
        let brought = callback.state.as_deref().unwrap_or_default();
        let same = bool::from(left.state.as_bytes().ct_eq(brought.as_bytes())) || crate::ablate::off("sign_in_state");
        if same && left.provider == provider && now < left.until { Ok(left) } else { Err(ProviderError::NotUnderWay) }
    }

    fn seal(&self, left: &Left) -> Option<String> {
        let mut text = postcard::to_stdvec(left).ok()?;
        let nonce = self.0.seal_in_place_append_tag(Aad::from(PURPOSE), &mut text).ok()?;
        Some(BASE64_URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &text].concat()))
    }

    fn open(&self, sealed: &str) -> Option<Left> {
        if sealed.len() > LONGEST {
            return None;
        }
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = Zeroizing::new(text.to_vec());
        postcard::from_bytes(self.0.open_in_place(nonce, Aad::from(PURPOSE), &mut text).ok()?).ok()
    }
}

/// What is posted to turn a code into tokens.
pub(super) fn token_request(options: &ProviderOptions, code: &str, verifier: &str) -> Form {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", &options.redirect_url)
        .append_pair("code_verifier", verifier);
    let mut authorization = None;
    match (&options.client_secret, options.client_authentication) {
        (Some(secret), ClientAuthentication::Basic) => authorization = basic(&options.client_id, secret),
        (Some(secret), ClientAuthentication::Post) => {
            form.append_pair("client_id", &options.client_id).append_pair("client_secret", secret);
        }
        (None, _) => {
            form.append_pair("client_id", &options.client_id);
        }
    }
    Form { body: form.finish(), authorization }
}

/// Both parts as in a form (RFC 6749, 2.3.1).
fn basic(id: &str, secret: &str) -> Option<HeaderValue> {
    let coded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", coded(id), coded(secret)));
    let mut value =
        HeaderValue::from_str(&format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(&*pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// 256 random bits.
fn random(rng: &mut impl CryptoRng) -> String {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    rng.fill_bytes(bytes.as_mut_slice());
    BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice())
}

/// What something secret is known by once it has been used.
pub(super) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
