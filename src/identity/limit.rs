//! How often somebody may try to sign in: enough for people, not enough for guessing, and never so that one locks another out.
//!
//! What is limited is an account *from one source*: who guesses at alice's password from one address is blocked there, and
//! alice signs in from anywhere else; a session of hers that is open has a count of its own (G15). Attempts are counted, not
//! requests, and they are counted when they begin, so that a hundred at once are a hundred. Accounts that do not exist are
//! counted alike (G9). The counts live in this process: with several nodes, each has its own.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::ablate;

/// Counters that are kept; the least used go first.
const COUNTERS: u64 = 200_000;

/// The limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInLimits {
    /// Failures of one account from one source after which it is blocked there.
    pub per_account: u32,
    /// Failures from one address, whatever the account, after which the address is blocked.
    pub per_address: u32,
    /// For how long, and within which time failures add up.
    pub window: Duration,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self { per_account: 10, per_address: 100, window: Duration::from_mins(5) }
    }
}

/// Where an attempt comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptSource {
    /// An address. Of IPv6, a whole /64 is one source.
    Address(IpAddr),
    /// A session of this account that is open: whoever is in it has proven the password once.
    OwnSession(Uuid),
    /// Wherever: for what nobody gets to try who has not proven something else before.
    Anywhere,
}

/// Who tries to sign in, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The account as it was written, in normal form; it need not exist.
    pub account: &'a str,
    /// Where it comes from.
    pub source: AttemptSource,
}

/// Too many failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many failed sign-ins; try again later")]
pub struct Blocked {
    /// When to try again.
    pub until: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum CounterKey {
    Account([u8; 32], AttemptSource),
    Address(IpAddr),
}

#[derive(Debug, Default)]
struct Counter {
    failures: u32,
    last: DateTime<Utc>,
}

type Shared = Arc<Mutex<Counter>>;

/// Counts attempts.
#[derive(Debug)]
pub struct SignInLimiter {
    limits: SignInLimits,
    counters: Cache<CounterKey, Shared>,
}

/// A counted attempt. It counts as a failure unless [`Counted::succeeded`] is called.
#[derive(Debug)]
#[must_use = "say when it succeeded; else it stays counted as a failure"]
pub struct Counted {
    account: Shared,
    address: Option<Shared>,
}

impl SignInLimiter {
    /// A limiter that has seen nothing.
    #[must_use]
    pub fn new(limits: SignInLimits) -> Self {
        let counters = Cache::builder().max_capacity(COUNTERS).time_to_idle(limits.window * 2).build();
        Self { limits, counters }
    }

    /// Counts an attempt, before any password is looked at.
    ///
    /// # Errors
    /// When there were too many failures; the blocked attempt itself is not counted, so that the block ends.
    pub fn attempt(&self, attempt: &Attempt<'_>, now: DateTime<Utc>) -> Result<Counted, Blocked> {
        let source = match attempt.source {
            AttemptSource::Address(address) => AttemptSource::Address(network(address)),
            other => other,
        };
        let whence = if ablate::off("limit_by_source") { AttemptSource::OwnSession(Uuid::nil()) } else { source };
        let account = self.counter(CounterKey::Account(Sha256::digest(attempt.account.as_bytes()).into(), whence));
        self.count(&account, self.limits.per_account, now)?;
        let address = match source {
            AttemptSource::OwnSession(_) | AttemptSource::Anywhere => None,
            AttemptSource::Address(address) => {
                let counter = self.counter(CounterKey::Address(address));
                if let Err(blocked) = self.count(&counter, self.limits.per_address, now) {
                    take_back(&account);
                    return Err(blocked);
                }
                Some(counter)
            }
        };
        Ok(Counted { account, address })
    }

    /// Counts an attempt with a secret that says itself whose it is, before it is looked up: against the address that it comes
    /// from, and no account.
    ///
    /// # Errors
    /// As [`SignInLimiter::attempt`].
    pub fn attempt_from(&self, address: IpAddr, now: DateTime<Utc>) -> Result<Counted, Blocked> {
        let counter = self.counter(CounterKey::Address(network(address)));
        self.count(&counter, self.limits.per_address, now)?;
        Ok(Counted { account: Shared::default(), address: Some(counter) })
    }

    fn counter(&self, key: CounterKey) -> Shared {
        self.counters.get_with(key, Shared::default)
    }

    fn count(&self, counter: &Shared, limit: u32, now: DateTime<Utc>) -> Result<(), Blocked> {
        let window = TimeDelta::from_std(self.limits.window).unwrap_or(TimeDelta::MAX);
        let mut counter = counter.lock().unwrap_or_else(PoisonError::into_inner);
        if now.signed_duration_since(counter.last) >= window {
            counter.failures = 0;
        }
        if counter.failures >= limit && !ablate::off("attempt_limit") {
            return Err(Blocked { until: counter.last.checked_add_signed(window).unwrap_or(now) });
        }
        counter.failures += 1;
        counter.last = now;
        Ok(())
    }
}

impl Counted {
    /// The attempt came to nothing for a reason of ours (the database was out of reach): it counts for nobody.
    pub fn undecided(self) {
        take_back(&self.account);
        if let Some(address) = &self.address {
            take_back(address);
        }
    }

    /// The sign-in succeeded: the account's failures from this source are forgotten, and the address gets this attempt back.
    /// It gets back no others, or one's own account would pay for guessing at many.
    pub fn succeeded(self) {
        self.account.lock().unwrap_or_else(PoisonError::into_inner).failures = 0;
        if let Some(address) = &self.address {
            take_back(address);
        }
    }
}

fn take_back(counter: &Shared) {
    let mut counter = counter.lock().unwrap_or_else(PoisonError::into_inner);
    counter.failures = counter.failures.saturating_sub(1);
}

/// The address, or for IPv6 the /64 it is in: that much is given to every home. IPv4 written as IPv6 is IPv4.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
    }
}
