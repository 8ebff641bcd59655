//! What stands in the way of changing a member, told beforehand: so that a screen shows what can be done with it.

use std::sync::Arc;

use super::{
    Member, MemberState,
    departure::{may_not_leave, not_oneself},
    gone,
    holders::{Holders, last_of},
    restore,
    state::{self, StateStep},
};
use crate::{
    access::{
        Authority, Denial, authorize,
        verb::{AssignRole, StepDown},
    },
    service::{
        Access, Service, ServiceError, Standing, UserError, invitation, role,
        seat::{self, SeatUsage},
    },
};

/// What stands in the way of changing a member; nothing in a list: it can be done.
#[derive(Debug, Clone, Default)]
pub struct Obstacles {
    /// Of changing its names, and the address it is invited at.
    pub update: Vec<UserError>,
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
                let asking = Authority::Principal(&standing.rights);
                seat::full(seat::Within::of(standing), asking, &back.seats, &roles)
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

impl Service {
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
        update: lacking("members.update"),
        edit_access: lacking("access.grant"),
        remove: lacking("members.remove"),
        change_role: lacking("roles.assign"),
        suspend: lacking("members.update"),
        reactivate: lacking("members.update"),
        restore: lacking("members.invite"),
    };
    let is_self = standing.facts.principal.as_member() == Some(member.id);
    let has_left = member.state == MemberState::Archived;
    let taken = role::may_take(blueprint, &standing.rights, roles);
    let not_taken = taken.as_ref().err().map(|denial| role::not_below(blueprint, "member", denial));
    if has_left {
        for list in [&mut found.update, &mut found.edit_access, &mut found.remove, &mut found.change_role] {
            list.push(gone());
        }
    } else if is_self {
        found.change_role.extend(role::bound(blueprint, roles));
        found.remove.push(not_oneself());
        found.suspend.push(state::not_oneself());
        found.reactivate.push(state::not_oneself());
    } else if let Some(refusal) = not_taken {
        let lists =
            [&mut found.update, &mut found.remove, &mut found.change_role, &mut found.suspend, &mut found.reactivate];
        for list in lists {
            list.push(refusal.clone());
        }
    }
    if !has_left && !is_self {
        let above = role::may_edit_access(blueprint, &standing.rights, roles).err();
        found.edit_access.extend(above.map(|denial| role::not_below(blueprint, "member", &denial)));
    }
    found.suspend.extend(state::obstacle(StateStep::Suspend, member));
    found.reactivate.extend(state::obstacle(StateStep::Reactivate, member));
    found.restore.extend(restore::obstacle(member));
    if member.could_return(standing) {
        let list = if has_left { &mut found.restore } else { &mut found.reactivate };
        list.extend(member.stays_away(standing, roles, back));
    }
    if member.state == MemberState::Active {
        let last_on_apps = holders.last_on_apps.get(&member.id).map(Vec::as_slice).unwrap_or_default();
        let steps = [
            (&mut found.remove, "then remove this member", last_on_apps),
            (&mut found.change_role, role::then_change(is_self), &[]),
            (&mut found.suspend, state::THEN, last_on_apps),
        ];
        for (list, then, on_apps) in steps {
            // Who may not do it at all need not look for another holder first.
            if list.is_empty() {
                list.extend(last_of(standing, roles, holders, then));
                list.extend(on_apps.iter().cloned().map(|refusal| refusal.at("member")));
            }
        }
    }
    found
}

/// What stands in the caller's way of taking this flag from a member who holds these roles, by the rules of `removeMemberRole`, in the
/// same order; empty: it goes, where it is held.
#[must_use]
pub fn obstacles_to_removing_role(
    standing: &Standing,
    member: &Member,
    (key, roles): (&str, &[String]),
    holders: &Holders,
) -> Vec<UserError> {
    let is_self = standing.facts.principal.as_member() == Some(member.id);
    let (authority, subject) = (Authority::Principal(&standing.rights), Some(member.id));
    let allowed = if is_self {
        authorize::<StepDown>(authority, subject).map(drop)
    } else {
        authorize::<AssignRole>(authority, subject).map(drop)
    };
    if let Err(denial) = allowed {
        return vec![denial.into()];
    }
    if member.state == MemberState::Archived {
        return vec![gone()];
    }
    match role::removed(standing, is_self, (key, roles)) {
        Err(refusal) => vec![refusal],
        Ok(taken) if member.state == MemberState::Active => {
            last_of(standing, &taken, holders, role::then_change(is_self))
        }
        Ok(_) => Vec::new(),
    }
}
