//! Custom roles: making, changing and deleting roles of the organization's own, and comparing roles right by right.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{
    Context, InputObject, Object, Result, SimpleObject,
    dataloader::{DataLoader, Loader},
};

use super::{
    blueprint::{RoleDefinition, RoleLevel},
    context::InContext,
    error::{UserError, coded, error, settle},
};
use crate::{
    access::{
        compare::{Right, Row, compare},
        verb::area_label,
    },
    service::{
        Access, Idempotency, Service, Standing,
        custom_role::{FeatureChoice, NewRole, RoleEdit},
    },
};

/// How often roles of the caller's organization are held; one statement for all of them.
#[derive(Clone)]
pub struct RoleUses(Arc<DataLoader<UsesLoader>>);

impl std::fmt::Debug for RoleUses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoleUses").finish_non_exhaustive()
    }
}

struct UsesLoader {
    service: Service,
    access: Access,
}

impl Loader<String> for UsesLoader {
    type Value = u64;
    type Error = async_graphql::Error;

    async fn load(&self, _keys: &[String]) -> Result<HashMap<String, u64>> {
        self.service.role_uses(&self.access).await.map_err(error)
    }
}

impl RoleUses {
    /// For this caller.
    #[must_use]
    pub fn new(service: Service, access: Access) -> Self {
        Self(Arc::new(DataLoader::new(UsesLoader { service, access }, tokio::spawn)))
    }

    pub(super) async fn uses(&self, role: &str) -> Result<u64> {
        Ok(self.0.load_one(role.to_owned()).await?.unwrap_or_default())
    }
}

/// One right, and which of the two roles gives it.
#[derive(Debug, Clone, SimpleObject)]
pub struct RoleComparisonRow {
    /// What the row belongs to: the area of a permission (`members`), or the feature of an action (`repository.code`).
    area: String,
    /// What people call that: where a permission holds and its area (`Organization: Members`), or the app kind and the feature
    /// (`Repository: Code`); the same whichever two roles are compared that hold at that level.
    area_label: String,
    /// A few words.
    label: String,
    /// One or two sentences, to be shown on hover.
    help: String,
    /// The organization permission's key; null for an action.
    permission: Option<String>,
    /// The action's app kind; null for a permission.
    kind: Option<String>,
    /// The action's feature; null for a permission.
    feature: Option<String>,
    /// The action's key; null for a permission.
    action: Option<String>,
    /// Whether the role on the left gives it.
    left: bool,
    /// Whether the role on the right gives it.
    right: bool,
}

/// Two roles side by side.
#[derive(Debug, Clone, SimpleObject)]
pub struct RoleComparison {
    /// The role on the left.
    left: RoleDefinition,
    /// The role on the right.
    right: RoleDefinition,
    /// Every right there is, in the blueprint's order: organization permissions, then actions by app kind and feature. Of two roles
    /// that are held on apps, only the permissions that can be held there.
    rows: Vec<RoleComparisonRow>,
}

/// Where the permissions of two roles hold, as people call that level: of an app role, on the app.
fn level_of(roles: [&RoleDefinition; 2]) -> Option<&str> {
    let at = |level: RoleLevel| roles.into_iter().find(|role| role.level == level);
    at(RoleLevel::Organization).or_else(|| at(RoleLevel::App)).map(|role| role.level_label.as_str())
}

