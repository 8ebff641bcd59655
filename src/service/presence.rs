//! Who was there last: members' and sessions' last requests, remembered in this process and written down once a minute.
//!
//! A request costs no statement by this. Several gateways may write about the same member or session: the latest moment stands.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
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

/// Sessions written down in one statement, which names the address of each.
const SESSIONS: usize = 500;

/// Members who were there since it was last written down, and when, to the minute; and the sessions they were there by, each with
/// the address of its last request.
#[derive(Debug, Default)]
struct Seen {
    members: HashMap<Uuid, DateTime<Utc>>,
    sessions: HashMap<Uuid, (DateTime<Utc>, IpAddr)>,
}

/// Who was seen.
#[derive(Debug, Default)]
pub(super) struct Presence(Mutex<Seen>);

impl Presence {
    fn note(&self, (session, address): (Uuid, IpAddr), member: Option<Uuid>, at: DateTime<Utc>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.sessions.insert(session, (at, address));
        if let Some(member) = member {
            seen.members.insert(member, at);
        }
    }

    fn take(&self) -> Seen {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What was seen, by the minute it was seen in.
fn by_minute<T>(seen: impl Iterator<Item = (T, DateTime<Utc>)>) -> BTreeMap<DateTime<Utc>, Vec<T>> {
    let mut minutes: BTreeMap<DateTime<Utc>, Vec<T>> = BTreeMap::new();
    for (who, at) in seen {
        minutes.entry(at).or_default().push(who);
    }
    minutes
}

impl Service {
    /// Remembers that a session was used from an address, and that its member, where it has a place, was there (`Q18`).
    pub(super) fn note_presence(
        &self,
        credential: &Credential,
        (address, has_place): (IpAddr, bool),
        now: DateTime<Utc>,
    ) {
        let Credential::Session(identity) = credential else { return };
        let minute = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
        self.presence().note((identity.session, address), identity.member.filter(|_| has_place), minute);
    }

    /// Writes down who was there since the last time; how many members. It locks no organization: nothing that is counted or
    /// decided follows from it.
    ///
    /// # Errors
    /// When the database refuses; the next request notes it again.
    pub async fn record_presence(&self) -> Result<usize, ServiceError> {
        let Seen { members, sessions } = self.presence().take();
        let count = members.len();
        for (at, members) in by_minute(members.into_iter()) {
            for some in members.chunks(BATCH) {
                let some = some.to_vec();
                let written = self.store().write(WriteScope::default(), move |tx| {
                    Box::pin(async move { store::member::note_seen(tx, &some, at).await })
                });
                written.await?;
            }
        }
        let sessions = sessions.into_iter().map(|(session, (at, address))| ((session, address.to_string()), at));
        for (at, sessions) in by_minute(sessions) {
            for some in sessions.chunks(SESSIONS) {
                let some = some.to_vec();
                let written = self.store().write(WriteScope::default(), move |tx| {
                    Box::pin(async move { store::session::note_seen(tx, &some, at).await })
                });
                written.await?;
            }
        }
        Ok(count)
    }
}
