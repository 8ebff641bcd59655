//! Giving and taking single grants, and setting what everyone has.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    app_role,
    lasting::ends_in_time,
    taking::{is_spare, may_take_by},
};
use crate::{
    access::{
        Blueprint, Grantee, Held, Place,
        blueprint::document::Feature,
        delegation::{Gift, may_give},
        prerequisite::Unmet,
        verb::{AssignRole, GrantAccess},
    },
    id::new_id,
    service::{
        Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
        activity::{NewEntry, Target, target},
        app::{self, SeenApp},
        member,
        prerequisite::{self, Circle},
        remedy::{self, OfFeature},
        role::{self, Remaining, judge},
        seat, team,
    },
    store::{
        self,
        grant::{AccessGrant, DefaultAccess, HeldRole, NewGrant, NewGrants, RoleGrant},
    },
};

/// Access to be given.
#[derive(Debug, Clone)]
pub struct NewAccess {
    /// To whom.
    pub grantee: Grantee,
    /// What.
    pub held: Held,
    /// On which app; `None` for the whole organization.
    pub app: Option<Uuid>,
    /// Until when.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The fields of an input that name what is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    /// A role.
    pub(super) role: &'static str,
    /// A feature.
    pub(super) feature: &'static str,
    /// Its level.
    level: &'static str,
    /// When it ends.
    end: &'static str,
}

impl Fields {
    /// Where a role or a feature is given.
    const GIVEN: Self =
        Self { role: "gives.role", feature: "gives.feature.feature", level: "gives.feature.level", end: "expiresAt" };
    /// Where it is a role without an end, always.
    pub(super) const ROLE: Self = Self { role: "role", feature: "role", level: "role", end: "role" };

    /// The one that names this.
    pub(super) const fn of(self, held: &Held) -> &'static str {
        match held {
            Held::Role(_) => self.role,
            Held::Feature { .. } => self.feature,
        }
    }
}

/// What every member is to have on every app of a kind.
#[derive(Debug, Clone)]
pub struct Default {
    /// The app kind's key.
    pub kind: String,
    /// The feature's key.
    pub feature: String,
    /// The level; `None` for no default access.
    pub level: Option<String>,
}

impl Service {
    /// Gives a feature or a role to a member, a team, a service account or everyone; the grant's id. Holders of `access.grant`
    /// may, for organization roles those of `roles.assign`, within what they hold themselves.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a grantee or an app that the caller does not see, [`ServiceError::Refused`] for what the
    /// blueprint does not have there (`Q8`) and what is not the caller's to give.
    pub async fn grant_access(
        &self,
        access: &Access,
        new: NewAccess,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("grantAccess", access)?.repeatable(idempotency).about(Fields::GIVEN.role);
        Ok(self.mutate(change, move |work| Box::pin(async move { give(work, new, Fields::GIVEN).await })).await?.value)
    }

    /// Takes a grant; its id. Who may give it may take it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a grant that the caller does not see, [`ServiceError::Refused`] for a main role.
    pub async fn revoke_access(
        &self,
        access: &Access,
        grant: Uuid,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("revokeAccess", access)?.repeatable(idempotency).about("grant");
        Ok(self.mutate(change, move |work| Box::pin(async move { take(work, grant).await })).await?.value)
    }

    /// Sets what every member has on every app of a kind (`S5.2`). Holders of `access.grant` may.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] for a feature or level that the blueprint does not let be a default.
    pub async fn set_default_access(
        &self,
        access: &Access,
        default: Default,
        idempotency: Option<Idempotency>,
    ) -> Result<(), ServiceError> {
        let change = Change::in_organization("setDefaultAccess", access)?.repeatable(idempotency);
        self.mutate(change, move |work| Box::pin(async move { set_default(work, default).await })).await?;
        Ok(())
    }
}

