//! For how long something is given.

use chrono::{DateTime, Utc};

use crate::{
    ablate,
    access::{
        Grantee, Held,
        delegation::{Gift, held_until},
    },
    service::{UserError, UserErrorCode, Work, prerequisite::moment},
    store::grant::AccessGrant,
};

/// Until when the author has what it gives, where it is bound to that; `None` is for good.
pub(in crate::service) fn own_end(work: &Work<'_>, gift: &Gift<'_>) -> Option<DateTime<Utc>> {
    let standing = work.standing().ok().filter(|_| !ablate::off("own_end"))?;
    held_until(&standing.blueprint.rules, &standing.facts, &standing.rights, gift)
}

/// Refuses, at the field, to give a feature for longer than the author has it, and anything to the author itself.
pub(super) fn ends_in_time(
    work: &Work<'_>,
    (gift, end): (&Gift<'_>, Option<DateTime<Utc>>),
    field: &str,
) -> Result<(), UserError> {
    let author = work.standing().ok().map(|standing| standing.facts.principal.id);
    let is_self = matches!(gift.grantee, Grantee::Member(id) | Grantee::ServiceAccount(id) if Some(id) == author);
    // Who appoints somebody for a time of its own does not appoint for that time.
    if matches!(gift.held, Held::Role(_)) && !is_self {
        return Ok(());
    }
    match own_end(work, gift) {
        Some(own) if end.is_none_or(|end| end > own) => {
            let message = format!("you have this yourself until {}", moment(own));
            Err(UserError::new(UserErrorCode::NotGrantable, field, message).remedy("Let it end by then."))
        }
        _ => Ok(()),
    }
}

/// Until when a feature lasts that is chosen without a word of its end: no longer than a grant of it that is there, whatever its
/// level, and than the author has it.
pub(in crate::service) fn chosen_end(work: &Work<'_>, held: &[AccessGrant], gift: &Gift<'_>) -> Option<DateTime<Utc>> {
    let before = held.iter().find(|grant| {
        is_same_feature(&grant.held, gift.held)
            && grant.place == *gift.place
            && grant.expires_at.is_none_or(|end| end > work.now)
    });
    let before = before.and_then(|grant| grant.expires_at);
    [before, own_end(work, gift)].into_iter().flatten().min()
}

/// Whether both are grants of one feature, whatever the level.
pub(super) fn is_same_feature(one: &Held, other: &Held) -> bool {
    match (one, other) {
        (Held::Feature { kind, feature, .. }, Held::Feature { kind: other_kind, feature: other, .. }) => {
            (kind, feature) == (other_kind, other)
        }
        _ => false,
    }
}
