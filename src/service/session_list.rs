//! A person's own sessions: listed, so that a stranger's is seen, and ended one by one.

use uuid::Uuid;

use super::{
    Access, Change, Service, ServiceError,
    page::{Page, PageRequest, Position, SortKey},
    session::session_of,
};
use crate::{
    access::{SystemTask, verb::ManageSession},
    store::{self, WriteScope, session::Session},
};

/// A session as its person is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    /// The session.
    pub session: Session,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

impl ListedSession {
    /// Where it stands in the list.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { key: SortKey::Id, id: self.session.id }
    }

    /// What it is called: the browser and the system of its user agent; `None` where that names neither.
    #[must_use]
    pub fn device(&self) -> Option<String> {
        let agent = self.session.user_agent.as_deref()?;
        let found = woothee::parser::Parser::new().parse(agent)?;
        let known = [found.name, found.os].into_iter().filter(|part| !part.is_empty() && *part != "UNKNOWN");
        let parts: Vec<&str> = known.collect();
        (!parts.is_empty()).then(|| parts.join(" on "))
    }
}

impl Service {
    /// The caller's sessions that can still be used, in the order of sign-in. What was used shortly before it had rested for too long
    /// is listed for an access token's life more.
    ///
    /// A signed-in person may ask for its own.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`], [`ServiceError::Forbidden`] for a program.
    pub async fn own_sessions(
        &self,
        access: &Access,
        request: &PageRequest,
    ) -> Result<Page<ListedSession>, ServiceError> {
        let identity = session_of(access)?;
        let now = self.now();
        let usable = now - self.idle();
        let page = store::session::list_of_user(&self.store().read(), identity.user, (now, usable), request).await?;
        let listed = |session: Session| ListedSession { is_current: session.id == identity.session, session };
        let Page { items, has_next, has_previous, total } = page;
        Ok(Page { items: items.into_iter().map(listed).collect(), has_next, has_previous, total })
    }

    /// Ends one of the caller's sessions: what was signed out answers no further request. Ending one that has ended changes nothing.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for any other session; as [`Service::own_sessions`].
    pub async fn revoke_session(&self, access: &Access, session: Uuid) -> Result<u64, ServiceError> {
        access.require_own_eyes()?;
        let user = session_of(access)?.user;
        let change = Change::by_system("revokeSession", SystemTask::SignIn, WriteScope::user(user));
        let ended = self.mutate(change, move |work| {
            Box::pin(async move {
                let found = store::session::find_by_id(work.tx, user, session).await?.ok_or(ServiceError::NotFound)?;
                let permit = work.authorize::<ManageSession>(Some(found.id))?;
                Ok(u64::from(store::session::revoke(work.tx, permit, &found, work.now).await?))
            })
        });
        Ok(ended.await?.value)
    }

    /// Ends every session of the caller but the one that asks.
    ///
    /// # Errors
    /// As [`Service::own_sessions`].
    pub async fn revoke_other_sessions(&self, access: &Access) -> Result<u64, ServiceError> {
        access.require_own_eyes()?;
        let identity = session_of(access)?;
        let user = identity.user;
        let change = Change::by_system("revokeOtherSessions", SystemTask::SignIn, WriteScope::user(user));
        let ended = self.mutate(change, move |work| {
            Box::pin(async move {
                let permit = work.authorize::<ManageSession>(Some(user))?;
                let kept = Some(identity.session);
                Ok(store::session::revoke_all(work.tx, permit, user, kept, work.now).await?)
            })
        });
        Ok(ended.await?.value)
    }

    /// How long a session may rest.
    fn idle(&self) -> chrono::TimeDelta {
        chrono::TimeDelta::from_std(self.options().lifetimes.refresh_idle).unwrap_or(chrono::TimeDelta::MAX)
    }
}
