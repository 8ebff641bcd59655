//! Table `blueprint`.

use sea_orm::entity::prelude::*;

/// The rules of one kind of product. Rows never change: a change is a new version.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blueprint")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Name, shared by all versions.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// Version, from 1.
    pub version: i32,
    /// SHA-256 of the source, in hexadecimal.
    #[sea_orm(column_type = "Text")]
    pub hash: String,
    /// Title for people.
    #[sea_orm(column_type = "Text")]
    pub title: String,
    /// The TOML document.
    #[sea_orm(column_type = "Text")]
    pub source: String,
    /// When it was installed here.
    pub installed_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
