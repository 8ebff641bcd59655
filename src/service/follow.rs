//! Following an organization: told of each change in it, for as long as the caller keeps its place there.
//!
//! ```text
//!  follow ─▶ next (at once: the present state) ─▶ next (after a change) ─▶ … ─▶ None (the place is lost)
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
    /// The caller as it is now: at once the first time, then after something in the organization may have changed. `None` when
    /// the caller has lost its place.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`] when its rights cannot be read.
    pub async fn next(&mut self) -> Option<Result<Access, ServiceError>> {
        if std::mem::replace(&mut self.begun, true) {
            self.wait().await?;
        }
        let access = match self.service.access(self.access.credential?, self.access.client.clone()).await {
            Ok(access) => access?,
            Err(error) => return Some(Err(error)),
        };
        let same = access.principal() == self.access.principal();
        let active = access.standing.as_ref().is_some_and(|standing| standing.rights.inactive().is_none());
        (same && active).then_some(Ok(access))
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
