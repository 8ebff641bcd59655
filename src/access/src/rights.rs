//! Rights: everything one principal may do, in compact form.
//!
//! Compiled once from [`Facts`]; a question is then a bit test, with one binary search where grants differ by app.

use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

use crate::{
    AppRef, Blueprint, Denial, Facts, Held, Place, PrincipalId,
    blueprint::{
        RightSet,
        document::{Role, TeamPrivacy},
    },
    grant::Grant,
    visibility::{Rows, Visibility},
};

/// What one principal may do in one organization.
#[derive(Debug, Clone)]
pub struct Rights {
    organization: Uuid,
    principal: PrincipalId,
    inactive: Option<Denial>,
    everywhere: RightSet,
    apps: Vec<(Uuid, RightSet)>,
    roles: BTreeSet<String>,
    permissions: BTreeSet<String>,
    maintained: BTreeSet<Uuid>,
    teams: BTreeSet<Uuid>,
    valid_until: Option<DateTime<Utc>>,
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

/// What a grant gives, and whether what it names exists.
pub(crate) fn given(blueprint: &Blueprint, grant: &Grant) -> RightSet {
    let mut rights = RightSet::empty(blueprint.kinds().len());
    match &grant.held {
        Held::Role(role) => {
            if let Some(role) = blueprint.role(role) {
                rights.add(role);
            }
        }
        Held::Feature { kind, feature, level } => {
            let bits = blueprint
                .kind(kind)
                .and_then(|(index, kind)| Some((index, kind.features.get(feature)?.given(level.as_deref())?)));
            if let Some((index, bits)) = bits
                && let Some(mask) = rights.kinds.get_mut(index)
            {
                *mask |= bits;
            }
        }
    }
    if matches!(grant.place, Place::App { .. }) {
        // A role held on an app says nothing about the organization.
        rights.permissions = 0;
    }
    rights
}

/// Why the principal is denied everything, if it is.
pub(crate) fn inactive(facts: &Facts) -> Option<Denial> {
    if !facts.organization_active {
        Some(Denial::OrganizationInactive)
    } else if !facts.principal_active {
        Some(Denial::PrincipalInactive)
    } else {
        None
    }
}

impl Rights {
    /// Compiles facts at a moment; grants that have run out by then give nothing.
    #[must_use]
    pub fn compile(blueprint: &Blueprint, facts: &Facts, now: DateTime<Utc>) -> Self {
        let inactive = inactive(facts);
        let mut everywhere = RightSet::empty(blueprint.kinds().len());
        let mut apps: BTreeMap<Uuid, RightSet> = BTreeMap::new();
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
                Place::App { id, .. } => {
                    apps.entry(*id).or_insert_with(|| RightSet::empty(blueprint.kinds().len())).add(&rights);
                }
            }
        }
        if let Some(scopes) = &facts.scopes {
            let scopes = blueprint.scopes(scopes);
            everywhere.keep(&scopes);
            for rights in apps.values_mut() {
                rights.keep(&scopes);
            }
        }
        let permissions = blueprint
            .permissions()
            .keys()
            .filter(|key| blueprint.permission_bit(key).is_some_and(|bit| everywhere.permissions & bit != 0))
            .cloned()
            .collect();
        let active = inactive.is_none();
        let narrowed = facts.scopes.is_some();
        Self {
            organization: facts.organization,
            principal: facts.principal,
            inactive,
            everywhere,
            apps: apps.into_iter().collect(),
            roles,
            permissions,
            maintained: facts.teams.iter().filter(|t| active && !narrowed && t.maintainer).map(|t| t.id).collect(),
            teams: facts.teams.iter().filter(|_| active).map(|team| team.id).collect(),
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

    /// The bits held on an app.
    fn bits(&self, kind: usize, app: &AppRef<'_>) -> u128 {
        if !app.active {
            return 0;
        }
        let on = |id: Uuid| {
            self.apps
                .binary_search_by(|(other, _)| other.cmp(&id))
                .ok()
                .and_then(|place| self.apps.get(place))
                .map_or(0, |(_, rights)| rights.kind(kind))
        };
        let inherited = app.ancestors.iter().fold(0, |bits, ancestor| bits | on(*ancestor));
        self.everywhere.kind(kind) | on(app.id) | inherited
    }

    /// Whether an action of a feature is allowed on an app. Anything unknown is denied.
    #[must_use]
    pub fn allows(&self, blueprint: &Blueprint, app: &AppRef<'_>, feature: &str, action: &str) -> bool {
        blueprint
            .kind(app.kind)
            .and_then(|(index, kind)| Some((index, *kind.features.get(feature)?.actions.get(action)?)))
            .is_some_and(|(index, bit)| self.bits(index, app) & bit != 0)
    }

    /// Whether anything at all is held on an app: without it, the app does not exist for the principal (`S3.31`).
    #[must_use]
    pub fn sees(&self, blueprint: &Blueprint, app: &AppRef<'_>) -> bool {
        blueprint.kind(app.kind).is_some_and(|(index, kind)| self.bits(index, app) & kind.all != 0)
    }

    /// What is held on an app, feature by feature, in the blueprint's order; features without any action are left out.
    #[must_use]
    pub fn capabilities(&self, blueprint: &Blueprint, app: &AppRef<'_>) -> Vec<Capability> {
        let Some((index, kind)) = blueprint.kind(app.kind) else { return Vec::new() };
        let bits = self.bits(index, app);
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
                if let Ok(found) = self.apps.binary_search_by(|(other, _)| other.cmp(app))
                    && let Some((_, rights)) = self.apps.get(found)
                {
                    held.add(rights);
                }
            }
        }
        held
    }

    /// The rules of the roles held.
    pub(crate) fn role_rules<'a>(&'a self, blueprint: &'a Blueprint) -> impl Iterator<Item = &'a Role> {
        self.roles.iter().filter_map(|key| blueprint.document().roles.get(key))
    }

    /// Which apps the principal sees. Apps below a granted one are seen too; the store follows the tree.
    #[must_use]
    pub fn visible_apps(&self, blueprint: &Blueprint) -> Visibility {
        let kinds: BTreeSet<String> = (0..blueprint.kinds().len())
            .filter(|index| self.everywhere.kind(*index) != 0)
            .filter_map(|index| blueprint.kind_key(index).map(str::to_owned))
            .collect();
        let ids = self.apps.iter().filter(|(_, rights)| rights.kinds.iter().any(|bits| *bits != 0)).map(|(id, _)| *id);
        let rows = if self.inactive.is_some() { Rows::None } else { Rows::Only { kinds, ids: ids.collect() } };
        Visibility { organization: self.organization, rows }
    }

    /// Which teams the principal sees (`S5.7`); a team's kind is its privacy.
    #[must_use]
    pub fn visible_teams(&self) -> Visibility {
        let rows = if self.inactive.is_some() {
            Rows::None
        } else if self.holds("teams.read_secret") {
            Rows::All
        } else {
            let closed = self.holds("teams.read").then(|| privacy_kind(TeamPrivacy::Closed).to_owned());
            Rows::Only { kinds: closed.into_iter().collect(), ids: self.teams.clone() }
        };
        Visibility { organization: self.organization, rows }
    }

    /// Rows that one permission opens whole: members, activity, tokens.
    #[must_use]
    pub fn visible_by(&self, permission: &str) -> Visibility {
        let rows = if self.inactive.is_none() && self.holds(permission) { Rows::All } else { Rows::None };
        Visibility { organization: self.organization, rows }
    }

    /// Which members the principal sees: everyone, or itself.
    #[must_use]
    pub fn visible_members(&self) -> Visibility {
        let rows = if self.inactive.is_some() {
            Rows::None
        } else if self.holds("members.read") {
            Rows::All
        } else {
            Rows::Only { kinds: BTreeSet::new(), ids: self.principal.as_member().into_iter().collect() }
        };
        Visibility { organization: self.organization, rows }
    }
}

/// A team privacy as the kind by which [`Visibility`] tells teams apart.
#[must_use]
pub const fn privacy_kind(privacy: TeamPrivacy) -> &'static str {
    match privacy {
        TeamPrivacy::Closed => "closed",
        TeamPrivacy::Secret => "secret",
    }
}
