//! Service accounts: the programs of an organization. What one may do is the role it is given, in the organization or on one app,
//! limited by the scopes of its tokens (`S4.13`, `S4.20`, `S4.R7`).

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{
    Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, Work,
    activity::{NewEntry, target},
    api_token::ApiToken,
    app::{self, SeenApp},
    grant::AccessGrant,
    input::{self, Mistakes},
    page::{Page, PageRequest},
    remedy,
    role::judge,
    share::Judge,
};
pub use crate::store::service_account::{ServiceAccount, ServiceAccountState};
use crate::{
    access::{
        Blueprint, Denial, Grantee, Held, Permit, Place,
        blueprint::document::{Holder, RoleLevel},
        delegation::{Gift, may_give, may_share, may_wield},
        verb::{AssignRole, CreateServiceAccount, DeleteServiceAccount, GrantAccess, UpdateServiceAccount, Verb},
    },
    id::new_id,
    store::{
        self,
        grant::{HeldRole, NewGrant, NewGrants, RoleGrant},
        service_account::{NewServiceAccount, ServiceAccountChanges},
    },
};

/// The permission that opens service accounts and API tokens.
pub(super) const MANAGE: &str = "tokens.manage";

/// The organization role that the blueprint has for programs, by key; `None` where it has none.
#[must_use]
pub fn role_of_programs(blueprint: &Blueprint) -> Option<&str> {
    let mut roles = blueprint.document().roles.iter();
    let role =
        roles.find(|(_, role)| role.level == RoleLevel::Organization && role.holders.contains(&Holder::ServiceAccount));
    role.map(|(key, _)| key.as_str())
}

/// Makes a service account that holds the role for programs. For holders of `tokens.manage` who may give that role, and for the
/// operator.
///
/// # Errors
/// [`ServiceError::Refused`] where the blueprint has no such role, [`ServiceError::Forbidden`].
pub(super) async fn create(
    work: &Work<'_>,
    organization: Uuid,
    blueprint: &Blueprint,
    name: String,
) -> Result<ServiceAccount, ServiceError> {
    let id = new_id();
    let permit = work.authorize::<CreateServiceAccount>(Some(id))?;
    let Some(role) = role_of_programs(blueprint) else {
        let message = "this organization's blueprint has no role for programs";
        return Err(UserError::new(UserErrorCode::NotInBlueprint, "", message).into());
    };
    let grantee = Grantee::ServiceAccount(id);
    let held = Held::Role(role.to_owned());
    may_give(blueprint, work.authority(), &Gift { grantee, held: &held, place: &Place::Organization, ancestors: &[] })?;
    let assign = work.authorize::<AssignRole>(Some(id))?;
    let new = NewServiceAccount { id, organization_id: organization, name, app: None, now: work.now };
    let account = store::service_account::insert(work.tx, permit, new).await?;
    let held = HeldRole { organization, grantee, role: role.to_owned() };
    let grant = RoleGrant { id: new_id(), held, expires_at: None, now: work.now };
    store::grant::assign_role(work.tx, assign, grant).await?;
    Ok(account)
}

/// A service account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Its name as shown.
    pub name: String,
    /// What it may do: a role for programs; else the one in the organization.
    pub role: Option<String>,
    /// The app on which it holds that role; `None`: in the organization.
    pub app: Option<Uuid>,
}

/// What is to change of a service account; `None` leaves it.
#[derive(Debug, Clone)]
pub struct AccountEdit {
    /// Which.
    pub account: Uuid,
    /// Another name.
    pub name: Option<String>,
    /// Enabled or disabled.
    pub state: Option<ServiceAccountState>,
}

