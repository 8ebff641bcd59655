//! Second factors, and in which sessions they were proven. No secret is here: each is derived from the root secret and its row's id.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::{
    dialect,
    m0007_stamps::{self, Rule, Update, content},
};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0022_second_factors"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, UP).await?;
        m0007_stamps::install(manager, &RULES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        m0007_stamps::remove(manager, &RULES).await?;
        dialect::run(manager, "DROP TABLE second_factor; ALTER TABLE session DROP COLUMN second_factor_at;").await
    }
}

const UP: &str = "
CREATE TABLE second_factor (
  id {uuid} NOT NULL PRIMARY KEY,
  user_id {uuid} NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
  created_at {time} NOT NULL,
  confirmed_at {time},
  last_step {bigint} NOT NULL CHECK (last_step >= 0),
  recovery_generation integer NOT NULL CHECK (recovery_generation > 0),
  recovery_used integer NOT NULL CHECK (recovery_used >= 0),
  CONSTRAINT second_factor_user_id_key UNIQUE (user_id)
) {strict};
ALTER TABLE session ADD COLUMN second_factor_at {time};
";

/// In an organization that asks for a second factor, a session has rights when its person has proven one in it, and only then.
const RULES: [Rule; 1] = [Rule {
    update: Update::Of("second_factor_at"),
    delete: false,
    name: "factor",
    subjects: "SELECT 1 AS kind, {row}.id AS id",
    ..content("session")
}];
