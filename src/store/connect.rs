//! Opening the database, and migrating it.
//!
//! With sqlx 0.9 a task that is cancelled inside `BEGIN` leaves its connection in an open transaction, and the next caller's
//! acknowledged write is lost with it. Two remedies, each enough alone: every unit of work runs where it cannot be cancelled
//! ([`super::tx`]), and a pooled PostgreSQL connection is rolled back before it is handed out, for which the pool is built
//! here by hand. That one extra statement is no part of any statement budget.

use std::{str::FromStr, time::Duration};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, RuntimeErr, SqlxPostgresConnector, SqlxSqliteConnector};
use sea_orm_migration::MigratorTrait;
use sqlx::{
    ConnectOptions as _, Executor,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{StoreError, tx::uncancelled};
use crate::ablate;

/// The migrations' lock among gateways that start at once, by PostgreSQL's advisory locks: "gate" in ASCII.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_lock(1734440037)";
const MIGRATION_UNLOCK: &str = "SELECT pg_advisory_unlock(1734440037)";

/// Where the database is and how much of it to use.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// `postgres://…`, `sqlite:FILE` or `sqlite::memory:`.
    pub url: String,
    /// Most connections open at once. SQLite writes through one more of its own.
    pub max_connections: u32,
    /// How long work waits for a connection before the database counts as unavailable.
    pub acquire_timeout: Duration,
}

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// One file, one writer.
    Sqlite,
    /// A server.
    Postgres,
}

/// The database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(in crate::store) backend: Backend,
    pub(in crate::store) writer: DatabaseConnection,
    pub(in crate::store) reader: DatabaseConnection,
}

impl Store {
    /// Opens the database; a SQLite file is made where there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be reached or the URL means nothing.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, StoreError> {
        if options.url.starts_with("sqlite:") {
            Self::connect_sqlite(options).await
        } else {
            Self::connect_postgres(options).await
        }
        .map_err(|error| StoreError::Unavailable(DbErr::Conn(RuntimeErr::SqlxError(error.into()))))
    }

    async fn connect_postgres(options: &ConnectOptions) -> Result<Self, sqlx::Error> {
        let connect = PgConnectOptions::from_str(&options.url)?.disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    // A recursion's cost is overestimated, and compiling such a statement takes longer than running it. That a
                    // migration finds its table there already is no news.
                    connection.execute("SET jit = off; SET client_min_messages = warning").await?;
                    Ok(())
                })
            })
            .before_acquire(|connection, _| {
                Box::pin(async move {
                    if !ablate::off("before_acquire_rollback") {
                        // A bare ROLLBACK would log a warning on every connection that is clean.
                        connection.execute("BEGIN; ROLLBACK").await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(connect)
            .await?;
        let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        Ok(Self { backend: Backend::Postgres, writer: connection.clone(), reader: connection })
    }

    async fn connect_sqlite(options: &ConnectOptions) -> Result<Self, sqlx::Error> {
        let connect = SqliteConnectOptions::from_str(&options.url)?
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let pool = |size| {
            SqlitePoolOptions::new()
                .max_connections(size)
                .acquire_timeout(options.acquire_timeout)
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        let writer = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool(1).connect_with(connect.clone()).await?);
        // A database in memory belongs to its connection, so there everything shares one.
        let reader = if options.url.contains(":memory:") || options.url.contains("mode=memory") {
            writer.clone()
        } else {
            let connect = connect.pragma("query_only", "on");
            SqlxSqliteConnector::from_sqlx_sqlite_pool(pool(options.max_connections).connect_with(connect).await?)
        };
        Ok(Self { backend: Backend::Sqlite, writer, reader })
    }

    /// Which database it is.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// Brings the schema up to date; gateways that start at once take turns.
    ///
    /// # Errors
    /// [`StoreError::Query`] when a step fails or the database has steps that this gateway does not know.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let store = self.clone();
        uncancelled(async move {
            let Backend::Postgres = store.backend else {
                return Ok(gatehouse_migration::Migrator::up(&store.writer, None).await?);
            };
            let pool = store.writer.get_postgres_connection_pool();
            let unavailable = |error: sqlx::Error| DbErr::Conn(RuntimeErr::SqlxError(error.into()));
            let mut lock = pool.acquire().await.map_err(unavailable)?.detach();
            lock.execute(MIGRATION_LOCK).await.map_err(unavailable)?;
            let migrated = gatehouse_migration::Migrator::up(&store.writer, None).await;
            // The lock would go with the connection anyway.
            let _released = lock.execute(MIGRATION_UNLOCK).await;
            Ok(migrated?)
        })
        .await
    }

    /// Whether every step this gateway knows has been applied.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot say.
    pub async fn is_migrated(&self) -> Result<bool, StoreError> {
        let store = self.clone();
        uncancelled(async move {
            Ok(gatehouse_migration::Migrator::get_pending_migrations(&store.writer).await?.is_empty())
        })
        .await
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read().execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// PostgreSQL's connections as they are, past every fence of this room: for the tests that break a `BEGIN` on purpose.
    #[doc(hidden)]
    #[must_use]
    pub fn bare_postgres_pool(&self) -> Option<&sqlx::PgPool> {
        (self.backend == Backend::Postgres).then(|| self.writer.get_postgres_connection_pool())
    }

    /// Closes every connection, after the work in progress.
    ///
    /// # Errors
    /// [`StoreError`] when a connection does not close.
    pub async fn close(self) -> Result<(), StoreError> {
        self.reader.close().await?;
        if self.backend == Backend::Sqlite {
            self.writer.close().await?;
        }
        Ok(())
    }
}
