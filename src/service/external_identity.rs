//! Signing in by an identity provider of somebody else's: which account an identity is, and whether it becomes one.
//!
//! A provider says who somebody is. That leads to an account by what the provider knows the person by (issuer and subject), and
//! by nothing else once it is linked. An account that is there already is linked by its address only where the operator says so
//! for this provider, the provider vouches for the address, and it is proven here as well: whoever opened an account with an
//! address that was not theirs gains nothing (abuse case D14). Membership comes from our tables alone (B13).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Access, Change, Client, Service, ServiceError, UserError, UserErrorCode, Work, one_time_code,
    password::wrong_password,
    second_factor::Factor,
    session::{SignedIn, session_of},
    user::{UserState, may_open_account},
};
use crate::{
    ablate,
    access::{
        Authority, SystemTask, authorize,
        verb::{CreateUser, LinkIdentity, UnlinkIdentity},
    },
    id::new_id,
    identity::Email,
    mail::Matter,
    provider::{Arrived, Begun, Callback, Provider, ProviderError, ProviderOptions},
    store::{
        self, StoreError, WriteScope,
        external_identity::ExternalIdentity,
        user::{NewUser, User},
    },
};

/// A provider as people see it before they sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInProvider {
    /// What it is called in paths.
    pub key: String,
    /// What people call it.
    pub title: String,
    /// Where a browser goes to sign in by it: a path of ours.
    pub path: String,
}

/// An identity that leads to an account, as its person is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedIdentity {
    /// The link.
    pub identity: ExternalIdentity,
    /// The provider's key; `None` where none of this issuer is set up now.
    pub provider: Option<String>,
    /// What people call the provider; its issuer where none is set up.
    pub title: String,
}

/// An ID token that a client got from a provider by itself.
pub struct ProviderToken {
    /// The provider's key.
    pub provider: String,
    /// The token.
    pub token: String,
    /// The nonce that the client began with, where it used one.
    pub nonce: Option<String>,
    /// The organization to be in, by slug.
    pub organization: Option<String>,
}

