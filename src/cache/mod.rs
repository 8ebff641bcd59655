//! Sessions and grants, cached so that a revoked right is never honoured again.
//!
//! The rule of the room: a request that starts after a revoking change returned is decided on a state that contains the
//! change, whatever Redis does. An entry is used only while it is proven fresh: no writer is at work on its subjects, every
//! stamp in it is at least its floor, in Redis and in this node's own reading of the database ([`freshness`]), and that
//! reading is at most a second old. Anything else is a miss, and a miss asks the database. An empty, slow or dead Redis
//! changes speed, never answers.
//!
//! What may not enter: the database (it is reached by the traits [`Loader`] and [`StampTail`]), any decision about rights
//! (an entry's facts are opaque bytes here), any other cache of grants.
//!
//! A query reads, a change marks, commits and settles:
//!
//! ```no_run
//! # use gatehouse::cache::*;
//! # async fn example<L: Loader>(grants: Grants<L>, key: GrantKey, now: chrono::DateTime<chrono::Utc>) -> Result<(), LoadError> {
//! let Some(granted) = grants.get(&key, None, now).await? else { return Ok(()) }; // no such credential
//! let _facts = &granted.facts;
//!
//! # let organization = uuid::Uuid::nil();
//! let marked = grants.mark(&[Subject::new(StampKind::Organization, organization)]).await;
//! // … commit, and read from the same transaction which stamps moved …
//! let (moved, committed_at) = (Vec::<Stamp>::new(), grants.freshness().now());
//! grants.settle(marked, &moved, committed_at).await; // from here on nobody uses the old grants
//! # Ok(()) }
//! ```

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

pub mod entry;
pub mod freshness;
pub mod grants;
pub mod key;
pub mod limits;
pub mod machine_time;
pub mod memory;
mod meter;
pub mod none;
pub mod protocol;
pub mod redis;
pub mod single_flight;
pub mod stamp;

pub use self::{
    entry::{EntryCodec, SecretHash},
    freshness::{Follower, Freshness, StampTail, TailBatch},
    grants::{Granted, Grants, Loaded, Loader, Revocation, Settlement, Source},
    key::{FORMAT, GrantKey, KeySpace, Subjects},
    limits::Limits,
    machine_time::{MachineClock, MachineTime, ThisMachine},
    memory::MemoryCache,
    none::NoCache,
    protocol::Answer,
    redis::{Doubt, RedisCache},
    stamp::{Stamp, StampKind, StampVector, Subject},
};

/// Where entries, floors, markers and fill leases are kept. No method fails: a cache that cannot do its part says so, and
/// the caller does without.
#[async_trait]
pub trait GrantCache: fmt::Debug + Send + Sync + 'static {
    /// Whether other processes keep and use entries in it too.
    fn is_shared(&self) -> bool {
        true
    }

    /// Why it may lose what it acknowledged; empty: it does not, `None`: that is not known now.
    fn doubts(&self) -> Option<Vec<Doubt>> {
        Some(Vec::new())
    }

    /// One atomic reading of everything [`protocol::accept`] needs.
    async fn read(&self, key: &GrantKey) -> ReadOutcome;

    /// The right to fill this key, taken *before* the database is read. `None`: do not fill.
    async fn lease(&self, key: &GrantKey) -> Option<LeaseToken>;

    /// Stores an entry, unless the lease is gone, a floor has passed the entry, or a writer is at work. Returns whether it
    /// was stored.
    async fn fill(&self, fill: Fill) -> bool;

    /// Says that a writer is at work on these subjects.
    async fn mark(&self, subjects: &[Subject]) -> Marked;

    /// Raises floors to the committed versions and takes the markers away. Returns whether it is known to have happened.
    async fn settle(&self, marked: Marked, stamps: &[Stamp]) -> Settled;

    /// Takes the markers of a change away that did not happen.
    async fn rolled_back(&self, marked: Marked) {
        let _ = self.settle(marked, &[]).await;
    }
}

/// What reading the cache gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadOutcome {
    /// An answer, which may still be a miss.
    Answer(Answer),
    /// No answer: ask the database, store nothing.
    Bypass(Bypass),
}

/// Why the cache gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bypass {
    /// There is no cache.
    NoCache,
    /// There is no connection, or the cache refused.
    Unreachable,
    /// It did not answer in time.
    Late,
    /// It failed often and is left alone for a moment.
    Resting,
    /// The answer was to another question, or made no sense; the connection is given up.
    Desynchronized,
}

/// The right to fill one key, for [`Limits::lease_ttl`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseToken(String);

impl LeaseToken {
    /// A token, which must be like no other.
    #[must_use]
    pub fn new(unique: impl Into<String>) -> Self {
        Self(unique.into())
    }

    /// What a cache compares.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An entry to be stored.
#[derive(Debug, Clone)]
pub struct Fill {
    /// Where.
    pub key: GrantKey,
    /// The right to do it.
    pub lease: LeaseToken,
    /// What.
    pub entry: Vec<u8>,
    /// The versions it was read from, in the order of [`GrantKey::subjects`].
    pub versions: Vec<i64>,
    /// For how long.
    pub ttl: Duration,
}

/// The markers a change has set. To be handed to `settle` or `rolled_back`; when it is lost (a crash), the markers end by
/// themselves and until then their subjects are read from the database.
#[derive(Debug, Default)]
#[must_use = "settle it after the commit, or roll it back"]
pub struct Marked {
    /// The markers that are known to be set.
    acknowledged: Vec<Subject>,
}

impl Marked {
    /// The markers that a cache knows to be set.
    pub const fn acknowledged_by_cache(subjects: Vec<Subject>) -> Self {
        Self { acknowledged: subjects }
    }

    /// The subjects whose markers are known to be set.
    #[must_use]
    pub fn acknowledged(&self) -> &[Subject] {
        &self.acknowledged
    }
}

/// Whether the cache is known to have taken a change in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Every floor is raised.
    Acknowledged,
    /// Every floor is raised, by a cache that may lose what it acknowledged (a replica takes over, a key is evicted).
    InDoubt,
    /// Unknown: the change must wait until every node has read it from the database.
    Unknown,
}

/// Why the database gave no facts. The request is refused as unavailable, never as forbidden.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LoadError {
    /// The database did not answer.
    #[error("the database is unavailable: {0}")]
    Unavailable(Arc<str>),
    /// It answered, and the answer could not be used.
    #[error("reading grants failed: {0}")]
    Failed(Arc<str>),
}
