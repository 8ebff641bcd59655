//! A database that holds one fact per key (its version) and the stamps, and the nodes that read it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use gatehouse::{
    cache::{
        EntryCodec, Follower, Freshness, GrantCache, GrantKey, Grants, Limits, LoadError, Loaded, Loader, MachineTime,
        MemoryCache, NoCache, RedisCache, Revocation, SecretHash, Settlement, Stamp, StampKind, StampTail, StampVector,
        Subject, TailBatch, grants::GrantsParts, redis::RedisOptions,
    },
    clock::{Clock, SystemClock},
    id::new_id,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is granted: the version of the last change that is contained in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    pub(super) version: i64,
}

#[derive(Debug, Default)]
struct State {
    versions: HashMap<Subject, i64>,
    /// Every moved stamp, in the order of commits.
    moved: Vec<Stamp>,
    secrets: HashMap<GrantKey, SecretHash>,
    gone: bool,
}

/// The truth.
#[derive(Debug, Default)]
pub(super) struct Database {
    state: Mutex<State>,
    pub(super) loads: AtomicU64,
    /// How long a load takes after it has read.
    pub(super) slowness: Mutex<Duration>,
}

pub(super) fn now() -> DateTime<Utc> {
    SystemClock.now()
}

impl Database {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Commits a change to these subjects; the stamps it moved.
    pub(super) fn commit(&self, subjects: &[Subject]) -> Vec<Stamp> {
        let mut state = self.state.lock().unwrap();
        let mut stamps = Vec::new();
        for subject in subjects {
            let version = state.versions.entry(*subject).or_default();
            *version += 1;
            stamps.push(Stamp::new(subject.kind, subject.id, *version));
        }
        state.moved.extend(&stamps);
        stamps
    }

    pub(super) fn set_secret(&self, key: GrantKey, hash: SecretHash) {
        self.state.lock().unwrap().secrets.insert(key, hash);
    }

    pub(super) fn set_gone(&self, gone: bool) {
        self.state.lock().unwrap().gone = gone;
    }

    pub(super) fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    fn check(state: &State) -> Result<(), LoadError> {
        if state.gone { Err(LoadError::Unavailable("gone".into())) } else { Ok(()) }
    }
}

/// Reads the database.
#[derive(Debug, Clone)]
pub(super) struct Reading(pub(super) Arc<Database>);

impl Loader for Reading {
    type Facts = Facts;

    async fn load(&self, key: &GrantKey) -> Result<Option<Loaded<Facts>>, LoadError> {
        self.0.loads.fetch_add(1, Ordering::SeqCst);
        let loaded = {
            let state = self.0.state.lock().unwrap();
            Database::check(&state)?;
            let stamps: Vec<_> = key
                .subjects()
                .iter()
                .map(|s| Stamp::new(s.kind, s.id, state.versions.get(s).copied().unwrap_or(0)))
                .collect();
            Loaded {
                facts: Facts { version: stamps.iter().map(|stamp| stamp.version).sum() },
                secret_hash: state.secrets.get(key).copied(),
                vector: StampVector::new(stamps),
                content: key.content().map(|s| state.versions.get(&s).copied().unwrap_or(0)),
                valid_until: None,
                read_at: now(),
            }
        };
        let slowness = *self.0.slowness.lock().unwrap();
        tokio::time::sleep(slowness).await;
        Ok(Some(loaded))
    }
}

#[async_trait]
impl StampTail for Reading {
    async fn poll(&self, after: Option<&str>, _window: Duration) -> Result<Option<TailBatch>, LoadError> {
        let state = self.0.state.lock().unwrap();
        Database::check(&state)?;
        let from: usize = after.map_or(0, |position| position.parse().unwrap());
        Ok(Some(TailBatch { stamps: state.moved[from..].to_vec(), position: state.moved.len().to_string() }))
    }
}

/// One gateway.
pub(super) struct Node {
    pub(super) grants: Grants<Reading>,
    pub(super) cache: Arc<dyn GrantCache>,
    database: Arc<Database>,
    follower: Option<Follower>,
}

impl Node {
    fn new(database: &Arc<Database>, cache: Arc<dyn GrantCache>, freshness: Arc<Freshness>, limits: Limits) -> Self {
        let parts = GrantsParts {
            loader: Reading(Arc::clone(database)),
            cache: Arc::clone(&cache),
            codec: EntryCodec::new(&[9; 32]),
            freshness,
            limits,
            revocation: Revocation::Auto,
        };
        Self { grants: Grants::new(parts), cache, database: Arc::clone(database), follower: None }
    }

