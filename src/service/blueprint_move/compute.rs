//! What a move comes to, of rows read once.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    GoneGrants, InstalledVersion, MoveChoice, MovedRole, NarrowedRole, Preview, holders, invitations, needs, people,
    strays,
};
use crate::{
    access::{
        Blueprint, Grant, Grantee, Held, Place, PrincipalId, Rights,
        blueprint::CustomRole,
        delegation::{Gift, fits},
    },
    service::{Service, ServiceError, UserError, UserErrorCode, blueprint::Installed},
    store::{
        self, Reader,
        app::App,
        custom_role::{RoleRow, StoredRole},
        facts::{self, Crowd},
        grant::AccessGrant,
        member::Member,
        organization::Organization,
        team::Team,
    },
};

/// Who moves which organization.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mover {
    pub(super) organization: Uuid,
    pub(super) principal: PrincipalId,
}

/// A move that has been thought through.
#[derive(Debug)]
pub(super) struct MovePlan {
    pub(super) preview: Preview,
    /// Why this mover may not, whoever else may.
    pub(super) refusals: Vec<UserError>,
    /// The grants that go.
    pub(super) removed: Vec<Uuid>,
    /// The grants that come in the place of others, with the ids of those.
    pub(super) regranted: Vec<AccessGrant>,
    /// The organization's own roles that change.
    pub(super) adapted: Vec<RoleRow>,
    pub(super) blueprint: Uuid,
    pub(super) plan: String,
    pub(super) plan_changes: bool,
}

/// Everything of an organization that a move is about.
pub(super) struct Ground {
    pub(super) row: Organization,
    pub(super) custom: Vec<StoredRole>,
    pub(super) grants: Vec<AccessGrant>,
    pub(super) apps: Vec<App>,
    pub(super) teams: Vec<Team>,
    pub(super) members: Vec<Member>,
    /// The blueprints of the organizations below.
    pub(super) below: BTreeSet<String>,
    pub(super) crowd: Crowd,
}

/// The rules before and after.
pub(super) struct Rules {
    pub(super) old: Arc<Installed>,
    pub(super) new: Blueprint,
    pub(super) roles: BTreeMap<String, String>,
}

/// What becomes of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Stays,
    Becomes(String),
    Goes,
    Unmapped,
}

impl Rules {
    pub(super) fn becomes<'r>(&'r self, role: &'r str) -> &'r str {
        self.roles.get(role).map_or(role, String::as_str)
    }

    /// A grant as it is after the move; `None` where it is no more.
    pub(super) fn moved(&self, grant: Grant) -> Option<Grant> {
        match self.outcome(grant.grantee, &grant.held, &grant.place) {
            Outcome::Stays => Some(grant),
            Outcome::Becomes(role) => Some(Grant { held: Held::Role(role), ..grant }),
            Outcome::Goes | Outcome::Unmapped => None,
        }
    }

    /// What becomes of a grant.
    pub(super) fn outcome(&self, grantee: Grantee, held: &Held, place: &Place) -> Outcome {
        let fit = |held: &Held| fits(&self.new, &Gift { grantee, held, place, ancestors: &[] }).is_ok();
        match held {
            Held::Feature { .. } if fit(held) => Outcome::Stays,
            Held::Feature { .. } => Outcome::Goes,
            Held::Role(role) => {
                let becomes = self.becomes(role);
                match fit(&Held::Role(becomes.to_owned())) {
                    true if becomes == role => Outcome::Stays,
                    true => Outcome::Becomes(becomes.to_owned()),
                    // Nobody has anything by a role that the old version does not have either.
                    false if !self.old.rules.document().roles.contains_key(role) => Outcome::Goes,
                    false => Outcome::Unmapped,
                }
            }
        }
    }
}

async fn ground(reader: &impl Reader, organization: Uuid) -> Result<Ground, ServiceError> {
    let row = store::organization::find_by_id(reader, organization).await?.ok_or(ServiceError::NotFound)?;
    Ok(Ground {
        row,
        custom: store::custom_role::find_all(reader, organization).await?,
        grants: store::grant::find_all(reader, organization).await?,
        apps: store::app::find_all(reader, organization).await?,
        teams: store::team::find_all(reader, organization).await?,
        members: store::member::find_all(reader, organization).await?,
        below: store::organization::blueprints_below(reader, organization).await?,
        crowd: facts::load_all(reader, organization).await?.ok_or(ServiceError::NotFound)?,
    })
}

