//! Facts: everything a decision about a principal needs, from one snapshot of the primary.
//!
//! One statement answers one row: the session or token, the person, the organization and the principal as columns, and as
//! JSON arrays the teams reached, the memberships and the grants. The same arrays serve one principal, a page of them or a
//! whole organization, so [`Reach`] keeps them unmultiplied and [`Reach::facts`] gives each principal its share.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

pub use self::reach::{PrincipalFact, Reach, Within};
use super::{Reader, StoreError, organization::OrganizationState};
use crate::{
    access::{PrincipalId, blueprint::CustomRole},
    cache::stamp::{Stamp, StampKind},
};
pub use gatehouse_entity::user::UserState;

mod reach;
mod sql;

/// Whose facts are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoadKey {
    /// A signed-in person, in an organization or in none.
    Session {
        /// The session.
        session: Uuid,
        /// The person its token names.
        user: Uuid,
        /// The organization the token is bound to.
        organization: Option<Uuid>,
    },
    /// A program with an API token.
    Token {
        /// The token.
        token: Uuid,
        /// The organization its text names.
        organization: Uuid,
    },
    /// Someone who is asked about.
    Principal {
        /// The organization.
        organization: Uuid,
        /// The member or service account.
        principal: Uuid,
    },
}

/// A sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFact {
    /// Its id.
    pub id: Uuid,
    /// Its absolute end.
    pub expires_at: DateTime<Utc>,
    /// When it was ended before.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Whether the person has proven its second factor in it.
    pub is_proven: bool,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFact {
    /// Its id.
    pub id: Uuid,
    /// Normalized address.
    pub email: String,
    /// Name as shown.
    pub name: String,
    /// Whether the account may be used.
    pub state: UserState,
}

/// An API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFact {
    /// Its id.
    pub id: Uuid,
    /// Name as shown.
    pub name: String,
    /// SHA-256 of its secret.
    pub secret_hash: Vec<u8>,
    /// The member or service account it acts for.
    pub principal: Uuid,
    /// The member that made it; none for the operator's.
    pub created_by: Option<Uuid>,
    /// What it is limited to.
    pub scopes: Vec<String>,
    /// Until when it is valid.
    pub expires_at: DateTime<Utc>,
    /// When it was ended before.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// An organization with its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationFact {
    /// Its id.
    pub id: Uuid,
    /// Lower-case name.
    pub slug: String,
    /// Name as shown.
    pub name: String,
    /// Whether anyone may act in it.
    pub state: OrganizationState,
    /// Plan, by its key in the blueprint.
    pub plan: String,
    /// What it has set for itself, one object.
    pub settings: serde_json::Value,
    /// The blueprint version.
    pub blueprint_id: Uuid,
    /// The blueprint's name.
    pub blueprint_name: String,
    /// The blueprint's version.
    pub blueprint_version: i32,
    /// SHA-256 of the blueprint, in hexadecimal.
    pub blueprint_hash: String,
    /// The roles of its own, by key, disabled ones too.
    pub roles: Vec<CustomRole>,
}

/// What was loaded for one key.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The database's time, against which ends are measured.
    pub now: DateTime<Utc>,
    /// The session, if the key was one.
    pub session: Option<SessionFact>,
    /// The token, if the key was one.
    pub token: Option<TokenFact>,
    /// The person behind the session or the member.
    pub user: Option<UserFact>,
    /// The organization, if the key names one that exists.
    pub organization: Option<OrganizationFact>,
    /// The principal, if the person has a place there.
    pub principal: Option<PrincipalId>,
    /// Its grants and teams.
    pub reach: Reach,
    /// The version of everything the above depends on.
    pub stamps: Vec<Stamp>,
}

impl Loaded {
    /// The principal that was asked for, as it was loaded.
    #[must_use]
    pub fn own(&self) -> Option<&PrincipalFact> {
        let asked = self.token.as_ref().map(|token| token.principal);
        self.reach.principals().iter().find(|fact| asked.is_none_or(|asked| asked == fact.id.id))
    }

