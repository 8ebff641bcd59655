//! API tokens: the secrets of programs, of which only a hash is kept.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_entity::api_token::{ActiveModel, Column, Entity, Model};
use gatehouse_entity::{
    member::{self, MemberState},
    service_account::{self, ServiceAccountState},
    user::{self, UserState},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Set,
    sea_query::{Alias, Expr, ExprTrait, Query},
};
use uuid::Uuid;

use super::{
    Page, PageRequest, Reader, StoreError, Tx,
    page::{Order, page},
    select::{select, select_by_id},
    service_account::covers_account,
    visibility::{Columns, condition},
    write::covers_row,
};
use crate::access::{
    Author, Permit, PrincipalId, PrincipalKind, Visibility,
    verb::{CreateApiToken, RevokeApiToken},
};

/// An API token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id, which is part of its text.
    pub id: Uuid,
    /// Where it is valid.
    pub organization_id: Uuid,
    /// The principal it acts for.
    pub principal: PrincipalId,
    /// Name as shown.
    pub name: String,
    /// What it is limited to, as permissions and access selectors.
    pub scopes: Vec<String>,
    /// The member that made it; none for another program or the operator.
    pub created_by: Option<Uuid>,
    /// Whether whoever made it is an active member still, or was the operator or a program; without, it does nothing.
    pub is_vouched: bool,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Until when it is valid.
    pub expires_at: DateTime<Utc>,
    /// When it was ended before.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Last use, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When another one was put in its place while it stays good for a while.
    pub replaced_at: Option<DateTime<Utc>>,
}

/// What a new token is made of.
#[derive(Debug, Clone)]
pub struct NewApiToken {
    /// Its id.
    pub id: Uuid,
    /// Where it is valid.
    pub organization_id: Uuid,
    /// The principal it acts for.
    pub principal: PrincipalId,
    /// Name as shown.
    pub name: String,
    /// SHA-256 of the secret part of its text.
    pub secret_hash: Vec<u8>,
    /// What it is limited to.
    pub scopes: Vec<String>,
    /// Until when it is valid.
    pub expires_at: DateTime<Utc>,
    /// When.
    pub now: DateTime<Utc>,
}

/// Which tokens to list; nothing set is all of them.
#[derive(Debug, Clone, Default)]
pub struct ApiTokenFilter {
    /// Of one principal.
    pub principal: Option<PrincipalId>,
    /// Valid at this moment.
    pub valid_at: Option<DateTime<Utc>>,
}

impl ApiToken {
    /// Rows as tokens, with one further statement where members made some of them.
    async fn read_all(reader: &impl Reader, rows: Vec<Model>) -> Result<Vec<Self>, StoreError> {
        let makers: HashSet<Uuid> = rows.iter().filter_map(|row| row.created_by).collect();
        let active = if makers.is_empty() { HashSet::new() } else { active_among(reader, makers).await? };
        let vouched = |row: &Model| row.created_by.is_none_or(|maker| active.contains(&maker));
        rows.into_iter().map(|row| Ok(Self { is_vouched: vouched(&row), ..Self::read(row)? })).collect()
    }

    async fn read_one(reader: &impl Reader, row: Option<Model>) -> Result<Option<Self>, StoreError> {
        Ok(Self::read_all(reader, row.into_iter().collect()).await?.pop())
    }

    fn read(row: Model) -> Result<Self, StoreError> {
        let corrupt = |what: &str| StoreError::Corrupt(format!("{what} of API token `{}`", row.id));
        let principal = match (row.member_id, row.service_account_id) {
            (Some(member), None) => PrincipalId::member(member),
            (None, Some(account)) => PrincipalId::service_account(account),
            (Some(_), Some(_)) | (None, None) => return Err(corrupt("principal")),
        };
        let scopes = serde_json::from_value(row.scopes).map_err(|_| corrupt("scopes"))?;
        Ok(Self {
            id: row.id,
            organization_id: row.organization_id,
            principal,
            name: row.name,
            scopes,
            created_by: row.created_by,
            is_vouched: true,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
            replaced_at: row.replaced_at,
        })
    }
}

/// The token of this id.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn find_by_id(reader: &impl Reader, organization: Uuid, id: Uuid) -> Result<Option<ApiToken>, StoreError> {
    let select = select_by_id::<Entity>(id).filter(Column::OrganizationId.eq(organization));
    ApiToken::read_one(reader, select.one(reader.connection()).await?).await
}

