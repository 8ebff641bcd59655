//! Custom roles: the roles of an organization's own, each made after a customizable one of its blueprint (`S4.10`, `S4.R2`).
//!
//! A custom role holds a part of what its base holds. Whoever makes or widens one gives nothing by it that they could not give
//! otherwise: bounded authors stay within what they hold, and nobody widens a role that they hold themselves beyond that.

use std::{collections::HashMap, sync::Arc};

use indexmap::IndexMap;
use serde_json::json;

use super::{
    Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
    activity::{NewEntry, Target},
    blueprint::Installed,
    input::{self, Mistakes},
    prerequisite::{self, Circle},
    role::judge,
};
pub use crate::access::blueprint::CustomRole;
use crate::{
    ablate,
    access::{
        Blueprint, Held,
        blueprint::{RightSet, custom::CUSTOM_PREFIX, document::Role},
        compare::may_widen,
        verb::ManageRole,
    },
    id::new_id,
    store::{
        self, StoreError,
        custom_role::{RoleRow, StoredRole},
    },
};

/// The most roles an organization may have of its own: all of them are read with everyone's rights.
pub const MOST_ROLES: usize = 50;

/// A new role.
#[derive(Debug, Clone)]
pub struct NewRole {
    /// Its name within the organization; [`CUSTOM_PREFIX`] comes before it.
    pub key: String,
    /// The blueprint's role it is made after.
    pub base: String,
    /// What people call it.
    pub label: String,
    /// What it is for.
    pub help: String,
    /// Organization permissions, by key.
    pub permissions: Vec<String>,
    /// Access to apps.
    pub access: Vec<FeatureChoice>,
}

/// What a role gives of one feature: a level, single actions, or, where neither is named, all that its base gives of it.
#[derive(Debug, Clone)]
pub struct FeatureChoice {
    /// The app kind's key.
    pub kind: String,
    /// The feature's key.
    pub feature: String,
    /// One of the feature's levels.
    pub level: Option<String>,
    /// Single actions.
    pub actions: Option<Vec<String>>,
}

/// What to change of a role; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct RoleEdit {
    /// Which, by its whole key.
    pub role: String,
    /// Another label.
    pub label: Option<String>,
    /// Another help text.
    pub help: Option<String>,
    /// Other permissions, all of them.
    pub permissions: Option<Vec<String>>,
    /// Other access, all of it.
    pub access: Option<Vec<FeatureChoice>>,
    /// Whether it gives anything.
    pub enabled: Option<bool>,
}

impl Service {
    /// Makes a role of the organization's own; its key. Holders of `roles.manage` may, within what they hold themselves.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `NOT_IN_BLUEPRINT`, `NOT_GRANTABLE`, `TAKEN` or `INVALID`.
    pub async fn create_role(
        &self,
        access: &Access,
        new: NewRole,
        idempotency: Option<Idempotency>,
    ) -> Result<String, ServiceError> {
        let change = Change::in_organization("createRole", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { create(work, new).await })).await?.value)
    }

    /// Changes a role of the organization's own; its key. Its holders have what it gives then from their next request on.
    /// Holders of `roles.manage` may, within what they hold themselves.
    ///
    /// # Errors
    /// As [`Service::create_role`]; `MANAGED_ROLE` for a role of the blueprint, `ROLE_IN_USE` for disabling one that somebody
    /// holds.
    pub async fn update_role(
        &self,
        access: &Access,
        edit: RoleEdit,
        idempotency: Option<Idempotency>,
    ) -> Result<String, ServiceError> {
        let change = Change::in_organization("updateRole", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { update(work, edit).await })).await?.value)
    }

    /// Deletes a role of the organization's own that nobody holds; its key. Holders of `roles.manage` may.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `MANAGED_ROLE` or `ROLE_IN_USE`.
    pub async fn delete_role(
        &self,
        access: &Access,
        role: String,
        idempotency: Option<Idempotency>,
    ) -> Result<String, ServiceError> {
        let change = Change::in_organization("deleteRole", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { delete(work, &role).await })).await?.value)
    }

    /// The rules the caller's organization lives by now, its own roles among them; for everyone in it. One statement.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn present_rules(&self, access: &Access) -> Result<Arc<Installed>, ServiceError> {
        let standing = access.standing()?;
        self.rules_of(&self.store().read(), (standing.place.id, standing.place.blueprint)).await
    }

    /// How often each role of the caller's organization is held, pending members' among them; for holders of `members.read`.
    /// One statement.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission.
    pub async fn role_uses(&self, access: &Access) -> Result<HashMap<String, u64>, ServiceError> {
        let standing = access.standing()?;
        standing.require("members.read")?;
        Ok(store::custom_role::count_uses(&self.store().read(), standing.place.id).await?)
    }
}

