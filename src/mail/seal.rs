//! Letters at rest: encrypted, because the links in them are secrets.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use uuid::Uuid;

use super::{Letter, MailError};

/// Seals letters and opens them: AES-256-GCM, bound to the letter's id. Every gateway of a deployment derives the same key.
pub struct LetterKey(RandomizedNonceKey);

impl std::fmt::Debug for LetterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LetterKey(…)")
    }
}

impl LetterKey {
    /// With this key.
    ///
    /// # Errors
    /// [`MailError::Seal`] when the cryptography is not to be had.
    pub fn new(key: &[u8; 32]) -> Result<Self, MailError> {
        RandomizedNonceKey::new(&AES_256_GCM, key).map(Self).map_err(|_| MailError::Seal)
    }

    /// The letter as it is kept: nonce, ciphertext, tag.
    ///
    /// # Errors
    /// [`MailError::Seal`].
    pub fn seal(&self, id: Uuid, letter: &Letter) -> Result<Vec<u8>, MailError> {
        let mut text = postcard::to_stdvec(letter).map_err(|_| MailError::Seal)?;
        if crate::ablate::off("mail_sealed") {
            return Ok(text);
        }
        let nonce = self.0.seal_in_place_append_tag(Aad::from(id.as_bytes()), &mut text);
        let nonce = nonce.map_err(|_| MailError::Seal)?;
        Ok([nonce.as_ref().as_slice(), &text].concat())
    }

    /// The letter that was sealed under this id.
    ///
    /// # Errors
    /// [`MailError::Seal`] when it was sealed with another key or for another row, or was changed.
    pub fn open(&self, id: Uuid, sealed: &[u8]) -> Result<Letter, MailError> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(MailError::Seal)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| MailError::Seal)?;
        let mut text = zeroize::Zeroizing::new(text.to_vec());
        let open = self.0.open_in_place(nonce, Aad::from(id.as_bytes()), &mut text);
        postcard::from_bytes(open.map_err(|_| MailError::Seal)?).map_err(|_| MailError::Seal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_row_open_an_unchanged_letter() {
        let letter = Letter {
            to: "bob@example.com".to_owned(),
            subject: "Hello".to_owned(),
            text: "https://gate.example/invitation#giv_secret".to_owned(),
            html: String::new(),
        };
        let (key, id) = (LetterKey::new(&[7; 32]).unwrap(), Uuid::from_u128(1));
        let sealed = key.seal(id, &letter).unwrap();
        assert!(key.open(id, &sealed).unwrap() == letter);
        assert_ne!(sealed, key.seal(id, &letter).unwrap(), "another nonce each time");
        let within = |text: &[u8]| sealed.windows(text.len()).any(|part| part == text);
        assert!(!within(b"giv_") && !within(b"bob"));

        assert!(LetterKey::new(&[8; 32]).unwrap().open(id, &sealed).is_err(), "another key");
        assert!(key.open(Uuid::from_u128(2), &sealed).is_err(), "another row");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(id, &changed).is_err());
        }
        for length in 0..sealed.len() {
            assert!(key.open(id, &sealed[..length]).is_err());
        }
    }
}
