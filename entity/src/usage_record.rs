//! Table `usage_record`.

use sea_orm::entity::prelude::*;

/// One use that was counted: what makes counting it a second time harmless.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_record")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose.
    pub organization_id: Uuid,
    /// The meter, by its key in the blueprint.
    #[sea_orm(column_type = "Text")]
    pub meter: String,
    /// What whoever reports it calls it; unique within the organization's meter.
    #[sea_orm(column_type = "Text")]
    pub key: String,
    /// How much came or, for a gauge, went.
    #[sea_orm(column_type = "BigInteger")]
    pub amount: i64,
    /// When it was counted.
    pub at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
