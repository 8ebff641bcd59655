//! Access tokens of ours: their times, their keys, and every changed byte.

use std::time::Duration;

use gatehouse::identity::{
    AccessTokenError, AccessTokenOptions, AccessTokens, Credential, CredentialError, KeyPeriod, KeyRoot, RefreshToken,
    RootSecret, SigningKeys,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::{SECRET, alice, keys_of, noon, seconds, tokens_of};

#[test]
fn a_token_says_who_from_its_making_to_its_end() {
    let tokens = tokens_of(SECRET);
    let minted = tokens.mint(&alice(), Uuid::from_u128(9), noon()).unwrap();
    assert_eq!(minted.expires_at, noon() + seconds(300));
    for offset in [-5, 0, 1, 299, 304] {
        assert_eq!(tokens.verify(&minted.text, noon() + seconds(offset)).unwrap().identity, alice(), "{offset}");
    }
    assert_eq!(tokens.verify(&minted.text, noon() - seconds(6)), Err(AccessTokenError::NotYet));
    assert_eq!(tokens.verify(&minted.text, noon() + seconds(305)), Err(AccessTokenError::Expired));
    assert_eq!(tokens.verify(&minted.text, noon() - seconds(86_400)), Err(AccessTokenError::NotYet));
}

#[test]
fn every_node_with_the_same_secret_takes_it_and_no_other() {
    let minted = tokens_of(SECRET).mint(&alice(), Uuid::nil(), noon()).unwrap();
    assert!(tokens_of(SECRET).verify(&minted.text, noon()).is_ok());
    let other = tokens_of("00f1e2d3c4b5a69788796a5b4c3d2e1f").verify(&minted.text, noon());
    assert_eq!(other, Err(AccessTokenError::UnknownKey));
}

#[test]
fn another_issuer_or_audience_is_refused() {
    let minted = tokens_of(SECRET).mint(&alice(), Uuid::nil(), noon()).unwrap();
    let elsewhere = AccessTokenOptions::new("https://other.example");
    let for_others =
        AccessTokenOptions { audience: "billing".into(), ..AccessTokenOptions::new("https://gate.example") };
    for options in [elsewhere, for_others] {
        let keys = keys_of(&RootSecret::from_text(SECRET).unwrap());
        let tokens = AccessTokens::new(keys, options).unwrap();
        assert_eq!(tokens.verify(&minted.text, noon()), Err(AccessTokenError::Claims));
    }
}

#[test]
fn no_token_lives_longer_than_half_an_hour() {
    for (minutes, possible) in [(0, false), (5, true), (30, true), (31, false)] {
        let keys = keys_of(&RootSecret::from_text(SECRET).unwrap());
        let lifetime = Duration::from_secs(minutes * 60);
        let options = AccessTokenOptions { lifetime, ..AccessTokenOptions::new("https://gate.example") };
        assert_eq!(AccessTokens::new(keys, options).is_ok(), possible, "{minutes} minutes");
    }
}

#[test]
fn the_published_keys_are_public_and_named_as_in_the_header() {
    let tokens = tokens_of(SECRET);
    let jwks = tokens.keys().jwks(noon());
    assert_eq!(jwks["keys"][0]["kid"], tokens.keys().signing_id(noon()).unwrap());
    assert_eq!(jwks["keys"][0]["alg"], "EdDSA");
    assert!(jwks["keys"][0].get("d").is_none());
}

#[test]
fn g16_a_node_whose_clock_is_behind_signs_with_the_first_key_and_is_believed() {
    let root = KeyRoot::of(&RootSecret::from_text(SECRET).unwrap());
    let period = |number: u128, minutes: i64| KeyPeriod {
        id: Uuid::from_u128(number),
        signs_from: noon() + seconds(60 * minutes),
        retires_at: None,
    };
    let keys = SigningKeys::derived(&root, &[period(1, 0), period(2, 10)]).unwrap();
    let first = keys.signing_id(noon()).unwrap().to_owned();
    assert_eq!(keys.signing_id(noon() - seconds(300)), Some(first.as_str()));
    assert_eq!(keys.signing_id(noon() + seconds(300)), Some(first.as_str()));
    assert_ne!(keys.signing_id(noon() + seconds(600)), Some(first.as_str()));
    assert_eq!(SigningKeys::derived(&root, &[]).unwrap().signing_id(noon()), None);
}

#[test]
fn a_refresh_token_is_no_bearer_credential() {
    let refresh = RefreshToken::mint(&mut rand::rng()).to_text();
    let parsed = Credential::parse_bearer(&refresh, &tokens_of(SECRET), noon());
    assert_eq!(parsed, Err(CredentialError::OtherPurpose));
}

proptest! {
    #[test]
    fn no_changed_byte_passes(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let tokens = tokens_of(SECRET);
        let good = tokens.mint(&alice(), Uuid::nil(), noon()).unwrap().text;
        let mut bad = good.clone().into_bytes();
        let at = at.index(bad.len());
        bad[at] = byte;
        if let Ok(bad) = String::from_utf8(bad) {
            prop_assert_eq!(tokens.verify(&bad, noon()).is_ok(), bad == good);
        }
        prop_assert!(tokens.verify(&good[..at], noon()).is_err());
        let padded = good + "=";
        prop_assert!(tokens.verify(&padded, noon()).is_err());
    }
}
