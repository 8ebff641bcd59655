//! ID tokens of providers (OpenID Connect Core 1.0, 3.1.3.7; RFC 8725), judged claim by claim.
//!
//! As with our own tokens, verification is written out: an allow-list of algorithms, all with public keys; every claim that counts
//! required and of its type; the time is an argument. A provider may add claims and headers of its own, which count for nothing.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::{ProviderOptions, options::algorithm};
use crate::ablate;

/// No ID token is longer, in bytes; one with every group of a large company is shorter.
const MAX_LENGTH: usize = 16 * 1024;
/// No name of a key is longer.
const MAX_KEY_NAME: usize = 256;
/// No subject is longer (OpenID Connect Core 1.0, 2).
const MAX_SUBJECT: usize = 255;
/// How far a provider's clock may differ from ours.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// How old a token may be when it comes: it was made for this sign-in.
const OLDEST: TimeDelta = TimeDelta::minutes(10);

/// Who a provider says somebody is.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// The provider's issuer.
    pub issuer: String,
    /// What the provider knows the person by, always.
    pub subject: String,
    /// The address, as the provider writes it.
    pub email: Option<String>,
    /// Whether the provider says that the address is the person's.
    pub email_verified: bool,
    /// The name.
    pub name: Option<String>,
    /// When the token ends.
    pub expires_at: DateTime<Utc>,
}

/// Without the address, which belongs in no log.
impl std::fmt::Debug for ExternalIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { issuer, subject, .. } = self;
        f.debug_struct("ExternalIdentity").field("issuer", issuer).field("subject", subject).finish_non_exhaustive()
    }
}

/// Why an ID token is refused. For logs and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// Not of the form of a token.
    #[error("the ID token is malformed")]
    Malformed,
    /// A header that is missing, or must not be there.
    #[error("the ID token's header is not one of an ID token")]
    Header,
    /// An algorithm that is not allowed.
    #[error("the ID token is signed with an algorithm that is not allowed")]
    Algorithm,
    /// Signed with a key that the provider does not publish.
    #[error("the ID token names an unknown key")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the ID token's signature is wrong")]
    Signature,
    /// A claim is missing, or of another type.
    #[error("the ID token's claims cannot be read")]
    Claims,
    /// It was made by or for somebody else.
    #[error("the ID token is of another issuer or for another audience")]
    Foreign,
    /// Its time has not come, is over, or began too long ago.
    #[error("the ID token's time is not now")]
    Time,
    /// It was made for another sign-in.
    #[error("the ID token is of another sign-in")]
    Nonce,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    #[serde(default)]
    typ: Option<String>,
    /// Extensions that must be understood; we understand none.
    #[serde(default)]
    crit: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

/// A token whose header was read, and nothing believed.
pub struct Unverified<'a> {
    message: &'a str,
    claims: &'a str,
    signature: &'a str,
    /// The name of its key.
    pub kid: String,
    /// What it says it is signed with: one of the allowed.
    pub algorithm: Algorithm,
}

/// What a token must say.
pub struct Expected<'a> {
    /// The number that this sign-in began with; `None` where no sign-in began here.
    pub nonce: Option<&'a str>,
    /// Whom it may be for besides us.
    pub audiences: &'a [String],
    /// The present moment.
    pub now: DateTime<Utc>,
}

impl<'a> Unverified<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`IdTokenError`] for what is no token, or is signed with anything that is not allowed.
    pub fn read(text: &'a str, options: &ProviderOptions) -> Result<Self, IdTokenError> {
        if text.len() > MAX_LENGTH {
            return Err(IdTokenError::Malformed);
        }
        let (message, signature) = text.rsplit_once('.').ok_or(IdTokenError::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(IdTokenError::Malformed)?;
        if claims.contains('.') {
            return Err(IdTokenError::Malformed);
        }
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| IdTokenError::Header)?;
        let typed = header.typ.as_ref().is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        if header.crit.is_some() || !typed || header.kid.len() > MAX_KEY_NAME {
            return Err(IdTokenError::Header);
        }
        let allowed = options.algorithms.contains(&header.alg) || ablate::off("id_token_algorithm");
        let algorithm = algorithm(&header.alg).filter(|_| allowed).ok_or(IdTokenError::Algorithm)?;
        Ok(Self { message, claims, signature, kid: header.kid, algorithm })
    }
}

