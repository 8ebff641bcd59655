//! Sessions: they end once, and a refresh token that comes back ends them.

use std::time::Duration;

use gatehouse::identity::{RefreshFacts, RefreshOutcome, SessionLifetimes, SessionState};

use super::{noon, seconds};

fn facts() -> RefreshFacts {
    RefreshFacts {
        expires_at: noon() + seconds(3600),
        used_at: None,
        session_expires_at: noon() + seconds(86_400),
        session_revoked_at: None,
    }
}

#[test]
fn a_fresh_token_is_rotated_for_the_idle_time() {
    let outcome = facts().judge(&SessionLifetimes::default(), noon());
    assert_eq!(outcome, RefreshOutcome::Rotated { expires_at: noon() + seconds(3 * 3600) });
}

#[test]
fn the_next_token_never_outlives_the_session() {
    let facts = RefreshFacts { session_expires_at: noon() + seconds(60), ..facts() };
    let outcome = facts.judge(&SessionLifetimes::default(), noon());
    assert_eq!(outcome, RefreshOutcome::Rotated { expires_at: noon() + seconds(60) });
}

#[test]
fn a_used_token_is_reuse_even_when_it_has_also_expired() {
    for later in [1, 7200] {
        let facts = RefreshFacts { used_at: Some(noon()), ..facts() };
        assert_eq!(facts.judge(&SessionLifetimes::default(), noon() + seconds(later)), RefreshOutcome::Reused);
    }
}

#[test]
fn idle_ended_and_revoked_sessions_give_nothing() {
    let lifetimes = SessionLifetimes::default();
    assert_eq!(facts().judge(&lifetimes, noon() + seconds(3600)), RefreshOutcome::Expired);
    assert_eq!(facts().judge(&lifetimes, noon() + seconds(86_400)), RefreshOutcome::Finished);
    let revoked = RefreshFacts { session_revoked_at: Some(noon()), used_at: Some(noon()), ..facts() };
    assert_eq!(revoked.judge(&lifetimes, noon()), RefreshOutcome::Finished);
}

#[test]
fn a_session_finishes_once() {
    let valid = SessionState::of(noon() + seconds(10), None, noon());
    assert_eq!(valid, SessionState::Valid { until: noon() + seconds(10) });
    let finished = valid.finish(noon() + seconds(1)).unwrap();
    assert_eq!(finished.finish(noon() + seconds(2)).unwrap_err().at, noon() + seconds(1));
    assert_eq!(SessionState::of(noon(), None, noon()), SessionState::Finished { at: noon() });
}

#[test]
fn lifetimes_that_do_not_fit_together_are_refused() {
    let good = SessionLifetimes::default();
    assert!(good.checked().is_ok());
    assert!(SessionLifetimes { access: Duration::from_secs(1801), ..good }.checked().is_err());
    assert!(SessionLifetimes { access: Duration::ZERO, ..good }.checked().is_err());
    assert!(SessionLifetimes { refresh_idle: Duration::from_mins(1), ..good }.checked().is_err());
    assert!(SessionLifetimes { absolute: Duration::from_mins(1), ..good }.checked().is_err());
    assert!(SessionLifetimes { absolute: Duration::MAX, ..good }.checked().is_err());
}
