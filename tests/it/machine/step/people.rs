//! How people come, go, are shut out and come back.

use std::collections::BTreeSet;

use gatehouse_access::{Grantee, Held, Place, blueprint::document::OnRemove};
use uuid::Uuid;

use super::{
    Choice, insert, present,
    role::{bring, has_room},
    role_gift, seen_app,
    tree::{Whom, chosen},
    when,
};
use crate::machine::world::{App, Gift, Member, State, World};

/// Who is invited, to what.
pub(super) struct Asked<'a> {
    pub(super) person: usize,
    pub(super) roles: &'a [String],
    pub(super) on_apps: &'a [(Uuid, String)],
    pub(super) choice: &'a Choice,
}

/// Whether somebody gives this to whom it invites: as ever, and a role in the organization also where its roles on each of the
/// apps by which it invites assign it (`S4.19`).
fn gives(world: &World, inviter: &Member, gift: &Gift, by: &[App]) -> bool {
    if world.may_give(inviter, gift) {
        return true;
    }
    let Held::Role(role) = &gift.held else { return false };
    let facts = world.facts(inviter);
    let assigns = |app: &App| world.assigns(&facts, role, &Place::App { id: app.id, kind: app.kind.clone() });
    gift.place == Place::Organization
        && !by.is_empty()
        && by.iter().all(assigns)
        && world.fits(gift)
        && world.within_bounds(inviter, gift)
}

/// Whether each pool of these roles has a seat left.
fn is_room(world: &World, roles: &[String]) -> bool {
    let limits = &world.document.plans[&world.plan].seats;
    let taken = world.seats();
    let mut pools = roles.iter().filter_map(|role| world.role(role)).flat_map(|role| &role.seats);
    pools.all(|pool| limits.get(pool).is_none_or(|limit| taken[pool].0 + taken[pool].1 < *limit))
}

pub(super) fn invite(world: &mut World, by: &Member, asked: &Asked<'_>, fresh: Uuid) -> Option<()> {
    let Asked { person, roles, on_apps, choice } = asked;
    let ticked: &[_] = if let Choice::Tree(tree) = choice { tree } else { &[] };
    let named: BTreeSet<Uuid> = on_apps.iter().map(|(app, _)| *app).chain(ticked.iter().map(|(app, _)| *app)).collect();
    let apps = named.into_iter().map(|app| seen_app(world, by, app)).collect::<Option<Vec<App>>>()?;
    // In the organization, or else at each of the apps it is about (`S4.18`).
    let everywhere = world.holds(by, "members.invite");
    when(everywhere || !apps.is_empty() && apps.iter().all(|app| world.holds_on(by, "members.invite", app)))?;
    let through: &[App] = if everywhere { &[] } else { &apps };
    when(!world.members.iter().any(|member| member.person == *person))?;
    for role in *roles {
        let gift = role_gift(fresh, role);
        when(gives(world, by, &gift, through) && world.may_hold(roles, &gift) && has_room(world, role))?;
    }
    let mut given = on_those_apps(world, by, (roles, on_apps), fresh)?;
    let whom = Whom { member: fresh, roles, held: &[] };
    let invites_to = |gift: &Gift| match &gift.place {
        Place::Organization => false,
        Place::App { id, .. } => {
            world.apps.iter().any(|app| app.id == *id && world.holds_on(by, "members.invite", app))
        }
    };
    // Who invites at apps alone shares out nothing elsewhere.
    given.extend(chosen(world, by, whom, choice)?.into_iter().filter(|gift| everywhere || invites_to(gift)));
    when(is_room(world, roles))?;
    let invitation = Some((by.id, fresh));
    world.members.push(Member { id: fresh, person: *person, state: State::Pending, invitation, joined: false });
    receive(world, fresh, (roles, given));
    world.entries += 1;
    Some(())
}

/// The roles on apps that an invitation gives: at most one of a slot on each, each on what it builds on (`S1.29`).
fn on_those_apps(
    world: &World,
    by: &Member,
    (roles, on_apps): (&[String], &[(Uuid, String)]),
    fresh: Uuid,
) -> Option<Vec<Gift>> {
    let (mut given, mut slots) = (Vec::new(), BTreeSet::new());
    for (app, role) in on_apps {
        let app = seen_app(world, by, *app)?;
        let slot = world.role(role).and_then(|role| role.slot.clone());
        when(slot.is_none_or(|slot| slots.insert((app.id, slot))))?;
        let place = Place::App { id: app.id, kind: app.kind.clone() };
        let gift = Gift { grantee: Grantee::Member(fresh), held: Held::Role(role.clone()), place };
        when(world.may_give(by, &gift) && !world.is_closed(&app) && world.may_hold(roles, &gift))?;
        given.push(gift);
    }
    Some(given)
}

/// Gives somebody new its roles, what comes beside them, and what the roles bring.
fn receive(world: &mut World, member: Uuid, (roles, given): (&[String], Vec<Gift>)) {
    for role in roles {
        insert(world, role_gift(member, role));
    }
    for gift in given {
        insert(world, gift);
    }
    for role in roles {
        bring(world, member, role);
    }
}

/// Somebody as it may vouch now for an invitation: in the organization, or at some of the apps it is about.
struct Voucher<'w> {
    member: &'w Member,
    everywhere: bool,
    by: Vec<App>,
}

impl<'w> Voucher<'w> {
    fn of(world: &'w World, id: Uuid, apps: &[App]) -> Option<Self> {
        let member = world.member(id)?;
        let everywhere = world.holds(member, "members.invite");
        let invites = |app: &&App| !everywhere && world.holds_on(member, "members.invite", app);
        let by: Vec<App> = apps.iter().filter(invites).cloned().collect();
        (everywhere || !by.is_empty()).then_some(Self { member, everywhere, by })
    }