async fn create(work: &Work<'_>, new: NewRole) -> Result<String, ServiceError> {
    let id = new_id();
    let permit = work.authorize::<ManageRole>(Some(id))?;
    let standing = work.standing()?;
    let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
    let mut mistakes = Mistakes::default();
    let slug = mistakes.keep(input::slug("key", &new.key));
    let label = mistakes.keep(input::name("label", &new.label));
    let help = mistakes.keep(input::text("help", &new.help));
    if standing.blueprint.custom.len() >= MOST_ROLES {
        let full = UserError::new(
            UserErrorCode::Invalid,
            "",
            format!("an organization has at most {MOST_ROLES} roles of its own"),
        );
        mistakes.push(full.remedy("Delete one that nobody holds."));
    }
    let Some(base) = mistakes.keep(customizable(rules, &new.base)) else { return Err(mistakes.refused()) };
    let chosen = choose(rules, (&new.base, base), (Some(&new.permissions), Some(&new.access)), &mut mistakes);
    let (Some(slug), Some(label), Some(help)) = (slug, label, help) else { return Err(mistakes.refused()) };
    mistakes.settle()?;
    let role = CustomRole {
        key: format!("{CUSTOM_PREFIX}{slug}"),
        base: new.base,
        label,
        help,
        permissions: chosen.permissions.unwrap_or_default(),
        access: chosen.access.unwrap_or_default(),
        enabled: true,
    };
    let gives = rules.custom_rights(&role);
    may_make(work, &role.key, &gives, (Some(&new.permissions), Some(&new.access)))?;
    let (key, called) = (role.key.clone(), role.label.clone());
    let detail = json!({ "key": key, "base": role.base, "given": words(rules, &gives), "taken": [] });
    let row = RoleRow { id, organization, role, now: work.now };
    store::custom_role::insert(work.tx, permit, row).await.map_err(taken)?;
    work.record(organization, NewEntry::access("role.created", named(&key, &called)).detail(detail)).await?;
    Ok(key)
}

