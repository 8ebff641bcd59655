//! Who takes part besides Redis: the database, a node, writers, fillers and the request that is asked about.

/// The database: one subject's stamp, and whether its grant has been revoked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Database {
    /// The stamp.
    pub version: u8,
    /// Whether the revocation is committed.
    pub revoked: bool,
    /// Ticks since that commit.
    pub since_commit: u8,
}

/// A node, as far as it reads the database in the background (zero-stale.md §4.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Node {
    /// The highest version that its polls have shown it.
    pub floor: u8,
    /// Ticks since the last poll that was answered had been sent.
    pub age: u8,
    /// What the poll under way has read; 0 where there is none.
    pub polled: u8,
    /// Ticks since that poll was sent.
    pub polled_age: u8,
}

/// How far a writer has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WriterPhase {
    /// It has not begun.
    #[default]
    Idle,
    /// It has marked, or believes so.
    Marked,
    /// It has committed.
    Committed,
    /// It waits until every node must have read the database.
    Waiting,
    /// Its mutation has returned success.
    Returned,
    /// It died after its commit.
    Crashed,
}

impl WriterPhase {
    /// Every phase.
    pub const ALL: &[Self] = &[Self::Idle, Self::Marked, Self::Committed, Self::Waiting, Self::Returned, Self::Crashed];
}

/// A mutation: the one that revokes, or a bystander that changes the same subject and takes nothing away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Writer {
    /// How far it has come.
    pub phase: WriterPhase,
    /// The version that it has committed.
    pub version: u8,
}

/// How far a filler has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FillerPhase {
    /// It may take a lease.
    #[default]
    Idle,
    /// It has a lease.
    Leased,
    /// It has read the database.
    Loaded,
    /// It fills no more.
    Done,
}

impl FillerPhase {
    /// Every phase.
    pub const ALL: &[Self] = &[Self::Idle, Self::Leased, Self::Loaded, Self::Done];
}

/// An earlier request that missed, and stores what it reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filler {
    /// How far it has come.
    pub phase: FillerPhase,
    /// The token of its lease.
    pub token: u8,
    /// The version that it has read.
    pub version: u8,
    /// Whether it has read that the grant is revoked.
    pub revoked: bool,
}

/// How far the request has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum QueryPhase {
    /// It has not been sent.
    #[default]
    Idle,
    /// It has been sent.
    Started,
    /// It has read an entry that Redis does not speak against.
    Hit,
    /// It is decided.
    Decided,
}

impl QueryPhase {
    /// Every phase.
    pub const ALL: &[Self] = &[Self::Idle, Self::Started, Self::Hit, Self::Decided];
}

/// The request that is asked about: it starts after the commit. One that reads the database is always right, so that only the
/// ways around the database are followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Query {
    /// How far it has come.
    pub phase: QueryPhase,
    /// The version of what it has read.
    pub version: u8,
    /// Whether that shows the grant as revoked.
    pub revoked: bool,
    /// Whether it started after the revoking mutation had returned.
    pub after_return: bool,
    /// Ticks between the commit and its start.
    pub since_commit: u8,
}

impl Query {
    /// Whether it is decided.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.phase == QueryPhase::Decided
    }
}
