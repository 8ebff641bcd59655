//! Who holds a role: what changes bring with them, and what must not be lost (`S1.22`, `S1.34`, `S4.R5`).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use gatehouse_entity::{
    access_grant::{Column, Entity, GranteeKind},
    member, team, team_member,
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use uuid::Uuid;

use super::{AccessGrant, complete, live, member_roles, rows::take};
use crate::{
    access::{Grantee, Permit, verb::GrantAccess},
    store::{Reader, StoreError, Tx, member::MemberState, select::select, write::covers_row},
};

/// Active members that hold a role on an app, by app and role.
pub type HoldersOnApps = BTreeMap<(Uuid, String), BTreeSet<Uuid>>;

/// Who holds which of these organization roles, whatever the member's state.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn holders_of(
    reader: &impl Reader,
    organization: Uuid,
    roles: &[&str],
    now: DateTime<Utc>,
) -> Result<BTreeSet<(Uuid, String)>, StoreError> {
    if roles.is_empty() {
        return Ok(BTreeSet::new());
    }
    let pairs: Vec<(Uuid, String)> = in_organization(organization, now)
        .select_only()
        .columns([Column::GranteeId, Column::Role])
        .filter(Column::Role.is_in(roles.iter().copied()))
        .into_tuple()
        .all(reader.connection())
        .await?;
    Ok(pairs.into_iter().collect())
}

/// Organization roles of members.
fn in_organization(organization: Uuid, now: DateTime<Utc>) -> Select<Entity> {
    select::<Entity>().filter(Column::OrganizationId.eq(organization)).filter(member_roles(now))
}

/// The members' grants of a role, on apps and elsewhere, whose holder has none of the organization roles it builds on.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn without_prerequisite(
    reader: &impl Reader,
    organization: Uuid,
    (role, requires): (&str, &[String]),
    now: DateTime<Utc>,
) -> Result<Vec<AccessGrant>, StoreError> {
    let entitled = in_organization(organization, now)
        .select_only()
        .column(Column::GranteeId)
        .filter(Column::Role.is_in(requires.iter().map(String::as_str)));
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::GranteeKind.eq(GranteeKind::Member))
        .filter(Column::Role.eq(role))
        .filter(Column::GranteeId.not_in_subquery(entitled.into_query()))
        .order_by_asc(Column::Id);
    complete(reader, select.all(reader.connection()).await?).await
}

/// The active members that hold these roles on apps at `now`, by grants of their own and of their teams on that very app. One
/// statement, and three more where teams hold one.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn holders_on_apps(
    reader: &impl Reader,
    organization: Uuid,
    roles: &[&str],
    now: DateTime<Utc>,
) -> Result<HoldersOnApps, StoreError> {
    let mut holders = HoldersOnApps::new();
    if roles.is_empty() {
        return Ok(holders);
    }
    let held: Vec<(GranteeKind, Option<Uuid>, String, Uuid)> = select::<Entity>()
        .select_only()
        .columns([Column::GranteeKind, Column::GranteeId, Column::Role, Column::AppId])
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::AppId.is_not_null())
        .filter(Column::Role.is_in(roles.iter().copied()))
        .filter(live(now))
        .into_tuple()
        .all(reader.connection())
        .await?;
    if held.is_empty() {
        return Ok(holders);
    }
    let active: Vec<Uuid> = select::<member::Entity>()
        .select_only()
        .column(member::Column::Id)
        .filter(member::Column::OrganizationId.eq(organization))
        .filter(member::Column::State.eq(MemberState::Active))
        .filter(
            member::Column::Id.in_subquery(
                select::<Entity>()
                    .select_only()
                    .column(Column::GranteeId)
                    .filter(Column::OrganizationId.eq(organization))
                    .filter(Column::AppId.is_not_null())
                    .filter(Column::Role.is_in(roles.iter().copied()))
                    .into_query(),
            ),
        )
        .into_tuple()
        .all(reader.connection())
        .await?;
    let active: BTreeSet<Uuid> = active.into_iter().collect();
    let crowds = if held.iter().any(|(kind, ..)| *kind == GranteeKind::Team) {
        crowds(reader, organization).await?
    } else {
        BTreeMap::new()
    };
    for (kind, grantee, role, app) in held {
        let Some(grantee) = grantee else { continue };
        let of = holders.entry((app, role)).or_default();
        match kind {
            GranteeKind::Member if active.contains(&grantee) => {
                of.insert(grantee);
            }
            GranteeKind::Team => of.extend(crowds.get(&grantee).into_iter().flatten()),
            GranteeKind::Member | GranteeKind::ServiceAccount | GranteeKind::Everyone => {}
        }
    }
    Ok(holders)
}