async fn update(work: &Work<'_>, edit: RoleEdit) -> Result<String, ServiceError> {
    work.authorize::<ManageRole>(None)?;
    let standing = work.standing()?;
    let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
    let StoredRole { id, role: before } = get_own(work, &edit.role).await?;
    let mut mistakes = Mistakes::default();
    let label = mistakes.keep_given(edit.label, |label| input::name("label", &label));
    let help = mistakes.keep_given(edit.help, |help| input::text("help", &help));
    let wanted = (edit.permissions.as_deref(), edit.access.as_deref());
    let chosen = match customizable(rules, &before.base) {
        Ok(base) => choose(rules, (&before.base, base), wanted, &mut mistakes),
        // A role without its base gives nothing, whatever it selects.
        Err(gone) if wanted.0.is_some() || wanted.1.is_some() => return Err(gone.into()),
        Err(_) => Chosen::default(),
    };
    mistakes.settle()?;
    let role = CustomRole {
        label: label.unwrap_or_else(|| before.label.clone()),
        help: help.unwrap_or_else(|| before.help.clone()),
        permissions: chosen.permissions.unwrap_or_else(|| before.permissions.clone()),
        access: chosen.access.unwrap_or_else(|| before.access.clone()),
        enabled: edit.enabled.unwrap_or(before.enabled),
        ..before.clone()
    };
    if role == before {
        return Ok(before.key);
    }
    if before.enabled && !role.enabled {
        ensure_unused(work, &before, "Give its holders another role first, then disable it.").await?;
    }
    let rights = |role: &CustomRole| {
        if role.enabled { rules.custom_rights(role) } else { RightSet::default() }
    };
    let (had, gives) = (rights(&before), rights(&role));
    let gain = gives.without(&had);
    may_make(work, &role.key, &gain, wanted)?;
    let (key, called) = (role.key.clone(), role.label.clone());
    let (given, lost) = (words(rules, &gain), words(rules, &had.without(&gives)));
    let mut detail = json!({ "key": key, "enabled": role.enabled, "given": given, "taken": lost });
    let texts = |role: &CustomRole| json!({ "label": role.label, "help": role.help });
    if (&before.label, &before.help) != (&role.label, &role.help)
        && let Some(detail) = detail.as_object_mut()
    {
        detail.insert("before".to_owned(), texts(&before));
        detail.insert("after".to_owned(), texts(&role));
    }
    // What its holders lose may be what their own features need (S0.27).
    let narrowed = !had.without(&gives).is_empty();
    let watch = prerequisite::watch(work, if narrowed { Circle::Organization } else { Circle::Nobody }).await?;
    let permit = work.authorize::<ManageRole>(Some(id))?;
    store::custom_role::update(work.tx, permit, RoleRow { id, organization, role, now: work.now }).await?;
    if !watch.is_idle() {
        let now = work.service.rules_of(work.tx, (organization, standing.place.blueprint)).await?;
        watch.ensure_met_by(work, &now.rules, "access").await?;
    }
    work.record(organization, NewEntry::access("role.updated", named(&key, &called)).detail(detail)).await?;
    Ok(key)
}

async fn delete(work: &Work<'_>, key: &str) -> Result<String, ServiceError> {
    work.authorize::<ManageRole>(None)?;
    let organization = work.standing()?.place.id;
    let StoredRole { id, role } = get_own(work, key).await?;
    ensure_unused(work, &role, "Give its holders another role first, then delete it.").await?;
    let permit = work.authorize::<ManageRole>(Some(id))?;
    store::custom_role::delete(work.tx, permit, (organization, id)).await?;
    let detail = json!({ "key": role.key, "base": role.base });
    work.record(organization, NewEntry::access("role.deleted", named(&role.key, &role.label)).detail(detail)).await?;
    Ok(role.key)
}

/// A role as an entry names it: by its key, as everything else does.
fn named(key: &str, label: &str) -> Target {
    Target { kind: "role".to_owned(), id: Some(key.to_owned()), name: label.to_owned() }
}

/// The organization's own role of this key; the blueprint's are nobody's to change (`S4.R3`).
async fn get_own(work: &Work<'_>, key: &str) -> Result<StoredRole, ServiceError> {
    let standing = work.standing()?;
    let own = store::custom_role::find_all(work.tx, standing.place.id).await?;
    if let Some(found) = own.into_iter().find(|stored| stored.role.key == key) {
        return Ok(found);
    }
    if standing.blueprint.rules.document().roles.contains_key(key) && !ablate::off("managed_role") {
        let message = "this role is the blueprint's, and is neither changed nor deleted";
        let refusal = UserError::new(UserErrorCode::ManagedRole, "role", message);
        return Err(refusal.remedy("Make a role of your own after it, where the blueprint allows that.").into());
    }
    let refusal = UserError::new(UserErrorCode::NotInBlueprint, "role", "the organization has no role of this key");
    Err(refusal.remedy("Name a role of the organization's own.").into())
}

/// The base of this key, if a role may be made after it.
fn customizable<'b>(rules: &'b Blueprint, key: &str) -> Result<&'b Role, UserError> {
    let Some(role) = rules.document().roles.get(key) else {
        let refusal = UserError::new(UserErrorCode::NotInBlueprint, "base", "the blueprint has no role of this key");
        return Err(refusal.remedy(bases(rules)));
    };
    if role.customizable {
        return Ok(role);
    }
    let refusal = UserError::new(UserErrorCode::NotGrantable, "base", format!("no role is made after {}", role.label));
    Err(refusal.remedy(bases(rules)))
}

