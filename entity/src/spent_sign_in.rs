//! Table `spent_sign_in`.

use sea_orm::entity::prelude::*;

/// A coming from an identity provider that has counted, so that it does not count again.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "spent_sign_in")]
pub struct Model {
    /// SHA-256 of what it is known by.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// From when on it could not count in any case.
    pub expires_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
