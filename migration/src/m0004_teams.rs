//! Teams, and who is in them.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0004_teams"
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
CREATE TABLE team (
  id {uuid} NOT NULL PRIMARY KEY,
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  slug text NOT NULL CHECK (slug <> ''),
  name text NOT NULL,
  description text NOT NULL,
  parent_id {uuid} CHECK (parent_id <> id),
  privacy text NOT NULL CHECK (privacy IN ('closed', 'secret')),
  created_at {time} NOT NULL,
  CONSTRAINT team_organization_id_id_key UNIQUE (organization_id, id),
  CONSTRAINT team_organization_id_slug_key UNIQUE (organization_id, slug),
  FOREIGN KEY (organization_id, parent_id) REFERENCES team (organization_id, id)
) {strict};
CREATE INDEX team_name ON team (organization_id, name, id);
CREATE INDEX team_parent ON team (parent_id, id);

CREATE TABLE team_member (
  team_id {uuid} NOT NULL,
  member_id {uuid} NOT NULL,
  organization_id {uuid} NOT NULL,
  role text NOT NULL CHECK (role IN ('member', 'maintainer')),
  added_at {time} NOT NULL,
  CONSTRAINT team_member_team_id_member_id_key PRIMARY KEY (team_id, member_id),
  FOREIGN KEY (organization_id, team_id) REFERENCES team (organization_id, id) ON DELETE CASCADE,
  FOREIGN KEY (organization_id, member_id) REFERENCES member (organization_id, id) ON DELETE CASCADE
) {strict};
CREATE INDEX team_member_member ON team_member (member_id, team_id);
CREATE INDEX team_member_organization ON team_member (organization_id, team_id, member_id);
";

const DOWN: &str = "DROP TABLE team_member; DROP TABLE team;";
