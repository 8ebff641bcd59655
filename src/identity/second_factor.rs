//! The second factor: one-time passwords by time (RFC 6238), and recovery codes for who has lost the device that makes them.
//!
//! The secret of each and every recovery code are derived from the root secret and the factor's id. Who reads the database learns
//! none of them, and who changes the id has another factor.

use std::fmt;

use chrono::{DateTime, Utc};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use totp_rs::{Algorithm, Builder, Totp};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::secret::RootSecret;

/// How many recovery codes there are in a set.
pub const RECOVERY_CODES: u8 = 10;
/// Letters and digits that nobody takes for one another (Crockford's base 32, in lower case).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters of a recovery code without its hyphen: 50 bits.
const RECOVERY_LENGTH: usize = 10;
/// Bytes of a secret, as RFC 4226 recommends (section 4, R6).
const SECRET_LENGTH: usize = 20;
/// Digits of a one-time password.
const DIGITS: u8 = 6;
/// Seconds that one is shown for (RFC 6238, 5.2).
const STEP: u64 = 30;

/// What every second factor is derived from, itself derived from the root secret. It is wiped from memory when dropped and never
/// shown.
pub struct FactorRoot(Zeroizing<[u8; 32]>);

impl fmt::Debug for FactorRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FactorRoot(…)")
    }
}

/// What a person puts into the app that makes the codes.
pub struct FactorSecret {
    /// The secret in base 32, to be typed.
    pub text: Zeroizing<String>,
    /// The same as `otpauth://…`, to be drawn as a QR code.
    pub uri: Zeroizing<String>,
}

/// Without the secret.
impl fmt::Debug for FactorSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FactorSecret(…)")
    }
}

/// What a code turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The one-time password of this time step.
    OneTime {
        /// The step, which is taken once.
        step: i64,
    },
    /// The recovery code of this number, from 0.
    Recovery {
        /// The number.
        number: u8,
    },
}

/// The second factor could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the second factor could not be made: {0}")]
pub struct FactorError(String);

impl FactorRoot {
    /// Of this root secret.
    #[must_use]
    pub fn of(secret: &RootSecret) -> Self {
        Self(secret.derive("second-factor"))
    }

    /// What to put into the app: named after the gateway and the account.
    ///
    /// # Errors
    /// [`FactorError`] when the names cannot be written so.
    pub fn secret(&self, factor: Uuid, issuer: &str, account: &str) -> Result<FactorSecret, FactorError> {
        // A colon parts the two names in the address.
        let plain = |name: &str| name.replace(':', " ");
        let totp = self.builder(factor).with_issuer(Some(plain(issuer))).with_account_name(plain(account)).build();
        let totp = totp.map_err(|error| FactorError(error.to_string()))?;
        let uri = totp.to_url().map_err(|error| FactorError(error.to_string()))?;
        Ok(FactorSecret { text: Zeroizing::new(totp.secret().to_base32()), uri: Zeroizing::new(uri) })
    }

    /// What a code is, if it is one: the one-time password of this moment, of the step before or the one after, or a recovery
    /// code of this set. Spaces and hyphens are as people like.
    #[must_use]
    pub fn read(&self, factor: Uuid, generation: i32, code: &str, now: DateTime<Utc>) -> Option<Code> {
        let code: Zeroizing<String> =
            Zeroizing::new(code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>());
        if code.len() == usize::from(DIGITS) {
            let seconds = u64::try_from(now.timestamp()).ok()?;
            let step = self.totp(factor).check(&code, seconds)?;
            return Some(Code::OneTime { step: i64::try_from(step).ok()? });
        }
        let code = code.to_ascii_lowercase();
        // All are compared, so that the time does not tell which one came close.
        (0..RECOVERY_CODES).fold(None, |found, number| {
            let same = self.recovery(factor, generation, number).as_bytes().ct_eq(code.as_bytes());
            if bool::from(same) { Some(Code::Recovery { number }) } else { found }
        })
    }

    /// The recovery codes of a set, as people are shown them.
    #[must_use]
    pub fn recovery_codes(&self, factor: Uuid, generation: i32) -> Vec<Zeroizing<String>> {
        let shown = |number| {
            let code = self.recovery(factor, generation, number);
            let (front, back) = code.split_at(RECOVERY_LENGTH / 2);
            Zeroizing::new(format!("{front}-{back}"))
        };
        (0..RECOVERY_CODES).map(shown).collect()
    }

