//! API tokens: what programs prove themselves with. The secret is shown once, when the token is made; only its hash is stored.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
    activity::{NewEntry, target},
    input,
    mutate::Working,
    page::{Page, PageRequest},
    service_account::{self, MANAGE, Managed, manager, role_of_programs},
};
pub use crate::store::api_token::ApiToken;
use crate::{
    access::{
        Permit, PrincipalId, PrincipalKind, SystemTask,
        delegation::{DelegationDenial, may_scope},
        verb::{CreateApiToken, RevokeApiToken},
    },
    id::new_id,
    identity::{ApiTokenText, Credential},
    store::{
        self, WriteScope,
        api_token::{ApiTokenFilter, NewApiToken},
    },
};

/// The longest life of a token, in days.
pub const LONGEST_LIFE_DAYS: u32 = 365;
/// For how many hours a replaced token may still be good.
pub const LONGEST_OVERLAP_HOURS: i64 = 24;
/// All that a service account may do, as a scope.
const EVERYTHING: &str = "*";
/// The most scopes of one token.
const MOST_SCOPES: usize = 100;
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
    /// In how many days the new one ends.
    pub expires_in_days: i64,
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

async fn make(
    work: &Work<'_>,
    organization: Uuid,
    (id, hash): (Uuid, [u8; 32]),
    new: NewToken,
) -> Result<Made, ServiceError> {
    if let Some(account) = new.account {
        return make_for(work, account, (id, hash), new).await;
    }
    let permit = work.authorize::<CreateApiToken>(Some(id))?;
    let row = store::organization::find_by_id(work.tx, organization).await?.ok_or(ServiceError::NotFound)?;
    let blueprint = work.service.rules_of(work.tx, (organization, row.blueprint_id)).await?;
    let rules = &blueprint.rules;

    let mut mistakes = input::Mistakes::default();
    let name = mistakes.keep(input::name("name", &new.name));
    let days = mistakes.keep(life(new.expires_in_days));
    let none = new.scopes.is_empty() && !crate::ablate::off("empty_scopes");
    if none || new.scopes.len() > MOST_SCOPES {
        let message = format!("a token has 1 to {MOST_SCOPES} scopes");
        mistakes.push(UserError::new(UserErrorCode::Invalid, "scopes", message).remedy("Name what it is to do."));
    } else if let Some(role) = role_of_programs(rules)
        && let Err((scope, denial)) = may_scope(rules, work.authority(), role, &new.scopes)
        && !crate::ablate::off("token_scopes")
    {
        mistakes.push(scope_refused(scope, &denial));
    }
    let (Some(name), Some(days)) = (name, days) else { return Err(mistakes.refused()) };
    mistakes.settle()?;

    let account = service_account::create(work, organization, rules, name.clone()).await?;
    let mut scopes = new.scopes;
    scopes.sort();
    scopes.dedup();
    let expires_at = work.now + TimeDelta::days(days);
    let token = NewApiToken {
        id,
        organization_id: organization,
        principal: PrincipalId::service_account(account.id),
        name,
        secret_hash: hash.to_vec(),
        scopes,
        expires_at,
        now: work.now,
    };
    let token = store::api_token::insert(work.tx, permit, token).await?;
    let detail = json!({ "scopes": token.scopes, "expiresAt": token.expires_at });
    work.record(organization, entry(work, "api_token.created", &token, detail).await?).await?;
    Ok(Made { organization, token: token.id })
}

/// A token for a service account that there is: as the account, or narrower.
async fn make_for(
    work: &Work<'_>,
    account: Uuid,
    (id, hash): (Uuid, [u8; 32]),
    new: NewToken,
) -> Result<Made, ServiceError> {
    let managed = Managed::find(work, account).await?;
    let standing = work.standing()?;
    let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
    let mut mistakes = input::Mistakes::default();
    let name = mistakes.keep(input::name("name", &new.name));
    let days = mistakes.keep(life(new.expires_in_days));
    let mut scopes = new.scopes;
    if scopes.is_empty() {
        scopes.push(EVERYTHING.to_owned());
    } else if scopes.len() > MOST_SCOPES {
        let message = format!("a token has at most {MOST_SCOPES} scopes");
        mistakes.push(UserError::new(UserErrorCode::Invalid, "scopes", message));
    }
    // The author holds all that the account does, so that scopes need only be of this blueprint: they take away.
    managed.within_bounds(work, "serviceAccount")?;
    if let Some(unknown) = scopes.iter().find(|scope| rules.scope(scope).is_err()) {
        mistakes.push(scope_refused(unknown, &DelegationDenial::Unknown));
    }
    let (Some(name), Some(days)) = (name, days) else { return Err(mistakes.refused()) };
    mistakes.settle()?;
    scopes.sort();
    scopes.dedup();
    let token = NewApiToken {
        id,
        organization_id: organization,
        principal: PrincipalId::service_account(account),
        name,
        secret_hash: hash.to_vec(),
        scopes,
        expires_at: work.now + TimeDelta::days(days),
        now: work.now,
    };
    let token = store::api_token::insert(work.tx, managed.permit::<CreateApiToken>(work)?, token).await?;
    let detail = json!({ "scopes": token.scopes, "expiresAt": token.expires_at });
    work.record(organization, entry(work, "api_token.created", &token, detail).await?).await?;
    Ok(Made { organization, token: token.id })
}

