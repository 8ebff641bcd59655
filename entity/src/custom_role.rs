//! Table `custom_role`.

use sea_orm::entity::prelude::*;

/// Whether the role gives anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum CustomRoleState {
    /// In use.
    #[sea_orm(string_value = "enabled")]
    Enabled,
    /// Gives nothing and cannot be given.
    #[sea_orm(string_value = "disabled")]
    Disabled,
}

/// A role of an organization's own, made after one of its blueprint.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "custom_role")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// `custom:` and a lower-case name; unique here.
    #[sea_orm(column_type = "Text")]
    pub key: String,
    /// The blueprint's role it is made after, by key.
    #[sea_orm(column_type = "Text")]
    pub base: String,
    /// What people call it.
    #[sea_orm(column_type = "Text")]
    pub label: String,
    /// What it is for.
    #[sea_orm(column_type = "Text")]
    pub help: String,
    /// Organization permissions, as selectors.
    #[sea_orm(column_type = "JsonBinary")]
    pub permissions: Json,
    /// Access to apps, as selectors.
    #[sea_orm(column_type = "JsonBinary")]
    pub access: Json,
    /// Whether it gives anything.
    pub state: CustomRoleState,
    /// The principal that made it.
    pub created_by: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// Last change of the fields above.
    pub updated_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
