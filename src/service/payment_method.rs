//! Payment methods: written down by the billing system, never with a card's number (`S0.11`).

use serde_json::json;
use uuid::Uuid;

use super::{
    Access, Change, Idempotency, Service, ServiceError, Standing, UserError, UserErrorCode, Work,
    activity::{NewEntry, target},
    input::{self, Mistakes},
    invoice::{READ, RECORD, refuse_cards},
    usage::require,
};
pub use crate::store::payment_method::{PaymentMethod, PaymentMethodKind};
use crate::{access::verb::RecordBilling, id::new_id, store};

/// The most that are kept of an organization.
pub const MOST: u64 = 100;

/// A payment method as the billing system reports it.
#[derive(Debug, Clone)]
pub struct ReportedPaymentMethod {
    /// What the billing system calls it; one of the same reference is replaced.
    pub reference: String,
    /// What is paid with.
    pub kind: PaymentMethodKind,
    /// The card's brand, or the bank.
    pub brand: Option<String>,
    /// The last four digits.
    pub last4: Option<String>,
    /// The month it ends.
    pub expires_month: Option<i32>,
    /// The year it ends.
    pub expires_year: Option<i32>,
    /// Whose name is on it.
    pub holder: Option<String>,
    /// Whether it is the one that is used.
    pub is_default: bool,
}

impl Service {
    /// How the principal's organization pays, at most [`MOST`] of it, the default first; for holders of `billing.read`.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission.
    pub async fn payment_methods(&self, standing: &Standing) -> Result<Vec<PaymentMethod>, ServiceError> {
        require(standing, READ)?;
        Ok(store::payment_method::list(&self.store().read(), &standing.rights.visible_by(READ), MOST).await?)
    }

    /// The payment method of this id; `None` for who may not see it too.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn find_payment_method(&self, access: &Access, id: Uuid) -> Result<Option<PaymentMethod>, ServiceError> {
        let Some(standing) = access.standing.as_ref().filter(|standing| require(standing, READ).is_ok()) else {
            return Ok(None);
        };
        Ok(store::payment_method::find_by_id(&self.store().read(), standing.place.id, id).await?)
    }

    /// Writes a payment method down, in the place of one of the same reference. Holders of `billing.record` may.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with every mistake at once, card numbers among them.
    pub async fn record_payment_method(
        &self,
        access: &Access,
        reported: ReportedPaymentMethod,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let repeat = idempotency.as_ref().map(|said| said.key.clone());
        let change = Change::in_organization("recordPaymentMethod", access)?.repeatable(idempotency);
        let work =
            self.mutate(change, move |work| Box::pin(async move { record(work, &reported, repeat.as_deref()).await }));
        Ok(work.await?.value)
    }

    /// A payment method that the caller has just written down; for holders of `billing.record`, who may not read billing.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when it is gone.
    pub async fn recorded_payment_method(&self, access: &Access, id: Uuid) -> Result<PaymentMethod, ServiceError> {
        let standing = access.standing()?;
        require(standing, RECORD)?;
        let found = store::payment_method::find_by_id(&self.store().read(), standing.place.id, id).await?;
        found.ok_or(ServiceError::NotFound)
    }

    /// Removes a payment method; its id. Holders of `billing.record` may.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `MISSING` when there is none of this reference.
    pub async fn remove_payment_method(
        &self,
        access: &Access,
        reference: String,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let repeat = idempotency.as_ref().map(|said| said.key.clone());
        let change = Change::in_organization("removePaymentMethod", access)?.repeatable(idempotency);
        let work =
            self.mutate(change, move |work| Box::pin(async move { remove(work, &reference, repeat.as_deref()).await }));
        Ok(work.await?.value)
    }
}

