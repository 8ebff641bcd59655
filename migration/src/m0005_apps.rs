//! Apps, and the grants that give access.
//!
//! A grantee is one of three tables or everyone, so no foreign key can hold it: triggers refuse a grantee that is not of the
//! grant's organization, and delete the grants of a grantee that goes.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0005_apps"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        dialect::run(manager, UP).await?;
        let postgres = dialect::is_postgres(manager);
        dialect::run(manager, if postgres { POSTGRES_GRANTEE } else { SQLITE_GRANTEE }).await?;
        for table in ["member", "team", "service_account"] {
            let delete = format!("DELETE FROM access_grant WHERE grantee_kind = '{table}' AND grantee_id = OLD.id");
            let trigger = if postgres {
                format!(
                    "CREATE OR REPLACE FUNCTION {table}_drop_grants() RETURNS trigger LANGUAGE plpgsql AS $$
                     BEGIN {delete}; RETURN NULL; END $$;
                     CREATE TRIGGER {table}_drop_grants AFTER DELETE ON {table}
                     FOR EACH ROW EXECUTE FUNCTION {table}_drop_grants();"
                )
            } else {
                format!("CREATE TRIGGER {table}_drop_grants AFTER DELETE ON {table} BEGIN {delete}; END;")
            };
            dialect::run(manager, &trigger).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["member", "team", "service_account"] {
            let drop = if dialect::is_postgres(manager) {
                format!("DROP TRIGGER {table}_drop_grants ON {table}; DROP FUNCTION {table}_drop_grants();")
            } else {
                format!("DROP TRIGGER {table}_drop_grants;")
            };
            dialect::run(manager, &drop).await?;
        }
        dialect::run(manager, "DROP TABLE access_grant; DROP TABLE app;").await
    }
}

const UP: &str = "
CREATE TABLE app (
  id {uuid} NOT NULL PRIMARY KEY,
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  kind text NOT NULL,
  slug text NOT NULL CHECK (slug <> ''),
  name text NOT NULL,
  parent_id {uuid} CHECK (parent_id <> id),
  visibility text NOT NULL CHECK (visibility IN ('private', 'public')),
  state text NOT NULL CHECK (state IN ('active', 'disabled')),
  created_at {time} NOT NULL,
  CONSTRAINT app_organization_id_id_key UNIQUE (organization_id, id),
  CONSTRAINT app_organization_id_slug_key UNIQUE (organization_id, slug),
  FOREIGN KEY (organization_id, parent_id) REFERENCES app (organization_id, id)
) {strict};
CREATE INDEX app_name ON app (organization_id, name, id);
CREATE INDEX app_kind ON app (organization_id, kind, id);
CREATE INDEX app_parent ON app (parent_id, id);

CREATE TABLE access_grant (
  id {uuid} NOT NULL PRIMARY KEY,
  organization_id {uuid} NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
  grantee_kind text NOT NULL CHECK (grantee_kind IN ('member', 'team', 'service_account', 'everyone')),
  grantee_id {uuid},
  role text,
  app_kind text,
  feature text,
  level text,
  app_id {uuid},
  expires_at {time},
  granted_by {uuid},
  created_at {time} NOT NULL,
  CHECK ((grantee_kind = 'everyone') = (grantee_id IS NULL)),
  CHECK ((role IS NOT NULL) <> (feature IS NOT NULL)),
  CHECK (feature IS NULL OR app_kind IS NOT NULL),
  CHECK (level IS NULL OR feature IS NOT NULL),
  FOREIGN KEY (organization_id, app_id) REFERENCES app (organization_id, id) ON DELETE CASCADE
) {strict};
CREATE INDEX access_grant_organization ON access_grant (organization_id, id);
CREATE INDEX access_grant_app ON access_grant (app_id, id);
CREATE INDEX access_grant_grantee ON access_grant (grantee_id, id);
CREATE INDEX access_grant_role ON access_grant (organization_id, role);
CREATE INDEX access_grant_expires ON access_grant (expires_at) WHERE expires_at IS NOT NULL;
";

const POSTGRES_GRANTEE: &str = "
CREATE UNIQUE INDEX access_grant_key ON access_grant (organization_id, grantee_kind,
  coalesce(grantee_id, '00000000-0000-0000-0000-000000000000'), coalesce(role, ''), coalesce(app_kind, ''),
  coalesce(feature, ''), coalesce(app_id, '00000000-0000-0000-0000-000000000000'));
CREATE OR REPLACE FUNCTION access_grant_grantee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN RAISE EXCEPTION 'the grantee of a grant does not change' USING ERRCODE = 'restrict_violation';
  END IF;
  IF NOT (CASE NEW.grantee_kind
    WHEN 'member' THEN EXISTS (SELECT 1 FROM member g WHERE g.id = NEW.grantee_id AND g.organization_id = NEW.organization_id)
    WHEN 'team' THEN EXISTS (SELECT 1 FROM team g WHERE g.id = NEW.grantee_id AND g.organization_id = NEW.organization_id)
    WHEN 'service_account' THEN
      EXISTS (SELECT 1 FROM service_account g WHERE g.id = NEW.grantee_id AND g.organization_id = NEW.organization_id)
    ELSE true END)
  THEN RAISE EXCEPTION 'grantee is not of the organization' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER access_grant_grantee BEFORE INSERT OR UPDATE OF organization_id, grantee_kind, grantee_id ON access_grant
  FOR EACH ROW EXECUTE FUNCTION access_grant_grantee();
";

const SQLITE_GRANTEE: &str = "
CREATE UNIQUE INDEX access_grant_key ON access_grant (organization_id, grantee_kind, coalesce(grantee_id, x''),
  coalesce(role, ''), coalesce(app_kind, ''), coalesce(feature, ''), coalesce(app_id, x''));
CREATE TRIGGER access_grant_grantee_insert BEFORE INSERT ON access_grant
WHEN NOT CASE NEW.grantee_kind
  WHEN 'member' THEN EXISTS (SELECT 1 FROM member g WHERE g.id = NEW.grantee_id AND g.organization_id = NEW.organization_id)
  WHEN 'team' THEN EXISTS (SELECT 1 FROM team g WHERE g.id = NEW.grantee_id AND g.organization_id = NEW.organization_id)
  WHEN 'service_account' THEN
    EXISTS (SELECT 1 FROM service_account g WHERE g.id = NEW.grantee_id AND g.organization_id = NEW.organization_id)
  ELSE 1 END
BEGIN SELECT RAISE(ABORT, 'grantee is not of the organization'); END;
CREATE TRIGGER access_grant_grantee_update BEFORE UPDATE OF organization_id, grantee_kind, grantee_id ON access_grant
BEGIN SELECT RAISE(ABORT, 'the grantee of a grant does not change'); END;
";
