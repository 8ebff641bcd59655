//! The profile: what an organization says about itself.

use std::sync::Arc;

use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};

use super::{
    context::InContext,
    error::{UserError, error, settle},
    organization::{Organization, present},
};
use crate::{
    access::blueprint::document,
    service::{
        Idempotency, Standing,
        profile::{self, ProfileEdit, ProfileValue, Values},
    },
};

/// What a profile field takes; every value is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "document::FieldKind")]
pub enum ProfileFieldKind {
    /// One line of text.
    Text,
    /// One of the options.
    Choice,
    /// A whole number, not negative.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An `https` address.
    Url,
    /// A colour as `#rrggbb`.
    Color,
    /// A timezone of the IANA database, as `Europe/Rome`.
    Timezone,
    /// A language tag, as `en` or `pt-BR` (BCP 47). The first field of this kind is the language of letters, and takes those alone that
    /// letters are written in: `en`, `it`, `de`, `ko` and their variants.
    Language,
}

/// A field of a profile.
#[derive(Debug, Clone, SimpleObject)]
pub struct ProfileField {
    /// Its key.
    key: String,
    /// What people call it.
    label: String,
    /// What it is for.
    help: String,
    /// What it takes.
    kind: ProfileFieldKind,
    /// Whether it cannot be emptied once it is filled in.
    required: bool,
    /// What can be chosen, for a choice.
    options: Vec<String>,
    /// What it says: what somebody has filled in, else its default; null: nothing.
    value: Option<String>,
}

/// A section of an organization's profile.
#[derive(Debug, Clone, SimpleObject)]
pub struct ProfileSection {
    /// Its key.
    key: String,
    /// What people call it.
    label: String,
    /// What it is for.
    help: String,
    /// Its fields, in the order screens show them.
    fields: Vec<ProfileField>,
    /// Whether the caller may change it.
    viewer_can_edit: bool,
}

impl ProfileSection {
    fn of(standing: &Standing, key: &str, values: &Values) -> Option<Self> {
        let section = standing.blueprint.rules.document().profile.get(key)?;
        let fields = section.fields.iter().map(|(key, field)| ProfileField {
            key: key.clone(),
            label: field.label.clone(),
            help: field.help.clone(),
            kind: field.kind.into(),
            required: field.required,
            options: field.options.clone(),
            value: values.get(key).or(field.default.as_ref()).cloned(),
        });
        Some(Self {
            key: key.to_owned(),
            label: section.label.clone(),
            help: section.help.clone(),
            fields: fields.collect(),
            viewer_can_edit: profile::may_edit(standing),
        })
    }
}

/// What an organization says about itself.
#[derive(Debug, Clone)]
pub struct OrganizationProfile {
    pub(super) standing: Arc<Standing>,
}

#[Object]
impl OrganizationProfile {
    /// The sections of its profile that the caller sees: those open to every member, and all for holders of `profile.read`.
    async fn profile(&self, ctx: &Context<'_>) -> Result<Vec<ProfileSection>> {
        let sections = ctx.service()?.profile(&self.standing).await.map_err(error)?;
        Ok(sections.iter().filter_map(|(key, values)| ProfileSection::of(&self.standing, key, values)).collect())
    }
}

/// What a field is to say.
#[derive(Debug, Clone, InputObject)]
pub struct ProfileValueInput {
    /// The field's key.
    key: String,
    /// What it is to say, as text; null empties it.
    value: Option<String>,
}

/// What is to be changed of one section.
#[derive(Debug, Clone, InputObject)]
pub struct UpdateProfileInput {
    /// The section's key.
    section: String,
    /// The fields to change; those left out stay.
    values: Vec<ProfileValueInput>,
    /// Makes repeating safe: the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// The profile as it is now.
#[derive(Debug, SimpleObject)]
pub struct UpdateProfilePayload {
    /// The organization as it is now; null when refused.
    organization: Option<Organization>,
    /// Why nothing was changed; empty when it was.
    user_errors: Vec<UserError>,
}

/// Changing the profile.
#[derive(Debug, Default)]
pub struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Changes what the organization the caller is in says about itself. Needs the permission `profile.update`.
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which section, and the values of its fields.")] input: UpdateProfileInput,
    ) -> Result<UpdateProfilePayload> {
        let UpdateProfileInput { section, values, idempotency_key } = input;
        let values = values.into_iter().map(|value| ProfileValue { key: value.key, value: value.value }).collect();
        let edit = ProfileEdit { section, values };
        let repeat = Idempotency::of(idempotency_key, &edit).map_err(error)?;
        let updated = ctx.service()?.update_profile(ctx.access()?, edit, repeat).await;
        Ok(match settle(updated)? {
            Ok(_) => UpdateProfilePayload { organization: present(ctx).await?, user_errors: Vec::new() },
            Err(user_errors) => UpdateProfilePayload { organization: None, user_errors },
        })
    }
}
