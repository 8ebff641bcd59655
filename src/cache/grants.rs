//! The façade: reading grants by the steps R1 to R7, changing them by W1, W4 and W5 (zero-stale.md §4.3, §4.4).

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Fill, Freshness, GrantCache, GrantKey, LeaseToken, Limits, LoadError, MachineTime, Marked, ReadOutcome, SecretHash,
    Settled, Stamp, StampVector, Subject,
    entry::{Entry, EntryCodec},
    meter::{self, Meter, Present, Read},
    protocol::{self, Asked, Verdict},
    single_flight::SingleFlight,
};
use crate::ablate;

/// How many decoded entries are kept, so that the same bytes are not decoded twice.
const DECODED: u64 = 20_000;

/// Reads facts from the database.
pub trait Loader: Send + Sync + 'static {
    /// What is read. Derived forms (a compiled matrix) may live in it behind a `OnceLock` that serde skips: the same value is
    /// handed out again as long as the cache holds the same bytes.
    type Facts: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Everything a decision about this key needs and every stamp it depends on, in *one statement on the primary*. `None`
    /// when there is no such credential or it has ended.
    ///
    /// The statement must be sent after this is called, and the versions must come from the same snapshot as the facts.
    fn load(&self, key: &GrantKey) -> impl Future<Output = Result<Option<Loaded<Self::Facts>>, LoadError>> + Send;
}

/// What a [`Loader`] read.
#[derive(Debug)]
pub struct Loaded<F> {
    /// The facts.
    pub facts: F,
    /// For an API token: the stored hash of its secret.
    pub secret_hash: Option<SecretHash>,
    /// The versions of [`GrantKey::subjects`]; one that is missing counts as 0.
    pub vector: StampVector,
    /// The version of [`GrantKey::content`], where it was read too.
    pub content: Option<i64>,
    /// When the facts end by themselves: the earliest of all expiries in them.
    pub valid_until: Option<DateTime<Utc>>,
    /// The database's own time of the reading.
    pub read_at: DateTime<Utc>,
}

/// What a credential is granted.
#[derive(Debug)]
pub struct Granted<F> {
    /// The facts.
    pub facts: Arc<F>,
    /// The version of what the organization shows, as of this reading: a list remembered at this version or a later one is
    /// still the present one. `None` where it is not known.
    pub content: Option<i64>,
    /// Where the facts came from.
    pub source: Source,
}

/// Where facts came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From an entry that was proven fresh.
    Cache,
    /// From the database, read after the request began.
    Database,
}

/// How a change becomes visible (zero-stale.md §4.6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Revocation {
    /// As soon as a cache acknowledged it that cannot lose it, else as with [`Revocation::Strict`].
    #[default]
    Auto,
    /// As soon as the cache acknowledged it, whatever it may lose afterwards: a cache that does lose it then shows the old rights
    /// for at most [`Limits::freshness`].
    Fast,
    /// Always by waiting until every node has read it from the database.
    Strict,
}

/// How a change has become visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// The cache acknowledged it.
    Acknowledged,
    /// It waited for every node to read it from the database, until this long after the commit.
    Waited(Duration),
}

/// What a [`Grants`] is made of.
#[derive(Debug)]
pub struct GrantsParts<L> {
    /// Reads the database.
    pub loader: L,
    /// Keeps the entries.
    pub cache: Arc<dyn GrantCache>,
    /// Seals and opens entries.
    pub codec: EntryCodec,
    /// This node's reading of moved stamps.
    pub freshness: Arc<Freshness>,
    /// The durations.
    pub limits: Limits,
    /// How changes become visible.
    pub revocation: Revocation,
}

/// Reads and changes grants so that nothing revoked is ever used again. Cheap to clone.
pub struct Grants<L: Loader>(Arc<Inner<L>>);

struct Inner<L: Loader> {
    parts: GrantsParts<L>,
    flights: SingleFlight<GrantKey, Landed<L::Facts>>,
    decoded: Cache<GrantKey, Arc<Decoded<L::Facts>>>,
    fills: AtomicU64,
    meter: Meter,
}

type Landed<F> = Result<Option<Arc<Landing<F>>>, LoadError>;

/// A load that landed, and the right to store it, which the first waiter with the right secret uses.
struct Landing<F> {
    facts: Arc<F>,
    loaded: Loaded<()>,
    lease: std::sync::Mutex<Option<LeaseToken>>,
}

/// An entry whose bytes were decoded before. It is used only for the very same bytes, and those come from the cache and
/// pass [`protocol::accept`] each time: this saves decoding, not checking.
struct Decoded<F> {
    bytes: Vec<u8>,
    entry: Entry,
    facts: Arc<F>,
}

impl<L: Loader> Clone for Grants<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L: Loader> fmt::Debug for Grants<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants").field("cache", &self.0.parts.cache).finish_non_exhaustive()
    }
}

