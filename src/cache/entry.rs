//! The bytes of an entry: what was read, of which versions, for which credential, sealed with a keyed hash.
//!
//! Redis is untrusted storage: whoever can write to it can at most make a request slower. Decoding is total and refuses
//! everything that encoding does not produce.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::{
    key::{FORMAT, GrantKey},
    stamp::{Stamp, StampKind, StampVector},
};
use crate::ablate;

/// The length of the seal: HMAC-SHA-256, truncated to 128 bits.
const SEAL: usize = 16;

/// The largest entry that is stored; a larger answer is read from the database each time.
pub const MAX_ENTRY: usize = 256 * 1024;

/// The SHA-256 of an API token's secret.
pub type SecretHash = [u8; 32];

/// What a cached answer is: everything but where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose grants these are, with every id the credential names.
    pub key: GrantKey,
    /// For an API token: the hash its secret must have.
    pub secret_hash: Option<SecretHash>,
    /// The versions the answer was read from.
    pub vector: StampVector,
    /// When it ends by itself: the earliest expiry of a grant in it, and at the latest its own longest life after it was
    /// read. An old entry that someone puts back is refused by this.
    pub valid_until: DateTime<Utc>,
    /// The facts, opaque to this room.
    pub payload: Vec<u8>,
}

/// Why bytes are not an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The seal does not fit the bytes.
    #[error("the entry's seal is wrong")]
    Seal,
    /// Sealed by us, but not in the form we write.
    #[error("the entry is malformed")]
    Form,
    /// Longer than [`MAX_ENTRY`].
    #[error("the entry is too large")]
    TooLarge,
}

/// Encodes and decodes entries with one key.
#[derive(Clone)]
pub struct EntryCodec {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for EntryCodec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EntryCodec").finish_non_exhaustive()
    }
}

impl EntryCodec {
    /// A codec with the key that the root secret derives for `cache-mac`.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        // HMAC pads a short key with zeros, so this is the key itself.
        Self { mac: Hmac::new(&block) }
    }

    /// The bytes of an entry.
    ///
    /// # Errors
    /// [`EntryError::TooLarge`].
    pub fn encode(&self, entry: &Entry) -> Result<Vec<u8>, EntryError> {
        let mut bytes = Vec::with_capacity(entry.payload.len() + 256);
        bytes.push(FORMAT);
        write_key(&mut bytes, &entry.key);
        match &entry.secret_hash {
            None => bytes.push(0),
            Some(hash) => {
                bytes.push(1);
                bytes.extend_from_slice(hash);
            }
        }
        bytes.push(u8::try_from(entry.vector.len()).map_err(|_| EntryError::TooLarge)?);
        for stamp in entry.vector.iter() {
            bytes.push(stamp.kind.number());
            bytes.extend_from_slice(stamp.id.as_bytes());
            bytes.extend_from_slice(&stamp.version.to_be_bytes());
        }
        bytes.extend_from_slice(&entry.valid_until.timestamp_micros().to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(entry.payload.len()).map_err(|_| EntryError::TooLarge)?.to_be_bytes());
        bytes.extend_from_slice(&entry.payload);
        let seal = self.mac.clone().chain_update(&bytes).finalize().into_bytes();
        bytes.extend(seal.iter().take(SEAL));
        if bytes.len() > MAX_ENTRY { Err(EntryError::TooLarge) } else { Ok(bytes) }
    }

    /// The entry of these bytes.
    ///
    /// # Errors
    /// When the bytes are not exactly what [`EntryCodec::encode`] makes with the same key.
    pub fn decode(&self, bytes: &[u8]) -> Result<Entry, EntryError> {
        if bytes.len() > MAX_ENTRY {
            return Err(EntryError::TooLarge);
        }
        let (body, seal) = bytes.split_last_chunk::<SEAL>().ok_or(EntryError::Form)?;
        let sealed = self.mac.clone().chain_update(body).verify_truncated_left(seal).is_ok();
        if !sealed && !ablate::off("cache_mac") {
            return Err(EntryError::Seal);
        }
        let mut reader = Reader(body);
        let entry = reader.entry().ok_or(EntryError::Form)?;
        if reader.0.is_empty() { Ok(entry) } else { Err(EntryError::Form) }
    }
}

