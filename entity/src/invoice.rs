//! Table `invoice`.

use sea_orm::entity::prelude::*;

/// What has become of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum InvoiceState {
    /// To be paid.
    #[sea_orm(string_value = "open")]
    Open,
    /// Paid.
    #[sea_orm(string_value = "paid")]
    Paid,
    /// Taken back.
    #[sea_orm(string_value = "void")]
    Void,
}

/// An invoice, as the billing system reported it.
#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "invoice")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose.
    pub organization_id: Uuid,
    /// Its number; unique within the organization.
    #[sea_orm(column_type = "Text")]
    pub number: String,
    /// The day it was written, as `2026-11-30`.
    #[sea_orm(column_type = "Text")]
    pub issued_on: String,
    /// The day it is due.
    #[sea_orm(column_type = "Text")]
    pub due_on: String,
    /// The amount in the currency's minor unit, as cents; below nothing for a credit note.
    #[sea_orm(column_type = "BigInteger")]
    pub amount_minor: i64,
    /// ISO 4217, as `EUR`.
    #[sea_orm(column_type = "Text")]
    pub currency: String,
    /// What has become of it.
    pub state: InvoiceState,
    /// What time it is for, in words.
    #[sea_orm(column_type = "Text", nullable)]
    pub period: Option<String>,
    /// Where it can be read.
    #[sea_orm(column_type = "Text", nullable)]
    pub url: Option<String>,
    /// When it was first reported.
    pub created_at: DateTimeUtc,
    /// When it was last reported.
    pub updated_at: DateTimeUtc,
}

/// None: the store joins in its own statements.
#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
