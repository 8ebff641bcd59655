//! Service accounts: the programs of an organization. What one may do is the role that the blueprint has for programs, limited
//! by the scopes of the token it comes with.

use uuid::Uuid;

use super::{
    Access, Service, ServiceError, UserError, UserErrorCode, Work,
    page::{Page, PageRequest},
};
pub use crate::store::service_account::{ServiceAccount, ServiceAccountState};
use crate::{
    access::{
        Blueprint, Denial, Grantee, Held, Place,
        blueprint::document::{Holder, RoleLevel},
        delegation::{Gift, may_give},
        verb::{AssignRole, CreateServiceAccount},
    },
    id::new_id,
    store::{
        self,
        grant::{HeldRole, RoleGrant},
        service_account::NewServiceAccount,
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
    let new = NewServiceAccount { id, organization_id: organization, name, now: work.now };
    let account = store::service_account::insert(work.tx, permit, new).await?;
    let held = HeldRole { organization, grantee, role: role.to_owned() };
    let grant = RoleGrant { id: new_id(), held, expires_at: None, now: work.now };
    store::grant::assign_role(work.tx, assign, grant).await?;
    Ok(account)
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
        Ok(store::service_account::list(&self.store().read(), &visibility, request).await?)
    }

    /// Service accounts by id, in no order: for those who may manage them all, for a program itself alone.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn find_service_accounts(
        &self,
        access: &Access,
        ids: &[Uuid],
    ) -> Result<Vec<ServiceAccount>, ServiceError> {
        let Some(standing) = &access.standing else { return Ok(Vec::new()) };
        let itself = standing.facts.principal;
        let seen = |id: &&Uuid| standing.rights.holds(MANAGE) || (itself.as_member().is_none() && itself.id == **id);
        let ids: Vec<Uuid> = ids.iter().filter(seen).copied().collect();
        Ok(store::service_account::find_many(&self.store().read(), standing.place.id, &ids).await?)
    }
}
