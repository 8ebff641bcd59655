//! One load at a time per key, shared by those who wait; a waiter only ever gets a load that was *sent after it arrived*.
//!
//! The usual single flight lets a request join a load that began before it; if a right was revoked in between, the request
//! would be answered from before the revocation although it started after it (R14). Here a request that finds a load under
//! way waits for the next one: one in flight, one queued.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use crate::ablate;

type Start<V> = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = V> + Send>> + Send>;
type Landing<V> = watch::Receiver<Option<V>>;

/// The loads under way, by key.
pub struct SingleFlight<K, V> {
    slots: Arc<Mutex<HashMap<K, Slot<V>>>>,
}

struct Slot<V> {
    /// Where the load in flight will land.
    flying: Landing<V>,
    /// The load that is sent when it has landed.
    queued: Option<Queued<V>>,
}

struct Queued<V> {
    start: Start<V>,
    sender: watch::Sender<Option<V>>,
    landing: Landing<V>,
}

/// The load ended without a result (it panicked).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the load was lost")]
pub struct LostError;

impl<K, V> fmt::Debug for SingleFlight<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight").finish_non_exhaustive()
    }
}

impl<K, V> Default for SingleFlight<K, V> {
    fn default() -> Self {
        Self { slots: Arc::default() }
    }
}

impl<K: Eq + Hash + Clone + Send + 'static, V: Clone + Send + Sync + 'static> SingleFlight<K, V> {
    /// The result of a load that is sent after this call began. Loads run in tasks of their own: whoever stops waiting
    /// cancels nothing.
    ///
    /// # Errors
    /// [`LostError`] when the load panicked.
    pub async fn run<F>(&self, key: K, load: impl FnOnce() -> F + Send + 'static) -> Result<V, LostError>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let start: Start<V> = Box::new(move || Box::pin(load()));
        let mut landing = self.board(key, start);
        let landed = landing.wait_for(Option::is_some).await.map_err(|_| LostError)?;
        landed.clone().ok_or(LostError)
    }

    fn board(&self, key: K, start: Start<V>) -> Landing<V> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get_mut(&key) {
            if ablate::off("single_flight_order") {
                return slot.flying.clone();
            }
            if let Some(queued) = &slot.queued {
                return queued.landing.clone();
            }
            let (sender, landing) = watch::channel(None);
            slot.queued = Some(Queued { start, sender, landing: landing.clone() });
            return landing;
        }
        let (sender, landing) = watch::channel(None);
        slots.insert(key.clone(), Slot { flying: landing.clone(), queued: None });
        tokio::spawn(fly(Arc::clone(&self.slots), key, start, sender));
        landing
    }
}

/// Flies one load after the other until nobody has queued another.
async fn fly<K: Eq + Hash + Clone + Send + 'static, V: Clone + Send + Sync + 'static>(
    slots: Arc<Mutex<HashMap<K, Slot<V>>>>,
    key: K,
    mut start: Start<V>,
    mut sender: watch::Sender<Option<V>>,
) {
    loop {
        // A task of its own, so that a panic in it does not leave the slot behind for ever.
        let landed = tokio::spawn(start()).await.ok();
        let next = {
            let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
            let queued = slots.get_mut(&key).and_then(|slot| {
                let queued = slot.queued.take()?;
                slot.flying = queued.landing.clone();
                Some(queued)
            });
            if queued.is_none() {
                slots.remove(&key);
            }
            queued
        };
        if landed.is_some() {
            sender.send_replace(landed);
        }
        match next {
            Some(queued) => (start, sender) = (queued.start, queued.sender),
            None => return,
        }
    }
}
