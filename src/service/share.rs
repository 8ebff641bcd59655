//! Which grants somebody could share with others now: the rule of giving, asked about what is granted already.

use std::collections::HashMap;

use uuid::Uuid;

use super::ServiceError;
use crate::{
    access::{
        Authority, Blueprint, Grant, Place, Rights,
        delegation::{Gift, may_share},
    },
    store::{self, Reader},
};

/// Of each grant, whether the holder of these rights could give it to its grantee now.
///
/// # Errors
/// When the database cannot say where apps stand.
pub(super) async fn shareable(
    reader: &impl Reader,
    (organization, rules): (Uuid, &Blueprint),
    sharer: &Rights,
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
        may_share(rules, Authority::Principal(sharer), &gift).is_ok()
    };
    Ok(grants.iter().map(may).collect())
}