impl<L: Loader> Grants<L> {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: GrantsParts<L>) -> Self {
        let decoded = Cache::builder().max_capacity(DECODED).time_to_live(parts.limits.entry_ttl).build();
        Self(Arc::new(Inner {
            parts,
            flights: SingleFlight::default(),
            decoded,
            fills: AtomicU64::new(0),
            meter: Meter::default(),
        }))
    }

    /// This node's reading of moved stamps, for those who want to hear of changes.
    #[must_use]
    pub fn freshness(&self) -> &Arc<Freshness> {
        &self.0.parts.freshness
    }

    /// What the cache did since this process started, in the text form of `OpenMetrics`.
    #[must_use]
    pub fn metrics(&self) -> String {
        let trusted = self.0.parts.cache.doubts().map(|doubts| doubts.is_empty());
        self.0.meter.text(Present { lease_age: self.freshness().age(), trusted })
    }

    /// What the credential is granted, at this moment or later. `None`: there is no such credential, it has ended, or the
    /// presented secret is not its secret.
    ///
    /// # Errors
    /// When neither a provably fresh entry nor the database had the answer.
    pub async fn get(
        &self,
        key: &GrantKey,
        presented: Option<&SecretHash>,
        now: DateTime<Utc>,
    ) -> Result<Option<Granted<L::Facts>>, LoadError> {
        let fill = match self.0.parts.cache.read(key).await {
            ReadOutcome::Bypass(why) => {
                self.0.meter.read(Read::Bypass(meter::reason(why)));
                false
            }
            ReadOutcome::Answer(answer) => {
                let decoded = answer.entry.as_deref().and_then(|bytes| self.decode(key, bytes));
                let local = self.0.parts.freshness.view(key, self.freshness().now());
                let entry = decoded.as_ref().map(|decoded| &decoded.entry);
                let verdict = protocol::accept(&Asked { key, presented, entry, answer: &answer, local: &local, now });
                match (verdict, decoded) {
                    (Verdict::Accept, Some(decoded)) => {
                        self.0.meter.read(Read::Hit);
                        return Ok(Some(Granted {
                            facts: Arc::clone(&decoded.facts),
                            content: key.content().map(|_| answer.content.max(local.content)),
                            source: Source::Cache,
                        }));
                    }
                    (Verdict::Unauthenticated, _) => {
                        self.0.meter.read(Read::Refused);
                        return Ok(None);
                    }
                    (Verdict::Miss { fill: true }, _) => {
                        self.0.meter.read(Read::Miss);
                        true
                    }
                    (Verdict::Miss { fill: false } | Verdict::Accept, _) => {
                        self.0.meter.read(Read::Bypass(if answer.marked {
                            "writer_at_work"
                        } else {
                            "reading_too_old"
                        }));
                        false
                    }
                }
            }
        };
        let loaded = self.load(key, presented, fill).await;
        if loaded.is_err() {
            self.0.meter.read(Read::Unavailable);
        }
        loaded
    }

    async fn load(
        &self,
        key: &GrantKey,
        presented: Option<&SecretHash>,
        fill: bool,
    ) -> Result<Option<Granted<L::Facts>>, LoadError> {
        let (inner, loaded_key) = (Arc::clone(&self.0), *key);
        let landed = self.0.flights.run(*key, move || async move { inner.load_once(&loaded_key, fill).await }).await;
        let Some(landing) = landed.map_err(|error| LoadError::Failed(error.to_string().into()))?? else {
            return Ok(None);
        };
        if !protocol::same_secret(landing.loaded.secret_hash.as_ref(), presented) {
            self.0.meter.read(Read::Refused);
            return Ok(None);
        }
        let lease = landing.lease.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(lease) = lease {
            let (inner, key, landing) = (Arc::clone(&self.0), *key, Arc::clone(&landing));
            tokio::spawn(async move { inner.fill(key, &landing, lease).await });
        }
        Ok(Some(Granted {
            facts: Arc::clone(&landing.facts),
            content: landing.loaded.content,
            source: Source::Database,
        }))
    }

    fn decode(&self, key: &GrantKey, bytes: &[u8]) -> Option<Arc<Decoded<L::Facts>>> {
        if let Some(known) = self.0.decoded.get(key).filter(|known| known.bytes == bytes) {
            return Some(known);
        }
        let decode = || {
            let entry = self.0.parts.codec.decode(bytes).ok()?;
            let facts = postcard::from_bytes(&entry.payload).ok()?;
            let entry = Entry { payload: Vec::new(), ..entry };
            Some(Arc::new(Decoded { bytes: bytes.to_vec(), entry, facts: Arc::new(facts) }))
        };
        let decoded = decode();
        if let Some(decoded) = &decoded {
            self.0.decoded.insert(*key, Arc::clone(decoded));
        } else {
            tracing::warn!("a cached entry was not written by this deployment; reading the database instead");
        }
        decoded
    }

    /// W1: says that a change to these subjects is under way: the organizations it changes, and the user where it crosses
    /// organizations. Best effort: a change goes on without.
    pub async fn mark(&self, subjects: &[Subject]) -> Marked {
        self.0.parts.cache.mark(subjects).await
    }

    /// W4 and W5: makes a committed change visible. When this returns, no request that starts afterwards uses what the change
    /// took away. `committed_at` is read when the database acknowledged the commit.
    pub async fn settle(&self, marked: Marked, moved: &[Stamp], committed_at: MachineTime) -> Settlement {
        let parts = &self.0.parts;
        let floors = if ablate::off("settle_floor") { &[] } else { moved };
        let settled = parts.cache.settle(marked, floors).await;
        parts.freshness.raise(moved, parts.freshness.now());
        let settlement = match (settled, parts.revocation) {
            (Settled::InDoubt, Revocation::Auto) if ablate::off("doubted_cache") => Settlement::Acknowledged,
            (Settled::Acknowledged, Revocation::Auto | Revocation::Fast) | (Settled::InDoubt, Revocation::Fast) => {
                Settlement::Acknowledged
            }
            (Settled::Acknowledged, Revocation::Strict)
            | (Settled::InDoubt, Revocation::Auto | Revocation::Strict)
            | (Settled::Unknown, _) => self.wait_out(committed_at).await,
        };
        self.0.meter.settled(settlement, parts.freshness.now().boot.saturating_sub(committed_at.boot));
        settlement
    }

    /// W5: waits until every node has read the database after this moment. Where no other process keeps grants, there is nothing
    /// to wait for.
    pub async fn wait_out(&self, committed_at: MachineTime) -> Settlement {
        let parts = &self.0.parts;
        if !parts.cache.is_shared() {
            return Settlement::Acknowledged;
        }
        if ablate::off("revocation_wait") {
            return Settlement::Waited(Duration::ZERO);
        }
        let until = committed_at.boot + parts.limits.freshness + parts.limits.wait_margin;
        loop {
            let now = parts.freshness.now().boot;
            if now >= until {
                return Settlement::Waited(now.saturating_sub(committed_at.boot));
            }
            tokio::time::sleep(until.saturating_sub(now)).await;
        }
    }

    /// Takes the markers of a change away that was rolled back. A change whose outcome is unknown is *not* rolled back:
    /// drop its markers, they end by themselves.
    pub async fn rolled_back(&self, marked: Marked) {
        self.0.parts.cache.rolled_back(marked).await;
    }
}

