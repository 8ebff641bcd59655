//! A token does no more than whoever made it could share now: what its maker holds moves the token's stamp too.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::m0007_stamps::{self, Rule, Update, content};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0019_token_makers"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        m0007_stamps::install(manager, &RULES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        m0007_stamps::remove(manager, &RULES).await
    }
}

const TEAM_MEMBER: &str = "SELECT 2 AS kind, t.id AS id FROM api_token t WHERE t.created_by = {row}.member_id";

/// As far as the grantees are few: of many, and of everyone, the organization's stamp moves already.
const ACCESS_GRANT: &str = "SELECT x.kind, x.id FROM (
    WITH RECURSIVE below (id) AS (
      SELECT {row}.grantee_id WHERE {row}.grantee_kind = 'team'
      UNION SELECT c.id FROM team c JOIN below b ON c.parent_id = b.id),
    reached (id) AS (SELECT DISTINCT m.member_id FROM team_member m JOIN below b ON m.team_id = b.id LIMIT 65),
    few (yes) AS (SELECT count(*) <= 64 FROM reached)
    SELECT 2 AS kind, t.id AS id FROM reached r JOIN api_token t ON t.created_by = r.id, few WHERE few.yes
    UNION SELECT 2, t.id FROM api_token t WHERE t.created_by = {row}.grantee_id AND {row}.grantee_kind = 'member') x";

/// Members and people moved the tokens that they made before.
const RULES: [Rule; 2] = [
    Rule { name: "maker", insert: true, update: Update::Any, subjects: TEAM_MEMBER, ..content("team_member") },
    Rule { name: "maker", insert: true, update: Update::Any, subjects: ACCESS_GRANT, ..content("access_grant") },
];
