//! Seats: how many members take one.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Statement, Value};
use uuid::Uuid;

use super::{Reader, StoreError};

/// How many members take a seat of one pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeatCount {
    /// Active members.
    pub active: u32,
    /// Pending ones whose invitation can still be accepted.
    pub pending: u32,
}

/// Each member once, however many of the roles it holds: active, or pending with a live invitation (`Q21`, `Q28`). A grant
/// that has run out takes no seat.
const COUNT: &str = "
    SELECT m.state AS state, count(*) AS seats FROM member m
    WHERE m.organization_id = $1
      AND (m.state = 'active' OR m.state = 'pending' AND EXISTS (
        SELECT 1 FROM invitation i WHERE i.member_id = m.id AND i.state = 'pending' AND i.expires_at > $2))
      AND EXISTS (
        SELECT 1 FROM access_grant g
        WHERE g.grantee_kind = 'member' AND g.grantee_id = m.id AND (g.expires_at IS NULL OR g.expires_at > $2)
          AND g.role IN ({roles}))
    GROUP BY m.state";

/// Counts the members of an organization who hold one of these roles, anywhere in it.
///
/// Under the organization's lock the number holds until the transaction ends.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn count(
    reader: &impl Reader,
    organization: Uuid,
    roles: &[String],
    now: DateTime<Utc>,
) -> Result<SeatCount, StoreError> {
    let mut seats = SeatCount::default();
    if roles.is_empty() {
        return Ok(seats);
    }
    let marks = (3..roles.len() + 3).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let values =
        [Value::from(organization), Value::from(now)].into_iter().chain(roles.iter().cloned().map(Value::from));
    let connection = reader.connection();
    let database = connection.get_database_backend();
    let mut sql = COUNT.replace("{roles}", &marks);
    if crate::ablate::off("seat_states") {
        sql = sql.replace("m.state = 'active' OR", "m.state <> 'pending' OR");
    }
    let statement = Statement::from_sql_and_values(database, sql, values);
    for row in connection.query_all_raw(statement).await? {
        let count: i64 = row.try_get("", "seats")?;
        let count = u32::try_from(count).map_err(|_| StoreError::Corrupt(format!("{count} seats")))?;
        match row.try_get::<String>("", "state")?.as_str() {
            "pending" => seats.pending = count,
            _ => seats.active += count,
        }
    }
    Ok(seats)
}