    fn recovery(&self, factor: Uuid, generation: i32, number: u8) -> Zeroizing<String> {
        let label = [b"recovery".as_slice(), factor.as_bytes(), &generation.to_be_bytes(), &[number]].concat();
        let bytes = self.expand::<RECOVERY_LENGTH>(&label);
        // 256 is a multiple of 32: no character is likelier than another.
        let letters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)));
        Zeroizing::new(letters.map(|letter| char::from(*letter)).collect())
    }

    fn totp(&self, factor: Uuid) -> Totp {
        self.builder(factor).build_noncompliant()
    }

    fn builder(&self, factor: Uuid) -> Builder {
        let secret = self.expand::<SECRET_LENGTH>(&[b"one-time".as_slice(), factor.as_bytes()].concat());
        // What every authenticator app can do; some take nothing else and do not say so.
        let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(DIGITS);
        builder.with_skew(1).with_step_duration(STEP).with_secret(secret.to_vec())
    }

    fn expand<const N: usize>(&self, label: &[u8]) -> Zeroizing<[u8; N]> {
        let mut bytes = Zeroizing::new([0_u8; N]);
        let expanded = Hkdf::<Sha256>::new(None, self.0.as_slice()).expand(label, bytes.as_mut_slice());
        // INVARIANT: HKDF-SHA-256 gives up to 8160 bytes; these few never fail.
        debug_assert!(expanded.is_ok());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::TimeDelta;

    use super::*;

    fn root(secret: &str) -> FactorRoot {
        FactorRoot::of(&RootSecret::from_text(secret).unwrap())
    }

    const SECRET: &str = "4b1f0e2a9c7d8836b5e1f0a2c4d6987e";
    const FACTOR: Uuid = Uuid::from_u128(7);

    #[test]
    fn an_app_that_was_given_the_address_makes_codes_that_are_taken() {
        let (root, now) = (root(SECRET), DateTime::from_timestamp(1_800_000_015, 0).unwrap());
        let secret = root.secret(FACTOR, "https://gate.example", "bob@example.com").unwrap();
        assert!(secret.uri.starts_with("otpauth://totp/") && secret.uri.contains(secret.text.as_str()));
        let app = Totp::from_url(secret.uri.as_str()).unwrap();
        let code = |at: DateTime<Utc>| app.generate(at.timestamp().unsigned_abs()).to_string();
        let step = now.timestamp() / 30;
        for (away, found) in [(-60, None), (-30, Some(step - 1)), (0, Some(step)), (30, Some(step + 1)), (60, None)] {
            let read = root.read(FACTOR, 1, &code(now + TimeDelta::seconds(away)), now);
            assert_eq!(read, found.map(|step| Code::OneTime { step }), "{away}");
        }
        let spaced = code(now);
        let (front, back) = spaced.split_at(3);
        assert!(root.read(FACTOR, 1, &format!(" {front} {back} "), now).is_some());
        assert_eq!(root.read(Uuid::from_u128(8), 1, &code(now), now), None, "another factor");
        assert_eq!(self::root(&SECRET.replace('4', "5")).read(FACTOR, 1, &code(now), now), None, "another gateway");
        for bad in ["", "0", "abcdef", "１２３４５６", "-00001", "0000000"] {
            assert_eq!(root.read(FACTOR, 1, bad, now), None, "{bad}");
        }
    }

    #[test]
    fn recovery_codes_are_of_one_set_and_one_factor() {
        let (root, now) = (root(SECRET), DateTime::from_timestamp(1_800_000_015, 0).unwrap());
        let codes = root.recovery_codes(FACTOR, 1);
        assert_eq!(codes.iter().map(|code| code.as_str()).collect::<BTreeSet<_>>().len(), 10);
        for (number, code) in (0..).zip(&codes) {
            assert_eq!(root.read(FACTOR, 1, code, now), Some(Code::Recovery { number }));
            assert_eq!(
                root.read(FACTOR, 1, &code.to_uppercase().replace('-', ""), now),
                Some(Code::Recovery { number })
            );
            assert_eq!(root.read(FACTOR, 2, code, now), None, "another set");
            assert_eq!(root.read(Uuid::from_u128(8), 1, code, now), None, "another factor");
        }
    }
}
