//! Transactions: the only way to write, and what reads and writes have in common.
//!
//! ```text
//!  Store::write(scope, work)
//!    spawn ─ BEGIN ─ limits ─ lock organizations, then users (ascending ids) ─ work(&Tx) ─ moved stamps ─ COMMIT
//! ```

use std::{future::Future, pin::Pin, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};
use tracing::Instrument;
use uuid::Uuid;

use super::{Backend, Store, StoreError, stamp};
use crate::{ablate, cache::stamp::Stamp};

/// Work inside a transaction.
pub type Work<'t, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 't>>;

/// What a write is about, and so what it locks first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteScope {
    /// Organizations whose rows are held until the end: seats and last holders are counted under this lock.
    pub organizations: Vec<Uuid>,
    /// Users whose rows are held until the end.
    pub users: Vec<Uuid>,
    /// How long it may take.
    pub limits: Limits,
}

/// How long a write may take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Limits {
    /// Someone waits: 3 s for a lock, 5 s a statement, 10 s in all, which is less than a write marker lives.
    #[default]
    Request,
    /// An import: 3 s for a lock, 60 s a statement, 10 minutes in all. Its caller renews the markers.
    Import,
}

impl Limits {
    const fn total(self) -> Duration {
        match self {
            Self::Request => Duration::from_secs(10),
            Self::Import => Duration::from_mins(10),
        }
    }

    const fn postgres(self) -> &'static str {
        match self {
            Self::Request => {
                "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '5s'; \
                 SET LOCAL idle_in_transaction_session_timeout = '5s'"
            }
            Self::Import => {
                "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '60s'; \
                 SET LOCAL idle_in_transaction_session_timeout = '60s'"
            }
        }
    }
}

impl WriteScope {
    /// A write in one organization.
    #[must_use]
    pub fn organization(id: Uuid) -> Self {
        Self { organizations: vec![id], ..Self::default() }
    }

    /// A write about one user.
    #[must_use]
    pub fn user(id: Uuid) -> Self {
        Self { users: vec![id], ..Self::default() }
    }
}

/// What a committed write came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed<T> {
    /// What the work returned.
    pub value: T,
    /// Every stamp the write moved, at its new version.
    pub stamps: Vec<Stamp>,
}

/// What can be read from: the pool or an open transaction.
pub trait Reader: Send + Sync {
    /// The connection statements go to; for the store's own use.
    #[doc(hidden)]
    type Connection: ConnectionTrait;

    #[doc(hidden)]
    fn connection(&self) -> &Self::Connection;
}

/// The pool as a [`Reader`]: each statement sees what is committed when it starts, on the primary.
#[derive(Debug, Clone)]
pub struct Reading(DatabaseConnection);

/// An open writing transaction.
#[derive(Debug)]
pub struct Tx {
    inner: DatabaseTransaction,
    backend: Backend,
}

impl Reader for Reading {
    type Connection = Self;

    fn connection(&self) -> &Self {
        self
    }
}

impl Reader for Tx {
    type Connection = DatabaseTransaction;

    fn connection(&self) -> &DatabaseTransaction {
        &self.inner
    }
}

/// Every statement runs where the caller's end cannot cancel it.
#[async_trait::async_trait]
impl ConnectionTrait for Reading {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let connection = self.0.clone();
        uncancelled(async move { connection.execute_raw(statement).await }).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let (connection, sql) = (self.0.clone(), sql.to_owned());
        uncancelled(async move { connection.execute_unprepared(&sql).await }).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let connection = self.0.clone();
        uncancelled(async move { connection.query_one_raw(statement).await }).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let connection = self.0.clone();
        uncancelled(async move { connection.query_all_raw(statement).await }).await
    }
}

impl Store {
    /// The pool, to read from.
    #[must_use]
    pub fn read(&self) -> Reading {
        Reading(self.reader.clone())
    }

