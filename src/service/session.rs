//! Sessions: signing in, staying signed in, changing the organization, signing out.
//!
//! A session is of a person, not of an organization: its access tokens are bound to one organization or none, and another
//! one is minted for another. Refresh tokens are used once; one that comes twice ends its session, whoever holds the newest.
//! None of these operations takes an idempotency key: their answers are secrets, which are stored nowhere.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    Access, Change, Client, Service, ServiceError, UserError, UserErrorCode, Work, external_identity,
    membership::{self, Membership},
    one_time_code,
    second_factor::{self, Factor},
    user::{User, UserState, busy},
};
use crate::{
    access::{
        Denial, SystemTask,
        verb::{ManageSession, UpdateMember, UpdateUser},
    },
    id::new_id,
    identity::{Credential, MintedToken, Password, RefreshFacts, RefreshOutcome, RefreshToken, SessionIdentity},
    store::{
        self, WriteScope,
        member::MemberChanges,
        session::{RefreshToken as RefreshRow, Session},
    },
};

/// What a sign-in is asked for.
pub struct SignIn {
    /// The account's address.
    pub email: String,
    /// Its password.
    pub password: String,
    /// The organization to be in, by slug; the one used last where none is named.
    pub organization: Option<String>,
    /// A code of its second factor, where it has one.
    pub code: Option<String>,
}

/// Without the password, which belongs in no log.
impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("email", &self.email).finish_non_exhaustive()
    }
}

/// Which organization a new access token is bound to.
#[derive(Debug, Clone)]
pub enum Binding {
    /// The one used last; none where the person has none.
    Usual,
    /// This one, by slug.
    To(String),
    /// None.
    Unbound,
}

/// Somebody signed in.
pub struct SignedIn {
    /// The session and what its access token is bound to.
    pub identity: SessionIdentity,
    /// The access token.
    pub access: MintedToken,
    /// What gets the next one, once; none where the session's present one stays good.
    pub refresh: Option<Zeroizing<String>>,
    /// The person.
    pub user: User,
    /// The organization the access token is bound to.
    pub place: Option<Membership>,
}

/// Without the tokens.
impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// What a transaction about a session came to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Opened {
    /// It is open, with an access token for this place.
    In { session: Uuid, place: Option<(Uuid, Uuid)> },
    /// The account may not be used any more.
    Refused,
}

impl Service {
    /// Signs a person in. Wrong address, wrong password and an account that may not be used are one refusal, after the same
    /// work.
    ///
    /// Anyone may call it.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `WRONG_CREDENTIALS`, with `INVALID` at `organization` when the person has no place in the
    /// named one, `SECOND_FACTOR_REQUIRED` or `WRONG_CODE`; [`ServiceError::RateLimited`].
    pub async fn sign_in(&self, client: &Client, sign_in: SignIn) -> Result<SignedIn, ServiceError> {
        let email = super::input::email("email", &sign_in.email)?;
        let password = Password::present(sign_in.password)
            .map_err(|error| UserError::new(UserErrorCode::Invalid, "password", error.to_string()))?;
        let counted = self.attempt(email.as_str(), client)?;
        let mut user = match self.prove(email.as_str(), password.clone()).await {
            Ok(Some(user)) => user,
            Ok(None) => return Err(wrong_credentials()),
            Err(error) => {
                counted.undecided();
                return Err(error);
            }
        };
        counted.succeeded();
        if user.password_hash.as_deref().is_some_and(|hash| self.passwords().is_outdated(hash)) {
            // Its time comes again at the next sign-in.
            match self.rehash(&user, password).await {
                Ok(hash) => user.password_hash = hash,
                Err(error) => tracing::warn!(%error, "a password was not hashed anew"),
            }
        }
        self.open_session(&user, client, sign_in.organization, Factor::Code(sign_in.code)).await
    }

    /// The account of this address, if the password is its own and it may be used. One run of argon2 in every case.
    pub(super) async fn prove(&self, email: &str, password: Password) -> Result<Option<User>, ServiceError> {
        let found = store::user::find_by_email(&self.store().read(), email).await?;
        let user = found.filter(|user| user.state == UserState::Active);
        let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let proven = self.passwords().verify(hash, password).await.map_err(busy)?;
        Ok(user.filter(|_| proven))
    }

