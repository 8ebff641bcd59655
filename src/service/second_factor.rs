//! The second factor of a person: set up, proven, recovered, removed.
//!
//! ```text
//!  start (password) ─▶ secret shown, counts for nothing ─▶ confirm (code) ─▶ asked for at every sign-in ─▶ remove (password, code)
//!                                                              └▶ ten recovery codes, each taken once
//! ```
//!
//! It is asked for where a session is opened, whoever opens it. Codes are counted by account, wherever they come from: only who
//! knows the password gets to be asked, so that nobody else can use the count up. What becomes of it is told by letter, in the
//! transaction in which it does.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    Access, Change, Changed, Service, ServiceError, UserError, UserErrorCode, Work, mutate::Working, one_time_code,
    session::session_of, user::unproven_address,
};
use crate::{
    access::{
        Authority, SystemTask, authorize,
        verb::{ManageSecondFactor, ManageSession},
    },
    id::new_id,
    identity::{
        Attempt, AttemptSource, Code, FactorSecret, SessionIdentity, limit::Counted, second_factor::RECOVERY_CODES,
    },
    mail::{FactorChange, Matter},
    store::{self, second_factor::SecondFactor},
};

/// What stands for the second factor where a session is opened.
pub enum Factor {
    /// The code that came with the request, if one did.
    Code(Option<String>),
    /// The word of another provider, which asks for what it wants. It proves no second factor here: organizations that ask for one
    /// want the person's own (`proveSecondFactor`). With the link by which the person came.
    Vouched(Uuid),
}

/// Without the code.
impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Factor")
    }
}

/// A person's second factor as the person is shown it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorState {
    /// Since when it is asked for; `None` where there is none.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// How many recovery codes have not been used.
    pub recovery_left: u32,
    /// Whether it was proven in the present session.
    pub is_proven: bool,
}

/// Recovery codes, shown once.
pub type RecoveryCodes = Vec<Zeroizing<String>>;

/// Asks for the second factor, in the transaction that opens a session: whether one was proven.
///
/// # Errors
/// [`ServiceError::Refused`] with `SECOND_FACTOR_REQUIRED` or `WRONG_CODE`.
pub(super) async fn ask(work: &Work<'_>, user: Uuid, factor: &Factor) -> Result<bool, ServiceError> {
    let found = store::second_factor::find_by_user(work.tx, user).await?;
    let Some(found) = found.filter(|found| found.confirmed_at.is_some()) else { return Ok(false) };
    match factor {
        Factor::Vouched(_) => Ok(false),
        Factor::Code(_) if crate::ablate::off("second_factor") => Ok(false),
        Factor::Code(None) => Err(required()),
        Factor::Code(Some(code)) => {
            if take(work, &found, code).await? {
                tell(work, user, FactorChange::CodesUsedUp).await?;
            }
            Ok(true)
        }
    }
}

/// Tells a person by letter what became of the second factor.
async fn tell(work: &Work<'_>, user: Uuid, change: FactorChange) -> Result<(), ServiceError> {
    let user = store::user::find_by_id(work.tx, user).await?.ok_or(ServiceError::Unauthenticated)?;
    one_time_code::tell(work, &user, Matter::SecondFactor(change)).await
}

/// Takes a code, once; whether it was the last recovery code.
async fn take(work: &Work<'_>, factor: &SecondFactor, code: &str) -> Result<bool, ServiceError> {
    let read = work.service.factor_root().read(factor.id, factor.recovery_generation, code, work.now);
    let permit = authorize::<ManageSecondFactor>(Authority::System(SystemTask::SignIn, None), Some(factor.user_id))?;
    match read {
        Some(Code::OneTime { step }) => {
            let taken = store::second_factor::take_step(work.tx, permit, factor, step, work.now).await?;
            if taken { Ok(false) } else { Err(wrong_code()) }
        }
        // A factor that does not count yet is proven by the app, which recovery codes do not show to work.
        Some(Code::Recovery { number }) if factor.confirmed_at.is_some() => {
            if !store::second_factor::take_recovery(work.tx, permit, factor, number).await? {
                return Err(wrong_code());
            }
            // Read again: of two codes at once, the later one sees what the other has used.
            let now = store::second_factor::find_by_user(work.tx, factor.user_id).await?;
            Ok(now.is_some_and(|now| recovery_left(&now) == 0))
        }
        Some(Code::Recovery { .. }) | None => Err(wrong_code()),
    }
}

