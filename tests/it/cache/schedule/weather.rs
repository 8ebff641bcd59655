//! What a schedule does to the way between a gateway and its Redis and database: drawn from a seed.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use gatehouse::cache::{
    Bypass, Doubt, Fill, GrantCache, GrantKey, LeaseToken, Limits, LoadError, Loaded, Loader, Marked, ReadOutcome,
    Settled, Stamp, StampTail, Subject, TailBatch,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::sleep;

use super::{
    super::database::{Database, Facts, Reading},
    redis::Redis,
};

/// Draws from one seed.
#[derive(Debug)]
pub(super) struct Dice(Mutex<StdRng>);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// Up to so many milliseconds, in steps of a tenth.
    pub(super) fn up_to(&self, millis: u64) -> Duration {
        Duration::from_micros(100 * self.below(millis * 10 + 1))
    }

    pub(super) fn below(&self, bound: u64) -> u64 {
        self.0.lock().unwrap().random_range(0..bound)
    }

    /// True so many times in a hundred.
    pub(super) fn percent(&self, share: u64) -> bool {
        self.below(100) < share
    }
}

/// One gateway's way to Redis and to the database.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) dice: Arc<Dice>,
    pub(super) redis: Arc<Redis>,
    pub(super) limits: Limits,
    /// How many commands in a hundred are lost, unanswered or late.
    pub(super) trouble: u64,
    /// Whether this Redis may lose what it acknowledged.
    pub(super) doubted: bool,
    /// Cut off from Redis.
    pub(super) cut: AtomicBool,
    /// The database's stamps are not read.
    pub(super) stalled: AtomicBool,
    pub(super) tokens: AtomicU64,
}

impl Way {
    /// Sends a command: it may arrive and be answered, or not, or be carried out after its sender gave up (R7).
    async fn send<T: Send + 'static>(
        &self,
        deadline: Duration,
        command: impl FnOnce(&Redis) -> T + Send + 'static,
    ) -> Option<T> {
        if self.cut.load(Ordering::SeqCst) {
            sleep(self.dice.up_to(2)).await;
            return None;
        }
        let (there, back) = (self.dice.up_to(1), self.dice.up_to(1));
        if self.dice.percent(self.trouble) {
            match self.dice.below(3) {
                0 => {}
                1 => {
                    sleep(there).await;
                    command(&self.redis);
                }
                _ => {
                    let (redis, late) = (Arc::clone(&self.redis), deadline + self.dice.up_to(60));
                    tokio::spawn(async move {
                        sleep(late).await;
                        command(&redis);
                    });
                }
            }
            sleep(deadline).await;
            return None;
        }
        sleep(there).await;
        let answer = command(&self.redis);
        sleep(back).await;
        Some(answer)
    }
}

#[async_trait]
impl GrantCache for Way {
    fn doubts(&self) -> Option<Vec<Doubt>> {
        Some(if self.doubted { vec![Doubt::Snapshots] } else { Vec::new() })
    }

    async fn read(&self, key: &GrantKey) -> ReadOutcome {
        let key = *key;
        let answer = self.send(self.limits.read_deadline, move |redis| redis.read(&key)).await;
        answer.map_or(ReadOutcome::Bypass(Bypass::Late), ReadOutcome::Answer)
    }

    async fn lease(&self, key: &GrantKey) -> Option<LeaseToken> {
        let (key, token) = (*key, format!("{:p}:{}", self, self.tokens.fetch_add(1, Ordering::SeqCst)));
        let leased = token.clone();
        self.send(self.limits.read_deadline, move |redis| redis.lease(key, leased)).await?;
        Some(LeaseToken::new(token))
    }

    async fn fill(&self, fill: Fill) -> bool {
        sleep(self.dice.up_to(4)).await;
        self.send(self.limits.settle_deadline, move |redis| redis.fill(&fill)).await.unwrap_or(false)
    }

    async fn mark(&self, subjects: &[Subject]) -> Marked {
        let subjects = subjects.to_vec();
        let marking = subjects.clone();
        match self.send(self.limits.mark_deadline, move |redis| redis.mark(&marking)).await {
            Some(()) => Marked::acknowledged_by_cache(subjects),
            None => Marked::default(),
        }
    }

    async fn settle(&self, marked: Marked, stamps: &[Stamp]) -> Settled {
        let mut markers = marked.acknowledged().to_vec();
        for _ in 0..3 {
            let (stamps, markers) = (stamps.to_vec(), std::mem::take(&mut markers));
            if self.send(self.limits.settle_deadline, move |redis| redis.settle(&stamps, &markers)).await.is_some() {
                return if self.doubted { Settled::InDoubt } else { Settled::Acknowledged };
            }
        }
        Settled::Unknown
    }
}

/// The database, at the end of a way.
#[derive(Debug, Clone)]
pub(super) struct Far {
    pub(super) database: Arc<Database>,
    pub(super) way: Arc<Way>,
}

impl Loader for Far {
    type Facts = Facts;

    async fn load(&self, key: &GrantKey) -> Result<Option<Loaded<Facts>>, LoadError> {
        let dice = &self.way.dice;
        sleep(dice.up_to(3)).await;
        let loaded = Reading(Arc::clone(&self.database)).load(key).await;
        let slow = if dice.percent(20) { 25 } else { 3 };
        sleep(dice.up_to(slow)).await;
        loaded
    }
}

#[async_trait]
impl StampTail for Far {
    async fn poll(&self, after: Option<&str>, window: Duration) -> Result<Option<TailBatch>, LoadError> {
        if self.way.stalled.load(Ordering::SeqCst) {
            return Err(LoadError::Unavailable("stalled".into()));
        }
        sleep(self.way.dice.up_to(3)).await;
        let batch = Reading(Arc::clone(&self.database)).poll(after, window).await;
        sleep(self.way.dice.up_to(3)).await;
        batch
    }
}
