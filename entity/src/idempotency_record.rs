//! Table `idempotency_record`.

use sea_orm::entity::prelude::*;

/// The first answer to a mutation with a key, given again to the same request.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_record")]
pub struct Model {
    /// Who asked.
    #[sea_orm(primary_key, auto_increment = false)]
    pub caller: Uuid,
    /// Which mutation.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub operation: String,
    /// Key that the caller chose.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub key: String,
    /// SHA-256 of the input.
    pub input_hash: Vec<u8>,
    /// The answer.
    #[sea_orm(column_type = "JsonBinary")]
    pub response: Json,
    /// When.
    pub created_at: DateTimeUtc,
    /// Until when it is remembered.
    pub expires_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
