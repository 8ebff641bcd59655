//! Ending a token, and putting another in its place.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::{ApiToken, LONGEST_LIFE_DAYS, LONGEST_OVERLAP_HOURS, Made, Regeneration, entry, new::life};
use crate::{
    access::{
        Permit, PrincipalKind,
        verb::{CreateApiToken, RevokeApiToken},
    },
    service::{
        ServiceError, UserError, UserErrorCode, Work, input,
        service_account::{MANAGE, Managed},
    },
    store::{self, api_token::NewApiToken},
};

/// A token that the author may end, with the permit to do so.
pub(super) async fn revocable(work: &Work<'_>, id: Uuid) -> Result<(ApiToken, Permit<RevokeApiToken>), ServiceError> {
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

/// A token in the place of another, which ends now or after the overlap.
pub(super) async fn regenerate(
    work: &Work<'_>,
    (id, hash): (Uuid, [u8; 32]),
    regeneration: Regeneration,
) -> Result<Made, ServiceError> {
    let (old, permit) = revocable(work, regeneration.token).await?;
    let organization = old.organization_id;
    let mut mistakes = input::Mistakes::default();
    let days =
        mistakes.keep(life(regeneration.expires_in_days.unwrap_or_else(|| made_for(old.expires_at - old.created_at))));
    let overlap = regeneration.overlap_hours;
    if !(0..=LONGEST_OVERLAP_HOURS).contains(&overlap) {
        let message = format!("a replaced token is good for 0 to {LONGEST_OVERLAP_HOURS} hours");
        mistakes.push(UserError::new(UserErrorCode::Invalid, "overlapHours", message));
    }
    if old.revoked_at.is_some() {
        let message = "this token was revoked before";
        let refusal = UserError::new(UserErrorCode::StateChanged, "token", message);
        mistakes.push(refusal.remedy("Make a new token instead."));
    } else if old.replaced_at.is_some() {
        // Its end was moved: for how long it was made is not to be seen of it any more.
        mistakes.push(replaced());
    }
    let Some(days) = days else { return Err(mistakes.refused()) };
    mistakes.settle()?;
    let managed = Managed::find(work, old.principal.id).await?;
    managed.may_be_wielded(work, "token")?;
    if overlap == 0 {
        store::api_token::revoke(work.tx, permit, (organization, old.id), work.now).await?;
    } else {
        let ends = (work.now, work.now + TimeDelta::hours(overlap));
        store::api_token::replace(work.tx, permit, (organization, old.id), ends).await?.ok_or_else(replaced)?;
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

/// What is said of a token that has another one in its place.
fn replaced() -> UserError {
    UserError::new(UserErrorCode::StateChanged, "token", "this token was regenerated already")
        .remedy("Regenerate the new one, or make another token.")
}

/// For how many days a token was made that lives so long; a day that has begun counts.
fn made_for(life: TimeDelta) -> i64 {
    let day = TimeDelta::days(1).num_seconds();
    let days = life.num_seconds().saturating_add(day - 1).div_euclid(day);
    days.clamp(1, i64::from(LONGEST_LIFE_DAYS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_told_in_the_days_that_it_was_asked_for() {
        for days in [1, 30, 365] {
            assert_eq!(made_for(TimeDelta::days(days)), days);
        }
        for (hours, days) in [(0, 1), (1, 1), (25, 2), (24 * 400, 365)] {
            assert_eq!(made_for(TimeDelta::hours(hours)), days, "{hours} hours");
        }
    }
}
