//! Rights: everything one principal may do, in compact form.
//!
//! Compiled once from [`Facts`]; a question is then a bit test, with one binary search where grants differ by app.

mod grants;
mod rows;

use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

use crate::{
    AppRef, Blueprint, Denial, Facts, Held, Place, PrincipalId,
    blueprint::{RightSet, document::Role},
};
pub(crate) use grants::{ceiling, given, inactive, lets_in, limit, sees_locked};
pub use rows::privacy_kind;

/// What one principal may do in one organization.
#[derive(Debug, Clone)]
pub struct Rights {
    organization: Uuid,
    principal: PrincipalId,
    inactive: Option<Denial>,
    everywhere: RightSet,
    apps: Vec<(Uuid, OnApp)>,
    /// The most that can be held: the token's scopes and the ceilings of roles; `None` is no bound.
    limit: Option<RightSet>,
    roles: BTreeSet<String>,
    permissions: BTreeSet<String>,
    maintained: BTreeSet<Uuid>,
    teams: BTreeSet<Uuid>,
    /// The apps whose people may be seen, by an app role there.
    people: BTreeSet<Uuid>,
    valid_until: Option<DateTime<Utc>>,
}

/// What grants on one app give, there and below it.
#[derive(Debug, Clone)]
struct OnApp {
    kind: Option<usize>,
    rights: RightSet,
    roles: BTreeSet<String>,
}

/// What a principal may do in one feature of one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// The feature's key.
    pub feature: String,
    /// The strongest access level held whole, where the feature has levels.
    pub level: Option<String>,
    /// The allowed actions, in the blueprint's order; never empty.
    pub actions: Vec<String>,
}

impl Rights {
    /// Compiles facts at a moment; grants that have run out by then give nothing.
    #[must_use]
    pub fn compile(blueprint: &Blueprint, facts: &Facts, now: DateTime<Utc>) -> Self {
        let inactive = inactive(facts);
        let mut everywhere = RightSet::empty(blueprint.kinds().len());
        let mut apps: BTreeMap<Uuid, OnApp> = BTreeMap::new();
        let mut roles = BTreeSet::new();
        let mut valid_until = None::<DateTime<Utc>>;
        let live = facts.grants.iter().filter(|grant| inactive.is_none() && grant.is_live(now));
        for grant in live {
            if let Some(end) = grant.expires_at {
                valid_until = Some(valid_until.map_or(end, |earlier| earlier.min(end)));
            }
            let rights = given(blueprint, grant);
            match &grant.place {
                Place::Organization => {
                    everywhere.add(&rights);
                    if let Held::Role(role) = &grant.held {
                        roles.insert(role.clone());
                    }
                }
                Place::App { id, kind } => {
                    let empty = || OnApp {
                        kind: blueprint.kind(kind).map(|(index, _)| index),
                        rights: RightSet::empty(blueprint.kinds().len()),
                        roles: BTreeSet::new(),
                    };
                    let app = apps.entry(*id).or_insert_with(empty);
                    app.rights.add(&rights);
                    if let Held::Role(role) = &grant.held {
                        app.roles.insert(role.clone());
                    }
                }
            }
        }
        let limit = limit(blueprint, facts, now);
        if let Some(limit) = &limit {
            everywhere.keep(limit);
            for app in apps.values_mut() {
                app.rights.keep(limit);
            }
        }
        let permissions = blueprint
            .permissions()
            .keys()
            .filter(|key| blueprint.permission_bit(key).is_some_and(|bit| everywhere.permissions & bit != 0))
            .cloned()
            .collect();
        let read = blueprint.permission_bit("members.read").unwrap_or_default();
        let people = apps.iter().filter(|(_, app)| app.rights.permissions & read != 0).map(|(id, _)| *id).collect();
        let active = inactive.is_none();
        let narrowed = facts.scopes.is_some();
        Self {
            organization: facts.organization,
            principal: facts.principal,
            inactive,
            everywhere,
            apps: apps.into_iter().collect(),
            limit,
            roles,
            permissions,
            maintained: facts.teams.iter().filter(|t| active && !narrowed && t.maintainer).map(|t| t.id).collect(),
            teams: facts.teams.iter().filter(|_| active).map(|team| team.id).collect(),
            people,
            valid_until,
        }
    }

