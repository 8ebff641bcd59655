//! Notices: of which tokens' ends people have been told, and how long before (S4.R8).

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0011_notices"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, "DROP TABLE token_notice;").await
    }
}

/// Nobody is shown these rows, so that they move no stamp: they are bookkeeping of the gateway, like answers to repeated changes.
const UP: &str = "
CREATE TABLE token_notice (
  token_id {uuid} NOT NULL REFERENCES api_token (id) ON DELETE CASCADE,
  days integer NOT NULL CHECK (days > 0),
  sent_at {time} NOT NULL,
  PRIMARY KEY (token_id, days)
) {strict};
";
