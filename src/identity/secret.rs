//! The one root secret, from which every key is derived, the same on every node.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The least length of a secret that is given as text, in bytes.
pub const MIN_LENGTH: usize = 32;

/// The least number of different bytes in it; 32 random hexadecimal digits have 8 or fewer once in 10 000.
const MIN_DISTINCT: usize = 8;

/// Words that are in secrets which were copied from somewhere.
const WELL_KNOWN: [&str; 10] = [
    "changeme",
    "change-me",
    "change_me",
    "secret",
    "password",
    "default",
    "example",
    "gatehouse",
    "1234567890",
    "qwerty",
];

/// The root secret. It is wiped from memory when dropped and never shown.
pub struct RootSecret(Zeroizing<Vec<u8>>);

/// Why a secret is refused. Each message names the way out.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is none.
    #[error(
        "GATEHOUSE_SECRET is empty: set it to 32 or more random characters (`openssl rand -hex 32`), or leave it unset to use a file"
    )]
    Empty,
    /// Too short.
    #[error("the secret has {0} bytes, at least 32 are needed: make one with `openssl rand -hex 32`")]
    Short(usize),
    /// Long enough, and easy to guess.
    #[error(
        "the secret looks like a default or a pattern, not like a random value: make one with `openssl rand -hex 32`"
    )]
    Guessable,
    /// Others can read the file.
    #[error(
        "the secret file `{path}` can be read by others (mode {mode:03o}): run `chmod 600 {path}`, and replace the secret if others had access"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a plain file.
    #[error("`{0}` is not a regular file: name a file that holds the secret and nothing else")]
    NotAFile(PathBuf),
    /// It cannot be read or written.
    #[error("the secret file `{path}` cannot be used: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl std::fmt::Debug for RootSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootSecret(…)")
    }
}

impl RootSecret {
    /// The secret given as text (`GATEHOUSE_SECRET`); surrounding white space is not part of it.
    ///
    /// # Errors
    /// When it is empty, short, a well-known default or a pattern.
    pub fn from_text(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        if text.len() < MIN_LENGTH {
            return Err(SecretError::Short(text.len()));
        }
        if is_guessable(text) {
            return Err(SecretError::Guessable);
        }
        Ok(Self(Zeroizing::new(text.as_bytes().to_vec())))
    }

    /// The secret in this file, which only its owner may read; a new random one where there is no file yet. Of several
    /// processes that start at once, one makes the file and all use it.
    ///
    /// # Errors
    /// When the file cannot be used, others can read it, or what is in it is no good.
    pub fn from_file(path: &Path, rng: &mut impl CryptoRng) -> Result<Self, SecretError> {
        let failed = |source| SecretError::File { path: path.to_owned(), source };
        match File::open(path) {
            Ok(file) => return Self::read(path, file),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let mut random = Zeroizing::new([0_u8; 32]);
        rng.fill_bytes(random.as_mut_slice());
        let text = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(random.as_slice()));

        // Whole or not at all: written beside, then linked to its name, which fails when somebody else was first.
        // The name is random because process ids are not unique across the containers that share a folder.
        let mut draft_name = path.as_os_str().to_owned();
        draft_name.push(format!(".{:016x}.new", rng.next_u64()));
        let draft = PathBuf::from(draft_name);
        let made = write_private(&draft, text.as_bytes()).and_then(|()| match std::fs::hard_link(&draft, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            other => other,
        });
        let removed = std::fs::remove_file(&draft);
        made.and(removed).map_err(failed)?;
        Self::read(path, File::open(path).map_err(failed)?)
    }

    fn read(path: &Path, mut file: File) -> Result<Self, SecretError> {
        let failed = |source| SecretError::File { path: path.to_owned(), source };
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(SecretError::NotAFile(path.to_owned()));
        }
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SecretError::Exposed { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        Read::by_ref(&mut file).take(4096).read_to_string(&mut text).map_err(failed)?;
        Self::from_text(&text)
    }

    /// The key for one purpose: HKDF-SHA-256 with the label as its information. Keys of different labels tell nothing about
    /// each other or about the secret.
    #[must_use]
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0_u8; 32]);
        let expanded =
            Hkdf::<Sha256>::new(Some(b"gatehouse root secret"), &self.0).expand(label.as_bytes(), key.as_mut_slice());
        // INVARIANT: HKDF-SHA-256 gives up to 8160 bytes; 32 never fail.
        debug_assert!(expanded.is_ok());
        key
    }
}

fn write_private(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn is_guessable(text: &str) -> bool {
    let bytes = text.as_bytes();
    let lower = text.to_ascii_lowercase();
    let distinct = bytes.iter().collect::<std::collections::HashSet<_>>().len();
    let repeats = (1..=bytes.len() / 2).any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(a, b)| a == b));
    let counts =
        bytes.windows(2).filter(|pair| matches!(pair, [a, b] if b.wrapping_sub(*a) == 1)).count() > bytes.len() / 2;
    distinct < MIN_DISTINCT || repeats || counts || WELL_KNOWN.iter().any(|word| lower.contains(word))
}
