//! Typed keys: what a cached answer is about, and the Redis keys that follow from it.
//!
//! The encoding is injective: kinds are numbers, ids have a fixed length, and the parts are separated by a character that is
//! in neither. A key of one kind therefore never collides with a key of another (zero-stale.md §4.2).

use std::fmt::Write;

use smallvec::SmallVec;
use uuid::Uuid;

use super::stamp::{StampKind, Subject};

/// The format of everything this version writes. A new format gets a new number, so that during a rolling upgrade nodes of
/// two versions never read each other's values (R25).
pub const FORMAT: u8 = 3;

/// Whose grants are asked for. All ids were proven by a signature or a checksum, or come from our own tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantKey {
    /// A person's session, in one organization or in none.
    Session {
        /// The session.
        session: Uuid,
        /// Whose session it is.
        user: Uuid,
        /// The organization the access token is bound to.
        organization: Option<Uuid>,
        /// The person's member in that organization; `None` where the rights come from a parent organization.
        member: Option<Uuid>,
    },
    /// An API token.
    ApiToken {
        /// The token's id.
        token: Uuid,
        /// The organization it belongs to.
        organization: Uuid,
    },
    /// Someone who is asked about: a member or a service account, without a credential.
    Principal {
        /// The member or service account.
        principal: Uuid,
        /// Its organization.
        organization: Uuid,
    },
}

/// A short list of subjects.
pub type Subjects = SmallVec<[Subject; 6]>;

impl GrantKey {
    /// The organization the answer is about.
    #[must_use]
    pub const fn organization(&self) -> Option<Uuid> {
        match self {
            Self::Session { organization, .. } => *organization,
            Self::ApiToken { organization, .. } | Self::Principal { organization, .. } => Some(*organization),
        }
    }

    /// The subjects whose stamps an entry under this key must carry: exactly what can be known before it is read. Whatever
    /// else the answer depends on moves one of these (a member's change moves the stamps of the member's API tokens).
    #[must_use]
    pub fn subjects(&self) -> Subjects {
        let mut all = Subjects::new();
        match *self {
            Self::Session { session, user, member, .. } => {
                all.push(Subject::new(StampKind::Session, session));
                all.push(Subject::new(StampKind::User, user));
                all.extend(member.map(|id| Subject::new(StampKind::Principal, id)));
            }
            Self::ApiToken { token, .. } => all.push(Subject::new(StampKind::ApiToken, token)),
            Self::Principal { principal, .. } => all.push(Subject::new(StampKind::Principal, principal)),
        }
        all.extend(self.organization().map(|id| Subject::new(StampKind::Organization, id)));
        all
    }

    /// The subject whose version tells whether what an organization shows has changed (kind 6).
    #[must_use]
    pub fn content(&self) -> Option<Subject> {
        self.organization().map(|id| Subject::new(StampKind::Content, id))
    }

    /// The subjects whose marker, set by a writer in progress, sends this key to the database.
    #[must_use]
    pub fn marked_by(&self) -> Subjects {
        self.subjects()
            .into_iter()
            .filter(|subject| matches!(subject.kind, StampKind::User | StampKind::Organization))
            .collect()
    }
}

/// The names of all keys of one deployment: `gate:{<deployment>}:<format>:…`, one slot of a Redis Cluster.
#[derive(Debug, Clone)]
pub struct KeySpace {
    prefix: String,
}

impl KeySpace {
    /// The keys of a deployment. Characters that have a meaning in the prefix are percent-encoded.
    #[must_use]
    pub fn new(deployment: &str) -> Self {
        // Writing to a `String` never fails.
        let mut prefix = String::from("gate:{");
        for byte in deployment.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
                prefix.push(char::from(byte));
            } else {
                let _ = write!(prefix, "%{byte:02x}");
            }
        }
        let _ = write!(prefix, "}}:{FORMAT}:");
        Self { prefix }
    }

    /// A key of the deployment that is never used, in the same slot of a cluster as all the others.
    #[must_use]
    pub fn any(&self) -> String {
        self.prefix.clone()
    }

    /// Where the entry is.
    #[must_use]
    pub fn entry(&self, key: &GrantKey) -> String {
        self.of_credential('g', key)
    }

    /// Where the right to fill the entry is.
    #[must_use]
    pub fn lease(&self, key: &GrantKey) -> String {
        self.of_credential('l', key)
    }

    /// Where a subject's lowest acceptable version is.
    #[must_use]
    pub fn floor(&self, subject: Subject) -> String {
        self.of_subject('f', subject)
    }

    /// Where the number of writers in progress on a subject is.
    #[must_use]
    pub fn marker(&self, subject: Subject) -> String {
        self.of_subject('p', subject)
    }

    fn of_subject(&self, letter: char, subject: Subject) -> String {
        format!("{}{letter}:{}:{}", self.prefix, subject.kind.number(), subject.id.simple())
    }

    fn of_credential(&self, letter: char, key: &GrantKey) -> String {
        match key {
            GrantKey::Session { session, organization, .. } => {
                let organization = organization.unwrap_or_default();
                format!("{}{letter}:s:{}:{}", self.prefix, session.simple(), organization.simple())
            }
            GrantKey::ApiToken { token, .. } => format!("{}{letter}:t:{}", self.prefix, token.simple()),
            GrantKey::Principal { principal, .. } => format!("{}{letter}:m:{}", self.prefix, principal.simple()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_of_the_same_id_in_different_parts_never_collide() {
        let id = Uuid::from_u128(5);
        let keys = [
            GrantKey::Session { session: id, user: id, organization: None, member: None },
            GrantKey::Session { session: id, user: id, organization: Some(id), member: None },
            GrantKey::ApiToken { token: id, organization: id },
            GrantKey::Principal { principal: id, organization: id },
        ];
        let space = KeySpace::new("north");
        let mut seen = HashSet::new();
        for key in &keys {
            assert!(seen.insert(space.entry(key)) && seen.insert(space.lease(key)));
        }
        for kind in StampKind::ALL {
            let subject = Subject::new(kind, id);
            assert!(seen.insert(space.floor(subject)) && seen.insert(space.marker(subject)));
        }
    }

    #[test]
    fn a_deployment_cannot_reach_into_another_ones_keys() {
        let id = Subject::new(StampKind::User, Uuid::nil());
        assert_ne!(KeySpace::new("a}:3:f:3").floor(id), KeySpace::new("a").floor(id));
        assert_eq!(
            KeySpace::new("a}b").marker(Subject::new(StampKind::User, Uuid::nil())),
            format!("gate:{{a%7db}}:3:p:3:{}", Uuid::nil().simple())
        );
    }
}
