//! The condition a database is in, for the operator: what the promises of this gateway depend on.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{Backend, Reader, Store, StoreError};

/// What a database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its name and version.
    pub version: String,
    /// Whether it takes writes; a standby does not, and lags behind the one that does.
    pub is_primary: bool,
    /// Whether a commit is on disk when it is acknowledged.
    pub is_durable: bool,
    /// Its own time; `None` for an embedded one, which has this machine's.
    pub now: Option<DateTime<Utc>>,
    /// Whether every step this gateway knows has been applied.
    pub is_migrated: bool,
}

const POSTGRES: &str = "
    SELECT 'PostgreSQL ' || current_setting('server_version') AS version, NOT pg_is_in_recovery() AS is_primary,
      current_setting('synchronous_commit') NOT IN ('off', 'local') AND current_setting('fsync') = 'on' AS is_durable,
      clock_timestamp() AS now";

const SQLITE: &str = "SELECT 'SQLite ' || sqlite_version() AS version";

impl Store {
    /// Asks the database for its condition.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot say.
    pub async fn condition(&self) -> Result<Condition, StoreError> {
        let reading = self.read();
        let connection = reading.connection();
        let (database, sql) = match self.backend() {
            Backend::Postgres => (DbBackend::Postgres, POSTGRES),
            Backend::Sqlite => (DbBackend::Sqlite, SQLITE),
        };
        let row = connection.query_one_raw(Statement::from_string(database, sql)).await?;
        let row = row.ok_or_else(|| StoreError::Corrupt("a condition without a row".to_owned()))?;
        let version = row.try_get("", "version")?;
        let (is_primary, is_durable, now) = match self.backend() {
            Backend::Postgres => {
                (row.try_get("", "is_primary")?, row.try_get("", "is_durable")?, Some(row.try_get("", "now")?))
            }
            // One file, one process; it is opened with `synchronous = FULL`.
            Backend::Sqlite => (true, true, None),
        };
        Ok(Condition { version, is_primary, is_durable, now, is_migrated: self.is_migrated().await? })
    }
}
