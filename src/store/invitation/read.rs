//! Finding invitations.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use gatehouse_entity::invitation::{Column, Entity, InvitationState, Model};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, ExprTrait, QueryFilter, QueryOrder, sea_query::Expr};
use uuid::Uuid;

use super::{Invitation, InvitationStanding};
use crate::{
    access::Visibility,
    store::{
        Page, PageRequest, Reader, StoreError,
        organization::{self, OrganizationState},
        page::{Order, page},
        search::contains,
        select::{select, select_by_id},
        visibility::{Columns, condition},
    },
};

/// An invitation as the invited person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationTo {
    /// The invitation.
    pub invitation: Invitation,
    /// The organization's name.
    pub organization_name: String,
    /// The organization's slug.
    pub organization_slug: String,
}

/// Which invitations to list; nothing set is all of them.
#[derive(Debug, Clone, Default)]
pub struct InvitationFilter {
    /// Standing in one of these ways at the moment beside them.
    pub standings: Option<(Vec<InvitationStanding>, DateTime<Utc>)>,
    /// To addresses that contain this.
    pub search: Option<String>,
}

/// The invitation of this id.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(reader: &impl Reader, organization: Uuid, id: Uuid) -> Result<Option<Invitation>, StoreError> {
    let select = select_by_id::<Entity>(id).filter(Column::OrganizationId.eq(organization));
    Ok(select.one(reader.connection()).await?.map(Invitation::from))
}

/// The invitation of this secret, in whatever organization: who holds the secret knows nothing else.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_token_hash(reader: &impl Reader, hash: &[u8]) -> Result<Option<Invitation>, StoreError> {
    let select = select::<Entity>().filter(Column::TokenHash.eq(hash));
    Ok(select.one(reader.connection()).await?.map(Invitation::from))
}

/// The invitation of this id, in whatever organization, if it went to this address.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_to_email(reader: &impl Reader, id: Uuid, email: &str) -> Result<Option<Invitation>, StoreError> {
    let select = select_by_id::<Entity>(id).filter(Column::Email.eq(email));
    Ok(select.one(reader.connection()).await?.map(Invitation::from))
}

/// The unanswered invitation to this address, expired or not.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_pending_by_email(
    reader: &impl Reader,
    organization: Uuid,
    email: &str,
) -> Result<Option<Invitation>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Email.eq(email))
        .filter(Column::State.eq(InvitationState::Pending));
    Ok(select.one(reader.connection()).await?.map(Invitation::from))
}

/// The invitations of these members, in the order of making; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn of_members(
    reader: &impl Reader,
    organization: Uuid,
    members: &[Uuid],
) -> Result<Vec<Invitation>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::MemberId.is_in(members.iter().copied()))
        .order_by_asc(Column::Id);
    Ok(select.all(reader.connection()).await?.into_iter().map(Invitation::from).collect())
}

/// Invitations, the newest first.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(
    reader: &impl Reader,
    visibility: &Visibility,
    filter: &InvitationFilter,
    request: &PageRequest,
) -> Result<Page<Invitation>, StoreError> {
    let database = reader.connection().get_database_backend();
    let columns = Columns { organization: Column::OrganizationId, kind: Column::State, id: Column::Id };
    let standings = filter.standings.as_ref().map(|(standings, now)| {
        standings.iter().fold(Condition::any().add(Expr::val(1).eq(0)), |any, one| any.add(stands(*one, *now)))
    });
    let search = filter.search.as_deref().map(|text| contains(database, [Column::Email], text));
    let select = select::<Entity>().filter(condition(visibility, columns).add_option(standings).add_option(search));
    page(reader, select, Order { key: None, id: Column::Id, descending: true }, request).await
}

/// The invitations that a person could accept at `now`, in open organizations, in the order of making.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn pending_for_email(
    reader: &impl Reader,
    email: &str,
    now: DateTime<Utc>,
) -> Result<Vec<InvitationTo>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::Email.eq(email))
        .filter(stands(InvitationStanding::Pending, now))
        .order_by_asc(Column::Id);
    let rows = select.all(reader.connection()).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.organization_id).collect();
    let open = organization::find_many(reader, &ids).await?.into_iter();
    let mut open: HashMap<Uuid, _> =
        open.filter(|found| found.state == OrganizationState::Active).map(|found| (found.id, found)).collect();
    let to = |row: Model| {
        let found = open.remove(&row.organization_id)?;
        Some(InvitationTo { invitation: row.into(), organization_name: found.name, organization_slug: found.slug })
    };
    Ok(rows.into_iter().filter_map(to).collect())
}

fn stands(standing: InvitationStanding, now: DateTime<Utc>) -> Condition {
    let state = |state: InvitationState| Condition::all().add(Column::State.eq(state));
    match standing {
        InvitationStanding::Pending => state(InvitationState::Pending).add(Column::ExpiresAt.gt(now)),
        InvitationStanding::Expired => state(InvitationState::Pending).add(Column::ExpiresAt.lte(now)),
        InvitationStanding::Accepted => state(InvitationState::Accepted),
        InvitationStanding::Declined => state(InvitationState::Declined),
        InvitationStanding::Revoked => state(InvitationState::Revoked),
    }
}
