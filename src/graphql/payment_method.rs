//! Payment methods: how an organization pays, never with a card's number.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};

use super::{
    context::InContext,
    error::{UserError, error, settle},
    node::NodeType,
    permission::{self, Needs},
};
use crate::service::{
    Idempotency, Standing, invoice,
    payment_method::{self, ReportedPaymentMethod},
};

/// What is paid with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "payment_method::PaymentMethodKind")]
pub enum PaymentMethodKind {
    /// A card.
    Card,
    /// A bank account.
    Bank,
    /// Anything else.
    Other,
}

/// How an organization pays, as the billing system reported it.
#[derive(Debug, Clone)]
pub struct PaymentMethod(pub payment_method::PaymentMethod);

impl PaymentMethod {
    /// Its global id; for the interface.
    pub(super) async fn id(&self, _ctx: &Context<'_>) -> Result<ID> {
        Ok(NodeType::PaymentMethod.id(self.0.id))
    }

    /// The payment method of this id, for those who may see billing.
    pub(super) async fn find(ctx: &Context<'_>, id: uuid::Uuid) -> Result<Option<Self>> {
        Ok(ctx.service()?.find_payment_method(ctx.access()?, id).await.map_err(error)?.map(Self))
    }
}

/// How an organization pays, as the billing system reported it.
#[Object]
impl PaymentMethod {
    /// Global id.
    #[graphql(name = "id")]
    async fn global_id(&self) -> ID {
        NodeType::PaymentMethod.id(self.0.id)
    }

    /// What the billing system calls it; unique within the organization.
    async fn reference(&self) -> &str {
        &self.0.reference
    }

    /// What is paid with.
    async fn kind(&self) -> PaymentMethodKind {
        self.0.kind.into()
    }

    /// The card's brand, or the bank.
    async fn brand(&self) -> Option<&str> {
        self.0.brand.as_deref()
    }

    /// The last four digits.
    async fn last4(&self) -> Option<&str> {
        self.0.last4.as_deref()
    }

    /// The month it ends, 1 to 12.
    async fn expires_month(&self) -> Option<i32> {
        self.0.expires_month
    }

    /// The year it ends.
    async fn expires_year(&self) -> Option<i32> {
        self.0.expires_year
    }

    /// Whose name is on it.
    async fn holder(&self) -> Option<&str> {
        self.0.holder.as_deref()
    }

    /// Whether it is the one that is used.
    async fn is_default(&self) -> bool {
        self.0.is_default
    }
}

/// What an organization shows of how it pays.
#[derive(Debug, Clone)]
pub struct OrganizationPaymentMethods {
    pub(super) standing: Arc<Standing>,
}

#[Object]
impl OrganizationPaymentMethods {
    /// How it pays, at most 100 ways, the default first. Null, with an error beside it, without the permission.
    #[graphql(guard = "Needs(invoice::READ)", directive = permission::permission::apply("billing.read".to_owned()))]
    async fn payment_methods(&self, ctx: &Context<'_>) -> Result<Option<Vec<PaymentMethod>>> {
        let methods = ctx.service()?.payment_methods(&self.standing).await.map_err(error)?;
        Ok(Some(methods.into_iter().map(PaymentMethod).collect()))
    }
}

/// A payment method to be written down.
#[derive(Debug, Clone, InputObject)]
pub struct RecordPaymentMethodInput {
    /// What the billing system calls it, at most 200 characters; one of the same reference is replaced.
    reference: String,
    /// What is paid with.
    kind: PaymentMethodKind,
    /// The card's brand, or the bank.
    brand: Option<String>,
    /// The last four digits, and no more.
    last4: Option<String>,
    /// The month it ends, 1 to 12; with its year.
    expires_month: Option<i32>,
    /// The year it ends, with all four digits.
    expires_year: Option<i32>,
    /// Whose name is on it.
    holder: Option<String>,
    /// Whether it is the one that is used; the one that was is used no more.
    #[graphql(default)]
    is_default: bool,
    /// Makes repeating safe: the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// The payment method that was written down.
#[derive(Debug, SimpleObject)]
pub struct RecordPaymentMethodPayload {
    /// The payment method as it is now; null when refused.
    payment_method: Option<PaymentMethod>,
    /// Why nothing was written down; empty when it was.
    user_errors: Vec<UserError>,
}

/// Which payment method is no more.
#[derive(Debug, Clone, InputObject)]
pub struct RemovePaymentMethodInput {
    /// What the billing system calls it.
    reference: String,
    /// Makes repeating safe: the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// The payment method that is no more.
#[derive(Debug, SimpleObject)]
pub struct RemovePaymentMethodPayload {
    /// Global id of what was removed; null when refused.
    removed_payment_method_id: Option<ID>,
    /// Why nothing was removed; empty when it was.
    user_errors: Vec<UserError>,
}

/// Writing payment methods down.
#[derive(Debug, Default)]
pub struct PaymentMethodMutation;

#[Object]
impl PaymentMethodMutation {
    /// Writes down how the organization pays, in the place of what has the same reference. Needs the permission
    /// `billing.record`, as a rule of a program's token. Anything that looks like a card number is refused.
    async fn record_payment_method(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The payment method as the billing system has it; never a card number.")]
        input: RecordPaymentMethodInput,
    ) -> Result<RecordPaymentMethodPayload> {
        let reported = ReportedPaymentMethod {
            reference: input.reference,
            kind: input.kind.into(),
            brand: input.brand,
            last4: input.last4,
            expires_month: input.expires_month,
            expires_year: input.expires_year,
            holder: input.holder,
            is_default: input.is_default,
        };
        let repeat = Idempotency::of(input.idempotency_key, &reported).map_err(error)?;
        let (service, access) = (ctx.service()?, ctx.access()?);
        let recorded = service.record_payment_method(access, reported, repeat).await;
        Ok(match settle(recorded)? {
            Ok(id) => RecordPaymentMethodPayload {
                payment_method: Some(PaymentMethod(service.recorded_payment_method(access, id).await.map_err(error)?)),
                user_errors: Vec::new(),
            },
            Err(user_errors) => RecordPaymentMethodPayload { payment_method: None, user_errors },
        })
    }

    /// Removes a payment method. Needs the permission `billing.record`, as a rule of a program's token.
    async fn remove_payment_method(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RemovePaymentMethodInput,
    ) -> Result<RemovePaymentMethodPayload> {
        let RemovePaymentMethodInput { reference, idempotency_key } = input;
        let repeat = Idempotency::of(idempotency_key, &reference).map_err(error)?;
        let removed = ctx.service()?.remove_payment_method(ctx.access()?, reference, repeat).await;
        Ok(match settle(removed)? {
            Ok(id) => RemovePaymentMethodPayload {
                removed_payment_method_id: Some(NodeType::PaymentMethod.id(id)),
                user_errors: Vec::new(),
            },
            Err(user_errors) => RemovePaymentMethodPayload { removed_payment_method_id: None, user_errors },
        })
    }
}
