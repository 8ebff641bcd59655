//! The decision whether an entry may be used: pure, so that every race can be written down as a test (zero-stale.md §4.3).

use chrono::{DateTime, Utc};
use smallvec::SmallVec;
use subtle::ConstantTimeEq;

use super::{
    entry::{Entry, SecretHash},
    key::GrantKey,
};
use crate::ablate;

/// What the cache said about a key, in one atomic reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The entry's bytes.
    pub entry: Option<Vec<u8>>,
    /// The lowest acceptable version of each of [`GrantKey::subjects`], in that order; 0 where there is no floor.
    pub floors: SmallVec<[i64; 6]>,
    /// The lowest acceptable version of [`GrantKey::content`]; 0 where there is none.
    pub content: i64,
    /// Whether a writer is at work on one of [`GrantKey::marked_by`].
    pub marked: bool,
}

/// What this node itself knows from reading the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalView {
    /// The lowest acceptable versions, in the order of [`Answer::floors`].
    pub floors: SmallVec<[i64; 6]>,
    /// The lowest acceptable version of what the organization shows.
    pub content: i64,
    /// Whether that reading is recent enough to be trusted.
    pub fresh: bool,
}

/// Everything the decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whose grants are asked for.
    pub key: &'a GrantKey,
    /// For an API token: the hash of the secret that was presented.
    pub presented: Option<&'a SecretHash>,
    /// The entry, where there was one and its seal was right.
    pub entry: Option<&'a Entry>,
    /// What the cache said.
    pub answer: &'a Answer,
    /// What this node knows.
    pub local: &'a LocalView,
    /// The present moment.
    pub now: DateTime<Utc>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Use the entry.
    Accept,
    /// Ask the database.
    Miss {
        /// Whether the answer may be stored afterwards.
        fill: bool,
    },
    /// The entry is good and the presented secret is not its secret: refuse, store nothing.
    Unauthenticated,
}

/// Whether the entry may be used. Only a proof of freshness allows it; everything unknown is a miss.
#[must_use]
pub fn accept(asked: &Asked<'_>) -> Verdict {
    let Asked { key, presented, entry, answer, local, now } = *asked;
    if (!local.fresh && !ablate::off("database_lease")) || (answer.marked && !ablate::off("cache_marker")) {
        return Verdict::Miss { fill: false };
    }
    let Some(entry) = entry else { return Verdict::Miss { fill: true } };
    if entry.key != *key || entry.valid_until <= now {
        return Verdict::Miss { fill: true };
    }
    if !reaches(entry, key, &answer.floors) || !reaches(entry, key, &local.floors) {
        return Verdict::Miss { fill: true };
    }
    // Last, so that only an entry proven to be the present truth can refuse a secret.
    if same_secret(entry.secret_hash.as_ref(), presented) { Verdict::Accept } else { Verdict::Unauthenticated }
}

/// Whether the entry is at least as new as every floor. Floors that do not fit the key reach nothing.
fn reaches(entry: &Entry, key: &GrantKey, floors: &[i64]) -> bool {
    let subjects = key.subjects();
    ablate::off("cache_floor")
        || (subjects.len() == floors.len()
            && subjects.iter().zip(floors).all(|(subject, floor)| entry.vector.version(*subject) >= *floor))
}

