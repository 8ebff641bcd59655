//! Access tokens: short-lived JWTs that say who is calling and in which organization, never what they may do.
//!
//! Verification is written out rather than configured: one algorithm, one type, a fixed set of keys, every claim required and
//! strictly typed, unknown headers and claims refused, and the time is an argument (abuse cases G1 to G5; RFC 8725).

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, Header};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{credential::SessionIdentity, key::SigningKeys};

/// The type in the header (RFC 9068): no token of another purpose passes for an access token.
const TYPE: &str = "at+jwt";

/// No access token of ours is longer, in bytes.
const MAX_LENGTH: usize = 2048;

/// The longest life an access token may have.
pub const MAX_LIFETIME: Duration = Duration::from_mins(30);

/// How many verified signatures are remembered.
const REMEMBERED: u64 = 50_000;

/// How access tokens are made and judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessTokenOptions {
    /// `iss`: the public URL of this deployment.
    pub issuer: String,
    /// `aud`: whom the tokens are for.
    pub audience: String,
    /// How long a token lives: 5 minutes unless configured, at most [`MAX_LIFETIME`].
    pub lifetime: Duration,
    /// How far the clocks of two nodes may differ.
    pub leeway: Duration,
}

impl AccessTokenOptions {
    /// The options of a deployment at this public URL.
    #[must_use]
    pub fn new(public_url: &str) -> Self {
        Self {
            issuer: public_url.to_owned(),
            audience: "gatehouse".to_owned(),
            lifetime: Duration::from_mins(5),
            leeway: Duration::from_secs(5),
        }
    }
}

/// A verified access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessToken {
    /// Who, and where.
    pub identity: SessionIdentity,
    /// The token's own id.
    pub id: Uuid,
    /// When it was made.
    pub issued_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// A new access token.