/// What a service account holds, and its secrets that have not been revoked.
#[derive(Debug, Clone, Default)]
pub struct AccountDetails {
    /// What is given to it, in the order of giving.
    pub grants: Vec<AccessGrant>,
    /// The secrets, the newest first.
    pub tokens: Vec<ApiToken>,
    /// When one was last used, those that have been revoked among them (`S4.R8`).
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A service account that the author of a change may manage.
#[derive(Debug)]
pub(super) struct Managed {
    /// The account.
    pub(super) account: ServiceAccount,
    /// What it holds.
    pub(super) grants: Vec<AccessGrant>,
    /// The apps on which it holds it.
    apps: Vec<SeenApp>,
    /// Whether the author may by what it holds on those apps alone.
    there: bool,
}

impl Managed {
    /// The service account of this id: for who may manage tokens in the organization, or on every app where something is given to
    /// the account and nowhere else.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for who may manage none, [`ServiceError::NotFound`] for one that is not there, or not the
    /// author's to manage.
    pub(super) async fn find(work: &Work<'_>, id: Uuid) -> Result<Self, ServiceError> {
        let standing = work.standing()?;
        let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
        let everywhere = work.authorize::<CreateServiceAccount>(None);
        let there = everywhere.is_err();
        if there && (standing.rights.inactive().is_some() || standing.rights.apps_with(rules, MANAGE).is_empty()) {
            everywhere?;
        }
        let account = store::service_account::find_by_id(work.tx, organization, id).await?;
        let account = account.ok_or(ServiceError::NotFound)?;
        let grants = store::grant::of_grantees(work.tx, organization, &[id]).await?;
        let apps = app::on(work.tx, organization, &grants).await?;
        let only_there = !grants.is_empty() && grants.iter().all(|grant| grant.place != Place::Organization);
        let may = only_there && apps.iter().all(|app| standing.rights.holds_on(rules, MANAGE, &app.place()));
        if there && !may && !crate::ablate::off("account_place") {
            return Err(ServiceError::NotFound);
        }
        Ok(Self { account, grants, apps, there })
    }

    /// The permit: for the account, or for an app on which it holds something.
    pub(super) fn permit<V: Verb>(&self, work: &Work<'_>) -> Result<Permit<V>, ServiceError> {
        match self.apps.first().filter(|_| self.there) {
            Some(app) => work.authorize_on::<V>(&app.place()),
            None => work.authorize::<V>(Some(self.account.id)),
        }
    }

    /// Whether the author may have a secret of the account: whoever has it can do as much.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] at this field.
    pub(super) fn may_be_wielded(&self, work: &Work<'_>, field: &str) -> Result<(), ServiceError> {
        self.judge_each(work, field, may_wield)
    }

    /// Whether the author could share all that the account holds.
    fn within_bounds(&self, work: &Work<'_>, field: &str) -> Result<(), ServiceError> {
        self.judge_each(work, field, may_share)
    }

