//! Table `one_time_code`.

use sea_orm::entity::prelude::*;

/// What a code is for; it is good for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum CodePurpose {
    /// Proves the account's address.
    #[sea_orm(string_value = "verify_email")]
    VerifyEmail,
    /// Sets another password.
    #[sea_orm(string_value = "reset_password")]
    ResetPassword,
    /// Agrees to another address, from the present one.
    #[sea_orm(string_value = "leave_email")]
    LeaveEmail,
    /// Agrees to another address, from the new one.
    #[sea_orm(string_value = "take_email")]
    TakeEmail,
}

/// A code that was sent to a person, and is used once.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "one_time_code")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose account it is about.
    pub user_id: Uuid,
    /// What it is for.
    pub purpose: CodePurpose,
    /// The normalized address it is about.
    #[sea_orm(column_type = "Text")]
    pub email: String,
    /// SHA-256 of the code.
    pub hash: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// Until when it can be used.
    pub expires_at: DateTimeUtc,
    /// When it was used.
    pub used_at: Option<DateTimeUtc>,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
