//! The table of zero-stale.md §7, a test for each row: the protocol holds, and each guard is needed.
//!
//! The numbers of states are asserted too, so that a change of the model which nobody meant is seen; one that is meant brings new
//! numbers. The largest of them is kept in less than a gigabyte, and all together take about a minute of one processor.

use gatehouse_model::{
    check::{CheckError, Outcome, check},
    property::Property,
    setting::{Faults, Guard, Limits, Mode, Setting},
};

/// Faults that the strict mode is for: Redis loses a part of what it held.
const UNTRUSTED: Faults = Faults { wipes: 0, restarts: 0, rollback: true, ..Faults::USUAL };
const EVICTING: Faults = Faults { wipes: 0, eviction: true, ..Faults::USUAL };
/// The writer may die; Redis and the node do not fail.
const CRASH: Faults = Faults { crash: true, ..Faults::NONE };
/// A marker that outlives what is looked at.
const LASTING: Limits = Limits { marker_ttl: 9, ..Setting::FULL.limits };

fn reaching(horizon: u8) -> Limits {
    Limits { horizon, ..Setting::FULL.limits }
}

#[track_caller]
fn holds(setting: &Setting, states: usize) {
    assert_eq!(check(setting), Ok(Outcome::Holds { states }));
}

/// `story` is the shortest one, its steps separated by commas.
#[track_caller]
fn is_violated(setting: &Setting, states: usize, story: &'static str) {
    let steps = story.split(", ").collect();
    assert_eq!(check(setting), Ok(Outcome::Violated { steps, states }));
}

#[test]
fn the_promise_holds() {
    holds(&Setting::FULL, 5_616_783);
}

#[test]
fn the_bound_holds() {
    holds(&Setting { property: Property::Bound, ..Setting::FULL }, 5_616_783);
}

#[test]
fn the_promise_holds_beside_another_writer() {
    let faults = Faults { wipes: 0, restarts: 0, ..Faults::USUAL };
    holds(&Setting { bystander: true, faults, limits: reaching(4), ..Setting::FULL }, 13_142_570);
}

#[test]
fn the_promise_holds_with_two_overlapping_fills() {
    let faults = Faults { restarts: 0, ..Faults::USUAL };
    holds(&Setting { fills: 2, faults, limits: reaching(4), ..Setting::FULL }, 11_199_460);
}

#[test]
fn a_rollback_breaks_the_promise_in_fast_mode() {
    let faults = Faults { restarts: 1, ..UNTRUSTED };
    let story = "snapshot, mark, commit, settle, rollback, request, hit, accept";
    is_violated(&Setting { faults, ..Setting::FULL }, 236_229, story);
}

#[test]
fn the_bound_holds_through_a_rollback() {
    holds(&Setting { property: Property::Bound, faults: UNTRUSTED, ..Setting::FULL }, 6_663_004);
}

#[test]
fn an_evicted_floor_breaks_the_promise_in_fast_mode() {
    let story = "mark, commit, settle, evict the floor, request, hit, accept";
    is_violated(&Setting { faults: EVICTING, ..Setting::FULL }, 52_023, story);
}

#[test]
fn the_bound_holds_without_an_evicted_floor() {
    holds(&Setting { property: Property::Bound, faults: EVICTING, ..Setting::FULL }, 3_288_292);
}

#[test]
fn the_promise_holds_in_strict_mode_through_rollback_and_eviction() {
    let faults = Faults { eviction: true, ..UNTRUSTED };
    holds(&Setting { mode: Mode::Strict, faults, ..Setting::FULL }, 13_502_974);
}

#[test]
fn the_promise_holds_in_strict_mode_without_floors_and_markers() {
    let faults = Faults { wipes: 1, ..UNTRUSTED };
    let off = &[Guard::Floor, Guard::Marker];
    holds(&Setting { mode: Mode::Strict, off, faults, ..Setting::FULL }, 2_945_993);
}

