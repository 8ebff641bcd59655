//! Blueprints, and the organizations that live by them.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0002_organizations"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, UP).await?;
        dialect::refuse(manager, "blueprint", "UPDATE").await?;
        dialect::refuse(manager, "blueprint", "DELETE").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, DOWN).await
    }
}

const UP: &str = "
CREATE TABLE blueprint (
  id {uuid} NOT NULL PRIMARY KEY,
  name text NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  hash text NOT NULL,
  title text NOT NULL,
  source text NOT NULL,
  installed_at {time} NOT NULL,
  CONSTRAINT blueprint_name_version_key UNIQUE (name, version)
) {strict};

CREATE TABLE organization (
  id {uuid} NOT NULL PRIMARY KEY,
  slug text NOT NULL CONSTRAINT organization_slug_key UNIQUE CHECK (slug = lower(slug) AND slug <> ''),
  name text NOT NULL,
  parent_id {uuid} REFERENCES organization (id) CHECK (parent_id <> id),
  blueprint_id {uuid} NOT NULL REFERENCES blueprint (id),
  plan text NOT NULL,
  state text NOT NULL CHECK (state IN ('active', 'suspended', 'deleted')),
  settings {json} NOT NULL,
  created_at {time} NOT NULL,
  updated_at {time} NOT NULL,
  deleted_at {time}
) {strict};
CREATE INDEX organization_parent ON organization (parent_id, id);
CREATE INDEX organization_blueprint ON organization (blueprint_id, id);
CREATE INDEX organization_name ON organization (name, id);
";

const DOWN: &str = "DROP TABLE organization; DROP TABLE blueprint;";
