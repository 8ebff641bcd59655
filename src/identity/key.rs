//! The keys that sign access tokens: Ed25519, each derived from the root secret and the id of its generation, so that every node
//! has the same and none is stored.
//!
//! A key is published before it signs, signs until the next one does, and is believed for a while after that: until then every
//! token of its has ended. Which of them counts is judged at the moment of use, so that a node which hears of nothing more still
//! lets an old key go.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hkdf::Hkdf;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::secret::RootSecret;

/// What every signing key is derived from, itself derived from the root secret. It is wiped from memory when dropped and never
/// shown.
pub struct KeyRoot(Zeroizing<[u8; 32]>);

impl fmt::Debug for KeyRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRoot(…)")
    }
}

impl KeyRoot {
    /// Of this root secret.
    #[must_use]
    pub fn of(secret: &RootSecret) -> Self {
        Self(secret.derive("access-token-signing"))
    }

    /// The seed of one generation: HKDF-SHA-256 with its id as information.
    fn seed(&self, generation: Uuid) -> Zeroizing<[u8; 32]> {
        let mut seed = Zeroizing::new([0_u8; 32]);
        let expanded = Hkdf::<Sha256>::new(None, self.0.as_slice()).expand(generation.as_bytes(), seed.as_mut_slice());
        // INVARIANT: HKDF-SHA-256 gives up to 8160 bytes; 32 never fail.
        debug_assert!(expanded.is_ok());
        seed
    }
}

/// One generation of keys: from what it is derived, and when it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPeriod {
    /// Part of what the key is derived from.
    pub id: Uuid,
    /// From when it signs. It is published and believed before that, because clocks differ.
    pub signs_from: DateTime<Utc>,
    /// From when on it is neither published nor believed.
    pub retires_at: Option<DateTime<Utc>>,
}

impl KeyPeriod {
    fn is_live(&self, now: DateTime<Utc>) -> bool {
        crate::ablate::off("key_retirement") || self.retires_at.is_none_or(|end| now < end)
    }
}

/// The generations that a node knows.
pub struct SigningKeys(Vec<Generation>);

struct Generation {
    period: KeyPeriod,
    name: String,
    public: String,
    signing: EncodingKey,
    verifying: DecodingKey,
}

/// The key could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the signing key could not be made: {0}")]
pub struct KeyError(String);

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|generation| &generation.name)).finish()
    }
}

impl Generation {
    fn derived(root: &KeyRoot, period: KeyPeriod) -> Result<Self, KeyError> {
        let failed = |error: &dyn fmt::Display| KeyError(error.to_string());
        let seed = root.seed(period.id);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|error| failed(&error))?;
        let document = pair.to_pkcs8().map_err(|error| failed(&error))?;
        let public = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        Ok(Self {
            period,
            name: thumbprint(&public),
            signing: EncodingKey::from_ed_der(document.as_ref()),
            verifying: DecodingKey::from_ed_components(&public).map_err(|error| failed(&error))?,
            public,
        })
    }
}

impl SigningKeys {
    /// The keys of these periods.
    ///
    /// # Errors
    /// Never in practice: every seed is a key.
    pub fn derived(root: &KeyRoot, periods: &[KeyPeriod]) -> Result<Self, KeyError> {
        Ok(Self(periods.iter().map(|period| Generation::derived(root, *period)).collect::<Result<_, _>>()?))
    }

    /// The one that signs at this moment: of those whose time has come, the latest; where this node's clock says of none that it
    /// has, the first.
    fn current(&self, now: DateTime<Utc>) -> Option<&Generation> {
        let live = || self.0.iter().filter(|generation| generation.period.is_live(now));
        let begun =
            |generation: &&Generation| generation.period.signs_from <= now || crate::ablate::off("key_published_first");
        let latest = live().filter(begun).max_by_key(|generation| generation.period.signs_from);
        latest.or_else(|| live().min_by_key(|generation| generation.period.signs_from))
    }

    /// The name (`kid`) of the key that signs at this moment; `None` where none does.
    #[must_use]
    pub fn signing_id(&self, now: DateTime<Utc>) -> Option<&str> {
        self.current(now).map(|generation| generation.name.as_str())
    }

    /// The key that signs at this moment, with its name.
    pub(super) fn signing(&self, now: DateTime<Utc>) -> Option<(&str, &EncodingKey)> {
        self.current(now).map(|generation| (generation.name.as_str(), &generation.signing))
    }

    /// The key of this name and its generation's id, if it is believed at this moment. Names are only ever compared, never
    /// used to fetch anything.
    pub(super) fn verifying(&self, name: &str, now: DateTime<Utc>) -> Option<(Uuid, &DecodingKey)> {
        let found = self.0.iter().find(|generation| generation.name == name && generation.period.is_live(now));
        found.map(|generation| (generation.period.id, &generation.verifying))
    }

    /// Whether what this generation signed is believed at this moment.
    pub(super) fn is_believed(&self, generation: Uuid, now: DateTime<Utc>) -> bool {
        self.0.iter().any(|known| known.period.id == generation && known.period.is_live(now))
    }

    /// The name of each key, with the id it is derived from.
    pub fn names(&self) -> impl Iterator<Item = (Uuid, &str)> {
        self.0.iter().map(|generation| (generation.period.id, generation.name.as_str()))
    }

    /// The public keys that are believed at this moment, those that have yet to sign included, as a JSON Web Key Set (RFC
    /// 7517, RFC 8037).
    #[must_use]
    pub fn jwks(&self, now: DateTime<Utc>) -> Value {
        let live = self.0.iter().filter(|generation| generation.period.is_live(now));
        let keys = live.map(|key| {
            json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.name, "x": key.public})
        });
        json!({ "keys": keys.collect::<Vec<_>>() })
    }
}

/// The thumbprint of an Ed25519 public key (RFC 7638, RFC 8037 appendix A.3).
fn thumbprint(public: &str) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}"#);
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(canonical.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        assert_eq!(
            thumbprint("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}
