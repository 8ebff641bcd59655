//! The address of an account: proving it, and changing it.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::{
    context::InContext,
    error::{UserError, settle},
};
use crate::service::email_address::EmailChange;

/// A letter that proves an address.
#[derive(Debug, SimpleObject)]
pub struct RequestEmailVerificationPayload {
    /// Whether the letter has gone out.
    mail_sent: bool,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// The code of a letter.
#[derive(InputObject)]
pub struct VerifyEmailInput {
    /// The code of the letter.
    code: String,
}

/// An address that was proven.
#[derive(Debug, Default, SimpleObject)]
pub struct VerifyEmailPayload {
    /// The address; null when it was refused.
    email: Option<String>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// The address to come.
#[derive(InputObject)]
pub struct RequestEmailChangeInput {
    /// The address to come.
    email: String,
    /// The account's password, asked again; accounts without one leave it out.
    password: Option<String>,
}

/// Two letters, to the present and to the new address.
#[derive(Debug, SimpleObject)]
pub struct RequestEmailChangePayload {
    /// Why it was refused; empty when both letters were written.
    user_errors: Vec<UserError>,
}

/// The code of either letter.
#[derive(InputObject)]
pub struct ConfirmEmailChangeInput {
    /// The code of either letter.
    code: String,
}

/// A confirmation of another address.
#[derive(Debug, Default, SimpleObject)]
pub struct ConfirmEmailChangePayload {
    /// The account's address from now on; null when it was refused.
    email: Option<String>,
    /// Whether the address was changed; false while the other address has not agreed.
    changed: bool,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// The address of an account. None of these takes an idempotency key: what they are given is stored nowhere.
#[derive(Debug, Default)]
pub struct EmailAddressMutation;

#[Object]
impl EmailAddressMutation {
    /// Sends the caller a letter with which the account's address is proven; one was sent when the account was opened.
    async fn request_email_verification(&self, ctx: &Context<'_>) -> Result<RequestEmailVerificationPayload> {
        Ok(match settle(ctx.service()?.request_email_verification(ctx.access()?).await)? {
            Ok(mail_sent) => RequestEmailVerificationPayload { mail_sent, user_errors: Vec::new() },
            Err(user_errors) => RequestEmailVerificationPayload { mail_sent: false, user_errors },
        })
    }

    /// Proves an account's address by the code of a letter, once.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code.")] input: VerifyEmailInput,
    ) -> Result<VerifyEmailPayload> {
        Ok(match settle(ctx.service()?.verify_email(&ctx.access()?.client, &input.code).await)? {
            Ok(email) => VerifyEmailPayload { email: Some(email), user_errors: Vec::new() },
            Err(user_errors) => VerifyEmailPayload { user_errors, ..Default::default() },
        })
    }

    /// Asks for another address of the account: a letter goes to the present and one to the new address, and both have to agree.
    async fn request_email_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address to come.")] input: RequestEmailChangeInput,
    ) -> Result<RequestEmailChangePayload> {
        let RequestEmailChangeInput { email, password } = input;
        let change = EmailChange { email, password };
        let user_errors = settle(ctx.service()?.request_email_change(ctx.access()?, change).await)?.err();
        Ok(RequestEmailChangePayload { user_errors: user_errors.unwrap_or_default() })
    }

    /// Agrees to another address by the code of either letter. With the second one the account has it, and so have its places
    /// in organizations, where an invitation that went to it is taken back; sessions stay.
    async fn confirm_email_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code.")] input: ConfirmEmailChangeInput,
    ) -> Result<ConfirmEmailChangePayload> {
        Ok(match settle(ctx.service()?.confirm_email_change(&ctx.access()?.client, &input.code).await)? {
            Ok(done) => ConfirmEmailChangePayload {
                email: Some(done.email),
                changed: done.former.is_some(),
                user_errors: Vec::new(),
            },
            Err(user_errors) => ConfirmEmailChangePayload { user_errors, ..Default::default() },
        })
    }
}
