//! Changes: the only way into a writing transaction.
//!
//! ```text
//!  mark ─▶ BEGIN · lock organizations · actor's rights, read here · first answer, if repeated ─▶ work ─▶ COMMIT ─▶ settle
//! ```
//!
//! The work is given a [`Work`]: the transaction, the moment, and the actor with the rights it has *in this transaction*. Cached
//! facts may answer a query, never a write: a right that was lost between the request and the lock is lost (abuse case C19).

use std::{future::Future, pin::Pin};

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Access, Service, ServiceError, Standing, consequence,
    idempotency::{self, Recent},
    mail::{Mailbag, Posted},
};
use crate::{
    ablate,
    access::{AppRef, Authority, Denial, Permit, SystemTask, Verb, authorize, authorize_on, verb::Rule},
    cache::{Settlement, Stamp, StampKind, Subject},
    store::{Limits, StoreError, Tx, WriteScope},
};

/// The work of a change, inside its transaction.
pub type Working<'t, T> = Pin<Box<dyn Future<Output = Result<T, ServiceError>> + Send + 't>>;

/// What a caller said about repeating: the key, and what the input was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key.
    pub key: String,
    /// SHA-256 of the input.
    pub input: [u8; 32],
}

impl Idempotency {
    /// For an input and the key that came with it, if one came.
    ///
    /// # Errors
    /// [`ServiceError::BadInput`] when the key is empty, too long or not printable ASCII.
    pub fn of(key: Option<String>, input: &impl std::fmt::Debug) -> Result<Option<Self>, ServiceError> {
        let Some(key) = key else { return Ok(None) };
        if key.is_empty() || key.len() > 255 || !key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(ServiceError::BadInput(
                "an `idempotencyKey` has 1 to 255 printable ASCII characters".to_owned(),
            ));
        }
        Ok(Some(Self { key, input: Sha256::digest(format!("{input:?}")).into() }))
    }
}

/// On whose behalf a change is made.
#[derive(Debug, Clone)]
pub enum Actor {
    /// A principal of the organization, with the rights it has in this transaction.
    Principal(Box<Standing>),
    /// A signed-in person, outside any organization.
    User {
        /// The account.
        id: Uuid,
        /// What activity entries call it.
        name: String,
    },
    /// Work without a caller, in this organization or in none.
    System(SystemTask, Option<Uuid>),
}

/// A change about to be made.
#[derive(Debug)]
pub struct Change {
    name: &'static str,
    actor: Acting,
    scope: WriteScope,
    idempotency: Option<Idempotency>,
    field: &'static str,
}

#[derive(Debug)]
enum Acting {
    Member(Access, Uuid),
    User(Access, Uuid),
    System(SystemTask, Option<Uuid>),
}

impl Change {
    /// A change in the caller's organization.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for a stranger, [`ServiceError::NotFound`] for a caller who is in no organization.
    pub fn in_organization(name: &'static str, access: &Access) -> Result<Self, ServiceError> {
        access.require_known()?;
        access.require_own_eyes()?;
        let organization = access.organization().ok_or(ServiceError::NotFound)?;
        let actor = Acting::Member(access.clone(), organization);
        Ok(Self { name, actor, scope: WriteScope::organization(organization), idempotency: None, field: "" })
    }

    /// A change by a person as such: creating an organization, accepting an invitation.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for a stranger, [`ServiceError::Forbidden`] for a program.
    pub fn by_user(name: &'static str, access: &Access, organizations: Vec<Uuid>) -> Result<Self, ServiceError> {
        access.require_known()?;
        access.require_own_eyes()?;
        let user = access.user_id().ok_or(Denial::PeopleOnly)?;
        let scope = WriteScope { organizations, users: vec![user], limits: Limits::Request };
        Ok(Self { name, actor: Acting::User(access.clone(), user), scope, idempotency: None, field: "" })
    }

    /// Work without a caller.
    #[must_use]
    pub fn by_system(name: &'static str, task: SystemTask, scope: WriteScope) -> Self {
        let organization = scope.organizations.first().copied();
        Self { name, actor: Acting::System(task, organization), scope, idempotency: None, field: "" }
    }

    /// With the caller's word on repeating it.
    #[must_use]
    pub fn repeatable(mut self, idempotency: Option<Idempotency>) -> Self {
        self.idempotency = idempotency;
        self
    }

