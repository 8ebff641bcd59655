//! Members: people's places in an organization, who sees them, and how they go.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

mod edit;
mod restore;
mod state;

pub use self::{
    edit::{EditedMember, MemberEdit},
    restore::RestoreMember,
    state::StateStep,
};
pub use crate::store::member::{Member, MemberState};

use super::{
    Access, Change, Idempotency, Person, Service, ServiceError, Standing, UserError, UserErrorCode, Work,
    activity::{NewEntry, target},
    consequence,
    input::{self, Mistakes},
    invitation::{self, Invitation},
    page::{Page, PageRequest, Position, SortKey},
    role::{self, Remaining},
    seat::{self, SeatUsage},
};
use crate::{
    access::{
        Blueprint, Denial,
        blueprint::document::OnRemove,
        verb::{LeaveOrganization, RemoveMember},
    },
    mail::{AccessNotice, NoticeMail},
    store::{
        self, StoreError,
        member::{Departure, Holding, MemberFilter, Removal},
    },
};

/// Which members to list; nothing set is everyone who has not left.
#[derive(Debug, Clone, Default)]
pub struct MemberQuery {
    /// In one of these states; empty: everyone but the archived.
    pub states: Vec<MemberState>,
    /// Whose name, address or login name contains this.
    pub search: Option<String>,
    /// Who hold this organization role.
    pub role: Option<String>,
}

/// Other names for a member; `None` leaves one, an empty first or last name takes it away.
#[derive(Debug, Clone, Default)]
pub struct MemberNames {
    /// The name as shown.
    pub name: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
}

/// What is known of an organization's holders: what pages of members need once.
#[derive(Debug, Clone, Default)]
pub struct Holders {
    /// The longest-standing holders of roles that have a primary one (`Q26`).
    pub primary: Vec<Uuid>,
    /// How many hold each role that somebody must hold.
    pub counts: HashMap<String, u64>,
    /// The refusals of whose going would leave an app with too few holders of a role (`S4.R5`).
    pub last_on_apps: HashMap<Uuid, Vec<UserError>>,
}

/// What stands in the way of changing a member; nothing in a list: it can be done.
#[derive(Debug, Clone, Default)]
pub struct Obstacles {
    /// Of changing its access.
    pub edit_access: Vec<UserError>,
    /// Of removing it.
    pub remove: Vec<UserError>,
    /// Of changing its role.
    pub change_role: Vec<UserError>,
    /// Of shutting it out for a while.
    pub suspend: Vec<UserError>,
    /// Of letting it in again.
    pub reactivate: Vec<UserError>,
    /// Of bringing it back after it was archived.
    pub restore: Vec<UserError>,
}

/// How many members are in each state: the tabs of the list (`S2.7`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemberCounts {
    /// Active ones.
    pub active: u64,
    /// Invited ones.
    pub pending: u64,
    /// Suspended ones.
    pub suspended: u64,
    /// Those who have left.
    pub archived: u64,
}

/// Where a member stands in lists: by name.
#[must_use]
pub fn position(member: &Member) -> Position {
    Position { key: SortKey::Text(member.name.clone()), id: member.id }
}

/// Whether anyone ever took the place, or still may.
fn is_place(member: &Member) -> bool {
    member.state != MemberState::Archived || member.joined_at.is_some()
}

/// The member of this id that the author of a change sees, and who has not left.
pub(super) async fn get_present(work: &Work<'_>, id: Uuid) -> Result<Member, ServiceError> {
    let standing = work.standing()?;
    let visible = standing.rights.visible_members();
    if !store::member::visible_ids(work.tx, &visible, &[id]).await?.contains(&id) {
        return Err(ServiceError::NotFound);
    }
    let found = store::member::find_by_id(work.tx, standing.place.id, id).await?;
    let member = found.filter(is_place).ok_or(ServiceError::NotFound)?;
    if member.state == MemberState::Archived {
        return Err(UserError::new(UserErrorCode::StateChanged, "member", "this person has left")
            .remedy("Invite the person again.")
            .into());
    }
    Ok(member)
}

