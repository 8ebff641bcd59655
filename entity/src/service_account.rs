//! Table `service_account`.

use sea_orm::entity::prelude::*;

/// Whether it may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ServiceAccountState {
    /// May act.
    #[sea_orm(string_value = "active")]
    Active,
    /// May not.
    #[sea_orm(string_value = "disabled")]
    Disabled,
}

/// A principal that is not a person.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_account")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// Name as shown.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Whether it may act.
    pub state: ServiceAccountState,
    /// The principal that made it.
    pub created_by: Option<Uuid>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
