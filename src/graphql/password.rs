//! Passwords of accounts: changing one's own, and setting another by a letter.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::{
    context::InContext,
    error::{UserError, settle},
    session::kept,
};
use crate::service::password::{PasswordChange, PasswordReset};

/// The present password and the one to come.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The present password.
    password: String,
    /// The one to come: at least 8 characters.
    new_password: String,
}

/// A change of the password, and the session that goes on.
#[derive(Debug, Default, SimpleObject)]
pub struct ChangePasswordPayload {
    /// Goes into `Authorization: Bearer …` from now on; null when refused. The one of before is dead.
    access_token: Option<String>,
    /// Gets the next access token, once. Null when refused; the one of before is dead.
    refresh_token: Option<String>,
    /// When the access token ends.
    expires_at: Option<DateTime<Utc>>,
    /// How many other sessions it ended: every one.
    ended_sessions: i32,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Whose password is to be set anew.
#[derive(Debug, InputObject)]
pub struct RequestPasswordResetInput {
    /// The account's email address.
    email: String,
}

/// A letter that was asked for. Whether there is such an account is not told.
#[derive(Debug, SimpleObject)]
pub struct RequestPasswordResetPayload {
    /// Why it was refused; empty when a letter goes out if the address has an account.
    user_errors: Vec<UserError>,
}

/// The code of the letter and the password to come.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// The code of the letter.
    code: String,
    /// The password to come: at least 8 characters.
    new_password: String,
}

/// A password that was set anew.
#[derive(Debug, SimpleObject)]
pub struct ResetPasswordPayload {
    /// How many sessions it ended: every one of the person's.
    ended_sessions: i32,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Passwords. None of these takes an idempotency key: what they are given is stored nowhere.
#[derive(Debug, Default)]
pub struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Changes the caller's password. Every session of the person ends with its tokens, and so do codes that were sent before;
    /// the caller goes on with the tokens of the answer.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The present password and the one to come.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload> {
        let ChangePasswordInput { password, new_password } = input;
        let change = PasswordChange { password, new_password };
        Ok(match settle(ctx.service()?.change_password(ctx.access()?, change).await)? {
            Ok((signed_in, ended)) => ChangePasswordPayload {
                access_token: Some(signed_in.access.text),
                refresh_token: kept(ctx, signed_in.refresh)?.map(|token| token.as_str().to_owned()),
                expires_at: Some(signed_in.access.expires_at),
                ended_sessions: i32::try_from(ended).unwrap_or(i32::MAX),
                user_errors: Vec::new(),
            },
            Err(user_errors) => ChangePasswordPayload { user_errors, ..Default::default() },
        })
    }

    /// Sends a letter with which another password is set, if the address has an account; the answer is the same if not.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: RequestPasswordResetInput,
    ) -> Result<RequestPasswordResetPayload> {
        let client = &ctx.access()?.client;
        let user_errors = settle(ctx.service()?.request_password_reset(client, &input.email).await)?.err();
        Ok(RequestPasswordResetPayload { user_errors: user_errors.unwrap_or_default() })
    }

    /// Sets another password by the code of a letter, once. Every session of the person ends; sign in with the new password.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code and the password to come.")] input: ResetPasswordInput,
    ) -> Result<ResetPasswordPayload> {
        let ResetPasswordInput { code, new_password } = input;
        let (client, reset) = (&ctx.access()?.client, PasswordReset { code, new_password });
        let (ended, user_errors) = match settle(ctx.service()?.reset_password(client, reset).await)? {
            Ok(ended) => (ended, Vec::new()),
            Err(user_errors) => (0, user_errors),
        };
        Ok(ResetPasswordPayload { ended_sessions: i32::try_from(ended).unwrap_or(i32::MAX), user_errors })
    }
}