fn row(standing: &Standing, level: Option<&str>, row: &Row<'_>) -> RoleComparisonRow {
    let document = standing.blueprint.rules.document();
    let (label, help) = (row.text.label.clone(), row.text.help.clone());
    let (left, right) = (row.left, row.in_right);
    match row.right {
        Right::Permission(key) => {
            let area = key.split_once('.').map_or(key, |(area, _)| area).to_owned();
            let words = area_label(&area);
            let area_label = level.map_or_else(|| words.clone(), |level| format!("{level}: {words}"));
            let permission = Some(key.to_owned());
            let (kind, feature, action) = (None, None, None);
            RoleComparisonRow { area, area_label, label, help, permission, kind, feature, action, left, right }
        }
        Right::Action { kind, feature, action } => {
            let rules = document.app_kinds.get(kind);
            let words = rules.and_then(|rules| Some((&rules.label, &rules.features.get(feature)?.label)));
            let area_label = words.map_or_else(String::new, |(kind, feature)| format!("{kind}: {feature}"));
            RoleComparisonRow {
                area: format!("{kind}.{feature}"),
                area_label,
                label,
                help,
                permission: None,
                kind: Some(kind.to_owned()),
                feature: Some(feature.to_owned()),
                action: Some(action.to_owned()),
                left,
                right,
            }
        }
    }
}

/// The roles of an organization, compared.
#[derive(Debug, Clone)]
pub struct OrganizationRoleComparison {
    pub(super) standing: Arc<Standing>,
}

/// The roles of an organization, compared.
#[Object]
impl OrganizationRoleComparison {
    /// Two roles side by side, right by right (S4.26). What roles give is no secret: every active member may ask. Null when one
    /// of them is no role of the organization.
    async fn role_comparison(
        &self,
        #[graphql(desc = "The key of the role on the left.")] left: String,
        #[graphql(desc = "The key of the role on the right.")] right: String,
    ) -> Result<Option<RoleComparison>> {
        if let Some(denial) = self.standing.rights.inactive() {
            return Err(coded("FORBIDDEN", denial.to_string()));
        }
        let rules = &self.standing.blueprint.rules;
        let find = |key: &str| Some((RoleDefinition::of(&self.standing, key)?, rules.role(key)?));
        let (Some((left, left_rights)), Some((right, right_rights))) = (find(&left), find(&right)) else {
            return Ok(None);
        };
        let level = level_of([&left, &right]);
        let on_apps = [&left, &right].iter().all(|role| role.level != RoleLevel::Organization);
        let compared = compare(rules, left_rights, right_rights, on_apps);
        let rows = compared.iter().map(|compared| row(&self.standing, level, compared)).collect();
        Ok(Some(RoleComparison { left, right, rows }))
    }
}

/// What a role gives of one feature: a level, single actions, or, where neither is named, all that its base gives of it.
#[derive(Debug, Clone, InputObject)]
pub struct RoleAccessInput {
    /// The app kind's key.
    kind: String,
    /// The feature's key.
    feature: String,
    /// One of the feature's access levels.
    level: Option<String>,
    /// Single actions, instead of a level.
    actions: Option<Vec<String>>,
}

impl From<RoleAccessInput> for FeatureChoice {
    fn from(input: RoleAccessInput) -> Self {
        let RoleAccessInput { kind, feature, level, actions } = input;
        Self { kind, feature, level, actions }
    }
}

