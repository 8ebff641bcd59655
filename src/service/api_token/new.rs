//! Making a token: for a service account of its own, or for one that there is.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::{LONGEST_LIFE_DAYS, Made, NewToken, entry};
use crate::{
    access::{
        PrincipalId,
        delegation::{DelegationDenial, may_scope},
        verb::CreateApiToken,
    },
    service::{
        ServiceError, UserError, UserErrorCode, Work, input,
        service_account::{self, Managed, role_of_programs},
    },
    store::{self, api_token::NewApiToken},
};

/// All that a service account may do, as a scope.
const EVERYTHING: &str = "*";
/// The most scopes of one token.
const MOST_SCOPES: usize = 100;

/// A token as it was asked for.
pub(super) async fn make(
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
    }
    let scopes = each_once(new.scopes);
    if let Some(role) = role_of_programs(rules)
        && scopes.len() <= MOST_SCOPES
        && !crate::ablate::off("token_scopes")
    {
        // One by one, so that every wrong one is told.
        for scope in scopes.chunks(1) {
            if let Err((scope, denial)) = may_scope(rules, work.authority(), role, scope) {
                mistakes.push(scope_refused(scope, &denial));
            }
        }
    }
    let (Some(name), Some(days)) = (name, days) else { return Err(mistakes.refused()) };
    mistakes.settle()?;

    let account = service_account::create(work, organization, rules, name.clone()).await?;
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
    let mut scopes = each_once(new.scopes);
    if scopes.is_empty() {
        scopes.push(EVERYTHING.to_owned());
    } else if scopes.len() > MOST_SCOPES {
        let message = format!("a token has at most {MOST_SCOPES} scopes");
        mistakes.push(UserError::new(UserErrorCode::Invalid, "scopes", message));
    }
    // The author may do all that the account does, so that scopes need only be of this blueprint: they take away.
    managed.may_be_wielded(work, "serviceAccount")?;
    for unknown in scopes.iter().take(MOST_SCOPES).filter(|scope| rules.scope(scope).is_err()) {
        mistakes.push(scope_refused(unknown, &DelegationDenial::Unknown));
    }
    let (Some(name), Some(days)) = (name, days) else { return Err(mistakes.refused()) };
    mistakes.settle()?;
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

/// Scopes in order, each once.
fn each_once(mut scopes: Vec<String>) -> Vec<String> {
    scopes.sort();
    scopes.dedup();
    scopes
}

/// For how many days a token is to live.
pub(super) fn life(days: i64) -> Result<i64, UserError> {
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
