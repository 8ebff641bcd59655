//! Outgoing mail: letters are written in the transaction of what they are about, and delivered after it.
//!
//! A letter is sealed into the queue by [`Work::post`], so that it goes out exactly if its change is committed. The commit
//! nudges the gateway that made it, which delivers at once; what does not go out then is tried again by the job, longer and longer
//! apart, until its end. A gateway takes a letter by a conditional update before it sends it: of several, one does. Should it
//! die between sending and saying so, the letter goes out a second time, under the same id.
//!
//! What may not enter: addresses and links in logs and in the note of what became of a letter.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{Change, Service, ServiceError, Work, profile, user::chosen_reader};
use crate::{
    access::{SystemTask, verb::DeliverMail},
    id::new_id,
    mail::{Letter, MailError, Reader},
    store::{
        self, WriteScope,
        mail::{Attempted, SealedMail, TakenMail},
    },
};

/// How long a letter is tried for, where nothing ends it earlier.
pub const TRIED_FOR: TimeDelta = TimeDelta::days(2);
/// How long after its end the note of a letter is kept.
pub const REMEMBERED: TimeDelta = TimeDelta::days(30);
/// How long after the first attempt the second follows; each further one after twice as long.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// The longest time between two attempts.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);
/// How long one delivery may take.
const DELIVERY: Duration = Duration::from_mins(1);
/// When a letter that was taken counts as lost, and may be taken again: well after every delivery has ended.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// How long whoever asked for a change waits for its letters to leave.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many letters are looked up at once.
const BATCH: u64 = 100;
/// How many letters a gateway delivers at once.
pub(super) const COURIERS: usize = 4;

/// A letter to be posted, with what ends it.
#[derive(Debug, Clone)]
pub struct Post {
    letter: Letter,
    about: Option<Uuid>,
    until: Option<DateTime<Utc>>,
}

impl From<Letter> for Post {
    fn from(letter: Letter) -> Self {
        Self { letter, about: None, until: None }
    }
}

impl Letter {
    /// About one thing, so that it can be withdrawn with it.
    #[must_use]
    pub fn about(self, id: Uuid) -> Post {
        Post { about: Some(id), ..self.into() }
    }

    /// Of no use from then on, such as one with a link that ends.
    #[must_use]
    pub fn until(self, end: DateTime<Utc>) -> Post {
        Post { until: Some(end), ..self.into() }
    }
}

impl Post {
    /// Of no use from then on.
    #[must_use]
    pub fn until(self, end: DateTime<Utc>) -> Self {
        Self { until: Some(end), ..self }
    }
}

/// The letters that a change has posted.
#[derive(Debug, Clone, Default)]
pub(super) struct Mailbag(Arc<Mutex<Vec<Uuid>>>);

impl Mailbag {
    fn add(&self, id: Uuid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }

    pub(super) fn take(&self) -> Vec<Uuid> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A committed change's letters on their way. Nobody need wait for them.
#[derive(Debug, Default)]
pub struct Posted(Option<JoinHandle<bool>>);

impl Posted {
    /// Whether every letter has left: waits for the first attempts, and not for long. `None` when there are no letters, as in
    /// the answer to a repeated change.
    pub async fn left(self) -> Option<bool> {
        let attempts = self.0?;
        Some(matches!(tokio::time::timeout(PATIENCE, attempts).await, Ok(Ok(true))))
    }
}

impl Work<'_> {
    /// Posts a letter: it goes out at once after the commit, and never without it. The letter's id.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn post(&self, post: impl Into<Post>) -> Result<Uuid, ServiceError> {
        let Post { letter, about, until } = post.into();
        let id = new_id();
        let sealed =
            self.service.letter_key().seal(id, &letter).map_err(|error| ServiceError::Internal(error.into()))?;
        let last = self.now + TRIED_FOR;
        let ends_at = until.map_or(last, |until| until.min(last));
        store::mail::enqueue(self.tx, SealedMail { id, about, sealed, created_at: self.now, ends_at }).await?;
        self.mailbag.add(id);
        Ok(id)
    }

    /// How a letter of the author's organization to this address is read: as the account that has it has chosen, and where nothing
    /// is chosen or nobody has it, as the people of the organization read.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an author outside any.
    pub async fn reader_at(&self, address: &str) -> Result<Reader, ServiceError> {
        let standing = self.standing()?;
        let found = store::organization::find_by_id(self.tx, standing.place.id).await?;
        let usual = profile::reader(&standing.blueprint.rules, &found.ok_or(ServiceError::NotFound)?.profile)?;
        let account = store::user::find_by_email(self.tx, address).await?;
        // Whoever opened an account at somebody else's address chooses nothing for them.
        let account = account.filter(|user| user.email_verified_at.is_some());
        Ok(account.map_or(usual, |user| chosen_reader(&user, usual)))
    }

    /// Takes back the letters about one thing that have not gone out: what they say is no longer so.
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn withdraw(&self, about: Uuid) -> Result<(), ServiceError> {
        store::mail::withdraw(self.tx, about).await?;
        Ok(())
    }
}

/// What became of a letter that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Delivery {
    /// It was taken over.
    Sent,
    /// It will be tried again.
    Later,
    /// It was given up.
    Failed,
    /// Somebody else has it, or it was withdrawn.
    NotOurs,
}

