//! What somebody has to give who invites, told beforehand.

use uuid::Uuid;

use super::place::may_give_by;
use crate::{
    access::{
        Authority, Blueprint, Grantee, Held, Place, authorize,
        blueprint::document::{Holder, RoleLevel},
        delegation::{Gift, may_give},
        verb::InviteMember as Invite,
    },
    service::{Standing, UserError, UserErrorCode, app::SeenApp, role::judge},
};

impl Standing {
    /// The keys of the roles that this principal may give people in the organization: it assigns them, and they are not more than
    /// it may hand on (`S0.18`, `S4.10`).
    pub fn roles_to_give(&self) -> impl Iterator<Item = &str> {
        let rules = &self.blueprint.rules;
        let roles = rules
            .document()
            .roles
            .iter()
            .filter(|(_, role)| role.level == RoleLevel::Organization && role.holders.contains(&Holder::Member));
        let given = roles.filter(|(key, _)| {
            let held = Held::Role((*key).clone());
            let gift = Gift { grantee: SOMEBODY, held: &held, place: &Place::Organization, ancestors: &[] };
            judge(may_give(rules, Authority::Principal(&self.rights), &gift)).is_ok()
        });
        given.map(|(key, _)| key.as_str())
    }
}

/// Why somebody who may invite to an app invites nobody there all the same: it can give no role and no feature on it, or no role in
/// the organization, of which everybody has one.
pub(in crate::service) fn nothing_to_give(standing: &Standing, app: &SeenApp) -> Option<UserError> {
    let rules = &standing.blueprint.rules;
    let authority = Authority::Principal(&standing.rights);
    let by = if authorize::<Invite>(authority, None).is_ok() { &[] } else { std::slice::from_ref(app) };
    let refused =
        |message: &str, remedy: &str| Some(UserError::new(UserErrorCode::NotGrantable, "app", message).remedy(remedy));
    if !gives_a_feature(rules, authority, app) && app.roles_to_give(standing, Holder::Member).is_empty() {
        let message = "you can give no role and no feature on this app";
        return refused(message, "Ask somebody with a role that gives others on this app.");
    }
    let belongs = |slot: &String| {
        let of_slot = rules.main_roles().filter(|(key, _)| rules.slot_of(key) == Some(slot.as_str()));
        of_slot.map(|(key, _)| Held::Role(key.to_owned())).any(|held| {
            let gift = Gift { grantee: SOMEBODY, held: &held, place: &Place::Organization, ancestors: &[] };
            may_give_by(rules, authority, &gift, by).is_ok()
        })
    };
    if !rules.slots().keys().all(belongs) {
        let message = "you can give no role in the organization, and everybody who is invited has one";
        return refused(message, "Ask somebody with a role that gives one.");
    }
    None
}

/// Whoever is to be invited.
const SOMEBODY: Grantee = Grantee::Member(Uuid::nil());

/// Whether there is a feature of the app that can be given, at its weakest level.
fn gives_a_feature(rules: &Blueprint, authority: Authority<'_>, app: &SeenApp) -> bool {
    let place = Place::App { id: app.app.id, kind: app.app.kind.clone() };
    let features = rules.document().app_kinds.get(&app.app.kind).into_iter().flat_map(|kind| &kind.features);
    features
        .map(|(key, feature)| Held::Feature {
            kind: app.app.kind.clone(),
            feature: key.clone(),
            level: feature.levels.first().map(|level| level.key.clone()),
        })
        .any(|held| {
            let gift = Gift { grantee: SOMEBODY, held: &held, place: &place, ancestors: &app.above.ids };
            judge(may_give(rules, authority, &gift)).is_ok()
        })
}