    fn judge_each(&self, work: &Work<'_>, field: &str, rule: Judge) -> Result<(), ServiceError> {
        let rules = &work.standing()?.blueprint.rules;
        for grant in &self.grants {
            let app = super::invitation::app_of(&grant.place);
            let app = app.and_then(|id| self.apps.iter().find(|app| app.app.id == id));
            let ancestors = app.map(|app| app.above.ids.as_slice()).unwrap_or_default();
            let gift = Gift { grantee: grant.grantee, held: &grant.held, place: &grant.place, ancestors };
            judge(rule(rules, work.authority(), &gift)).map_err(|denial| {
                UserError::not_given(field, &denial).remedy("Ask somebody who holds as much as the program does.")
            })?;
        }
        Ok(())
    }
}

/// Makes a service account with a role in the organization, or on one app.
async fn create_placed(work: &Work<'_>, new: NewAccount) -> Result<Uuid, ServiceError> {
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let app = match new.app {
        Some(app) => Some(app::get_seen(work, app).await?),
        None => None,
    };
    let id = new_id();
    let permit = match &app {
        Some(app) => work.authorize_on::<CreateServiceAccount>(&app.place())?,
        None => work.authorize::<CreateServiceAccount>(Some(id))?,
    };
    let mut mistakes = Mistakes::default();
    let name = mistakes.keep(input::name("name", &new.name));
    let default = || role_of_programs(blueprint).filter(|_| app.is_none()).map(str::to_owned);
    let role = new.role.or_else(default);
    if role.is_none() {
        let missing = UserError::new(UserErrorCode::Missing, "role", "no role is chosen");
        mistakes.push(missing.remedy("Choose a role for programs that is held there."));
    }
    let (Some(name), Some(key)) = (name, role) else { return Err(mistakes.refused()) };
    let held = Held::Role(key.clone());
    let place =
        app.as_ref().map_or(Place::Organization, |app| Place::App { id: app.app.id, kind: app.app.kind.clone() });
    let ancestors = app.as_ref().map(|app| app.above.ids.as_slice()).unwrap_or_default();
    let grantee = Grantee::ServiceAccount(id);
    let gift = Gift { grantee, held: &held, place: &place, ancestors };
    let on_kind = app.as_ref().map(|app| app.app.kind.as_str());
    mistakes.keep(
        judge(may_give(blueprint, work.authority(), &gift))
            .map_err(|denial| remedy::not_given_to(blueprint, ("role", Holder::ServiceAccount, on_kind), &denial)),
    );
    mistakes.settle()?;
    let app_id = app.as_ref().map(|app| app.app.id);
    let new = NewServiceAccount { id, organization_id: organization, name, app: app_id, now: work.now };
    let account = store::service_account::insert(work.tx, permit, new).await?;
    match &app {
        Some(app) => {
            let permit = work.authorize_on::<GrantAccess>(&app.place())?;
            let grant = NewGrant { id: new_id(), grantee, held, place, expires_at: None };
            let new = NewGrants { organization, grants: vec![grant], now: work.now };
            store::grant::insert_many(work.tx, permit, new).await?;
        }
        None => {
            let permit = work.authorize::<AssignRole>(Some(id))?;
            let held = HeldRole { organization, grantee, role: key.clone() };
            let grant = RoleGrant { id: new_id(), held, expires_at: None, now: work.now };
            store::grant::assign_role(work.tx, permit, grant).await?;
        }
    }
    let entry = NewEntry::account("service_account.created", target("service_account", id, &account.name));
    let entry = match &app {
        Some(app) => entry.in_app(app.app.id, &app.app.name),
        None => entry,
    };
    work.record(organization, entry.detail(json!({ "role": key }))).await?;
    Ok(id)
}

async fn update(work: &Work<'_>, edit: AccountEdit) -> Result<Uuid, ServiceError> {
    let managed = Managed::find(work, edit.account).await?;
    let organization = work.standing()?.place.id;
    let before = &managed.account;
    let mut mistakes = Mistakes::default();
    let name = mistakes.keep_given(edit.name, |name| input::name("name", &name));
    mistakes.settle()?;
    let changes = ServiceAccountChanges {
        name: name.filter(|name| *name != before.name),
        state: edit.state.filter(|state| *state != before.state),
    };
    if changes.name.is_none() && changes.state.is_none() {
        return Ok(before.id);
    }
    if changes.state == Some(ServiceAccountState::Active) {
        managed.within_bounds(work, "serviceAccount")?;
    }
    let permit = managed.permit::<UpdateServiceAccount>(work)?;
    let action = match changes.state {
        Some(ServiceAccountState::Disabled) => "service_account.disabled",
        Some(ServiceAccountState::Active) => "service_account.enabled",
        None => "service_account.updated",
    };
    let after = store::service_account::update(work.tx, permit, (organization, before.id), changes).await?;
    let entry = NewEntry::account(action, target("service_account", after.id, &after.name));
    let entry = in_its_app(work, entry, (organization, after.id)).await?;
    work.record(organization, entry.detail(json!({ "before": told(before), "after": told(&after) }))).await?;
    Ok(after.id)
}

async fn delete(work: &Work<'_>, id: Uuid) -> Result<Uuid, ServiceError> {
    let managed = Managed::find(work, id).await?;
    let organization = work.standing()?.place.id;
    let permit = managed.permit::<DeleteServiceAccount>(work)?;
    let entry = NewEntry::account("service_account.deleted", target("service_account", id, &managed.account.name));
    let entry = in_its_app(work, entry, (organization, id)).await?;
    store::service_account::delete(work.tx, permit, organization, id).await?;
    work.record(organization, entry).await?;
    Ok(id)
}

/// What an entry tells of a service account.
fn told(account: &ServiceAccount) -> serde_json::Value {
    let state = match account.state {
        ServiceAccountState::Active => "active",
        ServiceAccountState::Disabled => "disabled",
    };
    json!({ "name": account.name, "state": state })
}

/// An entry about a service account, in the app where it holds all that it does.
pub(super) async fn in_its_app(
    work: &Work<'_>,
    entry: NewEntry,
    (organization, account): (Uuid, Uuid),
) -> Result<NewEntry, ServiceError> {
    let grants = store::grant::of_grantees(work.tx, organization, &[account]).await?;
    let apps = app::on(work.tx, organization, &grants).await?;
    let elsewhere = grants.iter().any(|grant| grant.place == Place::Organization);
    Ok(match apps.as_slice() {
        [SeenApp { app, .. }] if !elsewhere => entry.in_app(app.id, &app.name),
        _ => entry,
    })
}

/// The caller's place, if it may manage tokens.
pub(super) fn manager(access: &Access) -> Result<&std::sync::Arc<super::Standing>, ServiceError> {
    let standing = access.standing()?;
    if let Some(denial) = standing.rights.inactive() {
        return Err(denial.into());
    }
    if standing.rights.holds(MANAGE) {
        Ok(standing)
    } else {
        Err(Denial::MissingPermission { permission: MANAGE.to_owned() }.into())
    }
}

impl Service {
    /// The service accounts of the caller's organization, in the order of creation. For holders of `tokens.manage`.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission.
    pub async fn list_service_accounts(
        &self,
        access: &Access,
        request: &PageRequest,
    ) -> Result<Page<ServiceAccount>, ServiceError> {
        let visibility = manager(access)?.rights.visible_by(MANAGE);
        Ok(store::service_account::list(&self.store().read(), &visibility, None, request).await?)
    }

