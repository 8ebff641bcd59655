//! Organizations: opened by any signed-in person, edited, moved to another plan and closed by those who may.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Access, Change, Changed, Idempotency, Service, ServiceError, Settings, Standing, UserError, UserErrorCode, Work,
    activity::{NewEntry, target},
    blueprint::Installed,
    child,
    input::{self, Mistakes},
    seat, second_factor,
    session::session_of,
    user::unproven_address,
};
pub use crate::store::organization::{Organization, OrganizationState};
use crate::{
    access::{
        Authority, Blueprint, Denial, Grantee, Held, Permit, SystemTask, Verb, authorize,
        verb::{
            AssignRole, ChangePlan, CreateMember, CreateOrganization, DeleteOrganization, GrantAccess,
            UpdateOrganization,
        },
    },
    id::new_id,
    identity::SessionIdentity,
    store::{
        self, StoreError,
        grant::{HeldRole, NewGrant, NewGrants, RoleGrant},
        member::NewMember,
        organization::{NewOrganization, OrganizationChanges},
    },
};

/// What a new organization is asked for.
#[derive(Debug, Clone)]
pub struct OrganizationInput {
    /// Name as shown.
    pub name: String,
    /// Lower-case name for addresses.
    pub slug: String,
    /// The blueprint, by name; its newest version.
    pub blueprint: String,
    /// The plan, by key; the blueprint's first one where none is named.
    pub plan: Option<String>,
}

/// An organization that was opened, with its first member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Founded {
    /// The organization.
    pub organization: Uuid,
    /// Its first member.
    pub member: Uuid,
}

/// What an edit changes; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct OrganizationEdit {
    /// Another name.
    pub name: Option<String>,
    /// Another slug.
    pub slug: Option<String>,
    /// Other email domains that may be invited; `Some(None)`: as the blueprint says.
    pub allowed_domains: Option<Option<Vec<String>>>,
    /// Whether sub-addresses are refused; `Some(None)`: as the blueprint says.
    pub block_subaddress: Option<Option<bool>>,
    /// Whether a second factor is asked for from now on.
    pub require_second_factor: Option<bool>,
}

/// A person who founds an organization.
#[derive(Debug, Clone)]
pub struct Founder {
    /// The account.
    pub user: Uuid,
    /// Its address.
    pub email: String,
    /// Its name.
    pub name: String,
}

impl Service {
    /// Opens an organization. The caller becomes its first member, with the roles its blueprint gives a creator (`S3.6`), and
    /// everyone gets the blueprint's default access (`S5.2`).
    ///
    /// Any signed-in person with a proven address may call it.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `EMAIL_NOT_VERIFIED`, `INVALID`, `TAKEN` or `NOT_IN_BLUEPRINT`.
    pub async fn create_organization(
        &self,
        access: &Access,
        input: OrganizationInput,
        idempotency: Option<Idempotency>,
    ) -> Result<Changed<Founded>, ServiceError> {
        access.require_known()?;
        let person = access.person.clone().ok_or(Denial::PeopleOnly)?;
        let founder = Founder { user: person.id, email: person.email, name: person.name };
        let change = Change::by_user("createOrganization", access, Vec::new())?.repeatable(idempotency);
        self.mutate(change, move |work| Box::pin(async move { found_by_person(work, founder, input).await })).await
    }

    /// Opens an organization on behalf of the operator, for a person it names; for the command line and the demo.
    ///
    /// # Errors
    /// As [`Service::create_organization`].
    pub async fn create_organization_for(
        &self,
        founder: Founder,
        input: OrganizationInput,
    ) -> Result<Changed<Founded>, ServiceError> {
        let scope = store::WriteScope::user(founder.user);
        let change = Change::by_system("createOrganization", SystemTask::Operator, scope);
        self.mutate(change, move |work| Box::pin(async move { found(work, founder, input, None).await })).await
    }