#[derive(Clone)]
pub struct MintedToken {
    /// What the client sends as `Authorization: Bearer …`.
    pub text: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for MintedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MintedToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Why an access token is refused. For logs and tests; a client hears only that it is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessTokenError {
    /// Not of the form of a token of ours.
    #[error("the access token is malformed")]
    Malformed,
    /// Another algorithm, another type, or a header that we never write.
    #[error("the access token's header is not one of ours")]
    Header,
    /// Signed with a key that is not ours, or not any more.
    #[error("the access token names an unknown key")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the access token's signature is wrong")]
    Signature,
    /// A claim is missing, unknown, of another type or of another value.
    #[error("the access token's claims are not ours")]
    Claims,
    /// Its time has not come.
    #[error("the access token is from the future")]
    NotYet,
    /// Its time is over.
    #[error("the access token has expired")]
    Expired,
    /// It could not be made.
    #[error("the access token could not be made")]
    Mint,
    /// The lifetime is zero or above [`MAX_LIFETIME`].
    #[error("the lifetime of access tokens must be between 1 second and 30 minutes")]
    Lifetime,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OurHeader {
    alg: String,
    typ: String,
    kid: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    sid: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    org: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mid: Option<Uuid>,
    iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    exp: i64,
    jti: Uuid,
}

/// Makes and verifies access tokens.
#[derive(Debug)]
pub struct AccessTokens {
    /// The keys as they were last read; replaced whole.
    keys: RwLock<Arc<SigningKeys>>,
    options: AccessTokenOptions,
    /// Tokens whose signature and claims were verified, by the SHA-256 of their text. Their times, and whether their key still
    /// counts, are judged on each use.
    verified: Cache<[u8; 32], Verified>,
}

/// A token whose signature and claims are good, and which generation of keys signed it.
#[derive(Debug, Clone, Copy)]
struct Verified {
    token: AccessToken,
    generation: Uuid,
}

impl AccessTokens {
    /// Access tokens with these keys.
    ///
    /// # Errors
    /// [`AccessTokenError::Lifetime`].
    pub fn new(keys: SigningKeys, options: AccessTokenOptions) -> Result<Self, AccessTokenError> {
        if options.lifetime < Duration::from_secs(1) || options.lifetime > MAX_LIFETIME {
            return Err(AccessTokenError::Lifetime);
        }
        let verified = Cache::builder().max_capacity(REMEMBERED).time_to_live(MAX_LIFETIME).build();
        Ok(Self { keys: RwLock::new(Arc::new(keys)), options, verified })
    }

    /// The keys as they were last read.
    #[must_use]
    pub fn keys(&self) -> Arc<SigningKeys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other keys in the place of these. What was signed by a key that is no more among them is refused from now on.
    pub fn replace_keys(&self, keys: SigningKeys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// How long a token lives.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.options.lifetime
    }

    /// A new token for this session; `id` is a new id.
    ///
    /// # Errors
    /// [`AccessTokenError::Mint`] when the time cannot be written, or no key signs at it.
    pub fn mint(
        &self,
        identity: &SessionIdentity,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<MintedToken, AccessTokenError> {
        let keys = self.keys();
        let (name, key) = keys.signing(now).ok_or(AccessTokenError::Mint)?;
        let lifetime = i64::try_from(self.options.lifetime.as_secs()).map_err(|_| AccessTokenError::Mint)?;
        let iat = now.timestamp();
        let exp = iat.checked_add(lifetime).ok_or(AccessTokenError::Mint)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(name.to_owned());
        let claims = Claims {
            iss: self.options.issuer.clone(),
            aud: self.options.audience.clone(),
            sub: identity.user,
            sid: identity.session,
            org: identity.organization,
            mid: identity.member,
            iat,
            nbf: None,
            exp,
            jti: id,
        };
        let text = jsonwebtoken::encode(&header, &claims, key).map_err(|_| AccessTokenError::Mint)?;
        let expires_at = DateTime::from_timestamp(exp, 0).ok_or(AccessTokenError::Mint)?;
        Ok(MintedToken { text, expires_at })
    }

    /// Who the token speaks for, if it is one of ours and its time is now. No I/O.
    ///
    /// # Errors
    /// When anything about it is not exactly as [`AccessTokens::mint`] makes it.
    pub fn verify(&self, text: &str, now: DateTime<Utc>) -> Result<AccessToken, AccessTokenError> {
        if text.len() > MAX_LENGTH {
            return Err(AccessTokenError::Malformed);
        }
        let keys = self.keys();
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        if let Some(known) = self.verified.get(&digest) {
            if !keys.is_believed(known.generation, now) {
                return Err(AccessTokenError::UnknownKey);
            }
            return self.in_time(known.token, now);
        }
        let opened = self.open(text, &keys, now)?;
        let token = self.in_time(opened.token, now)?;
        self.verified.insert(digest, opened);
        Ok(token)
    }

    /// Header, signature, claims: everything but the token's time.
    fn open(&self, text: &str, keys: &SigningKeys, now: DateTime<Utc>) -> Result<Verified, AccessTokenError> {
        let (message, signature) = text.rsplit_once('.').ok_or(AccessTokenError::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(AccessTokenError::Malformed)?;
        if claims.contains('.') {
            return Err(AccessTokenError::Malformed);
        }
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| AccessTokenError::Malformed);

        let header: OurHeader = serde_json::from_slice(&decode(header)?).map_err(|_| AccessTokenError::Header)?;
        if header.alg != "EdDSA" || header.typ != TYPE {
            return Err(AccessTokenError::Header);
        }
        let (generation, key) = keys.verifying(&header.kid, now).ok_or(AccessTokenError::UnknownKey)?;
        let signed = jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, Algorithm::EdDSA);
        if !signed.unwrap_or(false) && !crate::ablate::off("access_token_signature") {
            return Err(AccessTokenError::Signature);
        }

        let claims: Claims = serde_json::from_slice(&decode(claims)?).map_err(|_| AccessTokenError::Claims)?;
        let lifetime = claims.exp.checked_sub(claims.iat).ok_or(AccessTokenError::Claims)?;
        let starts_late = claims.nbf.is_some_and(|nbf| nbf > claims.exp);
        let foreign = claims.iss != self.options.issuer
            || claims.aud != self.options.audience
            || claims.iat < 0
            || lifetime <= 0
            || lifetime.unsigned_abs() > MAX_LIFETIME.as_secs()
            || starts_late
            || (claims.mid.is_some() && claims.org.is_none());
        if foreign && !crate::ablate::off("access_token_claims") {
            return Err(AccessTokenError::Claims);
        }
        let time = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(AccessTokenError::Claims);
        let token = AccessToken {
            identity: SessionIdentity {
                session: claims.sid,
                user: claims.sub,
                organization: claims.org,
                member: claims.mid,
            },
            id: claims.jti,
            issued_at: time(claims.nbf.map_or(claims.iat, |nbf| nbf.max(claims.iat)))?,
            expires_at: time(claims.exp)?,
        };
        Ok(Verified { token, generation })
    }

    fn in_time(&self, token: AccessToken, now: DateTime<Utc>) -> Result<AccessToken, AccessTokenError> {
        if crate::ablate::off("access_token_time") {
            return Ok(token);
        }
        let leeway = TimeDelta::from_std(self.options.leeway).unwrap_or_default();
        if token.issued_at.signed_duration_since(now) > leeway {
            Err(AccessTokenError::NotYet)
        } else if now.signed_duration_since(token.expires_at) >= leeway {
            Err(AccessTokenError::Expired)
        } else {
            Ok(token)
        }
    }
}
