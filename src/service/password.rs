//! Passwords of accounts: changed by who knows the present one, set anew by who reads the account's mail.
//!
//! None of these operations takes an idempotency key: what they are given is secret.

use std::fmt;

use uuid::Uuid;

use super::{
    Access, Change, Client, Service, ServiceError, UserError, UserErrorCode, Work,
    input::{self, Mistakes},
    one_time_code::{self, About, CodeFor, Draft},
    session::{self, SignedIn, session_of},
    user::{User, UserState, busy},
};
use crate::{
    access::{
        SystemTask,
        verb::{ManageSecondFactor, ManageSession, UpdateUser},
    },
    identity::{Password, RefreshToken, one_time_code::ResetPassword},
    mail::Matter,
    store::{self, WriteScope, user::UserChanges},
};

/// What a change of the password is asked for.
pub struct PasswordChange {
    /// The present one.
    pub password: String,
    /// The one to come.
    pub new_password: String,
}

/// What setting another password is asked for.
pub struct PasswordReset {
    /// The code of the letter.
    pub code: String,
    /// The password to come.
    pub new_password: String,
}

/// Without the passwords, which belong in no log.
impl fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordChange").finish_non_exhaustive()
    }
}

/// Without the code and the password, which belong in no log.
impl fmt::Debug for PasswordReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordReset").finish_non_exhaustive()
    }
}

impl Service {
    /// Changes the caller's password, ends every session and code of the person, and opens a new session in the place of the
    /// caller's: with it, and how many others ended. So every access token of before is dead at once, the caller's as well (A9).
    /// Every signed-in person may who knows the present one.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `INVALID` or `WRONG_CREDENTIALS`; [`ServiceError::RateLimited`].
    pub async fn change_password(
        &self,
        access: &Access,
        change: PasswordChange,
    ) -> Result<(SignedIn, u64), ServiceError> {
        let identity = session_of(access)?;
        let chosen = chosen(change.new_password)?;
        let proven = self.prove_again(access, change.password).await?;
        let hash = self.passwords().hash(chosen).await.map_err(busy)?;
        let refresh = RefreshToken::mint(&mut rand::rng());
        let (refresh_hash, client) = (refresh.hash().to_vec(), access.client.clone());
        let (user, former) = (proven.id, proven.password_hash);
        let change = Change::by_user("changePassword", access, Vec::new())?;
        let changed = self.mutate(change, move |work| {
            Box::pin(async move {
                let now = store::user::find_by_id(work.tx, user).await?.ok_or(ServiceError::Unauthenticated)?;
                // What was proven is the password that was there then: of two changes at once one wins.
                if now.password_hash != former {
                    return Err(wrong_password());
                }
                let changes = UserChanges { password_hash: Some(hash), ..UserChanges::default() };
                let permit = work.authorize::<UpdateUser>(Some(user))?;
                let now = store::user::update(work.tx, permit, user, changes, work.now).await?;
                let own = store::session::find_by_id(work.tx, user, identity.session).await?;
                let factor_proven = own.is_some_and(|session| session.second_factor_at.is_some());
                let ended = end_everything(work, user).await?;
                let session = session::begin(work, (user, factor_proven), &client, refresh_hash).await?;
                one_time_code::tell(work, &now, Matter::PasswordChanged).await?;
                Ok((session, ended))
            })
        });
        let (session, ended) = changed.await?.value;
        let place = identity.organization.zip(identity.member);
        // The caller's own went too, and is no other.
        Ok((self.signed_in((user, session), place, Some(refresh)).await?, ended.saturating_sub(1)))
    }

    /// Sends a letter with which another password is set, to an address that has an account. Whether it has one is told by
    /// nothing: the same answer, at once, under the same limit (G8, G9).
    ///
    /// Anyone may call it.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `INVALID`; [`ServiceError::RateLimited`].
    pub async fn request_password_reset(&self, client: &Client, email: &str) -> Result<(), ServiceError> {
        let email = input::email("email", email)?;
        // Stays counted: so many letters a person is sent from one source.
        let _counted = self.attempt(&format!("reset {email}"), client)?;
        let service = self.clone();
        let letter = async move {
            if let Err(error) = service.send_reset(email.as_str()).await {
                tracing::warn!(%error, "a letter to set another password was not sent");
            }
        };
        tokio::spawn(letter);
        Ok(())
    }

    async fn send_reset(&self, email: &str) -> Result<(), ServiceError> {
        let found = store::user::find_by_email(&self.store().read(), email).await?;
        let Some(user) = found.filter(|user| user.state == UserState::Active) else { return Ok(()) };
        let (draft, id, email) = (Draft::new::<ResetPassword>(self), user.id, user.email);
        let change = Change::by_system("requestPasswordReset", SystemTask::SignIn, WriteScope::user(id));
        let sent = self.mutate(change, move |work| {
            Box::pin(async move {
                let found = store::user::find_by_id(work.tx, id).await?;
                let Some(user) = found.filter(|user| user.state == UserState::Active && user.email == email) else {
                    return Ok(());
                };
                draft.send(work, &About::own(&user), Matter::ResetPassword).await
            })
        });
        sent.await.map(|_| ())
    }

