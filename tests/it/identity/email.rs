//! Email addresses: one spelling per mailbox.

use gatehouse::identity::{Email, EmailError, email::shown_domain};
use proptest::prelude::*;

#[test]
fn spellings_of_one_mailbox_become_one() {
    for (written, normal) in [
        (" Alice@Example.COM ", "alice@example.com"),
        ("alice+news@example.com", "alice+news@example.com"),
        ("o'brien@bücher.example", "o'brien@xn--bcher-kva.example"),
        ("alice@BÜCHER.example", "alice@xn--bcher-kva.example"),
        ("alice@ｅxample.com", "alice@example.com"),
    ] {
        assert_eq!(Email::parse(written).map(|email| email.to_string()), Ok(normal.to_owned()), "{written}");
    }
}

#[test]
fn what_is_no_address_is_refused_with_a_way_out() {
    let long = format!("{}@example.com", "a".repeat(250));
    let refused = [
        "",
        " ",
        "alice",
        "alice@",
        "@example.com",
        "a@b@example.com",
        "alice＠example.com",
        "alice@example。com",
        "ali\u{200b}ce@example.com",
        "alice@exam\u{ad}ple.com",
        "alice\u{202e}@example.com",
        "ali\0ce@example.com",
        "alice@example.com\r\nBcc: bob@example.com",
        "\u{212a}elvin@example.com",
        "аlice@example.com",
        "alice@localhost",
        "alice@-example.com",
        "alice@example..com",
        "alice@.example.com",
        "alice@[127.0.0.1]",
        "alice@127.0.0.1",
        "Alice <alice@example.com>",
        "\"a b\"@example.com",
        "\"a@b\"@example.com",
        ".alice@example.com",
        "ali..ce@example.com",
        "alice@exa mple.com",
        "alice@example.com.",
        "alice(x)@example.com",
        "alice,bob@example.com",
        &long,
    ];
    for text in refused {
        let error = Email::parse(text).unwrap_err().to_string();
        assert!(error.len() > 20 && !error.ends_with('.'), "{text:?}: {error}");
    }
    assert_eq!(Email::parse("ali\u{200b}ce@example.com"), Err(EmailError::Invisible(0x200b)));
    assert_eq!(Email::parse("alice＠example.com"), Err(EmailError::LookAlike('＠')));
    assert_eq!(Email::parse("qi@ "), Err(EmailError::NoDomain));
}

#[test]
fn a_domain_is_shown_as_it_is_written_and_as_it_counts() {
    for (domain, shown) in [
        ("Example.org", "example.org"),
        ("b\u{fc}cher.example", "b\u{fc}cher.example (xn--bcher-kva.example)"),
        ("xn--bcher-kva.example", "b\u{fc}cher.example (xn--bcher-kva.example)"),
        ("not a domain", "not a domain"),
    ] {
        assert_eq!(shown_domain(domain), shown);
    }
}

#[test]
fn parts_are_told_apart() {
    let email = Email::parse("alice+news@Mail.Example.com").unwrap();
    assert_eq!((email.local(), email.domain(), email.is_sub_address()), ("alice+news", "mail.example.com", true));
    assert!(email.is_at("MAIL.example.com") && !email.is_at("example.com") && !email.is_at("evilmail.example.com"));
}

proptest! {
    #[test]
    fn the_normal_form_is_its_own_normal_form(text in "\\PC{1,20}@[a-zA-Zü.-]{1,20}\\.[a-z]{2,5}") {
        if let Ok(email) = Email::parse(&text) {
            prop_assert_eq!(Email::parse(email.as_str()), Ok(email.clone()));
            prop_assert!(email.as_str().is_ascii() && email.as_str().len() <= 254);
            prop_assert_eq!(email.as_str().to_lowercase(), email.as_str());
        }
    }

    #[test]
    fn any_text_is_judged_without_a_panic(text in any::<String>()) {
        let _ = Email::parse(&text);
    }
}
