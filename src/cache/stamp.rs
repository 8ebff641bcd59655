//! Stamps: the versions that grants depend on (`grant_stamp`), moved by the database in the transaction that changes them.

use smallvec::SmallVec;
use uuid::Uuid;

/// What a stamp is the version of. The numbers are stored and are part of every Redis key: never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum StampKind {
    /// One sign-in.
    Session = 1,
    /// One API token.
    ApiToken = 2,
    /// A person's account, in whatever organization.
    User = 3,
    /// A member or a service account.
    Principal = 4,
    /// An organization: its settings, plan, teams, apps and everything granted to everyone.
    Organization = 5,
    /// Everything an organization shows (lists, names). It carries no rights and is in no grant vector.
    Content = 6,
}

impl StampKind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 6] =
        [Self::Session, Self::ApiToken, Self::User, Self::Principal, Self::Organization, Self::Content];

    /// The number that is stored.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind of a stored number; `None` for a kind that a newer node wrote.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| i64::from(kind.number()) == number)
    }
}

/// What a stamp belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The kind of thing.
    pub kind: StampKind,
    /// Which one.
    pub id: Uuid,
}

impl Subject {
    /// The subject of this kind and id.
    #[must_use]
    pub const fn new(kind: StampKind, id: Uuid) -> Self {
        Self { kind, id }
    }
}

/// One subject's version. A subject that was never changed has no row and counts as version 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// The kind of thing.
    pub kind: StampKind,
    /// Which one.
    pub id: Uuid,
    /// How often it was changed.
    pub version: i64,
}

impl Stamp {
    /// The stamp of a subject at a version.
    #[must_use]
    pub const fn new(kind: StampKind, id: Uuid, version: i64) -> Self {
        Self { kind, id, version }
    }

    /// What the stamp belongs to.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        Subject { kind: self.kind, id: self.id }
    }
}

/// The versions of everything an answer was read from: sorted, each subject once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StampVector(SmallVec<[Stamp; 4]>);

impl StampVector {
    /// The vector of these stamps. Of two stamps of one subject the *older* version stays: an entry may claim no more
    /// than the oldest thing it was read from.
    #[must_use]
    pub fn new(stamps: impl IntoIterator<Item = Stamp>) -> Self {
        let mut all: SmallVec<[Stamp; 4]> = stamps.into_iter().collect();
        all.sort_unstable();
        all.dedup_by_key(|stamp| stamp.subject());
        Self(all)
    }

    /// The version of a subject; 0 where the vector does not know it.
    #[must_use]
    pub fn version(&self, subject: Subject) -> i64 {
        self.0.iter().find(|stamp| stamp.subject() == subject).map_or(0, |stamp| stamp.version)
    }

    /// The stamps, in order of their subjects.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Stamp> {
        self.0.iter()
    }

    /// How many subjects the vector knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the vector knows no subject.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_sorted_and_keeps_the_older_of_two_versions() {
        let id = Uuid::from_u128(7);
        let vector = StampVector::new([
            Stamp::new(StampKind::Organization, id, 3),
            Stamp::new(StampKind::User, id, 9),
            Stamp::new(StampKind::Organization, id, 2),
        ]);
        assert_eq!(vector.iter().map(|stamp| stamp.version).collect::<Vec<_>>(), [9, 2]);
        assert_eq!(vector.version(Subject::new(StampKind::Session, id)), 0);
    }

    #[test]
    fn numbers_round_trip_and_foreign_numbers_are_unknown() {
        assert!(StampKind::ALL.iter().all(|kind| StampKind::from_number(i64::from(kind.number())) == Some(*kind)));
        assert_eq!(StampKind::from_number(0), None);
        assert_eq!(StampKind::from_number(7), None);
        assert_eq!(StampKind::from_number(257), None);
    }
}