    /// Hashes a proven password anew; the account's hash from now on, which is another password's where it was changed meanwhile.
    async fn rehash(&self, user: &User, password: Password) -> Result<Option<String>, ServiceError> {
        let hash = self.passwords().hash(password).await.map_err(busy)?;
        let (id, proven) = (user.id, user.password_hash.clone());
        let change = Change::by_system("rehashPassword", SystemTask::SignIn, WriteScope::user(id));
        let written = self.mutate(change, move |work| {
            Box::pin(async move {
                let now = store::user::find_by_id(work.tx, id).await?.ok_or(ServiceError::Unauthenticated)?;
                if now.password_hash != proven {
                    return Ok(proven);
                }
                let changes = store::user::UserChanges { password_hash: Some(hash), ..Default::default() };
                let permit = work.authorize::<UpdateUser>(Some(id))?;
                Ok(store::user::update(work.tx, permit, id, changes, work.now).await?.password_hash)
            })
        });
        Ok(written.await?.value)
    }

    /// Opens a session of a person whose password was proven, unless it was changed since (A9), or for whom a provider vouched,
    /// unless the identity was unlinked since. The second factor, where there is one, is asked for here and nowhere else, so that no
    /// way in goes round it (G14).
    pub(super) async fn open_session(
        &self,
        proven: &User,
        client: &Client,
        organization: Option<String>,
        factor: Factor,
    ) -> Result<SignedIn, ServiceError> {
        let (user, password_hash) = (proven.id, proven.password_hash.clone());
        let counted = match &factor {
            Factor::Code(Some(_)) => Some(self.attempt_code(user)?),
            Factor::Code(None) | Factor::Vouched(_) => None,
        };
        let vouched = matches!(factor, Factor::Vouched(_));
        let refresh = RefreshToken::mint(&mut rand::rng());
        let (hash, client) = (refresh.hash(), client.clone());
        let binding = organization.map_or(Binding::Usual, Binding::To);
        let change = Change::by_system("signIn", SystemTask::SignIn, WriteScope::user(user));
        let opened = self.mutate(change, move |work| {
            Box::pin(async move {
                let found = store::user::find_by_id(work.tx, user).await?;
                let Some(found) = found.filter(|user| user.state == UserState::Active) else {
                    return Ok(Opened::Refused);
                };
                if found.password_hash != password_hash && !crate::ablate::off("proven_password") {
                    return Ok(Opened::Refused);
                }
                if let Factor::Vouched(link) = &factor {
                    external_identity::ensure_linked(work, user, *link).await?;
                }
                let proven = second_factor::ask(work, user, &factor).await?;
                let chosen = membership::choose(work.tx, (user, proven), &binding, work.now).await;
                let place = chosen.map_err(|error| not_there(error, &factor))?;
                let session = begin(work, (user, proven), &client, hash.to_vec()).await?;
                note_sign_in(work, user, place).await?;
                Ok(Opened::In { session, place })
            })
        });
        let opened = second_factor::judged(opened.await, counted)?;
        match opened.value {
            Opened::In { session, place } => self.signed_in((user, session), place, Some(refresh)).await,
            Opened::Refused if vouched => Err(external_identity::not_linked().into()),
            Opened::Refused => Err(wrong_credentials()),
        }
    }

    /// Uses a refresh token up and gives the next one, with an access token.
    ///
    /// Whoever holds a refresh token may call it. One that was used before ends its session.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for a token that is none, used, expired or of a session that is over;
    /// [`ServiceError::NotFound`] when the person has no place in the named organization: the token then stays good.
    pub async fn refresh_session(
        &self,
        client: &Client,
        text: &str,
        binding: Binding,
    ) -> Result<SignedIn, ServiceError> {
        let token = RefreshToken::parse(text).map_err(|_| ServiceError::Unauthenticated)?;
        let hash = token.hash();
        let found = store::session::find_by_refresh_hash(&self.store().read(), &hash).await?;
        let (_, session) = found.ok_or(ServiceError::Unauthenticated)?;
        let user = session.user_id;
        let refresh = RefreshToken::mint(&mut rand::rng());
        let (next_hash, from) = (refresh.hash(), client.address.to_string());
        let change = Change::by_system("refreshSession", SystemTask::SignIn, WriteScope::user(user));
        let opened = self.mutate(change, move |work| {
            Box::pin(async move {
                let found = store::session::find_by_refresh_hash(work.tx, &hash).await?;
                let (token, session) = found.ok_or(ServiceError::Unauthenticated)?;
                let facts = RefreshFacts {
                    expires_at: token.expires_at,
                    used_at: token.used_at.filter(|_| !crate::ablate::off("refresh_single_use")),
                    session_expires_at: session.expires_at,
                    session_revoked_at: session.revoked_at,
                };
                let person = store::user::find_by_id(work.tx, user).await?;
                let may_be_used = person.is_some_and(|user| user.state == UserState::Active);
                if !may_be_used && !crate::ablate::off("refresh_account_state") {
                    return Ok(Opened::Refused);
                }
                match facts.judge(&work.service.options().lifetimes, work.now) {
                    RefreshOutcome::Expired | RefreshOutcome::Finished => Ok(Opened::Refused),
                    RefreshOutcome::Reused => end_family(work, &session).await,
                    RefreshOutcome::Rotated { expires_at } => {
                        let proven = session.second_factor_at.is_some();
                        let place = membership::choose(work.tx, (user, proven), &binding, work.now).await?;
                        let next = RefreshRow {
                            id: new_id(),
                            session_id: session.id,
                            hash: next_hash.to_vec(),
                            issued_at: work.now,
                            expires_at,
                            used_at: None,
                        };
                        let permit = work.authorize::<ManageSession>(Some(session.id))?;
                        if store::session::rotate(work.tx, permit, &token, (next, from.as_str())).await? {
                            return Ok(Opened::In { session: session.id, place });
                        }
                        end_family(work, &session).await
                    }
                }
            })
        });
        match opened.await?.value {
            Opened::In { session, place } => self.signed_in((user, session), place, Some(refresh)).await,
            Opened::Refused => Err(ServiceError::Unauthenticated),
        }
    }

