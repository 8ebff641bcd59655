//! A database of a test's own, on either engine, and the walk over both.

use std::time::Duration;

use gatehouse::store::{Backend, ConnectOptions, Store};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbErr, QueryResult, Statement, Value};
use tempfile::TempDir;

use super::postgres;

/// A migrated database that ends with the test.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    pub(crate) backend: Backend,
    pub(crate) store: Store,
    /// A way past the store, as an operator with a shell has.
    pub(crate) shell: DatabaseConnection,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("gatehouse.db").display());
        let database = Self::open(url, Backend::Sqlite, Some(folder)).await;
        database.store.migrate().await.unwrap();
        database
    }

    pub(crate) async fn postgres() -> Self {
        Self::open(postgres::create_database().await, Backend::Postgres, None).await
    }

    /// One without a table.
    pub(crate) async fn empty_postgres() -> Self {
        Self::open(postgres::create_empty_database().await, Backend::Postgres, None).await
    }

    async fn open(url: String, backend: Backend, folder: Option<TempDir>) -> Self {
        let store = connect(&url, 8).await;
        let shell = Database::connect(&url).await.unwrap();
        Self { url, backend, store, shell, _folder: folder }
    }

    /// Another gateway's connections to the same database.
    pub(crate) async fn connect(&self, max_connections: u32) -> Store {
        connect(&self.url, max_connections).await
    }

    /// Runs one statement; `$1`, `$2` … are its values.
    pub(crate) async fn run<const N: usize>(&self, sql: &str, values: [Value; N]) -> Result<u64, DbErr> {
        Ok(self.shell.execute_raw(self.statement(sql, values)).await?.rows_affected())
    }

    /// The rows of one query.
    pub(crate) async fn rows<const N: usize>(&self, sql: &str, values: [Value; N]) -> Vec<QueryResult> {
        self.shell.query_all_raw(self.statement(sql, values)).await.unwrap()
    }

    /// The number that one query answers.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.rows(sql, []).await[0].try_get_by_index(0).unwrap()
    }

    /// Waits until so many wait for a row or a table, on PostgreSQL; whoever does not wait is not kept out.
    pub(crate) async fn until_waiting(&self, many: i64) {
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        for _ in 0..3_000 {
            if self.count(waiting).await >= many {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{many} changes were to wait, and did not");
    }

    fn statement<const N: usize>(&self, sql: &str, values: [Value; N]) -> Statement {
        Statement::from_sql_and_values(self.shell.get_database_backend(), sql, values)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.backend == Backend::Postgres {
            postgres::drop_database(&self.url);
        }
    }
}

/// Runs a suite on SQLite, then on PostgreSQL.
pub(crate) async fn for_each_database(suite: impl AsyncFn(&TestDatabase)) {
    for open in [Backend::Sqlite, Backend::Postgres] {
        let database = match open {
            Backend::Sqlite => TestDatabase::sqlite().await,
            Backend::Postgres => TestDatabase::postgres().await,
        };
        eprintln!("on {open:?}:");
        suite(&database).await;
    }
}

async fn connect(url: &str, max_connections: u32) -> Store {
    let acquire_timeout = Duration::from_secs(10);
    Store::connect(&ConnectOptions { url: url.to_owned(), max_connections, acquire_timeout }).await.unwrap()
}
