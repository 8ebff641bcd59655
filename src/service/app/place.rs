//! Where an app may stand: under which kinds, how deep, never below itself, and who gets to reach it there.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::SeenApp;
use crate::{
    ablate,
    access::{
        AppRef, Blueprint, Grantee, Permit, Place, Verb,
        blueprint::document::{AppKind, AppVisibility as Offered, ROOT},
        delegation::{DelegationDenial, Gift, may_share},
    },
    service::{ServiceError, UserError, UserErrorCode, Work, input::Mistakes, role::judge},
    store::{
        self,
        app::{App, AppVisibility, DEEPEST},
    },
};

/// The kind of an app to be made there, with what speaks against it: there is no such kind, it stands elsewhere, or too much stands
/// above it. For who makes one and for who asks beforehand.
pub(super) fn kind_there<'a>(
    rules: &'a Blueprint,
    key: &str,
    parent: Option<&SeenApp>,
    mistakes: &mut Mistakes,
) -> Option<&'a AppKind> {
    let kinds = &rules.document().app_kinds;
    let kind = kinds.get(key);
    match kind {
        None => {
            let keys = kinds.keys().map(String::as_str).collect::<Vec<_>>().join("`, `");
            let unknown = UserError::new(UserErrorCode::NotInBlueprint, "kind", "there is no such kind of app");
            mistakes.push(unknown.remedy(format!("Choose among `{keys}`.")));
        }
        Some(kind) => {
            mistakes.keep(fits_under(kind, parent));
        }
    }
    mistakes.keep(not_too_deep(parent, 0));
    kind
}

/// Whether an app of this kind may stand under this one, or in the organization itself.
fn fits_under(kind: &AppKind, parent: Option<&SeenApp>) -> Result<(), UserError> {
    if kind.stands_under(parent.map(|parent| parent.app.kind.as_str())) {
        return Ok(());
    }
    let above: Vec<&str> = kind.parents.iter().map(String::as_str).filter(|parent| *parent != ROOT).collect();
    let message = if above.is_empty() {
        format!("an app of the kind {} stands in the organization itself", kind.label)
    } else {
        format!("an app of the kind {} stands under one of `{}`", kind.label, above.join("`, `"))
    };
    Err(UserError::new(UserErrorCode::NotInBlueprint, "parent", message))
}

/// Refuses an app that would have more above it than rights are followed.
fn not_too_deep(parent: Option<&SeenApp>, height: usize) -> Result<(), UserError> {
    let above = parent.map_or(0, |parent| parent.above.ids.len().saturating_add(1));
    if above.saturating_add(height) <= DEEPEST || ablate::off("app_depth") {
        return Ok(());
    }
    let message = format!("at most {DEEPEST} apps stand above one");
    Err(UserError::new(UserErrorCode::Invalid, "parent", message).remedy("Choose a place higher up."))
}

/// A visibility that apps of this kind can have; where nothing is asked for, the default.
pub(super) fn visibility(kind: &AppKind, asked: Option<AppVisibility>) -> Result<AppVisibility, UserError> {
    let as_offered = |offered: &Offered| match offered {
        Offered::Private => AppVisibility::Private,
        Offered::Public => AppVisibility::Public,
    };
    let offered: Vec<AppVisibility> = kind.visibilities.iter().map(as_offered).collect();
    let default = offered.first().copied().unwrap_or(AppVisibility::Private);
    match asked {
        None => Ok(default),
        Some(asked) if asked == default || offered.contains(&asked) => Ok(asked),
        Some(_) => {
            let message = format!("an app of the kind {} cannot have this visibility", kind.label);
            Err(UserError::new(UserErrorCode::NotInBlueprint, "visibility", message))
        }
    }
}

/// The app as whoever manages it asks about it: that it is disabled is no obstacle to managing it, that something above it is
/// disabled is one.
pub(in crate::service) fn managed(app: &SeenApp) -> AppRef<'_> {
    AppRef { active: app.above.enabled, ..app.place() }
}

/// Whether only who may in the organization itself decides about apps of this kind.
pub(super) fn is_central(rules: &Blueprint, kind: &str) -> bool {
    rules.document().app_kinds.get(kind).is_some_and(|kind| kind.central) && !ablate::off("central_app")
}

/// What the author may do to an app: by a role on it or above it, and where its kind says so, in the organization alone.
///
/// # Errors
/// [`ServiceError::Forbidden`] with the reason.
pub(super) fn authorize<V: Verb>(work: &Work<'_>, app: &SeenApp) -> Result<Permit<V>, ServiceError> {
    if is_central(&work.standing()?.blueprint.rules, &app.app.kind) {
        return work.authorize::<V>(Some(app.app.id));
    }
    work.authorize_on::<V>(&managed(app))
}

/// An app of the author's organization, whether or not the author sees it.
pub(super) async fn get(work: &Work<'_>, id: Uuid) -> Result<SeenApp, ServiceError> {
    let found = store::app::find_with_ancestors(work.tx, work.standing()?.place.id, id).await?;
    found.map(|(app, above)| SeenApp { app, above }).ok_or(ServiceError::NotFound)
}

