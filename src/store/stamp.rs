//! Stamps as the database keeps them: what a transaction moved, and what moved since one last looked.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};

use super::{Backend, Reader, StoreError};
use crate::cache::stamp::{Stamp, StampKind};

/// What one transaction moved.
pub(in crate::store) struct Moved {
    /// The transaction's id, for PostgreSQL to say what became of it; none if it has written nothing.
    pub(in crate::store) transaction: Option<String>,
    pub(in crate::store) stamps: Vec<Stamp>,
}

const MOVED_POSTGRES: &str = "
    SELECT pg_current_xact_id_if_assigned()::text AS xid, g.kind, g.id, g.ver
    FROM (SELECT 1) one LEFT JOIN grant_stamp g ON g.xid = pg_current_xact_id_if_assigned()";

const MOVED_SQLITE: &str = "
    SELECT NULL AS xid, g.kind, g.id, g.ver FROM grant_stamp g WHERE g.txseq = (SELECT seq FROM stamp_sequence)";

/// The stamps that the open transaction has moved.
pub(in crate::store) async fn moved<C: ConnectionTrait>(tx: &C, backend: Backend) -> Result<Moved, StoreError> {
    let (database, sql) = match backend {
        Backend::Postgres => (DbBackend::Postgres, MOVED_POSTGRES),
        Backend::Sqlite => (DbBackend::Sqlite, MOVED_SQLITE),
    };
    let rows = tx.query_all_raw(Statement::from_string(database, sql)).await?;
    let transaction = rows.first().map(|row| row.try_get("", "xid")).transpose()?.flatten();
    Ok(Moved { transaction, stamps: stamps(&rows)? })
}

/// What moved between two looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The stamps, at their present versions.
    pub stamps: Vec<Stamp>,
    /// Where the next look begins; only [`poll`] understands it.
    pub position: String,
}

/// Stamps of transactions that the last snapshot could not see: begun since, or open then. Exact whatever the order of
/// commits, where "greater than the last one seen" would lose whoever commits late.
const TAIL_POSTGRES: &str = "
    WITH s AS MATERIALIZED (SELECT pg_current_snapshot() AS s)
    SELECT g.kind, g.id, g.ver, (SELECT s::text FROM s) AS place,
      (SELECT system_identifier::text FROM pg_control_system()) AS system
    FROM (SELECT 1) one LEFT JOIN grant_stamp g
      ON g.xid >= $1::text::xid8 OR g.xid = ANY (string_to_array($2, ',')::xid8[])";

const RECENT_POSTGRES: &str = "
    WITH s AS MATERIALIZED (SELECT pg_current_snapshot() AS s)
    SELECT g.kind, g.id, g.ver, (SELECT s::text FROM s) AS place,
      (SELECT system_identifier::text FROM pg_control_system()) AS system
    FROM (SELECT 1) one LEFT JOIN grant_stamp g ON g.changed_at > now() - make_interval(secs => $1)";

/// The last transaction's stamps are given again, because a write typed by hand takes its number.
const TAIL_SQLITE: &str = "
    SELECT g.kind, g.id, g.ver, CAST(s.seq AS TEXT) AS place, 'sqlite' AS system
    FROM stamp_sequence s LEFT JOIN grant_stamp g ON g.txseq >= $1";

const RECENT_SQLITE: &str = "
    SELECT g.kind, g.id, g.ver, CAST(s.seq AS TEXT) AS place, 'sqlite' AS system
    FROM stamp_sequence s LEFT JOIN grant_stamp g
      ON g.changed_at > strftime('%Y-%m-%dT%H:%M:%f', 'now', '-' || $1 || ' seconds') || '+00:00'";

/// Every stamp that moved since `after`, a [`Tail::position`]; without one, in the last `window`. One statement.
///
/// `None` when the position is not in this database's past (another server, a restored backup): the caller starts over.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn poll(reader: &impl Reader, after: Option<&str>, window: Duration) -> Result<Option<Tail>, StoreError> {
    let connection = reader.connection();
    let database = connection.get_database_backend();
    let postgres = database == DbBackend::Postgres;
    let place = match after.map(Place::parse) {
        None => None,
        Some(Some(place)) => Some(place),
        Some(None) => return Ok(None),
    };
    let (sql, values): (&str, Vec<Value>) = match (&place, postgres) {
        (None, true) => (RECENT_POSTGRES, vec![window.as_secs_f64().into()]),
        (None, false) => (RECENT_SQLITE, vec![i64::try_from(window.as_secs()).unwrap_or(i64::MAX).into()]),
        (Some(place), true) => (TAIL_POSTGRES, vec![place.next.to_string().into(), place.open.clone().into()]),
        (Some(place), false) => (TAIL_SQLITE, vec![place.next.into()]),
    };
    let rows = connection.query_all_raw(Statement::from_sql_and_values(database, sql, values)).await?;
    let first = rows.first().ok_or_else(|| StoreError::Corrupt("`stamp_sequence` is empty".to_owned()))?;
    let position = format!("{}/{}", first.try_get::<String>("", "system")?, first.try_get::<String>("", "place")?);
    let now = Place::parse(&position).ok_or_else(|| StoreError::Corrupt(format!("snapshot `{position}`")))?;
    let lost = place.is_some_and(|then| then.system != now.system || then.next > now.next);
    Ok(if lost { None } else { Some(Tail { stamps: stamps(&rows)?, position }) })
}

/// A position taken apart: `system/sequence` of SQLite, `system/xmin:xmax:xip,…` of PostgreSQL.
struct Place {
    system: String,
    /// The first transaction that was not begun, or the last one that was.
    next: i64,
    /// Transactions open then, separated by commas.
    open: String,
}

impl Place {
    fn parse(position: &str) -> Option<Self> {
        let (system, place) = position.split_once('/')?;
        let (next, open) = match place.split_once(':') {
            None => (place, ""),
            Some((_xmin, rest)) => rest.split_once(':')?,
        };
        Some(Self { system: system.to_owned(), next: next.parse().ok()?, open: open.to_owned() })
    }
}

/// The stamps among rows of which one may be empty. A kind that a newer gateway wrote is left out: no entry of this one
/// depends on it.
fn stamps(rows: &[QueryResult]) -> Result<Vec<Stamp>, StoreError> {
    let mut stamps = Vec::with_capacity(rows.len());
    for row in rows {
        // SQLite's integers are 64 bits wide, PostgreSQL's smallint is not.
        let kind = match row.try_get::<Option<i16>>("", "kind") {
            Ok(kind) => kind.map(i64::from),
            Err(_) => row.try_get::<Option<i64>>("", "kind")?,
        };
        if let Some(kind) = kind.and_then(StampKind::from_number) {
            stamps.push(Stamp { kind, id: row.try_get("", "id")?, version: row.try_get("", "ver")? });
        }
    }
    Ok(stamps)
}
