//! Upkeep: what time alone ends is removed, a batch at a time. Queries treat it as gone before that.

use super::{Change, Service, ServiceError, mail, usage};
use crate::{
    access::{SystemTask, verb::Purge},
    store::{self, WriteScope},
};

/// What passes its end and is removed then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Remains {
    /// Activity entries past the retention of their organization's blueprint (S3.69).
    Activity,
    /// Answers to repeated changes, after a day.
    Answers,
    /// Sessions past their absolute end, with their refresh tokens.
    Sessions,
    /// Keys of counted uses, after 400 days; the totals stay.
    Uses,
    /// Notes of letters that were sent or given up, after 30 days.
    Mail,
    /// Comings from identity providers that could not count any more.
    SpentSignIns,
}

impl Remains {
    /// Everything that is removed, in order.
    pub const ALL: [Self; 6] =
        [Self::Activity, Self::Answers, Self::Sessions, Self::Uses, Self::Mail, Self::SpentSignIns];

    /// What logs call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Activity => "activity entries",
            Self::Answers => "idempotency records",
            Self::Sessions => "sessions",
            Self::SpentSignIns => "spent sign-ins",
            Self::Uses => "counted uses",
            Self::Mail => "notes of mail",
        }
    }

    /// The system task that removes it.
    const fn task(self) -> SystemTask {
        match self {
            Self::Activity | Self::Answers | Self::Uses | Self::Mail => SystemTask::Retention,
            Self::Sessions | Self::SpentSignIns => SystemTask::Expiry,
        }
    }
}

impl Service {
    /// Removes at most `most` rows that are past their end by now, in one transaction; the number removed. For the system
    /// tasks [`SystemTask::Retention`] and [`SystemTask::Expiry`].
    ///
    /// # Errors
    /// When the database cannot do it.
    pub async fn remove_remains(&self, remains: Remains, most: u64) -> Result<u64, ServiceError> {
        let change = Change::by_system("removeRemains", remains.task(), WriteScope::default());
        let removed = self.mutate(change, move |work| {
            Box::pin(async move {
                let permit = work.authorize::<Purge>(None)?;
                let removed = match remains {
                    Remains::Activity => store::activity::purge_expired(work.tx, permit, work.now, most).await,
                    Remains::Answers => store::idempotency::purge_expired(work.tx, permit, work.now, most).await,
                    Remains::Sessions => store::session::purge_expired(work.tx, permit, work.now, most).await,
                    Remains::SpentSignIns => {
                        store::external_identity::purge_spent(work.tx, permit, work.now, most).await
                    }
                    Remains::Uses => {
                        let before = work.now - usage::REMEMBERED;
                        store::usage::purge_counted(work.tx, permit, before, most).await
                    }
                    Remains::Mail => {
                        let before = work.now - mail::REMEMBERED;
                        store::mail::purge_settled(work.tx, permit, before, most).await
                    }
                };
                Ok(removed?)
            })
        });
        Ok(removed.await?.value)
    }
}