    /// Runs `work` in a transaction and commits it; if it fails or takes longer than the scope's limits, rolls back.
    ///
    /// The caller's end does not cancel it: a write that has begun is committed or rolled back whole.
    ///
    /// # Errors
    /// What `work` returns; [`StoreError`] for what the database does, [`StoreError::CommitUnknown`] being the only one
    /// after which the change may have taken place.
    pub async fn write<T, E, F>(&self, scope: WriteScope, work: F) -> Result<Committed<T>, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t Tx) -> Work<'t, T, E> + Send + 'static,
    {
        let store = self.clone();
        uncancelled(async move {
            let limit = scope.limits.total();
            let tx = store.begin(scope).await?;
            let value = match tokio::time::timeout(limit, work(&tx)).await {
                Ok(Ok(value)) => value,
                Ok(Err(error)) => {
                    tx.abandon().await;
                    return Err(error);
                }
                Err(_elapsed) => {
                    tx.abandon().await;
                    return Err(StoreError::Busy.into());
                }
            };
            let stamps = store.commit(tx).await?;
            Ok(Committed { value, stamps })
        })
        .await
    }

    async fn begin(&self, scope: WriteScope) -> Result<Tx, StoreError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: (self.backend == Backend::Sqlite).then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let inner = self.writer.begin_with_options(options).await?;
        match self.backend {
            Backend::Sqlite => {
                inner.execute_unprepared("UPDATE stamp_sequence SET seq = seq + 1").await?;
            }
            Backend::Postgres => {
                inner.execute_unprepared(scope.limits.postgres()).await?;
                if !ablate::off("organization_lock") {
                    lock(&inner, "organization", scope.organizations).await?;
                }
                lock(&inner, "user_account", scope.users).await?;
            }
        }
        Ok(Tx { inner, backend: self.backend })
    }

    async fn commit(&self, tx: Tx) -> Result<Vec<Stamp>, StoreError> {
        let moved = stamp::moved(&tx.inner, tx.backend).await?;
        match tx.inner.commit().await {
            Ok(()) => Ok(moved.stamps),
            Err(error) if is_answer(&error) => Err(error.into()),
            Err(error) => match moved.transaction {
                Some(xid) => self.outcome(&xid, error).await.map(|()| moved.stamps),
                None => Err(error.into()),
            },
        }
    }

    /// Asks, on another connection, what became of a transaction whose commit was not answered.
    async fn outcome(&self, xid: &str, lost: DbErr) -> Result<(), StoreError> {
        for _ in 0..20 {
            let sql = "SELECT pg_xact_status($1::text::xid8) AS status";
            let ask = Statement::from_sql_and_values(DbBackend::Postgres, sql, [xid.into()]);
            if let Ok(Some(row)) = self.writer.query_one_raw(ask).await {
                match row.try_get::<Option<String>>("", "status")?.as_deref() {
                    Some("committed") => return Ok(()),
                    Some("aborted") => return Err(StoreError::Unavailable(lost)),
                    _ => {}
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(StoreError::CommitUnknown)
    }
}

impl Tx {
    /// Rolls back. Should that fail, the connection's end does it.
    async fn abandon(self) {
        if let Err(error) = self.inner.rollback().await {
            tracing::warn!(%error, "a transaction could not be rolled back");
        }
    }
}

/// Holds rows until the transaction ends, in one order for everyone, so that two writers never wait for each other.
async fn lock(tx: &DatabaseTransaction, table: &str, mut ids: Vec<Uuid>) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort_unstable();
    let marks = (1..=ids.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT 1 FROM {table} WHERE id IN ({marks}) ORDER BY id FOR NO KEY UPDATE");
    let ids = ids.into_iter().map(Value::from);
    tx.query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, ids)).await?;
    Ok(())
}

/// Whether the server itself refused the commit, so that it certainly did not take place.
fn is_answer(error: &DbErr) -> bool {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => match &**cause {
            sqlx::Error::Database(refusal) => !refusal.code().is_some_and(|code| code.starts_with("57P")),
            _ => false,
        },
        _ => false,
    }
}

/// Runs database work to its end even if whoever waits for it goes away.
pub(in crate::store) async fn uncancelled<T, F>(work: F) -> T
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    if ablate::off("uncancelled_transaction") {
        return work.await;
    }
    match tokio::spawn(work.in_current_span()).await {
        Ok(result) => result,
        Err(end) if end.is_panic() => std::panic::resume_unwind(end.into_panic()),
        // Nobody holds a handle to abort it, so the runtime is going down, and whoever waits goes with it.
        Err(_end) => std::future::pending().await,
    }
}