/// Thinks a move through.
///
/// # Errors
/// [`ServiceError::Refused`] for a version that is not installed or is lived by already.
pub(super) async fn plan(
    service: &Service,
    reader: &impl Reader,
    (mover, choice): (Mover, &MoveChoice),
    now: DateTime<Utc>,
) -> Result<MovePlan, ServiceError> {
    let ground = ground(reader, mover.organization).await?;
    let own: Vec<CustomRole> = ground.custom.iter().map(|stored| stored.role.clone()).collect();
    let old = service.rules(reader, ground.row.blueprint_id, &own).await?;
    let found = store::blueprint::find_by_name(reader, old.rules.name(), Some(choice.version)).await?;
    let found = found.filter(|found| found.id != ground.row.blueprint_id).ok_or_else(|| no_version(&old))?;
    let plain = service.blueprint(reader, found.id).await?;

    let mut problems = Vec::new();
    let adaptation = adapt(&plain.rules, &ground, choice, now, &mut problems);
    let new = plain.rules.with_custom_roles(&adaptation.roles);
    let rules = Rules { old, new, roles: choice.roles.clone() };
    check_roles(&rules, &mut problems);
    let grants = grants(&rules, &ground, &mut problems);
    let plan = choice.plan.clone().unwrap_or_else(|| ground.row.plan.clone());
    strays::check(&rules, &ground, &mut problems);
    invitations::check(&rules, &ground, &mut problems)?;
    people::check(&rules, &ground, now, &mut problems);
    needs::check(&rules, &ground, now, &mut problems);
    holders::check(&rules, &ground, &mut problems);
    people::check_seats(reader, &rules, (&ground, &plan), now, &mut problems).await?;
    let (changes, refusals) = people::changes(&rules, &ground, mover.principal, now);

    let version = InstalledVersion {
        id: found.id,
        version: found.version,
        title: found.title,
        installed_at: found.installed_at,
        is_current: false,
    };
    let from = i32::try_from(rules.old.rules.version()).unwrap_or(i32::MAX);
    let narrowed = adaptation.narrowed;
    let mut preview = Preview {
        version,
        from,
        changes,
        problems,
        roles: grants.roles,
        gone: grants.gone,
        narrowed,
        token: String::new(),
    };
    let rewritten: Vec<(Uuid, &Held)> = grants.regranted.iter().map(|grant| (grant.id, &grant.held)).collect();
    preview.token = token(&(
        (ground.row.id, ground.row.blueprint_id, preview.version.id, &plan, &choice.roles),
        (&preview.changes, &preview.problems, &preview.roles, &preview.gone, &preview.narrowed),
        (&grants.removed, rewritten, adaptation.changed.iter().map(|row| &row.role).collect::<Vec<_>>()),
    ));
    Ok(MovePlan {
        preview,
        refusals,
        removed: grants.removed,
        regranted: grants.regranted,
        adapted: adaptation.changed,
        blueprint: found.id,
        plan_changes: plan != ground.row.plan,
        plan,
    })
}

fn no_version(old: &Installed) -> ServiceError {
    let message = format!("`{}` has no other installed version of this number", old.rules.name());
    UserError::new(UserErrorCode::NotInBlueprint, "version", message)
        .remedy("Choose one of the organization's `blueprintVersions` other than the present one.")
        .into()
}

