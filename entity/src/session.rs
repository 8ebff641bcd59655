//! Table `session`.

use sea_orm::entity::prelude::*;

/// A sign-in that can be listed and revoked.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// UUIDv7, the `sid` of access tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who signed in.
    pub user_id: Uuid,
    /// When.
    pub created_at: DateTimeUtc,
    /// Last refresh.
    pub last_seen_at: DateTimeUtc,
    /// Absolute end, whatever is refreshed.
    pub expires_at: DateTimeUtc,
    /// When it was ended before its time.
    pub revoked_at: Option<DateTimeUtc>,
    /// When the person proved its second factor in it.
    pub second_factor_at: Option<DateTimeUtc>,
    /// What the client called itself.
    #[sea_orm(column_type = "Text")]
    pub user_agent: Option<String>,
    /// Network address it was last refreshed or used from.
    #[sea_orm(column_type = "Text")]
    pub address: Option<String>,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
