//! Roles of members: who gives and takes them, and how many must hold them.
//!
//! A member has one main role, and flags beside it. That somebody holds a role is an invariant about state (`Q13`): it is
//! checked after every write that takes a role away, in the same transaction, whatever took it.

mod holders;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

pub(super) use self::holders::{
    Remaining, end_of_days, ensure_held, ensure_not_too_many, gives_to_others, last_holder, reached, too_many,
};
pub(super) use super::remedy::{not_below, not_given, not_given_on, unfounded};
use super::{
    Access, Change, Idempotency, Service, ServiceError, Standing, UserError, UserErrorCode, Work,
    activity::{NewEntry, target},
    member,
    prerequisite::{self, Circle},
    remedy::{self, Passing},
    seat,
};
use crate::{
    ablate,
    access::{
        Blueprint, Grantee, Held, Place, Rights,
        blueprint::document::{Holder, Role, RoleLevel},
        delegation::{DelegationDenial, Gift, below_ceiling, may_assign, may_give, meets_prerequisite, no_role},
        share,
        verb::{AssignRole, StepDown},
    },
    id::new_id,
    store::{
        self, Reader,
        grant::{HeldRole, RoleGrant},
        member::Member,
    },
};

/// What is to become of a member's roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleStep {
    /// This becomes the main role.
    Become(String),
    /// This flag comes to it.
    Add(String),
    /// This flag goes.
    Remove(String),
}

/// A member and what is to become of its roles.
#[derive(Debug, Clone)]
pub struct RoleChange {
    /// Whose.
    pub member: Uuid,
    /// What.
    pub step: RoleStep,
}

/// The organization roles a member is to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleSet {
    /// A main role that is named by itself, as the field `role`: short where there is one slot.
    pub one: Option<String>,
    /// Main roles: each takes the place of the one that is held in its slot; other slots stay.
    pub main: Vec<String>,
    /// All the flags beside them; `None` leaves those that are held.
    pub flags: Option<Vec<String>>,
}

impl RoleSet {
    /// Whether it names a main role.
    #[must_use]
    pub const fn has_main(&self) -> bool {
        self.one.is_some() || !self.main.is_empty()
    }

    /// The field of the input that a refusal of the whole set is told at: the first one that is filled in.
    pub(super) const fn field(&self) -> &'static str {
        match (&self.one, self.main.is_empty(), &self.flags) {
            (None, false, _) => "roles",
            (None, true, Some(_)) => "flags",
            (Some(_), ..) | (None, true, None) => "role",
        }
    }

    /// The main roles, each with the field of the input that names it.
    pub(super) fn mains(&self) -> impl Iterator<Item = (String, &str)> {
        let listed = self.main.iter().enumerate().map(|(index, role)| (format!("roles.{index}"), role.as_str()));
        self.one.iter().map(|role| ("role".to_owned(), role.as_str())).chain(listed)
    }
}

/// Roles that come and go.
#[derive(Debug, Default)]
pub(super) struct Moves {
    give: Vec<String>,
    take: Vec<String>,
    /// The field of the input by which a role comes or goes, where it is not `role`.
    fields: HashMap<String, String>,
}

impl Moves {
    fn field(&self, role: &str) -> &str {
        self.fields.get(role).map_or("role", String::as_str)
    }

    /// Adds what else is to come and go, all by one field.
    fn extend(&mut self, more: Self, field: &str) {
        let moved = more.give.iter().chain(&more.take);
        self.fields.extend(moved.map(|role| (role.clone(), field.to_owned())));
        self.give.extend(more.give);
        self.take.extend(more.take);
    }
}

impl Service {
    /// Changes a member's roles; the member's id. Holders of `roles.assign` may, within what their own roles assign
    /// (`S3.71`); nobody raises themselves. Any member gives up a flag of its own, where its role allows it.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] for a role that is not the caller's to give, the last holder and a full plan.
    pub async fn change_role(
        &self,
        access: &Access,
        change: RoleChange,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let name = match change.step {
            RoleStep::Become(_) => "changeMemberRole",
            RoleStep::Add(_) => "addMemberRole",
            RoleStep::Remove(_) => "removeMemberRole",
        };
        let begun = Change::in_organization(name, access)?.repeatable(idempotency).about("role");
        let changed = self.mutate(begun, move |work| Box::pin(async move { change_role(work, &change).await })).await?;
        Ok(changed.value)
    }
}