/// How many recovery codes have not been used.
fn recovery_left(factor: &SecondFactor) -> u32 {
    u32::from(RECOVERY_CODES).saturating_sub(factor.recovery_used.count_ones())
}

/// What an attempt with a code came to: counted as failed when the code was wrong, and not at all when nothing was decided. Only a
/// right code makes earlier failures forgotten: a refusal for another reason may be had at will.
pub(super) fn judged<T>(
    done: Result<Changed<T>, ServiceError>,
    counted: Option<Counted>,
) -> Result<Changed<T>, ServiceError> {
    match (&done, counted) {
        (Ok(_), Some(counted)) => counted.succeeded(),
        (Err(ServiceError::Refused(refusals)), Some(_))
            if refusals.iter().any(|refusal| refusal.code == UserErrorCode::WrongCode) => {}
        (Err(_), Some(counted)) => counted.undecided(),
        (_, None) => {}
    }
    done
}

/// Refuses a change by somebody who has not proven a second factor in this session.
///
/// # Errors
/// [`ServiceError::Refused`] with `SECOND_FACTOR_REQUIRED`.
pub(super) async fn has_proven(work: &Work<'_>, identity: SessionIdentity) -> Result<(), ServiceError> {
    let session = store::session::find_by_id(work.tx, identity.user, identity.session).await?;
    if session.is_some_and(|session| session.second_factor_at.is_some()) {
        return Ok(());
    }
    Err(UserError::new(UserErrorCode::SecondFactorRequired, "", "you have not proven a second factor in this session")
        .remedy("Set one up (`startSecondFactor`) or prove yours (`proveSecondFactor`), then do this again.")
        .into())
}

/// Notes that the second factor was proven in the caller's session.
async fn prove_session(work: &Work<'_>, identity: SessionIdentity) -> Result<(), ServiceError> {
    let session = store::session::find_by_id(work.tx, identity.user, identity.session).await?;
    let session = session.ok_or(ServiceError::Unauthenticated)?;
    store::session::prove(work.tx, managing(session.id)?, &session, work.now).await?;
    Ok(())
}

fn managing(subject: Uuid) -> Result<crate::access::Permit<ManageSession>, ServiceError> {
    Ok(authorize::<ManageSession>(Authority::System(SystemTask::SignIn, None), Some(subject))?)
}

impl Service {
    /// The caller's second factor.
    ///
    /// A signed-in person may ask for its own.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`], [`ServiceError::Forbidden`] for a program.
    pub async fn own_second_factor(&self, access: &Access) -> Result<FactorState, ServiceError> {
        let identity = session_of(access)?;
        let reader = self.store().read();
        let session = store::session::find_by_id(&reader, identity.user, identity.session).await?;
        let factor = store::second_factor::find_by_user(&reader, identity.user).await?;
        let factor = factor.filter(|factor| factor.confirmed_at.is_some());
        Ok(FactorState {
            confirmed_at: factor.and_then(|factor| factor.confirmed_at),
            recovery_left: factor.as_ref().map_or(0, recovery_left),
            is_proven: session.is_some_and(|session| session.second_factor_at.is_some()),
        })
    }