    /// The service accounts to which something is given on an app, in the order of creation. For holders of `tokens.manage` in the
    /// organization, on the app or above it.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission.
    pub async fn service_accounts_on(
        &self,
        access: &Access,
        app: &SeenApp,
        request: &PageRequest,
    ) -> Result<Page<ServiceAccount>, ServiceError> {
        let standing = access.standing()?;
        let rules = &standing.blueprint.rules;
        if let Some(denial) = standing.rights.denied_on(rules, MANAGE, &app.place()) {
            return Err(denial.into());
        }
        let visibility = standing.rights.visible_on(rules, MANAGE, &app.place());
        Ok(store::service_account::list(&self.store().read(), &visibility, Some(app.app.id), request).await?)
    }

    /// Of these service accounts, those the caller sees: all for who may manage them, those on its apps for who may there, itself
    /// for a program.
    async fn seen_accounts(&self, access: &Access, ids: &[Uuid]) -> Result<HashSet<Uuid>, ServiceError> {
        let itself = access.standing()?.facts.principal;
        let mut seen = self.within_reach(access, MANAGE, ids).await?;
        if itself.as_member().is_none() && ids.contains(&itself.id) {
            seen.insert(itself.id);
        }
        Ok(seen)
    }

    /// Service accounts by id, in no order, as far as the caller sees them.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn find_service_accounts(
        &self,
        access: &Access,
        ids: &[Uuid],
    ) -> Result<Vec<ServiceAccount>, ServiceError> {
        let Some(standing) = &access.standing else { return Ok(Vec::new()) };
        let ids: Vec<Uuid> = self.seen_accounts(access, ids).await?.into_iter().collect();
        Ok(store::service_account::find_many(&self.store().read(), standing.place.id, &ids).await?)
    }

    /// What these service accounts hold, and their secrets, as far as the caller sees the accounts; for batched loading. Four
    /// statements, whatever their number.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn account_details(
        &self,
        access: &Access,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, AccountDetails>, ServiceError> {
        let organization = access.standing()?.place.id;
        let ids: Vec<Uuid> = self.seen_accounts(access, ids).await?.into_iter().collect();
        let mut details: HashMap<Uuid, AccountDetails> =
            ids.iter().map(|id| (*id, AccountDetails::default())).collect();
        let reader = self.store().read();
        for grant in store::grant::of_grantees(&reader, organization, &ids).await? {
            if let Some(of) = grant.grantee.row().and_then(|id| details.get_mut(&id)) {
                of.grants.push(grant);
            }
        }
        for (account, last_used_at) in store::api_token::last_uses(&reader, organization, &ids).await? {
            if let Some(of) = details.get_mut(&account) {
                of.last_used_at = Some(last_used_at);
            }
        }
        for token in store::api_token::of_accounts(&reader, organization, &ids).await? {
            if let Some(of) = details.get_mut(&token.principal.id) {
                of.tokens.push(token);
            }
        }
        Ok(details)
    }

    /// Makes a service account with a role in the organization or on one app; its id. Holders of `tokens.manage` there may, giving
    /// only what is theirs to give.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] for a role that programs cannot hold there, [`ServiceError::NotFound`] for an app that the caller
    /// does not see.
    pub async fn create_service_account(
        &self,
        access: &Access,
        new: NewAccount,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("createServiceAccount", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { create_placed(work, new).await })).await?.value)
    }

    /// Renames a service account, enables or disables it; its id. Holders of `tokens.manage` where it holds something may.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for one that the caller may not manage, [`ServiceError::Refused`].
    pub async fn update_service_account(
        &self,
        access: &Access,
        edit: AccountEdit,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("updateServiceAccount", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { update(work, edit).await })).await?.value)
    }

    /// Deletes a service account with its tokens; its id. Holders of `tokens.manage` where it holds something may.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for one that the caller may not manage.
    pub async fn delete_service_account(
        &self,
        access: &Access,
        account: Uuid,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("deleteServiceAccount", access)?.repeatable(idempotency);
        Ok(self.mutate(change, move |work| Box::pin(async move { delete(work, account).await })).await?.value)
    }
}
