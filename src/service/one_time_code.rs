//! One-time codes, as the operations on accounts use them: made for one purpose, sent by letter, used up once.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Service, ServiceError, UserError, UserErrorCode, Work};
use crate::{
    access::{Authority, Permit, SystemTask, Verb, authorize, verb::ManageCode},
    id::new_id,
    identity::{
        OpaqueToken,
        one_time_code::{LeaveEmail, ResetPassword, TakeEmail, VerifyEmail},
        opaque::Purpose,
    },
    mail::{AccountMail, Letter, Matter},
    store::{
        self,
        one_time_code::{CodePurpose, OneTimeCode},
        user::{User, UserState},
    },
};

/// How long a code lives (`S4.R9`).
const LIFE: TimeDelta = TimeDelta::hours(1);

/// A purpose with the word it is stored by, and the page of the dashboard that its links lead to.
pub(super) trait CodeFor: Purpose {
    /// The stored word.
    const PURPOSE: CodePurpose;
    /// The page.
    const PAGE: &'static str;
}

impl CodeFor for VerifyEmail {
    const PURPOSE: CodePurpose = CodePurpose::VerifyEmail;
    const PAGE: &'static str = "verify-email";
}

impl CodeFor for ResetPassword {
    const PURPOSE: CodePurpose = CodePurpose::ResetPassword;
    const PAGE: &'static str = "reset-password";
}

impl CodeFor for LeaveEmail {
    const PURPOSE: CodePurpose = CodePurpose::LeaveEmail;
    const PAGE: &'static str = "confirm-email-change";
}

impl CodeFor for TakeEmail {
    const PURPOSE: CodePurpose = CodePurpose::TakeEmail;
    const PAGE: &'static str = "confirm-email-change";
}

/// A code before it is written down: only its hash goes into the transaction.
pub(super) struct Draft {
    purpose: CodePurpose,
    hash: Vec<u8>,
}

impl Draft {
    /// A new code of this purpose, and the link that carries it.
    pub(super) fn new<P: CodeFor>(service: &Service) -> (Self, String) {
        let code = OpaqueToken::<P>::mint(&mut rand::rng());
        let link = service.options().dashboard.code(P::PAGE, &code);
        (Self { purpose: P::PURPOSE, hash: code.hash().to_vec() }, link)
    }

    /// Writes the code down, in the place of the person's former one; when it ends.
    pub(super) async fn keep(self, work: &Work<'_>, user: Uuid, email: &str) -> Result<DateTime<Utc>, ServiceError> {
        let expires_at = work.now + LIFE;
        let code = OneTimeCode {
            id: new_id(),
            user_id: user,
            purpose: self.purpose,
            email: email.to_owned(),
            hash: self.hash,
            created_at: work.now,
            expires_at,
            used_at: None,
        };
        store::one_time_code::replace(work.tx, permit::<ManageCode>(user)?, code).await?;
        Ok(expires_at)
    }
}

/// A permit about a person who proved the account, whoever asks.
pub(super) fn permit<V: Verb>(user: Uuid) -> Result<Permit<V>, ServiceError> {
    Ok(authorize::<V>(Authority::System(SystemTask::SignIn, None), Some(user))?)
}

/// Ends every code of a person: what was sent before is good for nothing after a change of address or password (G12).
pub(super) async fn end_all(work: &Work<'_>, user: Uuid) -> Result<(), ServiceError> {
    store::one_time_code::end_all(work.tx, permit::<ManageCode>(user)?, user).await?;
    Ok(())
}

/// Uses a code up; the code as it was, and its account, which may be used.
///
/// # Errors
/// `CODE_INVALID`.
pub(super) async fn spend(
    work: &Work<'_>,
    purpose: CodePurpose,
    hash: &[u8],
) -> Result<(OneTimeCode, User), ServiceError> {
    let code = store::one_time_code::find_by_hash(work.tx, purpose, hash).await?.ok_or_else(invalid)?;
    let user = store::user::find_by_id(work.tx, code.user_id).await?;
    let user = user.filter(|user| user.state == UserState::Active).ok_or_else(invalid)?;
    if !store::one_time_code::spend(work.tx, permit::<ManageCode>(user.id)?, &code, work.now).await? {
        return Err(invalid());
    }
    Ok((code, user))
}

/// The refusal of a code: that it is none, used, ended or of another purpose is not told apart.
pub(super) fn invalid() -> ServiceError {
    UserError::new(UserErrorCode::CodeInvalid, "code", "this code is used, has ended, or is for something else")
        .remedy("Ask for another one, and use the link of the newest letter.")
        .into()
}

impl Service {
    /// The hash of a code and the account it is about, before anything is changed.
    ///
    /// # Errors
    /// `CODE_INVALID`.
    pub(super) async fn shown_code<P: CodeFor>(&self, text: &str) -> Result<(OneTimeCode, Vec<u8>), ServiceError> {
        let hash = OpaqueToken::<P>::parse(text).map_err(|_| invalid())?.hash().to_vec();
        let found = store::one_time_code::find_by_hash(&self.store().read(), P::PURPOSE, &hash).await?;
        let living = |code: &OneTimeCode| code.expires_at > self.now() && code.used_at.is_none();
        let living = |code: &OneTimeCode| living(code) || crate::ablate::off("code_single_use");
        Ok((found.filter(living).ok_or_else(invalid)?, hash))
    }

    /// The one way by which letters about accounts go out, after the change they tell of.
    pub(super) async fn write_to(&self, to: String, matter: Matter, link: Option<(String, DateTime<Utc>)>) -> bool {
        let letter: Letter = AccountMail { to, matter, link }.letter();
        self.send(letter).await
    }
}
