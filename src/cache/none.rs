//! No cache: PostgreSQL without Redis. Every request reads the database, and no change waits.

use async_trait::async_trait;

use super::{Bypass, Fill, GrantCache, GrantKey, LeaseToken, Marked, ReadOutcome, Settled, Stamp, Subject};

/// The cache that keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCache;

#[async_trait]
impl GrantCache for NoCache {
    fn is_shared(&self) -> bool {
        false
    }

    async fn read(&self, _key: &GrantKey) -> ReadOutcome {
        ReadOutcome::Bypass(Bypass::NoCache)
    }

    async fn lease(&self, _key: &GrantKey) -> Option<LeaseToken> {
        None
    }

    async fn fill(&self, _fill: Fill) -> bool {
        false
    }

    async fn mark(&self, _subjects: &[Subject]) -> Marked {
        Marked::default()
    }

    async fn settle(&self, _marked: Marked, _stamps: &[Stamp]) -> Settled {
        // Nobody holds an old entry.
        Settled::Acknowledged
    }
}
