//! Table `activity_entry`.

use sea_orm::entity::prelude::*;

/// Which log it belongs to, which decides who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ActivityCategory {
    /// People, grants, tokens.
    #[sea_orm(string_value = "access")]
    Access,
    /// Work in the apps.
    #[sea_orm(string_value = "content")]
    Content,
    /// Plan, settings, the organization itself.
    #[sea_orm(string_value = "account")]
    Account,
}

/// What kind of actor it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ActorKind {
    /// A member.
    #[sea_orm(string_value = "member")]
    Member,
    /// A service account.
    #[sea_orm(string_value = "service_account")]
    ServiceAccount,
    /// A person outside any organization.
    #[sea_orm(string_value = "user")]
    User,
    /// The gateway itself.
    #[sea_orm(string_value = "system")]
    System,
}

/// Who did what to which target. Rows never change; they end by retention.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "activity_entry")]
pub struct Model {
    /// UUIDv7: the order of events.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// When.
    pub at: DateTimeUtc,
    /// Which log.
    pub category: ActivityCategory,
    /// What kind of actor.
    pub actor_kind: ActorKind,
    /// Which one.
    pub actor_id: Option<Uuid>,
    /// Its name at the time.
    #[sea_orm(column_type = "Text")]
    pub actor_name: String,
    /// What was done, by its key.
    #[sea_orm(column_type = "Text")]
    pub action: String,
    /// The app it was done in, which may be gone.
    pub app_id: Option<Uuid>,
    /// The app's name at the time.
    #[sea_orm(column_type = "Text")]
    pub app_name: Option<String>,
    /// What kind of thing it was done to.
    #[sea_orm(column_type = "Text")]
    pub target_kind: String,
    /// Which one, in its own terms.
    #[sea_orm(column_type = "Text")]
    pub target_id: Option<String>,
    /// Its name at the time.
    #[sea_orm(column_type = "Text")]
    pub target_name: String,
    /// What else a reader wants to know, one object.
    #[sea_orm(column_type = "JsonBinary")]
    pub detail: Json,
    /// From when retention may remove it.
    pub expires_at: Option<DateTimeUtc>,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