#[test]
fn the_switch_is_at_the_commit() {
    let setting = Setting { property: Property::Switch, faults: Faults::NONE, limits: LASTING, ..Setting::FULL };
    holds(&setting, 126_618);
}

#[test]
fn the_switch_is_at_the_commit_of_a_writer_that_dies() {
    let setting = Setting { property: Property::Switch, faults: CRASH, limits: LASTING, ..Setting::FULL };
    holds(&setting, 171_611);
}

#[test]
fn the_switch_needs_the_marker() {
    let setting = Setting { property: Property::Switch, off: &[Guard::Marker], faults: Faults::NONE, ..Setting::FULL };
    is_violated(&setting, 1_202, "mark, commit, request, hit, accept");
}

#[test]
fn the_promise_needs_the_database_lease() {
    let story = "mark, commit, tick, tick, settle lost, return, request, hit, accept";
    is_violated(&Setting { off: &[Guard::DatabaseLease], ..Setting::FULL }, 51_878, story);
}

#[test]
fn the_bound_needs_the_database_lease() {
    let setting = Setting { property: Property::Bound, off: &[Guard::DatabaseLease], ..Setting::FULL };
    is_violated(&setting, 15_884, "mark, commit, tick, tick, request, hit, accept");
}

#[test]
fn the_promise_needs_the_wait_where_redis_does_not_answer() {
    let story = "mark, tick, tick, poll, poll answered, commit, settle lost, request, hit, accept";
    is_violated(&Setting { off: &[Guard::Wait], ..Setting::FULL }, 788_750, story);
}

#[test]
fn the_promise_needs_the_fill_lease() {
    let story = "mark, lease, load, commit, settle, wipe, fill, request, hit, accept";
    is_violated(&Setting { off: &[Guard::FillLease], ..Setting::FULL }, 856_211, story);
}

#[test]
fn the_promise_needs_the_floor() {
    let story = "mark, commit, settle, request, hit, accept";
    is_violated(&Setting { off: &[Guard::Floor], ..Setting::FULL }, 26_093, story);
}

#[test]
fn the_database_lease_alone_does_not_keep_the_promise_in_fast_mode() {
    let story = "mark, commit, settle, request, hit, accept";
    is_violated(&Setting { off: &[Guard::Floor, Guard::Marker], ..Setting::FULL }, 8_647, story);
}

#[test]
fn the_promise_needs_the_floor_after_the_commit() {
    let story = "mark lost, commit, settle, request, hit, accept";
    is_violated(&Setting { off: &[Guard::FloorAfterCommit], ..Setting::FULL }, 29_184, story);
}

#[test]
fn the_promise_needs_loads_of_ones_own() {
    let story = "mark, lease, load, commit, settle, request, join";
    is_violated(&Setting { off: &[Guard::OwnLoad], ..Setting::FULL }, 78_883, story);
}

/// The database lease is off in these, so that the floor is seen alone.
#[test]
fn the_promise_needs_a_floor_that_outlives_entries() {
    let setting = Setting { off: &[Guard::DatabaseLease], faults: CRASH, ..Setting::FULL };
    let limits = Limits { floor_ttl: 2, ..reaching(7) };
    is_violated(&Setting { limits, ..setting }, 4_496, "mark, commit, settle, tick, tick, request, hit, accept");
    holds(&Setting { limits: reaching(7), ..setting }, 20_426);
    let faults = Faults { wipes: 1, ..CRASH };
    holds(&Setting { faults, limits: reaching(6), ..setting }, 37_647);
}

#[test]
fn too_many_states_are_an_error() {
    let setting = Setting { most_states: 1_000, ..Setting::FULL };
    assert_eq!(check(&setting), Err(CheckError::TooManyStates));
}

#[test]
fn a_count_that_cannot_be_kept_is_an_error() {
    let limits = Limits { entry_ttl: 16, ..Setting::FULL.limits };
    assert_eq!(check(&Setting { limits, ..Setting::FULL }), Err(CheckError::Outgrown));
}