impl<L: Loader> Inner<L> {
    /// R4 and R5: takes the right to fill, then reads the database.
    async fn load_once(&self, key: &GrantKey, fill: bool) -> Landed<L::Facts> {
        let lease = if fill { self.parts.cache.lease(key).await } else { None };
        Ok(self.parts.loader.load(key).await?.map(|loaded| {
            let Loaded { facts, secret_hash, vector, content, valid_until, read_at } = loaded;
            Arc::new(Landing {
                facts: Arc::new(facts),
                loaded: Loaded { facts: (), secret_hash, vector, content, valid_until, read_at },
                lease: std::sync::Mutex::new(lease),
            })
        }))
    }

    /// R7: stores what was read.
    async fn fill(&self, key: GrantKey, landing: &Landing<L::Facts>, lease: LeaseToken) {
        let loaded = &landing.loaded;
        let longest = self.entry_life();
        let Some(end) = TimeDelta::from_std(longest).ok().and_then(|life| loaded.read_at.checked_add_signed(life))
        else {
            return;
        };
        let valid_until = loaded.valid_until.map_or(end, |ends| ends.min(end));
        let Ok(ttl) = valid_until.signed_duration_since(loaded.read_at).to_std() else { return };
        if ttl < Duration::from_millis(1) {
            return;
        }
        let Ok(payload) = postcard::to_stdvec(landing.facts.as_ref()) else {
            tracing::error!("facts cannot be serialized; they are read from the database each time");
            return;
        };
        let entry = Entry { key, secret_hash: loaded.secret_hash, vector: loaded.vector.clone(), valid_until, payload };
        let Ok(bytes) = self.parts.codec.encode(&entry) else {
            tracing::warn!("an entry is too large to be cached");
            return;
        };
        let versions = key.subjects().iter().map(|subject| loaded.vector.version(*subject)).collect();
        let stored = self.parts.cache.fill(Fill { key, lease, entry: bytes.clone(), versions, ttl }).await;
        self.meter.fill(stored);
        if stored {
            let entry = Entry { payload: Vec::new(), ..entry };
            self.decoded.insert(key, Arc::new(Decoded { bytes, entry, facts: Arc::clone(&landing.facts) }));
        }
    }

    /// How long an entry lives: a little less each time, so that those filled together do not end together.
    fn entry_life(&self) -> Duration {
        let step = u32::try_from(self.fills.fetch_add(1, Ordering::Relaxed) % 64).unwrap_or_default();
        self.parts.limits.entry_ttl.saturating_sub(self.parts.limits.entry_jitter * step / 64)
    }
}
