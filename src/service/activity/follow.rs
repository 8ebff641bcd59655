//! Following activity: the newest entry first, then each new one, once, in order.
//!
//! What wakes a follower is the content stamp of its organization, which every write moves; what it yields is read from the
//! database after the entry it saw last. Entries of one organization are written one transaction after the other, but the ids
//! of two gateways follow two clocks: so a follower reads a little further back than its last entry, and knows what it has seen.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use futures_util::stream::{self, Stream};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use uuid::Uuid;

use super::{
    ActivityEntry,
    read::{ActivityQuery, reader, seen},
};
use crate::{
    cache::{Stamp, StampKind},
    service::{
        Access, Service, ServiceError,
        page::{PageRequest, Position, SortKey},
    },
    store,
};

/// How far the clocks of two gateways may lie apart, in milliseconds.
const CLOCKS_MS: u128 = 10_000;
/// How many entries behind the newest are remembered at most.
const REMEMBERED: u32 = 1_000;
/// Entries of one reading.
const BATCH: u32 = 100;

struct Follower {
    service: Service,
    access: Access,
    moved: Receiver<Arc<[Stamp]>>,
    /// Read, and not yet yielded.
    ready: VecDeque<ActivityEntry>,
    /// Entries up to here were there before, or were seen.
    horizon: Option<Uuid>,
    /// The ids seen beyond the horizon.
    known: BTreeSet<Uuid>,
    begun: bool,
    over: bool,
}

impl Service {
    /// The newest entry, then each that is recorded from now on. For holders of `activity.read`; ends with an error when the
    /// permission is lost.
    ///
    /// # Errors
    /// As [`Service::list_activity`].
    pub fn follow_activity(
        &self,
        access: &Access,
    ) -> Result<impl Stream<Item = Result<ActivityEntry, ServiceError>> + Send + use<>, ServiceError> {
        reader(access)?;
        let follower = Follower {
            service: self.clone(),
            access: access.clone(),
            // Before anything is read, so that nothing is missed between the two.
            moved: self.grants().freshness().moved(),
            ready: VecDeque::new(),
            horizon: None,
            known: BTreeSet::new(),
            begun: false,
            over: false,
        };
        Ok(stream::unfold(follower, |mut follower| async move {
            if follower.over {
                return None;
            }
            let next = follower.next().await.transpose()?;
            follower.over = next.is_err();
            Some((next, follower))
        }))
    }
}

impl Follower {
    /// The next entry; `None` when there will be none.
    async fn next(&mut self) -> Result<Option<ActivityEntry>, ServiceError> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Ok(Some(entry));
            }
            if !self.begun {
                self.begin().await?;
                self.begun = true;
            } else if self.wait().await {
                self.read_on().await?;
            } else {
                return Ok(None);
            }
        }
    }

    /// Waits until something of the organization has changed; `false` when nothing will any more.
    async fn wait(&mut self) -> bool {
        let organization = self.access.organization();
        loop {
            match self.moved.recv().await {
                Ok(stamps) => {
                    let ours = |stamp: &Stamp| stamp.kind == StampKind::Content && Some(stamp.id) == organization;
                    if stamps.iter().any(ours) {
                        return true;
                    }
                }
                // What was missed is read now.
                Err(RecvError::Lagged(_)) => return true,
                Err(RecvError::Closed) => return false,
            }
        }
    }

    /// Reads the present state: the newest entry, and which ones lie just before it.
    async fn begin(&mut self) -> Result<(), ServiceError> {
        let Some(newest) = self.page(PageRequest::first(1)).await?.into_iter().next() else { return Ok(()) };
        let horizon = floor(newest.id);
        let request = PageRequest { before: Some(position(horizon)), ..PageRequest::first(REMEMBERED) };
        // One reading decides what is present and what is to come.
        let window = self.page(request).await?;
        let whole = window.len() < REMEMBERED as usize;
        self.horizon = if whole { Some(horizon) } else { window.last().map(|entry| entry.id) };
        self.known = window.iter().map(|entry| entry.id).collect();
        self.ready.extend(window.into_iter().next());
        Ok(())
    }

    /// Reads what is new, the oldest first.
    async fn read_on(&mut self) -> Result<(), ServiceError> {
        let mut from = self.horizon;
        loop {
            let page = self.page(PageRequest { before: from.map(position), ..PageRequest::last(BATCH) }).await?;
            let full = page.len() >= BATCH as usize;
            // Pages are the newest first, followers the oldest first.
            for entry in page.into_iter().rev() {
                from = Some(entry.id);
                if self.known.insert(entry.id) {
                    self.ready.push_back(entry);
                }
            }
            if !full {
                break;
            }
        }
        self.horizon = self.horizon.max(self.known.last().copied().map(floor));
        if let Some(horizon) = self.horizon {
            self.known.retain(|id| *id > horizon);
        }
        Ok(())
    }

    /// Reads with the rights the caller has now.
    async fn page(&mut self, request: PageRequest) -> Result<Vec<ActivityEntry>, ServiceError> {
        let read = |service: Service, access: Access| {
            let request = request.clone();
            async move {
                let (visibility, filter) = seen(reader(&access)?, ActivityQuery::default(), service.now());
                Ok(store::activity::list(&service.store().read(), &visibility, &filter, &request).await?.items)
            }
        };
        self.service.read_as(&mut self.access, read).await
    }
}

/// A little before an entry: ids begin with milliseconds since 1970 (RFC 9562, 5.7).
fn floor(id: Uuid) -> Uuid {
    let moment = (id.as_u128() >> 80).saturating_sub(CLOCKS_MS);
    Uuid::from_u128(moment << 80)
}

fn position(id: Uuid) -> Position {
    Position { key: SortKey::Id, id }
}
