//! People and their sign-ins.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_accounts"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, DOWN).await
    }
}

const UP: &str = "
CREATE TABLE user_account (
  id {uuid} NOT NULL PRIMARY KEY,
  email text NOT NULL CONSTRAINT user_account_email_key UNIQUE,
  email_verified_at {time},
  name text NOT NULL,
  password_hash text,
  state text NOT NULL CHECK (state IN ('active', 'suspended', 'deleted')),
  created_at {time} NOT NULL,
  updated_at {time} NOT NULL,
  last_login_at {time}
) {strict};

CREATE TABLE session (
  id {uuid} NOT NULL PRIMARY KEY,
  user_id {uuid} NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
  created_at {time} NOT NULL,
  last_seen_at {time} NOT NULL,
  expires_at {time} NOT NULL,
  revoked_at {time},
  user_agent text,
  address text
) {strict};
CREATE INDEX session_of_user ON session (user_id, id);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE refresh_token (
  id {uuid} NOT NULL PRIMARY KEY,
  session_id {uuid} NOT NULL REFERENCES session (id) ON DELETE CASCADE,
  hash {bytes} NOT NULL CONSTRAINT refresh_token_hash_key UNIQUE,
  issued_at {time} NOT NULL,
  expires_at {time} NOT NULL,
  used_at {time}
) {strict};
CREATE INDEX refresh_token_session ON refresh_token (session_id, id);
CREATE INDEX refresh_token_expires ON refresh_token (expires_at);
";

const DOWN: &str = "DROP TABLE refresh_token; DROP TABLE session; DROP TABLE user_account;";