    /// With the field of the input that names what is changed: what the change leads to is refused there, since it has no
    /// field of its own.
    #[must_use]
    pub const fn about(mut self, field: &'static str) -> Self {
        self.field = field;
        self
    }

    /// Under the limits of an import instead of a request's.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.scope.limits = limits;
        self
    }

    /// The subjects whose cached grants are not used while the change is under way.
    fn subjects(&self) -> Vec<Subject> {
        let organizations = self.scope.organizations.iter().map(|id| Subject::new(StampKind::Organization, *id));
        let users = self.scope.users.iter().map(|id| Subject::new(StampKind::User, *id));
        organizations.chain(users).collect()
    }
}

/// What the work of a change has in hand.
pub struct Work<'t> {
    /// The open transaction.
    pub tx: &'t Tx,
    /// The program around it.
    pub service: &'t Service,
    /// The moment of the change.
    pub now: DateTime<Utc>,
    /// On whose behalf it is made.
    pub actor: Actor,
    /// The letters it has posted.
    pub(super) mailbag: Mailbag,
}

impl Work<'_> {
    /// Asks for a permit; with the rights the actor has in this transaction.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] with the reason.
    pub fn authorize<V: Verb>(&self, subject: Option<Uuid>) -> Result<Permit<V>, ServiceError> {
        Ok(authorize::<V>(self.authority(), subject)?)
    }

    /// Asks for a permit on an app or below it: the permission may be held in the organization, or by an app role there or
    /// above it. The permit's subject is the app.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] with the reason.
    pub fn authorize_on<V: Verb>(&self, app: &AppRef<'_>) -> Result<Permit<V>, ServiceError> {
        match &self.actor {
            Actor::Principal(standing) => Ok(authorize_on::<V>(self.authority(), &standing.blueprint.rules, app)?),
            Actor::User { .. } | Actor::System(..) => self.authorize(Some(app.id)),
        }
    }

    /// Refuses who may use the verb on no app at all, before anything is looked up: so that nothing is learnt of what there is.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] with the reason.
    pub fn authorize_somewhere<V: Verb>(&self) -> Result<(), ServiceError> {
        if let (Actor::Principal(standing), Rule::Permission(key)) = (&self.actor, V::RULE)
            && !standing.rights.apps_with(&standing.blueprint.rules, key).is_empty()
        {
            return Ok(());
        }
        self.authorize::<V>(None).map(drop)
    }

    /// What the core is told of the actor.
    #[must_use]
    pub fn authority(&self) -> Authority<'_> {
        match &self.actor {
            Actor::Principal(standing) => Authority::Principal(&standing.rights),
            Actor::User { id, .. } => Authority::User(*id),
            Actor::System(task, organization) => Authority::System(*task, *organization),
        }
    }

    /// The actor's place in its organization.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when it acts outside any.
    pub fn standing(&self) -> Result<&Standing, ServiceError> {
        match &self.actor {
            Actor::Principal(standing) => Ok(standing),
            Actor::User { .. } | Actor::System(..) => Err(ServiceError::NotFound),
        }
    }
}

/// What became of a change.
#[derive(Debug)]
pub struct Changed<T> {
    /// What the work returned, now or the first time.
    pub value: T,
    /// How it became visible to every other request.
    pub settlement: Settlement,
    /// Its letters, on their way.
    pub posted: Posted,
}

impl Service {
    /// Makes a change: marks, opens the transaction, reads the actor's rights in it, runs the work, commits, settles.
    ///
    /// A client that goes away does not cancel it.
    ///
    /// # Errors
    /// What the work returns (nothing was changed then), [`ServiceError::Conflict`] for a repeated key with other input or
    /// one at work, and what the database cannot do.
    pub async fn mutate<T, F>(&self, change: Change, work: F) -> Result<Changed<T>, ServiceError>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: for<'w> FnOnce(&'w Work<'w>) -> Working<'w, T> + Send + 'static,
    {
        let service = self.clone();
        let task = tokio::spawn(async move { service.change(change, work).await });
        task.await.map_err(|end| ServiceError::Internal(anyhow::Error::new(end).context("a change did not end")))?
    }

