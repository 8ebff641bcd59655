//! Table `outgoing_mail`.

use sea_orm::entity::prelude::*;

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum MailState {
    /// It is to be delivered.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// It was taken over.
    #[sea_orm(string_value = "sent")]
    Sent,
    /// It was given up.
    #[sea_orm(string_value = "failed")]
    Failed,
}

/// A letter on its way, and after it the note of what became of it.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outgoing_mail")]
pub struct Model {
    /// UUIDv7; the letter's id in the mail too.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What it is about, such as an invitation; letters about one thing are withdrawn together.
    pub about: Option<Uuid>,
    /// What became of it.
    pub state: MailState,
    /// The letter, encrypted; only while it waits.
    pub sealed: Option<Vec<u8>>,
    /// How often it was taken to be delivered.
    pub attempts: i32,
    /// What was in the way the last time, in words without names or addresses.
    #[sea_orm(column_type = "Text", nullable)]
    pub problem: Option<String>,
    /// When it was written.
    pub created_at: DateTimeUtc,
    /// From when it may be taken; while it is being delivered, when that is taken for lost.
    pub due_at: DateTimeUtc,
    /// From when it is given up.
    pub ends_at: DateTimeUtc,
    /// When it was sent or given up.
    pub settled_at: Option<DateTimeUtc>,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