    /// Changes the name, the slug or the settings. Holders of `organization.update` may call it.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; [`ServiceError::Refused`] with `INVALID` or `TAKEN`.
    pub async fn update_organization(
        &self,
        access: &Access,
        edit: OrganizationEdit,
        idempotency: Option<Idempotency>,
    ) -> Result<Changed<()>, ServiceError> {
        let change = Change::in_organization("updateOrganization", access)?.repeatable(idempotency);
        // A program has no second factor to prove.
        let session = session_of(access).ok();
        self.mutate(change, move |work| Box::pin(async move { update(work, edit, session).await })).await
    }

    /// Moves the organization to another plan (`S3.59`). A smaller plan keeps everyone, and nobody is invited until the count
    /// fits (`Q21`). Holders of `billing.manage` may call it.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; [`ServiceError::Refused`] with `NOT_IN_BLUEPRINT`.
    pub async fn change_plan(
        &self,
        access: &Access,
        plan: String,
        idempotency: Option<Idempotency>,
    ) -> Result<Changed<()>, ServiceError> {
        let change = Change::in_organization("changePlan", access)?.repeatable(idempotency);
        let changed = self.mutate(change, move |work| {
            Box::pin(async move {
                let standing = work.standing()?;
                let permit = work.authorize::<ChangePlan>(None)?;
                let (id, before) = (standing.place.id, standing.place.plan.clone());
                known_plan(&standing.blueprint.rules, &plan)?;
                if plan == before {
                    return Ok(());
                }
                store::organization::update_plan(work.tx, permit, id, plan.clone(), work.now).await?;
                let entry =
                    NewEntry::account("organization.plan_changed", target("organization", id, &standing.place.name));
                work.record(id, entry.detail(json!({ "from": before, "to": plan }))).await
            })
        });
        changed.await
    }

    /// Closes the organization for good (`S3.3`): nobody is in it from the moment this returns. `confirm` is its slug. Holders
    /// of `organization.delete` may call it.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`]; [`ServiceError::Refused`] with `NOT_CONFIRMED`, and while organizations stand below it.
    pub async fn delete_organization(
        &self,
        access: &Access,
        confirm: String,
        idempotency: Option<Idempotency>,
    ) -> Result<Changed<Uuid>, ServiceError> {
        let change = Change::in_organization("deleteOrganization", access)?.repeatable(idempotency);
        let changed = self.mutate(change, move |work| {
            Box::pin(async move {
                let place = &work.standing()?.place;
                let permit = work.authorize::<DeleteOrganization>(None)?;
                if confirm.trim() != place.slug && !crate::ablate::off("delete_confirmation") {
                    return Err(UserError::new(
                        UserErrorCode::NotConfirmed,
                        "confirm",
                        "this is not the organization's slug",
                    )
                    .remedy(format!("Give `{}` to delete the organization and everything in it.", place.slug))
                    .into());
                }
                child::ensure_none(work).await?;
                let entry = NewEntry::account("organization.deleted", target("organization", place.id, &place.name));
                work.record(place.id, entry).await?;
                store::organization::delete(work.tx, permit, place.id, work.now).await?;
                Ok(place.id)
            })
        });
        changed.await
    }

    /// What is stored of the caller's organization; for everyone who has a place in it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when it is gone.
    pub async fn organization_record(&self, standing: &Standing) -> Result<Organization, ServiceError> {
        let found = store::organization::find_by_id(&self.store().read(), standing.place.id).await?;
        found.ok_or(ServiceError::NotFound)
    }
}

/// Opens an organization for a person whose address is proven: whoever has one writes to people in its name.
async fn found_by_person(work: &Work<'_>, founder: Founder, input: OrganizationInput) -> Result<Founded, ServiceError> {
    let user = store::user::find_by_id(work.tx, founder.user).await?;
    if user.is_none_or(|user| user.email_verified_at.is_none()) && !crate::ablate::off("founder_verified") {
        return Err(unproven_address("you open an organization").into());
    }
    found(work, founder, input, None).await
}