    /// Mints an access token of the caller's session for another organization, or for none.
    ///
    /// A signed-in person may call it, for organizations in which it is an active member.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for any other organization, `SECOND_FACTOR_REQUIRED` for one that asks for a second factor which was
    /// not proven in this session; [`ServiceError::Forbidden`] for a program.
    pub async fn switch_organization(
        &self,
        access: &Access,
        organization: Option<String>,
    ) -> Result<SignedIn, ServiceError> {
        let identity = session_of(access)?;
        let (user, binding) = (identity.user, organization.map_or(Binding::Unbound, Binding::To));
        let change = Change::by_user("switchOrganization", access, Vec::new())?;
        let chosen = self.mutate(change, move |work| {
            Box::pin(async move {
                let session = store::session::find_by_id(work.tx, user, identity.session).await?;
                let proven = session.is_some_and(|session| session.second_factor_at.is_some());
                let place = membership::choose(work.tx, (user, proven), &binding, work.now).await?;
                // What a sign-in without an organization finds again.
                note_place(work, place).await?;
                Ok(place)
            })
        });
        let place = chosen.await?.value;
        self.signed_in((user, identity.session), place, None).await
    }

    /// Ends the caller's session, or every session of the person. What was signed out answers no further request.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for a stranger, [`ServiceError::Forbidden`] for a program.
    pub async fn sign_out(&self, access: &Access, everywhere: bool) -> Result<u64, ServiceError> {
        let identity = session_of(access)?;
        self.end_session((identity.user, identity.session), everywhere).await
    }

    /// The same by a refresh token, used before or not: whoever holds it may end what it belongs to.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for a token that is none.
    pub async fn sign_out_with(&self, text: &str, everywhere: bool) -> Result<u64, ServiceError> {
        let token = RefreshToken::parse(text).map_err(|_| ServiceError::Unauthenticated)?;
        let found = store::session::find_by_refresh_hash(&self.store().read(), &token.hash()).await?;
        let (_, session) = found.ok_or(ServiceError::Unauthenticated)?;
        self.end_session((session.user_id, session.id), everywhere).await
    }

    async fn end_session(&self, (user, session): (Uuid, Uuid), everywhere: bool) -> Result<u64, ServiceError> {
        let change = Change::by_system("signOut", SystemTask::SignIn, WriteScope::user(user));
        let ended = self.mutate(change, move |work| {
            Box::pin(async move {
                if everywhere {
                    let permit = work.authorize::<ManageSession>(Some(user))?;
                    return Ok(store::session::revoke_all(work.tx, permit, user, None, work.now).await?);
                }
                let session = store::session::find_by_id(work.tx, user, session).await?;
                let session = session.ok_or(ServiceError::Unauthenticated)?;
                let permit = work.authorize::<ManageSession>(Some(session.id))?;
                Ok(u64::from(store::session::revoke(work.tx, permit, &session, work.now).await?))
            })
        });
        Ok(ended.await?.value)
    }

    /// Mints the access token of a session for a place, and gathers what a person is shown of it.
    pub(super) async fn signed_in(
        &self,
        (user, session): (Uuid, Uuid),
        place: Option<(Uuid, Uuid)>,
        refresh: Option<RefreshToken>,
    ) -> Result<SignedIn, ServiceError> {
        let (organization, member) = place.unzip();
        let identity = SessionIdentity { session, user, organization, member };
        let minted = self.tokens().mint(&identity, new_id(), self.now());
        let access = minted.map_err(|error| ServiceError::Internal(error.into()))?;
        let found = store::user::find_by_id(&self.store().read(), user).await?;
        let user = found.ok_or(ServiceError::Unauthenticated)?;
        let place = match organization {
            Some(organization) => {
                let places = self.memberships(user.id).await?;
                places.into_iter().find(|place| place.organization == organization)
            }
            None => None,
        };
        let refresh = refresh.map(|token| token.to_text());
        Ok(SignedIn { identity, access, refresh, user, place })
    }
}

