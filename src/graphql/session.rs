//! Sessions: signing in and out, refreshing, changing the organization.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

use zeroize::Zeroizing;

use super::{
    browser::BrowserSession,
    context::InContext,
    error::{UserError, error, settle},
    membership::OrganizationMembership,
    user::User,
};
use crate::service::{
    ServiceError,
    session::{Binding, SignIn, SignedIn},
};

/// Declares what a way of signing in answers.
macro_rules! signed_in {
    ($payload:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Default, SimpleObject)]
        pub struct $payload {
            /// Goes into `Authorization: Bearer …`; null when refused.
            access_token: Option<String>,
            /// Gets the next access token, once; a second use ends the session. Null when refused, and for a browser, which
            /// gets it as a cookie.
            refresh_token: Option<String>,
            /// When the access token ends.
            expires_at: Option<DateTime<Utc>>,
            /// The person; null when refused.
            user: Option<User>,
            /// The organization the access token is bound to; null for none.
            organization: Option<OrganizationMembership>,
            /// Why it was refused; empty when it was done.
            user_errors: Vec<UserError>,
        }

        impl $payload {
            /// It was done.
            pub(super) fn done(ctx: &Context<'_>, signed_in: SignedIn) -> Result<Self> {
                let SignedIn { identity: _, access, refresh, user, place } = signed_in;
                let refresh = kept(ctx, refresh)?;
                Ok(Self {
                    access_token: Some(access.text),
                    refresh_token: refresh.map(|token| token.as_str().to_owned()),
                    expires_at: Some(access.expires_at),
                    user: Some(user.into()),
                    organization: place.map(OrganizationMembership::from),
                    user_errors: Vec::new(),
                })
            }

            /// It was refused.
            pub(super) fn refused(user_errors: Vec<UserError>) -> Self {
                Self { user_errors, ..Self::default() }
            }
        }
    };
}

/// Keeps a refresh token in the browser, where one is at the other end; what is left is for the answer.
pub(super) fn kept(ctx: &Context<'_>, refresh: Option<Zeroizing<String>>) -> Result<Option<Zeroizing<String>>> {
    let (Some(browser), Some(token)) = (ctx.browser(), &refresh) else { return Ok(refresh) };
    browser.keep(token.clone(), ctx.service()?.options().lifetimes.refresh_idle);
    Ok(refresh.filter(|_| crate::ablate::off("cookie_alone")))
}

signed_in!(SignUpPayload, "A new account's first sign-in.");
signed_in!(SignInPayload, "A sign-in.");
signed_in!(RefreshSessionPayload, "The next tokens of a session.");
signed_in!(SignInWithProviderPayload, "A sign-in by an identity provider.");

/// Who signs in, and where to.
#[derive(InputObject)]
pub struct SignInInput {
    /// The account's email address.
    email: String,
    /// Its password.
    password: String,
    /// The organization to be in, by slug; the one used last where none is named.
    organization: Option<String>,
    /// A code of the second factor, where the account has one: from the app that makes them, or a recovery code.
    code: Option<String>,
}

/// Which session goes on.
#[derive(InputObject)]
pub struct RefreshSessionInput {
    /// The newest refresh token of the session; a browser leaves it out, and sends it as the cookie.
    refresh_token: Option<String>,
    /// The organization the next access token is bound to, by slug; null for none; the one used last where it is left out.
    #[graphql(default)]
    organization: MaybeUndefined<String>,
}

/// How far to sign out.
#[derive(Debug, InputObject)]
pub struct SignOutInput {
    /// Every session of the person, not only this one.
    #[graphql(default)]
    everywhere: bool,
}

