//! Roles on apps: who may hold one, and which one another takes the place of.

use uuid::Uuid;

use crate::{
    ablate,
    access::{
        Blueprint, Grantee, Held, Place,
        delegation::{Gift, below_ceiling, meets_prerequisite},
    },
    service::{
        ServiceError, UserError, Work,
        app::{self, SeenApp},
        role::{self, judge},
    },
    store::{self, grant::AccessGrant},
};

/// The organization roles of a grantee that has its own.
async fn roles_of(work: &Work<'_>, grantee: Grantee, before: &[AccessGrant]) -> Result<Vec<String>, ServiceError> {
    let organization = work.standing()?.place.id;
    Ok(match grantee {
        Grantee::Member(member) => role::of_member(work.tx, organization, member, work.now).await?,
        Grantee::ServiceAccount(_) => before
            .iter()
            .filter_map(|grant| match (&grant.held, &grant.place) {
                (Held::Role(role), Place::Organization) => Some(role.clone()),
                _ => None,
            })
            .collect(),
        Grantee::Team(_) | Grantee::Everyone => Vec::new(),
    })
}

/// Whether the grantee may hold this, by the rules about the grantee and the app: what a role builds on (`S1.20`, `S1.29`), how
/// far the grantee's own roles let it go (`Q14`), and whether a public app is granted at all (`S4.R10`).
///
/// # Errors
/// [`ServiceError::Refused`] at the field that names what is given.
pub(super) async fn may_hold(
    work: &Work<'_>,
    (gift, field): (&Gift<'_>, &str),
    app: Option<&SeenApp>,
    before: &[AccessGrant],
) -> Result<(), ServiceError> {
    let rules = &work.standing()?.blueprint.rules;
    if let Some(app) = app {
        judge(app::ensure_grantable(work, &app.app, gift.grantee))
            .map_err(|denial| role::not_given(rules, "app", &denial))?;
    }
    let held = roles_of(work, gift.grantee, before).await?;
    let held = || held.iter().map(String::as_str);
    if let Held::Role(role) = gift.held {
        // An organization role may be what it builds on itself, once it is given.
        judge(meets_prerequisite(rules, role, held()))
            .map_err(|denial| role::unfounded(rules, (field, role), held(), &denial))?;
    }
    Ok(judge(below_ceiling(rules, gift, held())).map_err(|denial| role::not_given(rules, field, &denial))?)
}

/// The grants whose place a role takes that fills a slot on an app: at most one of each is held there (`S4.R4`).
pub(super) fn displaced<'g>(rules: &Blueprint, gift: &Gift<'_>, before: &'g [AccessGrant]) -> Vec<&'g AccessGrant> {
    let (Held::Role(role), Place::App { .. }) = (gift.held, gift.place) else { return Vec::new() };
    let Some(slot) = rules.slot_of(role) else { return Vec::new() };
    let fills = |grant: &&AccessGrant| {
        let other = match &grant.held {
            Held::Role(other) if other != role => rules.slot_of(other),
            Held::Role(_) | Held::Feature { .. } => None,
        };
        grant.place == *gift.place && other == Some(slot)
    };
    before.iter().filter(fills).collect()
}

/// Refuses to take a role from oneself that only others give and take (`S4.R4`).
///
/// # Errors
/// The refusal.
pub(super) fn keeps_own(rules: &Blueprint, held: &Held) -> Result<(), UserError> {
    let Held::Role(role) = held else { return Ok(()) };
    match rules.document().roles.get(role).filter(|role| !role.step_down) {
        Some(rule) if !ablate::off("own_binding") => Err(role::own_binding(rules, (role, rule))),
        Some(_) | None => Ok(()),
    }
}

/// The grant of a role that somebody holds on an app by itself.
pub(super) fn on_app<'g>(before: &'g [AccessGrant], role: &str, app: Uuid) -> Option<&'g AccessGrant> {
    before.iter().find(|grant| {
        matches!(&grant.held, Held::Role(held) if held == role)
            && matches!(&grant.place, Place::App { id, .. } if *id == app)
    })
}

/// Takes the grants that another took the place of.
///
/// # Errors
/// When the database refuses.
pub(super) async fn take_displaced(
    work: &Work<'_>,
    app: &SeenApp,
    displaced: &[&AccessGrant],
) -> Result<(), ServiceError> {
    let organization = work.standing()?.place.id;
    for grant in displaced {
        let permit = work.authorize_on(&app.place())?;
        store::grant::delete(work.tx, permit, organization, grant.id).await?;
    }
    Ok(())
}