impl Service {
    /// Sends letters off, in the background.
    pub(super) fn dispatch(&self, letters: Vec<Uuid>) -> Posted {
        if letters.is_empty() {
            return Posted::default();
        }
        let service = self.clone();
        Posted(Some(tokio::spawn(async move {
            let mut all = true;
            for id in letters {
                all &= matches!(service.deliver(id).await, Ok(Delivery::Sent));
            }
            all
        })))
    }

    /// Delivers the letters that are due by now; what became of each. For the system task [`SystemTask::Delivery`].
    ///
    /// # Errors
    /// When the database cannot say which they are.
    pub async fn deliver_mail(&self) -> Result<Vec<Delivery>, ServiceError> {
        let mut deliveries = Vec::new();
        loop {
            let due = store::mail::due(&self.store().read(), self.now(), BATCH).await?;
            let full = due.len() as u64 == BATCH;
            let each = due.into_iter().map(|id| self.deliver(id));
            // Each waits for one of the couriers.
            let came_of_it = futures_util::future::join_all(each).await;
            let all = deliveries.len();
            deliveries.extend(came_of_it.into_iter().flatten());
            if !full || deliveries.len() == all {
                return Ok(deliveries);
            }
        }
    }

    /// Delivers one letter, if it is due and nobody else has it.
    async fn deliver(&self, id: Uuid) -> Result<Delivery, ServiceError> {
        let _courier = self.couriers().acquire().await.map_err(|closed| ServiceError::Internal(closed.into()))?;
        let claim = Change::by_system("deliverMail", SystemTask::Delivery, WriteScope::default());
        let claimed = self.mutate(claim, move |work| {
            Box::pin(async move {
                let permit = work.authorize::<DeliverMail>(None)?;
                let taken = store::mail::claim(work.tx, permit, (id, work.now), work.now + LEASE).await?;
                Ok(taken.map(Claimed::from))
            })
        });
        let Some(claimed) = claimed.await?.value else { return Ok(Delivery::NotOurs) };
        let (attempt, came_of_it) = (claimed.attempt, self.hand_over(&claimed).await);
        let delivery = match &came_of_it {
            Attempted::Sent => Delivery::Sent,
            Attempted::Later(_, problem) => {
                tracing::info!(mail = %id, attempt, %problem, "a mail was not taken over; it is tried again");
                Delivery::Later
            }
            Attempted::Failed(problem) => {
                tracing::warn!(mail = %id, attempt, %problem, "a mail was given up");
                Delivery::Failed
            }
        };
        let settle = Change::by_system("deliverMail", SystemTask::Delivery, WriteScope::default());
        let settled = self.mutate(settle, move |work| {
            Box::pin(async move {
                let permit = work.authorize::<DeliverMail>(None)?;
                Ok(store::mail::settle(work.tx, permit, (id, attempt), came_of_it, work.now).await?)
            })
        });
        settled.await?;
        Ok(delivery)
    }

    async fn hand_over(&self, claimed: &Claimed) -> Attempted {
        let now = self.now();
        if claimed.ends_at <= now {
            return Attempted::Failed("its time was over".to_owned());
        }
        let sent = match self.letter_key().open(claimed.id, &claimed.sealed) {
            Ok(letter) => {
                // A transport that panics must not take the courier with it.
                let send = self.outbox().send(&letter, claimed.id, claimed.created_at);
                let send = std::panic::AssertUnwindSafe(send).catch_unwind();
                match tokio::time::timeout(DELIVERY, send).await {
                    Ok(Ok(sent)) => sent,
                    Ok(Err(_panic)) => Err(MailError::Unreachable("it failed inside".to_owned())),
                    Err(_elapsed) => Err(MailError::Unreachable("it took too long".to_owned())),
                }
            }
            Err(error) => Err(error),
        };
        let Err(error) = sent else { return Attempted::Sent };
        let again = now + pause(claimed.attempt);
        let problem = error.without_names();
        if error.is_permanent() && !crate::ablate::off("mail_refused") || again >= claimed.ends_at {
            return Attempted::Failed(problem);
        }
        Attempted::Later(again, problem)
    }
}

/// How long after an attempt the next one follows.
fn pause(attempt: i32) -> TimeDelta {
    let doubled = u32::try_from(attempt.saturating_sub(1)).ok().and_then(|times| 1_i32.checked_shl(times.min(20)));
    FIRST_PAUSE.checked_mul(doubled.unwrap_or(1)).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
}

/// A letter that was taken, as a change returns it.
#[derive(Serialize, Deserialize)]
struct Claimed {
    id: Uuid,
    sealed: Vec<u8>,
    attempt: i32,
    created_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
}

impl From<TakenMail> for Claimed {
    fn from(TakenMail { mail, attempt }: TakenMail) -> Self {
        let SealedMail { id, sealed, created_at, ends_at, .. } = mail;
        Self { id, sealed, attempt, created_at, ends_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_longer_and_longer_apart_and_at_most_an_hour() {
        let seconds: Vec<i64> = (1..=9).map(|attempt| pause(attempt).num_seconds()).collect();
        assert_eq!(seconds, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!((pause(i32::MAX), pause(i32::MIN)), (LONGEST_PAUSE, FIRST_PAUSE));
    }
}
