//! API tokens: what programs prove themselves with. The secret is shown once, when the token is made; only its hash is stored.

mod new;
mod replacement;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use self::{
    new::make,
    replacement::{regenerate, revocable},
};
use super::{
    Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
    activity::{NewEntry, target},
    mutate::Working,
    page::{Page, PageRequest},
    service_account::{self, MANAGE, manager},
};
pub use crate::store::api_token::ApiToken;
use crate::{
    access::{PrincipalId, PrincipalKind, SystemTask},
    id::new_id,
    identity::{ApiTokenText, Credential},
    store::{self, WriteScope, api_token::ApiTokenFilter},
};

/// The longest life of a token, in days.
pub const LONGEST_LIFE_DAYS: u32 = 365;
/// For how many hours a replaced token may still be good.
pub const LONGEST_OVERLAP_HOURS: i64 = 24;
/// How often a token's use is noted.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);
/// How many tokens' uses are remembered in between.
const REMEMBERED: usize = 10_000;

/// What a new token is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Name as shown; a service account of its own bears it too.
    pub name: String,
    /// What it is limited to; for a service account that there is, empty: all that the account may do.
    pub scopes: Vec<String>,
    /// In how many days it ends.
    pub expires_in_days: i64,
    /// The service account it acts for; `None` makes one.
    pub account: Option<Uuid>,
}

/// A token that is to be replaced (`S4.R8`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Regeneration {
    /// Which.
    pub token: Uuid,
    /// In how many days the new one ends; `None`: in as many as the old one was made for.
    pub expires_in_days: Option<i64>,
    /// For how many hours the old one is still good; 0 ends it at once.
    pub overlap_hours: i64,
}

/// A token that was made.
#[derive(Debug)]
pub struct CreatedToken {
    /// The token.
    pub token: ApiToken,
    /// Its text, the first time alone: a repeated answer does not have it.
    pub secret: Option<Zeroizing<String>>,
}

/// What is remembered of a token that was made: nothing secret.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Made {
    organization: Uuid,
    token: Uuid,
}

/// Which token was used when, as far as it was noted.
#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<HashMap<Uuid, DateTime<Utc>>>);

impl Uses {
    /// Whether this use is to be noted: the first one, and then one a minute.
    fn is_due(&self, token: Uuid, now: DateTime<Utc>) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&token).is_some_and(|last| now < *last + NOTED_EVERY) {
            return false;
        }
        if noted.len() >= REMEMBERED {
            // The statement itself looks at the minute again.
            noted.retain(|_, last| now < *last + NOTED_EVERY);
        }
        noted.insert(token, now);
        true
    }
}

impl Service {
    /// Makes an API token for a service account, or with one of its own. For holders of `tokens.manage` in the organization, and of
    /// an account on apps for those who hold it there; it can do at most what its creator may.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with what is wrong in the input, [`ServiceError::Forbidden`].
    pub async fn create_api_token(
        &self,
        access: &Access,
        new: NewToken,
        idempotency: Option<Idempotency>,
    ) -> Result<CreatedToken, ServiceError> {
        let organization = access.standing()?.place.id;
        let change = Change::in_organization("createApiToken", access)?.repeatable(idempotency);
        self.make_token(change, organization, new).await
    }

    /// Makes an API token as the operator, in the organization of this slug.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is no such organization, [`ServiceError::Refused`].
    pub async fn create_api_token_as_operator(&self, slug: &str, new: NewToken) -> Result<CreatedToken, ServiceError> {
        let found = store::organization::find_by_slug(&self.store().read(), slug).await?;
        let organization = found.ok_or(ServiceError::NotFound)?.id;
        let scope = WriteScope::organization(organization);
        self.make_token(Change::by_system("createApiToken", SystemTask::Operator, scope), organization, new).await
    }

    async fn make_token(
        &self,
        change: Change,
        organization: Uuid,
        new: NewToken,
    ) -> Result<CreatedToken, ServiceError> {
        self.show_once(change, organization, move |work, secret| {
            Box::pin(async move { make(work, organization, secret, new).await })
        })
        .await
    }

    /// Replaces a token by a new one of the same service account, with another id and secret (`S4.R8`). Who may make it may.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a token that is not the caller's to manage, [`ServiceError::Refused`] for one that was
    /// revoked.
    pub async fn regenerate_api_token(
        &self,
        access: &Access,
        regeneration: Regeneration,
        idempotency: Option<Idempotency>,
    ) -> Result<CreatedToken, ServiceError> {
        let organization = access.standing()?.place.id;
        let change = Change::in_organization("regenerateApiToken", access)?.repeatable(idempotency);
        self.show_once(change, organization, move |work, secret| {
            Box::pin(async move { regenerate(work, secret, regeneration).await })
        })
        .await
    }