impl Service {
    /// The members the caller sees, by name: everyone with `members.read`, else oneself.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn members(
        &self,
        access: &Access,
        query: MemberQuery,
        request: &PageRequest,
    ) -> Result<Page<Member>, ServiceError> {
        let standing = access.standing()?;
        let mut filter = self.filter(&standing.blueprint.rules, query)?;
        if filter.states.is_empty() {
            filter.states = vec![MemberState::Pending, MemberState::Active, MemberState::Suspended];
        }
        let visible = standing.rights.visible_members();
        Ok(store::member::list(&self.store().read(), &visible, &filter, request).await?)
    }

    /// How many of the members the caller sees are in each state. One statement.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn member_counts(&self, access: &Access, query: MemberQuery) -> Result<MemberCounts, ServiceError> {
        let standing = access.standing()?;
        let (visible, filter) = (standing.rights.visible_members(), self.filter(&standing.blueprint.rules, query)?);
        let mut counts = MemberCounts::default();
        for (state, count) in store::member::count_by_state(&self.store().read(), &visible, &filter).await? {
            match state {
                MemberState::Active => counts.active = count,
                MemberState::Pending => counts.pending = count,
                MemberState::Suspended => counts.suspended = count,
                MemberState::Archived => counts.archived = count,
            }
        }
        Ok(counts)
    }

    fn filter(&self, rules: &Blueprint, query: MemberQuery) -> Result<MemberFilter, ServiceError> {
        Ok(MemberFilter {
            states: query.states,
            search: searched(query.search)?,
            role: query.role.map(|name| Holding { role: role::canonical(rules, &name), now: self.now() }),
            team: None,
            apps: None,
        })
    }

    /// The members of these ids, as far as the caller sees them; for batched loading.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn members_by_id(&self, access: &Access, ids: &[Uuid]) -> Result<HashMap<Uuid, Member>, ServiceError> {
        let standing = access.standing()?;
        let visible = standing.rights.visible_members();
        let reader = self.store().read();
        let shown: Vec<Uuid> = store::member::visible_ids(&reader, &visible, ids).await?.into_iter().collect();
        if shown.is_empty() {
            return Ok(HashMap::new());
        }
        let found = store::member::find_many(&reader, standing.place.id, &shown).await?;
        Ok(found.into_iter().filter(is_place).map(|member| (member.id, member)).collect())
    }

    /// The organization roles of these members, by key in the order of giving; for batched loading.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn roles_of_members(
        &self,
        access: &Access,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<String>>, ServiceError> {
        let organization = access.standing()?.place.id;
        let pairs = store::member::roles_of_members(&self.store().read(), organization, ids, self.now()).await?;
        let mut roles: HashMap<Uuid, Vec<String>> = ids.iter().map(|id| (*id, Vec::new())).collect();
        for (member, role) in pairs {
            roles.entry(member).or_default().push(role);
        }
        Ok(roles)
    }

    /// The newest invitation of each of these members, for those who may invite; for batched loading.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn invitations_of_members(
        &self,
        access: &Access,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, Invitation>, ServiceError> {
        let standing = access.standing()?;
        let ids = self.invited_by_right(access, ids).await?;
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found = store::invitation::of_members(&self.store().read(), standing.place.id, &ids).await?;
        Ok(found.into_iter().map(|invitation| (invitation.member_id, invitation)).collect())
    }

    /// The accounts of these ids, which are those of members the caller sees; for batched loading.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn people(&self, access: &Access, ids: &[Uuid]) -> Result<HashMap<Uuid, Person>, ServiceError> {
        access.standing()?;
        let found = store::user::find_many(&self.store().read(), ids).await?.into_iter();
        Ok(found.map(|user| (user.id, Person { id: user.id, email: user.email, name: user.name })).collect())
    }

    /// Who are the primary holders, and how many hold the roles that somebody must hold: one statement a role, whatever the
    /// size of the page.
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn holders(&self, access: &Access) -> Result<Holders, ServiceError> {
        let standing = access.standing()?;
        let (organization, reader) = (standing.place.id, self.store().read());
        let mut holders = Holders::default();
        for (key, role) in &standing.blueprint.rules.document().roles {
            if role.primary {
                let primary = store::member::primary_holder(&reader, organization, key, self.now()).await?;
                holders.primary.extend(primary);
            }
            if role.min_holders > 0 {
                let count = store::member::count_holders(&reader, organization, key, role::end_of_days()).await?;
                holders.counts.insert(key.clone(), count);
            }
        }
        holders.last_on_apps = self.last_on_apps(access).await?;
        Ok(holders)
    }

    /// Whose going would leave an app with too few holders of a role, and why: three statements where the blueprint has such a
    /// role, else none.
    async fn last_on_apps(&self, access: &Access) -> Result<HashMap<Uuid, Vec<UserError>>, ServiceError> {
        let standing = access.standing()?;
        let (organization, rules) = (standing.place.id, &standing.blueprint.rules);
        let kept = rules.kept_on_apps();
        let mut last: HashMap<Uuid, Vec<UserError>> = HashMap::new();
        if kept.is_empty() {
            return Ok(last);
        }
        let held =
            store::grant::holders_on_apps(&self.store().read(), organization, &kept, role::end_of_days()).await?;
        let directory = self.directory(access).await?;
        for ((app, key), members) in &held {
            let Some(role) = rules.document().roles.get(key) else { continue };
            // Where there are too few already, nothing more is asked.
            if members.len() != role.min_holders as usize {
                continue;
            }
            let seen = directory.find(*app).filter(|app| app.is_seen_by(standing));
            let name = seen.map(|app| app.app.name.as_str());
            let refusal = consequence::last_on_app(&role.label, members.len(), name);
            for member in members {
                last.entry(*member).or_default().push(refusal.clone());
            }
        }
        Ok(last)
    }

    /// What stands in the way of leaving (`S3.60` to `S3.64`).
    ///
    /// # Errors
    /// As for a caller without a place.
    pub async fn obstacles_to_leaving(&self, access: &Access) -> Result<Vec<UserError>, ServiceError> {
        let standing = access.standing()?;
        let Some(member) = standing.facts.principal.as_member().filter(|_| access.person.is_some()) else {
            return Ok(vec![UserError::from(Denial::PeopleOnly)]);
        };
        if let Some(denial) = standing.rights.inactive() {
            return Ok(vec![denial.into()]);
        }
        if !standing.blueprint.rules.document().removal.may_leave {
            return Ok(vec![may_not_leave()]);
        }
        let roles: Vec<String> = standing.rights.roles().map(str::to_owned).collect();
        let holders = self.holders(access).await?;
        let mut found = last_of(standing, &roles, &holders, "then leave");
        found.extend(holders.last_on_apps.get(&member).into_iter().flatten().cloned());
        Ok(found)
    }

    /// Removes a member, at once and with everything it holds (`S3.50` to `S3.54`). Holders of `members.remove` may, where
    /// they may also take the member's roles; not oneself.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] without the confirmation, for oneself, and for the last holder of a role.
    pub async fn remove_member(
        &self,
        access: &Access,
        departing: Departing,
        idempotency: Option<Idempotency>,
    ) -> Result<Removed, ServiceError> {
        let change = Change::in_organization("removeMember", access)?.repeatable(idempotency).about("member");
        let changed = self.mutate(change, move |work| Box::pin(async move { remove(work, departing).await })).await?;
        let left = changed.posted.left().await;
        Ok(Removed { notified: left.unwrap_or(changed.value.notified), ..changed.value })
    }

    /// Leaves the caller's organization (`S3.60`); the organization's id. Every member may, where the blueprint lets it.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] without the confirmation, where leaving is not allowed, and for the last holder of a role.
    pub async fn leave_organization(
        &self,
        access: &Access,
        confirm: bool,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::in_organization("leaveOrganization", access)?.repeatable(idempotency);
        // Leaving is a person's own act, never a token's.
        if access.person.is_none() {
            return Err(Denial::PeopleOnly.into());
        }
        let changed = self.mutate(change, move |work| Box::pin(async move { leave(work, confirm).await })).await?;
        Ok(changed.value)
    }
}