    /// The member that made the token, where a member did: `None` within where there is no such member any more.
    #[must_use]
    pub fn maker(&self) -> Option<Option<&PrincipalFact>> {
        let maker = self.token.as_ref()?.created_by?;
        Some(self.reach.principals().iter().find(|fact| fact.id.id == maker))
    }
}

/// What was loaded for several principals of one organization.
#[derive(Debug, Clone)]
pub struct Crowd {
    /// The database's time.
    pub now: DateTime<Utc>,
    /// The organization.
    pub organization: OrganizationFact,
    /// The principals, their grants and teams.
    pub reach: Reach,
    /// The organization's stamps (rights and content); the principals carry their own.
    pub stamps: Vec<Stamp>,
}

/// Loads what the key stands for in one statement; `None` when the session, token or principal does not exist.
///
/// # Errors
/// [`StoreError`] when the database cannot say; nothing may be decided then.
pub async fn load_principal(reader: &impl Reader, key: LoadKey) -> Result<Option<Loaded>, StoreError> {
    let (shape, values): (_, [Value; 3]) = match key {
        LoadKey::Session { session, user, organization } => {
            (sql::Shape::Session, [session.into(), user.into(), organization.into()])
        }
        LoadKey::Token { token, organization } => {
            (sql::Shape::Token, [token.into(), organization.into(), None::<Uuid>.into()])
        }
        LoadKey::Principal { organization, principal } => {
            (sql::Shape::Principal, [principal.into(), organization.into(), None::<Uuid>.into()])
        }
    };
    let values = values.into_iter().take(shape.parameters()).collect();
    let Some(row) = ask(reader, |database| sql::one(database, shape), values).await? else { return Ok(None) };
    let loaded = Loaded {
        now: row.try_get("", "now")?,
        session: session(&row)?,
        token: token(&row)?,
        user: user(&row)?,
        organization: organization(&row)?,
        principal: None,
        reach: Reach::read(&row)?,
        stamps: Vec::new(),
    };
    let principal = loaded.own().map(|fact| fact.id);
    let mut stamps = Vec::with_capacity(6);
    let mut stamp = |kind, id: Option<Uuid>, column: &str| -> Result<(), StoreError> {
        if let Some(id) = id {
            stamps.push(Stamp { kind, id, version: row.try_get("", column)? });
        }
        Ok(())
    };
    let organization = loaded.organization.as_ref().map(|fact| fact.id);
    stamp(StampKind::Session, loaded.session.as_ref().map(|fact| fact.id), "session_ver")?;
    stamp(StampKind::ApiToken, loaded.token.as_ref().map(|fact| fact.id), "token_ver")?;
    stamp(StampKind::User, loaded.user.as_ref().map(|fact| fact.id), "user_ver")?;
    stamp(StampKind::Principal, principal.map(|principal| principal.id), "principal_ver")?;
    stamp(StampKind::Organization, organization, "organization_ver")?;
    stamp(StampKind::Content, organization, "content_ver")?;
    Ok(Some(Loaded { principal, stamps, ..loaded }))
}

/// Loads a page of principals of one organization in one statement; those that are not its own are left out.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn load_many(
    reader: &impl Reader,
    organization: Uuid,
    principals: &[Uuid],
) -> Result<Option<Crowd>, StoreError> {
    let values = std::iter::once(organization).chain(principals.iter().copied()).map(Value::from).collect();
    crowd(reader, |database| sql::many(database, Some(principals.len())), values).await
}

/// Loads every principal of one organization in one statement.
///
/// # Errors
/// [`StoreError`] when the database cannot say.
pub async fn load_all(reader: &impl Reader, organization: Uuid) -> Result<Option<Crowd>, StoreError> {
    crowd(reader, |database| sql::many(database, None), vec![organization.into()]).await
}

