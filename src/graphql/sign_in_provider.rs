//! Signing in by identity providers: which there are, and by a token that a client got from one itself.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::{context::InContext, error::settle, session::SignInWithProviderPayload};
use crate::service::external_identity::{self, ProviderToken};

/// An identity provider that people can sign in by.
#[derive(Debug, SimpleObject)]
pub struct SignInProvider {
    /// What it is called in paths and in `signInWithProvider`.
    key: String,
    /// What people call it.
    title: String,
    /// Where a browser goes to sign in by it: a path below the gateway's address.
    path: String,
}

impl From<external_identity::SignInProvider> for SignInProvider {
    fn from(provider: external_identity::SignInProvider) -> Self {
        let external_identity::SignInProvider { key, title, path } = provider;
        Self { key, title, path }
    }
}

/// Which providers there are.
#[derive(Debug, Default)]
pub struct SignInProviderQuery;

#[Object]
impl SignInProviderQuery {
    /// The identity providers that people can sign in by, in the order of their keys.
    async fn sign_in_providers(&self, ctx: &Context<'_>) -> Result<Vec<SignInProvider>> {
        Ok(ctx.service()?.sign_in_providers().into_iter().map(SignInProvider::from).collect())
    }
}

/// Who signs in, by whose word.
#[derive(InputObject)]
pub struct SignInWithProviderInput {
    /// The provider's key.
    provider: String,
    /// An ID token of its, not older than ten minutes. It counts once.
    token: String,
    /// The nonce that the client asked the provider with, where it used one.
    nonce: Option<String>,
    /// The organization to be in, by slug; the one used last where none is named.
    organization: Option<String>,
}

/// Signing in by a provider.
#[derive(Debug, Default)]
pub struct SignInProviderMutation;

#[Object]
impl SignInProviderMutation {
    /// Signs a person in by an ID token that the client got from an identity provider itself; for providers that the operator
    /// lets it be done with. Browsers rather go to the provider's `path`.
    async fn sign_in_with_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, by whose word.")] input: SignInWithProviderInput,
    ) -> Result<SignInWithProviderPayload> {
        let SignInWithProviderInput { provider, token, nonce, organization } = input;
        let presented = ProviderToken { provider, token, nonce, organization };
        let signed_in = ctx.service()?.sign_in_with_provider(&ctx.access()?.client, presented).await;
        let refused = SignInWithProviderPayload::refused;
        settle(signed_in)?
            .map_or_else(|told| Ok(refused(told)), |signed_in| SignInWithProviderPayload::done(ctx, signed_in))
    }
}