    /// Begins to set a second factor up: gives the secret for the app. It counts for nothing before [`Service::confirm_second_factor`].
    ///
    /// A signed-in person may call it, with its password where it has one.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `WRONG_CREDENTIALS`, `EMAIL_NOT_VERIFIED`, or `STATE_CHANGED` when there is one already;
    /// [`ServiceError::RateLimited`].
    pub async fn start_second_factor(
        &self,
        access: &Access,
        password: Option<String>,
    ) -> Result<FactorSecret, ServiceError> {
        let identity = session_of(access)?;
        let person = self.ask_password(access, password).await?;
        // Else whoever opened an account at somebody else's address would shut its owner out, who can prove it.
        if person.email_verified_at.is_none() && !crate::ablate::off("factor_verified") {
            return Err(unproven_address("a second factor can be set up").into());
        }
        let (id, user) = (new_id(), identity.user);
        let change = Change::by_user("startSecondFactor", access, Vec::new())?;
        let started = self.mutate(change, move |work| {
            Box::pin(async move {
                let found = store::second_factor::find_by_user(work.tx, user).await?;
                if found.is_some_and(|found| found.confirmed_at.is_some()) {
                    let refusal = UserError::new(UserErrorCode::StateChanged, "", "there is a second factor already");
                    return Err(refusal.remedy("Remove it first.").into());
                }
                let permit = work.authorize::<ManageSecondFactor>(Some(user))?;
                Ok(store::second_factor::replace(work.tx, permit, (id, user), work.now).await?)
            })
        });
        started.await?;
        let email = access.person.as_ref().map(|person| person.email.as_str()).unwrap_or_default();
        let secret = self.factor_root().secret(id, self.options().dashboard.host(), email);
        secret.map_err(|error| ServiceError::Internal(error.into()))
    }

    /// Makes the second factor count, by its first code, and gives the recovery codes. The person's other sessions, which have not
    /// proven it, end, and a letter says so.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `WRONG_CODE`, or `STATE_CHANGED` when none was begun or it counts already;
    /// [`ServiceError::RateLimited`].
    pub async fn confirm_second_factor(&self, access: &Access, code: String) -> Result<RecoveryCodes, ServiceError> {
        let identity = session_of(access)?;
        let user = identity.user;
        let counted = self.attempt_code(user)?;
        let change = Change::by_user("confirmSecondFactor", access, Vec::new())?;
        let confirmed = self.mutate(change, move |work| {
            Box::pin(async move {
                let found = store::second_factor::find_by_user(work.tx, user).await?;
                let found = found.ok_or_else(nothing_begun)?;
                if found.confirmed_at.is_some() {
                    return Err(set_up_already());
                }
                take(work, &found, &code).await?;
                prove_session(work, identity).await?;
                store::session::revoke_all(work.tx, managing(user)?, user, Some(identity.session), work.now).await?;
                tell(work, user, FactorChange::Confirmed).await?;
                Ok((found.id, found.recovery_generation))
            })
        });
        let (factor, generation) = judged(confirmed.await, Some(counted))?.value;
        Ok(self.factor_root().recovery_codes(factor, generation))
    }

    /// Proves the second factor in the caller's session, for organizations that ask for one.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `WRONG_CODE`, or `STATE_CHANGED` when there is none; [`ServiceError::RateLimited`].
    pub async fn prove_second_factor(&self, access: &Access, code: String) -> Result<(), ServiceError> {
        let identity = session_of(access)?;
        self.with_code("proveSecondFactor", access, code, move |work, _, is_last| {
            Box::pin(async move {
                if is_last {
                    tell(work, identity.user, FactorChange::CodesUsedUp).await?;
                }
                prove_session(work, identity).await
            })
        })
        .await
    }