/// Of these members, those that are active, with an account that may be used.
async fn active_among(reader: &impl Reader, members: HashSet<Uuid>) -> Result<HashSet<Uuid>, StoreError> {
    let users = select::<user::Entity>()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::State.eq(UserState::Active));
    let no_user = member::Column::UserId.is_null();
    let select = select::<member::Entity>()
        .select_only()
        .column(member::Column::Id)
        .filter(member::Column::Id.is_in(members))
        .filter(member::Column::State.eq(MemberState::Active))
        .filter(Condition::any().add(no_user).add(member::Column::UserId.in_subquery(users.into_query())));
    Ok(select.into_tuple::<Uuid>().all(reader.connection()).await?.into_iter().collect())
}

/// The tokens that are seen, the newest first.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn list(
    reader: &impl Reader,
    visibility: &Visibility,
    filter: &ApiTokenFilter,
    request: &PageRequest,
) -> Result<Page<ApiToken>, StoreError> {
    let columns = Columns { organization: Column::OrganizationId, kind: Column::Name, id: Column::Id };
    let principal = filter.principal.map(|principal| match principal.kind {
        PrincipalKind::Member => Column::MemberId.eq(principal.id),
        PrincipalKind::ServiceAccount => Column::ServiceAccountId.eq(principal.id),
    });
    let valid =
        filter.valid_at.map(|now| Condition::all().add(Column::RevokedAt.is_null()).add(Column::ExpiresAt.gt(now)));
    let select = select::<Entity>().filter(condition(visibility, columns).add_option(principal).add_option(valid));
    let order = Order { key: None, id: Column::Id, descending: true };
    let Page { items, has_next, has_previous, total } = page::<_, Model>(reader, select, order, request).await?;
    let items = ApiToken::read_all(reader, items).await?;
    Ok(Page { items, has_next, has_previous, total })
}

/// Makes a token. The service has seen that its scopes are at most the creator's.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the permit is for another principal, [`StoreError::Query`] for one of another
/// organization.
pub async fn insert(tx: &Tx, permit: Permit<CreateApiToken>, new: NewApiToken) -> Result<ApiToken, StoreError> {
    covers_account(tx, &permit, (new.organization_id, new.principal.id), &[new.id]).await?;
    let created_by = match permit.author() {
        Author::Principal(author) => author.as_member(),
        Author::User(_) | Author::System(_) => None,
    };
    let (member, account) = match new.principal.kind {
        PrincipalKind::Member => (Some(new.principal.id), None),
        PrincipalKind::ServiceAccount => (None, Some(new.principal.id)),
    };
    let row = ActiveModel {
        id: Set(new.id),
        organization_id: Set(new.organization_id),
        service_account_id: Set(account),
        member_id: Set(member),
        name: Set(new.name),
        secret_hash: Set(new.secret_hash),
        scopes: Set(new.scopes.into()),
        created_by: Set(created_by),
        created_at: Set(new.now),
        expires_at: Set(new.expires_at),
        revoked_at: Set(None),
        last_used_at: Set(None),
        replaced_at: Set(None),
    };
    let inserted = ApiToken::read_one(tx, Some(row.insert(tx.connection()).await?)).await?;
    inserted.ok_or_else(|| StoreError::Corrupt("an API token that was just made".to_owned()))
}

/// The tokens of these service accounts that have not been revoked, the newest first; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn of_accounts(
    reader: &impl Reader,
    organization: Uuid,
    accounts: &[Uuid],
) -> Result<Vec<ApiToken>, StoreError> {
    let select = select::<Entity>()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::ServiceAccountId.is_in(accounts.iter().copied()))
        .filter(Column::RevokedAt.is_null())
        .order_by_desc(Column::Id);
    ApiToken::read_all(reader, select.all(reader.connection()).await?).await
}

/// When a secret of each of these service accounts was last used, whatever became of it; for batched loading.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn last_uses(
    reader: &impl Reader,
    organization: Uuid,
    accounts: &[Uuid],
) -> Result<Vec<(Uuid, DateTime<Utc>)>, StoreError> {
    let select = select::<Entity>()
        .select_only()
        .column(Column::ServiceAccountId)
        .column_as(Column::LastUsedAt.max(), "last_used_at")
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::ServiceAccountId.is_in(accounts.iter().copied()))
        .filter(Column::LastUsedAt.is_not_null())
        .group_by(Column::ServiceAccountId);
    Ok(select.into_tuple().all(reader.connection()).await?)
}

