//! Roles of an organization's own.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::{
    dialect,
    m0007_stamps::{self, Rule, Update, content},
};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0009_custom_roles"
    }
}

/// A role is part of the rules of its whole organization, and of what is shown of it.
const RULES: [Rule; 2] = [
    Rule {
        name: "rights",
        table: "custom_role",
        insert: true,
        update: Update::Any,
        delete: true,
        subjects: "SELECT 5 AS kind, {row}.organization_id AS id",
    },
    Rule { insert: true, update: Update::Any, ..content("custom_role") },
];

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, UP).await?;
        m0007_stamps::install(manager, &RULES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        m0007_stamps::remove(manager, &RULES).await?;
        dialect::run(manager, "DROP TABLE custom_role;").await
    }
}

/// The prefix of a key keeps it apart from the keys of every blueprint, now and in later versions: those have no colon.
const UP: &str = "
CREATE TABLE custom_role (
  id {uuid} NOT NULL PRIMARY KEY,
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  key text NOT NULL CHECK (key LIKE 'custom:_%'),
  base text NOT NULL,
  label text NOT NULL CHECK (label <> ''),
  help text NOT NULL,
  permissions {json} NOT NULL,
  access {json} NOT NULL,
  state text NOT NULL CHECK (state IN ('enabled', 'disabled')),
  created_by {uuid},
  created_at {time} NOT NULL,
  updated_at {time} NOT NULL,
  CONSTRAINT custom_role_organization_id_key_key UNIQUE (organization_id, key)
) {strict};
";