/// Who the token speaks of, if it counts.
///
/// # Errors
/// [`IdTokenError`].
pub fn verify(
    token: &Unverified<'_>,
    key: &DecodingKey,
    options: &ProviderOptions,
    expected: &Expected<'_>,
) -> Result<ExternalIdentity, IdTokenError> {
    let signed = jsonwebtoken::crypto::verify(token.signature, token.message.as_bytes(), key, token.algorithm);
    if !signed.unwrap_or(false) && !ablate::off("id_token_signature") {
        return Err(IdTokenError::Signature);
    }
    let bytes = decode(token.claims)?;
    let claims: Claims = serde_json::from_slice(&bytes).map_err(|_| IdTokenError::Claims)?;
    let all: serde_json::Map<String, Value> = serde_json::from_slice(&bytes).map_err(|_| IdTokenError::Claims)?;
    if claims.sub.is_empty() || claims.sub.len() > MAX_SUBJECT || claims.sub.chars().any(char::is_control) {
        return Err(IdTokenError::Claims);
    }
    if !is_for_us(&claims, options, expected.audiences) && !ablate::off("id_token_audience") {
        return Err(IdTokenError::Foreign);
    }
    let expires_at = in_time(&claims, expected.now)?;
    if !is_of_this_sign_in(claims.nonce.as_deref(), expected.nonce) && !ablate::off("id_token_nonce") {
        return Err(IdTokenError::Nonce);
    }
    let email_verified = all.get(&options.email_verified_claim) == Some(&Value::Bool(true));
    let Claims { iss, sub, email, name, .. } = claims;
    Ok(ExternalIdentity { issuer: iss, subject: sub, email, email_verified, name, expires_at })
}

/// Whether it was made by the provider, for us or for whom we trust as ourselves.
fn is_for_us(claims: &Claims, options: &ProviderOptions, others: &[String]) -> bool {
    let ours = |audience: &String| *audience == options.client_id || others.contains(audience);
    let (named, several) = match &claims.aud {
        Audience::One(one) => (ours(one), false),
        Audience::Many(many) => (many.iter().any(ours), many.len() > 1),
    };
    // To whom it was given, where it is for several.
    let given = claims.azp.as_ref().map_or(!several, ours);
    claims.iss == options.issuer && named && given
}

/// When it ends, if its time is now.
fn in_time(claims: &Claims, now: DateTime<Utc>) -> Result<DateTime<Utc>, IdTokenError> {
    let time = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(IdTokenError::Claims);
    let (issued, ends) = (time(claims.iat)?, time(claims.exp)?);
    let begins = claims.nbf.map_or(Ok(issued), time)?.max(issued);
    let is_now = now.signed_duration_since(ends) < LEEWAY
        && begins.signed_duration_since(now) <= LEEWAY
        && now.signed_duration_since(issued) <= OLDEST + LEEWAY;
    if claims.iat >= 0 && ends > issued && (is_now || ablate::off("id_token_time")) {
        Ok(ends)
    } else {
        Err(IdTokenError::Time)
    }
}

/// Whether the number is the one this sign-in began with; a token of another sign-in has another.
fn is_of_this_sign_in(found: Option<&str>, expected: Option<&str>) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) => bool::from(found.as_bytes().ct_eq(expected.as_bytes())),
        (None, Some(_)) => false,
        // A client that got the token by itself began the sign-in, and has compared it.
        (_, None) => true,
    }
}

fn decode(part: &str) -> Result<Vec<u8>, IdTokenError> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| IdTokenError::Malformed)
}
