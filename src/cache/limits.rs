//! Every duration of the protocol, in one place (zero-stale.md §4).

use std::time::Duration;

/// The protocol's durations. They are related: [`Limits::are_sound`] holds what the proof needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `L`: how old this node's reading of the database may be, and how long a change waits that Redis did not acknowledge.
    pub freshness: Duration,
    /// What a change waits on top of `L`.
    pub wait_margin: Duration,
    /// `H`: how often the database is read for moved stamps.
    pub poll_every: Duration,
    /// How long one such reading may take before it is tried again.
    pub poll_deadline: Duration,
    /// How far the wall clock and the boot-time clock may drift apart since the last reading before it is void (R13).
    pub clock_drift: Duration,
    /// How long a request waits for Redis before it asks the database.
    pub read_deadline: Duration,
    /// How long a change waits to set its markers.
    pub mark_deadline: Duration,
    /// How long one try to settle may take.
    pub settle_deadline: Duration,
    /// How long all tries to settle may take together.
    pub settle_budget: Duration,
    /// `T_c`: how long an entry lives at most.
    pub entry_ttl: Duration,
    /// By how much the lives of entries differ, so that they do not all end at once.
    pub entry_jitter: Duration,
    /// `T_l`: how long the right to fill an entry lives.
    pub lease_ttl: Duration,
    /// `T_f`: how long a floor lives.
    pub floor_ttl: Duration,
    /// `T_m`: how long a marker lives; more than the hard limit of a transaction.
    pub marker_ttl: Duration,
    /// Failures in a row after which Redis is left alone for a while.
    pub breaker_failures: u32,
    /// How long it is then left alone.
    pub breaker_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            freshness: Duration::from_secs(1),
            wait_margin: Duration::from_millis(50),
            poll_every: Duration::from_millis(200),
            poll_deadline: Duration::from_millis(300),
            clock_drift: Duration::from_millis(200),
            read_deadline: Duration::from_millis(40),
            mark_deadline: Duration::from_millis(100),
            settle_deadline: Duration::from_millis(150),
            settle_budget: Duration::from_millis(500),
            entry_ttl: Duration::from_mins(5),
            entry_jitter: Duration::from_secs(30),
            lease_ttl: Duration::from_secs(5),
            floor_ttl: Duration::from_mins(10),
            marker_ttl: Duration::from_secs(15),
            breaker_failures: 5,
            breaker_pause: Duration::from_millis(250),
        }
    }
}

impl Limits {
    /// `T_f`, or what it must not be.
    pub(super) fn floor_life(&self) -> Duration {
        if crate::ablate::off("floor_life") { self.lease_ttl } else { self.floor_ttl }
    }

    /// What the proof needs: a floor outlives every entry that could contradict it (R11: `T_f ≥ T_c + T_l`, and 60 s for
    /// clock steps at full scale), and several readings fit into one `L`.
    #[must_use]
    pub fn are_sound(&self) -> bool {
        self.floor_ttl > self.entry_ttl + self.lease_ttl
            && self.entry_jitter < self.entry_ttl
            && self.freshness >= self.poll_every + self.poll_deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_we_ship_are_sound_with_a_minute_to_spare() {
        let limits = Limits::default();
        assert!(limits.are_sound());
        assert!(limits.floor_ttl >= limits.entry_ttl + limits.lease_ttl + Duration::from_mins(1));
        assert!(!Limits { floor_ttl: limits.entry_ttl, ..limits }.are_sound());
    }
}
