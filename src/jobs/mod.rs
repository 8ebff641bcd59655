//! Jobs: what happens without anybody asking, as named system tasks.
//!
//! Upkeep runs when a gateway starts and every few minutes from then on. It removes in small transactions what is past its end:
//! activity past its retention, answers to repeated changes, ended sessions with their refresh tokens. No answer waits for it:
//! what has ended is refused, hidden and not counted from that moment on, whether or not its row is still there. That is also
//! why nothing is done about invitations and grants that run out: queries measure them against the time.
//!
//! Once a minute it is written down which members were there.
//! The same round tells people of programs' secrets that end soon, each of them once.
//!
//! Mail that waits is delivered beside all that: what a commit has not sent off at once, a few seconds after it is due.
//! Once a second the signing keys are read again, so that what an operator ends at once ends everywhere a moment later. Twice a
//! minute the next one is made if its time has come: it is published long enough before it signs that every gateway and every
//! reader of the published keys knows it by then.
//!
//! Several gateways on one database may all do this; whoever comes second finds less.
//!
//! What may not enter: rules of its own, SQL. A job calls the service as a system task, as the command line does.
//!
//! ```no_run
//! # async fn example(service: gatehouse::service::Service) {
//! let upkeep = gatehouse::jobs::start(service.clone(), gatehouse::service::token_notice::NoticeDays::default(), None);
//! let removed = gatehouse::jobs::sweep(&service).await;
//! # drop((upkeep, removed));
//! # }
//! ```

use std::time::Duration;

use chrono::TimeDelta;
use tokio::task::JoinHandle;

use crate::service::{Service, ServiceError, mail::Delivery, token_notice::NoticeDays, upkeep::Remains};

/// How long upkeep rests.
const EVERY: Duration = Duration::from_mins(5);
/// How long who was there is remembered before it is written down.
const PRESENCE: Duration = Duration::from_mins(1);
/// How long a letter that is due may lie.
const MAIL: Duration = Duration::from_secs(15);
/// How often the signing keys are read: what is signed by one that was ended at once is believed for so long by other gateways.
const KEYS: Duration = Duration::from_secs(1);
/// How often it is looked whether the next signing key is due.
const KEYS_DUE: Duration = Duration::from_secs(30);
/// Rows of one transaction: few enough that nobody waits behind it.
const BATCH: u64 = 500;

/// Upkeep in the background; ends when dropped. A transaction that has begun is finished.
#[derive(Debug)]
pub struct Upkeep([JoinHandle<()>; 3]);

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Starts upkeep: at once, then every few minutes; people are told of secrets that end on these days before, and signing keys
/// follow one another so often, or never.
#[must_use]
pub fn start(service: Service, days: NoticeDays, keys_every: Option<TimeDelta>) -> Upkeep {
    // A mail server that does not answer keeps nothing else from being done.
    let couriers = service.clone();
    let mail = tokio::spawn(async move {
        let mut rounds = tokio::time::interval(MAIL);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            deliver(&couriers).await;
        }
    });
    // Nor does a sweep that takes its time keep the keys from being read.
    let reader = service.clone();
    let keys = tokio::spawn(async move {
        let mut rounds = tokio::time::interval(KEYS);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_failing = false;
        loop {
            rounds.tick().await;
            let read = reader.read_signing_keys().await;
            // Said once, and not each second that the database is gone.
            if let Err(error) = &read
                && !is_failing
            {
                tracing::warn!(%error, "cannot read the signing keys; those of before are used until it can be done");
            }
            is_failing = read.is_err();
        }
    });
    let upkeep = tokio::spawn(async move {
        let (mut sweeps, mut notes) = (tokio::time::interval(EVERY), tokio::time::interval(PRESENCE));
        let mut keys = tokio::time::interval(KEYS_DUE);
        loop {
            tokio::select! {
                _ = sweeps.tick() => {
                    sweep(&service).await;
                    notify(&service, &days).await;
                }
                _ = notes.tick() => record_presence(&service).await,
                _ = keys.tick() => follow_keys(&service, keys_every).await,
            }
        }
    });
    Upkeep([mail, keys, upkeep])
}

/// Removes everything that is past its end by the service's clock; how many rows of each kind. What cannot be removed now is
/// left for the next time.
pub async fn sweep(service: &Service) -> Vec<(Remains, u64)> {
    let mut swept = Vec::new();
    for remains in Remains::ALL {
        let (removed, ended) = remove(service, remains).await;
        if removed > 0 {
            tracing::info!(removed, what = remains.name(), "removed what was past its end");
        }
        if let Err(error) = ended {
            tracing::warn!(%error, what = remains.name(), "cannot remove what is past its end; trying again later");
        }
        swept.push((remains, removed));
    }
    swept
}

/// Writes down which members were there since the last time, and by which sessions.
pub async fn record_presence(service: &Service) {
    if let Err(error) = service.record_presence().await {
        tracing::warn!(%error, "cannot write down who was there; the next requests are noted again");
    }
}

/// Delivers the mail that is due; what became of each letter. What cannot be delivered now is left for the next time.
pub async fn deliver(service: &Service) -> Vec<Delivery> {
    match service.deliver_mail().await {
        Ok(deliveries) => deliveries,
        Err(error) => {
            tracing::warn!(%error, "cannot deliver mail; trying again later");
            Vec::new()
        }
    }
}

/// Reads the signing keys again, and makes the next one when the newest has signed for so long.
pub async fn follow_keys(service: &Service, every: Option<TimeDelta>) {
    let rotated = match every {
        Some(every) => service.rotate_signing_key_when_due(every).await.map(Some),
        None => Ok(None),
    };
    if let Ok(Some(true)) = rotated {
        tracing::info!("made the next signing key");
    }
    if let Err(error) = match rotated {
        Ok(_) => service.read_signing_keys().await,
        Err(error) => Err(error),
    } {
        tracing::warn!(%error, "cannot read or rotate the signing keys; trying again later");
    }
}

/// Tells people of secrets that end (`S4.R8`); how many letters were posted. What cannot be said now is left for the next time.
pub async fn notify(service: &Service, days: &NoticeDays) -> u64 {
    match service.send_token_notices(days).await {
        Ok(letters) => letters,
        Err(error) => {
            tracing::warn!(%error, "cannot tell of secrets that end; trying again later");
            0
        }
    }
}

async fn remove(service: &Service, remains: Remains) -> (u64, Result<(), ServiceError>) {
    let mut removed = 0;
    loop {
        match service.remove_remains(remains, BATCH).await {
            Ok(batch) => {
                removed += batch;
                if batch < BATCH {
                    return (removed, Ok(()));
                }
            }
            Err(error) => return (removed, Err(error)),
        }
    }
}
