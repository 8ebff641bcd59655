//! Table `team_member`.

use sea_orm::entity::prelude::*;

/// What the member may do in the team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum TeamRole {
    /// Belongs.
    #[sea_orm(string_value = "member")]
    Member,
    /// Belongs and manages the team.
    #[sea_orm(string_value = "maintainer")]
    Maintainer,
}

/// Who is in a team.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "team_member")]
pub struct Model {
    /// The team.
    #[sea_orm(primary_key, auto_increment = false)]
    pub team_id: Uuid,
    /// The member.
    #[sea_orm(primary_key, auto_increment = false)]
    pub member_id: Uuid,
    /// The organization of both.
    pub organization_id: Uuid,
    /// What the member may do in the team.
    pub role: TeamRole,
    /// When.
    pub added_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
