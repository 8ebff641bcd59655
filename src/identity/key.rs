//! The keys that sign access tokens: Ed25519, derived from the root secret, so that every node has the same.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::secret::RootSecret;

/// The label of the first signing key. A rotation derives the next one from another label and keeps this for verifying.
const FIRST: &str = "access-token-signing";

/// One key that signs, and every key that verifies.
pub struct SigningKeys {
    signing: EncodingKey,
    signing_id: String,
    verifying: Vec<VerifyingKey>,
}

struct VerifyingKey {
    id: String,
    key: DecodingKey,
    public: String,
}

/// The key could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the signing key could not be made: {0}")]
pub struct KeyError(String);

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeys").field("signing_id", &self.signing_id).finish_non_exhaustive()
    }
}

impl SigningKeys {
    /// The keys of this root secret.
    ///
    /// # Errors
    /// Never in practice: every seed is a key.
    pub fn derived(secret: &RootSecret) -> Result<Self, KeyError> {
        let seed = secret.derive(FIRST);
        let failed = |error: &dyn std::fmt::Display| KeyError(error.to_string());
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).map_err(|error| failed(&error))?;
        let document = pair.to_pkcs8().map_err(|error| failed(&error))?;
        let public = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let verifying = VerifyingKey {
            id: thumbprint(&public),
            key: DecodingKey::from_ed_components(&public).map_err(|error| failed(&error))?,
            public,
        };
        Ok(Self {
            signing: EncodingKey::from_ed_der(document.as_ref()),
            signing_id: verifying.id.clone(),
            verifying: vec![verifying],
        })
    }

    /// The name of the key that signs (`kid`).
    #[must_use]
    pub fn signing_id(&self) -> &str {
        &self.signing_id
    }

    /// The key that signs.
    pub(super) fn signing(&self) -> &EncodingKey {
        &self.signing
    }

    /// The key of this name. Names are only ever compared, never used to fetch anything.
    pub(super) fn verifying(&self, id: &str) -> Option<&DecodingKey> {
        self.verifying.iter().find(|key| key.id == id).map(|key| &key.key)
    }

    /// The public keys as a JSON Web Key Set (RFC 7517, RFC 8037).
    #[must_use]
    pub fn jwks(&self) -> Value {
        let keys = self.verifying.iter().map(
            |key| json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.id, "x": key.public}),
        );
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
