//! The address of an account: proven by a letter, and changed when both the present and the new one agree.

use std::fmt;

use super::{
    Access, Actor, Change, Client, Service, ServiceError, UserError, UserErrorCode, Work, input, invitation,
    one_time_code::{self, About, CodeFor, Draft},
    password::wrong_password,
};
use crate::{
    access::{
        Authority, SystemTask, authorize,
        verb::{UpdateMember, UpdateUser},
    },
    identity::one_time_code::{LeaveEmail, TakeEmail, VerifyEmail},
    mail::Matter,
    store::{
        self, StoreError, WriteScope,
        member::MemberChanges,
        one_time_code::CodePurpose,
        user::{User, UserChanges},
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a change of the address is asked for.
pub struct EmailChange {
    /// The address to come.
    pub email: String,
    /// The account's password, where it has one.
    pub password: Option<String>,
}

/// Without the password, which belongs in no log.
impl fmt::Debug for EmailChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailChange").field("email", &self.email).finish_non_exhaustive()
    }
}

/// What a confirmation came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The account's address from now on.
    pub email: String,
    /// The one before, where it was changed; none while the other address has not agreed.
    pub former: Option<String>,
}

impl Service {
    /// Sends the caller a letter with which the account's address is proven. Every signed-in person may whose address is not.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `STATE_CHANGED`; [`ServiceError::RateLimited`].
    pub async fn request_email_verification(&self, access: &Access) -> Result<bool, ServiceError> {
        let user = self.own_account(access).await?;
        if user.email_verified_at.is_some() {
            return Err(UserError::new(UserErrorCode::StateChanged, "", "this address is proven already").into());
        }
        // Stays counted: so many letters a person is sent from one source.
        let _counted = self.attempt(&format!("verify {}", user.email), &access.client)?;
        let (draft, id) = (Draft::new::<VerifyEmail>(self), user.id);
        let change = Change::by_user("requestEmailVerification", access, Vec::new())?;
        let sent = self.mutate(change, move |work| {
            Box::pin(async move {
                let user = store::user::find_by_id(work.tx, id).await?.ok_or(ServiceError::NotFound)?;
                draft.send(work, &About::own(&user), Matter::VerifyEmail).await
            })
        });
        Ok(sent.await?.posted.left().await.unwrap_or_default())
    }

    /// Proves an account's address by the code of a letter; the address. It signs nobody in.
    ///
    /// Whoever holds the code may call it, once.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `CODE_INVALID`; [`ServiceError::RateLimited`].
    pub async fn verify_email(&self, client: &Client, code: &str) -> Result<String, ServiceError> {
        let (code, hash) = self.shown_code::<VerifyEmail>(client, code).await?;
        let change = Change::by_system("verifyEmail", SystemTask::SignIn, WriteScope::user(code.user_id));
        let verified = self.mutate(change, move |work| {
            Box::pin(async move {
                let (code, user) = one_time_code::spend(work, VerifyEmail::PURPOSE, &hash).await?;
                if code.email != user.email {
                    return Err(one_time_code::invalid());
                }
                let changes = UserChanges { email_verified_at: Some(work.now), ..UserChanges::default() };
                let permit = work.authorize::<UpdateUser>(Some(user.id))?;
                store::user::update(work.tx, permit, user.id, changes, work.now).await?;
                Ok(user.email)
            })
        });
        Ok(verified.await?.value)
    }

    /// Sends a letter to the present and one to the new address; the account has the new one when both have agreed. Whether
    /// another account has it is not told. Every signed-in person may, with its password where it has one.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `INVALID` or `WRONG_CREDENTIALS`; [`ServiceError::RateLimited`].
    pub async fn request_email_change(&self, access: &Access, change: EmailChange) -> Result<(), ServiceError> {
        let email = input::email("email", &change.email)?;
        let user = self.ask_password(access, change.password).await?;
        if user.email == email.as_str() {
            return Err(UserError::new(UserErrorCode::Invalid, "email", "this is the account's address").into());
        }
        let _counted = self.attempt(&format!("change {}", user.email), &access.client)?;
        let (leave, take) = (Draft::new::<LeaveEmail>(self), Draft::new::<TakeEmail>(self));
        let (id, proven, new) = (user.id, user.password_hash, email.as_str().to_owned());
        let begun = Change::by_user("requestEmailChange", access, Vec::new())?;
        let sent = self.mutate(begun, move |work| {
            Box::pin(async move {
                let user = &store::user::find_by_id(work.tx, id).await?.ok_or(ServiceError::NotFound)?;
                // What was proven is the password that was there then; where there was none, nothing was.
                if user.password_hash != proven {
                    return Err(wrong_password());
                }
                let present = About { user, email: &new, to: &user.email };
                leave.send(work, &present, Matter::LeaveEmail(new.clone())).await?;
                take.send(work, &About { user, email: &new, to: &new }, Matter::TakeEmail).await
            })
        });
        sent.await.map(|_| ())
    }

