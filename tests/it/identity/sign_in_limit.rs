//! Guessing is limited where it happens, and nobody is locked out by somebody else (abuse case G15).

use std::net::IpAddr;

use gatehouse::identity::{Attempt, AttemptSource, Blocked, SignInLimiter, SignInLimits};
use uuid::Uuid;

use super::{noon, seconds};

fn from(address: &str) -> AttemptSource {
    AttemptSource::Address(address.parse::<IpAddr>().unwrap())
}

fn fail(limiter: &SignInLimiter, account: &str, source: AttemptSource, times: u32) -> Result<(), Blocked> {
    for _ in 0..times {
        let _failed = limiter.attempt(&Attempt { account, source }, noon())?;
    }
    Ok(())
}

#[test]
fn ten_failures_block_the_account_there_for_five_minutes() {
    let limiter = SignInLimiter::new(SignInLimits::default());
    let alice = Attempt { account: "alice@example.com", source: from("192.0.2.1") };
    assert!(fail(&limiter, alice.account, alice.source, 10).is_ok());
    assert_eq!(limiter.attempt(&alice, noon() + seconds(299)).unwrap_err().until, noon() + seconds(300));
    assert!(limiter.attempt(&alice, noon() + seconds(300)).is_ok());
}

#[test]
fn g15_alice_signs_in_from_elsewhere_and_goes_on_in_her_own_session() {
    let limiter = SignInLimiter::new(SignInLimits::default());
    assert!(fail(&limiter, "alice@example.com", from("192.0.2.1"), 11).is_err());
    assert!(fail(&limiter, "alice@example.com", from("192.0.2.2"), 1).is_ok());
    let own = AttemptSource::OwnSession(Uuid::from_u128(1));
    assert!(fail(&limiter, "alice@example.com", own, 10).is_ok());
    assert!(fail(&limiter, "alice@example.com", own, 1).is_err(), "a stolen session guesses no more than others");
}

#[test]
fn one_address_guessing_at_many_accounts_is_blocked() {
    let limiter = SignInLimiter::new(SignInLimits::default());
    for account in 0..100 {
        assert!(fail(&limiter, &format!("user{account}@example.com"), from("192.0.2.1"), 1).is_ok());
    }
    assert!(fail(&limiter, "alice@example.com", from("192.0.2.1"), 1).is_err());
    assert!(
        fail(&limiter, "alice@example.com", from("::ffff:192.0.2.1"), 1).is_err(),
        "the same address, written otherwise"
    );
    assert!(fail(&limiter, "alice@example.com", from("192.0.2.9"), 1).is_ok());
}

#[test]
fn an_ipv6_home_is_one_source() {
    let limiter = SignInLimiter::new(SignInLimits::default());
    for host in 0..10 {
        assert!(fail(&limiter, "alice@example.com", from(&format!("2001:db8::{host}")), 1).is_ok());
    }
    assert!(fail(&limiter, "alice@example.com", from("2001:db8::ffff"), 1).is_err());
    assert!(fail(&limiter, "alice@example.com", from("2001:db8:0:1::1"), 1).is_ok());
}

#[test]
fn success_forgets_the_accounts_failures_but_not_the_addresses() {
    let limiter = SignInLimiter::new(SignInLimits { per_address: 12, ..SignInLimits::default() });
    assert!(fail(&limiter, "alice@example.com", from("192.0.2.1"), 9).is_ok());
    limiter.attempt(&Attempt { account: "alice@example.com", source: from("192.0.2.1") }, noon()).unwrap().succeeded();
    assert!(fail(&limiter, "alice@example.com", from("192.0.2.1"), 3).is_ok());
    assert!(fail(&limiter, "bob@example.com", from("192.0.2.1"), 1).is_err());
}

#[test]
fn f7_attempts_at_the_same_time_are_all_counted() {
    let limiter = SignInLimiter::new(SignInLimits::default());
    let counted = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|_| scope.spawn(|| fail(&limiter, "alice@example.com", from("192.0.2.1"), 1).is_ok()))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|passed| *passed).count()
    });
    assert_eq!(counted, 10);
}
