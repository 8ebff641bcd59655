//! Following an organization: told of each change in it, for as long as the caller keeps its place there.
//!
//! ```text
//!  follow ─▶ next (at once: the present state) ─▶ next (after a change) ─▶ … ─▶ an error (the place is lost)
//! ```

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};
use uuid::Uuid;

use super::{Access, Service, ServiceError};
use crate::cache::Stamp;

/// Some things change by time alone (an invitation expires, a grant runs out); so often that is looked for.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// A caller that follows its organization.
#[derive(Debug)]
pub struct Follow {
    service: Service,
    access: Access,
    organization: Uuid,
    moved: Receiver<Arc<[Stamp]>>,
    begun: bool,
}

impl Service {
    /// Follows the caller's organization. Nothing that changes from now on is missed.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for a stranger, [`ServiceError::NotFound`] for a caller without a place.
    pub fn follow(&self, access: &Access) -> Result<Follow, ServiceError> {
        let organization = access.standing()?.place.id;
        let moved = self.grants().freshness().moved();
        Ok(Follow { service: self.clone(), access: access.clone(), organization, moved, begun: false })
    }
}

impl Follow {
    /// What `read` finds with the rights the caller has now: at once the first time, then after something in the organization may
    /// have changed. `None` when nothing will change any more.
    ///
    /// # Errors
    /// As `read`; [`ServiceError::Unauthenticated`], [`ServiceError::NotFound`] or [`ServiceError::Forbidden`] when the caller has
    /// lost its place or may do nothing there, [`ServiceError::Unavailable`] when its rights cannot be read.
    pub async fn next<T, R>(&mut self, read: impl Fn(Service, Access) -> R) -> Option<Result<T, ServiceError>>
    where
        R: Future<Output = Result<T, ServiceError>>,
    {
        if std::mem::replace(&mut self.begun, true) {
            self.wait().await?;
        }
        let active = |service: Service, access: Access| {
            let found = active(&access).map(|()| read(service, access.clone()));
            async { found?.await }
        };
        Some(self.service.read_as(&mut self.access, active).await)
    }

    async fn wait(&mut self) -> Option<()> {
        loop {
            match timeout(LOOK_AGAIN, self.moved.recv()).await {
                Ok(Ok(stamps)) if !self.concerns(&stamps) => {}
                Ok(Ok(_) | Err(RecvError::Lagged(_))) | Err(_) => return Some(()),
                Ok(Err(RecvError::Closed)) => return None,
            }
        }
    }

    /// Whether something in the organization moved: every write there moves its content, and some more.
    fn concerns(&self, stamps: &[Stamp]) -> bool {
        stamps.iter().any(|stamp| stamp.id == self.organization)
    }
}

/// Whether the caller may do anything where it is.
fn active(access: &Access) -> Result<(), ServiceError> {
    access.standing()?.rights.inactive().map_or(Ok(()), |denial| Err(denial.into()))
}

impl Service {
    /// What `read` finds for a caller that stays. Who that is and what it may do is asked before and after, and everything is
    /// read again if that is not the same: so nothing is seen that was written after a right had been taken away.
    ///
    /// # Errors
    /// As `read`; [`ServiceError::Unauthenticated`] when the caller has lost its place.
    pub(super) async fn read_as<T, R>(
        &self,
        access: &mut Access,
        read: impl Fn(Self, Access) -> R,
    ) -> Result<T, ServiceError>
    where
        R: Future<Output = Result<T, ServiceError>>,
    {
        *access = self.again(access).await?;
        loop {
            let found = read(self.clone(), access.clone()).await;
            if crate::ablate::off("asked_again") {
                return found;
            }
            let before = std::mem::replace(access, self.again(access).await?);
            if access.has_the_rights_of(&before) {
                return found;
            }
        }
    }

    /// The same caller in the same place, as it is now.
    async fn again(&self, access: &Access) -> Result<Access, ServiceError> {
        if crate::ablate::off("stream_rights") {
            return Ok(access.clone());
        }
        let credential = access.credential.ok_or(ServiceError::Unauthenticated)?;
        let present = self.access(credential, access.client.clone()).await?;
        present.filter(|present| present.principal() == access.principal()).ok_or(ServiceError::Unauthenticated)
    }
}
