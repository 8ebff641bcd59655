//! What reaches principals: teams, memberships and grants, each row once, and each principal's share of them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::QueryResult;
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    access::{
        Facts, Grant, Grantee, Held, Place, PrincipalId, PrincipalKind, blueprint::CustomRole, facts::TeamFact,
        grant::TeamStep,
    },
    store::StoreError,
};

/// A principal as it was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalFact {
    /// Which one.
    pub id: PrincipalId,
    /// The person behind a member.
    pub user_id: Option<Uuid>,
    /// Whether its own state and its person's let it act.
    pub active: bool,
    /// Name as shown.
    pub name: String,
    /// A member's normalized address.
    pub email: Option<String>,
    /// A member's login name.
    pub handle: Option<String>,
    /// Version of its stamp.
    pub version: i64,
    /// Version of its person's stamp.
    pub user_version: i64,
}

/// Teams, memberships and grants that reach the loaded principals.
#[derive(Debug, Clone)]
pub struct Reach {
    principals: Vec<PrincipalFact>,
    memberships: HashMap<Uuid, Vec<Membership>>,
    teams: HashMap<Uuid, Team>,
    grants: HashMap<Option<Uuid>, Vec<StoredGrant>>,
}

#[derive(Debug, Clone)]
struct Membership {
    team: Uuid,
    maintainer: bool,
}

#[derive(Debug, Clone)]
struct Team {
    name: String,
    parent: Option<Uuid>,
}

#[derive(Debug, Clone)]
struct StoredGrant {
    id: Uuid,
    grantee: Grantee,
    held: Held,
    place: Place,
    expires_at: Option<DateTime<Utc>>,
    granted_by: Option<Uuid>,
}

impl Reach {
    /// The principals that were found.
    #[must_use]
    pub fn principals(&self) -> &[PrincipalFact] {
        &self.principals
    }

    /// Who gave each grant, where that is known.
    pub fn granted_by(&self) -> impl Iterator<Item = (Uuid, Uuid)> {
        self.grants.values().flatten().filter_map(|grant| Some((grant.id, grant.granted_by?)))
    }

    /// Every end that a grant has.
    pub fn ends(&self) -> impl Iterator<Item = DateTime<Utc>> {
        self.grants.values().flatten().filter_map(|grant| grant.expires_at)
    }

    /// One principal's share, as the core asks for it. A grant that reaches it by several ways comes once, by the shortest.
    #[must_use]
    pub fn facts(&self, principal: &PrincipalFact, within: Within, scopes: Option<Vec<String>>) -> Facts {
        let own = self.memberships.get(&principal.id.id).map_or(&[][..], Vec::as_slice);
        let paths = self.paths(own);
        let mut teams: Vec<TeamFact> = paths
            .iter()
            .map(|(id, path)| {
                let maintainer = own.iter().any(|membership| membership.team == *id && membership.maintainer);
                TeamFact { id: *id, direct: path.len() == 1, maintainer }
            })
            .collect();
        teams.sort_unstable_by_key(|team| team.id);
        let mut grants: Vec<Grant> = self.held_by(Some(principal.id.id)).map(|grant| grant.reach(Vec::new())).collect();
        for (team, path) in &paths {
            grants.extend(self.held_by(Some(*team)).map(|grant| grant.reach(path.clone())));
        }
        if principal.id.kind == PrincipalKind::Member {
            grants.extend(self.held_by(None).map(|grant| grant.reach(Vec::new())));
        }
        grants.sort_unstable_by_key(|grant| grant.id);
        Facts {
            organization: within.organization,
            organization_active: within.active,
            principal: principal.id,
            principal_active: principal.active,
            teams,
            grants,
            scopes,
        }
    }

    fn held_by(&self, grantee: Option<Uuid>) -> impl Iterator<Item = &StoredGrant> {
        self.grants.get(&grantee).into_iter().flatten()
    }

    /// Every team reached from `own` upwards, each with its shortest path.
    fn paths(&self, own: &[Membership]) -> HashMap<Uuid, Vec<TeamStep>> {
        let mut paths: HashMap<Uuid, Vec<TeamStep>> = HashMap::new();
        let mut frontier: Vec<(Uuid, Vec<TeamStep>)> = own.iter().map(|m| (m.team, Vec::new())).collect();
        // Breadth first, and a team met before is not walked again: the shortest path wins and a cycle ends.
        while !frontier.is_empty() {
            let mut above = Vec::new();
            for (id, mut path) in frontier {
                let Some(team) = self.teams.get(&id) else { continue };
                if paths.contains_key(&id) {
                    continue;
                }
                path.push(TeamStep { id, name: team.name.clone() });
                above.extend(team.parent.map(|parent| (parent, path.clone())));
                paths.insert(id, path);
            }
            frontier = above;
        }
        paths
    }

