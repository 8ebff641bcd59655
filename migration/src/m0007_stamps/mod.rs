//! Stamps: the version of everything that a subject's rights depend on, moved by triggers.
//!
//! A forgotten code path or an update typed by hand moves them too, in the transaction that makes the change; the table is
//! at once the outbox that other gateways read. What moves what is in [`rules`]; here is how either database is told.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use self::rules::RULES;
pub(crate) use self::rules::{Rule, Update, content};
use crate::dialect;

mod rules;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0007_stamps"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = dialect::is_postgres(manager);
        dialect::run(manager, if postgres { POSTGRES } else { SQLITE }).await?;
        install(manager, &RULES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = dialect::is_postgres(manager);
        remove(manager, &RULES).await?;
        let sequence = if postgres { "" } else { "DROP TABLE stamp_sequence;" };
        dialect::run(manager, &format!("DROP TABLE grant_stamp; {sequence}")).await
    }
}

/// Installs the triggers of these rules; for the steps that add tables too.
pub(crate) async fn install(manager: &SchemaManager<'_>, rules: &[Rule]) -> Result<(), DbErr> {
    let postgres = dialect::is_postgres(manager);
    for trigger in rules.iter().flat_map(triggers) {
        dialect::run(manager, &if postgres { trigger.postgres() } else { trigger.sqlite() }).await?;
    }
    Ok(())
}

/// Removes the triggers of these rules.
pub(crate) async fn remove(manager: &SchemaManager<'_>, rules: &[Rule]) -> Result<(), DbErr> {
    let postgres = dialect::is_postgres(manager);
    for Trigger { name, rule, .. } in rules.iter().flat_map(triggers) {
        let drop = if postgres {
            format!("DROP TRIGGER {name} ON {}; DROP FUNCTION {name}();", rule.table)
        } else {
            format!("DROP TRIGGER {name};")
        };
        dialect::run(manager, &drop).await?;
    }
    Ok(())
}

const POSTGRES: &str = "
CREATE TABLE grant_stamp (
  kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 6),
  id uuid NOT NULL,
  ver bigint NOT NULL,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (kind, id)
);
CREATE INDEX grant_stamp_xid ON grant_stamp (xid);
CREATE INDEX grant_stamp_changed ON grant_stamp (changed_at);
";

/// The writing transaction raises `stamp_sequence` first; a write that does not is told apart by its stamps' versions.
const SQLITE: &str = "
CREATE TABLE grant_stamp (
  kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 6),
  id BLOB NOT NULL,
  ver INTEGER NOT NULL,
  txseq INTEGER NOT NULL,
  changed_at TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT;
CREATE INDEX grant_stamp_txseq ON grant_stamp (txseq);
CREATE INDEX grant_stamp_changed ON grant_stamp (changed_at);
CREATE TABLE stamp_sequence (only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL) STRICT;
INSERT INTO stamp_sequence (only, seq) VALUES (1, 1);
";

/// One trigger of a rule.
struct Trigger<'a> {
    name: String,
    /// `INSERT`, `UPDATE`, `UPDATE OF …` or `DELETE`.
    event: String,
    /// The subjects of the rows before and after.
    subjects: String,
    rule: &'a Rule,
}

fn triggers(rule: &Rule) -> Vec<Trigger<'_>> {
    let of = |row: &str| rule.subjects.replace("{row}", row);
    let trigger = |verb: &str, event: String, subjects: String| Trigger {
        name: format!("{}_{}_stamp_{verb}", rule.table, rule.name),
        event,
        subjects,
        rule,
    };
    let both = || format!("{} UNION {}", of("OLD"), of("NEW"));
    let update = match rule.update {
        Update::No => None,
        Update::Any => Some("UPDATE".to_owned()),
        Update::Of(columns) => Some(format!("UPDATE OF {columns}")),
    };
    let insert = rule.insert.then(|| trigger("insert", "INSERT".to_owned(), of("NEW")));
    let update = update.map(|event| trigger("update", event, both()));
    let delete = rule.delete.then(|| trigger("delete", "DELETE".to_owned(), of("OLD")));
    [insert, update, delete].into_iter().flatten().collect()
}

impl Trigger<'_> {
    /// A subject moves once per transaction: nobody outside sees the steps between, and an import that changes ten thousand
    /// rows of an organization would otherwise leave as many dead versions of one stamp to wade through. The subquery looks
    /// one stamp up by its key; `NOT EXISTS` would be planned as a walk over all that the transaction has moved.
    fn postgres(&self) -> String {
        let Self { name, event, subjects, rule } = self;
        format!(
            "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
               INSERT INTO grant_stamp (kind, id, ver)
                 SELECT s.kind, s.id, 1 FROM ({subjects}) s
                 WHERE s.id IS NOT NULL AND pg_current_xact_id() <> coalesce(
                   (SELECT g.xid FROM grant_stamp g WHERE g.kind = s.kind AND g.id = s.id), '0'::xid8)
                 ORDER BY 1, 2
               ON CONFLICT (kind, id) DO UPDATE
                 SET ver = grant_stamp.ver + 1, xid = pg_current_xact_id(), changed_at = clock_timestamp();
               RETURN NULL;
             END $$;
             CREATE TRIGGER {name} AFTER {event} ON {} FOR EACH ROW EXECUTE FUNCTION {name}();",
            rule.table
        )
    }

    /// A subject moves with every row, because a statement typed by hand does not raise the sequence.
    fn sqlite(&self) -> String {
        let Self { name, event, subjects, rule } = self;
        format!(
            "CREATE TRIGGER {name} AFTER {event} ON {} BEGIN
               INSERT INTO grant_stamp (kind, id, ver, txseq, changed_at)
                 SELECT s.kind, s.id, 1, (SELECT seq FROM stamp_sequence),
                   strftime('%Y-%m-%dT%H:%M:%f', 'now') || '+00:00' FROM ({subjects}) s
                 WHERE s.id IS NOT NULL
               ON CONFLICT (kind, id) DO UPDATE
                 SET ver = ver + 1, txseq = excluded.txseq, changed_at = excluded.changed_at;
             END;",
            rule.table
        )
    }
}
