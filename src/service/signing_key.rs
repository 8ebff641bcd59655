//! Signing keys: made one after another, known everywhere before they sign, believed for a while after, and then never again.
//!
//! ```text
//!  made, published ─▶ PUBLISHED_BEFORE ─▶ signs ─▶ the next one signs ─▶ grace ─▶ retired
//! ```
//!
//! The database holds when each key counts, and no key: it is derived from the root secret and the row's id.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Change, Service, ServiceError, Work};
use crate::{
    access::{SystemTask, verb::RotateSigningKey},
    id::new_id,
    identity::{KeyPeriod, SigningKeys},
    store::{self, StoreError, WriteScope, signing_key::SigningKey},
};

/// How long a key is published before it signs: longer than gateways take to read it, and than the published keys may be cached.
pub const PUBLISHED_BEFORE: TimeDelta = TimeDelta::minutes(10);
/// How long a key is believed after the next one signs: longer than its last token lives, on gateways whose clocks differ.
pub const GRACE: TimeDelta = TimeDelta::minutes(60);
/// The least grace: the longest life of an access token, and five minutes for the clocks.
pub const LEAST_GRACE_MINUTES: i64 = 36;

/// How one key follows another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Nobody is signed out: the next key is published first, and the present one is believed for this long after.
    Planned {
        /// The grace.
        grace: TimeDelta,
    },
    /// The present keys are in the wrong hands: the next one signs now, and nothing that was signed before is believed.
    AtOnce,
}

/// How far a key has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published, and not yet signing.
    Next,
    /// Signing.
    Signing,
    /// Still believed.
    Grace,
    /// Believed no more.
    Retired,
}

/// A signing key as an operator is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// When it counts.
    pub key: SigningKey,
    /// Its name in tokens (`kid`).
    pub name: String,
    /// How far it has come.
    pub state: KeyState,
}

fn period(key: &SigningKey) -> KeyPeriod {
    KeyPeriod { id: key.id, signs_from: key.signs_from, retires_at: key.retires_at }
}

/// The key after these.
fn next(keys: &[SigningKey], signs_from: DateTime<Utc>, now: DateTime<Utc>) -> SigningKey {
    let generation = keys.last().map_or(0, |key| key.generation).saturating_add(1);
    SigningKey { id: new_id(), generation, created_at: now, signs_from, retires_at: None }
}

/// Writes the next key down.
async fn write(work: &Work<'_>, keys: &[SigningKey], rotation: Rotation) -> Result<(), ServiceError> {
    let (signs_from, old_end) = match rotation {
        Rotation::Planned { grace } => {
            let signs_from = work.now + PUBLISHED_BEFORE;
            (signs_from, signs_from + grace)
        }
        Rotation::AtOnce => (work.now, work.now),
    };
    let new = next(keys, signs_from, work.now);
    let permit = work.authorize::<RotateSigningKey>(None)?;
    match store::signing_key::rotate(work.tx, permit, new, old_end).await {
        Err(StoreError::Conflict { .. }) => Err(ServiceError::Conflict("another gateway makes the next key")),
        written => Ok(written?),
    }
}

impl Service {
    /// Makes the first key where there is none, and reads what there is. To be called before anything is signed.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn prepare_signing_keys(&self) -> Result<(), ServiceError> {
        if store::signing_key::list(&self.store().read()).await?.is_empty() {
            let change = Change::by_system("rotateSigningKey", SystemTask::Expiry, WriteScope::default());
            let made = self.mutate(change, |work| {
                Box::pin(async move {
                    let keys = store::signing_key::list(work.tx).await?;
                    if keys.is_empty() { write(work, &keys, Rotation::AtOnce).await } else { Ok(()) }
                })
            });
            match made.await {
                // Of gateways that start at once, one makes it and all use it.
                Ok(_) | Err(ServiceError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.read_signing_keys().await
    }

    /// Reads the keys again, and uses them from now on. Nothing is asked for by a token's header: an unknown key costs no I/O.
    ///
    /// # Errors
    /// When the database cannot say; what was read before is used further.
    pub async fn read_signing_keys(&self) -> Result<(), ServiceError> {
        let (now, keys) = (self.now(), store::signing_key::list(&self.store().read()).await?);
        let live = keys.iter().filter(|key| key.retires_at.is_none_or(|end| now < end));
        let periods: Vec<KeyPeriod> = live.map(period).collect();
        let keys = SigningKeys::derived(self.key_root(), &periods);
        self.tokens().replace_keys(keys.map_err(|error| ServiceError::Internal(error.into()))?);
        Ok(())
    }

    /// Makes the next key. For an operator at the command line.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] when another gateway makes one at this moment.
    pub async fn rotate_signing_key(&self, rotation: Rotation) -> Result<(), ServiceError> {
        let change = Change::by_system("rotateSigningKey", SystemTask::Operator, WriteScope::default());
        let rotated = self.mutate(change, move |work| {
            Box::pin(async move {
                let keys = store::signing_key::list(work.tx).await?;
                write(work, &keys, rotation).await
            })
        });
        rotated.await?;
        self.read_signing_keys().await
    }

    /// Makes the next key when the newest will have signed for so long by the time the next one does; whether it did. For the
    /// system task [`SystemTask::Expiry`]; any number of gateways may ask at once.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn rotate_signing_key_when_due(&self, every: TimeDelta) -> Result<bool, ServiceError> {
        let is_due = move |keys: &[SigningKey], now: DateTime<Utc>| {
            keys.last().is_none_or(|newest| newest.signs_from + every <= now + PUBLISHED_BEFORE)
        };
        if !is_due(&store::signing_key::list(&self.store().read()).await?, self.now()) {
            return Ok(false);
        }
        let change = Change::by_system("rotateSigningKey", SystemTask::Expiry, WriteScope::default());
        let rotated = self.mutate(change, move |work| {
            Box::pin(async move {
                let keys = store::signing_key::list(work.tx).await?;
                if !is_due(&keys, work.now) {
                    return Ok(false);
                }
                write(work, &keys, Rotation::Planned { grace: GRACE }).await?;
                Ok(true)
            })
        });
        match rotated.await {
            Ok(changed) => Ok(changed.value),
            Err(ServiceError::Conflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Every key there was and is, the oldest first. For an operator at the command line.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn list_signing_keys(&self) -> Result<Vec<ListedKey>, ServiceError> {
        let (now, keys) = (self.now(), store::signing_key::list(&self.store().read()).await?);
        let periods: Vec<KeyPeriod> = keys.iter().map(period).collect();
        let derived = SigningKeys::derived(self.key_root(), &periods);
        let derived = derived.map_err(|error| ServiceError::Internal(error.into()))?;
        let signing = derived.signing_id(now);
        let listed = keys.iter().zip(derived.names()).map(|(key, (_, name))| {
            let state = if key.retires_at.is_some_and(|end| end <= now) {
                KeyState::Retired
            } else if signing == Some(name) {
                KeyState::Signing
            } else if key.signs_from > now {
                KeyState::Next
            } else {
                KeyState::Grace
            };
            ListedKey { key: *key, name: name.to_owned(), state }
        });
        Ok(listed.collect())
    }
}
