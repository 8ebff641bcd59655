//! Table `usage_total`.

use sea_orm::entity::prelude::*;

/// What an organization has used of a meter in a period.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_total")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// The meter, by its key in the blueprint.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub meter: String,
    /// The calendar month as `2026-11`, or `always` for a meter that has no periods.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub period: String,
    /// How much, in the meter's unit; never below nothing.
    #[sea_orm(column_type = "BigInteger")]
    pub amount: i64,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
