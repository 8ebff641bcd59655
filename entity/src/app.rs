//! Table `app`.

use sea_orm::entity::prelude::*;

/// Who may see that the app exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum AppVisibility {
    /// Those with access to it.
    #[sea_orm(string_value = "private")]
    Private,
    /// Every member of the organization.
    #[sea_orm(string_value = "public")]
    Public,
}

/// Whether the app may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum AppState {
    /// In use.
    #[sea_orm(string_value = "active")]
    Active,
    /// Refuses everyone.
    #[sea_orm(string_value = "disabled")]
    Disabled,
}

/// A protected resource of one of the blueprint's app kinds.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "app")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// App kind, by its key in the blueprint.
    #[sea_orm(column_type = "Text")]
    pub kind: String,
    /// Lower-case name; unique here.
    #[sea_orm(column_type = "Text")]
    pub slug: String,
    /// Name as shown.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The app it lies in.
    pub parent_id: Option<Uuid>,
    /// Who may see that it exists.
    pub visibility: AppVisibility,
    /// Whether it may be used.
    pub state: AppState,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
