//! Table `access_grant`.

use sea_orm::entity::prelude::*;

/// Who holds the grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum GranteeKind {
    /// One member.
    #[sea_orm(string_value = "member")]
    Member,
    /// A team, with the teams below it.
    #[sea_orm(string_value = "team")]
    Team,
    /// A service account.
    #[sea_orm(string_value = "service_account")]
    ServiceAccount,
    /// Every member of the organization.
    #[sea_orm(string_value = "everyone")]
    Everyone,
}

/// What gives access: a grantee, a role or a feature level, a place, perhaps an end.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_grant")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where.
    pub organization_id: Uuid,
    /// Who holds it.
    pub grantee_kind: GranteeKind,
    /// Which one; none for everyone.
    pub grantee_id: Option<Uuid>,
    /// Role given, by its key. Either this or a feature.
    #[sea_orm(column_type = "Text")]
    pub role: Option<String>,
    /// App kind of the feature.
    #[sea_orm(column_type = "Text")]
    pub app_kind: Option<String>,
    /// Feature given, by its key.
    #[sea_orm(column_type = "Text")]
    pub feature: Option<String>,
    /// Access level of the feature, where it has levels.
    #[sea_orm(column_type = "Text")]
    pub level: Option<String>,
    /// The app where it holds; none for the whole organization.
    pub app_id: Option<Uuid>,
    /// From when it gives nothing.
    pub expires_at: Option<DateTimeUtc>,
    /// The principal that gave it.
    pub granted_by: Option<Uuid>,
    /// When.
    pub created_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
