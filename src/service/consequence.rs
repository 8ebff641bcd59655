//! What a change brings with it by the blueprint, whatever the change was: automatic grants (`S1.22`), the end of those whose
//! prerequisite has gone (`S1.34`), and the refusal of one after which nobody holds what somebody must (`S4.R5`).
//!
//! These are rules about state, not about one operation: so they are asked around the work of every change, in its own
//! transaction, and hold on every path there is or will be.
//!
//! ```text
//!  before: who holds what brings more ─▶ work ─▶ after: who is new there ─▶ grants · whose prerequisite is gone ─▶ revoked
//! ```
//!
//! A blueprint that has no such rule costs no statement. What may not enter: anything that a caller asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::{
    Actor, ServiceError, UserError, UserErrorCode, Work,
    activity::{NewEntry, target},
    app,
    blueprint::Installed,
    grant,
    prerequisite::{self, Circle},
    remedy::{self, Passing},
    role::end_of_days,
};
use crate::{
    ablate,
    access::{
        Authority, Blueprint, Denial, Grantee, Held, Permit, Place, SystemTask, authorize,
        blueprint::document::{Automatic, Role},
        verb::GrantAccess,
    },
    id::new_id,
    store::{
        self,
        app::App,
        grant::{AccessGrant, HoldersOnApps, NewGrant, NewGrants},
        organization::OrganizationState,
    },
};

/// An organization before the work of a change.
pub(super) struct Scene {
    organization: Uuid,
    /// Its rules; `None` where it did not exist.
    blueprint: Option<Arc<Installed>>,
    holders: BTreeSet<(Uuid, String)>,
    kept: HoldersOnApps,
}

/// The roles that bring others with them.
fn bringing(rules: &Blueprint) -> Vec<&str> {
    let roles = rules.document().roles.iter().filter(|(_, role)| !role.automatic.is_empty());
    roles.map(|(key, _)| key.as_str()).collect()
}

/// Whether anything of a change has consequences by these rules.
fn concerns(rules: &Blueprint) -> bool {
    let roles = &rules.document().roles;
    roles.values().any(|role| !role.automatic.is_empty() || !role.requires.is_empty())
        || !rules.kept_on_apps().is_empty()
}

fn permit(organization: Uuid) -> Result<Permit<GrantAccess>, Denial> {
    authorize(Authority::System(SystemTask::Consequence, Some(organization)), None)
}

/// The rules of an organization in this transaction; `None` where there is none, or it is closed for good.
async fn rules_of(work: &Work<'_>, organization: Uuid) -> Result<Option<Arc<Installed>>, ServiceError> {
    let row = store::organization::find_by_id(work.tx, organization).await?;
    match row.filter(|row| row.state != OrganizationState::Deleted) {
        Some(row) => Ok(Some(work.service.rules_of(work.tx, (organization, row.blueprint_id)).await?)),
        None => Ok(None),
    }
}

/// What is to be watched over a change: the author's organization, or those that an operator works on.
///
/// # Errors
/// When the database cannot say.
pub(super) async fn before(work: &Work<'_>, organizations: &[Uuid]) -> Result<Vec<Scene>, ServiceError> {
    let mut scenes = Vec::new();
    match &work.actor {
        Actor::Principal(standing) => {
            if concerns(&standing.blueprint.rules) {
                scenes.push(Scene::read(work, standing.place.id, Some(Arc::clone(&standing.blueprint))).await?);
            }
        }
        Actor::System(SystemTask::Operator | SystemTask::Import, _) => {
            for organization in organizations {
                let blueprint = rules_of(work, *organization).await?;
                if blueprint.as_ref().is_none_or(|installed| concerns(&installed.rules)) {
                    scenes.push(Scene::read(work, *organization, blueprint).await?);
                }
            }
        }
        // Whoever accepts an invitation gets what the invitation was sent with; other tasks give and take no roles.
        Actor::User { .. } | Actor::System(..) => {}
    }
    Ok(scenes)
}

