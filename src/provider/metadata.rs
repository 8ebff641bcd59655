//! What a provider publishes about itself (OpenID Connect Discovery 1.0), read when it is needed and kept for an hour.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::Mutex;
use url::Url;

use super::{
    ProviderError, ProviderOptions, ProviderOptionsError,
    fetch::{Endpoint, Fetcher, Form},
};

/// How long what was read counts.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// How long a provider that could not be read is left alone: all who come meanwhile are told the same.
const PAUSE: TimeDelta = TimeDelta::seconds(5);

/// What a provider says of itself, as far as it is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Where browsers go.
    pub authorization: Url,
    /// Where codes are turned into tokens.
    pub token: Endpoint,
    /// Where its keys are.
    pub keys: Endpoint,
    /// Whether it says in its answers who it is (RFC 9207).
    pub names_itself: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// What was read, or why it could not be.
#[derive(Debug, Clone)]
struct Reading {
    at: DateTime<Utc>,
    found: Result<Arc<Metadata>, String>,
}

/// What one provider publishes.
#[derive(Debug)]
pub struct Published {
    issuer: String,
    url: Url,
    at: Endpoint,
    fetcher: Fetcher,
    /// Held while it is read, so that many who come at once read once.
    last: Mutex<Option<Reading>>,
}

impl Published {
    /// Of the provider with these options. Nothing is read yet: a provider that is away does not keep the gateway from starting.
    ///
    /// # Errors
    /// When the issuer is no URL.
    pub fn new(options: &ProviderOptions, fetcher: Fetcher) -> Result<Self, ProviderOptionsError> {
        let problem = || ProviderOptionsError::Issuer {
            key: options.key.clone(),
            issuer: options.issuer.clone(),
            problem: "is not a URL",
        };
        let url = Url::parse(&options.issuer).map_err(|_| problem())?;
        let path = format!("{}/.well-known/openid-configuration", options.issuer.trim_end_matches('/'));
        let at = Endpoint::of(&url, &path).map_err(|_| problem())?;
        Ok(Self { issuer: options.issuer.clone(), url, at, fetcher, last: Mutex::default() })
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// [`ProviderError::Unavailable`].
    pub async fn get(&self, now: DateTime<Utc>) -> Result<Arc<Metadata>, ProviderError> {
        let mut last = self.last.lock().await;
        if let Some(reading) = last.as_ref() {
            let age = now.signed_duration_since(reading.at);
            let counts = if reading.found.is_ok() { KEPT } else { PAUSE };
            if age >= TimeDelta::zero() && age < counts {
                return reading.found.clone().map_err(ProviderError::Unavailable);
            }
        }
        let found = self.read().await.map(Arc::new);
        let kept = match &found {
            Ok(found) => Ok(Arc::clone(found)),
            Err(error) => Err(error.to_string()),
        };
        *last = Some(Reading { at: now, found: kept });
        found
    }

    async fn read(&self) -> Result<Metadata, ProviderError> {
        let unusable = |why: &str| ProviderError::Unavailable(format!("its metadata {why}"));
        let document: Document = serde_json::from_value(self.fetcher.get(&self.at).await?)
            .map_err(|error| unusable(&format!("cannot be read: {error}")))?;
        if document.issuer != self.issuer && !crate::ablate::off("provider_issuer") {
            return Err(unusable("is another issuer's"));
        }
        Ok(Metadata {
            authorization: Endpoint::of(&self.url, &document.authorization_endpoint)?.url().clone(),
            token: Endpoint::of(&self.url, &document.token_endpoint)?,
            keys: Endpoint::of(&self.url, &document.jwks_uri)?,
            names_itself: document.authorization_response_iss_parameter_supported,
        })
    }

    /// Turns a code into an ID token.
    ///
    /// # Errors
    /// [`ProviderError::Refused`] for a code that is none, [`ProviderError::Unavailable`] for any other trouble.
    pub async fn exchange(&self, metadata: &Metadata, form: Form) -> Result<String, ProviderError> {
        let (status, answer) = self.fetcher.post(&metadata.token, form).await?;
        let text = |name: &str| answer.get(name).and_then(serde_json::Value::as_str);
        if status.is_client_error() {
            // Words of the protocol (RFC 6749, 5.2), never what stands beside them.
            let word = text("error").unwrap_or_default();
            let word = if word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_graphic()) { word } else { "" };
            return Err(ProviderError::Refused(format!("the code: {status} `{word}`")));
        }
        match text("id_token") {
            Some(token) if status.is_success() => Ok(token.to_owned()),
            _ => Err(ProviderError::Unavailable(format!("its token endpoint answered {status} without an ID token"))),
        }
    }
}
