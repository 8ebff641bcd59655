//! One-time codes, as the operations on accounts use them: made for one purpose, sent by letter, used up once.

use chrono::TimeDelta;
use uuid::Uuid;

use super::{Client, Service, ServiceError, UserError, UserErrorCode, Work, membership};
use crate::{
    access::{Authority, Permit, SystemTask, Verb, authorize, verb::ManageCode},
    id::new_id,
    identity::{
        OpaqueToken,
        one_time_code::{LeaveEmail, ResetPassword, TakeEmail, VerifyEmail},
        opaque::Purpose,
    },
    mail::{AccountMail, Matter, Reader},
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

    /// Whether a text says that it is a code of this purpose; nothing is proven by that.
    fn is_named_by(text: &str) -> bool {
        text.starts_with(Self::PREFIX)
    }
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

/// A code before it is written down: its hash goes into the database, its link into a sealed letter.
pub(super) struct Draft {
    purpose: CodePurpose,
    hash: Vec<u8>,
    link: String,
}

impl Draft {
    /// A new code of this purpose, with the link that carries it: to the dashboard, whatever a request says (G11).
    pub(super) fn new<P: CodeFor>(service: &Service) -> Self {
        let code = OpaqueToken::<P>::mint(&mut rand::rng());
        let link = service.options().dashboard.code(P::PAGE, &code);
        Self { purpose: P::PURPOSE, hash: code.hash().to_vec(), link }
    }

    /// Writes the code down, in the place of the person's former one, and posts the letter with its link to `to`. The former
    /// one's letter is withdrawn where it waits.
    pub(super) async fn send(self, work: &Work<'_>, about: &About<'_>, matter: Matter) -> Result<(), ServiceError> {
        let (user, expires_at) = (about.user, work.now + LIFE);
        if let Some(former) = store::one_time_code::find_of_user(work.tx, user.id, self.purpose).await? {
            work.withdraw(former.id).await?;
        }
        let code = OneTimeCode {
            id: new_id(),
            user_id: user.id,
            purpose: self.purpose,
            email: about.email.to_owned(),
            hash: self.hash,
            created_at: work.now,
            expires_at,
            used_at: None,
        };
        let id = code.id;
        store::one_time_code::replace(work.tx, permit::<ManageCode>(user.id)?, code).await?;
        let reader = membership::reader_of(work, user).await?;
        let mail = AccountMail { to: about.to.to_owned(), matter, link: Some((self.link, expires_at)), reader };
        work.post(mail.letter().about(id).until(expires_at)).await?;
        Ok(())
    }
}

/// Whose account a code is about, which address, and where its letter goes.
pub(super) struct About<'a> {
    /// The account.
    pub user: &'a User,
    /// The address it is about.
    pub email: &'a str,
    /// Where the letter goes.
    pub to: &'a str,
}

impl<'a> About<'a> {
    /// About an account and its own address.
    pub(super) fn own(user: &'a User) -> Self {
        Self { user, email: &user.email, to: &user.email }
    }
}

/// Posts a letter that tells a person what was done to the account, at an address that was its own.
pub(super) async fn tell(work: &Work<'_>, user: &User, matter: Matter) -> Result<(), ServiceError> {
    tell_reader(work, user, (matter, membership::reader_of(work, user).await?)).await
}

/// The same where the reader is known: the places from which it is found may be gone by now.
pub(super) async fn tell_reader(
    work: &Work<'_>,
    user: &User,
    (matter, reader): (Matter, Reader),
) -> Result<(), ServiceError> {
    let mail = AccountMail { to: user.email.clone(), matter, link: None, reader };
    work.post(mail.letter().about(user.id)).await?;
    Ok(())
}

/// A permit about a person who proved the account, whoever asks.
pub(super) fn permit<V: Verb>(user: Uuid) -> Result<Permit<V>, ServiceError> {
    Ok(authorize::<V>(Authority::System(SystemTask::SignIn, None), Some(user))?)
}

/// Ends every code of a person, and takes back the letters that have not gone out: what was sent before is good for nothing
/// after a change of address or password (G12).
pub(super) async fn end_all(work: &Work<'_>, user: Uuid) -> Result<(), ServiceError> {
    for code in store::one_time_code::list_of_user(work.tx, user).await? {
        work.withdraw(code.id).await?;
    }
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
    /// The hash of a code and the account it is about, before anything is changed. Every one that is none counts against where
    /// it came from, as a failed sign-in does (F7).
    ///
    /// # Errors
    /// `CODE_INVALID`; [`ServiceError::RateLimited`].
    pub(super) async fn shown_code<P: CodeFor>(
        &self,
        client: &Client,
        text: &str,
    ) -> Result<(OneTimeCode, Vec<u8>), ServiceError> {
        let counted = self.attempt_with_secret(client)?;
        let hash = OpaqueToken::<P>::parse(text).map_err(|_| invalid())?.hash().to_vec();
        let found = match store::one_time_code::find_by_hash(&self.store().read(), P::PURPOSE, &hash).await {
            Ok(found) => found,
            Err(error) => {
                counted.undecided();
                return Err(error.into());
            }
        };
        let living = |code: &OneTimeCode| code.expires_at > self.now() && code.used_at.is_none();
        let living = |code: &OneTimeCode| living(code) || crate::ablate::off("code_single_use");
        let code = found.filter(living).ok_or_else(invalid)?;
        counted.succeeded();
        Ok((code, hash))
    }
}