/// What is to be watched over the part of a change that concerns this organization, whose author is no principal of it.
///
/// # Errors
/// When the database cannot say.
pub(super) async fn watch(work: &Work<'_>, organization: Uuid) -> Result<Vec<Scene>, ServiceError> {
    let blueprint = rules_of(work, organization).await?;
    if !blueprint.as_ref().is_some_and(|installed| concerns(&installed.rules)) {
        return Ok(Vec::new());
    }
    Ok(vec![Scene::read(work, organization, blueprint).await?])
}

/// What follows from a change that has been made.
///
/// # Errors
/// [`ServiceError::Refused`] with `LAST_HOLDER`; the change is then undone.
pub(super) async fn after(work: &Work<'_>, scenes: Vec<Scene>) -> Result<(), ServiceError> {
    for scene in scenes {
        let Some(now) = rules_of(work, scene.organization).await? else { continue };
        // A move to another version settles by itself what becomes of roles, under both sets of rules.
        if scene.blueprint.as_ref().is_some_and(|then| then.id != now.id) {
            continue;
        }
        scene.follow(work, &now.rules).await?;
    }
    Ok(())
}

impl Scene {
    async fn read(
        work: &Work<'_>,
        organization: Uuid,
        blueprint: Option<Arc<Installed>>,
    ) -> Result<Self, ServiceError> {
        let (mut holders, mut kept) = (BTreeSet::new(), HoldersOnApps::new());
        if let Some(installed) = &blueprint {
            let rules = &installed.rules;
            holders = store::grant::holders_of(work.tx, organization, &bringing(rules), work.now).await?;
            kept = holders_on_apps(work, organization, rules).await?;
        }
        Ok(Self { organization, blueprint, holders, kept })
    }

    async fn follow(&self, work: &Work<'_>, rules: &Blueprint) -> Result<(), ServiceError> {
        let holders = store::grant::holders_of(work.tx, self.organization, &bringing(rules), work.now).await?;
        for (member, role) in holders.difference(&self.holders) {
            bring(work, self.organization, rules, (*member, role)).await?;
        }
        revoke_unfounded(work, self.organization, rules).await?;
        self.ensure_kept(work, rules).await
    }

    /// Refuses a change that left an app with fewer holders of a role than it must have, where it had enough (`S4.R5`).
    async fn ensure_kept(&self, work: &Work<'_>, rules: &Blueprint) -> Result<(), ServiceError> {
        if self.kept.is_empty() || ablate::off("last_app_holder") {
            return Ok(());
        }
        let now = holders_on_apps(work, self.organization, rules).await?;
        for ((app, role), then) in &self.kept {
            let Some(rule) = rules.document().roles.get(role) else { continue };
            let (least, left) = (rule.min_holders as usize, now.get(&(*app, role.clone())).map_or(0, BTreeSet::len));
            if then.len() < least || left >= least {
                continue;
            }
            // An app that went takes its roles along.
            if store::app::find_by_id(work.tx, self.organization, *app).await?.is_none() {
                continue;
            }
            let seen = app::get_seen(work, *app).await.ok();
            let is_giver = match &work.actor {
                Actor::Principal(standing) => seen.as_ref().is_some_and(|app| grant::gives_on(standing, app, role)),
                // Whoever goes as an account holds the role that is lost, and is asked of no other one.
                Actor::User { .. } => passes_itself_on(rules, (role, rule)),
                Actor::System(..) => true,
            };
            let name = seen.as_ref().map(|seen| seen.app.name.as_str());
            return Err(last_on_app(rules, (role, rule), (name, is_giver)).into());
        }
        Ok(())
    }
}

/// Whether the holders of a role on an app give it to others there by that role alone.
fn passes_itself_on(rules: &Blueprint, (key, role): (&str, &Role)) -> bool {
    let gives = match (rules.role(key), rules.scope("access.grant")) {
        (Some(rights), Ok(granting)) => rights.contains(&granting),
        _ => false,
    };
    gives && role.assigns.iter().any(|name| name == "*" || name == key)
}

