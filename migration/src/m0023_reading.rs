//! How people want letters written to them: the language and the timezone that an account has chosen, if any.

use async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, sea_orm::DbErr};

use crate::dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0023_reading"
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
ALTER TABLE user_account ADD COLUMN language text;
ALTER TABLE user_account ADD COLUMN timezone text;
";

const DOWN: &str = "
ALTER TABLE user_account DROP COLUMN timezone;
ALTER TABLE user_account DROP COLUMN language;
";
