//! The second factor: set up, proven, recovered, removed.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::{
    context::InContext,
    error::{UserError, error, settle},
};
use crate::service::{
    ServiceError,
    second_factor::{FactorState, RecoveryCodes},
};

/// The viewer's second factor.
#[derive(Debug, Clone, SimpleObject)]
pub struct SecondFactor {
    /// Since when a code is asked for at sign-in; null where there is no second factor.
    confirmed_at: Option<DateTime<Utc>>,
    /// How many recovery codes have not been used.
    recovery_codes_left: i32,
    /// Whether it was proven in the present session.
    is_proven: bool,
}

impl From<FactorState> for SecondFactor {
    fn from(state: FactorState) -> Self {
        Self {
            confirmed_at: state.confirmed_at,
            recovery_codes_left: i32::try_from(state.recovery_left).unwrap_or(i32::MAX),
            is_proven: state.is_proven,
        }
    }
}

/// The viewer's second factor, or what it would take to have one.
pub(super) async fn own(ctx: &Context<'_>) -> Result<SecondFactor> {
    Ok(ctx.service()?.own_second_factor(ctx.access()?).await.map_err(error)?.into())
}

/// Who sets one up.
#[derive(InputObject)]
pub struct StartSecondFactorInput {
    /// The account's password, asked again; accounts without one leave it out.
    password: Option<String>,
}

/// What to put into the app that makes the codes.
#[derive(SimpleObject)]
pub struct StartSecondFactorPayload {
    /// The secret in base 32, to be typed; null when refused. It is shown once.
    secret: Option<String>,
    /// The same as an `otpauth://` address, to be drawn as a QR code.
    uri: Option<String>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

macro_rules! with_code {
    ($(#[doc = $doc:literal] $name:ident;)+) => {
        $(
            #[doc = $doc]
            #[derive(InputObject)]
            pub struct $name {
                /// The code that the app shows, or a recovery code.
                code: String,
            }
        )+
    };
}

with_code! {
    /// The first code of the app.
    ConfirmSecondFactorInput;
    /// A code of the second factor.
    ProveSecondFactorInput;
    /// A code of the second factor.
    RenewRecoveryCodesInput;
}

/// What removing it takes.
#[derive(InputObject)]
pub struct RemoveSecondFactorInput {
    /// The account's password, asked again; accounts without one leave it out.
    password: Option<String>,
    /// The code that the app shows, or a recovery code.
    code: String,
}

macro_rules! recovery_codes {
    ($(#[doc = $doc:literal] $name:ident;)+) => {
        $(
            #[doc = $doc]
            #[derive(SimpleObject)]
            pub struct $name {
                /// Ten codes, each of which stands for the app's once; null when refused. They are shown once.
                recovery_codes: Option<Vec<String>>,
                /// Why it was refused; empty when it was done.
                user_errors: Vec<UserError>,
            }

            impl $name {
                fn after(done: std::result::Result<RecoveryCodes, ServiceError>) -> Result<Self> {
                    Ok(match settle(done)? {
                        Ok(codes) => {
                            let codes = codes.iter().map(|code| code.as_str().to_owned()).collect();
                            Self { recovery_codes: Some(codes), user_errors: Vec::new() }
                        }
                        Err(user_errors) => Self { recovery_codes: None, user_errors },
                    })
                }
            }
        )+
    };
}

recovery_codes! {
    /// The second factor counts, with these recovery codes.
    ConfirmSecondFactorPayload;
    /// Another set of recovery codes.
    RenewRecoveryCodesPayload;
}

macro_rules! changed {
    ($(#[doc = $doc:literal] $name:ident;)+) => {
        $(
            #[doc = $doc]
            #[derive(Debug, SimpleObject)]
            pub struct $name {
                /// As it is now; null when refused.
                second_factor: Option<SecondFactor>,
                /// Why it was refused; empty when it was done.
                user_errors: Vec<UserError>,
            }

            impl $name {
                async fn after(ctx: &Context<'_>, done: std::result::Result<(), ServiceError>) -> Result<Self> {
                    Ok(match settle(done)? {
                        Ok(()) => Self { second_factor: Some(own(ctx).await?), user_errors: Vec::new() },
                        Err(user_errors) => Self { second_factor: None, user_errors },
                    })
                }
            }
        )+
    };
}

changed! {
    /// The second factor, proven in this session.
    ProveSecondFactorPayload;
    /// The second factor after it was removed.
    RemoveSecondFactorPayload;
}

/// Changes of one's own second factor. None of these takes an idempotency key: what they answer is stored nowhere.
#[derive(Debug, Default)]
pub struct SecondFactorMutation;

#[Object]
impl SecondFactorMutation {
    /// Begins to set a second factor up. It counts for nothing before `confirmSecondFactor`.
    async fn start_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who sets one up.")] input: StartSecondFactorInput,
    ) -> Result<StartSecondFactorPayload> {
        let started = ctx.service()?.start_second_factor(ctx.access()?, input.password).await;
        Ok(match settle(started)? {
            Ok(secret) => StartSecondFactorPayload {
                secret: Some(secret.text.as_str().to_owned()),
                uri: Some(secret.uri.as_str().to_owned()),
                user_errors: Vec::new(),
            },
            Err(user_errors) => StartSecondFactorPayload { secret: None, uri: None, user_errors },
        })
    }

    /// Makes the second factor count, by the first code of the app, and gives the recovery codes. The person's other sessions end.
    async fn confirm_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first code of the app.")] input: ConfirmSecondFactorInput,
    ) -> Result<ConfirmSecondFactorPayload> {
        ConfirmSecondFactorPayload::after(ctx.service()?.confirm_second_factor(ctx.access()?, input.code).await)
    }

    /// Proves the second factor in the present session, for organizations that ask for one.
    async fn prove_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A code.")] input: ProveSecondFactorInput,
    ) -> Result<ProveSecondFactorPayload> {
        let proven = ctx.service()?.prove_second_factor(ctx.access()?, input.code).await;
        ProveSecondFactorPayload::after(ctx, proven).await
    }

    /// Gives another set of recovery codes; those of the last one are good no more.
    async fn renew_recovery_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A code.")] input: RenewRecoveryCodesInput,
    ) -> Result<RenewRecoveryCodesPayload> {
        RenewRecoveryCodesPayload::after(ctx.service()?.renew_recovery_codes(ctx.access()?, input.code).await)
    }

    /// Removes the second factor. Organizations that ask for one are out of reach from then on.
    async fn remove_second_factor(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password and a code.")] input: RemoveSecondFactorInput,
    ) -> Result<RemoveSecondFactorPayload> {
        let removed = ctx.service()?.remove_second_factor(ctx.access()?, input.password, input.code).await;
        RemoveSecondFactorPayload::after(ctx, removed).await
    }
}
