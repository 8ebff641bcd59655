//! The cache of a process that is alone with its database: the same protocol, with a lock where Redis has its one thread.
//!
//! Floors are raised before the change returns, so nothing is ever trusted that a finished change has passed.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use moka::sync::Cache;

use super::{Answer, Fill, GrantCache, GrantKey, LeaseToken, Limits, Marked, ReadOutcome, Settled, Stamp, Subject};
use crate::ablate;

/// The bytes all entries together may take.
const CAPACITY: u64 = 64 * 1024 * 1024;

/// Leases that may be open at once; a fill without one is not stored, which is safe.
const LEASES: u64 = 100_000;

/// More floors than this, and all entries are dropped instead.
const FLOORS: usize = 1_000_000;

/// Entries, floors, markers and leases in this process.
#[derive(Debug)]
pub struct MemoryCache {
    limits: Limits,
    entries: Cache<GrantKey, Stored>,
    leases: Cache<GrantKey, u64>,
    next_lease: AtomicU64,
    /// Entries are read and written under this lock too, so that each operation is one step to all others.
    state: RwLock<State>,
}

#[derive(Debug, Clone)]
struct Stored {
    bytes: Vec<u8>,
    ends: Instant,
}

#[derive(Debug, Default)]
struct State {
    floors: HashMap<Subject, Until<i64>>,
    markers: HashMap<Subject, Until<u32>>,
    pruned: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Until<T> {
    value: T,
    ends: Instant,
}

impl MemoryCache {
    /// An empty cache.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let entries = Cache::builder()
            .max_capacity(CAPACITY)
            .weigher(|_, stored: &Stored| u32::try_from(stored.bytes.len() + 256).unwrap_or(u32::MAX))
            .time_to_live(limits.entry_ttl)
            .build();
        let leases = Cache::builder().max_capacity(LEASES).time_to_live(limits.lease_ttl).build();
        Self { limits, entries, leases, next_lease: AtomicU64::new(1), state: RwLock::default() }
    }
}

fn alive<T: Copy + Default, K: Eq + Hash>(map: &HashMap<K, Until<T>>, key: &K, now: Instant) -> T {
    map.get(key).filter(|until| until.ends > now).map(|until| until.value).unwrap_or_default()
}

impl State {
    fn unmark(&mut self, subjects: &[Subject]) {
        for subject in subjects {
            if let Some(marker) = self.markers.get_mut(subject) {
                marker.value = marker.value.saturating_sub(1);
                if marker.value == 0 {
                    self.markers.remove(subject);
                }
            }
        }
    }

    /// Drops what has ended, once in a while.
    fn prune(&mut self, now: Instant, every: Duration) {
        if self.pruned.is_none_or(|last| now.saturating_duration_since(last) > every) {
            self.pruned = Some(now);
            self.floors.retain(|_, until| until.ends > now);
            self.markers.retain(|_, until| until.ends > now);
        }
    }
}

#[async_trait]
impl GrantCache for MemoryCache {
    fn is_shared(&self) -> bool {
        false
    }

    async fn read(&self, key: &GrantKey) -> ReadOutcome {
        let now = Instant::now();
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        ReadOutcome::Answer(Answer {
            entry: self.entries.get(key).filter(|stored| stored.ends > now).map(|stored| stored.bytes),
            floors: key.subjects().iter().map(|subject| alive(&state.floors, subject, now)).collect(),
            content: key.content().map_or(0, |subject| alive(&state.floors, &subject, now)),
            marked: key.marked_by().iter().any(|subject| alive(&state.markers, subject, now) > 0),
        })
    }

    async fn lease(&self, key: &GrantKey) -> Option<LeaseToken> {
        let token = self.next_lease.fetch_add(1, Ordering::Relaxed);
        self.leases.insert(*key, token);
        Some(LeaseToken(token.to_string()))
    }

    async fn fill(&self, fill: Fill) -> bool {
        let now = Instant::now();
        // Exclusive, so that no floor and no marker comes between the checks and the insertion.
        let state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let leased = self.leases.get(&fill.key).is_some_and(|token| token.to_string() == fill.lease.0);
        if !leased && !ablate::off("cache_lease_token") {
            return false;
        }
        let subjects = fill.key.subjects();
        let reaches = subjects.len() == fill.versions.len()
            && subjects
                .iter()
                .zip(&fill.versions)
                .all(|(subject, version)| *version >= alive(&state.floors, subject, now));
        let marked = fill.key.marked_by().iter().any(|subject| alive(&state.markers, subject, now) > 0);
        if (!reaches && !ablate::off("cache_floor")) || (marked && !ablate::off("cache_marker")) {
            return false;
        }
        self.entries.insert(fill.key, Stored { bytes: fill.entry, ends: now + fill.ttl });
        self.leases.invalidate(&fill.key);
        true
    }

    async fn mark(&self, subjects: &[Subject]) -> Marked {
        let now = Instant::now();
        let ends = now + self.limits.marker_ttl;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.prune(now, self.limits.floor_life() / 10);
        for subject in subjects {
            let value = alive(&state.markers, subject, now).saturating_add(1);
            state.markers.insert(*subject, Until { value, ends });
        }
        Marked { acknowledged: subjects.to_vec() }
    }

    async fn settle(&self, marked: Marked, stamps: &[Stamp]) -> Settled {
        let now = Instant::now();
        let ends = now + self.limits.floor_life();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for stamp in stamps {
            let value = alive(&state.floors, &stamp.subject(), now).max(stamp.version);
            state.floors.insert(stamp.subject(), Until { value, ends });
        }
        if state.floors.len() > FLOORS {
            // As if restarted: no entry is left that a forgotten floor could refuse, and no open fill may store one.
            self.entries.invalidate_all();
            self.leases.invalidate_all();
            state.floors = HashMap::new();
        }
        state.unmark(&marked.acknowledged);
        Settled::Acknowledged
    }
}
