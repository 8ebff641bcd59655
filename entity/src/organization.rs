//! Table `organization`.

use sea_orm::entity::prelude::*;

/// Whether anyone may act in the organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum OrganizationState {
    /// Open.
    #[sea_orm(string_value = "active")]
    Active,
    /// Closed for the time being.
    #[sea_orm(string_value = "suspended")]
    Suspended,
    /// Closed for good; kept until it is purged.
    #[sea_orm(string_value = "deleted")]
    Deleted,
}

/// The tenant: the isolation boundary.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Lower-case name for addresses; unique.
    #[sea_orm(column_type = "Text")]
    pub slug: String,
    /// Name as shown.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The organization it belongs to.
    pub parent_id: Option<Uuid>,
    /// Its rules, pinned to a version.
    pub blueprint_id: Uuid,
    /// Plan, by its key in the blueprint.
    #[sea_orm(column_type = "Text")]
    pub plan: String,
    /// Whether anyone may act in it.
    pub state: OrganizationState,
    /// Settings that people edit (invitation rules, language, time zone …), one object.
    #[sea_orm(column_type = "JsonBinary")]
    pub settings: Json,
    /// What it says about itself, by section and field of its blueprint's profile.
    #[sea_orm(column_type = "JsonBinary")]
    pub profile: Json,
    /// When it was opened.
    pub created_at: DateTimeUtc,
    /// Last change of the fields above.
    pub updated_at: DateTimeUtc,
    /// When it was closed for good.
    pub deleted_at: Option<DateTimeUtc>,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