/// Without the token.
impl std::fmt::Debug for ProviderToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderToken").field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl Service {
    /// The providers that people can sign in by. Anyone may ask.
    #[must_use]
    pub fn sign_in_providers(&self) -> Vec<SignInProvider> {
        let shown = |provider: &Provider| {
            let ProviderOptions { key, title, .. } = provider.options();
            SignInProvider { key: key.clone(), title: title.clone(), path: format!("/sign-in/{key}") }
        };
        self.providers().all().map(shown).collect()
    }

    /// The provider of this issuer; the first of them where several have it.
    fn provider_of(&self, issuer: &str) -> Option<&Provider> {
        self.providers().all().find(|provider| provider.options().issuer == issuer)
    }

    fn linked(&self, identity: ExternalIdentity) -> LinkedIdentity {
        let options = self.provider_of(&identity.issuer).map(Provider::options);
        let title = options.map_or(&identity.issuer, |options| &options.title).clone();
        LinkedIdentity { provider: options.map(|options| options.key.clone()), title, identity }
    }

    /// The identities that lead to the caller's account, in the order of linking.
    ///
    /// A signed-in person may ask for its own.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`], [`ServiceError::Forbidden`] for a program.
    pub async fn own_external_identities(&self, access: &Access) -> Result<Vec<LinkedIdentity>, ServiceError> {
        let user = session_of(access)?.user;
        let found = store::external_identity::list_of_user(&self.store().read(), user).await?;
        Ok(found.into_iter().map(|identity| self.linked(identity)).collect())
    }

    /// Takes an identity from the caller's account: from then on it leads where one leads that comes for the first time. Sessions
    /// stay, as none knows what it was opened by. One that is gone, or another's, is no refusal: nothing is changed, nobody is told.
    ///
    /// A signed-in person may call it, with its password where it has one.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `WRONG_CREDENTIALS`, or `LAST_WAY_IN` where nobody could sign in to the account any more;
    /// [`ServiceError::RateLimited`].
    pub async fn unlink_external_identity(
        &self,
        access: &Access,
        identity: Uuid,
        password: Option<String>,
    ) -> Result<(), ServiceError> {
        access.require_own_eyes()?;
        let user = session_of(access)?.user;
        let proven = self.ask_password(access, password).await?.password_hash;
        let change = Change::by_user("unlinkExternalIdentity", access, Vec::new())?;
        let unlinked =
            self.mutate(change, move |work| Box::pin(async move { unlink(work, (user, identity), proven).await }));
        unlinked.await.map(drop)
    }

    /// Where a browser lands in the end, whatever comes of it; `None` where there is no such provider.
    #[must_use]
    pub fn landing_of(&self, provider: &str) -> Option<&str> {
        Some(self.providers().find(provider)?.options().landing.as_str())
    }

    /// Sends a browser to a provider. Anyone may call it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where there is no such provider, else as [`Service::finish_sign_in`].
    pub async fn begin_sign_in(&self, provider: &str) -> Result<Begun, ServiceError> {
        let provider = self.providers().find(provider).ok_or(ServiceError::NotFound)?;
        let (now, told) = (self.now(), |error| told(provider, &error));
        let metadata = provider.metadata(now).await.map_err(told)?;
        provider.begin(&metadata, &mut rand::rng(), now).map_err(told)
    }

    /// Signs a person in who comes back from a provider. Anyone may call it who left from here with this cookie.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `PROVIDER_UNAVAILABLE`, `PROVIDER_REFUSED`, `SIGN_IN_EXPIRED`, `EMAIL_NOT_VERIFIED`,
    /// `DOMAIN_NOT_ALLOWED`, `SIGN_UP_CLOSED` or `NOT_LINKED`; [`ServiceError::NotFound`] where there is no such provider.
    pub async fn finish_sign_in(
        &self,
        client: &Client,
        provider: &str,
        (sealed, callback): (Option<&str>, &Callback),
    ) -> Result<SignedIn, ServiceError> {
        let provider = self.providers().find(provider).ok_or(ServiceError::NotFound)?;
        let arrived = provider.finish(sealed, callback, self.now()).await.map_err(|error| told(provider, &error))?;
        let link = self.account_of(provider, arrived).await?;
        self.enter(link, client, None).await
    }

    /// Signs a person in by an ID token that a client got by itself, once. Anyone may call it who holds one.
    ///
    /// # Errors
    /// As [`Service::finish_sign_in`]; [`ServiceError::NotFound`] also where the provider's tokens are not taken.
    pub async fn sign_in_with_provider(
        &self,
        client: &Client,
        presented: ProviderToken,
    ) -> Result<SignedIn, ServiceError> {
        let ProviderToken { provider, token, nonce, organization } = presented;
        let found = self.providers().find(&provider);
        let taken = found.filter(|found| found.options().accept_tokens || ablate::off("accept_tokens"));
        let provider = taken.ok_or(ServiceError::NotFound)?;
        let arrived = provider.accept(token.trim(), nonce.as_deref(), self.now()).await;
        let link = self.account_of(provider, arrived.map_err(|error| told(provider, &error))?).await?;
        self.enter(link, client, organization).await
    }

    async fn enter(
        &self,
        Link { user, id }: Link,
        client: &Client,
        organization: Option<String>,
    ) -> Result<SignedIn, ServiceError> {
        let found = store::user::find_by_id(&self.store().read(), user).await?.ok_or(ServiceError::Unauthenticated)?;
        self.open_session(&found, client, organization, Factor::Vouched(id)).await
    }

    /// What leads somebody who has come to an account: found, made, or made with the account.
    async fn account_of(&self, provider: &Provider, arrived: Arrived) -> Result<Link, ServiceError> {
        let new = new_id();
        let options = provider.options().clone();
        let change = Change::by_system("signInByProvider", SystemTask::SignIn, WriteScope::user(new));
        let key = options.key.clone();
        let found =
            self.mutate(change, move |work| Box::pin(async move { settle(work, &options, arrived, new).await }));
        match found.await {
            Ok(found) => Ok(found.value),
            Err(error) => {
                if let ServiceError::Refused(refusals) = &error {
                    let why: Vec<&str> = refusals.iter().map(|refusal| refusal.message.as_str()).collect();
                    tracing::warn!(provider = key, why = why.join("; "), "nobody came in by a provider");
                }
                Err(error)
            }
        }
    }
}

/// By what somebody came.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Link {
    /// The account that it leads to.
    user: Uuid,
    /// The identity's own id.
    id: Uuid,
}

