//! API tokens: what programs prove themselves with.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};

use super::{
    context::InContext,
    error::{UserError, error, settle},
    node::NodeType,
    page::{Listed, PageArgs, connection},
    permission::{self, Needs},
    service_account::ServiceAccount,
};
use crate::{
    access::PrincipalKind,
    service::{
        Idempotency, Standing,
        api_token::{self, NewToken, Regeneration},
        page::{Position, SortKey},
    },
};

/// How far a token has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ApiTokenState {
    /// It is valid.
    Active,
    /// Its time is over.
    Expired,
    /// It was ended before its time.
    Revoked,
    /// Its service account is disabled, or whoever made it is no active member any more: it does nothing until somebody who may
    /// regenerates it.
    Disabled,
}

/// A program's secret, as far as it can be shown.
#[derive(Debug, Clone)]
pub struct ApiToken(pub api_token::ApiToken);

impl ApiToken {
    /// Its global id; for the interface.
    pub(super) async fn id(&self, _ctx: &Context<'_>) -> Result<ID> {
        Ok(NodeType::ApiToken.id(self.0.id))
    }
}

/// A program's secret, as far as it can be shown.
#[Object]
impl ApiToken {
    /// Global id.
    #[graphql(name = "id")]
    async fn global_id(&self) -> ID {
        NodeType::ApiToken.id(self.0.id)
    }

    /// Name as shown.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is limited to, sorted.
    async fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// The program it acts for; null for a token that acts for a member.
    async fn service_account(&self, ctx: &Context<'_>) -> Result<Option<ServiceAccount>> {
        match self.0.principal.kind {
            PrincipalKind::ServiceAccount => ctx.request()?.service_accounts.find(self.0.principal.id).await,
            PrincipalKind::Member => Ok(None),
        }
    }

    /// How far it has come.
    async fn state(&self, ctx: &Context<'_>) -> Result<ApiTokenState> {
        let now = ctx.service()?.now();
        Ok(match self.0.revoked_at {
            Some(_) => ApiTokenState::Revoked,
            None if self.0.expires_at <= now => ApiTokenState::Expired,
            None if !self.0.is_vouched => ApiTokenState::Disabled,
            None => match self.service_account(ctx).await? {
                Some(account) if account.is_disabled() => ApiTokenState::Disabled,
                Some(_) | None => ApiTokenState::Active,
            },
        })
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it ends.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// When it was ended before its time.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }

    /// When it was last used, to the minute.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }
}

impl Listed for api_token::ApiToken {
    fn position(&self) -> Position {
        Position { key: SortKey::Id, id: self.id }
    }
}

connection!(ApiTokenConnection, ApiTokenEdge, ApiToken);

/// What an organization shows of its tokens.
#[derive(Debug, Clone)]
pub struct OrganizationApiTokens {
    standing: Arc<Standing>,
}

impl OrganizationApiTokens {
    /// As this principal sees it.
    pub(super) const fn new(standing: Arc<Standing>) -> Self {
        Self { standing }
    }
}

#[Object]
impl OrganizationApiTokens {
    /// The API tokens, the newest first. Null, with an error beside it, without the permission.
    #[graphql(guard = "Needs(\"tokens.manage\")", directive = permission::permission::apply("tokens.manage".to_owned()))]
    async fn api_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, at most 100; 20 where nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only what stands behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what stands in front of this cursor.")] before: Option<String>,
    ) -> Result<Option<ApiTokenConnection>> {
        let name = format!("apiTokens:{}", self.standing.place.id);
        let listing = PageArgs { first, after, last, before }.listing(ctx, &name)?;
        let page = ctx.service()?.list_api_tokens(ctx.access()?, &listing.request).await.map_err(error)?;
        listing.connection(ctx, page, ApiToken).map(Some)
    }
}

/// What a new token is to be.
#[derive(Debug, Clone, InputObject)]
pub struct CreateApiTokenInput {
    /// Name as shown, at most 200 characters; a service account of its own bears it too.
    name: String,
    /// The service account it is for; where nothing is said, one of its own is made.
    service_account: Option<ID>,
    /// What it is limited to: permissions such as `activity.record`, and access such as `help_center.articles.view`, `*.*.view`
    /// or `repository.code:read`. At most what the caller may do. For a service account that there is, it may be left out: the
    /// token may then do all that the account may, which the caller has to be able to do as well; what only roles for programs give is left
    /// aside. Where one of its own is made, at least one is to be named.
    #[graphql(default)]
    scopes: Vec<String>,
    /// In how many days it ends, 1 to 365.
    #[graphql(default = 365)]
    expires_in_days: i32,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again, but not the secret.
    idempotency_key: Option<String>,
}