    /// Agrees to a change of the address, by the code of either letter; with the second one the address is changed. Sessions
    /// stay, codes end.
    ///
    /// Whoever holds a code may call it, once.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with `CODE_INVALID`; with `TAKEN` when another account has the address by now, or another
    /// member of an organization that the person is in: the code stays good; [`ServiceError::RateLimited`];
    /// [`ServiceError::Conflict`] when the address is invited to such an organization at this moment.
    pub async fn confirm_email_change(&self, client: &Client, code: &str) -> Result<Confirmed, ServiceError> {
        let (purpose, other, (code, hash)) = if TakeEmail::is_named_by(code) {
            (CodePurpose::TakeEmail, CodePurpose::LeaveEmail, self.shown_code::<TakeEmail>(client, code).await?)
        } else {
            (CodePurpose::LeaveEmail, CodePurpose::TakeEmail, self.shown_code::<LeaveEmail>(client, code).await?)
        };
        let user =
            store::user::find_by_id(&self.store().read(), code.user_id).await?.ok_or_else(one_time_code::invalid)?;
        let invited = invitation::needless(&self.store().read(), &user, &code.email).await?;
        // Where an invitation goes, a seat is freed.
        let organizations: Vec<Uuid> = invited.iter().map(|invitation| invitation.organization_id).collect();
        let held = organizations.clone();
        let scope = WriteScope { organizations, ..WriteScope::user(code.user_id) };
        let change = Change::by_system("confirmEmailChange", SystemTask::SignIn, scope);
        let confirmed = self.mutate(change, move |work| {
            Box::pin(async move {
                let (code, user) = one_time_code::spend(work, purpose, &hash).await?;
                let counterpart = store::one_time_code::find_of_user(work.tx, user.id, other).await?;
                let agreed = counterpart.is_some_and(|other| {
                    other.used_at.is_some() && other.email == code.email && other.expires_at > work.now
                });
                if !agreed && !crate::ablate::off("both_addresses") {
                    return Ok(Confirmed { email: user.email, former: None });
                }
                readdress(work, (&user, &code.email), &held).await?;
                one_time_code::end_all(work, user.id).await?;
                // At the former address: whoever is there is to know.
                one_time_code::tell(work, &user, Matter::EmailChanged(code.email.clone())).await?;
                Ok(Confirmed { email: code.email, former: Some(user.email) })
            })
        });
        Ok(confirmed.await?.value)
    }
}

/// Gives an account its new address, which was proven, and its members with it. An invitation that went to the new address, to an
/// organization where the person is a member, is needless from now on, and is taken back; `held` are the organizations of those.
async fn readdress(work: &Work<'_>, (user, email): (&User, &str), held: &[Uuid]) -> Result<(), ServiceError> {
    let changes =
        UserChanges { email: Some(email.to_owned()), email_verified_at: Some(work.now), ..UserChanges::default() };
    let permit = work.authorize::<UpdateUser>(Some(user.id))?;
    store::user::update(work.tx, permit, user.id, changes, work.now).await.map_err(taken)?;
    let invited = invitation::needless(work.tx, user, email).await?;
    if !invited.iter().all(|invited| held.contains(&invited.organization_id)) {
        return Err(ServiceError::Conflict("the address was invited meanwhile; try again"));
    }
    let actor = Actor::User { id: user.id, name: user.name.clone() };
    let person = Work { tx: work.tx, service: work.service, now: work.now, actor, mailbag: work.mailbag.clone() };
    for place in store::member::memberships_of_user(work.tx, user.id, work.now).await? {
        let (organization, member) = (place.member.organization_id, place.member.id);
        // An address that an organization was given by somebody else is the organization's.
        if place.member.email.as_deref() != Some(user.email.as_str()) {
            continue;
        }
        for needless in invited.iter().filter(|invited| invited.organization_id == organization) {
            invitation::withdraw(&person, member, needless).await?;
        }
        let task = Authority::System(SystemTask::SignIn, Some(organization));
        let permit = authorize::<UpdateMember>(task, Some(member))?;
        let changes = MemberChanges { email: Some(email.to_owned()), ..MemberChanges::default() };
        let moved = store::member::update(work.tx, permit, (organization, member), changes).await;
        moved.map_err(|error| taken_there(error, &place.organization_name))?;
    }
    Ok(())
}

fn taken(error: StoreError) -> ServiceError {
    let message = "this address belongs to somebody else by now";
    refused(error, UserError::new(UserErrorCode::Taken, "code", message).remedy("Ask for a change to another address."))
}

/// Another member has the address, without an account of it.
fn taken_there(error: StoreError, organization: &str) -> ServiceError {
    let message = format!("{organization}: another member has this address there");
    let remedy = "Ask there to remove that member, or ask for a change to another address.";
    refused(error, UserError::new(UserErrorCode::Taken, "code", message).remedy(remedy))
}

fn refused(error: StoreError, refusal: UserError) -> ServiceError {
    match error {
        StoreError::Conflict { .. } => refusal.into(),
        error => error.into(),
    }
}