async fn change_role(work: &Work<'_>, change: &RoleChange) -> Result<Uuid, ServiceError> {
    authorize(work, change)?;
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let member = member::get_present(work, change.member).await?;
    let held = of_member(work.tx, organization, member.id, work.now).await?;
    let moves = moves(blueprint, &canonical_step(blueprint, &change.step), &held)?;
    // A role that goes takes along what it alone gave of that which the member's own features need (S0.27).
    let watch = prerequisite::watch(work, Circle::of_roles(member.id, !moves.take.is_empty())).await?;
    apply(work, &member, &moves).await?;
    watch.ensure_met(work, "role").await?;
    Ok(member.id)
}

/// Asks for what the change needs, before anything of the member is told: nobody needs the permission to give roles for giving up
/// one of its own.
fn authorize(work: &Work<'_>, change: &RoleChange) -> Result<(), ServiceError> {
    let own = work.standing()?.facts.principal.as_member() == Some(change.member);
    match &change.step {
        RoleStep::Remove(_) if own => work.authorize::<StepDown>(Some(change.member)).map(drop),
        RoleStep::Become(_) | RoleStep::Add(_) | RoleStep::Remove(_) => {
            work.authorize::<AssignRole>(Some(change.member)).map(drop)
        }
    }
}

/// Gives and takes what is to come and go, under every rule about roles; the author holds `roles.assign`, or gives up what is its
/// own and takes nothing for it. That the member keeps what its own features need is the caller's to watch: an edit may give it in
/// another way at once.
///
/// # Errors
/// [`ServiceError::Refused`] for a role that is not the author's to give, the last holder and a full plan.
pub(super) async fn apply(work: &Work<'_>, member: &Member, moves: &Moves) -> Result<(), ServiceError> {
    if moves.give.is_empty() && moves.take.is_empty() {
        return Ok(());
    }
    let standing = work.standing()?;
    let (organization, blueprint) = (standing.place.id, &standing.blueprint.rules);
    let held = of_member(work.tx, organization, member.id, work.now).await?;
    let then: Vec<&str> =
        held.iter().filter(|role| !moves.take.contains(role)).chain(&moves.give).map(String::as_str).collect();
    may_move(work, (member, &held), (moves, &then))?;
    for role in &moves.give {
        reaches(blueprint, (Grantee::Member(member.id), role), then.iter().copied())
            .map_err(|denial| unfounded(blueprint, (moves.field(role), role), then.iter().copied(), &denial))?;
    }
    ensure_not_too_many(work, blueprint, (member, &moves.give), |role| moves.field(role)).await?;
    let within = seat::Within::of(standing);
    let seats = seat::taken(work, within).await?;
    let of = |role: &String| HeldRole { organization, grantee: Grantee::Member(member.id), role: role.clone() };
    let is_own = is_author(work, member);
    for role in &moves.take {
        if is_own && moves.give.is_empty() {
            let permit = work.authorize::<StepDown>(Some(member.id))?;
            store::grant::give_up_role(work.tx, permit, of(role)).await?;
        } else {
            let permit = work.authorize::<AssignRole>(Some(member.id))?;
            store::grant::remove_role(work.tx, permit, of(role)).await?;
        }
    }
    for role in &moves.give {
        let permit = work.authorize::<AssignRole>(Some(member.id))?;
        let grant = RoleGrant { id: new_id(), held: of(role), expires_at: None, now: work.now };
        store::grant::assign_role(work.tx, permit, grant).await?;
    }
    for role in &moves.take {
        let (lost, field, then) = (std::slice::from_ref(role), moves.field(role), then_change(is_own));
        ensure_held(work, Remaining { organization, blueprint, lost, then, field }).await?;
    }
    seat::ensure_not_over(work, within, &seats).await?;
    let entry = NewEntry::access("member.role_changed", target("member", member.id, &member.name));
    work.record(organization, entry.detail(json!({ "given": moves.give, "taken": moves.take }))).await
}

