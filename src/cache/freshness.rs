//! What this node knows by reading the database itself: the lowest acceptable versions, and how recent that knowledge is.
//!
//! Every [`Limits::poll_every`] the node asks the database which stamps moved ([`StampTail`]). A cached entry is used only
//! while the last such reading is at most [`Limits::freshness`] old; that is why a change which Redis did not acknowledge is
//! safe after waiting that long (zero-stale.md §4.5).

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::broadcast, task::JoinHandle, time::timeout};

use super::{
    LoadError,
    key::GrantKey,
    limits::Limits,
    machine_time::{MachineClock, MachineTime, ThisMachine},
    protocol::LocalView,
    stamp::{Stamp, Subject},
};

/// More floors than this are not kept: the node forgets them and trusts no entry until every present one has ended.
const MAX_FLOORS: usize = 1_000_000;

/// How many announcements a slow listener may fall behind.
const ANNOUNCEMENTS: usize = 1024;

/// The stamps that moved, read from the database itself.
#[async_trait]
pub trait StampTail: Send + Sync + 'static {
    /// Everything committed since the position of an earlier batch; without one, every stamp that moved within `window`.
    /// `Ok(None)` when the position is not in this database's past (another server, a restored backup): the caller starts
    /// over and trusts nothing until then.
    ///
    /// # Errors
    /// When the database did not answer.
    async fn poll(&self, after: Option<&str>, window: Duration) -> Result<Option<TailBatch>, LoadError>;
}

/// One reading of the tail.
#[derive(Debug, Clone, Default)]
pub struct TailBatch {
    /// The stamps that moved, at their present versions.
    pub stamps: Vec<Stamp>,
    /// Where the next reading starts; only the tail itself understands it.
    pub position: String,
}

/// The node's floors and the age of its last reading.
#[derive(Debug)]
pub struct Freshness {
    limits: Limits,
    clock: Arc<dyn MachineClock>,
    state: RwLock<State>,
    moved: broadcast::Sender<Arc<[Stamp]>>,
}

#[derive(Debug)]
struct State {
    floors: HashMap<Subject, Floor>,
    trust: Trust,
    pruned: Duration,
    /// Nothing is trusted before this boot time: floors were forgotten that present entries may contradict.
    forgotten_until: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Floor {
    version: i64,
    raised: Duration,
}

/// Why, and since when, entries may be trusted.
#[derive(Debug, Clone, Copy)]
enum Trust {
    /// One process holds all state: nothing happens that it does not know.
    Always,
    /// Not before the first reading, or not since the last one was void.
    NotYet,
    /// The database was read at this time.
    ReadAt(MachineTime),
}

impl Freshness {
    /// For a process that is alone with its database: always fresh.
    #[must_use]
    pub fn alone(limits: Limits) -> Arc<Self> {
        Arc::new(Self::new(limits, Trust::Always, Arc::new(ThisMachine)))
    }

    /// For one of several nodes: not fresh until [`Freshness::follow`] has read the database.
    #[must_use]
    pub fn leased(limits: Limits) -> Arc<Self> {
        Self::leased_by(limits, Arc::new(ThisMachine))
    }

    /// The same by other clocks than this machine's.
    #[must_use]
    pub fn leased_by(limits: Limits, clock: Arc<dyn MachineClock>) -> Arc<Self> {
        Arc::new(Self::new(limits, Trust::NotYet, clock))
    }

    fn new(limits: Limits, trust: Trust, clock: Arc<dyn MachineClock>) -> Self {
        let state = State { floors: HashMap::new(), trust, pruned: Duration::ZERO, forgotten_until: Duration::ZERO };
        Self { limits, clock, state: RwLock::new(state), moved: broadcast::channel(ANNOUNCEMENTS).0 }
    }

    /// What the clocks show that freshness is measured by.
    #[must_use]
    pub fn now(&self) -> MachineTime {
        self.clock.read()
    }