/// The active members of every team, those of the teams below it included.
async fn crowds(reader: &impl Reader, organization: Uuid) -> Result<BTreeMap<Uuid, BTreeSet<Uuid>>, StoreError> {
    let teams: Vec<(Uuid, Option<Uuid>)> = select::<team::Entity>()
        .select_only()
        .columns([team::Column::Id, team::Column::ParentId])
        .filter(team::Column::OrganizationId.eq(organization))
        .into_tuple()
        .all(reader.connection())
        .await?;
    let above: BTreeMap<Uuid, Option<Uuid>> = teams.into_iter().collect();
    let active = select::<member::Entity>()
        .select_only()
        .column(member::Column::Id)
        .filter(member::Column::OrganizationId.eq(organization))
        .filter(member::Column::State.eq(MemberState::Active));
    let places: Vec<(Uuid, Uuid)> = select::<team_member::Entity>()
        .select_only()
        .columns([team_member::Column::TeamId, team_member::Column::MemberId])
        .filter(team_member::Column::OrganizationId.eq(organization))
        .filter(team_member::Column::MemberId.in_subquery(active.into_query()))
        .into_tuple()
        .all(reader.connection())
        .await?;
    let mut crowds: BTreeMap<Uuid, BTreeSet<Uuid>> = BTreeMap::new();
    for (team, member) in places {
        let mut at = Some(team);
        // Nobody can close a circle of teams, but one made past the store must still end.
        for _ in 0..=above.len() {
            let Some(team) = at else { break };
            crowds.entry(team).or_default().insert(member);
            at = above.get(&team).copied().flatten();
        }
    }
    Ok(crowds)
}

/// What these members hold of a role on one app by grants of their own.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn of_members_on(
    reader: &impl Reader,
    organization: Uuid,
    (app, role): (Uuid, &str),
    members: &[Uuid],
) -> Result<Vec<AccessGrant>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::GranteeKind.eq(GranteeKind::Member))
        .filter(Column::GranteeId.is_in(members.iter().copied()))
        .filter(Column::AppId.eq(app))
        .filter(Column::Role.eq(role));
    complete(reader, select.all(reader.connection()).await?).await
}

/// To whom these features are given, by their kind and key, on apps and elsewhere.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn holders_of_features(
    reader: &impl Reader,
    organization: Uuid,
    features: &[(&str, &str)],
) -> Result<BTreeSet<Grantee>, StoreError> {
    if features.is_empty() {
        return Ok(BTreeSet::new());
    }
    let these = features.iter().fold(Condition::any(), |any, (kind, feature)| {
        any.add(Condition::all().add(Column::AppKind.eq(*kind)).add(Column::Feature.eq(*feature)))
    });
    let held: Vec<(GranteeKind, Option<Uuid>)> = select::<Entity>()
        .select_only()
        .columns([Column::GranteeKind, Column::GranteeId])
        .distinct()
        .filter(Column::OrganizationId.eq(organization))
        .filter(these)
        .into_tuple()
        .all(reader.connection())
        .await?;
    let grantee = |(kind, id): (GranteeKind, Option<Uuid>)| match kind {
        GranteeKind::Member => id.map(Grantee::Member),
        GranteeKind::Team => id.map(Grantee::Team),
        GranteeKind::ServiceAccount => id.map(Grantee::ServiceAccount),
        GranteeKind::Everyone => Some(Grantee::Everyone),
    };
    Ok(held.into_iter().filter_map(grantee).collect())
}

/// Takes many grants at once.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the permit is for another organization, or for one row of it.
pub async fn delete_many(
    tx: &Tx,
    permit: Permit<GrantAccess>,
    organization: Uuid,
    grants: &[AccessGrant],
) -> Result<(), StoreError> {
    covers_row(&permit, organization, &[])?;
    if let Some(stray) = grants.iter().find(|grant| grant.organization_id != organization) {
        return Err(StoreError::PermitMismatch(stray.id));
    }
    take(tx, &grants.iter().map(|grant| grant.id).collect::<Vec<_>>()).await
}