/// Refuses a session by an identity that was unlinked after it was found: nothing opens by it once unlinking has returned.
///
/// # Errors
/// [`ServiceError::Refused`] with `NOT_LINKED`.
pub(super) async fn ensure_linked(work: &Work<'_>, user: Uuid, link: Uuid) -> Result<(), ServiceError> {
    let linked = store::external_identity::list_of_user(work.tx, user).await?;
    if linked.iter().any(|identity| identity.id == link) || ablate::off("still_linked") {
        return Ok(());
    }
    Err(not_linked().into())
}

async fn settle(work: &Work<'_>, options: &ProviderOptions, arrived: Arrived, new: Uuid) -> Result<Link, ServiceError> {
    let Arrived { identity, spent, until } = arrived;
    let first = store::external_identity::spend(work.tx, work.authorize::<LinkIdentity>(None)?, &spent, until).await?;
    if !first && !ablate::off("sign_in_once") {
        return Err(expired().into());
    }
    let vouched = identity.email_verified || ablate::off("provider_email_verified");
    // In normal form; look-alikes are no addresses.
    let email = match identity.email.as_deref().and_then(|email| Email::parse(email).ok()) {
        Some(email) if vouched => Ok(email),
        Some(_) => Err(not_verified()),
        None => Err(no_address()),
    };
    if !options.allowed_domains.is_empty() && !ablate::off("provider_domain") {
        let email = email.as_ref().map_err(Clone::clone)?;
        if !options.allowed_domains.iter().any(|domain| email.is_at(domain)) {
            return Err(UserError::new(
                UserErrorCode::DomainNotAllowed,
                "",
                "addresses at this domain do not sign in here",
            )
            .remedy("Sign in at the provider with another account.")
            .into());
        }
    }
    if let Some(known) = store::external_identity::find(work.tx, &identity.issuer, &identity.subject).await? {
        let user = store::user::find_by_id(work.tx, known.user_id).await?;
        if user.is_none_or(|user| user.state != UserState::Active) {
            return Err(not_linked().into());
        }
        let permit = work.authorize::<LinkIdentity>(Some(known.user_id))?;
        // One that was unlinked meanwhile is dealt with as one that comes for the first time.
        if store::external_identity::update_last_login(work.tx, permit, &known, work.now).await? {
            return Ok(Link { user: known.user_id, id: known.id });
        }
    }
    let email = email?;
    let there = store::user::find_by_email(work.tx, email.as_str()).await?;
    let user = match &there {
        Some(user) => linkable(options, user)?,
        None => open_account(work, options, (new, &email, identity.name.as_deref())).await?,
    };
    let id = new_id();
    let link = ExternalIdentity {
        id,
        user_id: user,
        issuer: identity.issuer,
        subject: identity.subject,
        created_at: work.now,
        last_login_at: work.now,
    };
    match store::external_identity::insert(work.tx, work.authorize::<LinkIdentity>(Some(user))?, link).await {
        Ok(()) => {
            tracing::info!(provider = options.key, %user, "an account was linked to an identity");
            if let Some(account) = there {
                // Another way into what somebody has already; a new account has no other.
                one_time_code::tell(work, &account, Matter::IdentityLinked(options.title.clone())).await?;
            }
            Ok(Link { user, id })
        }
        // The account is somebody else's at this provider, whatever the address says now.
        Err(StoreError::Conflict { .. }) => Err(not_linked().into()),
        Err(error) => Err(error.into()),
    }
}

async fn unlink(work: &Work<'_>, (user, id): (Uuid, Uuid), proven: Option<String>) -> Result<(), ServiceError> {
    let account = store::user::find_by_id(work.tx, user).await?.ok_or(ServiceError::Unauthenticated)?;
    // What was proven is the password that was there then.
    if account.password_hash != proven {
        return Err(wrong_password());
    }
    let linked = store::external_identity::list_of_user(work.tx, user).await?;
    let (found, left): (Vec<_>, Vec<_>) = linked.into_iter().partition(|identity| identity.id == id);
    let Some(found) = found.into_iter().next() else { return Ok(()) };
    let leads_in = |identity: &ExternalIdentity| work.service.provider_of(&identity.issuer).is_some();
    // One of an issuer that no provider has is no way in itself: without it there are as many as before.
    let is_last = account.password_hash.is_none() && leads_in(&found) && !left.iter().any(leads_in);
    if is_last && !ablate::off("last_way_in") {
        let message = "you could not sign in any more: the account has no password";
        return Err(UserError::new(UserErrorCode::LastWayIn, "externalIdentity", message)
            .remedy("Set a password by letter first (`requestPasswordReset`).")
            .into());
    }
    store::external_identity::delete(work.tx, work.authorize::<UnlinkIdentity>(Some(user))?, &found).await?;
    let LinkedIdentity { identity, title, .. } = work.service.linked(found);
    one_time_code::tell(work, &account, Matter::IdentityUnlinked(title)).await?;
    tracing::info!(issuer = identity.issuer, %user, "an identity was unlinked from an account");
    Ok(())
}