/// A sign-out.
#[derive(Debug, SimpleObject)]
pub struct SignOutPayload {
    /// How many sessions it ended.
    ended_sessions: i32,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Where to go.
#[derive(Debug, InputObject)]
pub struct SwitchOrganizationInput {
    /// The organization's slug; null to be in none.
    organization: Option<String>,
}

/// A change of the organization.
#[derive(Debug, Default, SimpleObject)]
pub struct SwitchOrganizationPayload {
    /// Goes into `Authorization: Bearer …` from now on; the session and its refresh token stay.
    access_token: Option<String>,
    /// When the access token ends.
    expires_at: Option<DateTime<Utc>>,
    /// The organization the access token is bound to; null for none.
    organization: Option<OrganizationMembership>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// Signing in and out. None of these takes an idempotency key: what they answer is stored nowhere.
#[derive(Debug, Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Signs a person in. Where the account has a second factor, `SECOND_FACTOR_REQUIRED` asks for the same again with `code`. For a
    /// request with `Gatehouse-Session: cookie` from a page that may call the API, the refresh token is kept in a cookie. After ten
    /// failures from one address the account is refused there for five minutes (`RATE_LIMITED`,
    /// with `retryAfter` in seconds).
    async fn sign_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, and where to.")] input: SignInInput,
    ) -> Result<SignInPayload> {
        let SignInInput { email, password, organization, code } = input;
        let sign_in = SignIn { email, password, organization, code };
        let signed_in = ctx.service()?.sign_in(&ctx.access()?.client, sign_in).await;
        settle(signed_in)?.map_or_else(|told| Ok(SignInPayload::refused(told)), |done| SignInPayload::done(ctx, done))
    }

    /// Gives the next tokens of a session. The refresh token is used up by that.
    async fn refresh_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: RefreshSessionInput,
    ) -> Result<RefreshSessionPayload> {
        let binding = match input.organization {
            MaybeUndefined::Undefined => Binding::Usual,
            MaybeUndefined::Null => Binding::Unbound,
            MaybeUndefined::Value(slug) => Binding::To(slug),
        };
        let token = match (&input.refresh_token, ctx.browser()) {
            (Some(token), _) => token.as_str(),
            (None, Some(browser)) => browser.presented().ok_or_else(|| error(ServiceError::Unauthenticated))?,
            (None, None) => {
                let message = "send `refreshToken`, or from a browser `Gatehouse-Session: cookie`";
                return Err(error(ServiceError::BadInput(message.to_owned())));
            }
        };
        let signed_in = ctx.service()?.refresh_session(&ctx.access()?.client, token, binding).await;
        if let (Err(ServiceError::Unauthenticated), Some(browser)) = (&signed_in, ctx.browser()) {
            // It is good for nothing any more.
            browser.forget();
        }
        let (refused, done) = (RefreshSessionPayload::refused, RefreshSessionPayload::done);
        settle(signed_in)?.map_or_else(|told| Ok(refused(told)), |signed_in| done(ctx, signed_in))
    }

    /// Ends the caller's session, or every one of the person's. Their tokens answer no further request. A browser whose access token is
    /// over sends none, and `Gatehouse-Session: cookie`: the session of the cookie ends.
    async fn sign_out(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How far.")] input: SignOutInput,
    ) -> Result<SignOutPayload> {
        let (service, access) = (ctx.service()?, ctx.access()?);
        let cookie = ctx.browser().and_then(BrowserSession::presented);
        let ended = match cookie.filter(|_| access.credential.is_none()) {
            Some(token) => service.sign_out_with(token, input.everywhere).await,
            None => service.sign_out(access, input.everywhere).await,
        };
        if let Some(browser) = ctx.browser() {
            // Whatever it was, it is good for nothing any more.
            browser.forget();
        }
        let ended = ended.map_err(error)?;
        Ok(SignOutPayload { ended_sessions: i32::try_from(ended).unwrap_or(i32::MAX), user_errors: Vec::new() })
    }

    /// Gives an access token of the same session for another organization the person is in, or for none.
    async fn switch_organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to.")] input: SwitchOrganizationInput,
    ) -> Result<SwitchOrganizationPayload> {
        let switched = ctx.service()?.switch_organization(ctx.access()?, input.organization).await;
        Ok(match settle(switched)? {
            Ok(switched) => SwitchOrganizationPayload {
                access_token: Some(switched.access.text),
                expires_at: Some(switched.access.expires_at),
                organization: switched.place.map(OrganizationMembership::from),
                user_errors: Vec::new(),
            },
            Err(user_errors) => SwitchOrganizationPayload { user_errors, ..Default::default() },
        })
    }
}
