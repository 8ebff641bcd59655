//! Who was there last: members' last requests, remembered in this process and written down once a minute.
//!
//! A request costs no statement by this. Several gateways may write about the same member: the latest moment stands.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use uuid::Uuid;

use super::{Service, ServiceError};
use crate::{
    identity::Credential,
    store::{self, WriteScope},
};

/// Members written down in one statement.
const BATCH: usize = 1_000;

/// Members who were there since it was last written down, and when, to the minute.
#[derive(Debug, Default)]
pub(super) struct Presence(Mutex<HashMap<Uuid, DateTime<Utc>>>);

impl Presence {
    fn note(&self, member: Uuid, at: DateTime<Utc>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(member, at);
    }

    fn take(&self) -> HashMap<Uuid, DateTime<Utc>> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Service {
    /// Remembers that a member was there (`Q18`).
    pub(super) fn note_presence(&self, credential: &Credential, now: DateTime<Utc>) {
        let Credential::Session(identity) = credential else { return };
        let Some(member) = identity.member else { return };
        self.presence().note(member, now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now));
    }

    /// Writes down who was there since the last time; how many. It locks no organization: nothing that is counted or decided
    /// follows from it.
    ///
    /// # Errors
    /// When the database refuses; the next request notes it again.
    pub async fn record_presence(&self) -> Result<usize, ServiceError> {
        let seen = self.presence().take();
        let count = seen.len();
        let mut minutes: BTreeMap<DateTime<Utc>, Vec<Uuid>> = BTreeMap::new();
        for (member, at) in seen {
            minutes.entry(at).or_default().push(member);
        }
        for (at, members) in minutes {
            for some in members.chunks(BATCH) {
                let some = some.to_vec();
                let written = self.store().write(WriteScope::default(), move |tx| {
                    Box::pin(async move { store::member::note_seen(tx, &some, at).await })
                });
                written.await?;
            }
        }
        Ok(count)
    }
}
