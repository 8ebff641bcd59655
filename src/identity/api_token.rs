//! API tokens as text: `gat_<token id>_<organization id>_<secret>_<checksum>`, each part in base 62.
//!
//! A mistyped, cut or padded token is refused without asking anybody: the checksum must fit, and only the one canonical way of
//! writing a token is accepted (abuse case D7). The secret has 256 bits; only its SHA-256 is ever stored.

use rand::CryptoRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

/// What every API token begins with, so that people and secret scanners recognize it.
pub const PREFIX: &str = "gat_";

/// The digits of a 128-bit number and of a checksum.
const ID_DIGITS: usize = 22;
const SUM_DIGITS: usize = 6;

/// `gat_`, two ids, two halves of the secret and the checksum, with three separators.
const LENGTH: usize = PREFIX.len() + 4 * ID_DIGITS + 3 + SUM_DIGITS;

/// An API token in the clear: shown once when it is made, and received with each request.
#[derive(Clone)]
pub struct ApiTokenText {
    token: Uuid,
    organization: Uuid,
    secret: Zeroizing<[u8; 32]>,
}

/// The text is not an API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an API token: it was mistyped, cut off or changed; copy it again, or make a new one")]
pub struct ApiTokenError;

impl std::fmt::Debug for ApiTokenText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiTokenText")
            .field("token", &self.token)
            .field("organization", &self.organization)
            .finish_non_exhaustive()
    }
}

impl ApiTokenText {
    /// A new token.
    #[must_use]
    pub fn mint(token: Uuid, organization: Uuid, rng: &mut impl CryptoRng) -> Self {
        let mut secret = Zeroizing::new([0_u8; 32]);
        rng.fill_bytes(secret.as_mut_slice());
        Self { token, organization, secret }
    }

    /// The token that this text is.
    ///
    /// # Errors
    /// When it is not exactly the text of a token.
    pub fn parse(text: &str) -> Result<Self, ApiTokenError> {
        if text.len() != LENGTH || !text.is_ascii() {
            return Err(ApiTokenError);
        }
        let mut parts = text.strip_prefix(PREFIX).ok_or(ApiTokenError)?.split('_');
        let mut next = |digits: usize| parts.next().filter(|part| part.len() == digits).ok_or(ApiTokenError);
        let (token, organization) = (number(next(ID_DIGITS)?)?, number(next(ID_DIGITS)?)?);
        let (high, low) = next(2 * ID_DIGITS)?.split_at_checked(ID_DIGITS).ok_or(ApiTokenError)?;
        let mut secret = Zeroizing::new([0_u8; 32]);
        let halves = number(high)?.to_be_bytes().into_iter().chain(number(low)?.to_be_bytes());
        secret.iter_mut().zip(halves).for_each(|(to, from)| *to = from);
        next(SUM_DIGITS)?;
        let parsed = Self { token: Uuid::from_u128(token), organization: Uuid::from_u128(organization), secret };
        // Writing it again decides everything else: the checksum, the alphabet, the number of parts.
        let canonical = parsed.to_text().as_bytes() == text.as_bytes();
        if canonical || crate::ablate::off("token_checksum") { Ok(parsed) } else { Err(ApiTokenError) }
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let [high, low] = halves(&self.secret);
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        text.push_str(PREFIX);
        push(&mut text, self.token.as_u128(), ID_DIGITS);
        text.push('_');
        push(&mut text, self.organization.as_u128(), ID_DIGITS);
        text.push('_');
        push(&mut text, high, ID_DIGITS);
        push(&mut text, low, ID_DIGITS);
        text.push('_');
        let sum = crc32fast::hash(text.as_bytes());
        push(&mut text, u128::from(sum), SUM_DIGITS);
        text
    }

    /// The token's id.
    #[must_use]
    pub fn token(&self) -> Uuid {
        self.token
    }

    /// The organization it belongs to.
    #[must_use]
    pub fn organization(&self) -> Uuid {
        self.organization
    }

    /// What is stored of the secret.
    #[must_use]
    pub fn secret_hash(&self) -> [u8; 32] {
        Sha256::digest(self.secret.as_slice()).into()
    }

    /// Whether the stored hash is that of this secret, in constant time.
    #[must_use]
    pub fn matches(&self, stored: &[u8]) -> bool {
        self.secret_hash().as_slice().ct_eq(stored).into()
    }
}

fn number(digits: &str) -> Result<u128, ApiTokenError> {
    base62::decode(digits).map_err(|_| ApiTokenError)
}

fn push(text: &mut String, number: u128, digits: usize) {
    let written = Zeroizing::new(base62::encode(number));
    text.extend(std::iter::repeat_n('0', digits.saturating_sub(written.len())));
    text.push_str(&written);
}

fn halves(secret: &[u8; 32]) -> [u128; 2] {
    let (high, low) = secret.split_at(16);
    [high, low].map(|half| half.iter().fold(0, |number, byte| (number << 8) | u128::from(*byte)))
}