/// Opens an organization, below another one where that is said, within a change by a person or the operator.
///
/// # Errors
/// As [`Service::create_organization`].
pub(crate) async fn found(
    work: &Work<'_>,
    founder: Founder,
    input: OrganizationInput,
    parent: Option<Uuid>,
) -> Result<Founded, ServiceError> {
    let permit = work.authorize::<CreateOrganization>(None)?;
    let mut mistakes = Mistakes::default();
    let name = mistakes.keep(input::name("name", &input.name));
    let slug = mistakes.keep(input::slug("slug", &input.slug));
    let blueprint = mistakes.keep(newest_blueprint(work, &input.blueprint).await?);
    let plan = blueprint.as_ref().and_then(|blueprint| mistakes.keep(plan_of(&blueprint.rules, input.plan)));
    let (Some(name), Some(slug), Some(blueprint), Some(plan)) = (name, slug, blueprint, plan) else {
        return Err(mistakes.refused());
    };
    let ids = Founded { organization: new_id(), member: new_id() };
    let new = NewOrganization {
        id: ids.organization,
        slug,
        name: name.clone(),
        parent_id: parent,
        blueprint_id: blueprint.id,
        plan: plan.clone(),
        settings: json!({}),
        now: work.now,
    };
    store::organization::insert(work.tx, permit, new).await.map_err(slug_taken)?;
    settle_in(work, ids, founder, &blueprint.rules).await?;
    let within = seat::Within { organization: ids.organization, blueprint: &blueprint.rules, plan: &plan };
    seat::ensure_not_over(work, within, &[]).await?;
    let entry = NewEntry::account("organization.created", target("organization", ids.organization, &name));
    let detail = json!({ "blueprint": blueprint.rules.name(), "version": blueprint.rules.version(), "plan": plan });
    work.record(ids.organization, entry.detail(detail)).await?;
    Ok(ids)
}

/// The first member with the creator's roles, and what everyone holds from the start.
async fn settle_in(work: &Work<'_>, ids: Founded, founder: Founder, blueprint: &Blueprint) -> Result<(), ServiceError> {
    let Founded { organization, member } = ids;
    let member_row = NewMember {
        id: member,
        organization_id: organization,
        user_id: Some(founder.user),
        email: Some(founder.email),
        handle: None,
        name: founder.name,
        first_name: None,
        last_name: None,
        now: work.now,
    };
    store::member::insert(work.tx, founding::<CreateMember>(organization)?, member_row).await?;
    for role in &blueprint.document().organization.creator_roles {
        let held = HeldRole { organization, grantee: Grantee::Member(member), role: role.clone() };
        let grant = RoleGrant { id: new_id(), held, expires_at: None, now: work.now };
        store::grant::assign_role(work.tx, founding::<AssignRole>(organization)?, grant).await?;
    }
    let defaults = blueprint.document().everyone.access.iter().filter_map(|access| {
        let level = access.initial.clone()?;
        let held = Held::Feature { kind: access.app_kind.clone(), feature: access.feature.clone(), level: Some(level) };
        let place = crate::access::Place::Organization;
        Some(NewGrant { id: new_id(), grantee: Grantee::Everyone, held, place, expires_at: None })
    });
    let grants = NewGrants { organization, grants: defaults.collect(), now: work.now };
    store::grant::insert_many(work.tx, founding::<GrantAccess>(organization)?, grants).await?;
    Ok(())
}

fn founding<V: Verb>(organization: Uuid) -> Result<Permit<V>, Denial> {
    authorize::<V>(Authority::System(SystemTask::FoundOrganization, Some(organization)), None)
}

async fn newest_blueprint(
    work: &Work<'_>,
    name: &str,
) -> Result<Result<std::sync::Arc<Installed>, UserError>, ServiceError> {
    match store::blueprint::find_by_name(work.tx, name, None).await? {
        Some(row) => Ok(Ok(work.service.blueprint(work.tx, row.id).await?)),
        None => {
            Ok(Err(UserError::new(UserErrorCode::NotInBlueprint, "blueprint", "there is no blueprint of this name")
                .remedy("Name an installed blueprint, such as `support-hub`.")))
        }
    }
}

