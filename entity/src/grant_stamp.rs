//! Table `grant_stamp`.
//!
//! Triggers write it and the store reads it in statements of its own: the column that names the transaction is `xid8` in
//! PostgreSQL and an integer `txseq` in SQLite, so it is left out here.

use sea_orm::entity::prelude::*;

/// The version of everything that one subject's rights depend on; never deleted.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grant_stamp")]
pub struct Model {
    /// 1 session, 2 API token, 3 user, 4 principal, 5 organization, 6 content of an organization.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: i16,
    /// The subject.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Grows by one with every change.
    pub ver: i64,
    /// When it last grew, by the database's clock.
    pub changed_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
