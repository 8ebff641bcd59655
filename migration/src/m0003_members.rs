//! Who can hold grants: members with their invitations, service accounts with their tokens.
//!
//! The unique keys over (organization, id) are what the other tables refer to, so that no row can name another
//! organization's.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_members"
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
CREATE TABLE member (
  id {uuid} NOT NULL PRIMARY KEY,
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  user_id {uuid} REFERENCES user_account (id) ON DELETE SET NULL,
  email text,
  handle text,
  name text NOT NULL,
  first_name text,
  last_name text,
  state text NOT NULL CHECK (state IN ('pending', 'active', 'suspended', 'archived')),
  invited_by {uuid},
  created_at {time} NOT NULL,
  joined_at {time},
  archived_at {time},
  last_login_at {time},
  last_seen_at {time},
  CONSTRAINT member_organization_id_id_key UNIQUE (organization_id, id)
) {strict};
CREATE UNIQUE INDEX member_organization_id_user_id_key ON member (organization_id, user_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX member_organization_id_email_key ON member (organization_id, email)
  WHERE email IS NOT NULL AND state <> 'archived';
CREATE UNIQUE INDEX member_organization_id_handle_key ON member (organization_id, handle) WHERE handle IS NOT NULL;
CREATE INDEX member_user ON member (user_id, id);
CREATE INDEX member_name ON member (organization_id, name, id);
CREATE INDEX member_state ON member (organization_id, state, id);

CREATE TABLE invitation (
  id {uuid} NOT NULL PRIMARY KEY,
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  member_id {uuid} NOT NULL,
  email text NOT NULL,
  token_hash {bytes} NOT NULL CONSTRAINT invitation_token_hash_key UNIQUE,
  state text NOT NULL CHECK (state IN ('pending', 'accepted', 'declined', 'revoked')),
  expires_at {time} NOT NULL,
  sent_at {time} NOT NULL,
  sends integer NOT NULL CHECK (sends >= 0),
  invited_by {uuid},
  created_at {time} NOT NULL,
  settled_at {time},
  FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id) ON DELETE CASCADE
) {strict};
CREATE UNIQUE INDEX invitation_organization_id_email_key ON invitation (organization_id, email) WHERE state = 'pending';
CREATE INDEX invitation_organization ON invitation (organization_id, id);
CREATE INDEX invitation_member ON invitation (member_id, id);
CREATE INDEX invitation_email ON invitation (email, id);
CREATE INDEX invitation_expires ON invitation (expires_at) WHERE state = 'pending';

CREATE TABLE service_account (
  id {uuid} NOT NULL PRIMARY KEY,
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  name text NOT NULL,
  state text NOT NULL CHECK (state IN ('active', 'disabled')),
  created_by {uuid},
  created_at {time} NOT NULL,
  CONSTRAINT service_account_organization_id_id_key UNIQUE (organization_id, id)
) {strict};

CREATE TABLE api_token (
  id {uuid} NOT NULL PRIMARY KEY,
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  service_account_id {uuid},
  member_id {uuid},
  name text NOT NULL,
  secret_hash {bytes} NOT NULL,
  scopes {json} NOT NULL,
  created_by {uuid},
  created_at {time} NOT NULL,
  expires_at {time} NOT NULL,
  revoked_at {time},
  last_used_at {time},
  CHECK ((service_account_id IS NULL) <> (member_id IS NULL)),
  FOREIGN KEY (organization_id, service_account_id) REFERENCES service_account (organization_id, id) ON DELETE CASCADE,
  FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id) ON DELETE CASCADE
) {strict};
CREATE INDEX api_token_organization ON api_token (organization_id, id);
CREATE INDEX api_token_service_account ON api_token (service_account_id, id);
CREATE INDEX api_token_member ON api_token (member_id, id);
CREATE INDEX api_token_creator ON api_token (created_by);
CREATE INDEX api_token_expires ON api_token (expires_at);
";

const DOWN: &str = "DROP TABLE api_token; DROP TABLE service_account; DROP TABLE invitation; DROP TABLE member;";
