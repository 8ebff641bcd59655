//! How a provider is set up, checked before anything starts.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use url::Url;
use zeroize::Zeroizing;

use super::address::is_loopback_name;

/// The longest an unknown key may have to wait until the keys are read again.
const LONGEST_REFRESH: Duration = Duration::from_hours(1);

/// How our secret is shown at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// In the `Authorization` header.
    Basic,
    /// In the form.
    Post,
}

/// How a provider is set up.
#[derive(Clone)]
pub struct ProviderOptions {
    /// What it is called in paths.
    pub key: String,
    /// What people call it.
    pub title: String,
    /// The `iss` of its tokens.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// Our secret; none for a public client, which PKCE alone protects.
    pub client_secret: Option<Zeroizing<String>>,
    /// How the secret is shown.
    pub client_authentication: ClientAuthentication,
    /// What its tokens may be signed with, by name.
    pub algorithms: Vec<String>,
    /// What it is asked for; `openid` among it.
    pub scopes: Vec<String>,
    /// Whether an account that is there already is linked by its verified address.
    pub linking: bool,
    /// Whether people without an account get one, where the deployment lets them.
    pub sign_up: bool,
    /// The domains that addresses must be at, in normal form; empty: any.
    pub allowed_domains: Vec<String>,
    /// The claim that must be `true` for the address to count as verified.
    pub email_verified_claim: String,
    /// Whether its ID tokens are taken from clients.
    pub accept_tokens: bool,
    /// Whom such tokens may be for besides us.
    pub audiences: Vec<String>,
    /// Where the browser comes back to.
    pub redirect_url: String,
    /// Where the browser is sent in the end.
    pub landing: String,
    /// How much time passes at least between two readings of its keys.
    pub key_refresh: Duration,
}

/// Without the secret.
impl std::fmt::Debug for ProviderOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderOptions").field("key", &self.key).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Why a provider's options make no sense.
#[derive(Debug, thiserror::Error)]
pub enum ProviderOptionsError {
    /// Its issuer.
    #[error("`{key}`: the issuer `{issuer}` {problem}")]
    Issuer {
        /// Whose.
        key: String,
        /// The issuer.
        issuer: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// An algorithm.
    #[error("`{key}`: `{algorithm}` is no algorithm with a public key that can be trusted: {ALGORITHMS:?} are")]
    Algorithm {
        /// Whose.
        key: String,
        /// The algorithm.
        algorithm: String,
    },
    /// Where the browser is sent in the end.
    #[error(
        "`{key}`: the landing address `{landing}` must be an `https` URL (or `http` on this machine) without a password"
    )]
    Landing {
        /// Whose.
        key: String,
        /// The address.
        landing: String,
    },
    /// Anything else.
    #[error("`{key}`: {problem}")]
    Other {
        /// Whose.
        key: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The machine does not let us speak TLS.
    #[error("providers cannot be reached from this machine: {0}")]
    Machine(String),
}

/// The algorithms that can be trusted: signatures with a public key, none of them with a shared secret.
pub const ALGORITHMS: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// The algorithm of this name, if it can be trusted at all.
#[must_use]
pub fn algorithm(name: &str) -> Option<Algorithm> {
    if ALGORITHMS.contains(&name) { name.parse().ok() } else { None }
}

impl ProviderOptions {
    /// These options, if they make sense.
    ///
    /// # Errors
    /// When they do not.
    pub fn checked(self) -> Result<Self, ProviderOptionsError> {
        let key = || self.key.clone();
        let other = |problem| ProviderOptionsError::Other { key: key(), problem };
        let issuer = |problem| ProviderOptionsError::Issuer { key: key(), issuer: self.issuer.clone(), problem };
        let url = Url::parse(&self.issuer).map_err(|_| issuer("is not a URL"))?;
        if url.query().is_some() || url.fragment().is_some() || !is_plain(&url) {
            return Err(issuer("must be a URL without query, fragment and password"));
        }
        if !is_safe(&url) {
            return Err(issuer("must begin with `https://`; `http://` does on this machine alone"));
        }
        if is_of_no_tenant(&url) {
            return Err(issuer(
                "is for the accounts of every tenant, and issues no tokens: name your tenant in its place",
            ));
        }
        if self.client_id.trim().is_empty() {
            return Err(other("`client_id` is empty"));
        }
        if self.client_secret.as_ref().is_some_and(|secret| secret.is_empty()) {
            return Err(other("the client's secret is empty"));
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return Err(other("`scopes` must have `openid` among them: without it there is no ID token"));
        }
        if self.algorithms.is_empty() {
            return Err(other("`algorithms` is empty: name at least one"));
        }
        let wrong = self.algorithms.iter().find(|name| algorithm(name).is_none());
        if let Some(wrong) = wrong.filter(|_| !crate::ablate::off("provider_algorithm")) {
            return Err(ProviderOptionsError::Algorithm { key: key(), algorithm: wrong.clone() });
        }
        if !Url::parse(&self.landing).is_ok_and(|url| is_plain(&url) && is_safe(&url) && url.fragment().is_none()) {
            return Err(ProviderOptionsError::Landing { key: key(), landing: self.landing.clone() });
        }
        if self.key_refresh.is_zero() || self.key_refresh > LONGEST_REFRESH {
            return Err(other("`key_refresh_seconds` must be between 1 and 3600"));
        }
        if self.email_verified_claim.is_empty() {
            return Err(other("`email_verified_claim` is empty"));
        }
        Ok(self)
    }
}