    /// How old this node's last good reading of the database is; `None` before the first, and for a process that is alone and
    /// needs none.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        match self.state.read().unwrap_or_else(PoisonError::into_inner).trust {
            Trust::ReadAt(read) => self.now().boot.checked_sub(read.boot),
            Trust::Always | Trust::NotYet => None,
        }
    }

    /// The stamps that move from now on, as soon as this node hears of them: at once for its own changes, within
    /// [`Limits::poll_every`] for those of other nodes. A listener that falls behind is told so and must re-check everything.
    #[must_use]
    pub fn moved(&self) -> broadcast::Receiver<Arc<[Stamp]>> {
        self.moved.subscribe()
    }

    /// Raises the floors of these stamps. Floors never fall.
    pub fn raise(&self, stamps: &[Stamp], at: MachineTime) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.raise_in(&mut state, stamps, at);
        drop(state);
        self.announce(stamps);
    }

    /// Records a reading of the database that *began* at `at`.
    pub fn renew(&self, stamps: &[Stamp], at: MachineTime) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.raise_in(&mut state, stamps, at);
        if matches!(state.trust, Trust::NotYet | Trust::ReadAt(_)) {
            state.trust = Trust::ReadAt(at);
        }
        drop(state);
        self.announce(stamps);
    }

    /// Trusts nothing until the next reading.
    pub fn void(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if matches!(state.trust, Trust::ReadAt(_)) {
            state.trust = Trust::NotYet;
        }
    }

    /// What this node knows about a key.
    #[must_use]
    pub fn view(&self, key: &GrantKey, at: MachineTime) -> LocalView {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let floor = |subject: &Subject| state.floors.get(subject).map_or(0, |floor| floor.version);
        LocalView {
            floors: key.subjects().iter().map(floor).collect(),
            content: key.content().as_ref().map_or(0, floor),
            fresh: at.boot >= state.forgotten_until && self.trusts(state.trust, at),
        }
    }

    fn trusts(&self, trust: Trust, at: MachineTime) -> bool {
        match trust {
            Trust::Always => true,
            Trust::NotYet => false,
            Trust::ReadAt(read) => {
                let (Some(boot), Some(wall)) = (at.boot.checked_sub(read.boot), at.wall.checked_sub(read.wall)) else {
                    return false;
                };
                boot <= self.limits.freshness && boot.abs_diff(wall) <= self.limits.clock_drift
            }
        }
    }

    fn raise_in(&self, state: &mut State, stamps: &[Stamp], at: MachineTime) {
        for stamp in stamps {
            let floor = state.floors.entry(stamp.subject()).or_insert(Floor { version: 0, raised: at.boot });
            floor.version = floor.version.max(stamp.version);
            floor.raised = at.boot;
        }
        if state.floors.len() > MAX_FLOORS {
            tracing::warn!("too many stamps moved at once; trusting no cached grant for a while");
            state.floors = HashMap::new();
            state.forgotten_until = at.boot + self.limits.floor_life();
        }
        // Once in a while: no entry older than a floor that is dropped here is still alive.
        if at.boot.saturating_sub(state.pruned) > self.limits.floor_life() / 10 {
            state.pruned = at.boot;
            state.floors.retain(|_, floor| at.boot.saturating_sub(floor.raised) <= self.limits.floor_life());
        }
    }

    fn announce(&self, stamps: &[Stamp]) {
        if !stamps.is_empty() {
            // Nobody listening is no error.
            let _ = self.moved.send(stamps.into());
        }
    }

    /// Reads the tail in the background until the returned follower is dropped.
    #[must_use]
    pub fn follow(self: &Arc<Self>, tail: Arc<dyn StampTail>) -> Follower {
        let freshness = Arc::clone(self);
        Follower(tokio::spawn(async move { freshness.poll_forever(tail.as_ref()).await }))
    }

    async fn poll_forever(&self, tail: &dyn StampTail) {
        let mut position: Option<String> = None;
        loop {
            let began = self.now();
            match timeout(self.limits.poll_deadline, tail.poll(position.as_deref(), self.limits.floor_life())).await {
                Ok(Ok(Some(batch))) => {
                    self.renew(&batch.stamps, began);
                    position = Some(batch.position);
                }
                Ok(Ok(None)) => {
                    tracing::warn!(
                        "the database is not the one that was read before; trusting no cached grant until it is read again"
                    );
                    self.void();
                    if position.take().is_some() {
                        continue;
                    }
                }
                Ok(Err(error)) => tracing::warn!(%error, "cannot read moved stamps"),
                Err(_) => tracing::warn!("reading moved stamps took too long"),
            }
            let spent = self.now().boot.saturating_sub(began.boot);
            // A reading that failed late is tried again at once, but never in a busy loop.
            let pause = self.limits.poll_every.saturating_sub(spent).max(Duration::from_millis(10));
            tokio::time::sleep(pause).await;
        }
    }
}

/// The background reading of the tail; ends when dropped.
#[derive(Debug)]
pub struct Follower(JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::cache::stamp::StampKind;

    const ID: Uuid = Uuid::from_u128(1);
    const KEY: GrantKey = GrantKey::Principal { principal: ID, organization: ID };

    fn time(boot: u64, wall: u64) -> MachineTime {
        MachineTime { boot: Duration::from_millis(boot), wall: Duration::from_millis(wall) }
    }

    #[test]
    fn nothing_is_trusted_before_the_first_reading_and_after_the_lease() {
        let freshness = Freshness::leased(Limits::default());
        assert!(!freshness.view(&KEY, time(0, 0)).fresh);
        freshness.renew(&[], time(10, 10));
        assert!(freshness.view(&KEY, time(1010, 1010)).fresh);
        assert!(!freshness.view(&KEY, time(1011, 1011)).fresh);
    }

    #[test]
    fn a_suspended_or_stepped_clock_voids_the_reading() {
        let freshness = Freshness::leased(Limits::default());
        freshness.renew(&[], time(10, 1000));
        assert!(freshness.view(&KEY, time(110, 1300)).fresh);
        assert!(!freshness.view(&KEY, time(110, 1301)).fresh, "the wall clock ran ahead");
        assert!(!freshness.view(&KEY, time(110, 899)).fresh, "the wall clock went back");
        assert!(!freshness.view(&KEY, time(9, 1000)).fresh, "the boot clock went back");
    }

    #[test]
    fn floors_never_fall_and_end_after_their_time() {
        let freshness = Freshness::alone(Limits::default());
        freshness.raise(&[Stamp::new(StampKind::Principal, ID, 7)], time(0, 0));
        freshness.raise(&[Stamp::new(StampKind::Principal, ID, 5)], time(1, 1));
        assert_eq!(freshness.view(&KEY, time(1, 1)).floors.as_slice(), [7, 0]);
        freshness.raise(&[], time(700_000, 700_000));
        assert_eq!(freshness.view(&KEY, time(700_000, 700_000)).floors.as_slice(), [0, 0]);
    }
}