/// The refusal of the last holder's going on an app (`S4.R5`), in words for who gives the role there and for who has to have it
/// given; where the role goes to nobody else, with nothing to do about it.
pub(super) fn last_on_app(
    rules: &Blueprint,
    (key, role): (&str, &Role),
    (app, is_giver): (Option<&str>, bool),
) -> UserError {
    let (label, least, app) = (&role.label, role.min_holders, app.unwrap_or("an app"));
    let message = match least {
        1 => format!("this is the only {label} of {app}, and there must be one"),
        least => format!("there must be at least {least} of the role {label} on {app}"),
    };
    let given = if is_giver {
        format!("Make someone else {label} of it first.")
    } else {
        let ask = remedy::assigned_by(rules, key).map(|ask| format!(" {ask}")).unwrap_or_default();
        format!("Have someone else made {label} of it first.{ask}")
    };
    let handed_over = format!("Have the role {label} of it handed over to someone else first.");
    let refused = (UserErrorCode::LastHolder, message);
    Passing::of(rules, (key, role)).refused(refused, [&given, &handed_over]).at("")
}

/// Who holds, for good, the roles that must be kept on apps.
pub(super) async fn holders_on_apps(
    work: &Work<'_>,
    organization: Uuid,
    rules: &Blueprint,
) -> Result<HoldersOnApps, ServiceError> {
    Ok(store::grant::holders_on_apps(work.tx, organization, &rules.kept_on_apps(), end_of_days()).await?)
}

/// The rules by which a role brings others on apps of its kinds.
fn automatic<'r>(rules: &'r Blueprint, role: &str) -> &'r [Automatic] {
    rules.document().roles.get(role).map(|role| role.automatic.as_slice()).unwrap_or_default()
}

/// Whether a grant is one that the holder's own roles bring with them, and nobody gave: no author vouches for it.
pub(super) fn is_brought(rules: &Blueprint, roles: &[&str], grant: &AccessGrant) -> bool {
    let (Held::Role(held), Place::App { kind, .. }) = (&grant.held, &grant.place) else { return false };
    grant.granted_by.is_none()
        && roles.iter().flat_map(|role| automatic(rules, role)).any(|rule| rule.role == *held && rule.app_kind == *kind)
}

/// Gives a new holder of a role what the role brings, on every app there is (`S1.22`).
async fn bring(
    work: &Work<'_>,
    organization: Uuid,
    rules: &Blueprint,
    (member, role): (Uuid, &str),
) -> Result<(), ServiceError> {
    let mut grants = Vec::new();
    for rule in automatic(rules, role) {
        let apps = store::app::ids_of_kind(work.tx, organization, &rule.app_kind).await?;
        grants.extend(apps.into_iter().map(|app| brought(rule, member, app)));
    }
    let grants = without_taken_slots(work, organization, rules, (member, grants)).await?;
    if grants.is_empty() {
        return Ok(());
    }
    let new = NewGrants { organization, grants, now: work.now };
    let granted = store::grant::insert_many(work.tx, permit(organization)?, new).await?;
    let name = member_name(work, organization, member).await?;
    let entry = NewEntry::access("access.brought", target("member", member, &name));
    work.record(organization, entry.detail(json!({ "by": role, "given": told(&granted.added) }))).await
}

/// Leaves out what would take the place of a role that the member holds on an app already.
async fn without_taken_slots(
    work: &Work<'_>,
    organization: Uuid,
    rules: &Blueprint,
    (member, grants): (Uuid, Vec<NewGrant>),
) -> Result<Vec<NewGrant>, ServiceError> {
    let slot = |held: &Held| match held {
        Held::Role(role) => rules.slot_of(role),
        Held::Feature { .. } => None,
    };
    if grants.iter().all(|grant| slot(&grant.held).is_none()) {
        return Ok(grants);
    }
    let held = store::grant::of_grantees(work.tx, organization, &[member]).await?;
    let is_free = |new: &NewGrant| {
        let filled = slot(&new.held);
        filled.is_none() || !held.iter().any(|old| old.place == new.place && slot(&old.held) == filled)
    };
    Ok(grants.into_iter().filter(is_free).collect())
}

fn brought(rule: &Automatic, member: Uuid, app: Uuid) -> NewGrant {
    NewGrant {
        id: new_id(),
        grantee: Grantee::Member(member),
        held: Held::Role(rule.role.clone()),
        place: Place::App { id: app, kind: rule.app_kind.clone() },
        expires_at: None,
    }
}