/// What it takes to make a member's roles this set, and the roles it then holds.
///
/// # Errors
/// A role that there is not, two of one slot, a flag in the place of a main role or the other way round.
pub(super) fn moves_to(
    blueprint: &Blueprint,
    set: &RoleSet,
    held: &[String],
) -> Result<(Moves, Vec<String>), UserError> {
    let mut all = Moves::default();
    let mut before: Vec<&str> = Vec::new();
    for (field, role) in set.mains() {
        main_role(blueprint, &field, role)?;
        let role = blueprint.role_key(role).unwrap_or(role);
        if before.contains(&role) {
            continue;
        }
        if before.iter().any(|other| is_same_slot(blueprint, other, role)) {
            let message = format!("`{role}` takes the place of another role that is given");
            return Err(invalid(&field, message).remedy("Give one role of each kind."));
        }
        before.push(role);
        all.extend(moves(blueprint, &RoleStep::Become(role.to_owned()), held)?, &field);
    }
    if let Some(flags) = &set.flags {
        for (index, flag) in flags.iter().enumerate() {
            let field = format!("flags.{index}");
            flag_role(blueprint, &field, flag)?;
            let flag = canonical(blueprint, flag);
            if !held.contains(&flag) && !all.give.contains(&flag) {
                all.extend(Moves { give: vec![flag], ..Moves::default() }, &field);
            }
        }
        let flags: Vec<&str> = flags.iter().map(|flag| blueprint.role_key(flag).unwrap_or(flag)).collect();
        let is_flag = |role: &&String| blueprint.document().roles.get(*role).is_some_and(|rules| rules.flag);
        let take = held.iter().filter(is_flag).filter(|role| !flags.contains(&role.as_str())).cloned().collect();
        all.extend(Moves { take, ..Moves::default() }, "flags");
    }
    let stays = held.iter().filter(|role| !all.take.contains(role));
    let then = stays.chain(&all.give).cloned().collect();
    Ok((all, then))
}

/// Whether a role is below the ceilings of these, which its holder has then (`Q14`), and builds on one of them, where it builds
/// on others (`S1.20`).
pub(super) fn reaches<'r>(
    blueprint: &Blueprint,
    (grantee, role): (Grantee, &str),
    held: impl IntoIterator<Item = &'r str> + Clone,
) -> Result<(), DelegationDenial> {
    judge(meets_prerequisite(blueprint, role, held.clone()))?;
    let role = Held::Role(role.to_owned());
    let gift = Gift { grantee, held: &role, place: &Place::Organization, ancestors: &[] };
    judge(below_ceiling(blueprint, &gift, held))
}

/// Whether a member can hold one of both, not both.
pub(super) fn is_same_slot(blueprint: &Blueprint, one: &str, other: &str) -> bool {
    blueprint.slot_of(one).is_some() && blueprint.slot_of(one) == blueprint.slot_of(other)
}

/// What a step comes to for a member who holds these roles.
fn moves(blueprint: &Blueprint, step: &RoleStep, held: &[String]) -> Result<Moves, UserError> {
    let is_held = |role: &str| held.iter().any(|other| other == role);
    match step {
        RoleStep::Become(role) => {
            main_role(blueprint, "role", role)?;
            let slot = blueprint.slot_of(role);
            let mains = held.iter().filter(|other| *other != role && blueprint.slot_of(other) == slot);
            let give = if is_held(role) { Vec::new() } else { vec![role.clone()] };
            Ok(Moves { give, take: mains.cloned().collect(), ..Moves::default() })
        }
        RoleStep::Add(role) => {
            flag_role(blueprint, "role", role)?;
            let give = if is_held(role) { Vec::new() } else { vec![role.clone()] };
            Ok(Moves { give, ..Moves::default() })
        }
        RoleStep::Remove(role) => {
            if is_main(blueprint, role) {
                return Err(invalid("role", "this is a main role, and every member has one")
                    .remedy("Give the member another main role instead."));
            }
            let take = if is_held(role) { vec![role.clone()] } else { Vec::new() };
            Ok(Moves { take, ..Moves::default() })
        }
    }
}

/// Whether the author may give and take these, after which the member holds the roles `then`.
fn may_move(
    work: &Work<'_>,
    (member, held): (&Member, &[String]),
    (moves, then): (&Moves, &[&str]),
) -> Result<(), ServiceError> {
    let standing = work.standing()?;
    let blueprint = &standing.blueprint.rules;
    for role in &moves.give {
        let held = Held::Role(role.clone());
        let grantee = Grantee::Member(member.id);
        let gift = Gift { grantee, held: &held, place: &Place::Organization, ancestors: &[] };
        judge(may_give(blueprint, work.authority(), &gift))
            .map_err(|denial| not_given(blueprint, moves.field(role), &denial))?;
    }
    let is_own = is_author(work, member);
    if is_own {
        lifts_nothing(blueprint, held, (moves, then))?;
    }
    Ok(may_go(blueprint, &standing.rights, moves, is_own)?)
}

/// Whether what is taken may be taken: from oneself, or by these rights from somebody else.
fn may_go(blueprint: &Blueprint, rights: &Rights, moves: &Moves, is_own: bool) -> Result<(), UserError> {
    // Whoever holds a role may always step down from it.
    if is_own {
        let mut taken = moves.take.iter().filter_map(|key| Some((key, blueprint.document().roles.get(key)?)));
        let kept = taken.find(|(_, role)| !role.step_down);
        return match kept.filter(|_| !ablate::off("own_binding")) {
            Some((key, role)) => Err(own_binding(blueprint, (key, role)).at(moves.field(key))),
            None => Ok(()),
        };
    }
    for role in &moves.take {
        may_take(blueprint, rights, std::slice::from_ref(role))
            .map_err(|denial| not_given(blueprint, moves.field(role), &denial))?;
    }
    Ok(())
}

