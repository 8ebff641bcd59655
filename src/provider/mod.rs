//! Identity providers of others (OpenID Connect): they say who somebody is, and never what it may do.
//!
//! A provider is known by its issuer. What it publishes about itself and its keys is read over the network ([`fetch`]), strictly
//! and seldom; its tokens are judged here ([`id_token`]); the browser's way there and back is sealed into a cookie ([`flow`]). What
//! comes out is an [`ExternalIdentity`]: which account that is, is the service's to say.
//!
//! What may not enter: accounts, the store, membership, anything of GraphQL or of our own doors.
//!
//! ```text
//! begin ──▶ metadata ──▶ where the browser goes, and the sealed cookie
//! finish ─▶ cookie and state agree ─▶ code for tokens ─▶ the ID token: signature, issuer, audience, time, nonce ─▶ who it is
//! ```

pub mod address;
pub mod error;
pub mod fetch;
pub mod flow;
pub mod id_token;
pub mod keys;
pub mod metadata;
pub mod options;

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use rand::CryptoRng;

pub use self::{
    error::ProviderError,
    flow::{Begun, Callback, FlowKey},
    id_token::{ExternalIdentity, IdTokenError},
    options::{ClientAuthentication, ProviderOptions, ProviderOptionsError},
};
use self::{
    fetch::Fetcher,
    id_token::{Expected, verify},
    keys::Keys,
    metadata::{Metadata, Published},
};

/// The providers of a deployment, by key. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Providers(Arc<BTreeMap<String, Provider>>);

impl Providers {
    /// With these options, each under its key; the way there and back is sealed with `key`.
    ///
    /// # Errors
    /// When one of them makes no sense, or the system's certificates cannot be read.
    pub fn new(options: Vec<ProviderOptions>, key: &[u8; 32]) -> Result<Self, ProviderOptionsError> {
        if options.is_empty() {
            return Ok(Self::default());
        }
        let (flow, fetcher) = (Arc::new(FlowKey::new(key)?), Fetcher::new()?);
        let mut providers = BTreeMap::new();
        for options in options {
            let options = options.checked()?;
            let published = Published::new(&options, fetcher.clone())?;
            let keys = Keys::new(&options, fetcher.clone());
            providers.insert(options.key.clone(), Provider { options, published, keys, flow: Arc::clone(&flow) });
        }
        Ok(Self(Arc::new(providers)))
    }

    /// The provider of this key.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&Provider> {
        self.0.get(key)
    }

    /// All of them, in the order of their keys.
    pub fn all(&self) -> impl Iterator<Item = &Provider> {
        self.0.values()
    }
}

/// One provider.
#[derive(Debug)]
pub struct Provider {
    options: ProviderOptions,
    published: Published,
    keys: Keys,
    flow: Arc<FlowKey>,
}

/// Somebody came back from a provider.
#[derive(Debug)]
pub struct Arrived {
    /// Who it is.
    pub identity: ExternalIdentity,
    /// What this coming is known by, so that it counts once.
    pub spent: [u8; 32],
    /// Until when it could come a second time.
    pub until: DateTime<Utc>,
}

impl Provider {
    /// How it is set up.
    #[must_use]
    pub const fn options(&self) -> &ProviderOptions {
        &self.options
    }

    /// What the provider says of itself.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] when it says nothing that can be used.
    pub async fn metadata(&self, now: DateTime<Utc>) -> Result<Arc<Metadata>, ProviderError> {
        self.published.get(now).await
    }

    /// Where a browser goes to sign in, and the cookie it takes along.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`] when the cookie cannot be sealed.
    pub fn begin(
        &self,
        metadata: &Metadata,
        rng: &mut impl CryptoRng,
        now: DateTime<Utc>,
    ) -> Result<Begun, ProviderError> {
        self.flow.begin(&self.options, metadata, rng, now)
    }

    /// Who has come back, if it left from here with this cookie.
    ///
    /// # Errors
    /// [`ProviderError`]: what was wrong with the cookie, the provider, or its token.
    pub async fn finish(
        &self,
        sealed: Option<&str>,
        callback: &Callback,
        now: DateTime<Utc>,
    ) -> Result<Arrived, ProviderError> {
        let left = self.flow.finish(&self.options.key, sealed, callback, now)?;
        let metadata = self.published.get(now).await?;
        let code = callback.code(&self.options.issuer, &metadata)?;
        let text = self.published.exchange(&metadata, flow::token_request(&self.options, code, &left.verifier)).await?;
        let expected = Expected { nonce: Some(&left.nonce), audiences: &[], now };
        let identity = self.judge(&text, &metadata.keys, &expected).await?;
        Ok(Arrived { identity, spent: flow::digest(&left.state), until: left.until })
    }

    /// Who an ID token speaks of that a client of ours got by itself.
    ///
    /// # Errors
    /// As [`Provider::finish`].
    pub async fn accept(&self, token: &str, nonce: Option<&str>, now: DateTime<Utc>) -> Result<Arrived, ProviderError> {
        let metadata = self.published.get(now).await?;
        let expected = Expected { nonce, audiences: &self.options.audiences, now };
        let identity = self.judge(token, &metadata.keys, &expected).await?;
        Ok(Arrived { spent: flow::digest(token), until: identity.expires_at + id_token::LEEWAY, identity })
    }

    async fn judge(
        &self,
        token: &str,
        keys: &fetch::Endpoint,
        expected: &Expected<'_>,
    ) -> Result<ExternalIdentity, ProviderError> {
        let unverified = id_token::Unverified::read(token, &self.options)?;
        let key = self.keys.find(keys, &unverified.kid, unverified.algorithm, expected.now).await?;
        Ok(verify(&unverified, &key, &self.options, expected)?)
    }
}