/// Who is to go.
#[derive(Debug, Clone, Copy)]
pub struct Departing {
    /// The member.
    pub member: Uuid,
    /// Whether the caller has confirmed it.
    pub confirm: bool,
    /// Whether to tell the person by mail (`S3.73`).
    pub notify: bool,
}

/// Who has gone.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub struct Removed {
    /// The member.
    pub member: Uuid,
    /// Whether the person has been told by mail.
    pub notified: bool,
}

/// What is known of who may come back, for a member who is suspended or archived.
#[derive(Debug, Clone, Default)]
pub struct Return {
    /// How full the seat pools are.
    pub seats: Arc<Vec<SeatUsage>>,
    /// The refusal of a person who has another place by now.
    pub here_again: Option<UserError>,
}

impl Member {
    /// Whether it depends on others whether it can come back, and the caller might bring it: then [`Return`] is asked for.
    #[must_use]
    pub fn could_return(&self, standing: &Standing) -> bool {
        let rights = &standing.rights;
        rights.inactive().is_none()
            && match self.state {
                MemberState::Suspended => rights.holds("members.update"),
                MemberState::Archived => rights.holds("members.invite"),
                MemberState::Pending | MemberState::Active => false,
            }
    }

    /// What stands in the way of its coming back, beside its own state: no free seat, or another place.
    fn stays_away(&self, standing: &Standing, roles: &[String], back: &Return) -> Vec<UserError> {
        match self.state {
            MemberState::Suspended => {
                let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
                seat::full(seat::Within::of(standing), &back.seats, &roles)
            }
            MemberState::Archived => {
                let mut found: Vec<UserError> = back.here_again.iter().cloned().collect();
                found.extend(invitation::no_room(standing, &back.seats));
                found
            }
            MemberState::Pending | MemberState::Active => Vec::new(),
        }
    }
}

