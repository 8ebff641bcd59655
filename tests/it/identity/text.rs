//! Tokens as text: only the canonical text of a token is one (abuse case D7).

use gatehouse::identity::{ApiTokenText, InvitationToken, PublicUrl, RefreshToken};
use proptest::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use uuid::Uuid;

fn api_token(seed: u64) -> ApiTokenText {
    ApiTokenText::mint(
        Uuid::from_u128(u128::from(seed) << 64),
        Uuid::from_u128(seed.into()),
        &mut StdRng::seed_from_u64(seed),
    )
}

#[test]
fn an_api_token_is_recognized_by_its_beginning_and_keeps_its_secret() {
    let token = api_token(1);
    let text = token.to_text();
    assert!(text.starts_with("gat_") && text.len() == 101);
    assert!(!format!("{token:?}").contains(&text[50..90]));
    let parsed = ApiTokenText::parse(&text).unwrap();
    assert_eq!((parsed.token(), parsed.organization()), (token.token(), token.organization()));
    assert!(parsed.matches(&token.secret_hash()) && !parsed.matches(&[0; 32]) && !parsed.matches(&[]));
}

#[test]
fn extreme_numbers_come_back() {
    for id in [0, 1, u128::MAX] {
        let token = ApiTokenText::mint(Uuid::from_u128(id), Uuid::from_u128(id), &mut StdRng::seed_from_u64(1));
        assert_eq!(ApiTokenText::parse(&token.to_text()).unwrap().token(), Uuid::from_u128(id));
    }
}

#[test]
fn tokens_of_one_purpose_are_not_of_another() {
    let (refresh, invitation) = (RefreshToken::mint(&mut rand::rng()), InvitationToken::mint(&mut rand::rng()));
    assert!(InvitationToken::parse(&refresh.to_text()).is_err());
    assert!(RefreshToken::parse(&invitation.to_text()).is_err());
    assert!(RefreshToken::parse(&invitation.to_text().replace("giv_", "grt_")).unwrap().hash() == invitation.hash());
    assert_eq!(format!("{refresh:?} {invitation:?}"), "grt_… giv_…");
}

#[test]
fn links_come_from_the_configured_url_alone() {
    let token = InvitationToken::mint(&mut rand::rng());
    let url = PublicUrl::parse(" https://gate.example:8443/console/ ").unwrap();
    assert_eq!(url.invitation(&token), format!("https://gate.example:8443/console/invitation#{}", *token.to_text()));
    for bad in [
        "",
        "gate.example",
        "https://",
        "https:///x",
        "ftp://gate.example",
        "https://a@b",
        "https://a?b",
        "https://a#b",
        "https://a b",
        "javascript://x",
        "https://a\r\nX: y",
    ] {
        assert!(PublicUrl::parse(bad).is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn an_api_token_comes_back_and_no_other_text_passes(seed in any::<u64>(), at in any::<prop::sample::Index>(), byte in 0..128_u8) {
        let good = api_token(seed).to_text();
        prop_assert_eq!(ApiTokenText::parse(&good).unwrap().secret_hash(), api_token(seed).secret_hash());
        let mut bad = good.as_bytes().to_vec();
        let at = at.index(bad.len());
        bad[at] = byte;
        let bad = String::from_utf8(bad).unwrap();
        prop_assert_eq!(ApiTokenText::parse(&bad).is_ok(), bad == *good);
        prop_assert!(ApiTokenText::parse(&good[..at]).is_err());
        let padded = format!("{}0{}", &good[..at], &good[at..]);
        prop_assert!(ApiTokenText::parse(&padded).is_err());
    }

    #[test]
    fn an_opaque_token_comes_back_and_no_other_text_is_it(seed in any::<u64>(), at in any::<prop::sample::Index>(), byte in 0..128_u8) {
        let token = RefreshToken::mint(&mut StdRng::seed_from_u64(seed));
        let good = token.to_text();
        prop_assert_eq!(RefreshToken::parse(&good).unwrap().hash(), token.hash());
        let mut bad = good.as_bytes().to_vec();
        let at = at.index(bad.len());
        bad[at] = byte;
        let bad = String::from_utf8(bad).unwrap();
        let same = RefreshToken::parse(&bad).is_ok_and(|other| other.hash() == token.hash());
        prop_assert_eq!(same, bad == *good);
        prop_assert!(RefreshToken::parse(&good[..at]).is_err());
        let (longer, padded) = (format!("{}A", *good), format!("{}=", *good));
        prop_assert!(RefreshToken::parse(&longer).is_err() && RefreshToken::parse(&padded).is_err());
    }

    #[test]
    fn any_text_is_parsed_without_a_panic(text in "\\PC{0,120}", tail in "\\PC{0,100}") {
        prop_assert!(ApiTokenText::parse(&text).is_err());
        let (api, refresh) = (format!("gat_{tail}"), format!("grt_{tail}"));
        prop_assert!(ApiTokenText::parse(&api).is_err());
        let _ = RefreshToken::parse(&refresh);
    }
}
