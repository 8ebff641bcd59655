//! Signing keys: which there are and from when to when. None of them is here: each is derived from the root secret and its row's id.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0018_signing_keys"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, "DROP TABLE signing_key;").await
    }
}

/// Of two gateways that make a key at once, one finds its generation taken.
const UP: &str = "
CREATE TABLE signing_key (
  id {uuid} NOT NULL PRIMARY KEY,
  generation integer NOT NULL CHECK (generation > 0),
  created_at {time} NOT NULL,
  signs_from {time} NOT NULL,
  retires_at {time},
  CONSTRAINT signing_key_generation_key UNIQUE (generation)
) {strict};
";