/// The grantee as an entry names it, if the author sees it.
async fn named(work: &Work<'_>, grantee: Grantee) -> Result<Target, ServiceError> {
    let standing = work.standing()?;
    let organization = standing.place.id;
    Ok(match grantee {
        Grantee::Member(id) => target("member", id, &member::get_present(work, id).await?.name),
        Grantee::Team(id) => target("team", id, &team::get_seen(work, id).await?.name),
        Grantee::ServiceAccount(id) => {
            let visible = standing.rights.visible_by("tokens.manage").shows("", id);
            let found = store::service_account::find_by_id(work.tx, organization, id).await?;
            target("service_account", id, &found.filter(|_| visible).ok_or(ServiceError::NotFound)?.name)
        }
        Grantee::Everyone => target("organization", organization, &standing.place.name),
    })
}

/// What was given, as an entry tells it.
fn told(held: &Held) -> Value {
    match held {
        Held::Role(role) => json!({ "role": role }),
        Held::Feature { kind, feature, level } => json!({ "kind": kind, "feature": feature, "level": level }),
    }
}

/// The entry of something given or taken.
pub(super) fn entry(action: &'static str, target: Target, (held, app): (&Held, Option<&SeenApp>)) -> NewEntry {
    let entry = NewEntry::access(action, target).detail(told(held));
    match app {
        Some(app) => entry.in_app(app.app.id, &app.app.name),
        None => entry,
    }
}

/// Gives it; the grant's id, also where it was held just so before.
///
/// # Errors
/// As [`Service::grant_access`].
pub(super) async fn give(work: &Work<'_>, new: NewAccess, fields: Fields) -> Result<Uuid, ServiceError> {
    let NewAccess { grantee, held, app, expires_at } = new;
    let standing = work.standing()?;
    let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
    let held = canonical(rules, held);
    // Before anything is looked up: who may not give at all learns nothing.
    let role_permit = match (&held, app) {
        (Held::Role(_), None) => Some(work.authorize::<AssignRole>(grantee.row())?),
        (Held::Feature { .. }, None) => {
            work.authorize::<GrantAccess>(None)?;
            None
        }
        (_, Some(_)) => {
            work.authorize_somewhere::<GrantAccess>()?;
            None
        }
    };
    let app = match app {
        Some(id) => {
            let app = app::get_seen(work, id).await?;
            work.authorize_on::<GrantAccess>(&app.place())?;
            Some(app)
        }
        None => None,
    };
    let target = named(work, grantee).await?;
    of_nobody_above(work, (grantee, &held), "grantee").await?;
    if expires_at.is_some_and(|end| end <= work.now) {
        let past = UserError::new(UserErrorCode::Invalid, "expiresAt", "this is in the past");
        return Err(past.remedy("Choose a moment in the future, or none.").into());
    }
    if let (Held::Role(role), Grantee::Member(_), None) = (&held, grantee, &app) {
        // Seats, main roles and their holders are kept by the changes of a member's roles.
        role::flag_role(rules, fields.role, role)?;
    }
    let place =
        app.as_ref().map_or(Place::Organization, |app| Place::App { id: app.app.id, kind: app.app.kind.clone() });
    let ancestors = app.as_ref().map(|app| app.above.ids.as_slice()).unwrap_or_default();
    let gift = Gift { grantee, held: &held, place: &place, ancestors };
    let (before, field) = (held_by(work, grantee).await?, fields.of(&held));
    may_be_given(work, (&gift, fields), app.as_ref(), &before).await?;
    ends_in_time(work, (&gift, expires_at), fields.end)?;
    let displaced = app_role::displaced(rules, &gift, &before);
    for grant in &displaced {
        may_take_at(work, (*grant, app.as_ref()), field)?;
    }
    let lacking = prerequisite::unmet(work, grantee).await?;
    // What it takes the place of goes, and what is given with an end may have had none: for everybody whom it reached.
    let takes = !displaced.is_empty() || expires_at.is_some();
    let watch = prerequisite::watch(work, if takes { Circle::of(grantee) } else { Circle::Nobody }).await?;
    let within = seat::Within::of(standing);
    let seats = seat::taken(work, within).await?;
    let id = new_id();
    let new = NewGrant { id, grantee, held: held.clone(), place: place.clone(), expires_at };
    let new = NewGrants { organization, grants: vec![new], now: work.now };
    let granted = match (role_permit, &app) {
        (Some(permit), _) => {
            let Held::Role(role) = &held else { return Err(ServiceError::NotFound) };
            let held = HeldRole { organization, grantee, role: role.clone() };
            store::grant::assign_role(work.tx, permit, RoleGrant { id, held, expires_at, now: work.now }).await?
        }
        (None, Some(app)) => {
            app_role::take_displaced(work, app, &displaced).await?;
            store::grant::insert_many(work.tx, work.authorize_on(&app.place())?, new).await?
        }
        (None, None) => store::grant::insert_many(work.tx, work.authorize(None)?, new).await?,
    };
    seat::ensure_not_over(work, within, &seats).await?;
    let field_of = |lack: &Unmet| if lack.held_until.is_some() { fields.end } else { field };
    prerequisite::ensure_met(work, (grantee, &lacking), |lack| field_of(lack).to_owned()).await?;
    watch.ensure_met(work, if displaced.is_empty() { fields.end } else { field }).await?;
    match granted.added.first().or(granted.changed.first()) {
        Some(grant) => {
            let mut entry = entry("access.granted", target, (&held, app.as_ref()));
            if !displaced.is_empty() {
                let taken: Vec<Value> = displaced.iter().map(|grant| told(&grant.held)).collect();
                entry = entry.detail(json!({ "given": told(&held), "taken": taken }));
            }
            work.record(organization, entry).await?;
            Ok(grant.id)
        }
        // It was held just so before.
        None => {
            let same = before.iter().find(|grant| grant.held == held && grant.place == place);
            same.map(|grant| grant.id).ok_or(ServiceError::NotFound)
        }
    }
}

