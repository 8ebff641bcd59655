//! Table `refresh_token`.

use sea_orm::entity::prelude::*;

/// One rotation of a session: used once, by its hash.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The session it renews.
    pub session_id: Uuid,
    /// SHA-256 of the token; unique.
    pub hash: Vec<u8>,
    /// When it was handed out.
    pub issued_at: DateTimeUtc,
    /// Idle end.
    pub expires_at: DateTimeUtc,
    /// When it was exchanged; a second use revokes the session.
    pub used_at: Option<DateTimeUtc>,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