/// How long an entry made of `loaded` may live at most: until its first grant, token or session ends.
#[must_use]
pub fn valid_for(loaded: &Loaded) -> Option<Duration> {
    let ends = loaded.reach.ends();
    let own = [loaded.session.as_ref().map(|fact| fact.expires_at), loaded.token.as_ref().map(|fact| fact.expires_at)];
    let live = ends.chain(own.into_iter().flatten()).filter(|end| *end > loaded.now);
    live.min().and_then(|end| (end - loaded.now).to_std().ok())
}

async fn crowd(
    reader: &impl Reader,
    sql: impl Fn(DbBackend) -> String,
    values: Vec<Value>,
) -> Result<Option<Crowd>, StoreError> {
    let Some(row) = ask(reader, sql, values).await? else { return Ok(None) };
    let Some(organization) = organization(&row)? else { return Ok(None) };
    let stamp = |kind, column: &str| -> Result<Stamp, StoreError> {
        Ok(Stamp { kind, id: organization.id, version: row.try_get("", column)? })
    };
    let stamps = vec![stamp(StampKind::Organization, "organization_ver")?, stamp(StampKind::Content, "content_ver")?];
    Ok(Some(Crowd { now: row.try_get("", "now")?, reach: Reach::read(&row)?, organization, stamps }))
}

async fn ask(
    reader: &impl Reader,
    sql: impl Fn(DbBackend) -> String,
    values: Vec<Value>,
) -> Result<Option<QueryResult>, StoreError> {
    let connection = reader.connection();
    let database = connection.get_database_backend();
    Ok(connection.query_one_raw(Statement::from_sql_and_values(database, sql(database), values)).await?)
}

fn session(row: &QueryResult) -> Result<Option<SessionFact>, StoreError> {
    let Some(id) = row.try_get("", "session_id")? else { return Ok(None) };
    let (expires_at, revoked_at) = (row.try_get("", "session_expires_at")?, row.try_get("", "session_revoked_at")?);
    Ok(Some(SessionFact { id, expires_at, revoked_at, is_proven: row.try_get("", "session_proven")? }))
}

fn user(row: &QueryResult) -> Result<Option<UserFact>, StoreError> {
    let Some(id) = row.try_get("", "user_id")? else { return Ok(None) };
    let (email, name) = (row.try_get("", "user_email")?, row.try_get("", "user_name")?);
    Ok(Some(UserFact { id, email, name, state: row.try_get("", "user_state")? }))
}

fn token(row: &QueryResult) -> Result<Option<TokenFact>, StoreError> {
    let Some(id) = row.try_get("", "token_id")? else { return Ok(None) };
    let scopes: serde_json::Value = row.try_get("", "token_scopes")?;
    let (member, account): (Option<Uuid>, Option<Uuid>) =
        (row.try_get("", "token_member")?, row.try_get("", "token_account")?);
    let principal = member.or(account).ok_or_else(|| StoreError::Corrupt(format!("API token `{id}`")))?;
    Ok(Some(TokenFact {
        id,
        name: row.try_get("", "token_name")?,
        secret_hash: row.try_get("", "token_secret_hash")?,
        principal,
        created_by: row.try_get("", "token_author")?,
        scopes: serde_json::from_value(scopes).map_err(|error| StoreError::Corrupt(error.to_string()))?,
        expires_at: row.try_get("", "token_expires_at")?,
        revoked_at: row.try_get("", "token_revoked_at")?,
    }))
}

fn organization(row: &QueryResult) -> Result<Option<OrganizationFact>, StoreError> {
    let Some(id) = row.try_get("", "organization_id")? else { return Ok(None) };
    Ok(Some(OrganizationFact {
        id,
        slug: row.try_get("", "organization_slug")?,
        name: row.try_get("", "organization_name")?,
        state: row.try_get("", "organization_state")?,
        plan: row.try_get("", "organization_plan")?,
        settings: row.try_get("", "organization_settings")?,
        blueprint_id: row.try_get("", "blueprint_id")?,
        blueprint_name: row.try_get("", "blueprint_name")?,
        blueprint_version: row.try_get("", "blueprint_version")?,
        blueprint_hash: row.try_get("", "blueprint_hash")?,
        roles: reach::roles(row)?,
    }))
}
