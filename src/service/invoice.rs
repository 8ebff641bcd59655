//! Invoices: written down by the billing system, read by those who may see billing (`S0.11`).

use chrono::NaiveDate;
use serde_json::json;
use uuid::Uuid;

use super::{
    Access, Change, Idempotency, Service, ServiceError, Standing, UserError, UserErrorCode, Work,
    activity::{NewEntry, target},
    card_number, currency,
    input::{self, Mistakes},
    page::{Page, PageRequest, Position, SortKey},
    usage::require,
};
pub use crate::store::invoice::{Invoice, InvoiceState};
use crate::{
    access::{profile, verb::RecordBilling},
    id::new_id,
    store,
};

/// The permission that opens billing.
pub const READ: &str = "billing.read";
/// The permission that writes it down.
pub(super) const RECORD: &str = "billing.record";

/// An invoice as the billing system reports it.
#[derive(Debug, Clone)]
pub struct ReportedInvoice {
    /// Its number; one of the same number is replaced.
    pub number: String,
    /// The day it was written, as `2026-11-30`.
    pub issued_on: String,
    /// The day it is due.
    pub due_on: String,
    /// The amount in the currency's minor unit; below nothing for a credit note.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// What has become of it.
    pub state: InvoiceState,
    /// What time it is for, in words.
    pub period: Option<String>,
    /// Where it can be read.
    pub url: Option<String>,
}

/// Where an invoice stands in the list.
#[must_use]
pub fn position(invoice: &Invoice) -> Position {
    Position { key: SortKey::Text(invoice.issued_on.clone()), id: invoice.id }
}

/// Refuses card numbers in what was written, the idempotency key included, before anything of it is kept.
pub(super) fn refuse_cards(mistakes: &mut Mistakes, repeat: Option<&str>, texts: &[(&str, Option<&str>)]) {
    for (field, text) in texts.iter().copied().chain([("idempotencyKey", repeat)]) {
        if let Some(text) = text {
            mistakes.keep(card_number::refuse(field, text));
        }
    }
}

impl Service {
    /// The invoices of the principal's organization, the newest first; for holders of `billing.read`.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission.
    pub async fn list_invoices(
        &self,
        standing: &Standing,
        request: &PageRequest,
    ) -> Result<Page<Invoice>, ServiceError> {
        require(standing, READ)?;
        Ok(store::invoice::list(&self.store().read(), &standing.rights.visible_by(READ), request).await?)
    }

    /// The invoice of this id; `None` for who may not see it too.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn find_invoice(&self, access: &Access, id: Uuid) -> Result<Option<Invoice>, ServiceError> {
        let Some(standing) = access.standing.as_ref().filter(|standing| require(standing, READ).is_ok()) else {
            return Ok(None);
        };
        Ok(store::invoice::find_by_id(&self.store().read(), standing.place.id, id).await?)
    }

    /// Writes an invoice down, in the place of one of the same number. Holders of `billing.record` may, the billing system's
    /// token as a rule.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with every mistake at once.
    pub async fn record_invoice(
        &self,
        access: &Access,
        reported: ReportedInvoice,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let repeat = idempotency.as_ref().map(|said| said.key.clone());
        let change = Change::in_organization("recordInvoice", access)?.repeatable(idempotency);
        let work =
            self.mutate(change, move |work| Box::pin(async move { record(work, &reported, repeat.as_deref()).await }));
        Ok(work.await?.value)
    }

    /// An invoice that the caller has just written down; for holders of `billing.record`, who may not read billing.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when it is gone.
    pub async fn recorded_invoice(&self, access: &Access, id: Uuid) -> Result<Invoice, ServiceError> {
        let standing = access.standing()?;
        require(standing, RECORD)?;
        let found = store::invoice::find_by_id(&self.store().read(), standing.place.id, id).await?;
        found.ok_or(ServiceError::NotFound)
    }
}

async fn record(work: &Work<'_>, reported: &ReportedInvoice, repeat: Option<&str>) -> Result<Uuid, ServiceError> {
    let standing = work.standing()?;
    let organization = standing.place.id;
    // Asked first, so that who may not is told nothing about the input.
    work.authorize::<RecordBilling>(None)?;
    let mut mistakes = Mistakes::default();
    let amount = reported.amount_minor.to_string();
    let texts = [
        ("number", Some(reported.number.as_str())),
        ("issuedOn", Some(reported.issued_on.as_str())),
        ("dueOn", Some(reported.due_on.as_str())),
        ("amountMinor", Some(amount.as_str())),
        ("currency", Some(reported.currency.as_str())),
        ("period", reported.period.as_deref()),
        ("url", reported.url.as_deref()),
    ];
    refuse_cards(&mut mistakes, repeat, &texts);
    let number = mistakes.keep(number("number", &reported.number));
    let issued_on = mistakes.keep(day("issuedOn", &reported.issued_on));
    let due_on = mistakes.keep(day("dueOn", &reported.due_on));
    if let (Some(issued), Some(due)) = (issued_on, due_on)
        && due < issued
    {
        mistakes.push(invalid("dueOn", "it is due before it was written"));
    }
    let code = reported.currency.trim();
    if !currency::is_code(code) {
        mistakes.push(invalid("currency", "this is no currency").remedy("Write its ISO 4217 code, as `EUR`."));
    }
    let period = mistakes.keep(input::optional_name("period", reported.period.as_deref()));
    let url = mistakes.keep(reported.url.as_deref().map(|url| address("url", url)).transpose());
    let (Some(number), Some(issued_on), Some(due_on), Some(period), Some(url)) =
        (number, issued_on, due_on, period, url)
    else {
        return Err(mistakes.refused());
    };
    mistakes.settle()?;
    let known = store::invoice::find_by_number(work.tx, organization, &number).await?;
    let id = known.map_or_else(new_id, |known| known.id);
    let permit = work.authorize::<RecordBilling>(Some(id))?;
    let invoice = Invoice {
        id,
        organization_id: organization,
        number,
        issued_on: issued_on.to_string(),
        due_on: due_on.to_string(),
        amount_minor: reported.amount_minor,
        currency: code.to_owned(),
        state: reported.state,
        period,
        url,
        created_at: work.now,
        updated_at: work.now,
    };
    let invoice = store::invoice::record(work.tx, permit, invoice).await?;
    let entry = NewEntry::account("invoice.recorded", target("invoice", invoice.id, &invoice.number));
    work.record(organization, entry.detail(json!({ "state": word(invoice.state) }))).await?;
    Ok(invoice.id)
}

const fn word(state: InvoiceState) -> &'static str {
    match state {
        InvoiceState::Open => "open",
        InvoiceState::Paid => "paid",
        InvoiceState::Void => "void",
    }
}

fn invalid(field: &str, message: &str) -> UserError {
    UserError::new(UserErrorCode::Invalid, field, message)
}

fn day(field: &str, text: &str) -> Result<NaiveDate, UserError> {
    let day = if text.len() == 10 { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None };
    day.ok_or_else(|| invalid(field, "this is no day").remedy("Write it as `2026-11-30`."))
}

/// What an invoice is called: a line as a name is one.
fn number(field: &str, text: &str) -> Result<String, UserError> {
    if text.trim().is_empty() {
        return Err(invalid(field, "this is empty").remedy("Give the invoice's number."));
    }
    input::name(field, text)
}

/// The `https` address of an invoice.
fn address(field: &str, text: &str) -> Result<String, UserError> {
    profile::address(text.trim(), "https://example.com/invoices/1.pdf")
        .map_err(|unfit| invalid(field, &unfit.problem).remedy(unfit.fix))
}
