//! What the operator does to people's accounts at the command line: shuts one, lets it in again, and helps out whoever lost a
//! second factor.
//!
//! Nobody may do so through the API, whatever role they have: an account is of no organization.

use serde::{Deserialize, Serialize};

use super::{
    Change, Service, ServiceError, Work, input, password,
    user::{User, UserState},
};
use crate::{
    access::{
        SystemTask,
        verb::{ManageSecondFactor, ManageSession, SuspendUser},
    },
    store::{self, WriteScope},
};

/// What became of an account that was to be suspended or reactivated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateSet {
    /// Whether it was in another state before.
    pub changed: bool,
    /// How many sessions ended.
    pub sessions: u64,
}

impl Service {
    /// Suspends the account of an address: it is let in by no way, its sessions and codes end, and tokens that the person made do
    /// nothing meanwhile. An account that is suspended already stays so.
    ///
    /// For the operator at the command line.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where no account has the address; [`ServiceError::Refused`] for what is no address.
    pub async fn suspend_account(&self, email: &str) -> Result<StateSet, ServiceError> {
        let user = self.account_at(email).await?;
        let change = Change::by_system("suspendUser", SystemTask::Operator, WriteScope::user(user.id));
        let suspended = self.mutate(change, move |work| {
            Box::pin(async move {
                let changed = set_state(work, &user, UserState::Suspended).await?;
                Ok(StateSet { changed, sessions: password::end_everything(work, user.id).await? })
            })
        });
        Ok(suspended.await?.value)
    }

    /// Lets a suspended account be used again. What had ended stays ended: the person signs in anew.
    ///
    /// For the operator at the command line.
    ///
    /// # Errors
    /// As [`Service::suspend_account`].
    pub async fn reactivate_account(&self, email: &str) -> Result<StateSet, ServiceError> {
        let user = self.account_at(email).await?;
        let change = Change::by_system("reactivateUser", SystemTask::Operator, WriteScope::user(user.id));
        let reactivated = self.mutate(change, move |work| {
            Box::pin(async move {
                let changed = set_state(work, &user, UserState::Active).await?;
                Ok(StateSet { changed, sessions: 0 })
            })
        });
        Ok(reactivated.await?.value)
    }

    /// Removes the second factor of the account of an address, with its recovery codes, and ends the person's sessions; how many.
    /// `None` where none counted: nothing is changed then.
    ///
    /// For the operator at the command line, who has made sure by other ways that it is the person who asks.
    ///
    /// # Errors
    /// As [`Service::suspend_account`].
    pub async fn remove_second_factor_of(&self, email: &str) -> Result<Option<u64>, ServiceError> {
        let user = self.account_at(email).await?;
        let change = Change::by_system("removeSecondFactor", SystemTask::Operator, WriteScope::user(user.id));
        let removed = self.mutate(change, move |work| {
            Box::pin(async move {
                let user = the_same(work, &user).await?.id;
                let found = store::second_factor::find_by_user(work.tx, user).await?;
                if found.is_none_or(|found| found.confirmed_at.is_none()) {
                    return Ok(None);
                }
                let permit = work.authorize::<ManageSecondFactor>(Some(user))?;
                store::second_factor::delete(work.tx, permit, user).await?;
                let permit = work.authorize::<ManageSession>(Some(user))?;
                Ok(Some(store::session::revoke_all(work.tx, permit, user, None, work.now).await?))
            })
        });
        Ok(removed.await?.value)
    }

    async fn account_at(&self, email: &str) -> Result<User, ServiceError> {
        let email = input::email("email", email)?;
        store::user::find_by_email(&self.store().read(), email.as_str()).await?.ok_or(ServiceError::NotFound)
    }
}

/// The account as it is in this transaction, if it has the address that was named still.
async fn the_same(work: &Work<'_>, named: &User) -> Result<User, ServiceError> {
    let found = store::user::find_by_id(work.tx, named.id).await?;
    found.filter(|found| found.email == named.email).ok_or(ServiceError::NotFound)
}

/// Puts an account in a state; whether it was in another one.
async fn set_state(work: &Work<'_>, named: &User, state: UserState) -> Result<bool, ServiceError> {
    let user = the_same(work, named).await?;
    if user.state == state {
        return Ok(false);
    }
    store::user::update_state(work.tx, work.authorize::<SuspendUser>(Some(user.id))?, user.id, state, work.now).await?;
    Ok(true)
}
