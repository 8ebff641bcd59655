//! Outgoing mail: letters that wait, sealed, and what became of those that do not.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0013_mail"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, "DROP TABLE outgoing_mail;").await
    }
}

/// No right depends on these rows, so that they move no stamp. `about` refers to nothing: a letter outlives what it tells of.
const UP: &str = "
CREATE TABLE outgoing_mail (
  id {uuid} PRIMARY KEY,
  about {uuid},
  state text NOT NULL CHECK (state IN ('waiting', 'sent', 'failed')),
  sealed {bytes},
  attempts integer NOT NULL CHECK (attempts >= 0),
  problem text,
  created_at {time} NOT NULL,
  due_at {time} NOT NULL,
  ends_at {time} NOT NULL,
  settled_at {time},
  CHECK ((state = 'waiting') = (sealed IS NOT NULL)),
  CHECK ((state = 'waiting') = (settled_at IS NULL))
) {strict};
CREATE INDEX outgoing_mail_due ON outgoing_mail (due_at) WHERE state = 'waiting';
CREATE INDEX outgoing_mail_about ON outgoing_mail (about) WHERE state = 'waiting';
CREATE INDEX outgoing_mail_settled_at ON outgoing_mail (settled_at);
";
