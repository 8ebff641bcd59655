//! A provider's public keys, read when a token names one that is not known, and never more often than once in an interval.
//!
//! A key is found by its name and by what the token says it is signed with; both must fit what the key itself is. Where a token
//! says that its key is (`jku`, `x5u`, `jwk`) is never looked at (abuse cases G3 to G5).

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse},
};
use tokio::sync::Mutex;

use super::{
    ProviderError, ProviderOptions,
    fetch::{Endpoint, Fetcher},
    id_token::IdTokenError,
};

/// The most keys of one provider.
const MOST: usize = 100;
/// How long keys count without being read again: one that the provider has taken back is good for so long at most.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// The shortest RSA key, in base64url characters of its modulus: 2048 bits.
const SHORTEST_MODULUS: usize = 342;

/// A key that may verify.
struct Named {
    name: String,
    /// What it may be used with.
    algorithms: Vec<Algorithm>,
    key: Arc<DecodingKey>,
}

/// What was read last; replaced whole.
#[derive(Default)]
struct Known {
    keys: Vec<Named>,
    /// When they were read.
    read: Option<DateTime<Utc>>,
}

/// The keys of one provider.
pub struct Keys {
    interval: Duration,
    allowed: Vec<Algorithm>,
    fetcher: Fetcher,
    known: RwLock<Arc<Known>>,
    /// When it was last tried to read them. Held while they are read, so that many who come at once read once; nobody whose key is
    /// known waits for it.
    tried: Mutex<Option<DateTime<Utc>>>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("interval", &self.interval).finish_non_exhaustive()
    }
}

impl Keys {
    /// Of the provider with these options.
    #[must_use]
    pub fn new(options: &ProviderOptions, fetcher: Fetcher) -> Self {
        let allowed = options.algorithms.iter().filter_map(|name| super::options::algorithm(name)).collect();
        Self { interval: options.key_refresh, allowed, fetcher, known: RwLock::default(), tried: Mutex::default() }
    }

    /// The key of this name for this algorithm.
    ///
    /// # Errors
    /// [`IdTokenError::UnknownKey`] where there is none, [`ProviderError::Unavailable`] where that cannot be said.
    pub async fn find(
        &self,
        at: &Endpoint,
        name: &str,
        algorithm: Algorithm,
        now: DateTime<Utc>,
    ) -> Result<Arc<DecodingKey>, ProviderError> {
        if let Some(key) = self.known().fresh(name, algorithm, now) {
            return Ok(key);
        }
        let mut tried = self.tried.lock().await;
        let known = self.known();
        if let Some(key) = known.fresh(name, algorithm, now) {
            return Ok(key);
        }
        let interval = TimeDelta::from_std(self.interval).unwrap_or(KEPT);
        if tried.is_some_and(|tried| within(tried, now, interval)) && !crate::ablate::off("key_refresh_limit") {
            return if known.is_fresh(now) {
                Err(IdTokenError::UnknownKey.into())
            } else {
                Err(ProviderError::Unavailable("its keys could not be read a moment ago".to_owned()))
            };
        }
        *tried = Some(now);
        let document = self.fetcher.get(at).await?;
        let known = Arc::new(Known { keys: self.usable(&document), read: Some(now) });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
        known.fresh(name, algorithm, now).ok_or_else(|| IdTokenError::UnknownKey.into())
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys of a set that may verify; others are passed over, as a set may hold keys for other things.
    fn usable(&self, document: &serde_json::Value) -> Vec<Named> {
        let keys = document.get("keys").and_then(serde_json::Value::as_array).map(Vec::as_slice).unwrap_or_default();
        keys.iter().take(MOST).filter_map(|key| self.usable_key(key)).collect()
    }

    fn usable_key(&self, value: &serde_json::Value) -> Option<Named> {
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        let name = jwk.common.key_id.clone()?;
        if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
            return None;
        }
        let fits = fitting(&jwk.algorithm);
        // What the key says it is for, where it says so.
        let said = value.get("alg").and_then(serde_json::Value::as_str);
        let algorithms: Vec<Algorithm> = fits
            .iter()
            .copied()
            .filter(|algorithm| self.allowed.contains(algorithm))
            .filter(|algorithm| said.is_none_or(|said| said.parse() == Ok(*algorithm)))
            .collect();
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        (!algorithms.is_empty()).then(|| Named { name, algorithms, key: Arc::new(key) })
    }
}

/// What a key of this kind can be used with; nothing for a shared secret.
fn fitting(parameters: &AlgorithmParameters) -> &'static [Algorithm] {
    const RSA: &[Algorithm] =
        &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];
    match parameters {
        AlgorithmParameters::RSA(rsa) if rsa.n.len() >= SHORTEST_MODULUS => RSA,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P384 => &[Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        _ => &[],
    }
}

impl Known {
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.read.is_some_and(|read| within(read, now, KEPT))
    }

    /// The key of this name for this algorithm, while it counts.
    fn fresh(&self, name: &str, algorithm: Algorithm, now: DateTime<Utc>) -> Option<Arc<DecodingKey>> {
        let fits = |key: &&Named| key.name == name && key.algorithms.contains(&algorithm);
        let found = self.keys.iter().find(fits).filter(|_| self.is_fresh(now));
        found.map(|key| Arc::clone(&key.key))
    }
}

/// Whether `since` is less than `span` ago; a clock that went back counts as long ago.
fn within(since: DateTime<Utc>, now: DateTime<Utc>, span: TimeDelta) -> bool {
    let age = now.signed_duration_since(since);
    age >= TimeDelta::zero() && age < span
}
