//! Who people are at identity providers of others, and which of their comings have counted.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0021_external_identities"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, "DROP TABLE spent_sign_in; DROP TABLE external_identity;").await
    }
}

/// A subject is one account's, and an account has one subject of an issuer: an address that a provider gives to somebody else
/// later leads that person to nobody's account. No right depends on these rows, so that they move no stamp.
const UP: &str = "
CREATE TABLE external_identity (
  id {uuid} NOT NULL PRIMARY KEY,
  user_id {uuid} NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
  issuer text NOT NULL,
  subject text NOT NULL,
  created_at {time} NOT NULL,
  last_login_at {time} NOT NULL,
  CONSTRAINT external_identity_issuer_subject_key UNIQUE (issuer, subject),
  CONSTRAINT external_identity_user_issuer_key UNIQUE (user_id, issuer)
) {strict};

CREATE TABLE spent_sign_in (
  hash {bytes} NOT NULL PRIMARY KEY,
  expires_at {time} NOT NULL
) {strict};
CREATE INDEX spent_sign_in_expires ON spent_sign_in (expires_at);
";