/// A hash of everything that is shown: two plans with one token are the same plan.
fn token(content: &impl std::fmt::Debug) -> String {
    use std::fmt::Write;

    let digest = Sha256::digest(format!("{content:?}"));
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The organization's own roles in the new version.
struct Adaptation {
    roles: Vec<CustomRole>,
    changed: Vec<RoleRow>,
    narrowed: Vec<NarrowedRole>,
}

fn adapt(
    plain: &Blueprint,
    ground: &Ground,
    choice: &MoveChoice,
    now: DateTime<Utc>,
    problems: &mut Vec<UserError>,
) -> Adaptation {
    let mut adaptation = Adaptation { roles: Vec::new(), changed: Vec::new(), narrowed: Vec::new() };
    for StoredRole { id, role: before } in &ground.custom {
        let mut role = before.clone();
        if let Some(base) = choice.roles.get(&role.base) {
            role.base.clone_from(base);
        }
        if plain.document().roles.get(&role.base).is_none_or(|base| !base.customizable) {
            let message =
                format!("{} is made after `{}`, after which no role can be made there", role.label, role.base);
            let remedy = "Name a customizable role that takes that one's place, or delete the role.";
            problems.push(UserError::new(UserErrorCode::Missing, "roles", message).remedy(remedy));
            adaptation.roles.push(role);
            continue;
        }
        let gives = plain.custom_rights(&role);
        let whole =
            |known: Result<crate::access::blueprint::RightSet, _>| known.is_ok_and(|known| gives.contains(&known));
        let permissions = role.permissions.iter().filter(|key| !whole(plain.permission_rights(key)));
        let access = role.access.iter().filter(|selector| !whole(plain.access_rights(selector)));
        let lost: Vec<String> = permissions.chain(access).cloned().collect();
        if !lost.is_empty() {
            // What is left of it is written out, so that no later version gives back silently what this one took.
            (role.permissions, role.access) = (plain.permissions_of(&gives), plain.actions_of(&gives));
            let (key, label) = (role.key.clone(), role.label.clone());
            adaptation.narrowed.push(NarrowedRole { role: key, label, lost });
        }
        if role != *before {
            let row = RoleRow { id: *id, organization: ground.row.id, role: role.clone(), now };
            adaptation.changed.push(row);
        }
        adaptation.roles.push(role);
    }
    adaptation
}

/// Whether the roles that take others' places exist, and those others do.
fn check_roles(rules: &Rules, problems: &mut Vec<UserError>) {
    for (from, to) in &rules.roles {
        let missing = |what: &str| UserError::new(UserErrorCode::NotInBlueprint, "roles", what.to_owned());
        if !rules.old.rules.document().roles.contains_key(from) {
            problems.push(missing(&format!("the organization has no role `{from}`")).remedy("Leave it out."));
        }
        if !rules.new.document().roles.contains_key(to) {
            let keys = rules.new.document().roles.keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
            problems.push(missing(&format!("the version has no role `{to}`")).remedy(format!("Name one of {keys}.")));
        }
    }
}

/// What becomes of the grants.
struct Grants {
    roles: Vec<MovedRole>,
    gone: Vec<GoneGrants>,
    removed: Vec<Uuid>,
    regranted: Vec<AccessGrant>,
}

fn grants(rules: &Rules, ground: &Ground, problems: &mut Vec<UserError>) -> Grants {
    type Key = (Grantee, String, Option<Uuid>);
    let mut uses: BTreeMap<&str, u64> = BTreeMap::new();
    let mut unmapped: BTreeMap<&str, u64> = BTreeMap::new();
    let mut gone: BTreeMap<(&str, &str, Option<&str>), u64> = BTreeMap::new();
    let mut removed: BTreeSet<Uuid> = BTreeSet::new();
    let mut roles: HashMap<Key, AccessGrant> = HashMap::new();
    for grant in &ground.grants {
        let outcome = rules.outcome(grant.grantee, &grant.held, &grant.place);
        match (&grant.held, outcome) {
            (Held::Feature { .. }, Outcome::Stays | Outcome::Becomes(_) | Outcome::Unmapped) => {}
            (Held::Feature { kind, feature, level }, Outcome::Goes) => {
                let count = gone.entry((kind, feature, level.as_deref())).or_default();
                *count = count.saturating_add(1);
                removed.insert(grant.id);
            }
            (Held::Role(role), outcome) => {
                let count = uses.entry(role).or_default();
                *count = count.saturating_add(1);
                let becomes = match outcome {
                    Outcome::Stays => role.clone(),
                    Outcome::Becomes(other) => other,
                    Outcome::Goes => {
                        removed.insert(grant.id);
                        continue;
                    }
                    Outcome::Unmapped => {
                        let count = unmapped.entry(role).or_default();
                        *count = count.saturating_add(1);
                        continue;
                    }
                };
                let place = match &grant.place {
                    Place::Organization => None,
                    Place::App { id, .. } => Some(*id),
                };
                let moved = AccessGrant { held: Held::Role(becomes.clone()), ..grant.clone() };
                // Two roles that become one are held once, for as long as the longer of them.
                match roles.entry((grant.grantee, becomes, place)) {
                    std::collections::hash_map::Entry::Vacant(free) => {
                        free.insert(moved);
                    }
                    std::collections::hash_map::Entry::Occupied(mut other) => {
                        let longer = outlasts(&moved, other.get());
                        let shorter = if longer { other.insert(moved) } else { moved };
                        removed.insert(shorter.id);
                    }
                }
            }
        }
    }
    let before: HashMap<Uuid, &Held> = ground.grants.iter().map(|grant| (grant.id, &grant.held)).collect();
    let mut regranted: Vec<AccessGrant> =
        roles.into_values().filter(|grant| before.get(&grant.id).is_some_and(|held| **held != grant.held)).collect();
    regranted.sort_unstable_by_key(|grant| grant.id);
    let label = |role: &str| {
        let rules = rules.old.rules.document().roles.get(role);
        rules.map_or_else(|| role.to_owned(), |rules| rules.label.clone())
    };
    for (role, count) in &unmapped {
        let given = match count {
            1 => "once".to_owned(),
            count => format!("{count} times"),
        };
        let message = format!("{} is given {given} and cannot be held so in the version", label(role));
        let refusal = UserError::new(UserErrorCode::Missing, "roles", message);
        problems.push(refusal.remedy(format!("Name the role that takes the place of `{role}`.")));
    }
    let moved = uses.iter().map(|(role, uses)| MovedRole {
        role: (*role).to_owned(),
        label: label(role),
        uses: *uses,
        becomes: (!unmapped.contains_key(role)).then(|| rules.becomes(role).to_owned()),
    });
    let gone = gone.into_iter().map(|((kind, feature, level), count)| GoneGrants {
        kind: kind.to_owned(),
        feature: feature.to_owned(),
        level: level.map(str::to_owned),
        count,
    });
    Grants { roles: moved.collect(), gone: gone.collect(), removed: removed.into_iter().collect(), regranted }
}

fn outlasts(one: &AccessGrant, other: &AccessGrant) -> bool {
    match (one.expires_at, other.expires_at) {
        (None, Some(_)) => true,
        (Some(one), Some(other)) => one > other,
        (_, None) => false,
    }
}

/// The rights that facts give under one version.
pub(super) fn rights(rules: &Blueprint, facts: &crate::access::Facts, now: DateTime<Utc>) -> Rights {
    Rights::compile(rules, facts, now)
}
