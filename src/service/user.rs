//! Accounts: people's own, known by an email address.
//!
//! An address counts as verified when somebody other than its holder vouched for it: the operator who made the account, or
//! an invitation's secret that was sent there and came back.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Access, Change, Client, Idempotency, Service, ServiceError, SignUp, UserError, UserErrorCode, Work,
    input::{self, Mistakes},
    one_time_code::{About, Draft},
    second_factor::Factor,
    session::SignedIn,
};
pub use crate::store::user::{User, UserState};
use crate::{
    access::{
        Authority, Denial, SystemTask, authorize,
        verb::{CreateUser, UpdateUser},
    },
    id::new_id,
    identity::{
        Attempt, AttemptSource, Email, Password, PasswordError,
        email::shown_domains,
        limit::{Blocked, Counted},
        one_time_code::VerifyEmail,
    },
    mail::{Matter, Reader},
    store::{
        self, StoreError, WriteScope,
        user::{NewUser, UserChanges},
    },
};

/// What a new account is asked for.
#[derive(Clone)]
pub struct NewAccount {
    /// Its address.
    pub email: String,
    /// Its password.
    pub password: String,
    /// The person's name.
    pub name: String,
}

/// What to change of one's own account; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct AccountEdit {
    /// Another name.
    pub name: Option<String>,
    /// Another photo; `Some(None)`: none.
    pub photo_url: Option<Option<String>>,
    /// Another language of letters, by its tag; `Some(None)` or empty: none of one's own.
    pub language: Option<Option<String>>,
    /// Another timezone of letters, by its IANA name; `Some(None)` or empty: none of one's own.
    pub timezone: Option<Option<String>>,
}

/// Without the password, which belongs in no log.
impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccount").field("email", &self.email).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A checked new account.
struct Checked {
    email: Email,
    password: Password,
    name: String,
}

impl NewAccount {
    fn check(self) -> Result<Checked, ServiceError> {
        let mut mistakes = Mistakes::default();
        let email = mistakes.keep(input::email("email", &self.email));
        let name = mistakes.keep(input::name("name", &self.name));
        let password = mistakes.keep(Password::choose(self.password).map_err(|error| {
            UserError::new(UserErrorCode::Invalid, "password", error.to_string()).remedy("Choose another password.")
        }));
        match (email, password, name) {
            (Some(email), Some(password), Some(name)) => Ok(Checked { email, password, name }),
            _ => Err(mistakes.refused()),
        }
    }
}

impl Service {
    /// Opens an account for a stranger and signs it in. Its address is not verified by that: a letter goes there with which it
    /// is.
    ///
    /// Anyone may call it; where only invited people or those of some domains may sign up, the address must be one of these.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `INVALID`, `TAKEN` or `SIGN_UP_CLOSED`; [`ServiceError::RateLimited`].
    pub async fn sign_up(&self, client: &Client, account: NewAccount) -> Result<SignedIn, ServiceError> {
        let Checked { email, password, name } = account.check()?;
        // Refused sign-ups tell which addresses have accounts: so they are counted as failed sign-ins are.
        let counted = self.attempt(email.as_str(), client)?;
        let hash = self.passwords().hash(password).await.map_err(busy)?;
        let verified = false;
        match self.insert_account((email, hash, name), SystemTask::SignUp, verified).await {
            Ok(user) => {
                counted.succeeded();
                self.open_session(&user, client, None, Factor::Code(None)).await
            }
            Err(refused @ ServiceError::Refused(_)) => Err(refused),
            Err(error) => {
                counted.undecided();
                Err(error)
            }
        }
    }

    /// Opens an account for somebody the operator knows: its address counts as verified.
    ///
    /// For the command line and the demo.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `INVALID` or `TAKEN`.
    pub async fn create_account(&self, account: NewAccount) -> Result<User, ServiceError> {
        let Checked { email, password, name } = account.check()?;
        let hash = self.passwords().hash(password).await.map_err(busy)?;
        self.insert_account((email, hash, name), SystemTask::Operator, true).await
    }