/// Whether the presented secret is the expected one, in constant time. A credential without a secret has neither.
#[must_use]
pub fn same_secret(expected: Option<&SecretHash>, presented: Option<&SecretHash>) -> bool {
    match (expected, presented) {
        (None, None) => true,
        (Some(expected), Some(presented)) => {
            bool::from(expected.ct_eq(presented)) || crate::ablate::off("token_secret")
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use smallvec::smallvec;
    use uuid::Uuid;

    use super::*;
    use crate::cache::stamp::{Stamp, StampKind, StampVector};

    const TOKEN: Uuid = Uuid::from_u128(1);
    const ORGANIZATION: Uuid = Uuid::from_u128(2);
    const KEY: GrantKey = GrantKey::ApiToken { token: TOKEN, organization: ORGANIZATION };
    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn entry() -> Entry {
        Entry {
            key: KEY,
            secret_hash: Some([1; 32]),
            vector: StampVector::new([
                Stamp::new(StampKind::ApiToken, TOKEN, 3),
                Stamp::new(StampKind::Organization, ORGANIZATION, 5),
            ]),
            valid_until: NOW + TimeDelta::seconds(1),
            payload: Vec::new(),
        }
    }

    fn decide(
        entry: Option<&Entry>,
        floors: [i64; 2],
        local: [i64; 2],
        change: impl FnOnce(&mut Answer, &mut LocalView),
    ) -> Verdict {
        let mut answer = Answer { floors: floors.into_iter().collect(), ..Answer::default() };
        let mut local = LocalView { floors: local.into_iter().collect(), fresh: true, content: 0 };
        change(&mut answer, &mut local);
        accept(&Asked { key: &KEY, presented: Some(&[1; 32]), entry, answer: &answer, local: &local, now: NOW })
    }

    #[test]
    fn an_entry_at_its_floors_is_used() {
        assert_eq!(decide(Some(&entry()), [3, 5], [3, 5], |_, _| {}), Verdict::Accept);
        assert_eq!(decide(Some(&entry()), [0, 0], [0, 0], |_, _| {}), Verdict::Accept);
    }

    #[test]
    fn an_entry_below_any_floor_is_a_miss() {
        for (floors, local) in [([4, 5], [0, 0]), ([3, 6], [0, 0]), ([0, 0], [4, 0]), ([0, 0], [0, 6])] {
            assert_eq!(decide(Some(&entry()), floors, local, |_, _| {}), Verdict::Miss { fill: true });
        }
    }

    #[test]
    fn a_writer_at_work_or_an_old_reading_sends_to_the_database_and_fills_nothing() {
        assert_eq!(decide(Some(&entry()), [0, 0], [0, 0], |a, _| a.marked = true), Verdict::Miss { fill: false });
        assert_eq!(decide(Some(&entry()), [0, 0], [0, 0], |_, l| l.fresh = false), Verdict::Miss { fill: false });
    }

    #[test]
    fn another_credentials_entry_and_an_ended_one_are_misses() {
        let foreign = Entry { key: GrantKey::ApiToken { token: ORGANIZATION, organization: TOKEN }, ..entry() };
        assert_eq!(decide(Some(&foreign), [0, 0], [0, 0], |_, _| {}), Verdict::Miss { fill: true });
        let ended = Entry { valid_until: NOW, ..entry() };
        assert_eq!(decide(Some(&ended), [0, 0], [0, 0], |_, _| {}), Verdict::Miss { fill: true });
        assert_eq!(decide(None, [0, 0], [0, 0], |_, _| {}), Verdict::Miss { fill: true });
    }

    #[test]
    fn floors_of_another_shape_are_a_miss() {
        let shorter = decide(Some(&entry()), [0, 0], [0, 0], |answer, _| answer.floors = smallvec![0]);
        assert_eq!(shorter, Verdict::Miss { fill: true });
    }

    #[test]
    fn a_wrong_secret_is_refused_only_by_an_entry_that_is_proven_fresh() {
        let other = Entry { secret_hash: Some([2; 32]), ..entry() };
        assert_eq!(decide(Some(&other), [0, 0], [0, 0], |_, _| {}), Verdict::Unauthenticated);
        assert_eq!(decide(Some(&other), [4, 0], [0, 0], |_, _| {}), Verdict::Miss { fill: true });
        let none = Entry { secret_hash: None, ..entry() };
        assert_eq!(decide(Some(&none), [0, 0], [0, 0], |_, _| {}), Verdict::Unauthenticated);
    }
}
