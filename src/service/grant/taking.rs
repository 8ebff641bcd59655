//! What stands in the way of taking what is given: the checks of the change itself, which screens ask beforehand.

use uuid::Uuid;

use super::{AccessGrant, app_role, may_see};
use crate::{
    access::{
        Authority, Blueprint, Grantee, Held, Place,
        delegation::{Gift, may_assign_at, may_give, may_share},
    },
    service::{
        Standing, UserError, UserErrorCode,
        app::{self, SeenApp},
        consequence::last_on_app,
        remedy::{self, Taken},
        role::{self, judge},
    },
    store::grant::HoldersOnApps,
};

/// Whether the author may take what somebody holds on this app, or in the whole organization: who may give it may take it, and
/// anybody may give up its own. Refused at the field by which it goes.
pub(super) fn may_take_by(
    standing: &Standing,
    authority: Authority<'_>,
    (grant, app): (&AccessGrant, Option<&SeenApp>),
    field: &str,
) -> Result<(), UserError> {
    let own = standing.facts.principal;
    let rules = &standing.blueprint.rules;
    let ancestors = app.map(|app| app.above.ids.as_slice()).unwrap_or_default();
    if matches!(grant.grantee, Grantee::Member(id) | Grantee::ServiceAccount(id) if id == own.id) {
        return app_role::keeps_own(rules, &grant.held).map_err(|refusal| refusal.at(field));
    }
    let judged = match &grant.held {
        Held::Role(role) if rules.document().roles.contains_key(role) => {
            may_assign_at(rules, &standing.rights, role, (&grant.place, ancestors))
        }
        Held::Role(_) => Ok(()),
        Held::Feature { .. } => {
            let gift = Gift { grantee: grant.grantee, held: &grant.held, place: &grant.place, ancestors };
            may_share(rules, authority, &gift)
        }
    };
    judge(judged).map_err(|denial| match &grant.held {
        Held::Role(_) => role::not_given(rules, field, &denial),
        Held::Feature { kind, feature, level } => {
            let on = app.map(|app| app.app.name.as_str());
            let named = Taken { kind, feature, level: level.as_deref(), on };
            // Who gives access and does not see what others hold is not told of it here.
            let shown = may_see(standing, grant.grantee)
                || app.is_some_and(|app| standing.rights.holds_on(rules, "rights.read", &app.place()));
            remedy::feature_not_taken(rules, field, shown.then_some(named), &denial)
        }
    })
}

/// Refuses to take a feature that another one of the same grantee needs on the same app, among all that it is given itself.
pub(super) fn is_spare(rules: &Blueprint, grant: &AccessGrant, own: &[AccessGrant]) -> Result<(), UserError> {
    let Held::Feature { kind, feature, .. } = &grant.held else { return Ok(()) };
    for other in own.iter().filter(|other| other.id != grant.id && other.place == grant.place) {
        let Held::Feature { kind: other_kind, feature: key, .. } = &other.held else { continue };
        let needing = rules.document().app_kinds.get(kind).and_then(|kind| kind.features.get(key));
        if other_kind == kind && needing.is_some_and(|needing| needing.requires.contains(feature)) {
            let refusal = UserError::new(UserErrorCode::Missing, "grant", format!("`{key}` needs this"));
            return Err(refusal.remedy(format!("Revoke `{key}` first.")));
        }
    }
    Ok(())
}

/// The refusal of taking a role from one of the last who hold it on its app (`S4.R5`); where there are too few already, nothing
/// more is asked.
pub(super) fn keeps_app(
    standing: &Standing,
    (app, holders): (&SeenApp, &HoldersOnApps),
    grant: &AccessGrant,
) -> Option<UserError> {
    let rules = &standing.blueprint.rules;
    let (Held::Role(key), Grantee::Member(member)) = (&grant.held, grant.grantee) else { return None };
    let role = rules.document().roles.get(key)?;
    let least = role.min_holders as usize;
    let of = holders.get(&(app.app.id, key.clone()))?;
    let is_last = of.len() == least && of.contains(&member) && grant.expires_at.is_none();
    is_last.then(|| last_on_app(rules, (key, role), (Some(&app.app.name), gives_on(standing, app, key))))
}

/// Whether this principal gives a role, on an app that it sees, to members other than itself.
pub(in crate::service) fn gives_on(standing: &Standing, app: &SeenApp, key: &str) -> bool {
    let (rules, grantee, held) = (&standing.blueprint.rules, Grantee::Member(Uuid::nil()), Held::Role(key.to_owned()));
    let place = Place::App { id: app.app.id, kind: app.app.kind.clone() };
    let gift = Gift { grantee, held: &held, place: &place, ancestors: &app.above.ids };
    lacking(standing, app).is_none()
        && judge(may_give(rules, Authority::Principal(&standing.rights), &gift)).is_ok()
        && judge(app::grantable(rules, &app.app, grantee)).is_ok()
}

/// What is known of a member to whom something is given on an app.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Holder<'a> {
    /// Its organization roles.
    pub roles: &'a [String],
    /// All that it is given itself.
    pub own: &'a [AccessGrant],
    /// Who holds the roles that must be held on apps.
    pub holders: &'a HoldersOnApps,
}

/// What stands in this principal's way of taking what a member is given on an app that it sees; empty: nothing.
pub(in crate::service) fn obstacles(
    standing: &Standing,
    (app, grant): (&SeenApp, &AccessGrant),
    of: Holder<'_>,
) -> Vec<UserError> {
    let (rights, rules) = (&standing.rights, &standing.blueprint.rules);
    if let Some(missing) = lacking(standing, app) {
        return vec![missing];
    }
    let above = || match (&grant.held, grant.grantee) {
        // Roles are taken by their own ladder, and so is what somebody takes who shares out on single apps alone.
        (Held::Feature { .. }, Grantee::Member(id))
            if rights.holds("access.grant") && standing.facts.principal.as_member() != Some(id) =>
        {
            let judged = role::may_edit_access(rules, rights, of.roles);
            judged.map_err(|denial| role::not_below(rules, "grant", &denial))
        }
        _ => Ok(()),
    };
    let judged = above()
        .and_then(|()| may_take_by(standing, Authority::Principal(rights), (grant, Some(app)), "grant"))
        .and_then(|()| is_spare(rules, grant, of.own));
    match judged {
        Err(refusal) => vec![refusal],
        Ok(()) => keeps_app(standing, (app, of.holders), grant).map(|last| last.at("grant")).into_iter().collect(),
    }
}

/// What this principal lacks of what giving and taking on an app asks for.
pub(in crate::service) fn lacking(standing: &Standing, app: &SeenApp) -> Option<UserError> {
    standing.rights.denied_on(&standing.blueprint.rules, "access.grant", &app.place()).map(UserError::from)
}

/// The refusal of taking here what is given on an app above (`S4.R6`).
pub(in crate::service) fn given_above(above: Option<&str>, field: &str) -> UserError {
    let (place, remedy) = match above {
        Some(place) => (place, "Change it there."),
        None => {
            ("an app above that you do not see", "Ask somebody who may change that app's roles, or an administrator.")
        }
    };
    let message = format!("this is given on {place}, for everything below it");
    UserError::new(UserErrorCode::StateChanged, field, message).remedy(remedy)
}
