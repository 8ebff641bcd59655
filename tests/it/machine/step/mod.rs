//! What people try, and what should come of it: the model's own prediction, which asks nothing of the gateway.

mod access;
mod custom;
mod people;
mod place;
mod role;
mod tree;

use std::collections::BTreeMap;

use gatehouse::id::new_id;
use gatehouse_access::{Grantee, Held, Place};
use uuid::Uuid;

pub(super) use self::custom::{Part, Selection};
use super::world::{App, Gift, Member, State, Team, World};

/// Something that a member tries; members by their ids.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Invite { person: usize, roles: Vec<String>, on_apps: Vec<(Uuid, String)>, choice: Choice },
    Accept,
    Become { member: Uuid, role: String },
    Add { member: Uuid, role: String },
    Drop { member: Uuid, role: String },
    Suspend(Uuid),
    Reactivate(Uuid),
    Restore { member: Uuid, roles: Vec<String>, choice: Choice },
    Give(Gift),
    Take(Uuid),
    Toggle { app: Uuid, member: Uuid, role: String, on: bool },
    Save { member: Uuid, choice: Choice },
    Remove(Uuid),
    Leave,
    Found { slug: String, parent: Option<Uuid> },
    Join { team: Uuid, member: Uuid, maintainer: Option<bool> },
    Part { team: Uuid, member: Uuid },
    Move { team: Uuid, parent: Option<Uuid> },
    Dissolve(Uuid),
    Make { slug: String, kind: String, parent: Option<Uuid> },
    Switch { app: Uuid, enabled: bool },
    Carry { app: Uuid, parent: Option<Uuid> },
    Delete(Uuid),
    Plan(String),
    Default { kind: String, feature: String, level: Option<String> },
    Shape { slug: String, base: String, selection: Selection },
    Reshape { role: String, selection: Option<Selection>, enabled: Option<bool> },
    Scrap(String),
}

/// Apps, each with the features that are ticked there and their levels.
pub(super) type Tree = Vec<(Uuid, Vec<(String, Option<String>)>)>;

/// How somebody's access is chosen.
#[derive(Debug, Clone)]
pub(super) enum Choice {
    /// Not at all: what the roles begin with.
    Initial,
    /// Everything that the giver has.
    All,
    /// What is ticked.
    Tree(Tree),
}

/// The world after a step, or `None` where it is not to be made. A new row has the nil id.
pub(super) fn predict(world: &World, by: &Member, step: &Step) -> Option<World> {
    let mut next = world.clone();
    apply(&mut next, by, step, Uuid::nil())?;
    next.keeps_its_word(world).then_some(next)
}

fn when(condition: bool) -> Option<()> {
    condition.then_some(())
}

