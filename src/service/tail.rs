//! The stamps that moved, read from the database: what keeps a node's own knowledge of revocations fresh.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    cache::{LoadError, StampTail, TailBatch},
    store::{Store, stamp},
};

/// Reads moved stamps from the store.
#[derive(Debug, Clone)]
pub struct StoreTail(pub Store);

#[async_trait]
impl StampTail for StoreTail {
    async fn poll(&self, after: Option<&str>, window: Duration) -> Result<Option<TailBatch>, LoadError> {
        let tail = stamp::poll(&self.0.read(), after, window)
            .await
            .map_err(|error| LoadError::Unavailable(error.to_string().into()))?;
        Ok(tail.map(|tail| TailBatch { stamps: tail.stamps, position: tail.position }))
    }
}
