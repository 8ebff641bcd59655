//! What must hold (zero-stale.md §1).

use crate::{
    party::{Query, QueryPhase},
    setting::Limits,
};

/// What must be true of every request that is decided after a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// P1: a request that starts after the revoking mutation has returned is not decided on the old grant.
    Promise,
    /// P2: neither is one that starts later than `freshness` after the commit, whatever failed.
    Bound,
    /// P3: neither is any that starts after the commit. Asked only where Redis can be reached.
    Switch,
}

impl Property {
    /// Whether a request breaks the property. None starts before the commit: the old grant is right for those.
    #[must_use]
    pub fn is_broken_by(self, query: &Query, limits: &Limits) -> bool {
        query.phase == QueryPhase::Decided
            && !query.revoked
            && match self {
                Self::Promise => query.after_return,
                Self::Bound => query.since_commit > limits.freshness,
                Self::Switch => true,
            }
    }
}
