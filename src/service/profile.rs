//! The profile: what an organization says about itself, section by section of its blueprint (`S0.4`, `S0.5`, `S4.15`, `S4.16`).
//!
//! The values are kept as one object of sections of fields, each in its normal spelling. What a blueprint no longer has stays
//! stored and is not shown; what nobody has filled in says its default.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Access, Change, Idempotency, Service, ServiceError, Standing, UserError, UserErrorCode, Work,
    activity::{NewEntry, target},
    input::{self, Mistakes},
};
use crate::{
    access::{
        Blueprint,
        blueprint::document::{FieldKind, ProfileSection},
        profile,
        verb::UpdateProfile,
    },
    mail::Reader,
    store::{self, StoreError},
};

/// The permission that opens the sections that are not open to every member.
const READ: &str = "profile.read";
/// The permission that changes it.
const UPDATE: &str = "profile.update";
/// The most values of one change.
const MOST_VALUES: usize = 100;

/// A value for a field; `None` empties it.
#[derive(Debug, Clone)]
pub struct ProfileValue {
    /// The field's key.
    pub key: String,
    /// What it is to say.
    pub value: Option<String>,
}

/// What is to be changed of one section.
#[derive(Debug, Clone)]
pub struct ProfileEdit {
    /// The section's key.
    pub section: String,
    /// The values; fields that are left out stay.
    pub values: Vec<ProfileValue>,
}

/// What a section says, by field; fields that nobody has filled in are left out.
pub type Values = BTreeMap<String, String>;

/// Every section's values.
type Stored = BTreeMap<String, Values>;

fn read(stored: &Value) -> Result<Stored, StoreError> {
    serde_json::from_value(stored.clone()).map_err(|error| StoreError::Corrupt(format!("profile: {error}")))
}

/// What an organization says in the first field of this kind, else what that field says by default: its timezone, its language
/// (`S4.16`). `None` where its blueprint has no such field, or none that says anything.
fn first_of(rules: &Blueprint, stored: &Value, kind: FieldKind) -> Result<Option<String>, StoreError> {
    let stored = read(stored)?;
    let Some((section, key, field)) = profile::first_field(rules.document(), kind) else { return Ok(None) };
    let said = stored.get(section).and_then(|values| values.get(key));
    Ok(said.or(field.default.as_ref()).cloned())
}

/// How an organization's people read: in its language and its timezone, as far as its profile says.
pub(super) fn reader(rules: &Blueprint, stored: &Value) -> Result<Reader, StoreError> {
    let said = |kind| first_of(rules, stored, kind).map(Option::unwrap_or_default);
    Ok(Reader::of(&said(FieldKind::Language)?, &said(FieldKind::Timezone)?))
}

/// Whether a principal sees a section.
fn sees(standing: &Standing, section: &ProfileSection) -> bool {
    section.open || standing.rights.holds(READ) || crate::ablate::off("profile_section")
}

/// Whether a principal may change a section.
#[must_use]
pub fn may_edit(standing: &Standing) -> bool {
    standing.rights.inactive().is_none() && standing.rights.holds(UPDATE)
}

impl Service {
    /// The sections that the principal sees, by key in the blueprint's order, with what they say: the open ones for every active
    /// member, the others for holders of `profile.read`.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for who is not active.
    pub async fn profile(&self, standing: &Standing) -> Result<Vec<(String, Values)>, ServiceError> {
        if let Some(denial) = standing.rights.inactive() {
            return Err(denial.into());
        }
        let sections = &standing.blueprint.rules.document().profile;
        if !sections.values().any(|section| sees(standing, section)) {
            return Ok(Vec::new());
        }
        let row = self.organization_record(standing).await?;
        let mut stored = read(&row.profile)?;
        let seen = sections.iter().filter(|(_, section)| sees(standing, section));
        Ok(seen.map(|(key, _)| (key.clone(), stored.remove(key).unwrap_or_default())).collect())
    }

    /// Changes what a section says. Holders of `profile.update` may.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with every mistake at once, at `values.N.key` or `values.N.value`.
    pub async fn update_profile(
        &self,
        access: &Access,
        edit: ProfileEdit,
        idempotency: Option<Idempotency>,
    ) -> Result<String, ServiceError> {
        let change = Change::in_organization("updateProfile", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { update(work, edit).await })).await?.value)
    }
}