fn bases(rules: &Blueprint) -> String {
    let roles = rules.document().roles.iter().filter(|(_, role)| role.customizable);
    let keys = roles.map(|(key, _)| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    if keys.is_empty() {
        "The blueprint lets no role be made after its own.".to_owned()
    } else {
        format!("Name one of {keys}.")
    }
}

/// What a role is to give, as selectors.
#[derive(Debug, Default)]
struct Chosen {
    permissions: Option<Vec<String>>,
    access: Option<Vec<String>>,
}

/// Whether everything chosen exists and is the base's to have, each refused at its place.
fn choose(
    rules: &Blueprint,
    (key, base): (&str, &Role),
    (permissions, access): (Option<&[String]>, Option<&[FeatureChoice]>),
    mistakes: &mut Mistakes,
) -> Chosen {
    let empty = RightSet::default();
    let whole = rules.role(key).unwrap_or(&empty);
    let within = |field: &str, shown: &str, rights: &RightSet| {
        if whole.contains(rights) || ablate::off("custom_role_base") {
            return Ok(());
        }
        let message = format!("`{shown}` is more than {} has", base.label);
        Err(UserError::new(UserErrorCode::NotGrantable, field, message)
            .remedy("Leave it out, or make the role after one that has it."))
    };
    let permissions = permissions.map(|keys| {
        let mut kept = Vec::with_capacity(keys.len());
        for (index, key) in keys.iter().enumerate() {
            let field = format!("permissions.{index}");
            let known = rules.permissions().contains_key(key).then(|| rules.permission_rights(key).ok()).flatten();
            let unknown = || unknown(&field, key).remedy(choices(&rules.permissions_of(whole), base));
            let checked = known.ok_or_else(unknown).and_then(|rights| within(&field, key, &rights));
            if mistakes.keep(checked).is_some() && !kept.contains(key) {
                kept.push(key.clone());
            }
        }
        kept
    });
    let access = access.map(|choices| {
        let mut kept: Vec<String> = Vec::new();
        for (index, choice) in choices.iter().enumerate() {
            let field = format!("access.{index}");
            let Some(selectors) = mistakes.keep(selectors(rules, whole, &field, choice)) else { continue };
            for selector in selectors {
                let known = rules.access_rights(&selector).map_err(|_| unknown(&field, &selector));
                let checked = known.and_then(|rights| within(&field, &selector, &rights));
                if mistakes.keep(checked).is_some() && !kept.contains(&selector) {
                    kept.push(selector);
                }
            }
        }
        kept
    });
    Chosen { permissions, access }
}

/// A choice as selectors.
fn selectors(
    rules: &Blueprint,
    whole: &RightSet,
    field: &str,
    choice: &FeatureChoice,
) -> Result<Vec<String>, UserError> {
    let FeatureChoice { kind, feature, level, actions } = choice;
    let kinds = &rules.document().app_kinds;
    let Some(known) = kinds.get(kind).and_then(|kind| kind.features.get(feature)) else {
        return Err(unknown(field, &format!("{kind}.{feature}")));
    };
    match (level, actions) {
        (Some(_), Some(_)) => {
            let refusal = UserError::new(UserErrorCode::Invalid, field, "both a level and actions are named");
            Err(refusal.remedy("Name one of the two, or neither for all that the base has."))
        }
        (Some(level), None) if known.levels.iter().any(|known| known.key == *level) => {
            Ok(vec![format!("{kind}.{feature}:{level}")])
        }
        (Some(level), None) => Err(unknown(&format!("{field}.level"), level)),
        (None, Some(actions)) => match actions.iter().find(|action| !known.actions.contains_key(*action)) {
            Some(action) => Err(unknown(&format!("{field}.actions"), action)),
            None => Ok(actions.iter().map(|action| format!("{kind}.{feature}.{action}")).collect()),
        },
        (None, None) => {
            let prefix = format!("{kind}.{feature}.");
            Ok(rules.actions_of(whole).into_iter().filter(|action| action.starts_with(&prefix)).collect())
        }
    }
}

/// What of the base there is to choose from.
fn choices(keys: &[String], base: &Role) -> String {
    match keys {
        [] => format!("Leave it out: {} has none.", base.label),
        keys => format!("Choose among those of {}: `{}`.", base.label, keys.join("`, `")),
    }
}

fn unknown(field: &str, shown: &str) -> UserError {
    let shown: String = shown.chars().filter(|letter| !letter.is_control()).take(100).collect();
    UserError::new(
        UserErrorCode::NotInBlueprint,
        field,
        format!("`{shown}` names nothing of this organization's blueprint"),
    )
}

/// Whether the author may make this role give so much more; else what of it the author may not, at the field that asks for it.
fn may_make(
    work: &Work<'_>,
    key: &str,
    gain: &RightSet,
    (permissions, access): (Option<&[String]>, Option<&[FeatureChoice]>),
) -> Result<(), ServiceError> {
    let Ok(standing) = work.standing() else { return Ok(()) };
    let rules = &standing.blueprint.rules;
    let own = standing.facts.grants.iter().any(|grant| matches!(&grant.held, Held::Role(role) if role == key));
    let may = |gain: &RightSet| judge(may_widen(rules, work.authority(), gain, own));
    let Err(denial) = may(gain) else { return Ok(()) };
    let part = |selector: &str| {
        let part = rules.scope(selector).map(|part| gain.without(&gain.without(&part)));
        part.is_ok_and(|part| may(&part).is_err())
    };
    let of_feature =
        |choice: &FeatureChoice, word: &str| word.starts_with(&format!("{}.{}.", choice.kind, choice.feature));
    let field = |word: &str| {
        let permission = permissions.and_then(|keys| keys.iter().position(|key| key == word));
        let feature = access.and_then(|chosen| chosen.iter().position(|choice| of_feature(choice, word)));
        match (permission, feature) {
            (Some(at), _) => format!("permissions.{at}"),
            (None, Some(at)) => format!("access.{at}"),
            (None, None) => String::new(),
        }
    };
    let mut beyond: IndexMap<String, Vec<String>> = IndexMap::new();
    for word in words(rules, gain).into_iter().filter(|word| part(word)) {
        beyond.entry(field(&word)).or_default().push(word);
    }
    let refusals = beyond.into_iter().map(|(field, words)| {
        UserError::new(UserErrorCode::NotGrantable, &field, format!("{denial}: `{}`", words.join("`, `")))
            .remedy("Leave out what you do not hold, or ask somebody who holds it.")
    });
    Err(ServiceError::Refused(refusals.collect()))
}

/// Refuses while somebody holds the role, a pending member or a team among them (`S4.R3`).
async fn ensure_unused(work: &Work<'_>, role: &CustomRole, remedy: &str) -> Result<(), ServiceError> {
    let uses = store::custom_role::count_uses(work.tx, work.standing()?.place.id).await?;
    let held = uses.get(&role.key).copied().unwrap_or(0);
    if held == 0 || ablate::off("role_in_use") {
        return Ok(());
    }
    let message = match held {
        1 => format!("{} is given once", role.label),
        held => format!("{} is given {held} times", role.label),
    };
    Err(UserError::new(UserErrorCode::RoleInUse, "role", message).remedy(remedy).into())
}

fn taken(error: StoreError) -> ServiceError {
    match error {
        StoreError::Conflict { .. } => {
            let refusal = UserError::new(UserErrorCode::Taken, "key", "the organization has a role of this key");
            refusal.remedy("Choose another key.").into()
        }
        other => other.into(),
    }
}

/// Rights as an entry tells them.
fn words(rules: &Blueprint, rights: &RightSet) -> Vec<String> {
    let mut words = rules.permissions_of(rights);
    words.extend(rules.actions_of(rights));
    words
}
