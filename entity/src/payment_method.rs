//! Table `payment_method`.

use sea_orm::entity::prelude::*;

/// What is paid with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum PaymentMethodKind {
    /// A card.
    #[sea_orm(string_value = "card")]
    Card,
    /// A bank account.
    #[sea_orm(string_value = "bank")]
    Bank,
    /// Anything else.
    #[sea_orm(string_value = "other")]
    Other,
}

/// A payment method, as the billing system reported it: never its number.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payment_method")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose.
    pub organization_id: Uuid,
    /// What the billing system calls it; unique within the organization.
    #[sea_orm(column_type = "Text")]
    pub reference: String,
    /// What is paid with.
    pub kind: PaymentMethodKind,
    /// The card's brand, or the bank.
    #[sea_orm(column_type = "Text", nullable)]
    pub brand: Option<String>,
    /// The last four digits.
    #[sea_orm(column_type = "Text", nullable)]
    pub last4: Option<String>,
    /// The month it ends, 1 to 12.
    pub expires_month: Option<i32>,
    /// The year it ends.
    pub expires_year: Option<i32>,
    /// Whose name is on it.
    #[sea_orm(column_type = "Text", nullable)]
    pub holder: Option<String>,
    /// Whether it is the one that is used; at most one of an organization.
    pub is_default: bool,
    /// When it was first reported.
    pub created_at: DateTimeUtc,
    /// When it was last reported.
    pub updated_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
