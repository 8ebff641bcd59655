//! What SQLite and PostgreSQL call by different names.
//!
//! A step's SQL holds `{uuid}`, `{time}`, `{bytes}`, `{json}`, `{bigint}`, `{bool}` and `{strict}`. In SQLite every table is `STRICT`: a UUID is a
//! blob of 16 bytes and a moment is RFC 3339 text, whose order is the order of time.

use sea_orm_migration::{
    SchemaManager,
    sea_orm::{ConnectionTrait, DbBackend, DbErr},
};

/// The types of PostgreSQL.
const POSTGRES: [(&str, &str); 7] = [
    ("{uuid}", "uuid"),
    ("{time}", "timestamptz"),
    ("{bytes}", "bytea"),
    ("{json}", "jsonb"),
    ("{bigint}", "bigint"),
    ("{bool}", "boolean"),
    ("{strict}", ""),
];

/// The storage classes of SQLite.
const SQLITE: [(&str, &str); 7] = [
    ("{uuid}", "BLOB"),
    ("{time}", "TEXT"),
    ("{bytes}", "BLOB"),
    ("{json}", "TEXT"),
    ("{bigint}", "INTEGER"),
    ("{bool}", "INTEGER"),
    ("{strict}", "STRICT"),
];

/// Whether the step runs on PostgreSQL; SQLite otherwise.
pub(crate) fn is_postgres(manager: &SchemaManager<'_>) -> bool {
    manager.get_database_backend() == DbBackend::Postgres
}

/// Runs statements separated by semicolons, after putting in the words of the database.
pub(crate) async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    let words = if is_postgres(manager) { POSTGRES } else { SQLITE };
    let sql = words.iter().fold(sql.to_owned(), |sql, (word, meaning)| sql.replace(word, meaning));
    manager.get_connection().execute_unprepared(&sql).await.map(|_| ())
}

/// Makes the database refuse `event` (`UPDATE` or `DELETE`) on the rows of `table`.
pub(crate) async fn refuse(manager: &SchemaManager<'_>, table: &str, event: &str) -> Result<(), DbErr> {
    let name = format!("{table}_refuse_{}", event.to_lowercase());
    let sql = if is_postgres(manager) {
        format!(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION '% rows are immutable', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$;
             CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change();"
        )
    } else {
        format!(
            "CREATE TRIGGER {name} BEFORE {event} ON {table}
             BEGIN SELECT RAISE(ABORT, '{table} rows are immutable'); END;"
        )
    };
    run(manager, &sql).await
}
