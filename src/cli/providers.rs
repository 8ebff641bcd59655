//! Reads the file of identity providers, and the secrets that it names.

use std::{path::Path, time::Duration};

use anyhow::Context;
use zeroize::Zeroizing;

use super::open::Urls;
use crate::{
    config::{self, LinkingRule, ProviderSettings, parse_providers},
    provider::{ClientAuthentication, ProviderOptions},
    service::input,
};

/// The providers of a file; none where there is no file.
///
/// # Errors
/// When the file, or a secret that it names, cannot be read or makes no sense.
pub fn read(file: Option<&Path>, urls: &Urls) -> anyhow::Result<Vec<ProviderOptions>> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let shown = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the providers `{shown}`"))?;
    let settings = parse_providers(&text).with_context(|| format!("the providers `{shown}` cannot be used"))?;
    let options = settings.into_iter().map(|(key, settings)| {
        let secret = secret(&settings).with_context(|| format!("the provider `{key}` of `{shown}` cannot be used"))?;
        options((key, settings), secret, urls)
    });
    options.collect()
}

fn options(
    (key, settings): (String, ProviderSettings),
    client_secret: Option<Zeroizing<String>>,
    urls: &Urls,
) -> anyhow::Result<ProviderOptions> {
    let allowed_domains = input::domains("allowed_domains", &settings.allowed_domains)
        .map_err(|mistake| anyhow::anyhow!("`{key}`: allowed_domains: {}", mistake.message))?;
    Ok(ProviderOptions {
        title: settings.title.unwrap_or_else(|| key.clone()),
        issuer: settings.issuer,
        client_id: settings.client_id,
        client_secret,
        client_authentication: match settings.client_authentication {
            config::ClientAuthentication::Basic => ClientAuthentication::Basic,
            config::ClientAuthentication::Post => ClientAuthentication::Post,
        },
        algorithms: settings.algorithms,
        scopes: settings.scopes,
        linking: settings.linking == LinkingRule::VerifiedEmail,
        sign_up: settings.sign_up,
        allowed_domains,
        email_verified_claim: settings.email_verified_claim,
        accept_tokens: settings.accept_tokens,
        audiences: settings.audiences,
        redirect_url: format!("{}/sign-in/{key}/callback", urls.public),
        landing: settings.landing.unwrap_or_else(|| urls.dashboard.clone()),
        key_refresh: Duration::from_secs(settings.key_refresh_seconds.into()),
        key,
    })
}

/// Our secret at the provider, without the line's end that editors put behind it.
fn secret(settings: &ProviderSettings) -> anyhow::Result<Option<Zeroizing<String>>> {
    let text = match (&settings.client_secret_file, &settings.client_secret_env) {
        (Some(file), _) => {
            std::fs::read_to_string(file).with_context(|| format!("cannot read its secret `{}`", file.display()))?
        }
        (None, Some(name)) => std::env::var(name).with_context(|| format!("its secret `{name}` is not set"))?,
        (None, None) => return Ok(None),
    };
    let text = Zeroizing::new(text);
    Ok(Some(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())))
}
