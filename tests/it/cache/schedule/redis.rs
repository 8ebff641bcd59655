//! A Redis in this process: its two scripts and its keys with their ends, and every way to lose them.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard},
    time::{Duration, Instant},
};

use gatehouse::{
    ablate,
    cache::{Answer, Fill, GrantKey, Limits, Stamp, Subject},
};

#[derive(Debug, Clone)]
struct Held<T> {
    value: T,
    ends: Instant,
}

/// What the server holds in memory.
#[derive(Debug, Clone, Default)]
struct Memory {
    entries: HashMap<GrantKey, Held<Vec<u8>>>,
    floors: HashMap<Subject, Held<i64>>,
    markers: HashMap<Subject, Held<u32>>,
    leases: HashMap<GrantKey, Held<String>>,
}

/// The server.
#[derive(Debug)]
pub(super) struct Redis {
    limits: Limits,
    memory: Mutex<Memory>,
    saved: Mutex<Option<Memory>>,
}

fn alive<K: Eq + Hash, T: Clone>(map: &HashMap<K, Held<T>>, key: &K) -> Option<T> {
    map.get(key).filter(|held| held.ends > Instant::now()).map(|held| held.value.clone())
}

fn hold<K: Eq + Hash, T>(map: &mut HashMap<K, Held<T>>, key: K, value: T, life: Duration) {
    map.insert(key, Held { value, ends: Instant::now() + life });
}

impl Redis {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, memory: Mutex::default(), saved: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    pub(super) fn read(&self, key: &GrantKey) -> Answer {
        let memory = self.memory();
        let floor = |subject: &Subject| alive(&memory.floors, subject).unwrap_or(0);
        Answer {
            entry: alive(&memory.entries, key),
            floors: key.subjects().iter().map(floor).collect(),
            content: key.content().as_ref().map_or(0, floor),
            marked: key.marked_by().iter().any(|subject| alive(&memory.markers, subject).is_some()),
        }
    }

    pub(super) fn lease(&self, key: GrantKey, token: String) {
        hold(&mut self.memory().leases, key, token, self.limits.lease_ttl);
    }

    /// The script `FILL`.
    pub(super) fn fill(&self, fill: &Fill) -> bool {
        let mut memory = self.memory();
        let leased = alive(&memory.leases, &fill.key).is_some_and(|token| token == fill.lease.as_str());
        let mut below = fill
            .key
            .subjects()
            .iter()
            .zip(&fill.versions)
            .map(|(subject, version)| (*subject, *version))
            .collect::<Vec<_>>();
        below.retain(|(subject, version)| alive(&memory.floors, subject).is_some_and(|floor| floor > *version));
        let marked = fill.key.marked_by().iter().any(|subject| alive(&memory.markers, subject).is_some());
        if (!leased && !ablate::off("cache_lease_token")) || !below.is_empty() || marked {
            return false;
        }
        hold(&mut memory.entries, fill.key, fill.entry.clone(), fill.ttl);
        memory.leases.remove(&fill.key);
        true
    }

    pub(super) fn mark(&self, subjects: &[Subject]) {
        let mut memory = self.memory();
        for subject in subjects {
            let count = alive(&memory.markers, subject).unwrap_or(0) + 1;
            hold(&mut memory.markers, *subject, count, self.limits.marker_ttl);
        }
    }

    /// The script `SETTLE`.
    pub(super) fn settle(&self, stamps: &[Stamp], markers: &[Subject]) {
        let mut memory = self.memory();
        let life = if ablate::off("floor_life") { self.limits.lease_ttl } else { self.limits.floor_ttl };
        for stamp in stamps {
            let floor = alive(&memory.floors, &stamp.subject()).unwrap_or(0).max(stamp.version);
            hold(&mut memory.floors, stamp.subject(), floor, life);
        }
        for subject in markers {
            match alive(&memory.markers, subject) {
                Some(count) if count > 1 => memory.markers.get_mut(subject).unwrap().value = count - 1,
                Some(_) | None => drop(memory.markers.remove(subject)),
            }
        }
    }

    /// It was emptied, or it restarted with nothing.
    pub(super) fn wipe(&self) {
        *self.memory() = Memory::default();
    }

    /// Every floor is evicted to make room.
    pub(super) fn evict_floors(&self) {
        self.memory().floors.clear();
    }

    /// A replica catches up, or a file is written.
    pub(super) fn save(&self) {
        let now = self.memory().clone();
        *self.saved.lock().unwrap() = Some(now);
    }

    /// The replica takes over, or the file is read back.
    pub(super) fn roll_back(&self) {
        if let Some(saved) = self.saved.lock().unwrap().take() {
            *self.memory() = saved;
        }
    }
}