/// The tokens of service accounts in use that end in this time, in the order of their end; at most so many. Without those that have
/// been regenerated, while what came in their place lasts longer.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn ending(
    reader: &impl Reader,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    after: Option<(DateTime<Utc>, Uuid)>,
    most: u64,
) -> Result<Vec<ApiToken>, StoreError> {
    let active = select::<service_account::Entity>()
        .select_only()
        .column(service_account::Column::Id)
        .filter(service_account::Column::State.eq(ServiceAccountState::Active));
    let (older, newer) = (Alias::new("older"), Alias::new("newer"));
    let of = |table: &Alias, column: Column| Expr::col((table.clone(), column));
    let renews = Condition::all()
        .add(of(&newer, Column::ServiceAccountId).equals((older.clone(), Column::ServiceAccountId)))
        .add(of(&newer, Column::Name).equals((older.clone(), Column::Name)))
        // Two tokens may bear one name: only one that was made when the older was replaced, or later, is in its place.
        .add(of(&newer, Column::CreatedAt).gte(of(&older, Column::ReplacedAt)))
        .add(of(&newer, Column::ExpiresAt).gt(of(&older, Column::ExpiresAt)))
        .add(of(&newer, Column::RevokedAt).is_null());
    let renewed = Query::select()
        .column((older.clone(), Column::Id))
        .from_as(Entity, older.clone())
        .join_as(JoinType::InnerJoin, Entity, newer.clone(), renews)
        .and_where(of(&older, Column::ExpiresAt).gt(from))
        .and_where(of(&older, Column::ExpiresAt).lte(to))
        .to_owned();
    let later = after.map(|(end, id)| {
        let same = Condition::all().add(Column::ExpiresAt.eq(end)).add(Column::Id.gt(id));
        Condition::any().add(Column::ExpiresAt.gt(end)).add(same)
    });
    let select = select::<Entity>()
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(from))
        .filter(Column::ExpiresAt.lte(to))
        .filter(Column::ServiceAccountId.in_subquery(active.into_query()))
        .filter(Column::Id.not_in_subquery(renewed))
        .filter(Condition::all().add_option(later))
        .order_by_asc(Column::ExpiresAt)
        .order_by_asc(Column::Id)
        .limit(most);
    ApiToken::read_all(reader, select.all(reader.connection()).await?).await
}

/// Notes that a token is replaced `at` this moment, and lets it end at `until`; never later than before. `None` when there is none of
/// this id, or it has been revoked or replaced.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the permit is for another token.
pub async fn replace(
    tx: &Tx,
    permit: Permit<RevokeApiToken>,
    (organization, id): (Uuid, Uuid),
    (at, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Option<ApiToken>, StoreError> {
    covers_token(tx, &permit, organization, id).await?;
    let Some(found) = find_by_id(tx, organization, id).await? else { return Ok(None) };
    let end = Ord::min(until, found.expires_at);
    let update = Entity::update_many()
        .set(ActiveModel { expires_at: Set(end), replaced_at: Set(Some(at)), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ReplacedAt.is_null());
    match update.exec(tx.connection()).await?.rows_affected {
        1 => find_by_id(tx, organization, id).await,
        _ => Ok(None),
    }
}

/// Whether a permit covers a token: by its own id, or by the program it acts for.
async fn covers_token(
    tx: &Tx,
    permit: &Permit<RevokeApiToken>,
    organization: Uuid,
    id: Uuid,
) -> Result<(), StoreError> {
    match find_by_id(tx, organization, id).await? {
        Some(token) => covers_account(tx, permit, (organization, token.principal.id), &[id]).await,
        None => covers_row(permit, organization, &[id]),
    }
}

/// Ends a token before its time; `None` when there is none of this id or it has been ended.
///
/// # Errors
/// [`StoreError::PermitMismatch`] when the permit is for another token.
pub async fn revoke(
    tx: &Tx,
    permit: Permit<RevokeApiToken>,
    (organization, id): (Uuid, Uuid),
    now: DateTime<Utc>,
) -> Result<Option<ApiToken>, StoreError> {
    covers_token(tx, &permit, organization, id).await?;
    let update = Entity::update_many()
        .set(ActiveModel { revoked_at: Set(Some(now)), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::RevokedAt.is_null());
    match update.exec(tx.connection()).await?.rows_affected {
        1 => find_by_id(tx, organization, id).await,
        _ => Ok(None),
    }
}

/// Notes a use, at most once a minute; bookkeeping that no verb asks for and no stamp follows.
///
/// # Errors
/// [`StoreError`] when the database refuses.
pub async fn touch_used(tx: &Tx, organization: Uuid, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
    let before =
        Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lte(now - TimeDelta::minutes(1)));
    let update = Entity::update_many()
        .set(ActiveModel { last_used_at: Set(Some(now)), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(Column::OrganizationId.eq(organization))
        .filter(before);
    update.exec(tx.connection()).await?;
    Ok(())
}