/// The account that is there already, if it may be linked.
fn linkable(options: &ProviderOptions, user: &User) -> Result<Uuid, ServiceError> {
    let ruled = options.linking || ablate::off("linking_rule");
    let proven = user.email_verified_at.is_some() || ablate::off("linking_verified");
    let why = match (ruled, proven, user.state == UserState::Active) {
        (true, true, true) => return Ok(user.id),
        (false, ..) => "an account has this address, and no rule links it (`linking`)",
        (_, false, _) => "an account has this address, which nobody has proven",
        (.., false) => "the account of this address is suspended",
    };
    tracing::warn!(provider = options.key, user = %user.id, why, "an identity is not linked");
    Err(not_linked().into())
}

/// Opens an account without a password, its address proven: for whom the provider and the deployment let in.
async fn open_account(
    work: &Work<'_>,
    options: &ProviderOptions,
    (id, email, name): (Uuid, &Email, Option<&str>),
) -> Result<Uuid, ServiceError> {
    if !options.sign_up && !ablate::off("provider_sign_up") {
        return Err(UserError::new(UserErrorCode::SignUpClosed, "", "there is no account for you here")
            .remedy("Ask an administrator for one.")
            .into());
    }
    may_open_account(work, &work.service.options().sign_up, email).await?;
    let named = name.and_then(|name| super::input::name("name", name).ok());
    let new = NewUser {
        id,
        email: email.as_str().to_owned(),
        email_verified_at: Some(work.now),
        name: named.unwrap_or_else(|| email.local().to_owned()),
        password_hash: None,
        now: work.now,
    };
    let permit = authorize::<CreateUser>(Authority::System(SystemTask::SignUp, None), Some(id))?;
    match store::user::insert(work.tx, permit, new).await {
        Ok(user) => Ok(user.id),
        // Somebody opened it at this moment.
        Err(StoreError::Conflict { .. }) => Err(not_linked().into()),
        Err(error) => Err(error.into()),
    }
}

/// What a person is told; the cause is logged.
fn told(provider: &Provider, error: &ProviderError) -> ServiceError {
    let key = provider.options().key.as_str();
    tracing::warn!(provider = key, %error, "nobody came in by a provider");
    let title = &provider.options().title;
    match error {
        ProviderError::Unavailable(_) => {
            UserError::new(UserErrorCode::ProviderUnavailable, "", format!("{title} cannot be reached at the moment"))
                .remedy("Try again in a moment, or sign in another way.")
                .into()
        }
        ProviderError::Refused(_) | ProviderError::Token(_) => {
            UserError::new(UserErrorCode::ProviderRefused, "", format!("{title} did not say who you are"))
                .remedy("Sign in there again.")
                .into()
        }
        ProviderError::NotUnderWay => expired().into(),
    }
}

fn expired() -> UserError {
    UserError::new(UserErrorCode::SignInExpired, "", "this sign-in is over").remedy("Begin again, in one window.")
}

fn not_verified() -> UserError {
    UserError::new(UserErrorCode::EmailNotVerified, "", "the provider does not say that your address is verified")
        .remedy("Verify it there, then sign in again.")
}

fn no_address() -> UserError {
    UserError::new(UserErrorCode::EmailNotVerified, "", "the provider gave no usable email address")
        .remedy("Give your account there an address that may be passed on, then sign in again.")
}

pub(super) fn not_linked() -> UserError {
    UserError::new(UserErrorCode::NotLinked, "", "this identity leads to no account that may be used")
        .remedy("Sign in the way you did before, or ask an administrator.")
}
