//! Passwords: what may be chosen, what verifying costs, and how many are verified at once.

use std::{sync::Arc, time::Duration};

use gatehouse::identity::{Password, PasswordError, PasswordOptions, PasswordPolicyError, Passwords};

fn cheap() -> PasswordOptions {
    PasswordOptions { memory_kib: 64, iterations: 1, ..PasswordOptions::default() }
}

fn word(text: &str) -> Password {
    Password::present(text.to_owned()).unwrap()
}

#[tokio::test]
async fn the_right_password_signs_in_and_others_do_not() {
    let passwords = Passwords::new(PasswordOptions::default()).unwrap();
    let hash = passwords.hash(word("correct horse")).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert!(passwords.verify(Some(&hash), word("correct horse")).await.unwrap());
    for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
        assert!(!passwords.verify(Some(&hash), word(wrong)).await.unwrap(), "{wrong:?}");
    }
}

#[tokio::test]
async fn g8_an_unknown_account_costs_as_much_as_a_wrong_password() {
    let passwords = Passwords::new(cheap()).unwrap();
    let hash = passwords.hash(word("correct horse")).await.unwrap();
    for hash in [Some(hash.as_str()), None, Some("not a hash")] {
        let before = passwords.argon2_runs();
        assert!(!passwords.verify(hash, word("mallory's guess")).await.unwrap());
        assert_eq!(passwords.argon2_runs() - before, 1, "{hash:?}");
    }
}

#[test]
fn g10_lengths_are_judged_before_any_work() {
    let of = |length: usize| "x".repeat(length);
    assert_eq!(Password::choose(of(7)).unwrap_err(), PasswordPolicyError::TooShort);
    assert_eq!(Password::choose("пять".to_owned()).unwrap_err(), PasswordPolicyError::TooShort, "characters count");
    assert!(Password::choose("дев'ять!".to_owned()).is_ok());
    assert!(Password::choose(of(8)).is_ok() && Password::choose(of(1024)).is_ok());
    assert_eq!(Password::choose(of(1025)).unwrap_err(), PasswordPolicyError::TooLong);
    assert_eq!(Password::present(of(1_000_000)).unwrap_err(), PasswordPolicyError::TooLong);
    assert_eq!(format!("{:?}", word("correct horse")), "Password(…)");
}

#[tokio::test]
async fn g10_every_byte_of_a_long_password_counts() {
    let passwords = Passwords::new(cheap()).unwrap();
    let hash = passwords.hash(word(&"x".repeat(1024))).await.unwrap();
    assert!(!passwords.verify(Some(&hash), word(&format!("{}y", "x".repeat(1023)))).await.unwrap());
}

#[tokio::test]
async fn hashes_with_other_parameters_still_verify_and_are_known_to_be_outdated() {
    let (old, today) =
        (Passwords::new(cheap()).unwrap(), Passwords::new(PasswordOptions { iterations: 2, ..cheap() }).unwrap());
    let hash = old.hash(word("correct horse")).await.unwrap();
    assert!(today.verify(Some(&hash), word("correct horse")).await.unwrap());
    assert!(today.is_outdated(&hash) && !old.is_outdated(&hash) && today.is_outdated("?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn g10_too_many_at_once_wait_their_turn_and_then_give_up() {
    let options = PasswordOptions {
        memory_kib: 65_536,
        iterations: 6,
        concurrency: 1,
        longest_wait: Duration::from_millis(20),
        ..cheap()
    };
    let passwords = Arc::new(Passwords::new(options).unwrap());
    let attempts: Vec<_> = (0..6)
        .map(|_| {
            let passwords = Arc::clone(&passwords);
            tokio::spawn(async move { passwords.verify(None, word("mallory's guess")).await })
        })
        .collect();
    let mut answers = Vec::new();
    for attempt in attempts {
        answers.push(attempt.await.unwrap());
    }
    assert!(answers.contains(&Ok(false)) && answers.contains(&Err(PasswordError::Busy)), "{answers:?}");
}