    /// Makes a token, and shows its text the first time alone.
    async fn show_once(
        &self,
        change: Change,
        organization: Uuid,
        work: impl for<'w> FnOnce(&'w Work<'w>, (Uuid, [u8; 32])) -> Working<'w, Made> + Send + 'static,
    ) -> Result<CreatedToken, ServiceError> {
        let text = ApiTokenText::mint(new_id(), organization, &mut rand::rng());
        let (id, hash) = (text.token(), text.secret_hash());
        let made = self.mutate(change, move |in_hand| work(in_hand, (id, hash))).await?.value;
        let found = store::api_token::find_by_id(&self.store().read(), made.organization, made.token).await?;
        // Of a repeated answer, another secret was shown.
        let secret = (made.token == id).then(|| text.to_text());
        Ok(CreatedToken { token: found.ok_or(ServiceError::NotFound)?, secret })
    }

    /// Ends a token before its time. For holders of `tokens.manage` in the organization, or where its service account holds
    /// something.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is no such token, [`ServiceError::Refused`] when it has ended,
    /// [`ServiceError::Forbidden`].
    pub async fn revoke_api_token(
        &self,
        access: &Access,
        token: Uuid,
        idempotency: Option<Idempotency>,
    ) -> Result<ApiToken, ServiceError> {
        let organization = access.standing()?.place.id;
        let change = Change::in_organization("revokeApiToken", access)?.repeatable(idempotency);
        let revoked = self.mutate(change, move |work| {
            Box::pin(async move {
                let (found, permit) = revocable(work, token).await?;
                let revoked = store::api_token::revoke(work.tx, permit, (organization, token), work.now).await?;
                if revoked.is_none() {
                    let message = "this token was revoked before";
                    return Err(UserError::new(UserErrorCode::StateChanged, "token", message).into());
                }
                work.record(organization, entry(work, "api_token.revoked", &found, json!({})).await?).await?;
                Ok(())
            })
        });
        revoked.await?;
        // Who was allowed to end it is shown what has become of it.
        let found = store::api_token::find_by_id(&self.store().read(), organization, token).await?;
        found.ok_or(ServiceError::NotFound)
    }

    /// The tokens of the caller's organization, the newest first. For holders of `tokens.manage`.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission.
    pub async fn list_api_tokens(
        &self,
        access: &Access,
        request: &PageRequest,
    ) -> Result<Page<ApiToken>, ServiceError> {
        let visibility = manager(access)?.rights.visible_by(MANAGE);
        Ok(store::api_token::list(&self.store().read(), &visibility, &ApiTokenFilter::default(), request).await?)
    }

    /// One token; `None` when there is none, or none that a list shows the caller: every one to who may manage tokens in the
    /// organization, else those that have not been revoked of the service accounts it may manage.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn find_api_token(&self, access: &Access, id: Uuid) -> Result<Option<ApiToken>, ServiceError> {
        let Ok(standing) = access.standing() else { return Ok(None) };
        let found = store::api_token::find_by_id(&self.store().read(), standing.place.id, id).await?;
        let Some(token) = found else { return Ok(None) };
        if manager(access).is_ok() {
            return Ok(Some(token));
        }
        let PrincipalId { kind, id: account } = token.principal;
        if kind != PrincipalKind::ServiceAccount || token.revoked_at.is_some() {
            return Ok(None);
        }
        let seen = self.within_reach(access, MANAGE, &[account]).await?;
        Ok((seen.contains(&account) || crate::ablate::off("token_place")).then_some(token))
    }

    /// Notes that a token was used, at most once a minute. Nobody waits for it.
    pub(super) fn note_use(&self, credential: &Credential, now: DateTime<Utc>) {
        let Credential::ApiToken { token, organization, .. } = *credential else { return };
        if !self.token_uses().is_due(token, now) {
            return;
        }
        let store = self.store().clone();
        tokio::spawn(async move {
            // It locks no organization: nothing that is counted or decided follows from it.
            let noted = store.write(WriteScope::default(), move |tx| {
                Box::pin(async move { store::api_token::touch_used(tx, organization, token, now).await })
            });
            if let Err(error) = noted.await {
                tracing::debug!(%error, "a token's use was not noted");
            }
        });
    }
}

/// The entry of a token: with the program it is of, and in the app where that stands.
async fn entry(
    work: &Work<'_>,
    action: &'static str,
    token: &ApiToken,
    mut detail: Value,
) -> Result<NewEntry, ServiceError> {
    let mut entry = NewEntry::account(action, target("api_token", token.id, &token.name));
    let (organization, principal) = (token.organization_id, token.principal);
    if principal.kind == PrincipalKind::ServiceAccount
        && let Some(account) = store::service_account::find_by_id(work.tx, organization, principal.id).await?
    {
        if let Some(detail) = detail.as_object_mut() {
            detail.insert("service_account".to_owned(), json!({ "id": account.id, "name": account.name }));
        }
        entry = service_account::in_its_app(work, entry, (organization, account.id)).await?;
    }
    Ok(entry.detail(detail))
}