    /// Sets another password and ends every session and code of the person; how many sessions it ended. It opens none (G14). The
    /// letter came back, so the address counts as proven.
    ///
    /// Whoever holds the code may call it, once.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `INVALID` or `CODE_INVALID`; [`ServiceError::RateLimited`].
    pub async fn reset_password(&self, client: &Client, reset: PasswordReset) -> Result<u64, ServiceError> {
        let chosen = chosen(reset.new_password)?;
        // Argon2 runs for who has a good code only.
        let (code, presented) = self.shown_code::<ResetPassword>(client, &reset.code).await?;
        let hash = self.passwords().hash(chosen).await.map_err(busy)?;
        let change = Change::by_system("resetPassword", SystemTask::SignIn, WriteScope::user(code.user_id));
        let changed = self.mutate(change, move |work| {
            Box::pin(async move {
                let (code, user) = one_time_code::spend(work, ResetPassword::PURPOSE, &presented).await?;
                if code.email != user.email {
                    return Err(one_time_code::invalid());
                }
                let email_verified_at = user.email_verified_at.is_none().then_some(work.now);
                let changes = UserChanges { password_hash: Some(hash), email_verified_at, ..UserChanges::default() };
                let permit = work.authorize::<UpdateUser>(Some(user.id))?;
                let user = store::user::update(work.tx, permit, user.id, changes, work.now).await?;
                if email_verified_at.is_some() {
                    // Until now anyone could have set it up: the account is the one's who has the address.
                    let permit = work.authorize::<ManageSecondFactor>(Some(user.id))?;
                    store::second_factor::delete(work.tx, permit, user.id).await?;
                }
                let ended = end_everything(work, user.id).await?;
                one_time_code::tell(work, &user, Matter::PasswordChanged).await?;
                Ok(ended)
            })
        });
        Ok(changed.await?.value)
    }

    /// The caller's account, after its password was proven once more; counted as a sign-in is (F7). An account without one is told
    /// so: nothing that it could send would be right.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `WRONG_CREDENTIALS`; [`ServiceError::RateLimited`].
    pub(super) async fn prove_again(&self, access: &Access, password: String) -> Result<User, ServiceError> {
        let identity = session_of(access)?;
        let user = self.own_account(access).await?;
        if user.password_hash.is_none() {
            return Err(no_password("Set one by letter first (`requestPasswordReset`)."));
        }
        let password = Password::present(password)
            .map_err(|error| UserError::new(UserErrorCode::Invalid, "password", error.to_string()))?;
        // By the session: what somebody else at this address gets wrong is no failure of the one who is in it.
        let counted = self.attempt_in(&user.email, identity.session)?;
        match self.passwords().verify(user.password_hash.as_deref(), password).await {
            Ok(proven) if proven || crate::ablate::off("password_again") => {
                counted.succeeded();
                Ok(user)
            }
            Ok(_) => Err(wrong_password()),
            Err(error) => {
                counted.undecided();
                Err(busy(error))
            }
        }
    }

    /// Asks the caller for its password again where it has one; whom another provider vouches for may have none, and leaves it out.
    ///
    /// # Errors
    /// As [`Service::prove_again`].
    pub(super) async fn ask_password(&self, access: &Access, password: Option<String>) -> Result<User, ServiceError> {
        let user = self.own_account(access).await?;
        match (&user.password_hash, password) {
            (None, None) => Ok(user),
            (None, Some(_)) => Err(no_password("Leave `password` out.")),
            (Some(_), Some(password)) => self.prove_again(access, password).await,
            (Some(_), None) => {
                let message = "this account has a password, which is asked for again";
                let refusal = UserError::new(UserErrorCode::WrongCredentials, "password", message);
                Err(refusal.remedy("Send it as `password`.").into())
            }
        }
    }
}

/// Ends every session of a person, with its access and refresh tokens, and every code; how many sessions.
pub(super) async fn end_everything(work: &Work<'_>, user: Uuid) -> Result<u64, ServiceError> {
    one_time_code::end_all(work, user).await?;
    if crate::ablate::off("password_ends_sessions") {
        return Ok(0);
    }
    let permit = one_time_code::permit::<ManageSession>(user)?;
    Ok(store::session::revoke_all(work.tx, permit, user, None, work.now).await?)
}

/// A password to come.
fn chosen(text: String) -> Result<Password, ServiceError> {
    let mut mistakes = Mistakes::default();
    let chosen = mistakes.keep(Password::choose(text).map_err(|error| {
        UserError::new(UserErrorCode::Invalid, "newPassword", error.to_string()).remedy("Choose another password.")
    }));
    chosen.ok_or_else(|| mistakes.refused())
}

/// The refusal of a password of an account that has none.
fn no_password(remedy: &str) -> ServiceError {
    UserError::new(UserErrorCode::WrongCredentials, "password", "this account has no password").remedy(remedy).into()
}

/// The refusal of a password that was asked for again.
pub(super) fn wrong_password() -> ServiceError {
    UserError::new(UserErrorCode::WrongCredentials, "password", "the password is wrong")
        .remedy("Check it, or ask for a letter to set another one.")
        .into()
}
