//! Inviting many at once: each person by itself, and what became of each.
//!
//! Every row is a change of its own, as if it had been asked for alone: the author's rights are read again for it (abuse case
//! C16), and one that is refused undoes no other. A batch that was cut off is asked for again with its key: what was done is
//! answered as before, the rest is done.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::{
    place,
    send::{InviteMember, Invited, invite},
};
use crate::{
    ablate,
    access::Denial,
    identity::Email,
    service::{Access, Change, Idempotency, Service, ServiceError, UserError, UserErrorCode, mail::Posted},
};

/// The most people of one batch.
pub const MOST_INVITED: usize = 100;

/// One person of a batch: to be invited, or what is wrong with it already.
pub type Asked = Result<InviteMember, Vec<UserError>>;

/// What became of one person: invited, or every mistake of it at once.
pub type Row = Result<Invited, Vec<UserError>>;

impl Service {
    /// Invites many people; what became of each, in order. Who may invite one may, and of each what that one may give.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for who may invite nowhere; [`ServiceError::Refused`] for a batch that is empty or too long;
    /// what ends the batch in the middle, such as a database that is away: what was done by then stays.
    pub async fn invite_members(
        &self,
        access: &Access,
        rows: Vec<Asked>,
        idempotency: Option<Idempotency>,
    ) -> Result<Vec<Row>, ServiceError> {
        access.require_known()?;
        let standing = access.standing()?;
        if !standing.rights.holds("members.invite") && !place::may_invite_somewhere(standing) {
            let missing = Denial::MissingPermission { permission: "members.invite".to_owned() };
            return Err(standing.rights.inactive().unwrap_or(missing).into());
        }
        if rows.is_empty() || rows.len() > MOST_INVITED {
            let message = format!("a batch has 1 to {MOST_INVITED} people, this one has {}", rows.len());
            let remedy = if rows.is_empty() { "Name whom to invite." } else { "Send several batches." };
            return Err(UserError::new(UserErrorCode::Invalid, "people", message).remedy(remedy).into());
        }
        let twice = repeated(&rows);
        let (mut came_of_it, mut posted) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for (at, (row, twice)) in rows.into_iter().zip(twice).enumerate() {
            let (invited, letters) = match (row, twice) {
                (Err(mistakes), _) => (Err(mistakes), None),
                (Ok(_), Some(first)) => (Err(vec![same_as(first)]), None),
                (Ok(row), None) => {
                    self.invite_row(access, row, idempotency.as_ref().map(|said| of_row(said, at))).await?
                }
            };
            came_of_it.push(invited);
            posted.push(async move { letters?.left().await });
        }
        // The letters are on their way meanwhile; they are waited for together.
        let left = futures_util::future::join_all(posted).await;
        for (row, left) in came_of_it.iter_mut().zip(left) {
            if let (Ok(invited), Some(left)) = (row, left) {
                invited.mail_sent = left;
            }
        }
        Ok(came_of_it)
    }

    async fn invite_row(
        &self,
        access: &Access,
        row: InviteMember,
        idempotency: Option<Idempotency>,
    ) -> Result<(Row, Option<Posted>), ServiceError> {
        let change = Change::in_organization("inviteMembers", access)?.repeatable(idempotency);
        let secret = self.invitation_secret();
        let change = self.mutate(change, move |work| Box::pin(async move { invite(work, row, &secret).await })).await;
        match change {
            Ok(changed) => Ok((Ok(changed.value), Some(changed.posted))),
            Err(ServiceError::Refused(mistakes)) => Ok((Err(mistakes), None)),
            Err(ServiceError::Forbidden(denial)) => Ok((Err(vec![denial.into()]), None)),
            Err(ServiceError::NotFound) => Ok((Err(vec![no_such_app()]), None)),
            Err(other) => Err(other),
        }
    }
}

/// Which rows name an address that an earlier one names, and the earlier one.
fn repeated(rows: &[Asked]) -> Vec<Option<usize>> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let first = |(at, row): (usize, &Asked)| {
        // What is no address is told by the row itself.
        let email = row.as_ref().ok().and_then(|row| Email::parse(&row.email).ok());
        let email = email.filter(|_| !ablate::off("batch_duplicate"))?;
        let first = *seen.entry(email.as_str().to_owned()).or_insert(at);
        (first != at).then_some(first)
    };
    rows.iter().enumerate().map(first).collect()
}

fn same_as(first: usize) -> UserError {
    let message = format!("this is the address of number {} in the batch", first + 1);
    UserError::new(UserErrorCode::AlreadyMember, "email", message).remedy("Leave it out here.")
}

/// A hidden app and an absent one answer alike.
fn no_such_app() -> UserError {
    UserError::new(UserErrorCode::Invalid, "", "it names an app that there is not")
        .remedy("Choose among the apps you see.")
}

/// The key of one row: of another batch under the same key, none is the same.
fn of_row(batch: &Idempotency, at: usize) -> Idempotency {
    let key = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{at} {}", batch.key)));
    Idempotency { key, input: batch.input }
}
