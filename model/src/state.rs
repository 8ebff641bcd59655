//! What the world is at one moment. Small, for it is copied at every step.

use crate::{
    party::{Database, Filler, Node, Query, Writer},
    redis::{Entry, FillLease, Floor, Redis},
    setting::Setting,
};

/// What Redis would go back to. Markers are not kept: a rollback without them is the worse one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Whether there is one.
    pub taken: bool,
    /// The cached grant.
    pub entry: Entry,
    /// The lowest acceptable version.
    pub floor: Floor,
    /// The right to fill.
    pub lease: FillLease,
}

/// Commands of the revoking writer that Redis has not carried out yet, though the writer no longer waits for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Late {
    /// Whether its mark is among them.
    pub mark: bool,
    /// The version that its settle carries; 0 where it is not among them.
    pub settle: u8,
}

/// The faults that have happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Commands lost or late.
    pub commands: u8,
    /// Times that Redis was wiped.
    pub wipes: u8,
    /// Times that the node restarted.
    pub restarts: u8,
    /// Whether Redis went back to its snapshot.
    pub rollback: bool,
    /// Whether the floor was evicted.
    pub eviction: bool,
}

/// The world at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    /// Ticks since the beginning.
    pub now: u8,
    /// The truth.
    pub database: Database,
    /// The cache.
    pub redis: Redis,
    /// What the cache may go back to.
    pub snapshot: Snapshot,
    /// Commands on their way to the cache.
    pub late: Late,
    /// The node that the request is sent to.
    pub node: Node,
    /// The mutation that revokes.
    pub revoker: Writer,
    /// The mutation that takes nothing away.
    pub bystander: Writer,
    /// Two earlier requests.
    pub fillers: [Filler; 2],
    /// The fill leases that have been given out.
    pub leases: u8,
    /// The request that is asked about.
    pub query: Query,
    /// What has gone wrong so far.
    pub spent: Spent,
}

impl State {
    /// The beginning: a grant, cached, and a node that has just read the database.
    #[must_use]
    pub fn start(setting: &Setting) -> Self {
        let entry = Entry { version: 1, revoked: false, ttl: setting.limits.entry_ttl };
        Self {
            database: Database { version: 1, ..Database::default() },
            redis: Redis { entry, ..Redis::default() },
            node: Node { floor: 1, ..Node::default() },
            ..Self::default()
        }
    }
}