/// The token that was made.
#[derive(Debug, SimpleObject)]
pub struct CreateApiTokenPayload {
    /// The token.
    token: Option<ApiToken>,
    /// Its text. It is shown here and never again; a repeated answer does not have it.
    secret: Option<String>,
    /// Why nothing was made.
    user_errors: Vec<UserError>,
}

/// Which token to replace.
#[derive(Debug, Clone, InputObject)]
pub struct RegenerateApiTokenInput {
    /// The token.
    token: ID,
    /// In how many days the new one ends, 1 to 365; where nothing is said, in as many as the old one was made for.
    expires_in_days: Option<i32>,
    /// For how many hours the old one is still good, at most 24; 0 ends it at once.
    #[graphql(default)]
    overlap_hours: i32,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again, but not the secret.
    idempotency_key: Option<String>,
}

/// The token that took the place of another.
#[derive(Debug, SimpleObject)]
pub struct RegenerateApiTokenPayload {
    /// The new token, with an id of its own.
    token: Option<ApiToken>,
    /// Its text. It is shown here and never again; a repeated answer does not have it.
    secret: Option<String>,
    /// Why nothing was made.
    user_errors: Vec<UserError>,
}

/// Which token to end.
#[derive(Debug, Clone, InputObject)]
pub struct RevokeApiTokenInput {
    /// The token.
    token: ID,
    /// Repeating a mutation with the same key within 24 hours gives the first answer again.
    idempotency_key: Option<String>,
}

/// The token that was ended.
#[derive(Debug, SimpleObject)]
pub struct RevokeApiTokenPayload {
    /// The token.
    token: Option<ApiToken>,
    /// Why it was not ended.
    user_errors: Vec<UserError>,
}

/// Changes of API tokens.
#[derive(Debug, Default)]
pub struct ApiTokenMutation;

#[Object]
impl ApiTokenMutation {
    /// Makes an API token for a service account, or with one of its own. Needs the permission `tokens.manage`, in the organization
    /// or where the account holds something.
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is for, what it may do and until when.")] input: CreateApiTokenInput,
    ) -> Result<CreateApiTokenPayload> {
        let CreateApiTokenInput { name, service_account, scopes, expires_in_days, idempotency_key } = input;
        let account = service_account.map(|id| NodeType::ServiceAccount.parse(&id)).transpose()?;
        let new = NewToken { name, scopes, expires_in_days: expires_in_days.into(), account };
        let idempotency = Idempotency::of(idempotency_key, &new).map_err(error)?;
        let created = ctx.service()?.create_api_token(ctx.access()?, new, idempotency).await;
        Ok(match settle(created)? {
            Ok(created) => CreateApiTokenPayload {
                token: Some(ApiToken(created.token)),
                secret: created.secret.map(|secret| secret.to_string()),
                user_errors: Vec::new(),
            },
            Err(user_errors) => CreateApiTokenPayload { token: None, secret: None, user_errors },
        })
    }

    /// Replaces an API token by a new one of the same service account, with another id and secret; the old one ends at once, or
    /// after an overlap (S4.R8), and is replaced once. Needs the permission `tokens.manage` where the account holds something.
    async fn regenerate_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and how long the old text stays good.")] input: RegenerateApiTokenInput,
    ) -> Result<RegenerateApiTokenPayload> {
        let regeneration = Regeneration {
            token: NodeType::ApiToken.parse(&input.token)?,
            expires_in_days: input.expires_in_days.map(i64::from),
            overlap_hours: input.overlap_hours.into(),
        };
        let idempotency = Idempotency::of(input.idempotency_key, &regeneration).map_err(error)?;
        let created = ctx.service()?.regenerate_api_token(ctx.access()?, regeneration, idempotency).await;
        Ok(match settle(created)? {
            Ok(created) => RegenerateApiTokenPayload {
                token: Some(ApiToken(created.token)),
                secret: created.secret.map(|secret| secret.to_string()),
                user_errors: Vec::new(),
            },
            Err(user_errors) => RegenerateApiTokenPayload { token: None, secret: None, user_errors },
        })
    }

    /// Ends an API token before its time: its next request is refused. Needs the permission `tokens.manage`, in the organization or
    /// where its service account holds something.
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeApiTokenInput,
    ) -> Result<RevokeApiTokenPayload> {
        let token = NodeType::ApiToken.parse(&input.token)?;
        let idempotency = Idempotency::of(input.idempotency_key, &token).map_err(error)?;
        let revoked = ctx.service()?.revoke_api_token(ctx.access()?, token, idempotency).await;
        Ok(match settle(revoked)? {
            Ok(token) => RevokeApiTokenPayload { token: Some(ApiToken(token)), user_errors: Vec::new() },
            Err(user_errors) => RevokeApiTokenPayload { token: None, user_errors },
        })
    }
}