fn is_plain(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none() && url.has_host()
}

/// Whether nobody on the way can read or change what is sent there.
fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback_name(url))
}

/// Whether it is one of Microsoft's addresses for many tenants at once: what is published there names another issuer.
fn is_of_no_tenant(url: &Url) -> bool {
    let first = url.path_segments().and_then(|mut parts| parts.next()).unwrap_or_default().to_ascii_lowercase();
    url.host_str() == Some("login.microsoftonline.com")
        && matches!(first.as_str(), "common" | "organizations" | "consumers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> ProviderOptions {
        ProviderOptions {
            key: "acme".to_owned(),
            title: "Acme".to_owned(),
            issuer: "https://id.example.com/realms/acme".to_owned(),
            client_id: "gatehouse".to_owned(),
            client_secret: None,
            client_authentication: ClientAuthentication::Basic,
            algorithms: vec!["RS256".to_owned()],
            scopes: vec!["openid".to_owned()],
            linking: false,
            sign_up: true,
            allowed_domains: Vec::new(),
            email_verified_claim: "email_verified".to_owned(),
            accept_tokens: false,
            audiences: Vec::new(),
            redirect_url: "https://gate.example/sign-in/acme/callback".to_owned(),
            landing: "https://app.example.com".to_owned(),
            key_refresh: Duration::from_secs(30),
        }
    }

    /// D16: no line of the file of providers makes tokens count that anybody could write, or sends people or secrets in the clear.
    #[test]
    fn d16_no_setting_makes_a_weak_provider() {
        assert!(options().checked().is_ok());
        for issuer in
            ["http://id.example.com", "ftp://x", "https://a:b@id.example.com", "https://id.example.com?x", "id"]
        {
            assert!(ProviderOptions { issuer: issuer.to_owned(), ..options() }.checked().is_err(), "{issuer}");
        }
        for algorithm in ["none", "HS256", "HS512", "rs256", ""] {
            let algorithms = vec!["RS256".to_owned(), algorithm.to_owned()];
            assert!(ProviderOptions { algorithms, ..options() }.checked().is_err(), "{algorithm}");
        }
        for landing in
            ["//evil.example", "javascript:alert(1)", "https://a@evil.example", "http://app.example.com", "/x"]
        {
            assert!(ProviderOptions { landing: landing.to_owned(), ..options() }.checked().is_err(), "{landing}");
        }
        assert!(ProviderOptions { scopes: vec!["email".to_owned()], ..options() }.checked().is_err());
        assert!(ProviderOptions { algorithms: Vec::new(), ..options() }.checked().is_err());
        assert!(ProviderOptions { key_refresh: Duration::ZERO, ..options() }.checked().is_err());
        assert!(ProviderOptions { issuer: "http://127.0.0.1:8081".to_owned(), ..options() }.checked().is_ok());
    }

    #[test]
    fn an_issuer_of_microsofts_names_one_tenant() {
        let checked = |issuer: &str| ProviderOptions { issuer: issuer.to_owned(), ..options() }.checked();
        for first in ["common", "organizations", "consumers", "Common"] {
            for issuer in ["https://login.microsoftonline.com/", "https://LOGIN.microsoftonline.com/"] {
                let error = checked(&format!("{issuer}{first}/v2.0")).unwrap_err().to_string();
                assert!(error.contains("name your tenant"), "{error}");
            }
        }
        assert!(checked("https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0").is_ok());
        assert!(checked("https://id.example.com/common").is_ok(), "elsewhere it is a name as any other");
    }
}