/// The longest way down from an app to one below it, and whether `other` is it or below it.
fn below(apps: &[App], id: Uuid, other: Option<Uuid>) -> (usize, bool) {
    let mut under: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for app in apps {
        if let Some(parent) = app.parent_id {
            under.entry(parent).or_default().push(app.id);
        }
    }
    let (mut level, mut met): (Vec<Uuid>, HashSet<Uuid>) = (vec![id], HashSet::from([id]));
    let mut height = 0;
    loop {
        let children = level.iter().filter_map(|parent| under.get(parent)).flatten().copied();
        // An app met before is not walked again: a circle made past the store ends.
        let next: Vec<Uuid> = children.filter(|id| met.insert(*id)).collect();
        if next.is_empty() {
            return (height, other.is_some_and(|other| met.contains(&other)));
        }
        height += 1;
        level = next;
    }
}

/// Whether an app may stand under another one, or in the organization itself: no circle, the kinds fit, not too deep.
pub(super) async fn may_move(
    work: &Work<'_>,
    app: &SeenApp,
    (parent, kind): (Option<&SeenApp>, &AppKind),
    mistakes: &mut Mistakes,
) -> Result<(), ServiceError> {
    let all = store::app::find_all(work.tx, app.app.organization_id).await?;
    let (height, circle) = below(&all, app.app.id, parent.map(|parent| parent.app.id));
    if circle && !ablate::off("app_cycle") {
        let refusal = UserError::new(UserErrorCode::Cycle, "parent", "an app cannot stand below itself");
        mistakes.push(refusal.remedy("Choose a place that is not below it."));
        return Ok(());
    }
    mistakes.keep(fits_under(kind, parent));
    mistakes.keep(not_too_deep(parent, height));
    Ok(())
}

/// Whether those who hold something above the new place may get to reach the app: it is given to them, and nobody gives what
/// they do not hold.
pub(super) async fn may_share_with_those_above(
    work: &Work<'_>,
    app: &SeenApp,
    parent: &SeenApp,
) -> Result<(), ServiceError> {
    let standing = work.standing()?;
    let rules = &standing.blueprint.rules;
    let place = Place::App { id: app.app.id, kind: app.app.kind.clone() };
    let above: Vec<Uuid> = std::iter::once(parent.app.id).chain(parent.above.ids.iter().copied()).collect();
    let new: Vec<Uuid> = above.into_iter().filter(|id| !app.above.ids.contains(id)).collect();
    for grant in store::grant::on_apps(work.tx, standing.place.id, &new).await? {
        let gift = Gift { grantee: grant.grantee, held: &grant.held, place: &place, ancestors: &app.above.ids };
        judge(may_share(rules, work.authority(), &gift)).map_err(|denial| {
            UserError::not_given("parent", &denial).remedy("Ask somebody who holds as much as those above that place.")
        })?;
    }
    Ok(())
}

/// Whether an app is public, and a public app of its kind is open to nobody besides (`S4.R10`).
pub(in crate::service) fn is_closed(rules: &Blueprint, app: &App) -> bool {
    let kind = rules.document().app_kinds.get(&app.kind);
    let public = kind.and_then(|kind| kind.public.as_ref()).is_some_and(|public| !public.grants);
    public && app.visibility == AppVisibility::Public && !ablate::off("public_app_grants")
}

/// Whether what is held on this app itself can be given to such a grantee: a public app may be open to nobody besides (`S4.R10`).
/// For everyone who gives something on an app, beside what delegation says.
pub(in crate::service) fn ensure_grantable(
    work: &Work<'_>,
    app: &App,
    grantee: Grantee,
) -> Result<(), DelegationDenial> {
    let Ok(standing) = work.standing() else { return Ok(()) };
    grantable(&standing.blueprint.rules, app, grantee)
}

/// As [`ensure_grantable`], for who asks beforehand.
pub(in crate::service) fn grantable(rules: &Blueprint, app: &App, grantee: Grantee) -> Result<(), DelegationDenial> {
    let people = matches!(grantee, Grantee::Member(_) | Grantee::Team(_) | Grantee::Everyone);
    if people && is_closed(rules, app) { Err(DelegationDenial::PublicApp) } else { Ok(()) }
}

/// Refuses to make an app public on which people hold something that a public app has not (`S4.R10`).
pub(super) async fn may_be_public(work: &Work<'_>, app: &App, kind: &AppKind) -> Result<(), ServiceError> {
    if kind.public.as_ref().is_none_or(|public| public.grants) {
        return Ok(());
    }
    let grants = store::grant::on_apps(work.tx, app.organization_id, &[app.id]).await?;
    let people = grants.iter().any(|grant| !matches!(grant.grantee, Grantee::ServiceAccount(_)));
    if people && !ablate::off("public_app_grants") {
        let refusal = UserError::new(UserErrorCode::StateChanged, "visibility", "people have been added to this app");
        return Err(refusal.remedy("Take their access away first: a public app has nobody of its own.").into());
    }
    Ok(())
}
