//! How the changes of one request became visible, so that the caller can be told.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::cache::Settlement;

/// Keeps what was told of one request's changes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Settlements(Arc<Mutex<Option<Settled>>>);

/// How a change that may have taken rights away became visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// How.
    pub mode: SettledMode,
    /// How long after the commit.
    pub after: Duration,
}

/// By what a change became visible to every gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettledMode {
    /// The cache took it in.
    Immediate,
    /// It was waited until every gateway had read it from the database.
    Lease,
}

impl Settlements {
    /// The slowest of the request's changes, where one moved anything that rights depend on.
    #[must_use]
    pub fn slowest(&self) -> Option<Settled> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, settlement: Settlement, after: Duration) {
        let mode = match settlement {
            Settlement::Acknowledged => SettledMode::Immediate,
            Settlement::Waited(_) => SettledMode::Lease,
        };
        let mut slowest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slowest.is_none_or(|known| (known.mode, known.after) < (mode, after)) {
            *slowest = Some(Settled { mode, after });
        }
    }
}
