//! Table `token_notice`.

use sea_orm::entity::prelude::*;

/// That people were told of a token's end, so many days before it.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "token_notice")]
pub struct Model {
    /// The token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_id: Uuid,
    /// How many days before its end.
    #[sea_orm(primary_key, auto_increment = false)]
    pub days: i32,
    /// When.
    pub sent_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
