//! What is tried: the guards that are on, the faults that may happen, and how far.

use crate::property::Property;

/// A part of the protocol that can be switched off, to show that it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// A fill needs the token of the lease that was taken before its load.
    FillLease,
    /// A writer at work keeps readers from the cache and fills out of it.
    Marker,
    /// Redis keeps the lowest version that is still acceptable.
    Floor,
    /// The floor is raised after the commit. Where this is off, it is raised with the mark, before.
    FloorAfterCommit,
    /// A node uses the cache only while its own reading of the database is recent.
    DatabaseLease,
    /// A writer whom Redis did not answer waits until every node must have read the database.
    Wait,
    /// A request that joins another's load joins only one that was sent after it arrived.
    OwnLoad,
}

/// When a writer waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Only when Redis did not acknowledge the settle: what is right for a Redis that forgets nothing by itself.
    Fast,
    /// Always, so that nothing depends on Redis.
    Strict,
}

/// What may go wrong, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// How many of the revoking writer's commands are lost on the way to Redis, or arrive later than the writer thinks.
    pub commands: u8,
    /// How often Redis loses everything.
    pub wipes: u8,
    /// How often the node restarts.
    pub restarts: u8,
    /// Whether Redis may go back, once, to what it held at an earlier moment.
    pub rollback: bool,
    /// Whether Redis may drop a floor, once, and keep the entry.
    pub eviction: bool,
    /// Whether the revoking writer may die between commit and settle.
    pub crash: bool,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self { commands: 0, wipes: 0, restarts: 0, rollback: false, eviction: false, crash: false };

    /// What the promise must stand with a Redis that forgets everything at once or nothing.
    pub const USUAL: Self = Self { commands: 1, wipes: 1, restarts: 1, crash: true, ..Self::NONE };
}

/// Every duration, in ticks, in the proportions that the proof asks for: `floor_ttl` ≥ `entry_ttl` + `lease_ttl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many ticks are looked at.
    pub horizon: u8,
    /// `L`: how old a node's reading of the database may be.
    pub freshness: u8,
    /// `T_c`: how long an entry lives.
    pub entry_ttl: u8,
    /// `T_f`: how long a floor lives.
    pub floor_ttl: u8,
    /// `T_m`: how long a marker lives.
    pub marker_ttl: u8,
    /// `T_l`: how long the right to fill an entry lives.
    pub lease_ttl: u8,
}

impl Limits {
    /// The age at which counting stops: older than any question asks for, so that states which differ in nothing else are one.
    #[must_use]
    pub fn oldest(&self) -> u8 {
        self.freshness + 2
    }
}

/// One configuration. [`Setting::FULL`] is the protocol as built; the others say in what they differ from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// What must hold.
    pub property: Property,
    /// When the revoking writer waits.
    pub mode: Mode,
    /// The guards that are switched off.
    pub off: &'static [Guard],
    /// What may go wrong.
    pub faults: Faults,
    /// The durations.
    pub limits: Limits,
    /// Whether another writer changes the same subject, taking nothing away.
    pub bystander: bool,
    /// How many loads may be made in order to fill.
    pub fills: u8,
    /// After how many states the check gives up, with an error.
    pub most_states: usize,
}

impl Setting {
    /// Every guard, the usual faults, one writer, one fill.
    pub const FULL: Self = Self {
        property: Property::Promise,
        mode: Mode::Fast,
        off: &[],
        faults: Faults::USUAL,
        limits: Limits { horizon: 5, freshness: 1, entry_ttl: 4, floor_ttl: 5, marker_ttl: 2, lease_ttl: 1 },
        bystander: false,
        fills: 1,
        most_states: 60_000_000,
    };

    /// Whether a guard is on.
    #[must_use]
    pub fn has(&self, guard: Guard) -> bool {
        !self.off.contains(&guard)
    }
}
