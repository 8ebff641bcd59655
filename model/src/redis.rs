//! What Redis holds for one subject, and the scripts that change it (zero-stale.md §4.2 to §4.4).
//!
//! A version, a count or a token of 0 means that the key is absent.

use crate::{
    party::Filler,
    setting::{Guard, Setting},
};

/// More writers than there are: the count stops here.
const MOST_WRITERS: u8 = 3;

/// The cached grant (`g:`).
///
/// An entry that has expired keeps the bit of what it showed. That makes a few states more and no other behaviour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entry {
    /// The stamp that was read together with the grant.
    pub version: u8,
    /// Whether it shows the grant as revoked.
    pub revoked: bool,
    /// Ticks it has left.
    pub ttl: u8,
}

/// The lowest acceptable version (`f:`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Floor {
    /// That version.
    pub version: u8,
    /// Ticks it has left.
    pub ttl: u8,
}

/// Writers at work (`p:`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marker {
    /// How many there are.
    pub writers: u8,
    /// Ticks it has left.
    pub ttl: u8,
}

/// The right to fill the entry (`l:`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FillLease {
    /// Whose right it is.
    pub token: u8,
    /// Ticks it has left.
    pub ttl: u8,
}

/// Everything in Redis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Redis {
    /// The cached grant.
    pub entry: Entry,
    /// The lowest acceptable version.
    pub floor: Floor,
    /// Writers at work.
    pub marker: Marker,
    /// The right to fill.
    pub lease: FillLease,
}

impl Redis {
    /// W1: one more writer is at work.
    pub fn mark(&mut self, setting: &Setting) {
        if setting.has(Guard::Marker) {
            let writers = (self.marker.writers + 1).min(MOST_WRITERS);
            self.marker = Marker { writers, ttl: setting.limits.marker_ttl };
        }
    }

    /// One writer less. The count may be another writer's: a mark that was lost is not missed.
    pub fn unmark(&mut self, setting: &Setting) {
        if setting.has(Guard::Marker) && self.marker.writers > 0 {
            self.marker.writers -= 1;
            if self.marker.writers == 0 {
                self.marker = Marker::default();
            }
        }
    }

    /// Raises the floor; never lowers it.
    pub fn raise(&mut self, version: u8, setting: &Setting) {
        self.floor = Floor { version: self.floor.version.max(version), ttl: setting.limits.floor_ttl };
    }

    /// W4: raises the floor to what was committed, and takes the mark away.
    pub fn settle(&mut self, version: u8, setting: &Setting) {
        if setting.has(Guard::Floor) {
            self.raise(version, setting);
        }
        self.unmark(setting);
    }

    /// R7: stores what a filler has loaded, if nothing speaks against it. Says whether it did.
    pub fn fill(&mut self, filler: &Filler, setting: &Setting) -> bool {
        let holds_lease = self.lease.token == filler.token;
        let fills = (holds_lease || !setting.has(Guard::FillLease)) && self.admits(filler.version);
        if fills {
            let Filler { version, revoked, .. } = *filler;
            self.entry = Entry { version, revoked, ttl: setting.limits.entry_ttl };
            if holds_lease {
                self.lease = FillLease::default();
            }
        }
        fills
    }

    /// R2c and R2d: whether nobody is at work, and a version reaches the floor.
    #[must_use]
    pub fn admits(&self, version: u8) -> bool {
        self.marker.writers == 0 && version >= self.floor.version
    }
}
