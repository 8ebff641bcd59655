//! What chance decides, from one seed.

use std::{sync::Mutex, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Draws from one seed: `GATEHOUSE_TEST_SEED`, or any.
#[derive(Debug)]
pub(super) struct Dice {
    pub(super) seed: u64,
    draws: Mutex<StdRng>,
}

impl Dice {
    pub(super) fn new() -> Self {
        let named = std::env::var("GATEHOUSE_TEST_SEED").ok().and_then(|text| text.parse().ok());
        let seed = named.unwrap_or_else(|| rand::rng().random());
        Self { seed, draws: Mutex::new(StdRng::seed_from_u64(seed)) }
    }

    pub(super) fn below(&self, bound: usize) -> usize {
        self.draws.lock().unwrap().random_range(0..bound)
    }

    /// True so many times in a hundred.
    pub(super) fn percent(&self, share: usize) -> bool {
        self.below(100) < share
    }

    /// Up to so many milliseconds, in steps of a tenth.
    pub(super) fn up_to(&self, millis: usize) -> Duration {
        Duration::from_micros(u64::try_from(100 * self.below(millis * 10 + 1)).unwrap())
    }
}