    /// The organization.
    #[must_use]
    pub const fn organization(&self) -> Uuid {
        self.organization
    }

    /// The principal.
    #[must_use]
    pub const fn principal(&self) -> PrincipalId {
        self.principal
    }

    /// The moment from which these rights are no longer right, because a grant runs out.
    #[must_use]
    pub const fn valid_until(&self) -> Option<DateTime<Utc>> {
        self.valid_until
    }

    /// Why everything is denied, if it is.
    #[must_use]
    pub fn inactive(&self) -> Option<Denial> {
        self.inactive.clone()
    }

    /// Whether an organization permission is held.
    #[must_use]
    pub fn holds(&self, permission: &str) -> bool {
        self.permissions.contains(permission)
    }

    /// The organization permissions held, sorted.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.permissions.iter().map(String::as_str)
    }

    /// The organization roles held, sorted by key; not narrowed by a token's scopes.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(String::as_str)
    }

    /// Whether the principal is a maintainer of this team (`S5.6`).
    #[must_use]
    pub fn maintains(&self, team: Uuid) -> bool {
        self.maintained.contains(&team)
    }

    /// Whether the principal is in this team, directly or through a team below it.
    #[must_use]
    pub fn is_in_team(&self, team: Uuid) -> bool {
        self.teams.contains(&team)
    }

    /// What grants on this app itself give.
    fn on(&self, id: Uuid) -> Option<&OnApp> {
        let place = self.apps.binary_search_by(|(other, _)| other.cmp(&id)).ok()?;
        self.apps.get(place).map(|(_, app)| app)
    }

    /// The bits held on an app.
    fn bits(&self, blueprint: &Blueprint, kind: usize, app: &AppRef<'_>) -> u128 {
        if !app.active {
            return 0;
        }
        let on = |id: Uuid| self.on(id).map_or(0, |app| app.rights.kind(kind));
        let inherited = app.ancestors.iter().fold(0, |bits, ancestor| bits | on(*ancestor));
        self.everywhere.kind(kind) | on(app.id) | inherited | self.public_bits(blueprint, kind, app)
    }

    /// The bits that a public app gives to whoever is let in (`Q16`).
    fn public_bits(&self, blueprint: &Blueprint, kind: usize, app: &AppRef<'_>) -> u128 {
        let public = || blueprint.kinds().get_index(kind).and_then(|(_, kind)| kind.public);
        let Some(public) = app.public.then(public).flatten() else { return 0 };
        let is_in = match public.to {
            None => self.inactive.is_none() && self.roles.iter().any(|role| blueprint.role(role).is_some()),
            Some(to) => {
                let on = |id: &Uuid| self.on(*id).is_some_and(|app| app.rights.kind(to) != 0);
                self.everywhere.kind(to) != 0 || app.ancestors.iter().any(on)
            }
        };
        let within = self.limit.as_ref().map_or(u128::MAX, |limit| limit.kind(kind));
        if is_in { public.bits & within } else { 0 }
    }

    /// Whether an organization permission is held on an app: in the organization, or by an app role there or above it.
    #[must_use]
    pub fn holds_on(&self, blueprint: &Blueprint, key: &str, app: &AppRef<'_>) -> bool {
        let Some(bit) = blueprint.permission_bit(key) else { return false };
        let on = |id: &Uuid| self.on(*id).is_some_and(|app| app.rights.permissions & bit != 0);
        self.everywhere.permissions & bit != 0 || app.active && std::iter::once(&app.id).chain(app.ancestors).any(on)
    }

    /// Why an organization permission is not held on an app; `None`: it is. Of an app that is disabled, itself or by one above it,
    /// that is the reason, where the permission would be held otherwise.
    #[must_use]
    pub fn denied_on(&self, blueprint: &Blueprint, key: &str, app: &AppRef<'_>) -> Option<Denial> {
        if let Some(inactive) = self.inactive() {
            return Some(inactive);
        }
        if self.holds_on(blueprint, key, app) {
            return None;
        }
        let enabled = AppRef { active: true, ..*app };
        Some(if self.holds_on(blueprint, key, &enabled) {
            Denial::AppInactive
        } else {
            Denial::MissingPermission { permission: key.to_owned() }
        })
    }

    /// The apps on which a permission is held by an app role, there and below.
    #[must_use]
    pub fn apps_with(&self, blueprint: &Blueprint, key: &str) -> BTreeSet<Uuid> {
        let Some(bit) = blueprint.permission_bit(key) else { return BTreeSet::new() };
        self.apps.iter().filter(|(_, app)| app.rights.permissions & bit != 0).map(|(id, _)| *id).collect()
    }

    /// Whether an action of a feature is allowed on an app. Anything unknown is denied.
    #[must_use]
    pub fn allows(&self, blueprint: &Blueprint, app: &AppRef<'_>, feature: &str, action: &str) -> bool {
        blueprint
            .kind(app.kind)
            .and_then(|(index, kind)| Some((index, *kind.features.get(feature)?.actions.get(action)?)))
            .is_some_and(|(index, bit)| self.bits(blueprint, index, app) & bit != 0)
    }

    /// Whether anything at all is held on an app: without it, the app does not exist for the principal (`S3.31`).
    #[must_use]
    pub fn sees(&self, blueprint: &Blueprint, app: &AppRef<'_>) -> bool {
        blueprint.kind(app.kind).is_some_and(|(index, kind)| self.bits(blueprint, index, app) & kind.all != 0)
    }

    /// What is held on an app, feature by feature, in the blueprint's order; features without any action are left out.
    #[must_use]
    pub fn capabilities(&self, blueprint: &Blueprint, app: &AppRef<'_>) -> Vec<Capability> {
        let Some((index, kind)) = blueprint.kind(app.kind) else { return Vec::new() };
        let bits = self.bits(blueprint, index, app);
        kind.features
            .iter()
            .filter(|(_, feature)| feature.all & bits != 0)
            .map(|(key, feature)| Capability {
                feature: key.clone(),
                level: feature.level(bits).map(str::to_owned),
                actions: feature
                    .actions
                    .iter()
                    .filter(|(_, bit)| bits & **bit != 0)
                    .map(|(action, _)| action.clone())
                    .collect(),
            })
            .collect()
    }

    /// Everything held that could be passed on at a place: in the organization, or on one app.
    pub(crate) fn at(&self, place: &Place, ancestors: &[Uuid]) -> RightSet {
        let mut held = self.everywhere.clone();
        if let Place::App { id, .. } = place {
            for app in std::iter::once(id).chain(ancestors) {
                if let Some(app) = self.on(*app) {
                    held.add(&app.rights);
                }
            }
        }
        held
    }

    /// The rules of the roles held in the organization and, for a place on an app, there and above it.
    pub(crate) fn role_rules<'a>(
        &'a self,
        blueprint: &'a Blueprint,
        place: &'a Place,
        ancestors: &'a [Uuid],
    ) -> impl Iterator<Item = &'a Role> {
        let own = match place {
            Place::Organization => None,
            Place::App { id, .. } => Some(id),
        };
        let above = ancestors.iter().filter(move |_| own.is_some());
        let on_apps = own.into_iter().chain(above).filter_map(|id| self.on(*id)).flat_map(|app| app.roles.iter());
        self.roles.iter().chain(on_apps).filter_map(|key| blueprint.document().roles.get(key))
    }
}
