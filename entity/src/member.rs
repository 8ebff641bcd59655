//! Table `member`.

use sea_orm::entity::prelude::*;

/// How far the person has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum MemberState {
    /// Invited, not yet accepted.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// Takes part.
    #[sea_orm(string_value = "active")]
    Active,
    /// Keeps its grants and may use none.
    #[sea_orm(string_value = "suspended")]
    Suspended,
    /// Left; kept for the records that name it.
    #[sea_orm(string_value = "archived")]
    Archived,
}

/// A person's place in an organization. Grants and the seat hang on it from the invitation on.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "member")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// Whose; none while pending, or imported and not yet signed in.
    pub user_id: Option<Uuid>,
    /// Normalized address; unique here among those not archived.
    #[sea_orm(column_type = "Text")]
    pub email: Option<String>,
    /// Login name; unique here.
    #[sea_orm(column_type = "Text")]
    pub handle: Option<String>,
    /// Name as shown.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// First name.
    #[sea_orm(column_type = "Text")]
    pub first_name: Option<String>,
    /// Last name.
    #[sea_orm(column_type = "Text")]
    pub last_name: Option<String>,
    /// How far the person has come.
    pub state: MemberState,
    /// The principal that invited.
    pub invited_by: Option<Uuid>,
    /// When the place was made.
    pub created_at: DateTimeUtc,
    /// When it became active.
    pub joined_at: Option<DateTimeUtc>,
    /// When the person left.
    pub archived_at: Option<DateTimeUtc>,
    /// Last sign-in into this organization.
    pub last_login_at: Option<DateTimeUtc>,
    /// Last request, to the minute.
    pub last_seen_at: Option<DateTimeUtc>,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
