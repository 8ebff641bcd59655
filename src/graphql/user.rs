//! Accounts: one's own in full, of others the name.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    context::InContext,
    error::{UserError, error, settle},
    node::NodeType,
    organization::given,
    session::SignUpPayload,
};
use crate::service::{
    self, Idempotency, Person,
    account_deletion::AccountDeletion,
    user::{AccountEdit, NewAccount},
};

/// A person's account.
#[derive(Debug, Clone)]
pub struct User {
    id: Uuid,
    name: String,
    email: String,
    /// What only the person sees; read once, when it is asked for.
    account: Arc<OnceCell<service::user::User>>,
}

impl User {
    /// The account of this id, with the name and address its organization knows.
    #[must_use]
    pub fn new(id: Uuid, name: String, email: String) -> Self {
        Self { id, name, email, account: Arc::default() }
    }

    async fn own(&self, ctx: &Context<'_>) -> Result<Option<&service::user::User>> {
        let access = ctx.access()?;
        if access.user_id() != Some(self.id) {
            return Ok(None);
        }
        let load = async || ctx.service()?.own_account(access).await.map_err(error);
        Ok(Some(self.account.get_or_try_init(load).await?))
    }
}

impl From<&Person> for User {
    fn from(person: &Person) -> Self {
        Self::new(person.id, person.name.clone(), person.email.clone())
    }
}

impl From<service::user::User> for User {
    fn from(user: service::user::User) -> Self {
        let (id, name, email) = (user.id, user.name.clone(), user.email.clone());
        Self { id, name, email, account: Arc::new(OnceCell::new_with(Some(user))) }
    }
}

/// A person's account, which may be in many organizations.
#[Object]
impl User {
    /// Global id.
    pub(super) async fn id(&self) -> ID {
        NodeType::User.id(self.id)
    }

    /// Name as shown.
    async fn name(&self) -> &str {
        &self.name
    }

    /// Normalized email address.
    async fn email(&self) -> &str {
        &self.email
    }

    /// When the address was proven; null while it was not, and for other people's accounts.
    async fn email_verified_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        Ok(self.own(ctx).await?.and_then(|user| user.email_verified_at))
    }

    /// When the account was opened; null for other people's.
    async fn created_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        Ok(self.own(ctx).await?.map(|user| user.created_at))
    }

    /// Where the photo is; null where there is none, and for other people's accounts.
    async fn photo_url(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.own(ctx).await?.and_then(|user| user.photo_url.as_deref()))
    }

    /// The primary tag of the language that letters to the person are written in; null where none is chosen, and for other people's
    /// accounts.
    async fn language(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.own(ctx).await?.and_then(|user| user.language.as_deref()))
    }

    /// The IANA name of the timezone that letters to the person tell moments in; null where none is chosen, and for other people's
    /// accounts.
    async fn timezone(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.own(ctx).await?.and_then(|user| user.timezone.as_deref()))
    }

    /// The last sign-in; null for other people's accounts.
    async fn last_login_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        Ok(self.own(ctx).await?.and_then(|user| user.last_login_at))
    }
}

/// What to change of one's own account; what is left out stays.
#[derive(InputObject)]
pub struct UpdateUserInput {
    /// Another name.
    name: Option<String>,
    /// Another photo: an `https` address; null: none.
    #[graphql(default)]
    photo_url: MaybeUndefined<String>,
    /// Another language of letters to the person, `en`, `it`, `de` or `ko`; null or empty: as the organization reads.
    #[graphql(default)]
    language: MaybeUndefined<String>,
    /// Another timezone of letters to the person, as `Europe/Berlin`; null or empty: as the organization reads.
    #[graphql(default)]
    timezone: MaybeUndefined<String>,
    /// Makes repeating safe: the same key gives the first answer again, for 24 hours.
    idempotency_key: Option<String>,
}

/// What became of changing one's own account.
#[derive(SimpleObject)]
pub struct UpdateUserPayload {
    /// The account as it is now; null when it was refused.
    user: Option<User>,
    /// Why nothing was changed; empty: it was.
    user_errors: Vec<UserError>,
}

/// What a new account is asked for.
#[derive(InputObject)]
pub struct SignUpInput {
    /// The email address to sign in with.
    email: String,
    /// At least 8 characters.
    password: String,
    /// The person's name.
    name: String,
}

/// What deleting one's own account is asked for.
#[derive(InputObject)]
pub struct DeleteAccountInput {
    /// The account's password, asked again; accounts without one leave it out.
    password: Option<String>,
}

/// What became of deleting one's own account.
#[derive(Debug, SimpleObject)]
pub struct DeleteAccountPayload {
    /// Whether the account is gone.
    deleted: bool,
    /// Why nothing was changed: among others, each organization that needs the person.
    user_errors: Vec<UserError>,
}

/// Opening, changing and deleting accounts.
#[derive(Debug, Default)]
pub struct UserMutation;

#[Object]
impl UserMutation {
    /// Changes the caller's own account: its name, its photo, and the language and the timezone of letters to the person.
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateUserInput,
    ) -> Result<UpdateUserPayload> {
        let UpdateUserInput { name, photo_url, language, timezone, idempotency_key } = input;
        let (photo_url, language, timezone) = (given(photo_url), given(language), given(timezone));
        let edit = AccountEdit { name, photo_url, language, timezone };
        let idempotency = Idempotency::of(idempotency_key, &edit).map_err(error)?;
        let (service, access) = (ctx.service()?, ctx.access()?);
        match settle(service.update_own_account(access, edit, idempotency).await)? {
            Ok(_) => {
                let user = service.own_account(access).await.map_err(error)?;
                Ok(UpdateUserPayload { user: Some(user.into()), user_errors: Vec::new() })
            }
            Err(user_errors) => Ok(UpdateUserPayload { user: None, user_errors }),
        }
    }

    /// Deletes the caller's account, for good: its places in organizations are left, every session ends, and the person is
    /// erased from what is kept. Refused where an organization would have nobody left in a role that somebody must hold.
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The password, asked for again.")] input: DeleteAccountInput,
    ) -> Result<DeleteAccountPayload> {
        let deletion = AccountDeletion { password: input.password };
        let user_errors = settle(ctx.service()?.delete_account(ctx.access()?, deletion).await)?.err();
        if let Some(browser) = ctx.browser().filter(|_| user_errors.is_none()) {
            browser.forget();
        }
        Ok(DeleteAccountPayload { deleted: user_errors.is_none(), user_errors: user_errors.unwrap_or_default() })
    }

    /// Opens an account and signs it in. Where accounts are by invitation, one must be pending for the address.
    async fn sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new account.")] input: SignUpInput,
    ) -> Result<SignUpPayload> {
        let SignUpInput { email, password, name } = input;
        let account = NewAccount { email, password, name };
        let signed_in = ctx.service()?.sign_up(&ctx.access()?.client, account).await;
        settle(signed_in)?.map_or_else(|told| Ok(SignUpPayload::refused(told)), |done| SignUpPayload::done(ctx, done))
    }
}
