//! Passwords of accounts: changed by who knows the present one, set anew by who reads the account's mail.
//!
//! None of these operations takes an idempotency key: what they are given is secret.

use std::fmt;

use super::{
    Access, Change, Client, Service, ServiceError, UserError, UserErrorCode,
    input::{self, Mistakes},
    one_time_code::{self, CodeFor, Draft},
    session::session_of,
    user::{User, UserState, busy},
};
use crate::{
    access::{
        SystemTask,
        verb::{ManageSession, UpdateUser},
    },
    identity::{Password, one_time_code::ResetPassword},
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
    /// Changes the caller's password and ends the person's other sessions and codes; how many sessions it ended. Every signed-in
    /// person may who knows the present one.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `INVALID` or `WRONG_CREDENTIALS`; [`ServiceError::RateLimited`].
    pub async fn change_password(&self, access: &Access, change: PasswordChange) -> Result<u64, ServiceError> {
        let session = session_of(access)?.session;
        let chosen = chosen(change.new_password)?;
        let proven = self.prove_again(access, change.password).await?;
        let hash = self.passwords().hash(chosen).await.map_err(busy)?;
        let (user, former, to) = (proven.id, proven.password_hash, proven.email);
        let change = Change::by_user("changePassword", access, Vec::new())?;
        let changed = self.mutate(change, move |work| {
            Box::pin(async move {
                let now = store::user::find_by_id(work.tx, user).await?.ok_or(ServiceError::Unauthenticated)?;
                // What was proven is the password that was there then: of two changes at once one wins.
                if now.password_hash != former {
                    return Err(wrong_password());
                }
                let changes = UserChanges { password_hash: Some(hash), ..UserChanges::default() };
                store::user::update(work.tx, work.authorize::<UpdateUser>(Some(user))?, user, changes, work.now)
                    .await?;
                one_time_code::end_all(work, user).await?;
                if crate::ablate::off("password_ends_sessions") {
                    return Ok(0);
                }
                let permit = one_time_code::permit::<ManageSession>(user)?;
                Ok(store::session::revoke_all(work.tx, permit, user, Some(session), work.now).await?)
            })
        });
        let ended = changed.await?.value;
        self.write_to(to, Matter::PasswordChanged, None).await;
        Ok(ended)
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
        let (draft, link) = Draft::new::<ResetPassword>(self);
        let (id, address) = (user.id, user.email.clone());
        let change = Change::by_system("requestPasswordReset", SystemTask::SignIn, WriteScope::user(id));
        let kept =
            self.mutate(change, move |work| Box::pin(async move { draft.keep(work, id, &address).await })).await?;
        self.write_to(user.email, Matter::ResetPassword, Some((link, kept.value))).await;
        Ok(())
    }

    /// Sets another password and ends every session and code of the person; how many sessions it ended. It opens none (G14). The
    /// letter came back, so the address counts as proven.
    ///
    /// Whoever holds the code may call it, once.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `INVALID` or `CODE_INVALID`.
    pub async fn reset_password(&self, reset: PasswordReset) -> Result<u64, ServiceError> {
        let chosen = chosen(reset.new_password)?;
        // Argon2 runs for who has a good code only.
        let (code, presented) = self.shown_code::<ResetPassword>(&reset.code).await?;
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
                store::user::update(work.tx, work.authorize::<UpdateUser>(Some(user.id))?, user.id, changes, work.now)
                    .await?;
                if !crate::ablate::off("code_single_use") {
                    one_time_code::end_all(work, user.id).await?;
                }
                if crate::ablate::off("password_ends_sessions") {
                    return Ok((0, user.email));
                }
                let permit = work.authorize::<ManageSession>(Some(user.id))?;
                Ok((store::session::revoke_all(work.tx, permit, user.id, None, work.now).await?, user.email))
            })
        });
        let (ended, to) = changed.await?.value;
        self.write_to(to, Matter::PasswordChanged, None).await;
        Ok(ended)
    }

    /// The caller's account, after its password was proven once more; counted as a sign-in is (F7).
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `WRONG_CREDENTIALS`; [`ServiceError::RateLimited`].
    pub(super) async fn prove_again(&self, access: &Access, password: String) -> Result<User, ServiceError> {
        session_of(access)?;
        let user = self.own_account(access).await?;
        let password = Password::present(password)
            .map_err(|error| UserError::new(UserErrorCode::Invalid, "password", error.to_string()))?;
        let counted = self.attempt(&user.email, &access.client)?;
        match self.passwords().verify(user.password_hash.as_deref(), password).await {
            Ok(true) => {
                counted.succeeded();
                Ok(user)
            }
            Ok(false) => Err(wrong_password()),
            Err(error) => {
                counted.undecided();
                Err(busy(error))
            }
        }
    }
}

/// A password to come.
fn chosen(text: String) -> Result<Password, ServiceError> {
    let mut mistakes = Mistakes::default();
    let chosen = mistakes.keep(Password::choose(text).map_err(|error| {
        UserError::new(UserErrorCode::Invalid, "newPassword", error.to_string()).remedy("Choose another password.")
    }));
    chosen.ok_or_else(|| mistakes.refused())
}

fn wrong_password() -> ServiceError {
    UserError::new(UserErrorCode::WrongCredentials, "password", "the password is wrong")
        .remedy("Check it, or ask for a letter to set another one.")
        .into()
}