/// What stands in the caller's way of changing this member, who holds these roles.
#[must_use]
pub fn obstacles(
    standing: &Standing,
    (member, back): (&Member, &Return),
    roles: &[String],
    holders: &Holders,
) -> Obstacles {
    let blueprint = &standing.blueprint.rules;
    let lacking = |permission: &str| {
        let denial = standing.rights.inactive().or_else(|| {
            (!standing.rights.holds(permission))
                .then(|| Denial::MissingPermission { permission: permission.to_owned() })
        });
        denial.map(UserError::from).into_iter().collect::<Vec<_>>()
    };
    let mut found = Obstacles {
        edit_access: lacking("access.grant"),
        remove: lacking("members.remove"),
        change_role: lacking("roles.assign"),
        suspend: lacking("members.update"),
        reactivate: lacking("members.update"),
        restore: lacking("members.invite"),
    };
    let is_self = standing.facts.principal.as_member() == Some(member.id);
    let gone = member.state == MemberState::Archived;
    let taken = role::may_take(blueprint, &standing.rights, roles);
    let not_taken = taken.as_ref().err().map(|denial| role::not_below(blueprint, "member", denial));
    if gone {
        let left = || UserError::new(UserErrorCode::StateChanged, "member", "this person has left");
        for list in [&mut found.edit_access, &mut found.remove, &mut found.change_role] {
            list.push(left());
        }
    } else if is_self {
        found.change_role.extend(role::bound(blueprint, roles));
        found.remove.push(not_oneself());
        found.suspend.push(state::not_oneself());
        found.reactivate.push(state::not_oneself());
    } else if let Some(refusal) = not_taken {
        for list in [&mut found.remove, &mut found.change_role, &mut found.suspend, &mut found.reactivate] {
            list.push(refusal.clone());
        }
    }
    if !gone && !is_self {
        let above = role::may_edit_access(blueprint, &standing.rights, roles).err();
        found.edit_access.extend(above.map(|denial| role::not_below(blueprint, "member", &denial)));
    }
    found.suspend.extend(state::obstacle(StateStep::Suspend, member));
    found.reactivate.extend(state::obstacle(StateStep::Reactivate, member));
    found.restore.extend(restore::obstacle(member));
    if member.could_return(standing) {
        let list = if gone { &mut found.restore } else { &mut found.reactivate };
        list.extend(member.stays_away(standing, roles, back));
    }
    if member.state == MemberState::Active {
        found.remove.extend(last_of(standing, roles, holders, "then remove this member"));
        found.change_role.extend(last_of(standing, roles, holders, "then change this role"));
        found.suspend.extend(last_of(standing, roles, holders, state::THEN));
        let last_on_apps = holders.last_on_apps.get(&member.id).map(Vec::as_slice).unwrap_or_default();
        for list in [&mut found.remove, &mut found.suspend] {
            list.extend(last_on_apps.iter().cloned().map(|refusal| refusal.at("member")));
        }
    }
    found
}

/// The roles of which a member is the last holder.
fn last_of(standing: &Standing, roles: &[String], holders: &Holders, then: &str) -> Vec<UserError> {
    let document = standing.blueprint.rules.document();
    let known = roles.iter().filter_map(|key| Some((document.roles.get(key)?, holders.counts.get(key)?)));
    known
        .filter(|(role, count)| **count <= u64::from(role.min_holders))
        .map(|(role, _)| role::last_holder(role, then))
        .collect()
}