fn plan_of(blueprint: &Blueprint, plan: Option<String>) -> Result<String, UserError> {
    let plan = plan.unwrap_or_else(|| blueprint.document().organization.default_plan.clone());
    known_plan(blueprint, &plan)?;
    Ok(plan)
}

fn known_plan(blueprint: &Blueprint, plan: &str) -> Result<(), UserError> {
    let plans = &blueprint.document().plans;
    if plans.contains_key(plan) {
        return Ok(());
    }
    let known = plans.keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let refusal = UserError::new(UserErrorCode::NotInBlueprint, "plan", "the blueprint has no plan of this name");
    Err(refusal.remedy(format!("Name one of {known}.")))
}

fn slug_taken(error: StoreError) -> ServiceError {
    match error {
        StoreError::Conflict { .. } => {
            UserError::new(UserErrorCode::Taken, "slug", "this slug is in use").remedy("Choose another slug.").into()
        }
        other => other.into(),
    }
}

async fn update(work: &Work<'_>, edit: OrganizationEdit, session: Option<SessionIdentity>) -> Result<(), ServiceError> {
    let permit = work.authorize::<UpdateOrganization>(None)?;
    let id = work.standing()?.place.id;
    let row = store::organization::find_by_id(work.tx, id).await?.ok_or(ServiceError::NotFound)?;
    let mut mistakes = Mistakes::default();
    let name = mistakes.keep_given(edit.name.as_deref(), |name| input::name("name", name));
    let slug = mistakes.keep_given(edit.slug.as_deref(), |slug| input::slug("slug", slug));
    let mut settings = Settings::read(&row.settings)?;
    let before = settings.clone();
    if let Some(domains) = edit.allowed_domains {
        let check = |domains: Vec<String>| input::domains("settings.allowedDomains", &domains);
        settings.allowed_domains = mistakes.keep_given(domains, check);
    }
    if let Some(block) = edit.block_subaddress {
        settings.block_subaddress = block;
    }
    if let Some(require) = edit.require_second_factor {
        if let Some(session) = session.filter(|_| require && !settings.require_second_factor) {
            second_factor::has_proven(work, session).await?;
        }
        settings.require_second_factor = require;
    }
    mistakes.settle()?;
    let name = name.filter(|name| *name != row.name);
    let slug = slug.filter(|slug| *slug != row.slug);
    let settings = (settings != before).then_some(settings);
    if name.is_none() && slug.is_none() && settings.is_none() {
        return Ok(());
    }
    let detail = changes(&row, (name.as_deref(), slug.as_deref()), settings.as_ref().map(|new| (&before, new)));
    let settings = settings.map(serde_json::to_value).transpose();
    let settings = settings.map_err(|error| ServiceError::Internal(error.into()))?;
    let called = name.clone().unwrap_or_else(|| row.name.clone());
    let changes = OrganizationChanges { name, slug, settings };
    store::organization::update(work.tx, permit, id, changes, work.now).await.map_err(slug_taken)?;
    work.record(id, NewEntry::account("organization.updated", target("organization", id, &called)).detail(detail)).await
}

/// What an edit changed, from and to.
fn changes(
    row: &Organization,
    (name, slug): (Option<&str>, Option<&str>),
    settings: Option<(&Settings, &Settings)>,
) -> Value {
    let mut detail = serde_json::Map::new();
    if let Some(name) = name {
        detail.insert("name".to_owned(), json!({ "from": row.name, "to": name }));
    }
    if let Some(slug) = slug {
        detail.insert("slug".to_owned(), json!({ "from": row.slug, "to": slug }));
    }
    if let Some((before, after)) = settings {
        detail.insert("settings".to_owned(), json!({ "from": before, "to": after }));
    }
    Value::Object(detail)
}

/// Why this principal lacks a permission; `None` when it holds it.
#[must_use]
pub fn why_not(standing: &Standing, permission: &str, now: DateTime<Utc>) -> Option<Denial> {
    use crate::access::{Decision, Question, decide};
    match decide(&standing.blueprint.rules, &standing.facts, Question::Permission(permission), now) {
        Decision::Allow(_) => None,
        Decision::Deny(denial) => Some(denial),
    }
}
