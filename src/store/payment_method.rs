//! Payment methods, as the billing system reports them.

use chrono::{DateTime, Utc};
pub use gatehouse_entity::payment_method::PaymentMethodKind;
use gatehouse_entity::payment_method::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    Reader, StoreError, Tx,
    organization::covers,
    select::{select, select_by_id},
    visibility::{Columns, condition},
    write::{covers_row, written},
};
use crate::access::{Permit, Visibility, verb::RecordBilling};

/// A payment method: never its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentMethod {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub organization_id: Uuid,
    /// What the billing system calls it.
    pub reference: String,
    /// What is paid with.
    pub kind: PaymentMethodKind,
    /// The card's brand, or the bank.
    pub brand: Option<String>,
    /// The last four digits.
    pub last4: Option<String>,
    /// The month it ends, 1 to 12.
    pub expires_month: Option<i32>,
    /// The year it ends.
    pub expires_year: Option<i32>,
    /// Whose name is on it.
    pub holder: Option<String>,
    /// Whether it is the one that is used.
    pub is_default: bool,
    /// When it was first reported.
    pub created_at: DateTime<Utc>,
    /// When it was last reported.
    pub updated_at: DateTime<Utc>,
}

impl From<Model> for PaymentMethod {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            organization_id: row.organization_id,
            reference: row.reference,
            kind: row.kind,
            brand: row.brand,
            last4: row.last4,
            expires_month: row.expires_month,
            expires_year: row.expires_year,
            holder: row.holder,
            is_default: row.is_default,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The payment method of this id.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(
    reader: &impl Reader,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<PaymentMethod>, StoreError> {
    let select = select_by_id::<Entity>(id).filter(Column::OrganizationId.eq(organization));
    Ok(select.one(reader.connection()).await?.map(PaymentMethod::from))
}

/// The payment method of this reference.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_reference(
    reader: &impl Reader,
    organization: Uuid,
    reference: &str,
) -> Result<Option<PaymentMethod>, StoreError> {
    let select =
        select::<Entity>().filter(Column::OrganizationId.eq(organization)).filter(Column::Reference.eq(reference));
    Ok(select.one(reader.connection()).await?.map(PaymentMethod::from))
}

/// The payment methods that are seen, at most so many: the default first, then by age.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(reader: &impl Reader, visibility: &Visibility, most: u64) -> Result<Vec<PaymentMethod>, StoreError> {
    let columns = Columns { organization: Column::OrganizationId, kind: Column::Kind, id: Column::Id };
    let select = select::<Entity>()
        .filter(condition(visibility, columns))
        .order_by_desc(Column::IsDefault)
        .order_by_asc(Column::Id)
        .limit(most);
    Ok(select.all(reader.connection()).await?.into_iter().map(PaymentMethod::from).collect())
}

/// How many an organization has.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn count(reader: &impl Reader, organization: Uuid) -> Result<u64, StoreError> {
    let select = select::<Entity>().filter(Column::OrganizationId.eq(organization));
    Ok(select.count(reader.connection()).await?)
}

/// Writes a payment method down; one of the same reference is replaced, and keeps its id and first date of report. A default
/// one takes that from the one that was.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn record(
    tx: &Tx,
    permit: Permit<RecordBilling>,
    method: PaymentMethod,
) -> Result<PaymentMethod, StoreError> {
    covers_row(&permit, method.organization_id, &[method.id])?;
    let (organization, reference) = (method.organization_id, method.reference.clone());
    if method.is_default {
        let update = Entity::update_many()
            .set(ActiveModel { is_default: Set(false), ..Default::default() })
            .filter(Column::OrganizationId.eq(organization))
            .filter(Column::IsDefault.eq(true));
        update.exec(tx.connection()).await?;
    }
    let row = ActiveModel {
        id: Set(method.id),
        organization_id: Set(method.organization_id),
        reference: Set(method.reference),
        kind: Set(method.kind),
        brand: Set(method.brand),
        last4: Set(method.last4),
        expires_month: Set(method.expires_month),
        expires_year: Set(method.expires_year),
        holder: Set(method.holder),
        is_default: Set(method.is_default),
        created_at: Set(method.created_at),
        updated_at: Set(method.updated_at),
    };
    let replaced = [
        Column::Kind,
        Column::Brand,
        Column::Last4,
        Column::ExpiresMonth,
        Column::ExpiresYear,
        Column::Holder,
        Column::IsDefault,
        Column::UpdatedAt,
    ];
    let replace = OnConflict::columns([Column::OrganizationId, Column::Reference]).update_columns(replaced).to_owned();
    Entity::insert(row).on_conflict(replace).exec_without_returning(tx.connection()).await?;
    written(find_by_reference(tx, organization, &reference).await?, organization)
}

/// Removes a payment method; `None` when it is gone already.
///
/// # Errors
/// [`StoreError::PermitMismatch`].
pub async fn remove(
    tx: &Tx,
    permit: Permit<RecordBilling>,
    organization: Uuid,
    reference: &str,
) -> Result<Option<PaymentMethod>, StoreError> {
    covers(&permit, organization)?;
    let Some(found) = find_by_reference(tx, organization, reference).await? else { return Ok(None) };
    Entity::delete_by_id(found.id).exec(tx.connection()).await?;
    Ok(Some(found))
}
