//! Table `signing_key`.

use sea_orm::entity::prelude::*;

/// A key that signs access tokens, or did; derived from the root secret and this row's id, and in no row itself.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    /// UUIDv7, what the key is derived from together with the root secret.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// 1 for the first key, and one more for each that follows.
    pub generation: i32,
    /// When it was made, and published.
    pub created_at: DateTimeUtc,
    /// From when it signs.
    pub signs_from: DateTimeUtc,
    /// From when on nothing it signed is believed; none for the newest.
    pub retires_at: Option<DateTimeUtc>,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