    fn vouches(&self, world: &World, gift: &Gift) -> bool {
        let invites = match &gift.place {
            Place::Organization => true,
            Place::App { id, .. } => self.everywhere || self.by.iter().any(|app| app.id == *id),
        };
        invites && gives(world, self.member, gift, &self.by)
    }
}

/// `by` is the pending member: whoever invited it must still be able to, and to give all it is given, but for a part for which
/// somebody else who gave it vouches.
pub(super) fn accept(world: &mut World, by: &Member) -> Option<()> {
    when(by.state == State::Pending)?;
    let inviter = by.invitation?.0;
    let given: Vec<(Uuid, Gift)> =
        world.grants.iter().filter(|(_, gift)| gift.grantee == Grantee::Member(by.id)).cloned().collect();
    let is_there =
        |app: &&App| given.iter().any(|(_, gift)| matches!(gift.place, Place::App { id, .. } if id == app.id));
    let apps: Vec<App> = world.apps.iter().filter(is_there).cloned().collect();
    let voucher = Voucher::of(world, inviter, &apps)?;
    for (row, gift) in &given {
        let giver = world.givers.get(row).copied();
        let by_giver = || {
            let giver = Voucher::of(world, giver.filter(|giver| *giver != inviter)?, &apps)?;
            Some(giver.vouches(world, gift))
        };
        let brought = giver.is_none() && is_brought(world, by.id, gift);
        when(brought || voucher.vouches(world, gift) || by_giver() == Some(true))?;
    }
    let limits = &world.document.plans[&world.plan].seats;
    let taken = world.seats();
    for pool in world.roles_of(by.id).iter().filter_map(|role| world.role(role)).flat_map(|role| &role.seats) {
        when(limits.get(pool).is_none_or(|limit| taken[pool].0 < *limit))?;
    }
    let member = world.members.iter_mut().find(|member| member.id == by.id)?;
    (member.state, member.joined) = (State::Active, true);
    world.entries += 1;
    Some(())
}

/// Whether a grant is one that the member's roles bring by themselves.
fn is_brought(world: &World, member: Uuid, gift: &Gift) -> bool {
    let roles = world.roles_of(member);
    let mut rules = roles.iter().filter_map(|role| world.role(role)).flat_map(|role| &role.automatic);
    let Place::App { kind, .. } = &gift.place else { return false };
    rules.any(|rule| gift.held == Held::Role(rule.role.clone()) && rule.app_kind == *kind)
}

/// Somebody else whose roles are the author's to take, in the state that is asked for.
fn below(world: &World, by: &Member, member: Uuid, state: State) -> Option<Member> {
    when(world.holds(by, "members.update"))?;
    let member = present(world, by, member)?;
    when(member.id != by.id && member.state == state && world.may_take(by, &world.roles_of(member.id)))?;
    Some(member)
}

fn set_state(world: &mut World, member: Uuid, state: State) {
    for other in world.members.iter_mut().filter(|other| other.id == member) {
        other.state = state;
    }
    world.entries += 1;
}

/// Shut out: it keeps what it holds and may use none of it; that somebody must hold its roles is asked of the state after.
pub(super) fn suspend(world: &mut World, by: &Member, member: Uuid) -> Option<()> {
    let member = below(world, by, member, State::Active)?;
    set_state(world, member.id, State::Suspended);
    Some(())
}

/// Let in again with what it kept; that its seat is free is asked of the state after (`Q28`).
pub(super) fn reactivate(world: &mut World, by: &Member, member: Uuid) -> Option<()> {
    let member = below(world, by, member, State::Suspended)?;
    when(world.roles_of(member.id).iter().all(|role| has_room(world, role)))?;
    set_state(world, member.id, State::Active);
    Some(())
}

/// Back in the old place, with roles and access given anew as to somebody invited (`Q21`).
pub(super) fn restore(
    world: &mut World,
    by: &Member,
    member: Uuid,
    (roles, choice): (&[String], &Choice),
) -> Option<()> {
    // Of those who have left, only who sees everyone sees any.
    when(world.holds(by, "members.invite") && world.holds(by, "members.read"))?;
    let member = world.member(member)?.clone();
    // An invitation that was taken back leaves no place to come back to.
    when(member.state == State::Archived && member.joined)?;
    for role in roles {
        let gift = role_gift(member.id, role);
        when(world.may_give(by, &gift) && world.may_hold(roles, &gift) && has_room(world, role))?;
    }
    let given = chosen(world, by, Whom { member: member.id, roles, held: &[] }, choice)?;
    when(is_room(world, roles))?;
    set_state(world, member.id, State::Active);
    receive(world, member.id, (roles, given));
    Some(())
}

pub(super) fn remove(world: &mut World, by: &Member, member: Uuid) -> Option<()> {
    when(world.holds(by, "members.remove"))?;
    let gone = present(world, by, member)?;
    when(gone.id != by.id && world.may_take(by, &world.roles_of(gone.id)))?;
    depart(world, gone.id);
    Some(())
}

pub(super) fn leave(world: &mut World, by: &Member) -> Option<()> {
    when(world.document.removal.may_leave)?;
    depart(world, by.id);
    Some(())
}

fn depart(world: &mut World, member: Uuid) {
    world.grants.retain(|(_, gift)| gift.grantee != Grantee::Member(member));
    for team in &mut world.teams {
        team.members.remove(&member);
    }
    match world.document.removal.on_remove {
        OnRemove::Purge => world.members.retain(|other| other.id != member),
        OnRemove::Archive => {
            for other in world.members.iter_mut().filter(|other| other.id == member) {
                other.state = State::Archived;
            }
        }
    }
    world.entries += 1;
}
