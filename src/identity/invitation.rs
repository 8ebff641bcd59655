//! Invitations: the one-time token in the mail, and the link it is in.

use super::opaque::{OpaqueToken, Purpose};

/// The purpose of an invitation's token.
#[derive(Debug)]
pub enum Invite {}

impl Purpose for Invite {
    const PREFIX: &'static str = "giv_";
    const NAME: &'static str = "an invitation's token";
}

/// What accepts an invitation, once. Only its hash is stored; sending again makes a new one.
pub type InvitationToken = OpaqueToken<Invite>;

/// The public URL of the deployment, from the configuration alone: no header of any request has a part in a link (G11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// The public URL cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the public URL `{0}` cannot be used: write it as `https://gate.example.com`, without query, fragment or password"
)]
pub struct LinkError(String);

impl PublicUrl {
    /// The public URL that was configured.
    ///
    /// # Errors
    /// When it is not a plain `http` or `https` URL.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let refused = || LinkError(text.to_owned());
        let trimmed = text.trim().trim_end_matches('/');
        let rest = trimmed.strip_prefix("https://").or_else(|| trimmed.strip_prefix("http://")).ok_or_else(refused)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte);
        if rest.is_empty() || rest.starts_with(['/', ':']) || !rest.bytes().all(plain) {
            return Err(refused());
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The URL, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, as people know the product by.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// The link that opens an invitation. The token is in the fragment, which browsers send to no server and put in no
    /// `Referer`.
    #[must_use]
    pub fn invitation(&self, token: &InvitationToken) -> String {
        format!("{}/invitation#{}", self.0, token.to_text().as_str())
    }
}
