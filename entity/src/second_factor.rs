//! Table `second_factor`.

use sea_orm::entity::prelude::*;

/// A person's second factor. Neither its secret nor its recovery codes are here: both are derived from the root secret and `id`.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "second_factor")]
pub struct Model {
    /// UUIDv7; another one is another secret.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose; one each.
    pub user_id: Uuid,
    /// When its secret was shown.
    pub created_at: DateTimeUtc,
    /// When the first code proved that the secret had arrived; before that it counts for nothing.
    pub confirmed_at: Option<DateTimeUtc>,
    /// The time step (RFC 6238) of the last code that was taken: none is taken twice.
    pub last_step: i64,
    /// Which set of recovery codes is the present one, from 1.
    pub recovery_generation: i32,
    /// Which of them have been used, one bit each.
    pub recovery_used: i32,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