    pub(super) fn read(row: &QueryResult) -> Result<Self, StoreError> {
        let mut reach = Self {
            principals: list::<PrincipalRow>(row, "principals")?.into_iter().map(PrincipalRow::fact).collect(),
            memberships: HashMap::new(),
            teams: HashMap::new(),
            grants: HashMap::new(),
        };
        for MembershipRow(team, member, role) in list(row, "memberships")? {
            let maintainer = role == "maintainer";
            reach.memberships.entry(member).or_default().push(Membership { team, maintainer });
        }
        // A database has no order: of two shortest paths, the same one is told each time.
        for own in reach.memberships.values_mut() {
            own.sort_unstable_by_key(|membership| membership.team);
        }
        for TeamRow(id, name, parent) in list(row, "teams")? {
            reach.teams.insert(id, Team { name, parent });
        }
        for grant in list::<GrantRow>(row, "grants")? {
            let grantee = grant.2;
            reach.grants.entry(grantee).or_default().push(grant.stored()?);
        }
        Ok(reach)
    }
}

/// The organization within which facts hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    /// Its id.
    pub organization: Uuid,
    /// Whether it is active.
    pub active: bool,
}

impl StoredGrant {
    fn reach(&self, path: Vec<TeamStep>) -> Grant {
        Grant {
            id: self.id,
            grantee: self.grantee,
            path,
            held: self.held.clone(),
            place: self.place.clone(),
            expires_at: self.expires_at,
        }
    }
}

#[derive(Deserialize)]
struct PrincipalRow(
    Uuid,
    String,
    Option<Uuid>,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    i64,
    i64,
);

#[derive(Deserialize)]
struct MembershipRow(Uuid, Uuid, String);

#[derive(Deserialize)]
struct TeamRow(Uuid, String, Option<Uuid>);

#[derive(Deserialize)]
struct GrantRow(
    Uuid,
    String,
    Option<Uuid>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<Uuid>,
    Option<String>,
    Option<DateTime<Utc>>,
    Option<Uuid>,
);

#[derive(Deserialize)]
struct RoleRow(String, String, String, String, Vec<String>, Vec<String>, String);

/// The organization's own roles, by key.
pub(super) fn roles(row: &QueryResult) -> Result<Vec<CustomRole>, StoreError> {
    let made = |RoleRow(key, base, label, help, permissions, access, state)| CustomRole {
        key,
        base,
        label,
        help,
        permissions,
        access,
        enabled: state == "enabled",
    };
    let mut roles: Vec<CustomRole> = list::<RoleRow>(row, "roles")?.into_iter().map(made).collect();
    roles.sort_unstable();
    Ok(roles)
}

fn list<T: DeserializeOwned>(row: &QueryResult, column: &str) -> Result<Vec<T>, StoreError> {
    let text: String = row.try_get("", column)?;
    serde_json::from_str(&text).map_err(|error| StoreError::Corrupt(format!("`{column}`: {error}")))
}

impl PrincipalRow {
    fn fact(self) -> PrincipalFact {
        let Self(id, kind, user_id, state, name, email, handle, user_state, version, user_version) = self;
        let kind = if kind == "member" { PrincipalKind::Member } else { PrincipalKind::ServiceAccount };
        let active = state == "active" && user_state.is_none_or(|state| state == "active");
        PrincipalFact { id: PrincipalId { kind, id }, user_id, active, name, email, handle, version, user_version }
    }
}

impl GrantRow {
    fn stored(self) -> Result<StoredGrant, StoreError> {
        let Self(id, kind, grantee, role, app_kind, feature, level, app, place_kind, expires_at, granted_by) = self;
        let corrupt = || StoreError::Corrupt(format!("grant `{id}`"));
        let grantee = match (kind.as_str(), grantee) {
            ("member", Some(id)) => Grantee::Member(id),
            ("team", Some(id)) => Grantee::Team(id),
            ("service_account", Some(id)) => Grantee::ServiceAccount(id),
            ("everyone", None) => Grantee::Everyone,
            _ => return Err(corrupt()),
        };
        let held = match (role, feature, app_kind) {
            (Some(role), None, _) => Held::Role(role),
            (None, Some(feature), Some(kind)) => Held::Feature { kind, feature, level },
            _ => return Err(corrupt()),
        };
        let place = match (app, place_kind) {
            (None, _) => Place::Organization,
            (Some(id), Some(kind)) => Place::App { id, kind },
            (Some(_), None) => return Err(corrupt()),
        };
        Ok(StoredGrant { id, grantee, held, place, expires_at, granted_by })
    }
}