/// Refuses a change of one's own roles that raises one's own ceiling: what was granted above it would be one's own again (`C1`).
fn lifts_nothing(blueprint: &Blueprint, held: &[String], (moves, then): (&Moves, &[&str])) -> Result<(), UserError> {
    let Some(before) = share::ceiling(blueprint, held.iter().map(String::as_str)) else { return Ok(()) };
    if share::ceiling(blueprint, then.iter().copied()).is_some_and(|after| before.contains(&after)) {
        return Ok(());
    }
    let moved = moves.give.iter().chain(&moves.take).next();
    let field = moved.map_or("role", |role| moves.field(role));
    judge(Err(DelegationDenial::SelfRaise)).map_err(|denial| not_given(blueprint, field, &denial))
}

/// What goes when this flag is taken from a member who holds these roles, oneself or somebody else; nothing where it is not held.
///
/// # Errors
/// The refusal of taking it, as `removeMemberRole` tells it; how many must hold it is another question.
pub(super) fn removed(
    standing: &Standing,
    is_own: bool,
    (key, held): (&str, &[String]),
) -> Result<Vec<String>, UserError> {
    let blueprint = &standing.blueprint.rules;
    let moves = moves(blueprint, &RoleStep::Remove(canonical(blueprint, key)), held)?;
    if is_own {
        let then: Vec<&str> = held.iter().filter(|role| !moves.take.contains(role)).map(String::as_str).collect();
        lifts_nothing(blueprint, held, (&moves, &then))?;
    }
    may_go(blueprint, &standing.rights, &moves, is_own)?;
    Ok(moves.take)
}

/// How the remedy of a refused change of a role goes on.
pub(super) const fn then_change(is_own: bool) -> &'static str {
    if is_own { "then change your own role" } else { "then change this role" }
}

/// The key of the role that is meant; a name that the blueprint does not have stays as it is (`S1.35`).
pub(super) fn canonical(blueprint: &Blueprint, name: &str) -> String {
    blueprint.role_key(name).unwrap_or(name).to_owned()
}

fn canonical_step(blueprint: &Blueprint, step: &RoleStep) -> RoleStep {
    match step {
        RoleStep::Become(role) => RoleStep::Become(canonical(blueprint, role)),
        RoleStep::Add(role) => RoleStep::Add(canonical(blueprint, role)),
        RoleStep::Remove(role) => RoleStep::Remove(canonical(blueprint, role)),
    }
}

/// Why a holder of these roles changes none of its own: each main one is for others to give and take (`S4.R4`).
pub(super) fn bound(blueprint: &Blueprint, roles: &[String]) -> Option<UserError> {
    let mains: Vec<(&str, &Role)> =
        blueprint.main_roles().filter(|(key, _)| roles.iter().any(|role| role == key)).collect();
    let first = mains.first().filter(|_| mains.iter().all(|(_, role)| !role.step_down) && !ablate::off("own_binding"));
    first.map(|main| own_binding(blueprint, *main))
}

/// The refusal of giving up a role that others give and take (`S4.R4`).
pub(super) fn own_binding(blueprint: &Blueprint, (key, role): (&str, &Role)) -> UserError {
    let refused = (UserErrorCode::NotGrantable, format!("nobody changes their own role {}", role.label));
    Passing::of(blueprint, (key, role)).refused(refused, ["Ask somebody else who may.", "Hand it over instead."])
}

/// Whether these roles may be taken from somebody else: who gives a role takes it. One that the blueprint has no more is
/// anyone's to take.
pub(super) fn may_take(blueprint: &Blueprint, rights: &Rights, roles: &[String]) -> Result<(), DelegationDenial> {
    let mut known = roles.iter().filter(|role| blueprint.document().roles.contains_key(*role));
    known.try_for_each(|role| judge(may_assign(blueprint, rights, role)))
}

/// Refuses a change of the access of somebody above the author; of oneself it is another rule's.
///
/// # Errors
/// The refusal, at the field that names the member or what it has.
pub(super) fn not_above(
    work: &Work<'_>,
    (member, roles): (&Member, &[String]),
    field: &str,
) -> Result<(), ServiceError> {
    let standing = work.standing()?;
    let rules = &standing.blueprint.rules;
    if is_author(work, member) {
        return Ok(());
    }
    may_edit_access(rules, &standing.rights, roles).map_err(|denial| not_below(rules, field, &denial).into())
}

