//! Invoices, as the billing system reports them.

use chrono::{DateTime, Utc};
pub use gatehouse_entity::invoice::InvoiceState;
use gatehouse_entity::invoice::{ActiveModel, Column, Entity, Model};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::OnConflict};
use uuid::Uuid;

use super::{
    Page, PageRequest, Reader, StoreError, Tx,
    page::{Order, page},
    select::{select, select_by_id},
    visibility::{Columns, condition},
    write::{covers_row, written},
};
use crate::access::{Permit, Visibility, verb::RecordBilling};

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub organization_id: Uuid,
    /// Its number.
    pub number: String,
    /// The day it was written, as `2026-11-30`.
    pub issued_on: String,
    /// The day it is due.
    pub due_on: String,
    /// The amount in the currency's minor unit.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// What has become of it.
    pub state: InvoiceState,
    /// What time it is for, in words.
    pub period: Option<String>,
    /// Where it can be read.
    pub url: Option<String>,
    /// When it was first reported.
    pub created_at: DateTime<Utc>,
    /// When it was last reported.
    pub updated_at: DateTime<Utc>,
}

impl From<Model> for Invoice {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id,
            number: row.number,
            issued_on: row.issued_on,
            due_on: row.due_on,
            amount_minor: row.amount_minor,
            currency: row.currency,
            state: row.state,
            period: row.period,
            url: row.url,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The invoice of this id.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(reader: &impl Reader, organization: Uuid, id: Uuid) -> Result<Option<Invoice>, StoreError> {
    let select = select_by_id::<Entity>(id).filter(Column::OrganizationId.eq(organization));
    Ok(select.one(reader.connection()).await?.map(Invoice::from))
}

/// The invoice of this number.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_number(
    reader: &impl Reader,
    organization: Uuid,
    number: &str,
) -> Result<Option<Invoice>, StoreError> {
    let select = select::<Entity>().filter(Column::OrganizationId.eq(organization)).filter(Column::Number.eq(number));
    Ok(select.one(reader.connection()).await?.map(Invoice::from))
}

/// The invoices that are seen, the newest first.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(
    reader: &impl Reader,
    visibility: &Visibility,
    request: &PageRequest,
) -> Result<Page<Invoice>, StoreError> {
    let columns = Columns { organization: Column::OrganizationId, kind: Column::State, id: Column::Id };
    let select = select::<Entity>().filter(condition(visibility, columns));
    page(reader, select, Order { key: Some(Column::IssuedOn), id: Column::Id, descending: true }, request).await
}

/// Writes an invoice down; one of the same number is replaced, and keeps its id and first date of report.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn record(tx: &Tx, permit: Permit<RecordBilling>, invoice: Invoice) -> Result<Invoice, StoreError> {
    covers_row(&permit, invoice.organization_id, &[invoice.id])?;
    let (organization, number) = (invoice.organization_id, invoice.number.clone());
    let row = ActiveModel {
        id: Set(invoice.id),
        organization_id: Set(invoice.organization_id),
        number: Set(invoice.number),
        issued_on: Set(invoice.issued_on),
        due_on: Set(invoice.due_on),
        amount_minor: Set(invoice.amount_minor),
        currency: Set(invoice.currency),
        state: Set(invoice.state),
        period: Set(invoice.period),
        url: Set(invoice.url),
        created_at: Set(invoice.created_at),
        updated_at: Set(invoice.updated_at),
    };
    let replaced = [
        Column::IssuedOn,
        Column::DueOn,
        Column::AmountMinor,
        Column::Currency,
        Column::State,
        Column::Period,
        Column::Url,
        Column::UpdatedAt,
    ];
    let replace = OnConflict::columns([Column::OrganizationId, Column::Number]).update_columns(replaced).to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(tx.connection()).await?;
    written(find_by_number(tx, organization, &number).await?, organization)
}