fn apply(world: &mut World, by: &Member, step: &Step, fresh: Uuid) -> Option<()> {
    if by.state != State::Active && !matches!(step, Step::Accept) {
        return None;
    }
    match step {
        Step::Invite { person, roles, on_apps, choice } => {
            let asked = people::Asked { person: *person, roles, on_apps, choice };
            people::invite(world, by, &asked, fresh)
        }
        Step::Accept => people::accept(world, by),
        Step::Become { member, role } => role::become_role(world, by, *member, role),
        Step::Add { member, role } => role::add(world, by, *member, role),
        Step::Drop { member, role } => role::drop_role(world, by, *member, role),
        Step::Suspend(member) => people::suspend(world, by, *member),
        Step::Reactivate(member) => people::reactivate(world, by, *member),
        Step::Restore { member, roles, choice } => people::restore(world, by, *member, (roles, choice)),
        Step::Give(gift) => access::give(world, by, gift, fresh),
        Step::Take(grant) => access::take(world, by, *grant),
        Step::Toggle { app, member, role, on } => access::toggle(world, by, (*app, *member, role, *on), fresh),
        Step::Save { member, choice } => tree::save(world, by, *member, choice),
        Step::Remove(member) => people::remove(world, by, *member),
        Step::Leave => people::leave(world, by),
        Step::Found { parent, .. } => {
            when(world.holds(by, "teams.manage") && world.document.teams.enabled)?;
            if let Some(parent) = parent {
                when(sees_team(world, by, *parent) && world.document.teams.nested)?;
            }
            world.teams.push(Team { id: fresh, parent: *parent, members: BTreeMap::new() });
            world.entries += 1;
            Some(())
        }
        Step::Join { team, member, maintainer } => place::join(world, by, (*team, *member), *maintainer),
        Step::Part { team, member } => place::part(world, by, *team, *member),
        Step::Move { team, parent } => place::move_team(world, by, *team, *parent),
        Step::Dissolve(team) => {
            when(sees_team(world, by, *team) && world.holds(by, "teams.manage"))?;
            when(!world.teams.iter().any(|other| other.parent == Some(*team)))?;
            world.teams.retain(|other| other.id != *team);
            world.grants.retain(|(_, gift)| gift.grantee != Grantee::Team(*team));
            world.entries += 1;
            Some(())
        }
        Step::Make { slug, kind, parent } => place::make(world, by, (slug, kind, *parent), fresh),
        Step::Switch { app, enabled } => {
            let app = seen_app(world, by, *app)?;
            when(world.manages(by, "apps.update", &app))?;
            if app.enabled != *enabled {
                // Of some kinds only the organization decides whether they are open.
                when(!world.document.app_kinds[&app.kind].central || world.holds(by, "apps.update"))?;
                world.apps.iter_mut().find(|other| other.id == app.id)?.enabled = *enabled;
                world.entries += 1;
            }
            Some(())
        }
        Step::Carry { app, parent } => place::carry(world, by, *app, *parent),
        Step::Delete(app) => {
            let app = seen_app(world, by, *app)?;
            when(world.manages(by, "apps.delete", &app))?;
            when(!world.document.app_kinds[&app.kind].central || world.holds(by, "apps.delete"))?;
            when(!world.apps.iter().any(|other| other.parent == Some(app.id)))?;
            world.apps.retain(|other| other.id != app.id);
            world.grants.retain(|(_, gift)| !matches!(gift.place, Place::App { id, .. } if id == app.id));
            world.entries += 1;
            Some(())
        }
        Step::Plan(plan) => {
            when(world.holds(by, "billing.manage"))?;
            if world.plan != *plan {
                world.plan.clone_from(plan);
                world.entries += 1;
            }
            Some(())
        }
        Step::Default { kind, feature, level } => access::default(world, by, (kind, feature, level.as_deref()), fresh),
        Step::Shape { slug, base, selection } => custom::shape(world, by, (slug, base), selection),
        Step::Reshape { role, selection, enabled } => custom::reshape(world, by, role, (selection.as_ref(), *enabled)),
        Step::Scrap(role) => custom::scrap(world, by, role),
    }
}

/// A member who has not left, as far as `by` sees it.
fn present(world: &World, by: &Member, member: Uuid) -> Option<Member> {
    let found = world.member(member)?;
    when(world.sees_member(by, member))?;
    when(found.state != State::Archived)?;
    Some(found.clone())
}

fn seen_app(world: &World, by: &Member, app: Uuid) -> Option<App> {
    world.apps.iter().find(|other| other.id == app).filter(|app| world.sees(by, app)).cloned()
}

fn sees_team(world: &World, by: &Member, team: Uuid) -> bool {
    let known = world.teams.iter().any(|other| other.id == team);
    let is_in = world.facts(by).teams.iter().any(|fact| fact.id == team);
    known && (is_in || world.holds(by, "teams.read") || world.holds(by, "teams.read_secret"))
}

fn insert(world: &mut World, gift: Gift) {
    if !world.grants.iter().any(|(_, known)| *known == gift) {
        world.grants.push((new_id(), gift));
    }
}

fn role_gift(member: Uuid, role: &str) -> Gift {
    Gift { grantee: Grantee::Member(member), held: Held::Role(role.to_owned()), place: Place::Organization }
}
