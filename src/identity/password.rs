//! Passwords: argon2id, off the async threads, with bounded concurrency, and at the same cost for accounts that do not exist.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};
use zeroize::Zeroizing;

use crate::ablate;

/// The shortest password, in characters (code points: NIST SP 800-63B, 3.1.1.2).
pub const MIN_LENGTH: usize = 8;

/// The longest password, in bytes; a longer one is refused before any work is done (G10).
pub const MAX_LENGTH: usize = 1024;

/// A password in the clear, of a length that may be hashed. Wiped when dropped, never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a password cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordPolicyError {
    /// Shorter than [`MIN_LENGTH`].
    #[error("the password is too short: use at least 8 characters")]
    TooShort,
    /// Longer than [`MAX_LENGTH`].
    #[error("the password is too long: use at most 1024 bytes")]
    TooLong,
}

/// Why a password could not be hashed or verified now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many sign-ins at once.
    #[error("too many sign-ins at once; try again in a few seconds")]
    Busy,
    /// The parameters are not usable, or hashing failed.
    #[error("passwords cannot be hashed with these parameters")]
    Parameters,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    /// A password that somebody chooses.
    ///
    /// # Errors
    /// When it breaks the policy.
    pub fn choose(text: String) -> Result<Self, PasswordPolicyError> {
        let password = Self::present(text)?;
        if password.0.chars().count() < MIN_LENGTH { Err(PasswordPolicyError::TooShort) } else { Ok(password) }
    }

    /// A password that somebody signs in with. A short one is only wrong, as it may be older than the policy.
    ///
    /// # Errors
    /// When it is too long to be anybody's.
    pub fn present(text: String) -> Result<Self, PasswordPolicyError> {
        let text = Zeroizing::new(text);
        let too_long = text.len() > MAX_LENGTH && !ablate::off("password_length");
        if too_long { Err(PasswordPolicyError::TooLong) } else { Ok(Self(text)) }
    }

    /// What is hashed: every byte of it, unlike bcrypt's first 72 (G10).
    fn bytes(&self) -> &[u8] {
        let bytes = self.0.as_bytes();
        if ablate::off("whole_password") { bytes.get(..72).unwrap_or(bytes) } else { bytes }
    }
}

/// How passwords are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordOptions {
    /// Memory per run, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// Runs at once; the number of cores.
    pub concurrency: usize,
    /// How long a sign-in waits for its turn.
    pub longest_wait: Duration,
}

impl Default for PasswordOptions {
    /// What OWASP recommends for argon2id (19 MiB, two passes, one lane), on every core.
    fn default() -> Self {
        Self {
            memory_kib: Params::DEFAULT_M_COST,
            iterations: Params::DEFAULT_T_COST,
            parallelism: Params::DEFAULT_P_COST,
            concurrency: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            longest_wait: Duration::from_secs(5),
        }
    }
}

/// Hashes and verifies passwords.
#[derive(Debug)]
pub struct Passwords {
    params: Params,
    turns: Arc<Semaphore>,
    longest_wait: Duration,
    /// A hash of no password, for accounts that have none.
    nobody: Arc<str>,
    runs: Arc<AtomicU64>,
}

impl Passwords {
    /// Passwords hashed with these options.
    ///
    /// # Errors
    /// [`PasswordError::Parameters`].
    pub fn new(options: PasswordOptions) -> Result<Self, PasswordError> {
        let PasswordOptions { memory_kib, iterations, parallelism, concurrency, longest_wait } = options;
        let params = Params::new(memory_kib, iterations, parallelism, None).map_err(|_| PasswordError::Parameters)?;
        // Right in form and parameters, made without a run; that some password hashes to 32 zero bytes is not to be feared.
        let nobody = format!(
            "$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}$bm9ib2R5J3Mgc2FsdA${}",
            "A".repeat(43)
        );
        PasswordHash::new(&nobody).map_err(|_| PasswordError::Parameters)?;
        Ok(Self {
            params,
            turns: Arc::new(Semaphore::new(if ablate::off("password_turns") {
                Semaphore::MAX_PERMITS
            } else {
                concurrency.max(1)
            })),
            longest_wait,
            nobody: nobody.into(),
            runs: Arc::default(),
        })
    }

    /// How often argon2 has run, so that a test can show that two refusals cost the same.
    #[must_use]
    pub fn argon2_runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// The hash of a password, as a PHC string.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when its turn does not come in time.
    pub async fn hash(&self, password: Password) -> Result<String, PasswordError> {
        self.run(move |argon2| argon2.hash_password(password.bytes()).map(|hash| hash.to_string()))
            .await?
            .map_err(|_| PasswordError::Parameters)
    }

    /// Whether the password is that of the hash. Without a hash (no such account, or one without a password) the answer is no,
    /// after exactly as much work (G8).
    ///
    /// # Errors
    /// [`PasswordError::Busy`] when its turn does not come in time.
    pub async fn verify(&self, hash: Option<&str>, password: Password) -> Result<bool, PasswordError> {
        if hash.is_none() && ablate::off("equal_time_sign_in") {
            return Ok(false);
        }
        let readable = hash.filter(|hash| PasswordHash::new(hash).is_ok());
        if readable.is_none() && hash.is_some() {
            tracing::error!(
                "a stored password hash is unreadable; the account cannot sign in until its password is reset"
            );
        }
        let expected: Arc<str> = readable.map_or_else(|| Arc::clone(&self.nobody), Into::into);
        let matches = self
            .run(move |argon2| {
                PasswordHash::new(&expected).is_ok_and(|hash| argon2.verify_password(password.bytes(), &hash).is_ok())
            })
            .await?;
        Ok(matches && readable.is_some())
    }

    /// Whether a hash was made with other parameters than today's and should be made anew at the next sign-in.
    #[must_use]
    pub fn is_outdated(&self, hash: &str) -> bool {
        let today = PasswordHash::new(&self.nobody).map(|hash| (hash.algorithm, hash.version, hash.params));
        let then = PasswordHash::new(hash).map(|hash| (hash.algorithm, hash.version, hash.params));
        !matches!((today, then), (Ok(today), Ok(then)) if today == then)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'_>) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = timeout(self.longest_wait, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(PasswordError::Busy) };
        let (params, runs) = (self.params.clone(), Arc::clone(&self.runs));
        let done = spawn_blocking(move || {
            // Kept until the work is done, even when nobody waits for it any more.
            let _turn = turn;
            runs.fetch_add(1, Ordering::Relaxed);
            work(&Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
        });
        done.await.map_err(|_| PasswordError::Parameters)
    }
}
