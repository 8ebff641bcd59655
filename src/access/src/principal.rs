//! Who can hold grants and ask questions.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The kinds of principals of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PrincipalKind {
    /// A person's place in the organization.
    Member,
    /// A program's place in the organization.
    ServiceAccount,
}

/// One principal of one organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PrincipalId {
    /// Member or service account.
    pub kind: PrincipalKind,
    /// The row's id.
    pub id: Uuid,
}

impl PrincipalId {
    /// The member of this id.
    #[must_use]
    pub const fn member(id: Uuid) -> Self {
        Self { kind: PrincipalKind::Member, id }
    }

    /// The service account of this id.
    #[must_use]
    pub const fn service_account(id: Uuid) -> Self {
        Self { kind: PrincipalKind::ServiceAccount, id }
    }

    /// The member's id, where the principal is one.
    #[must_use]
    pub const fn as_member(self) -> Option<Uuid> {
        match self.kind {
            PrincipalKind::Member => Some(self.id),
            PrincipalKind::ServiceAccount => None,
        }
    }
}
