//! What features need of other kinds of apps, and for how long (`S0.27`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse_access::{
    Blueprint, Grant, Grantee, Held, Place,
    prerequisite::{Unmet, unmet},
};
use uuid::Uuid;

const STALLS: &str = include_str!("../../../tests/it/cases/stalls.toml");
const BOB: Grantee = Grantee::Member(Uuid::from_u128(1));

fn after(days: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(days)
}

/// A feature, everywhere, that ends after so many days.
fn tick(grantee: Grantee, (kind, feature): (&str, &str), days: Option<i64>) -> Grant {
    Grant {
        id: Uuid::from_u128(2),
        grantee,
        path: Vec::new(),
        held: Held::Feature { kind: kind.to_owned(), feature: feature.to_owned(), level: None },
        place: Place::Organization,
        expires_at: days.map(after),
    }
}

/// What bob's goods lack, that end so, beside entries that end so.
fn lack(goods: Option<i64>, entries: &[Option<i64>]) -> Option<Unmet> {
    let rules = Blueprint::parse(STALLS).unwrap();
    let team = Grantee::Team(Uuid::from_u128(3));
    let mut grants = vec![tick(BOB, ("stall", "goods"), goods)];
    grants.extend(entries.iter().map(|days| tick(team, ("hall", "entry"), *days)));
    unmet(&rules, BOB, &grants, after(0)).into_iter().next()
}

#[test]
fn s0_27_what_is_needed_is_held_as_long_as_what_needs_it() {
    let enough: [(Option<i64>, &[Option<i64>]); 6] = [
        (None, &[None]),
        (Some(5), &[None]),
        (Some(5), &[Some(5)]),
        (Some(5), &[Some(1), Some(6)]),
        (None, &[Some(1), None]),
        // What is over needs nothing.
        (Some(0), &[]),
    ];
    for (goods, entries) in enough {
        assert_eq!(lack(goods, entries), None, "{goods:?} {entries:?}");
    }
    let until = |goods, entries: &[Option<i64>]| {
        let lack = lack(goods, entries).unwrap();
        assert_eq!(lack.ends, goods.map(after));
        lack.held_until
    };
    assert_eq!(until(None, &[]), None);
    assert_eq!(until(None, &[Some(5)]), Some(after(5)));
    assert_eq!(until(Some(6), &[Some(5), Some(2)]), Some(after(5)), "the longest counts");
    assert_eq!(until(Some(6), &[Some(0)]), None, "one that is over gives nothing");
}

#[test]
fn s0_27_a_lack_is_within_another_that_is_no_smaller() {
    let of = |goods, entries: &[Option<i64>]| lack(goods, entries).unwrap();
    let before = of(Some(9), &[Some(5)]);
    for same in [of(Some(9), &[Some(5)]), of(Some(8), &[Some(5)]), of(Some(9), &[Some(6)])] {
        assert!(same.is_within(&before), "{same:?}");
    }
    for more in [of(Some(10), &[Some(5)]), of(None, &[Some(5)]), of(Some(9), &[Some(4)]), of(Some(9), &[])] {
        assert!(!more.is_within(&before), "{more:?}");
    }
    let elsewhere = Unmet { feature: "other".to_owned(), ..before.clone() };
    assert!(!elsewhere.is_within(&before) && !before.is_within(&elsewhere));
}