fn may_not_leave() -> UserError {
    UserError::new(UserErrorCode::MayNotLeave, "", "members of this organization cannot leave by themselves")
        .remedy("Ask an administrator to remove you.")
}

fn not_oneself() -> UserError {
    UserError::new(UserErrorCode::Invalid, "member", "this is you").remedy("To go yourself, leave the organization.")
}

fn not_confirmed() -> UserError {
    UserError::new(UserErrorCode::NotConfirmed, "confirm", "this has not been confirmed")
        .remedy("Ask the person at the screen, then send `confirm: true`.")
}

/// A text to search for: none where it is empty.
pub(super) fn searched(search: Option<String>) -> Result<Option<String>, ServiceError> {
    let search = search.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match search {
        Some(text) if text.chars().count() > input::NAME_LENGTH => {
            Err(ServiceError::BadInput(format!("`search` has at most {} characters", input::NAME_LENGTH)))
        }
        search => Ok(search),
    }
}

async fn remove(work: &Work<'_>, departing: Departing) -> Result<Removed, ServiceError> {
    let permit = work.authorize::<RemoveMember>(Some(departing.member))?;
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let member = get_present(work, departing.member).await?;
    let mut mistakes = Mistakes::default();
    if !departing.confirm {
        mistakes.push(not_confirmed());
    }
    if role::is_author(work, &member) {
        mistakes.push(not_oneself());
    }
    let roles = role::of_member(work.tx, organization, member.id, work.now).await?;
    if let Err(denial) = role::may_take(blueprint, &standing.rights, &roles) {
        mistakes.push(role::not_below(blueprint, "member", &denial));
    }
    mistakes.settle()?;
    store::member::remove(work.tx, permit, departure(blueprint, &member, work.now)).await?;
    let then = "then remove this member";
    role::ensure_held(work, Remaining { organization, blueprint, lost: &roles, then, field: "member" }).await?;
    let entry = NewEntry::access("member.removed", target("member", member.id, &member.name));
    work.record(organization, entry.detail(json!({ "roles": roles }))).await?;
    if let Some(to) = member.email.filter(|_| departing.notify) {
        let reader = work.reader_at(&to).await?;
        let organization = standing.place.name.clone();
        work.post(NoticeMail { to, organization, what: AccessNotice::Removed, reader }.letter()).await?;
    }
    Ok(Removed { member: member.id, notified: departing.notify })
}

async fn leave(work: &Work<'_>, confirm: bool) -> Result<Uuid, ServiceError> {
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let id = standing.facts.principal.as_member().ok_or(Denial::PeopleOnly)?;
    let permit = work.authorize::<LeaveOrganization>(Some(id))?;
    let mut mistakes = Mistakes::default();
    if !blueprint.document().removal.may_leave {
        mistakes.push(may_not_leave());
    }
    if !confirm {
        mistakes.push(not_confirmed());
    }
    mistakes.settle()?;
    let roles = role::of_member(work.tx, organization, id, work.now).await?;
    let member = store::member::find_by_id(work.tx, organization, id).await?.ok_or(ServiceError::NotFound)?;
    store::member::leave(work.tx, permit, departure(blueprint, &member, work.now)).await?;
    let remaining = Remaining { organization, blueprint, lost: &roles, then: "then leave", field: "" };
    role::ensure_held(work, remaining).await?;
    let entry = NewEntry::access("member.left", target("member", id, &member.name));
    work.record(organization, entry.detail(json!({ "roles": roles }))).await?;
    Ok(organization)
}

/// How a member goes, by the blueprint (`Q10`).
pub(super) fn departure(blueprint: &Blueprint, member: &Member, now: DateTime<Utc>) -> Departure {
    let removal = match blueprint.document().removal.on_remove {
        OnRemove::Purge => Removal::Purge,
        OnRemove::Archive => Removal::Archive,
    };
    Departure { organization: member.organization_id, member: member.id, removal, now }
}

/// The conflict of a write that would give a person or an address two places.
pub(super) fn already_member(error: StoreError) -> ServiceError {
    match error {
        StoreError::Conflict { constraint } if constraint.starts_with("member_organization_id_") => {
            UserError::new(UserErrorCode::AlreadyMember, "", "this person is a member already").into()
        }
        error => error.into(),
    }
}
