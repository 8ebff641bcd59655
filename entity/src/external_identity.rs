//! Table `external_identity`.

use sea_orm::entity::prelude::*;

/// Who a person is at an identity provider.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "external_identity")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose account it leads to.
    pub user_id: Uuid,
    /// The provider's issuer.
    #[sea_orm(column_type = "Text")]
    pub issuer: String,
    /// What the provider knows the person by; with the issuer unique.
    #[sea_orm(column_type = "Text")]
    pub subject: String,
    /// When it was linked.
    pub created_at: DateTimeUtc,
    /// When the person last came by it.
    pub last_login_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
