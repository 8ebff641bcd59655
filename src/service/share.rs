//! Which grants somebody could share with others now: the rule of giving, asked about what is granted already.

use std::collections::HashMap;

use uuid::Uuid;

use super::ServiceError;
use crate::{
    access::{
        Authority, Blueprint, Grant, Place, Rights,
        delegation::{DelegationDenial, Gift, may_share},
    },
    store::{self, Reader},
};

/// A rule of giving, as [`may_share`] and [`may_wield`](crate::access::delegation::may_wield).
pub(super) type Judge = fn(&Blueprint, Authority<'_>, &Gift<'_>) -> Result<(), DelegationDenial>;

/// Of each grant, whether the holder of these rights could give it to its grantee now.
///
/// # Errors
/// When the database cannot say where apps stand.
pub(super) async fn shareable(
    reader: &impl Reader,
    within: (Uuid, &Blueprint),
    sharer: &Rights,
    grants: &[Grant],
) -> Result<Vec<bool>, ServiceError> {
    judged(reader, within, (sharer, may_share), grants).await
}

/// Of each grant, whether this rule lets the holder of these rights give it to its grantee now.
///
/// # Errors
/// When the database cannot say where apps stand.
pub(super) async fn judged(
    reader: &impl Reader,
    (organization, rules): (Uuid, &Blueprint),
    (sharer, judge): (&Rights, Judge),
    grants: &[Grant],
) -> Result<Vec<bool>, ServiceError> {
    let app = |grant: &Grant| match &grant.place {
        Place::App { id, .. } => Some(*id),
        Place::Organization => None,
    };
    let apps: Vec<Uuid> = grants.iter().filter_map(app).collect();
    let above =
        if apps.is_empty() { HashMap::new() } else { store::app::ancestors_of(reader, organization, &apps).await? };
    let may = |grant: &Grant| {
        let ancestors = app(grant).and_then(|app| above.get(&app)).map_or(&[][..], |above| above.ids.as_slice());
        let gift = Gift { grantee: grant.grantee, held: &grant.held, place: &grant.place, ancestors };
        judge(rules, Authority::Principal(sharer), &gift).is_ok()
    };
    Ok(grants.iter().map(may).collect())
}
