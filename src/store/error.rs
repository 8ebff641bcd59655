//! What can go wrong between the gateway and its database. Every variant fails closed: none is an answer.

use sea_orm::{DbErr, RuntimeErr};

/// A failed unit of database work. Unless it says otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or has no connection left.
    #[error("the database is unavailable")]
    Unavailable(#[source] DbErr),
    /// A row with the same key exists.
    #[error("`{constraint}` is violated")]
    Conflict {
        /// Name of the unique key: table, columns, `key`, joined by underscores.
        constraint: String,
    },
    /// Someone else holds the rows for too long; trying again may help.
    #[error("the rows are held by another writer")]
    Busy,
    /// The connection was lost during the commit, and the database could not say since whether it took place.
    #[error("the outcome of the commit is unknown")]
    CommitUnknown,
    /// The permit a write was given is for another organization or row: a fault of the caller's program.
    #[error("the permit does not cover `{0}`")]
    PermitMismatch(uuid::Uuid),
    /// A stored value that cannot be read.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    /// Any other refusal by the database.
    #[error("the database refused a statement")]
    Query(#[source] DbErr),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(RuntimeErr::Internal(_)) => Self::Unavailable(error),
            DbErr::Conn(RuntimeErr::SqlxError(cause))
            | DbErr::Exec(RuntimeErr::SqlxError(cause))
            | DbErr::Query(RuntimeErr::SqlxError(cause)) => match classify(cause) {
                Class::Unavailable => Self::Unavailable(error),
                Class::Conflict(constraint) => Self::Conflict { constraint },
                Class::Busy => Self::Busy,
                Class::Corrupt(what) => Self::Corrupt(what),
                Class::Other => Self::Query(error),
            },
            DbErr::Type(what) | DbErr::Json(what) => Self::Corrupt(what.clone()),
            DbErr::TryIntoErr { from, into, source } => Self::Corrupt(format!("`{from}` as `{into}`: {source}")),
            _ => Self::Query(error),
        }
    }
}

enum Class {
    Unavailable,
    Conflict(String),
    Busy,
    Corrupt(String),
    Other,
}

fn classify(error: &sqlx::Error) -> Class {
    match error {
        sqlx::Error::Database(refusal) => {
            let code = refusal.code().unwrap_or_default();
            if refusal.is_unique_violation() {
                Class::Conflict(constraint(refusal.as_ref()))
            } else if refusal.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                classify_sqlite(&code)
            } else {
                classify_postgres(&code)
            }
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => Class::Unavailable,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
            Class::Corrupt(error.to_string())
        }
        _ => Class::Other,
    }
}

/// SQLSTATE: lock and statement timeouts, deadlocks and serialization failures are busy; a server that goes or has no
/// room left is unavailable.
fn classify_postgres(code: &str) -> Class {
    match code {
        "55P03" | "40001" | "40P01" | "57014" | "25P03" => Class::Busy,
        _ if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => Class::Unavailable,
        _ => Class::Other,
    }
}

/// Result codes of SQLite; the low byte is the primary code (5 busy, 6 locked, 10 input/output, 13 full, 14 cannot open).
fn classify_sqlite(code: &str) -> Class {
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(5 | 6) => Class::Busy,
        Ok(10 | 13 | 14) => Class::Unavailable,
        _ => Class::Other,
    }
}

/// The key's name as PostgreSQL gives it; SQLite names the columns (`team.organization_id, team.slug`), or the index.
fn constraint(refusal: &dyn sqlx::error::DatabaseError) -> String {
    if let Some(name) = refusal.constraint() {
        return name.to_owned();
    }
    let message = refusal.message();
    let columns = message.rsplit_once(": ").map_or(message, |(_, columns)| columns);
    if let Some(index) = columns.strip_prefix("index '") {
        return index.trim_end_matches('\'').to_owned();
    }
    let mut name = String::new();
    for column in columns.split(", ") {
        let (table, column) = column.split_once('.').unwrap_or(("", column));
        if name.is_empty() {
            name.push_str(table);
        }
        name.push('_');
        name.push_str(column);
    }
    name.push_str("_key");
    name
}