/// Refuses to change the features of a member above the author. Roles are given and taken by their own ladder, and so is what
/// somebody gives who gives on single apps alone.
async fn of_nobody_above(work: &Work<'_>, (grantee, held): (Grantee, &Held), field: &str) -> Result<(), ServiceError> {
    let (Grantee::Member(id), Held::Feature { .. }) = (grantee, held) else { return Ok(()) };
    if !work.standing()?.rights.holds("access.grant") {
        return Ok(());
    }
    let member = member::get_present(work, id).await?;
    let roles = role::of_member(work.tx, member.organization_id, id, work.now).await?;
    role::not_above(work, (&member, &roles), field)
}

/// What is meant, with a role by its own key (`S1.35`).
fn canonical(rules: &Blueprint, held: Held) -> Held {
    match held {
        Held::Role(name) => Held::Role(role::canonical(rules, &name)),
        held @ Held::Feature { .. } => held,
    }
}

/// Everything that can stand in the way of giving: what the blueprint has there, what is the author's, what the grantee may
/// hold, and what a feature needs beside it.
async fn may_be_given(
    work: &Work<'_>,
    (gift, fields): (&Gift<'_>, Fields),
    app: Option<&SeenApp>,
    before: &[AccessGrant],
) -> Result<(), ServiceError> {
    let rules = &work.standing()?.blueprint.rules;
    let (field, holder) = (fields.of(gift.held), remedy::holder(gift.grantee));
    let on = app.map(|app| app.app.kind.as_str());
    judge(may_give(rules, work.authority(), gift)).map_err(|denial| match gift.held {
        Held::Role(_) => remedy::not_given_to(rules, (field, holder, on), &denial),
        Held::Feature { kind, feature, level } => {
            let given = OfFeature { kind, feature, level: level.as_deref(), on, holder };
            remedy::feature_not_given(rules, (field, fields.level), given, &denial)
        }
    })?;
    app_role::may_hold(work, (gift, field), app, before).await?;
    if let Held::Feature { kind, feature, .. } = gift.held {
        let missing = requires(work, kind, feature)
            .into_iter()
            .filter(|needed| !needed.contains('.'))
            .find(|needed| !before.iter().any(|grant| grant.place == *gift.place && gives(grant, kind, needed)));
        if let Some(needed) = missing {
            let refusal = UserError::new(UserErrorCode::Missing, field, format!("this needs `{needed}` too"));
            return Err(refusal.remedy(format!("Grant `{needed}` first.")).into());
        }
    }
    Ok(())
}

pub(super) async fn held_by(work: &Work<'_>, grantee: Grantee) -> Result<Vec<AccessGrant>, ServiceError> {
    let organization = work.standing()?.place.id;
    Ok(match grantee.row() {
        Some(id) => store::grant::of_grantees(work.tx, organization, &[id]).await?,
        None => store::grant::list_defaults(work.tx, organization).await?,
    })
}

fn feature<'w>(work: &'w Work<'_>, kind: &str, feature: &str) -> Option<&'w Feature> {
    let document = work.standing().ok()?.blueprint.rules.document();
    document.app_kinds.get(kind)?.features.get(feature)
}

/// The features that must be granted with one.
fn requires(work: &Work<'_>, kind: &str, key: &str) -> Vec<String> {
    feature(work, kind, key).map(|feature| feature.requires.clone()).unwrap_or_default()
}

fn gives(grant: &AccessGrant, of_kind: &str, key: &str) -> bool {
    matches!(&grant.held, Held::Feature { kind, feature, .. } if kind == of_kind && feature == key)
}

/// Whether the author may take what somebody holds on this app, or in the whole organization, which is no more ticked in a tree;
/// as [`may_take_at`].
pub(super) fn may_take(work: &Work<'_>, grant: &AccessGrant, app: Option<&SeenApp>) -> Result<(), UserError> {
    may_take_at(work, (grant, app), "access")
}

/// Whether the author may take what somebody holds on this app, or in the whole organization: who may give it may take it, and
/// anybody may give up its own. Refused at the field by which it goes.
pub(super) fn may_take_at(
    work: &Work<'_>,
    (grant, app): (&AccessGrant, Option<&SeenApp>),
    field: &str,
) -> Result<(), UserError> {
    let Ok(standing) = work.standing() else { return Ok(()) };
    may_take_by(standing, work.authority(), (grant, app), field)
}

/// Takes it; its id.
///
/// # Errors
/// As [`Service::revoke_access`].
pub(super) async fn take(work: &Work<'_>, id: Uuid) -> Result<Uuid, ServiceError> {
    let standing = work.standing()?;
    let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
    let found = store::grant::find_by_id(work.tx, organization, id).await?;
    let of_role =
        matches!(&found, Some(grant) if matches!((&grant.held, &grant.place), (Held::Role(_), Place::Organization)));
    if of_role {
        work.authorize::<AssignRole>(None)?;
    } else {
        work.authorize_somewhere::<GrantAccess>()?;
    }
    let grant = found.ok_or(ServiceError::NotFound)?;
    let app = match &grant.place {
        Place::App { id, .. } => {
            let app = app::get_seen(work, *id).await?;
            work.authorize_on::<GrantAccess>(&app.place())?;
            Some(app)
        }
        // What holds in the organization is not there for somebody who gives on single apps alone.
        Place::Organization if !of_role && !standing.rights.holds("access.grant") => {
            return Err(ServiceError::NotFound);
        }
        Place::Organization => None,
    };
    let target = named(work, grant.grantee).await?;
    of_nobody_above(work, (grant.grantee, &grant.held), "grant").await?;
    if let (Held::Role(role), Grantee::Member(_), Place::Organization) = (&grant.held, grant.grantee, &grant.place)
        && rules.main_roles().any(|(key, _)| key == role)
    {
        let refusal = UserError::new(UserErrorCode::Invalid, "grant", "every member has a main role");
        return Err(refusal.remedy("Change the member's role, or remove the member.").into());
    }
    may_take_at(work, (&grant, app.as_ref()), "grant")?;
    if let Held::Feature { .. } = &grant.held {
        is_spare(rules, &grant, &held_by(work, grant.grantee).await?)?;
    }
    let lacking = prerequisite::unmet(work, grant.grantee).await?;
    let watch = prerequisite::watch(work, Circle::of(grant.grantee)).await?;
    match (&grant.held, of_role) {
        (Held::Role(role), true) => {
            let permit = work.authorize::<AssignRole>(None)?;
            let held = HeldRole { organization, grantee: grant.grantee, role: role.clone() };
            store::grant::remove_role(work.tx, permit, held).await?;
            let remaining = Remaining {
                organization,
                blueprint: rules,
                lost: std::slice::from_ref(role),
                then: "then take this one",
                field: "grant",
            };
            role::ensure_held(work, remaining).await?;
        }
        _ => {
            let permit = match &app {
                Some(app) => work.authorize_on::<GrantAccess>(&app.place())?,
                None => work.authorize::<GrantAccess>(None)?,
            };
            store::grant::delete(work.tx, permit, organization, id).await?;
        }
    }
    prerequisite::ensure_spared(work, (grant.grantee, &lacking), "grant").await?;
    watch.ensure_met(work, "grant").await?;
    work.record(organization, entry("access.revoked", target, (&grant.held, app.as_ref()))).await?;
    Ok(id)
}

async fn set_default(work: &Work<'_>, default: Default) -> Result<(), ServiceError> {
    let standing = work.standing()?;
    let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
    let permit = work.authorize::<GrantAccess>(None)?;
    let Default { kind, feature, level } = default;
    let mut allowed = rules.document().everyone.access.iter();
    let Some(rule) = allowed.find(|access| access.app_kind == kind && access.feature == feature) else {
        let refusal = UserError::new(UserErrorCode::NotInBlueprint, "feature", "this feature has no default level");
        return Err(refusal.into());
    };
    if let Some(level) = &level {
        if !rule.levels.contains(level) {
            let refusal = UserError::new(UserErrorCode::NotInBlueprint, "level", "this cannot be the default level");
            return Err(refusal.remedy(format!("Choose one of `{}`, or none.", rule.levels.join("`, `"))).into());
        }
        let held = Held::Feature { kind: kind.clone(), feature: feature.clone(), level: Some(level.clone()) };
        let gift = Gift { grantee: Grantee::Everyone, held: &held, place: &Place::Organization, ancestors: &[] };
        judge(may_give(rules, work.authority(), &gift)).map_err(|denial| role::not_given(rules, "level", &denial))?;
    }
    let grants = store::grant::list_defaults(work.tx, organization).await?;
    let held = grants.iter().find(|grant| grant.place == Place::Organization && gives(grant, &kind, &feature));
    if let Some(held) = held.filter(|_| level.is_none()) {
        may_take_at(work, (held, None), "level")?;
    }
    let told = json!({ "kind": kind, "feature": feature, "level": level });
    let grant = level.map(|level| (new_id(), Some(level)));
    let access = DefaultAccess { organization, kind, feature, grant, now: work.now };
    let watch = prerequisite::watch(work, Circle::of(Grantee::Everyone)).await?;
    let replaced = store::grant::set_default(work.tx, permit, access).await?;
    watch.ensure_met(work, "level").await?;
    if !replaced.added.is_empty() || !replaced.removed.is_empty() {
        let target = target("organization", organization, &standing.place.name);
        work.record(organization, NewEntry::access("access.default_set", target).detail(told)).await?;
    }
    Ok(())
}