async fn record(work: &Work<'_>, reported: &ReportedPaymentMethod, repeat: Option<&str>) -> Result<Uuid, ServiceError> {
    let organization = work.standing()?.place.id;
    // Asked first, so that who may not is told nothing about the input.
    work.authorize::<RecordBilling>(None)?;
    let mut mistakes = Mistakes::default();
    let texts = [
        ("reference", Some(reported.reference.as_str())),
        ("brand", reported.brand.as_deref()),
        ("last4", reported.last4.as_deref()),
        ("holder", reported.holder.as_deref()),
    ];
    refuse_cards(&mut mistakes, repeat, &texts);
    let reference = mistakes.keep(input::name("reference", &reported.reference));
    let brand = mistakes.keep(input::optional_name("brand", reported.brand.as_deref()));
    let holder = mistakes.keep(input::optional_name("holder", reported.holder.as_deref()));
    let four = |digits: &&str| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if reported.last4.as_deref().is_some_and(|digits| !four(&digits)) {
        mistakes.push(invalid("last4", "these are not four digits").remedy("Give the last four digits alone."));
    }
    expiry(reported, &mut mistakes);
    let (Some(reference), Some(brand), Some(holder)) = (reference, brand, holder) else {
        return Err(mistakes.refused());
    };
    mistakes.settle()?;
    let known = store::payment_method::find_by_reference(work.tx, organization, &reference).await?;
    if known.is_none() && store::payment_method::count(work.tx, organization).await? >= MOST {
        let refusal = invalid("reference", &format!("there are {MOST} payment methods already"));
        return Err(refusal.remedy("Remove one first.").into());
    }
    let id = known.map_or_else(new_id, |known| known.id);
    let permit = work.authorize::<RecordBilling>(Some(id))?;
    let method = PaymentMethod {
        id,
        organization_id: organization,
        reference,
        kind: reported.kind,
        brand,
        last4: reported.last4.clone(),
        expires_month: reported.expires_month,
        expires_year: reported.expires_year,
        holder,
        is_default: reported.is_default,
        created_at: work.now,
        updated_at: work.now,
    };
    let method = store::payment_method::record(work.tx, permit, method).await?;
    let entry = NewEntry::account("payment_method.recorded", target("payment_method", method.id, &method.reference));
    work.record(organization, entry.detail(json!({ "last4": method.last4, "default": method.is_default }))).await?;
    Ok(method.id)
}

/// Month and year come together, and there are such.
fn expiry(reported: &ReportedPaymentMethod, mistakes: &mut Mistakes) {
    match (reported.expires_month, reported.expires_year) {
        (None, None) => {}
        (Some(month), Some(year)) => {
            if !(1..=12).contains(&month) {
                mistakes.push(invalid("expiresMonth", "this is no month").remedy("Write 1 to 12."));
            }
            if !(2000..=9999).contains(&year) {
                mistakes.push(invalid("expiresYear", "this is no year").remedy("Write all four digits."));
            }
        }
        (Some(_), None) => mistakes.push(invalid("expiresYear", "the month comes with its year")),
        (None, Some(_)) => mistakes.push(invalid("expiresMonth", "the year comes with its month")),
    }
}

async fn remove(work: &Work<'_>, reference: &str, repeat: Option<&str>) -> Result<Uuid, ServiceError> {
    let permit = work.authorize::<RecordBilling>(None)?;
    let organization = work.standing()?.place.id;
    let mut mistakes = Mistakes::default();
    refuse_cards(&mut mistakes, repeat, &[("reference", Some(reference))]);
    mistakes.settle()?;
    let Some(removed) = store::payment_method::remove(work.tx, permit, organization, reference.trim()).await? else {
        return Err(UserError::new(UserErrorCode::Missing, "reference", "there is no such payment method").into());
    };
    let entry = NewEntry::account("payment_method.removed", target("payment_method", removed.id, &removed.reference));
    work.record(organization, entry).await?;
    Ok(removed.id)
}

fn invalid(field: &str, message: &str) -> UserError {
    UserError::new(UserErrorCode::Invalid, field, message)
}
