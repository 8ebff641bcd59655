//! Table `team`.

use sea_orm::entity::prelude::*;

/// Who may see the team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum TeamPrivacy {
    /// Every member of the organization.
    #[sea_orm(string_value = "closed")]
    Closed,
    /// Its own members and those who manage teams.
    #[sea_orm(string_value = "secret")]
    Secret,
}

/// A group of members that can be granted what a member can; nestable.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "team")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// Lower-case name; unique here.
    #[sea_orm(column_type = "Text")]
    pub slug: String,
    /// Name as shown.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// What it is for.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// The team above: what it is granted, this one has too.
    pub parent_id: Option<Uuid>,
    /// Who may see it.
    pub privacy: TeamPrivacy,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