fn write_key(bytes: &mut Vec<u8>, key: &GrantKey) {
    let optional = |bytes: &mut Vec<u8>, id: Option<Uuid>| {
        bytes.push(u8::from(id.is_some()));
        bytes.extend_from_slice(id.unwrap_or_default().as_bytes());
    };
    match *key {
        GrantKey::Session { session, user, organization, member } => {
            bytes.push(b's');
            bytes.extend_from_slice(session.as_bytes());
            bytes.extend_from_slice(user.as_bytes());
            optional(bytes, organization);
            optional(bytes, member);
        }
        GrantKey::ApiToken { token, organization } => {
            bytes.push(b't');
            bytes.extend_from_slice(token.as_bytes());
            bytes.extend_from_slice(organization.as_bytes());
        }
        GrantKey::Principal { principal, organization } => {
            bytes.push(b'm');
            bytes.extend_from_slice(principal.as_bytes());
            bytes.extend_from_slice(organization.as_bytes());
        }
    }
}

/// Reads from the front; every method is `None` when the bytes are not what it reads.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn id(&mut self) -> Option<Uuid> {
        self.array().map(Uuid::from_bytes)
    }

    /// An id that may be absent, told to `into`; an absent one has only zero bytes.
    fn optional_id(&mut self, into: &mut Option<Uuid>) -> Option<()> {
        let present = self.flag()?;
        let id = self.id()?;
        *into = present.then_some(id);
        (present || id.is_nil()).then_some(())
    }

    fn key(&mut self) -> Option<GrantKey> {
        Some(match self.byte()? {
            b's' => {
                let (session, user, mut organization, mut member) = (self.id()?, self.id()?, None, None);
                self.optional_id(&mut organization)?;
                self.optional_id(&mut member)?;
                GrantKey::Session { session, user, organization, member }
            }
            b't' => GrantKey::ApiToken { token: self.id()?, organization: self.id()? },
            b'm' => GrantKey::Principal { principal: self.id()?, organization: self.id()? },
            _ => return None,
        })
    }

    fn vector(&mut self) -> Option<StampVector> {
        let count = self.byte()?;
        let mut stamps = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let kind = StampKind::from_number(i64::from(self.byte()?))?;
            let stamp = Stamp::new(kind, self.id()?, i64::from_be_bytes(self.array()?));
            if stamps.last().is_some_and(|last: &Stamp| last.subject() >= stamp.subject()) {
                return None;
            }
            stamps.push(stamp);
        }
        Some(StampVector::new(stamps))
    }

    fn entry(&mut self) -> Option<Entry> {
        if self.byte()? != FORMAT {
            return None;
        }
        let key = self.key()?;
        let secret_hash = if self.flag()? { Some(self.array()?) } else { None };
        let vector = self.vector()?;
        let valid_until = DateTime::from_timestamp_micros(i64::from_be_bytes(self.array()?))?;
        let length = usize::try_from(u32::from_be_bytes(self.array()?)).ok()?;
        let (payload, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Entry { key, secret_hash, vector, valid_until, payload: payload.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let id = Uuid::from_u128;
        Entry {
            key: GrantKey::Session { session: id(1), user: id(2), organization: Some(id(3)), member: None },
            secret_hash: Some([7; 32]),
            vector: StampVector::new([Stamp::new(StampKind::User, id(2), 4), Stamp::new(StampKind::Session, id(1), 9)]),
            valid_until: DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap(),
            payload: b"facts".to_vec(),
        }
    }

    #[test]
    fn an_entry_comes_back_as_it_was() {
        let codec = EntryCodec::new(&[1; 32]);
        let bytes = codec.encode(&entry()).unwrap();
        assert_eq!(codec.decode(&bytes), Ok(entry()));
    }

    #[test]
    fn another_key_refuses_it() {
        let bytes = EntryCodec::new(&[1; 32]).encode(&entry()).unwrap();
        assert_eq!(EntryCodec::new(&[2; 32]).decode(&bytes), Err(EntryError::Seal));
    }

    #[test]
    fn a_sealed_body_of_another_form_is_refused() {
        let codec = EntryCodec::new(&[1; 32]);
        let good = codec.encode(&entry()).unwrap();
        let body = &good[..good.len() - SEAL];
        let seal = |body: &[u8]| {
            let mut bytes = body.to_vec();
            bytes.extend(codec.mac.clone().chain_update(body).finalize().into_bytes().iter().take(SEAL));
            bytes
        };
        assert_eq!(codec.decode(&seal(&[body, &[0]].concat())), Err(EntryError::Form));
        for end in 0..body.len() {
            assert_eq!(codec.decode(&seal(&body[..end])), Err(EntryError::Form), "cut at {end}");
        }
        let mut foreign = body.to_vec();
        foreign[0] = FORMAT + 1;
        assert_eq!(codec.decode(&seal(&foreign)), Err(EntryError::Form));
    }

    #[test]
    fn too_large_an_entry_is_never_made() {
        let large = Entry { payload: vec![0; MAX_ENTRY], ..entry() };
        assert_eq!(EntryCodec::new(&[1; 32]).encode(&large), Err(EntryError::TooLarge));
    }
}
