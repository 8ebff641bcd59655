//! What happened, and what has been answered already.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0006_activity"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, UP).await?;
        dialect::refuse(manager, "activity_entry", "UPDATE").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, DOWN).await
    }
}

const UP: &str = "
CREATE TABLE activity_entry (
  id {uuid} NOT NULL PRIMARY KEY,
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  at {time} NOT NULL,
  category text NOT NULL CHECK (category IN ('access', 'content', 'account')),
  actor_kind text NOT NULL CHECK (actor_kind IN ('member', 'service_account', 'user', 'system')),
  actor_id {uuid},
  actor_name text NOT NULL,
  action text NOT NULL,
  app_id {uuid},
  app_name text,
  target_kind text NOT NULL,
  target_id text,
  target_name text NOT NULL,
  detail {json} NOT NULL,
  expires_at {time}
) {strict};
CREATE INDEX activity_entry_organization ON activity_entry (organization_id, id);
CREATE INDEX activity_entry_category ON activity_entry (organization_id, category, id);
CREATE INDEX activity_entry_app ON activity_entry (organization_id, app_id, id);
CREATE INDEX activity_entry_expires ON activity_entry (expires_at);

CREATE TABLE idempotency_record (
  caller {uuid} NOT NULL,
  operation text NOT NULL,
  key text NOT NULL,
  input_hash {bytes} NOT NULL,
  response {json} NOT NULL,
  created_at {time} NOT NULL,
  expires_at {time} NOT NULL,
  CONSTRAINT idempotency_record_caller_operation_key_key PRIMARY KEY (caller, operation, key)
) {strict};
CREATE INDEX idempotency_record_expires ON idempotency_record (expires_at);
";

const DOWN: &str = "DROP TABLE idempotency_record; DROP TABLE activity_entry;";