/// A role of the organization's own.
#[derive(Debug, InputObject)]
pub struct CreateRoleInput {
    /// Its name: 1 to 63 lower-case letters, digits and inner hyphens. Its key is `custom:` and this.
    key: String,
    /// The key of the blueprint's role it is made after; that role is customizable.
    base: String,
    /// What people call it: 1 to 200 characters.
    label: String,
    /// What it is for: at most 2,000 characters.
    #[graphql(default)]
    help: String,
    /// The organization permissions it gives, by key; empty: none.
    permissions: Vec<String>,
    /// The access to apps it gives; empty: none.
    access: Vec<RoleAccessInput>,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What to change of a role of the organization's own; what is left out stays.
#[derive(Debug, InputObject)]
pub struct UpdateRoleInput {
    /// The role's key.
    role: String,
    /// Another label.
    label: Option<String>,
    /// Another help text.
    help: Option<String>,
    /// The organization permissions it is to give, all of them.
    permissions: Option<Vec<String>>,
    /// The access to apps it is to give, all of it.
    access: Option<Vec<RoleAccessInput>>,
    /// Whether it gives anything; only a role that nobody holds is switched off.
    enabled: Option<bool>,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// Which role of the organization's own is to go.
#[derive(Debug, InputObject)]
pub struct DeleteRoleInput {
    /// The role's key.
    role: String,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of making a role.
#[derive(Debug, SimpleObject)]
pub struct CreateRolePayload {
    /// The role; null when it was refused.
    role: Option<RoleDefinition>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// What became of changing a role.
#[derive(Debug, SimpleObject)]
pub struct UpdateRolePayload {
    /// The role as it is now; null when it was refused.
    role: Option<RoleDefinition>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// What became of deleting a role.
#[derive(Debug, SimpleObject)]
pub struct DeleteRolePayload {
    /// The key of the role that is gone; null when it was refused.
    deleted_role: Option<String>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

async fn present(ctx: &Context<'_>, key: &str) -> Result<Option<RoleDefinition>> {
    let rules = ctx.service()?.present_rules(ctx.access()?).await.map_err(error)?;
    let organization = Some(ctx.standing()?.place.id);
    Ok(RoleDefinition::in_blueprint(&rules, key).map(|role| RoleDefinition { organization, ..role }))
}

/// Making and changing roles of the organization's own.
#[derive(Debug, Default)]
pub struct CustomRoleMutation;

#[Object]
impl CustomRoleMutation {
    /// Makes a role of the organization's own after one of its blueprint, with a part of what that gives. Needs the permission
    /// `roles.manage`. Whoever assigns the blueprint's role assigns this one too.
    async fn create_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new role.")] input: CreateRoleInput,
    ) -> Result<CreateRolePayload> {
        let CreateRoleInput { key, base, label, help, permissions, access, idempotency_key } = input;
        let access = access.into_iter().map(FeatureChoice::from).collect();
        let new = NewRole { key, base, label, help, permissions, access };
        let repeat = Idempotency::of(idempotency_key, &new).map_err(error)?;
        match settle(ctx.service()?.create_role(ctx.access()?, new, repeat).await)? {
            Ok(key) => Ok(CreateRolePayload { role: present(ctx, &key).await?, user_errors: Vec::new() }),
            Err(user_errors) => Ok(CreateRolePayload { role: None, user_errors }),
        }
    }

    /// Changes a role of the organization's own; its holders have what it gives then from their next request on. Needs the
    /// permission `roles.manage`. Roles of the blueprint are not changed.
    async fn update_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateRoleInput,
    ) -> Result<UpdateRolePayload> {
        let UpdateRoleInput { role, label, help, permissions, access, enabled, idempotency_key } = input;
        let access = access.map(|access| access.into_iter().map(FeatureChoice::from).collect());
        let edit = RoleEdit { role, label, help, permissions, access, enabled };
        let repeat = Idempotency::of(idempotency_key, &edit).map_err(error)?;
        match settle(ctx.service()?.update_role(ctx.access()?, edit, repeat).await)? {
            Ok(key) => Ok(UpdateRolePayload { role: present(ctx, &key).await?, user_errors: Vec::new() }),
            Err(user_errors) => Ok(UpdateRolePayload { role: None, user_errors }),
        }
    }

    /// Deletes a role of the organization's own that nobody holds. Needs the permission `roles.manage`.
    async fn delete_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which role.")] input: DeleteRoleInput,
    ) -> Result<DeleteRolePayload> {
        let DeleteRoleInput { role, idempotency_key } = input;
        let repeat = Idempotency::of(idempotency_key, &role).map_err(error)?;
        match settle(ctx.service()?.delete_role(ctx.access()?, role, repeat).await)? {
            Ok(deleted) => Ok(DeleteRolePayload { deleted_role: Some(deleted), user_errors: Vec::new() }),
            Err(user_errors) => Ok(DeleteRolePayload { deleted_role: None, user_errors }),
        }
    }
}