/// The session a caller came with.
pub(super) fn session_of(access: &Access) -> Result<SessionIdentity, ServiceError> {
    match access.credential {
        Some(Credential::Session(identity)) => Ok(identity),
        Some(Credential::ApiToken { .. }) if crate::ablate::off("session_only") => {
            Ok(SessionIdentity { session: Uuid::nil(), user: Uuid::nil(), organization: None, member: None })
        }
        Some(Credential::ApiToken { .. }) => Err(ServiceError::Forbidden(Denial::PeopleOnly)),
        None => Err(ServiceError::Unauthenticated),
    }
}

/// Begins a session of a person, in which it has proven its second factor or has not, kept by the refresh token of this hash; its
/// id.
///
/// # Errors
/// When the database refuses.
pub(super) async fn begin(
    work: &Work<'_>,
    (user, factor_proven): (Uuid, bool),
    client: &Client,
    hash: Vec<u8>,
) -> Result<Uuid, ServiceError> {
    let lifetimes = work.service.options().lifetimes;
    let session = Session {
        id: new_id(),
        user_id: user,
        created_at: work.now,
        last_seen_at: work.now,
        expires_at: lifetimes.session_end(work.now),
        revoked_at: None,
        second_factor_at: factor_proven.then_some(work.now),
        user_agent: client.user_agent.clone(),
        address: Some(client.address.to_string()),
    };
    let token = RefreshRow {
        id: new_id(),
        session_id: session.id,
        hash,
        issued_at: work.now,
        expires_at: lifetimes.refresh_end(work.now, session.expires_at),
        used_at: None,
    };
    let id = session.id;
    store::session::insert(work.tx, one_time_code::permit::<ManageSession>(id)?, session, token).await?;
    Ok(id)
}

/// Somebody has a copy of a refresh token: the session ends, with every token of it.
async fn end_family(work: &Work<'_>, session: &Session) -> Result<Opened, ServiceError> {
    tracing::warn!(session = %session.id, "a refresh token came twice; its session was ended");
    if !crate::ablate::off("refresh_reuse") {
        let permit = work.authorize::<ManageSession>(Some(session.id))?;
        store::session::revoke(work.tx, permit, session, work.now).await?;
    }
    Ok(Opened::Refused)
}

async fn note_sign_in(work: &Work<'_>, user: Uuid, place: Option<(Uuid, Uuid)>) -> Result<(), ServiceError> {
    store::user::update_last_login(work.tx, work.authorize::<UpdateUser>(Some(user))?, user, work.now).await?;
    note_place(work, place).await
}

/// Notes that a member came in.
async fn note_place(work: &Work<'_>, place: Option<(Uuid, Uuid)>) -> Result<(), ServiceError> {
    use crate::access::{Authority, authorize};
    let Some((organization, member)) = place else { return Ok(()) };
    let task = Authority::System(SystemTask::SignIn, Some(organization));
    let permit = authorize::<UpdateMember>(task, Some(member))?;
    let changes = MemberChanges { last_login_at: Some(work.now), ..MemberChanges::default() };
    store::member::update(work.tx, permit, (organization, member), changes).await?;
    Ok(())
}

/// What somebody is told who is not in a session yet and cannot be in the organization that was named. A mistyped one, somebody
/// else's and one where the person is suspended are told alike.
fn not_there(error: ServiceError, factor: &Factor) -> ServiceError {
    match error {
        ServiceError::NotFound => {
            let message = "you are not an active member of such an organization";
            let remedy = match factor {
                Factor::Code(_) => "Sign in without it, or choose one of yours.",
                // A token of the provider's is used up by then.
                Factor::Vouched(_) => "Sign in with a new token, without an organization or with one of yours.",
            };
            UserError::new(UserErrorCode::Invalid, "organization", message).remedy(remedy).into()
        }
        ServiceError::Refused(refusals) => {
            // Who came by a password and has a second factor has proven it by now.
            let remedy = match factor {
                Factor::Code(_) => "Sign in without `organization`, set up a second factor, and come back.",
                Factor::Vouched(_) => {
                    "Sign in without `organization`, set up a second factor or prove yours, and come back."
                }
            };
            ServiceError::Refused(refusals.into_iter().map(|refusal| refusal.remedy(remedy)).collect())
        }
        error => error,
    }
}

pub(super) fn wrong_credentials() -> ServiceError {
    UserError::new(UserErrorCode::WrongCredentials, "", "email or password is wrong")
        .remedy("Check both and try again.")
        .into()
}
