//! Table `invitation`.

use sea_orm::entity::prelude::*;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum InvitationState {
    /// Not answered.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// Taken.
    #[sea_orm(string_value = "accepted")]
    Accepted,
    /// Turned down.
    #[sea_orm(string_value = "declined")]
    Declined,
    /// Withdrawn.
    #[sea_orm(string_value = "revoked")]
    Revoked,
}

/// The token by which a person takes a pending place.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where to.
    pub organization_id: Uuid,
    /// The place it is for.
    pub member_id: Uuid,
    /// Normalized address it went to; one pending invitation per address and organization.
    #[sea_orm(column_type = "Text")]
    pub email: String,
    /// SHA-256 of the token; unique.
    pub token_hash: Vec<u8>,
    /// What became of it.
    pub state: InvitationState,
    /// Until when it can be accepted.
    pub expires_at: DateTimeUtc,
    /// When it was last sent.
    pub sent_at: DateTimeUtc,
    /// How often it was sent.
    pub sends: i32,
    /// The principal that invited.
    pub invited_by: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it left the state pending.
    pub settled_at: Option<DateTimeUtc>,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