    /// Opens several accounts with one password, which is hashed once; an address that has an account is passed over. For the
    /// demo, as the operator.
    ///
    /// # Errors
    /// As [`Service::create_account`].
    pub async fn create_accounts(&self, people: Vec<(String, String)>, password: String) -> Result<(), ServiceError> {
        let mut hash = None;
        for (email, name) in people {
            let Checked { email, password, name } = NewAccount { email, password: password.clone(), name }.check()?;
            let hash = match &hash {
                Some(known) => String::clone(known),
                None => hash.insert(self.passwords().hash(password).await.map_err(busy)?).clone(),
            };
            match self.insert_account((email, hash, name), SystemTask::Operator, true).await {
                Ok(_) => {}
                Err(ServiceError::Refused(refusals)) if refusals.iter().all(|r| r.code == UserErrorCode::Taken) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn insert_account(
        &self,
        (email, hash, name): (Email, String, String),
        task: SystemTask,
        verified: bool,
    ) -> Result<User, ServiceError> {
        let id = new_id();
        let rule = (task == SystemTask::SignUp).then(|| self.options().sign_up.clone());
        let draft = (!verified).then(|| Draft::new::<VerifyEmail>(self));
        let change = Change::by_system("createUser", task, WriteScope::user(id));
        let changed = self.mutate(change, move |work| {
            Box::pin(async move {
                if let Some(rule) = rule {
                    may_open_account(work, &rule, &email).await?;
                }
                let new = NewUser {
                    id,
                    email: email.as_str().to_owned(),
                    email_verified_at: verified.then_some(work.now),
                    name,
                    password_hash: Some(hash),
                    now: work.now,
                };
                match store::user::insert(work.tx, work.authorize::<CreateUser>(Some(id))?, new).await {
                    Ok(user) => {
                        if let Some(draft) = draft {
                            draft.send(work, &About::own(&user), Matter::VerifyEmail).await?;
                        }
                        Ok(())
                    }
                    Err(StoreError::Conflict { .. }) => {
                        Err(UserError::new(UserErrorCode::Taken, "email", "this address has an account")
                            .remedy("Sign in with it.")
                            .into())
                    }
                    Err(error) => Err(error.into()),
                }
            })
        });
        changed.await?;
        store::user::find_by_id(&self.store().read(), id).await?.ok_or(ServiceError::NotFound)
    }

    /// The caller's own account; nobody else's is shown.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for a program.
    pub async fn own_account(&self, access: &Access) -> Result<User, ServiceError> {
        access.require_known()?;
        let id = access.user_id().ok_or(Denial::PeopleOnly)?;
        store::user::find_by_id(&self.store().read(), id).await?.ok_or(ServiceError::NotFound)
    }

    /// Changes the caller's own account: its name, its photo, and the language and the timezone of letters to the person. Every
    /// signed-in person may. Names that organizations know the person by stay.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for a program, [`ServiceError::Refused`] for what is no name, no address of a picture, no language
    /// of letters or no timezone.
    pub async fn update_own_account(
        &self,
        access: &Access,
        edit: AccountEdit,
        idempotency: Option<Idempotency>,
    ) -> Result<Uuid, ServiceError> {
        let change = Change::by_user("updateUser", access, Vec::new())?.repeatable(idempotency);
        let user = access.user_id().ok_or(ServiceError::Unauthenticated)?;
        let changed = self.mutate(change, move |work| {
            Box::pin(async move {
                let permit = work.authorize::<UpdateUser>(Some(user))?;
                let mut mistakes = Mistakes::default();
                let name = mistakes.keep_given(edit.name.as_deref(), |name| input::name("name", name));
                let check = |url: Option<String>| url.map(|url| input::picture("photoUrl", &url)).transpose();
                let photo_url = mistakes.keep_given(edit.photo_url, check);
                let check = |tag: Option<String>| input::language("language", &tag.unwrap_or_default());
                let language = mistakes.keep_given(edit.language, check);
                let check = |name: Option<String>| input::timezone("timezone", &name.unwrap_or_default());
                let timezone = mistakes.keep_given(edit.timezone, check);
                mistakes.settle()?;
                let changes = UserChanges { name, photo_url, language, timezone, ..UserChanges::default() };
                store::user::update(work.tx, permit, user, changes, work.now).await?;
                Ok(user)
            })
        });
        Ok(changed.await?.value)
    }

    /// Counts an attempt with a secret that was sent to somebody, before it is looked up (F7). It counts where it comes from, and
    /// shuts nobody else out (G15).
    pub(super) fn attempt_with_secret(&self, client: &Client) -> Result<Counted, ServiceError> {
        let now = self.now();
        self.limiter().attempt_from(client.address, now).map_err(|blocked| limited(blocked, now))
    }

    /// Counts a letter that somebody has sent to an address of its choice, under this name; it stays counted.
    ///
    /// # Errors
    /// [`ServiceError::RateLimited`] after as many as an account may fail to sign in.
    pub(super) fn count_letter(&self, name: &str) -> Result<(), ServiceError> {
        let (now, source) = (self.now(), AttemptSource::Anywhere);
        let counted = self.limiter().attempt(&Attempt { account: name, source }, now);
        counted.map(drop).map_err(|blocked| limited(blocked, now))
    }

    /// Counts an attempt at the account of a session that is open.
    pub(super) fn attempt_in(&self, account: &str, session: Uuid) -> Result<Counted, ServiceError> {
        let (now, source) = (self.now(), AttemptSource::OwnSession(session));
        self.limiter().attempt(&Attempt { account, source }, now).map_err(|blocked| limited(blocked, now))
    }

    /// Counts an attempt at an account, before its password is looked at.
    pub(super) fn attempt(&self, account: &str, client: &Client) -> Result<Counted, ServiceError> {
        let (now, source) = (self.now(), AttemptSource::Address(client.address));
        self.limiter().attempt(&Attempt { account, source }, now).map_err(|blocked| limited(blocked, now))
    }
}

/// Whether an account may be opened for an address: by the rule, or because it was invited. Domains count letter by letter, in
/// the one form that addresses have (B20); what an address gives is the account, never a membership (B13).
///
/// # Errors
/// [`ServiceError::Refused`] with `SIGN_UP_CLOSED`.
pub(super) async fn may_open_account(work: &Work<'_>, rule: &SignUp, email: &Email) -> Result<(), ServiceError> {
    let (open, message) = match rule {
        SignUp::Open => return Ok(()),
        SignUp::Invited => (crate::ablate::off("sign_up_closed"), "accounts here are by invitation".to_owned()),
        SignUp::Domains(domains) => (
            domains.iter().any(|domain| email.is_at(domain)) || crate::ablate::off("sign_up_domain"),
            format!("accounts here are for addresses at {}, and by invitation", shown_domains(domains)),
        ),
    };
    if open || !store::invitation::pending_for_email(work.tx, email.as_str(), work.now).await?.is_empty() {
        return Ok(());
    }
    Err(UserError::new(UserErrorCode::SignUpClosed, "email", message)
        .remedy("Ask someone of your organization to invite this address.")
        .into())
}

/// Marks a person's address as verified, within the change that settles an invitation: its secret, which was sent there, came
/// back.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn verify_email(work: &Work<'_>, user: Uuid) -> Result<(), ServiceError> {
    let task = Authority::System(SystemTask::SettleInvitation, None);
    let permit = authorize::<UpdateUser>(task, Some(user))?;
    let changes = UserChanges { email_verified_at: Some(work.now), ..UserChanges::default() };
    store::user::update(work.tx, permit, user, changes, work.now).await?;
    Ok(())
}

/// How a person reads letters: as the account has chosen, and as `usual` where it has not.
pub(super) fn chosen_reader(user: &User, usual: Reader) -> Reader {
    usual.choosing(user.language.as_deref(), user.timezone.as_deref())
}

/// What a person is told who must prove its address first.
pub(super) fn unproven_address(what: &str) -> UserError {
    UserError::new(UserErrorCode::EmailNotVerified, "", format!("your address must be proven before {what}")).remedy(
        "Follow the link of the letter that was sent there, or ask for another one (`requestEmailVerification`).",
    )
}

/// What a caller is told who has failed too often.
pub(super) fn limited(blocked: Blocked, now: DateTime<Utc>) -> ServiceError {
    let left = blocked.until.signed_duration_since(now).num_milliseconds().max(0).unsigned_abs();
    ServiceError::RateLimited { retry_after: left.div_ceil(1000).max(1) }
}

/// What a caller is told when a password cannot be hashed now.
pub(super) fn busy(error: PasswordError) -> ServiceError {
    match error {
        PasswordError::Busy => ServiceError::RateLimited { retry_after: 5 },
        PasswordError::Parameters => ServiceError::Internal(error.into()),
    }
}
