//! Table `user_account`.

use sea_orm::entity::prelude::*;

/// Whether the account may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum UserState {
    /// May sign in.
    #[sea_orm(string_value = "active")]
    Active,
    /// May not sign in until it is made active again.
    #[sea_orm(string_value = "suspended")]
    Suspended,
    /// Closed; the row stays for the records that name it.
    #[sea_orm(string_value = "deleted")]
    Deleted,
}

/// A person's account, known by a verified address.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_account")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Normalized address; unique.
    #[sea_orm(column_type = "Text")]
    pub email: String,
    /// When the person proved that the address is theirs.
    pub email_verified_at: Option<DateTimeUtc>,
    /// Name as shown.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// PHC string (argon2id); none for accounts that sign in elsewhere.
    #[sea_orm(column_type = "Text")]
    pub password_hash: Option<String>,
    /// Whether the account may be used.
    pub state: UserState,
    /// When it was opened.
    pub created_at: DateTimeUtc,
    /// Last change of the fields above.
    pub updated_at: DateTimeUtc,
    /// Last sign-in.
    pub last_login_at: Option<DateTimeUtc>,
    /// Where the photo is; an `https` address, which is shown and never fetched.
    #[sea_orm(column_type = "Text")]
    pub photo_url: Option<String>,
    /// The primary tag of the language that letters to the person are written in, where one is chosen.
    #[sea_orm(column_type = "Text")]
    pub language: Option<String>,
    /// IANA name of the timezone that letters to the person tell moments in, where one is chosen.
    #[sea_orm(column_type = "Text")]
    pub timezone: Option<String>,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
