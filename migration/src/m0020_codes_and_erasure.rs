//! Accounts that are looked after and end: one-time codes, which letters about an account carry, one living code per person and
//! purpose; and the one change that activity entries know, which takes an erased person's name out of them.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0020_codes_and_erasure"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, UP).await?;
        let postgres = dialect::is_postgres(manager);
        dialect::run(manager, if postgres { REFUSE_POSTGRES } else { REFUSE_SQLITE }).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = if dialect::is_postgres(manager) {
            "DROP TRIGGER activity_entry_refuse_update ON activity_entry"
        } else {
            "DROP TRIGGER activity_entry_refuse_update"
        };
        dialect::run(manager, drop).await?;
        dialect::refuse(manager, "activity_entry", "UPDATE").await?;
        dialect::run(manager, DOWN).await
    }
}

const UP: &str = "
CREATE TABLE one_time_code (
  id {uuid} NOT NULL PRIMARY KEY,
  user_id {uuid} NOT NULL REFERENCES user_account (id) ON DELETE CASCADE,
  purpose text NOT NULL CHECK (purpose IN ('verify_email', 'reset_password', 'leave_email', 'take_email')),
  email text NOT NULL,
  hash {bytes} NOT NULL CONSTRAINT one_time_code_hash_key UNIQUE,
  created_at {time} NOT NULL,
  expires_at {time} NOT NULL,
  used_at {time},
  CONSTRAINT one_time_code_user_id_purpose_key UNIQUE (user_id, purpose)
) {strict};
CREATE INDEX activity_entry_actor ON activity_entry (actor_id);
CREATE INDEX activity_entry_target ON activity_entry (target_id);
";

const DOWN: &str = "
DROP INDEX activity_entry_target;
DROP INDEX activity_entry_actor;
DROP TABLE one_time_code;
";

/// Entries are immutable still, save that the name of their actor or target becomes `Deleted account`, and that what their
/// detail says of a person goes with it: the same words as in `store::erasure`.
const REFUSE_POSTGRES: &str = "
DROP TRIGGER activity_entry_refuse_update ON activity_entry;
CREATE TRIGGER activity_entry_refuse_update BEFORE UPDATE ON activity_entry FOR EACH ROW WHEN (NOT (
  (OLD.id, OLD.organization_id, OLD.at, OLD.category, OLD.actor_kind, OLD.action, OLD.target_kind)
    = (NEW.id, NEW.organization_id, NEW.at, NEW.category, NEW.actor_kind, NEW.action, NEW.target_kind)
  AND OLD.actor_id IS NOT DISTINCT FROM NEW.actor_id AND OLD.target_id IS NOT DISTINCT FROM NEW.target_id
  AND OLD.app_id IS NOT DISTINCT FROM NEW.app_id AND OLD.app_name IS NOT DISTINCT FROM NEW.app_name
  AND OLD.expires_at IS NOT DISTINCT FROM NEW.expires_at
  AND NEW.actor_name IN (OLD.actor_name, 'Deleted account')
  AND NEW.target_name IN (OLD.target_name, 'Deleted account')
  AND NEW.detail IN (OLD.detail, OLD.detail - 'email' - 'before',
    jsonb_set(OLD.detail, '{member,name}', '\"Deleted account\"', false))
  AND (NEW.actor_name, NEW.target_name, NEW.detail) <> (OLD.actor_name, OLD.target_name, OLD.detail)))
  EXECUTE FUNCTION refuse_change();
";

const REFUSE_SQLITE: &str = "
DROP TRIGGER activity_entry_refuse_update;
CREATE TRIGGER activity_entry_refuse_update BEFORE UPDATE ON activity_entry WHEN NOT (
  (OLD.id, OLD.organization_id, OLD.at, OLD.category, OLD.actor_kind, OLD.action, OLD.target_kind)
    = (NEW.id, NEW.organization_id, NEW.at, NEW.category, NEW.actor_kind, NEW.action, NEW.target_kind)
  AND OLD.actor_id IS NEW.actor_id AND OLD.target_id IS NEW.target_id
  AND OLD.app_id IS NEW.app_id AND OLD.app_name IS NEW.app_name AND OLD.expires_at IS NEW.expires_at
  AND NEW.actor_name IN (OLD.actor_name, 'Deleted account')
  AND NEW.target_name IN (OLD.target_name, 'Deleted account')
  AND NEW.detail IN (OLD.detail, json_remove(OLD.detail, '$.email', '$.before'),
    json_replace(OLD.detail, '$.member.name', 'Deleted account'))
  AND (NEW.actor_name, NEW.target_name, NEW.detail) <> (OLD.actor_name, OLD.target_name, OLD.detail))
BEGIN SELECT RAISE(ABORT, 'activity_entry rows are immutable'); END;
";