    async fn change<T, F>(&self, change: Change, work: F) -> Result<Changed<T>, ServiceError>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: for<'w> FnOnce(&'w Work<'w>) -> Working<'w, T> + Send + 'static,
    {
        let _turn = self.at_work(&change)?;
        let marked = self.grants().mark(&change.subjects()).await;
        let (service, now) = (self.clone(), self.now());
        let Change { name, actor, scope, idempotency, field } = change;
        let organizations = scope.organizations.clone();
        let mailbag = Mailbag::default();
        let posted = mailbag.clone();
        let written = self
            .store()
            .write(scope, move |tx| {
                Box::pin(async move {
                    let repeat = idempotency.map(|said| idempotency::Record::new(caller_of(&actor), name, said));
                    // Before anything is answered: a repeated answer too is for those who still may ask.
                    let actor = service.actor(tx, actor, now).await?;
                    if let Some(repeat) = &repeat
                        && let Some((first, Recent(recent))) = repeat.first_answer(tx, now).await?
                    {
                        return Ok((first, recent));
                    }
                    let value = {
                        let in_hand = Work { tx, service: &service, now, actor, mailbag };
                        let scenes = consequence::before(&in_hand, &organizations).await?;
                        let value = work(&in_hand).await?;
                        consequence::after(&in_hand, scenes).await.map_err(|error| error.about(field))?;
                        value
                    };
                    if let Some(repeat) = repeat {
                        let answer =
                            serde_json::to_value(&value).map_err(|error| ServiceError::Internal(error.into()))?;
                        repeat.keep(tx, answer, now).await?;
                    }
                    Ok((value, false))
                })
            })
            .await;
        let committed_at = self.grants().freshness().now();
        match written {
            Ok(committed) => {
                let (value, unsettled) = committed.value;
                let mut settlement = self.grants().settle(marked, &committed.stamps, committed_at).await;
                if unsettled && !ablate::off("repeat_wait") {
                    // The gateway that made the change may have died before it settled it; now the caller is told that it is made.
                    settlement = self.grants().wait_out(committed_at).await;
                }
                if unsettled || moves_rights(&committed.stamps) {
                    let after = self.grants().freshness().now().boot.saturating_sub(committed_at.boot);
                    self.1.iter().for_each(|told| told.note(settlement, after));
                }
                Ok(Changed { value, settlement, posted: self.dispatch(posted.take()) })
            }
            // The markers stay until they end by themselves: it may have been committed.
            Err(ServiceError::CommitUnknown) => Err(ServiceError::CommitUnknown),
            Err(error) => {
                self.grants().rolled_back(marked).await;
                Err(error)
            }
        }
    }

    /// The actor as it is in this transaction.
    async fn actor(&self, tx: &Tx, acting: Acting, now: DateTime<Utc>) -> Result<Actor, ServiceError> {
        match acting {
            Acting::Member(access, _) => {
                let fresh = self.reload(tx, &access, now).await?;
                let standing = fresh.standing.ok_or(ServiceError::NotFound)?;
                Ok(Actor::Principal(Box::new(Standing::clone(&standing))))
            }
            Acting::User(access, id) => {
                let fresh = self.reload(tx, &access, now).await?;
                let person = fresh.person.ok_or(ServiceError::Unauthenticated)?;
                Ok(Actor::User { id, name: person.name.clone() })
            }
            Acting::System(task, organization) => Ok(Actor::System(task, organization)),
        }
    }
}

/// Whether rights depend on what moved; what an organization merely shows is no right.
fn moves_rights(moved: &[Stamp]) -> bool {
    moved.iter().any(|stamp| stamp.kind != StampKind::Content)
}

/// Under which id a caller's idempotency keys are kept.
fn caller_of(actor: &Acting) -> Uuid {
    match actor {
        Acting::Member(access, organization) => access.principal().map_or(*organization, |principal| principal.id),
        Acting::User(_, user) => *user,
        Acting::System(..) => Uuid::nil(),
    }
}

impl Change {
    /// What must not be worked on twice at once on this node.
    pub(super) fn turn(&self) -> Option<(Uuid, &'static str, String)> {
        self.idempotency.as_ref().map(|said| (caller_of(&self.actor), self.name, said.key.clone()))
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Busy => Self::Unavailable(format!("{error}: {}", cause(&error))),
            StoreError::CommitUnknown => Self::CommitUnknown,
            StoreError::Conflict { .. }
            | StoreError::PermitMismatch(_)
            | StoreError::Corrupt(_)
            | StoreError::Query(_) => Self::Internal(error.into()),
        }
    }
}

/// The cause, for the log.
fn cause(error: &StoreError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}
