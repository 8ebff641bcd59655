//! Grants: the stored rows that give access.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// To whom a grant is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grantee {
    /// One member.
    Member(Uuid),
    /// Every member of a team and of the teams below it.
    Team(Uuid),
    /// One service account.
    ServiceAccount(Uuid),
    /// Every member of the organization (a default access level is a grant of this kind).
    Everyone,
}

impl Grantee {
    /// The row of the member, team or service account; none for everyone.
    #[must_use]
    pub const fn row(self) -> Option<Uuid> {
        match self {
            Self::Member(id) | Self::Team(id) | Self::ServiceAccount(id) => Some(id),
            Self::Everyone => None,
        }
    }
}

/// What a grant gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Held {
    /// A role of the blueprint, by its key.
    Role(String),
    /// A feature of an app kind, at one of its levels or, without a level, what the feature gives when it is ticked.
    Feature {
        /// The app kind's key.
        kind: String,
        /// The feature's key.
        feature: String,
        /// The level's key, where the feature has levels.
        level: Option<String>,
    },
}

/// Where a grant holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// In the whole organization: a feature on every app of its kind, a role on everything the role names.
    Organization,
    /// On one app and the apps below it.
    App {
        /// The app's id.
        id: Uuid,
        /// The app's kind.
        kind: String,
    },
}

/// One step of the path by which a team's grant reaches a principal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TeamStep {
    /// The team's id.
    pub id: Uuid,
    /// The team's name, for reasons a person reads.
    pub name: String,
}

/// A grant as it reaches one principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The row's id.
    pub id: Uuid,
    /// To whom the row gives.
    pub grantee: Grantee,
    /// From the principal's own team up to the team that holds the grant; empty unless the grantee is a team.
    pub path: Vec<TeamStep>,
    /// What it gives.
    pub held: Held,
    /// Where it holds.
    pub place: Place,
    /// The moment from which it gives nothing any more.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Grant {
    /// Whether the grant still gives something at `now`.
    #[must_use]
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether it gives something at least until the other one ends.
    #[must_use]
    pub fn lasts_as_long(&self, other: &Self) -> bool {
        match (self.expires_at, other.expires_at) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(end), Some(other)) => end >= other,
        }
    }
}