/// Gives on a new app what it comes with: to the holders of roles that bring others (`Q20`), and to whoever made it.
///
/// # Errors
/// When the database refuses.
pub(super) async fn of_new_app(work: &Work<'_>, rules: &Blueprint, app: &App) -> Result<(), ServiceError> {
    let organization = app.organization_id;
    let mut grants = Vec::new();
    let holders = store::grant::holders_of(work.tx, organization, &bringing(rules), work.now).await?;
    for (member, role) in &holders {
        let rules = automatic(rules, role).iter().filter(|rule| rule.future && rule.app_kind == app.kind);
        grants.extend(rules.map(|rule| brought(rule, *member, app.id)));
    }
    grants.extend(of_creator(work, rules, app));
    if grants.is_empty() {
        return Ok(());
    }
    let new = NewGrants { organization, grants, now: work.now };
    let granted = store::grant::insert_many(work.tx, permit(organization)?, new).await?;
    let entry = NewEntry::access("access.brought", target("app", app.id, &app.name)).in_app(app.id, &app.name);
    work.record(organization, entry.detail(json!({ "given": told(&granted.added) }))).await
}

/// What whoever makes an app is given on it.
fn of_creator(work: &Work<'_>, rules: &Blueprint, app: &App) -> Vec<NewGrant> {
    let Actor::Principal(standing) = &work.actor else { return Vec::new() };
    let Some(kind) = rules.document().app_kinds.get(&app.kind) else { return Vec::new() };
    let principal = standing.facts.principal;
    let grantee = principal.as_member().map_or(Grantee::ServiceAccount(principal.id), Grantee::Member);
    let role = kind.creator_role.iter().map(|role| Held::Role(role.clone()));
    let features = kind.creator_access.iter().map(|access| Held::Feature {
        kind: app.kind.clone(),
        feature: access.feature.clone(),
        level: access.level.clone(),
    });
    let place = Place::App { id: app.id, kind: app.kind.clone() };
    let fits = |held: &Held| match held {
        Held::Role(role) => principal.as_member().is_some() && rules.is_for_members(role),
        Held::Feature { .. } => true,
    };
    let given = role.chain(features).filter(fits);
    given.map(|held| NewGrant { id: new_id(), grantee, held, place: place.clone(), expires_at: None }).collect()
}

/// Takes every role whose holder no longer has what it builds on (`S1.34`).
async fn revoke_unfounded(work: &Work<'_>, organization: Uuid, rules: &Blueprint) -> Result<(), ServiceError> {
    if ablate::off("prerequisite_lost") {
        return Ok(());
    }
    let mut by_member: BTreeMap<Uuid, Vec<AccessGrant>> = BTreeMap::new();
    for (key, role) in rules.document().roles.iter().filter(|(_, role)| !role.requires.is_empty()) {
        let found = store::grant::without_prerequisite(work.tx, organization, (key, &role.requires), work.now).await?;
        for grant in found {
            if let Grantee::Member(member) = grant.grantee {
                by_member.entry(member).or_default().push(grant);
            }
        }
    }
    for (member, grants) in by_member {
        // Where nobody is there to refuse it to (an operator's work, an import), what is left without is left.
        let watch = match work.standing() {
            Ok(_) => Some(prerequisite::watch(work, Circle::Member(member)).await?),
            Err(_) => None,
        };
        store::grant::delete_many(work.tx, permit(organization)?, organization, &grants).await?;
        if let Some(watch) = watch {
            watch.ensure_met(work, "").await?;
        }
        let name = member_name(work, organization, member).await?;
        let entry = NewEntry::access("access.prerequisite_lost", target("member", member, &name));
        work.record(organization, entry.detail(json!({ "taken": told(&grants) }))).await?;
    }
    Ok(())
}

async fn member_name(work: &Work<'_>, organization: Uuid, member: Uuid) -> Result<String, ServiceError> {
    let found = store::member::find_by_id(work.tx, organization, member).await?;
    Ok(found.map(|member| member.name).unwrap_or_default())
}

/// How many grants of each role, as an entry tells it.
fn told(grants: &[AccessGrant]) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for grant in grants {
        let what = match &grant.held {
            Held::Role(role) => role.clone(),
            Held::Feature { feature, .. } => feature.clone(),
        };
        *told.entry(what).or_default() += 1;
    }
    told
}
