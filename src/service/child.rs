//! Organizations below others: an account's sub-accounts (`S2.42`).
//!
//! A child lives by rules of its own and is a tenant of its own: nobody is in it because of a place in its parent. Who may
//! create one, and of which blueprints, the parent's blueprint says.

use serde_json::json;
use uuid::Uuid;

use super::{
    Access, Actor, Change, Changed, Idempotency, Service, ServiceError, Standing, UserError, UserErrorCode, Work,
    activity::{NewEntry, target},
    membership::{MemberState, Membership},
    organization::{self, Founded, Founder, Organization, OrganizationInput, why_not},
    page::{Page, PageRequest, Position, SortKey},
};
use crate::{
    ablate,
    access::{Denial, verb::CreateChild},
    store::{self, Reader},
};

/// How many organizations may stand above one.
const DEPTH: usize = 8;

/// Where a child stands in lists: by name.
#[must_use]
pub fn position(child: &Organization) -> Position {
    Position { key: SortKey::Text(child.name.clone()), id: child.id }
}

impl Service {
    /// Opens an organization below the one the caller is in, which is named by its slug. The caller becomes its first member.
    /// Holders of `children.create` may.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for another parent than that, [`ServiceError::Refused`] for a blueprint that cannot stand
    /// there, and as [`Service::create_organization`].
    pub async fn create_child(
        &self,
        access: &Access,
        (parent, input): (String, OrganizationInput),
        idempotency: Option<Idempotency>,
    ) -> Result<Changed<Founded>, ServiceError> {
        let place = &access.standing()?.place;
        if place.slug != parent {
            return Err(ServiceError::NotFound);
        }
        let change = Change::in_organization("createOrganization", access)?.repeatable(idempotency);
        let person = access.person.clone().ok_or(Denial::PeopleOnly)?;
        let founder = Founder { user: person.id, email: person.email, name: person.name };
        self.mutate(change, move |work| Box::pin(async move { create(work, founder, input).await })).await
    }

    /// The open organizations below the caller's, by name. Holders of `children.read` may see them.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] without the permission.
    pub async fn children(&self, access: &Access, request: &PageRequest) -> Result<Page<Organization>, ServiceError> {
        let standing = access.standing()?;
        if !standing.rights.holds("children.read") {
            return Err(Denial::MissingPermission { permission: "children.read".to_owned() }.into());
        }
        let visible = standing.rights.visible_by("children.read");
        Ok(store::organization::list_children(&self.store().read(), &visible, request).await?)
    }
}

impl Service {
    /// Why the caller cannot delete its organization at the moment; empty: it can.
    ///
    /// # Errors
    /// When the database cannot say.
    pub async fn deletion_obstacles(&self, standing: &Standing) -> Result<Vec<UserError>, ServiceError> {
        if let Some(denial) = why_not(standing, "organization.delete", self.now()) {
            return Ok(vec![denial.into()]);
        }
        Ok(below(&self.store().read(), standing).await?.into_iter().collect())
    }

    /// The caller's place in the organization above its own; `None` where there is none above, or the caller has none there.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn parent_membership(&self, access: &Access) -> Result<Option<Membership>, ServiceError> {
        let own = access.standing()?.place.id;
        let row = store::organization::find_by_id(&self.store().read(), own).await?;
        let Some(parent) = row.and_then(|row| row.parent_id) else { return Ok(None) };
        if access.user_id().is_none() {
            return Ok(None);
        }
        let place = self.own_membership(access, parent).await?;
        Ok(place.filter(|place| place.member.is_some_and(|(_, state)| state == MemberState::Active)))
    }
}

/// What stands in the way of creating an organization below the caller's.
#[must_use]
pub fn obstacles(standing: &Standing) -> Vec<UserError> {
    let denial = standing.rights.inactive().or_else(|| {
        let permission = "children.create";
        (!standing.rights.holds(permission)).then(|| Denial::MissingPermission { permission: permission.to_owned() })
    });
    if let Some(denial) = denial {
        return vec![UserError::from(denial)];
    }
    if standing.blueprint.rules.document().children.blueprints.is_empty() {
        return vec![UserError::new(
            UserErrorCode::NotInBlueprint,
            "parent",
            "no organization can stand below this one",
        )];
    }
    Vec::new()
}

async fn create(work: &Work<'_>, founder: Founder, input: OrganizationInput) -> Result<Founded, ServiceError> {
    // INVARIANT: the permit says that the author may; what it allows is done as the person.
    let _permit = work.authorize::<CreateChild>(None)?;
    let standing = work.standing()?;
    let (parent, allowed) = (&standing.place, &standing.blueprint.rules.document().children.blueprints);
    if !allowed.contains(&input.blueprint) && !ablate::off("child_blueprint") {
        let refusal =
            UserError::new(UserErrorCode::NotInBlueprint, "blueprint", "such an organization cannot stand here");
        return Err(if allowed.is_empty() {
            refusal
        } else {
            refusal.remedy(format!("Choose among `{}`.", allowed.join("`, `")))
        }
        .into());
    }
    ensure_not_too_deep(work, parent.id).await?;
    let actor = Actor::User { id: founder.user, name: founder.name.clone() };
    let person = Work { tx: work.tx, service: work.service, now: work.now, actor, mailbag: work.mailbag.clone() };
    let called = input.name.trim().to_owned();
    let founded = organization::found(&person, founder, input, Some(parent.id)).await?;
    let entry = NewEntry::account("child.created", target("organization", founded.organization, &called));
    work.record(parent.id, entry.detail(json!({}))).await?;
    Ok(founded)
}

async fn ensure_not_too_deep(work: &Work<'_>, parent: Uuid) -> Result<(), ServiceError> {
    let mut above = Some(parent);
    for _ in 0..DEPTH {
        let Some(id) = above else { return Ok(()) };
        above = store::organization::find_by_id(work.tx, id).await?.and_then(|row| row.parent_id);
    }
    let message = format!("at most {DEPTH} organizations stand above another");
    Err(UserError::new(UserErrorCode::Invalid, "parent", message).remedy("Create it further up.").into())
}

/// Refuses to close an organization while others stand below it.
///
/// # Errors
/// [`ServiceError::Refused`] with what to do first.
pub(super) async fn ensure_none(work: &Work<'_>) -> Result<(), ServiceError> {
    match below(work.tx, work.standing()?).await? {
        Some(refusal) if !ablate::off("parent_deletion") => Err(refusal.into()),
        Some(_) | None => Ok(()),
    }
}

/// Why who may delete an organization cannot at the moment: what stands below it, and what to do first.
async fn below(reader: &impl Reader, standing: &Standing) -> Result<Option<UserError>, ServiceError> {
    let visible = standing.rights.visible_by("organization.delete");
    let request = PageRequest { first: Some(1), total: true, ..PageRequest::default() };
    let below = store::organization::list_children(reader, &visible, &request).await?;
    let message = match below.total.unwrap_or_default() {
        0 => return Ok(None),
        1 => "an organization stands below this one".to_owned(),
        count => format!("{count} organizations stand below this one"),
    };
    Ok(Some(UserError::new(UserErrorCode::StateChanged, "", message).remedy("Delete those first.")))
}