/// A token that the author may end, with the permit to do so.
async fn revocable(work: &Work<'_>, id: Uuid) -> Result<(ApiToken, Permit<RevokeApiToken>), ServiceError> {
    let standing = work.standing()?;
    let everywhere = work.authorize::<RevokeApiToken>(Some(id));
    if everywhere.is_err() && standing.rights.apps_with(&standing.blueprint.rules, MANAGE).is_empty() {
        everywhere?;
        return Err(ServiceError::NotFound);
    }
    let found = store::api_token::find_by_id(work.tx, standing.place.id, id).await?.ok_or(ServiceError::NotFound)?;
    match everywhere {
        Ok(permit) => Ok((found, permit)),
        Err(_) if found.principal.kind == PrincipalKind::ServiceAccount => {
            let managed = Managed::find(work, found.principal.id).await?;
            let permit = managed.permit::<RevokeApiToken>(work)?;
            Ok((found, permit))
        }
        Err(_) => Err(ServiceError::NotFound),
    }
}

async fn regenerate(
    work: &Work<'_>,
    (id, hash): (Uuid, [u8; 32]),
    regeneration: Regeneration,
) -> Result<Made, ServiceError> {
    let (old, permit) = revocable(work, regeneration.token).await?;
    let organization = old.organization_id;
    let mut mistakes = input::Mistakes::default();
    let days = mistakes.keep(life(regeneration.expires_in_days));
    let overlap = regeneration.overlap_hours;
    if !(0..=LONGEST_OVERLAP_HOURS).contains(&overlap) {
        let message = format!("a replaced token is good for 0 to {LONGEST_OVERLAP_HOURS} hours");
        mistakes.push(UserError::new(UserErrorCode::Invalid, "overlapHours", message));
    }
    if old.revoked_at.is_some() {
        let message = "this token was revoked before";
        let refusal = UserError::new(UserErrorCode::StateChanged, "token", message);
        mistakes.push(refusal.remedy("Make a new token instead."));
    }
    let Some(days) = days else { return Err(mistakes.refused()) };
    mistakes.settle()?;
    let managed = Managed::find(work, old.principal.id).await?;
    managed.within_bounds(work, "token")?;
    if overlap == 0 {
        store::api_token::revoke(work.tx, permit, (organization, old.id), work.now).await?;
    } else {
        let end = work.now + TimeDelta::hours(overlap);
        store::api_token::shorten(work.tx, permit, (organization, old.id), end).await?;
    }
    let token = NewApiToken {
        id,
        organization_id: organization,
        principal: old.principal,
        name: old.name,
        secret_hash: hash.to_vec(),
        scopes: old.scopes,
        expires_at: work.now + TimeDelta::days(days),
        now: work.now,
    };
    let token = store::api_token::insert(work.tx, managed.permit::<CreateApiToken>(work)?, token).await?;
    let before = json!({ "kind": "api_token", "id": old.id });
    let detail = json!({ "before": before, "overlapHours": overlap, "expiresAt": token.expires_at });
    work.record(organization, entry(work, "api_token.regenerated", &token, detail).await?).await?;
    Ok(Made { organization, token: token.id })
}

fn life(days: i64) -> Result<i64, UserError> {
    if (1..=i64::from(LONGEST_LIFE_DAYS)).contains(&days) {
        return Ok(days);
    }
    let message = format!("a token lives 1 to {LONGEST_LIFE_DAYS} days");
    Err(UserError::new(UserErrorCode::Invalid, "expiresInDays", message))
}

fn scope_refused(scope: &str, denial: &DelegationDenial) -> UserError {
    let shown: String = scope.chars().filter(|letter| !letter.is_control()).take(100).collect();
    let refuse = |code, message: String, remedy: &str| UserError::new(code, "scopes", message).remedy(remedy);
    match denial {
        DelegationDenial::Unknown => refuse(
            UserErrorCode::NotInBlueprint,
            format!("`{shown}` names nothing of this organization's blueprint"),
            "Write a permission such as `members.read`, or `kind.feature.action`, `kind.feature:level`, `*.*.view`.",
        ),
        DelegationDenial::BeyondOwnRights => refuse(
            UserErrorCode::NotGrantable,
            format!("`{shown}` is more than you hold"),
            "Name only what you may do yourself.",
        ),
        DelegationDenial::WrongHolder
        | DelegationDenial::Disabled { .. }
        | DelegationDenial::WrongLevel { .. }
        | DelegationDenial::WrongKind { .. }
        | DelegationDenial::Prerequisite { .. }
        | DelegationDenial::BeyondCeiling { .. }
        | DelegationDenial::PublicApp
        | DelegationDenial::RolesOnly { .. }
        | DelegationDenial::NotAssignable { .. }
        | DelegationDenial::SelfRaise
        | DelegationDenial::NotForEveryone => refuse(
            UserErrorCode::NotGrantable,
            format!("`{shown}` gives a program nothing here"),
            "Leave it out: the role for programs does not have it.",
        ),
    }
}