async fn update(work: &Work<'_>, edit: ProfileEdit) -> Result<String, ServiceError> {
    let permit = work.authorize::<UpdateProfile>(None)?;
    let standing = work.standing()?;
    let rules = &standing.blueprint.rules;
    let sections = &rules.document().profile;
    let Some(section) = sections.get(&edit.section).filter(|section| sees(standing, section)) else {
        let refusal = UserError::new(UserErrorCode::NotInBlueprint, "section", "there is no section of this name");
        let known: Vec<String> = sections.keys().map(|key| format!("`{key}`")).collect();
        return Err(refusal.remedy(format!("Name one of {}.", known.join(", "))).into());
    };
    if edit.values.len() > MOST_VALUES {
        let message = format!("at most {MOST_VALUES} values at once");
        return Err(UserError::new(UserErrorCode::Invalid, "values", message).into());
    }
    let id = standing.place.id;
    let row = store::organization::find_by_id(work.tx, id).await?.ok_or(ServiceError::NotFound)?;
    let mut stored = read(&row.profile)?;
    let values = stored.entry(edit.section.clone()).or_default();
    let before = values.clone();
    let of_letters =
        profile::first_field(rules.document(), FieldKind::Language).filter(|(section, ..)| *section == edit.section);
    let mut mistakes = Mistakes::default();
    let mut named: Vec<&str> = Vec::new();
    for (at, given) in edit.values.iter().enumerate() {
        if named.contains(&given.key.as_str()) {
            let field = format!("values.{at}.key");
            mistakes.push(UserError::new(UserErrorCode::Invalid, &field, "this field is named twice"));
            continue;
        }
        named.push(&given.key);
        mistakes.keep(set(section, at, given, values).and_then(|()| match (&of_letters, &given.value) {
            // A language in which nothing is written would be kept, and have letters written in English.
            (Some((_, key, _)), Some(text)) if *key == given.key => written(at, text),
            _ => Ok(()),
        }));
    }
    mistakes.settle()?;
    if *values == before {
        return Ok(edit.section);
    }
    let changed = named.iter().filter(|key| before.get(**key) != values.get(**key));
    let detail: serde_json::Map<String, Value> =
        changed.map(|key| ((*key).to_owned(), json!({ "from": before.get(*key), "to": values.get(*key) }))).collect();
    let profile = serde_json::to_value(&stored).map_err(|error| ServiceError::Internal(error.into()))?;
    store::organization::update_profile(work.tx, permit, id, profile, work.now).await?;
    let entry = NewEntry::account("profile.updated", target("organization", id, &row.name));
    work.record(id, entry.detail(json!({ "section": edit.section, "values": detail }))).await?;
    Ok(edit.section)
}

/// Refuses a language that letters are not written in.
fn written(at: usize, text: &str) -> Result<(), UserError> {
    let written = input::language(&format!("values.{at}.value"), text);
    written.map(drop).map_err(|refusal| refusal.remedy("Choose one of these."))
}

fn set(section: &ProfileSection, at: usize, given: &ProfileValue, values: &mut Values) -> Result<(), UserError> {
    let (key_field, value_field) = (format!("values.{at}.key"), format!("values.{at}.value"));
    let Some(field) = section.fields.get(&given.key) else {
        let known: Vec<String> = section.fields.keys().map(|key| format!("`{key}`")).collect();
        let refusal =
            UserError::new(UserErrorCode::NotInBlueprint, &key_field, "the section has no field of this name");
        return Err(refusal.remedy(format!("Name one of {}.", known.join(", "))));
    };
    let Some(text) = &given.value else {
        if field.required && values.contains_key(&given.key) {
            let refusal = UserError::new(UserErrorCode::Missing, &value_field, "this cannot be left empty");
            return Err(refusal.remedy(format!("Say what `{}` is.", field.label)));
        }
        values.remove(&given.key);
        return Ok(());
    };
    let text = input::one_line(&value_field, text)?;
    let normal = profile::normal(field, &text)
        .map_err(|unfit| UserError::new(UserErrorCode::Invalid, &value_field, unfit.problem).remedy(unfit.fix))?;
    values.insert(given.key.clone(), normal);
    Ok(())
}