    /// Gives another set of recovery codes; those of the last one are good no more, and a letter says so.
    ///
    /// # Errors
    /// As [`Service::prove_second_factor`].
    pub async fn renew_recovery_codes(&self, access: &Access, code: String) -> Result<RecoveryCodes, ServiceError> {
        let (factor, generation) = self
            .with_code("renewRecoveryCodes", access, code, |work, factor, _| {
                Box::pin(async move {
                    let permit = work.authorize::<ManageSecondFactor>(Some(factor.user_id))?;
                    let generation = store::second_factor::renew_recovery(work.tx, permit, &factor).await?;
                    tell(work, factor.user_id, FactorChange::CodesRenewed).await?;
                    Ok((factor.id, generation))
                })
            })
            .await?;
        Ok(self.factor_root().recovery_codes(factor, generation))
    }

    /// Removes the second factor, which a letter tells. Organizations that ask for one are out of reach from the moment this returns.
    ///
    /// # Errors
    /// As [`Service::prove_second_factor`]; `WRONG_CREDENTIALS`.
    pub async fn remove_second_factor(
        &self,
        access: &Access,
        password: Option<String>,
        code: String,
    ) -> Result<(), ServiceError> {
        session_of(access)?;
        self.ask_password(access, password).await?;
        self.with_code("removeSecondFactor", access, code, |work, factor, _| {
            Box::pin(async move {
                let user = factor.user_id;
                let permit = work.authorize::<ManageSecondFactor>(Some(user))?;
                store::second_factor::delete(work.tx, permit, user).await?;
                tell(work, user, FactorChange::Removed).await?;
                Ok(store::session::unprove_all(work.tx, managing(user)?, user).await?)
            })
        })
        .await
    }

    /// A change that a code of the caller's second factor allows; it is told whether that was the last recovery code.
    async fn with_code<T, F>(
        &self,
        name: &'static str,
        access: &Access,
        code: String,
        then: F,
    ) -> Result<T, ServiceError>
    where
        T: serde::Serialize + serde::de::DeserializeOwned + Send + 'static,
        F: for<'w> FnOnce(&'w Work<'w>, SecondFactor, bool) -> Working<'w, T> + Send + 'static,
    {
        let user = session_of(access)?.user;
        let counted = self.attempt_code(user)?;
        let change = Change::by_user(name, access, Vec::new())?;
        let done = self.mutate(change, move |work| {
            Box::pin(async move {
                let found = store::second_factor::find_by_user(work.tx, user).await?;
                let found = found.filter(|found| found.confirmed_at.is_some()).ok_or_else(nothing_begun)?;
                let is_last = take(work, &found, &code).await?;
                then(work, found, is_last).await
            })
        });
        Ok(judged(done.await, Some(counted))?.value)
    }

    /// Counts a code of this person's, before it is looked at.
    pub(super) fn attempt_code(&self, user: Uuid) -> Result<Counted, ServiceError> {
        let (now, account) = (self.now(), format!("second factor of {user}"));
        // From wherever it comes: a thousand addresses have no thousand times as many guesses at six digits.
        let source = AttemptSource::Anywhere;
        self.limiter()
            .attempt(&Attempt { account: &account, source }, now)
            .map_err(|blocked| super::user::limited(blocked, now))
    }
}

fn required() -> ServiceError {
    UserError::new(UserErrorCode::SecondFactorRequired, "code", "a code of the second factor is asked for")
        .remedy("Send the code that the app shows, or a recovery code.")
        .into()
}

fn wrong_code() -> ServiceError {
    UserError::new(UserErrorCode::WrongCode, "code", "the code is wrong, or was used before")
        .remedy("Wait for the next code and try again.")
        .into()
}

/// What is said to whoever confirms once more, such as a client that lost the answer with the recovery codes.
fn set_up_already() -> ServiceError {
    UserError::new(UserErrorCode::StateChanged, "", "the second factor is set up already")
        .remedy("Whoever has no recovery codes makes others by `renewRecoveryCodes`.")
        .into()
}

fn nothing_begun() -> ServiceError {
    UserError::new(UserErrorCode::StateChanged, "", "there is no second factor to prove")
        .remedy("Set one up first.")
        .into()
}
