//! Opaque one-purpose tokens: a prefix that says what for, and 256 random bits. Only the SHA-256 is stored.
//!
//! The purpose is part of the type and of the text, so that a token for one thing is never accepted for another (D11).

use std::{fmt, marker::PhantomData};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// What is stored of an opaque token.
pub type TokenHash = [u8; 32];

/// What a token is for.
pub trait Purpose {
    /// What its text begins with.
    const PREFIX: &'static str;
    /// What a person calls it.
    const NAME: &'static str;
}

/// An opaque token in the clear.
pub struct OpaqueToken<P> {
    bytes: Zeroizing<[u8; 32]>,
    purpose: PhantomData<fn() -> P>,
}

/// The text is not a token of this purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not {0}: it was mistyped, cut off, or is for something else")]
pub struct OpaqueTokenError(&'static str);

impl<P: Purpose> OpaqueToken<P> {
    /// A new token.
    #[must_use]
    pub fn mint(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self { bytes, purpose: PhantomData }
    }

    /// The token that this text is; only the canonical way of writing it is accepted.
    ///
    /// # Errors
    /// When it is not exactly the text of a token of this purpose.
    pub fn parse(text: &str) -> Result<Self, OpaqueTokenError> {
        let refused = OpaqueTokenError(P::NAME);
        let coded = text.strip_prefix(P::PREFIX).filter(|coded| coded.len() == 43).ok_or(refused)?;
        let decoded = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(coded).map_err(|_| refused)?);
        let bytes = <[u8; 32]>::try_from(decoded.as_slice()).map_err(|_| refused)?;
        Ok(Self { bytes: Zeroizing::new(bytes), purpose: PhantomData })
    }

    /// The text.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}{}", P::PREFIX, BASE64_URL_SAFE_NO_PAD.encode(self.bytes.as_slice())))
    }

    /// What is stored, and what it is found by.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        let looked_at = if crate::ablate::off("whole_token") { 16 } else { self.bytes.len() };
        Sha256::digest(self.bytes.get(..looked_at).unwrap_or_default()).into()
    }
}

impl<P: Purpose> fmt::Debug for OpaqueToken<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", P::PREFIX)
    }
}