    /// A gateway that is alone.
    pub(super) fn in_process(database: &Arc<Database>) -> Self {
        let cache = Arc::new(MemoryCache::new(limits()));
        Self::new(database, cache, Freshness::alone(limits()), limits())
    }

    /// A gateway without a cache.
    pub(super) fn without_cache(database: &Arc<Database>) -> Self {
        Self::new(database, Arc::new(NoCache), Freshness::leased(limits()), limits())
    }

    /// A gateway with a Redis that does not read the database's stamps.
    pub(super) fn not_following(database: &Arc<Database>, url: &str) -> Self {
        Self::trusting(database, url, None)
    }

    /// The same, of a Redis for which these authorities vouch.
    fn trusting(database: &Arc<Database>, url: &str, authorities: Option<Vec<u8>>) -> Self {
        let (url, deployment) = (url.to_owned(), "test".to_owned());
        let options = RedisOptions { url, authorities, deployment, process: new_id(), limits: limits() };
        let cache = Arc::new(RedisCache::open(options).unwrap());
        Self::new(database, cache, Freshness::leased(limits()), limits())
    }

    /// A gateway with a Redis.
    pub(super) async fn with_redis(database: &Arc<Database>, url: &str) -> Self {
        Self::with_trusted_redis(database, url, None).await
    }

    /// A gateway with a Redis for which these authorities vouch.
    pub(super) async fn with_trusted_redis(database: &Arc<Database>, url: &str, authorities: Option<Vec<u8>>) -> Self {
        let mut node = Self::trusting(database, url, authorities);
        node.follower = Some(node.grants.freshness().follow(Arc::new(Reading(Arc::clone(database)))));
        node.connected().await;
        node
    }

    pub(super) async fn connected(&self) {
        for _ in 0..400 {
            let fresh = self.grants.freshness().view(&session(), MachineTime::read()).fresh;
            let read = self.cache.read(&session()).await;
            if fresh && matches!(read, gatehouse::cache::ReadOutcome::Answer(_)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the node did not connect");
    }

    /// Stops reading the database's stamps.
    pub(super) fn unfollow(&mut self) {
        self.follower = None;
    }

    /// The version this node decides on.
    pub(super) async fn version(&self, key: &GrantKey) -> i64 {
        self.grants.get(key, None, now()).await.unwrap().unwrap().facts.version
    }

    /// Reads until the answer comes from the cache.
    pub(super) async fn warm(&self, key: &GrantKey) {
        for _ in 0..200 {
            let granted = self.grants.get(key, None, now()).await.unwrap().unwrap();
            if granted.source == gatehouse::cache::Source::Cache {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the entry was never filled");
    }

    /// A whole change: mark, commit, settle.
    pub(super) async fn change(&self, subjects: &[Subject]) -> Settlement {
        let marked = self.grants.mark(&[organization()]).await;
        let moved = self.database.commit(subjects);
        self.grants.settle(marked, &moved, MachineTime::read()).await
    }
}

/// Limits for a slow and busy machine; the relations that the proof needs are kept.
pub(super) fn limits() -> Limits {
    let limits = Limits {
        freshness: Duration::from_millis(800),
        poll_every: Duration::from_millis(50),
        read_deadline: Duration::from_millis(400),
        ..Limits::default()
    };
    assert!(limits.are_sound());
    limits
}

pub(super) const ORGANIZATION: Uuid = Uuid::from_u128(3);
const USER: Uuid = Uuid::from_u128(2);

pub(super) fn session() -> GrantKey {
    let (session, member) = (Uuid::from_u128(1), Some(Uuid::from_u128(4)));
    GrantKey::Session { session, user: USER, organization: Some(ORGANIZATION), member }
}

pub(super) fn token() -> GrantKey {
    GrantKey::ApiToken { token: Uuid::from_u128(5), organization: ORGANIZATION }
}

pub(super) fn organization() -> Subject {
    Subject::new(StampKind::Organization, ORGANIZATION)
}

pub(super) fn user() -> Subject {
    Subject::new(StampKind::User, USER)
}

/// How often to repeat what is repeated.
pub(super) fn scaled(count: u64) -> u64 {
    count * std::env::var("GATEHOUSE_TEST_SCALE").ok().and_then(|scale| scale.parse().ok()).unwrap_or(1)
}
