//! Table `api_token`.

use sea_orm::entity::prelude::*;

/// The secret of a program, acting for exactly one principal.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_token")]
pub struct Model {
    /// UUIDv7, part of the token text.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where it is valid.
    pub organization_id: Uuid,
    /// The service account it acts for, or:
    pub service_account_id: Option<Uuid>,
    /// the member it acts for.
    pub member_id: Option<Uuid>,
    /// Name as shown.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// What it is limited to, an array of texts.
    #[sea_orm(column_type = "JsonBinary")]
    pub scopes: Json,
    /// The member that made it.
    pub created_by: Option<Uuid>,
    /// When.
    pub created_at: DateTimeUtc,
    /// Until when it is valid.
    pub expires_at: DateTimeUtc,
    /// When it was ended before its time.
    pub revoked_at: Option<DateTimeUtc>,
    /// Last use, to the minute.
    pub last_used_at: Option<DateTimeUtc>,
    /// When another one was put in its place while it stays good for a while.
    pub replaced_at: Option<DateTimeUtc>,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
