//! Invoices.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};

use super::{
    context::InContext,
    error::{UserError, error, settle},
    node::NodeType,
    page::{Listed, PageArgs, connection},
    permission::{self, Needs},
    scalar::{Date, Int64},
};
use crate::service::{
    Idempotency, Standing,
    invoice::{self, ReportedInvoice},
    page::Position,
};

/// What has become of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "invoice::InvoiceState")]
pub enum InvoiceState {
    /// To be paid.
    Open,
    /// Paid.
    Paid,
    /// Taken back.
    Void,
}

/// An invoice, as the billing system reported it.
#[derive(Debug, Clone)]
pub struct Invoice(pub invoice::Invoice);

impl Invoice {
    /// Its global id; for the interface.
    pub(super) async fn id(&self, _ctx: &Context<'_>) -> Result<ID> {
        Ok(NodeType::Invoice.id(self.0.id))
    }

    /// The invoice of this id, for those who may see billing.
    pub(super) async fn find(ctx: &Context<'_>, id: uuid::Uuid) -> Result<Option<Self>> {
        Ok(ctx.service()?.find_invoice(ctx.access()?, id).await.map_err(error)?.map(Self))
    }
}

/// An invoice, as the billing system reported it.
#[Object]
impl Invoice {
    /// Global id.
    #[graphql(name = "id")]
    async fn global_id(&self) -> ID {
        NodeType::Invoice.id(self.0.id)
    }

    /// Its number; unique within the organization.
    async fn number(&self) -> &str {
        &self.0.number
    }

    /// The day it was written.
    async fn issued_on(&self) -> Date {
        Date(self.0.issued_on.clone())
    }

    /// The day it is due.
    async fn due_on(&self) -> Date {
        Date(self.0.due_on.clone())
    }

    /// The amount in the currency's minor unit, as cents; below 0 for a credit note.
    async fn amount_minor(&self) -> Int64 {
        Int64(self.0.amount_minor)
    }

    /// The currency, as ISO 4217 has it.
    async fn currency(&self) -> &str {
        &self.0.currency
    }

    /// What has become of it.
    async fn state(&self) -> InvoiceState {
        self.0.state.into()
    }

    /// What time it is for, in words.
    async fn period(&self) -> Option<&str> {
        self.0.period.as_deref()
    }

    /// Where it can be read.
    async fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }
}

impl Listed for invoice::Invoice {
    fn position(&self) -> Position {
        invoice::position(self)
    }
}

connection!(InvoiceConnection, InvoiceEdge, Invoice);

/// What an organization shows of its invoices.
#[derive(Debug, Clone)]
pub struct OrganizationInvoices {
    pub(super) standing: Arc<Standing>,
}

#[Object]
impl OrganizationInvoices {
    /// The invoices, the newest first. Null, with an error beside it, without the permission.
    #[graphql(guard = "Needs(invoice::READ)", directive = permission::permission::apply("billing.read".to_owned()))]
    async fn invoices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<InvoiceConnection>> {
        let name = format!("invoices:{}", self.standing.place.id);
        let listing = PageArgs { first, after, last, before }.listing(ctx, &name)?;
        let page = ctx.service()?.list_invoices(&self.standing, &listing.request).await.map_err(error)?;
        listing.connection(ctx, page, Invoice).map(Some)
    }
}

/// An invoice to be written down.
#[derive(Debug, Clone, InputObject)]
pub struct RecordInvoiceInput {
    /// Its number, at most 200 characters; an invoice of the same number is replaced.
    number: String,
    /// The day it was written.
    issued_on: Date,
    /// The day it is due.
    due_on: Date,
    /// The amount in the currency's minor unit, as cents; below 0 for a credit note.
    amount_minor: Int64,
    /// The currency, as ISO 4217 has it.
    currency: String,
    /// What has become of it.
    state: InvoiceState,
    /// What time it is for, in words.
    period: Option<String>,
    /// Where it can be read: an `https` address.
    url: Option<String>,
    /// Makes repeating safe: the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// The invoice that was written down.
#[derive(Debug, SimpleObject)]
pub struct RecordInvoicePayload {
    /// The invoice as it is now; null when refused.
    invoice: Option<Invoice>,
    /// Why nothing was written down; empty when it was.
    user_errors: Vec<UserError>,
}

/// Writing invoices down.
#[derive(Debug, Default)]
pub struct InvoiceMutation;

#[Object]
impl InvoiceMutation {
    /// Writes an invoice down, in the place of one of the same number. Needs the permission `billing.record`, as a rule of a
    /// program's token. Anything that looks like a card number is refused.
    async fn record_invoice(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invoice as the billing system has it.")] input: RecordInvoiceInput,
    ) -> Result<RecordInvoicePayload> {
        let reported = ReportedInvoice {
            number: input.number,
            issued_on: input.issued_on.0,
            due_on: input.due_on.0,
            amount_minor: input.amount_minor.0,
            currency: input.currency,
            state: input.state.into(),
            period: input.period,
            url: input.url,
        };
        let repeat = Idempotency::of(input.idempotency_key, &reported).map_err(error)?;
        let (service, access) = (ctx.service()?, ctx.access()?);
        let recorded = service.record_invoice(access, reported, repeat).await;
        Ok(match settle(recorded)? {
            Ok(id) => RecordInvoicePayload {
                invoice: Some(Invoice(service.recorded_invoice(access, id).await.map_err(error)?)),
                user_errors: Vec::new(),
            },
            Err(user_errors) => RecordInvoicePayload { invoice: None, user_errors },
        })
    }
}
