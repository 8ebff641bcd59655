//! Permits: the proof that a decision allowed a write.
//!
//! The store's writes take one by value, so that a write without a decision does not compile. Only [`authorize`] makes them.
//!
//! ```compile_fail,E0451
//! use gatehouse_access::{Author, Permit, SystemTask, verb::DeleteApp};
//! let author = Author::System(SystemTask::Operator);
//! let forged = Permit::<DeleteApp> { organization: None, subject: None, author, verb: std::marker::PhantomData };
//! ```

use std::marker::PhantomData;

use uuid::Uuid;

use crate::{
    AppRef, Blueprint, Denial, PrincipalId, Rights,
    verb::{Rule, SystemTask, Verb},
};

/// On whose behalf a permit is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Authority<'a> {
    /// A principal of an organization, by its compiled rights, read in the transaction that writes.
    Principal(&'a Rights),
    /// A signed-in person, outside any organization.
    User(Uuid),
    /// Work without a caller, in this organization or in none.
    System(SystemTask, Option<Uuid>),
}

/// Who holds a permit, as the activity entry will name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// A principal of the organization.
    Principal(PrincipalId),
    /// A signed-in person.
    User(Uuid),
    /// A system task.
    System(SystemTask),
}

/// Proof that `V` was allowed, once. It cannot be built, copied or kept: a write consumes it.
#[derive(Debug)]
pub struct Permit<V: Verb> {
    organization: Option<Uuid>,
    subject: Option<Uuid>,
    author: Author,
    verb: PhantomData<V>,
}

impl<V: Verb> Permit<V> {
    /// The organization the permit is bound to; a store write refuses rows of another one.
    #[must_use]
    pub const fn organization(&self) -> Option<Uuid> {
        self.organization
    }

    /// The row the permit is bound to, where the decision was about one.
    #[must_use]
    pub const fn subject(&self) -> Option<Uuid> {
        self.subject
    }

    /// Who was allowed.
    #[must_use]
    pub const fn author(&self) -> Author {
        self.author
    }
}

/// Asks for a permit to use the verb `V` on `subject`.
///
/// # Errors
/// The [`Denial`] that says why not; nothing is allowed by default.
pub fn authorize<V: Verb>(authority: Authority<'_>, subject: Option<Uuid>) -> Result<Permit<V>, Denial> {
    let permit = |organization, author| Permit { organization, subject, author, verb: PhantomData };
    match authority {
        Authority::Principal(rights) => {
            let allowed = match V::RULE {
                Rule::Permission(key) => rights.holds(key),
                Rule::PermissionOrMaintainer(key) => {
                    rights.holds(key) || subject.is_some_and(|team| rights.maintains(team))
                }
                Rule::OwnMembership => rights.principal().as_member().is_some(),
                Rule::AnyUser | Rule::SystemOnly => false,
            };
            if let Some(denial) = rights.inactive() {
                Err(denial)
            } else if allowed {
                Ok(permit(Some(rights.organization()), Author::Principal(rights.principal())))
            } else {
                Err(match V::RULE {
                    Rule::Permission(key) | Rule::PermissionOrMaintainer(key) => {
                        Denial::MissingPermission { permission: key.to_owned() }
                    }
                    Rule::OwnMembership | Rule::AnyUser => Denial::PeopleOnly,
                    Rule::SystemOnly => Denial::NotForCallers,
                })
            }
        }
        Authority::User(user) => match V::RULE {
            Rule::AnyUser => Ok(permit(None, Author::User(user))),
            Rule::Permission(_) | Rule::PermissionOrMaintainer(_) | Rule::OwnMembership => Err(Denial::NotAMember),
            Rule::SystemOnly => Err(Denial::NotForCallers),
        },
        Authority::System(task, organization) => {
            if V::TASKS.contains(&task) {
                Ok(permit(organization, Author::System(task)))
            } else {
                Err(Denial::NotForTask { task: task.name() })
            }
        }
    }
}

/// Asks for a permit to use the verb `V` on an app or below it: the permission is held in the organization, or by an app role
/// there or above it. The permit's subject is the app.
///
/// # Errors
/// The [`Denial`] that says why not; [`Denial::AppInactive`] where it would be held, were the app not disabled.
pub fn authorize_on<V: Verb>(
    authority: Authority<'_>,
    blueprint: &Blueprint,
    app: &AppRef<'_>,
) -> Result<Permit<V>, Denial> {
    if let (Authority::Principal(rights), Rule::Permission(key)) = (authority, V::RULE) {
        match rights.denied_on(blueprint, key, app) {
            None => {
                let author = Author::Principal(rights.principal());
                return Ok(Permit {
                    organization: Some(rights.organization()),
                    subject: Some(app.id),
                    author,
                    verb: PhantomData,
                });
            }
            Some(Denial::AppInactive) => return Err(Denial::AppInactive),
            Some(_) => {}
        }
    }
    authorize(authority, Some(app.id))
}