/// Whether the access of somebody else who holds these roles may be changed: as for taking the roles. Who shares out access and
/// assigns no role has nobody below; above are those then who share it out themselves.
pub(super) fn may_edit_access(
    blueprint: &Blueprint,
    rights: &Rights,
    roles: &[String],
) -> Result<(), DelegationDenial> {
    let rules_of = |key: &str| blueprint.document().roles.get(key);
    if rights.roles().any(|key| rules_of(key).is_some_and(|rules| !rules.assigns.is_empty())) {
        return may_take(blueprint, rights, roles);
    }
    let shares_out = |role: &&String| match (blueprint.role(role), blueprint.scope("access.grant")) {
        (Some(gives), Ok(sharing)) => gives.contains(&sharing),
        _ => true,
    };
    let above: Vec<String> = roles.iter().filter(shares_out).cloned().collect();
    may_take(blueprint, rights, &above)
}

/// The guards of delegation that a build for tests can switch off.
pub(super) fn judge(judged: Result<(), DelegationDenial>) -> Result<(), DelegationDenial> {
    match judged {
        Err(DelegationDenial::SelfRaise) if ablate::off("self_raise") => Ok(()),
        Err(DelegationDenial::NotAssignable { .. }) if ablate::off("assignable_role") => Ok(()),
        Err(DelegationDenial::BeyondOwnRights) if ablate::off("bounded_delegation") => Ok(()),
        Err(DelegationDenial::BeyondCeiling { .. }) if ablate::off("role_ceiling") => Ok(()),
        Err(DelegationDenial::Unknown) if ablate::off("feature_of_kind") => Ok(()),
        Err(DelegationDenial::RolesOnly { .. }) if ablate::off("roles_only") => Ok(()),
        Err(DelegationDenial::Prerequisite { .. }) if ablate::off("prerequisite") => Ok(()),
        Err(DelegationDenial::PublicApp) if ablate::off("public_app_grant") => Ok(()),
        judged => judged,
    }
}

/// The main role of this key.
pub(super) fn main_role<'b>(blueprint: &'b Blueprint, field: &str, key: &str) -> Result<&'b Role, UserError> {
    let role = organization_role(blueprint, field, key)?;
    if role.flag {
        return Err(invalid(field, format!("`{key}` is held beside a main role"))
            .remedy("Add it to the member's roles instead."));
    }
    Ok(role)
}

/// The flag of this key.
pub(super) fn flag_role<'b>(blueprint: &'b Blueprint, field: &str, key: &str) -> Result<&'b Role, UserError> {
    let role = organization_role(blueprint, field, key).map_err(|refusal| remedy::no_flag(blueprint, key, refusal))?;
    if role.flag {
        return Ok(role);
    }
    Err(invalid(field, format!("`{key}` is a main role, of which a member has one"))
        .remedy("Change the member's role instead."))
}

/// The organization role of this key that members can hold.
pub(super) fn organization_role<'b>(blueprint: &'b Blueprint, field: &str, key: &str) -> Result<&'b Role, UserError> {
    let Some(role) = blueprint.role_key(key).and_then(|key| blueprint.document().roles.get(key)) else {
        return Err(not_given(blueprint, field, &no_role(blueprint, key)));
    };
    if role.level != RoleLevel::Organization {
        let denial = DelegationDenial::WrongLevel { role: role.label.clone(), level: role.level };
        return Err(not_given(blueprint, field, &denial));
    }
    if !role.holders.contains(&Holder::Member) {
        return Err(not_given(blueprint, field, &DelegationDenial::WrongHolder));
    }
    Ok(role)
}

fn is_main(blueprint: &Blueprint, key: &str) -> bool {
    blueprint.main_roles().any(|(main, _)| main == key)
}

fn invalid(field: &str, message: impl Into<String>) -> UserError {
    UserError::new(UserErrorCode::Invalid, field, message)
}

/// Whether the author of a change is this member.
pub(super) fn is_author(work: &Work<'_>, member: &Member) -> bool {
    work.standing().is_ok_and(|standing| standing.facts.principal.as_member() == Some(member.id))
}

/// The organization roles a member holds.
pub(super) async fn of_member(
    reader: &impl Reader,
    organization: Uuid,
    member: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<String>, ServiceError> {
    let held = store::member::roles_of_members(reader, organization, &[member], now).await?;
    Ok(held.into_iter().map(|(_, role)| role).collect())
}
