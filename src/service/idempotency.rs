//! Repeating a change: the first answer again, for 24 hours, per caller and operation.

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{Idempotency, ServiceError};
use crate::store::{self, StoreError, Tx};

/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// For how long another gateway may still be settling the change; clocks of gateways differ by less.
const MOMENT: TimeDelta = TimeDelta::seconds(15);

/// Whether a change was made only a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Recent(pub(super) bool);

/// One repeatable change.
#[derive(Debug)]
pub(super) struct Record {
    caller: Uuid,
    operation: &'static str,
    said: Idempotency,
}

impl Record {
    pub(super) const fn new(caller: Uuid, operation: &'static str, said: Idempotency) -> Self {
        Self { caller, operation, said }
    }

    /// The answer given the first time, if there was one, and whether that was only a moment ago.
    pub(super) async fn first_answer<T: DeserializeOwned>(
        &self,
        tx: &Tx,
        now: DateTime<Utc>,
    ) -> Result<Option<(T, Recent)>, ServiceError> {
        let found = store::idempotency::find(tx, self.caller, self.operation, &self.said.key, now).await?;
        let Some(found) = found else { return Ok(None) };
        if found.input_hash != self.said.input && !crate::ablate::off("idempotency_input") {
            return Err(ServiceError::Conflict("this `idempotencyKey` was used with other input"));
        }
        let first = serde_json::from_value(found.response)
            .map_err(|error| StoreError::Corrupt(format!("an idempotency record: {error}")))?;
        Ok(Some((first, Recent(now.signed_duration_since(found.created_at).abs() < MOMENT))))
    }

    /// Keeps the answer, in the same transaction as the change.
    pub(super) async fn keep(
        self,
        tx: &Tx,
        response: serde_json::Value,
        now: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let record = store::idempotency::IdempotencyRecord {
            caller: self.caller,
            operation: self.operation.to_owned(),
            key: self.said.key,
            input_hash: self.said.input.to_vec(),
            response,
            created_at: now,
            expires_at: now + KEPT,
        };
        match store::idempotency::insert(tx, record).await {
            Ok(()) => Ok(()),
            Err(StoreError::Conflict { .. }) => {
                Err(ServiceError::Conflict("a request with this `idempotencyKey` is being worked on"))
            }
            Err(error) => Err(error.into()),
        }
    }
}
