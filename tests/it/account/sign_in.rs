//! Guessing, and who is shut out by it.

use std::net::IpAddr;

use gatehouse::service::{Client, ServiceError, password::PasswordReset, session::SignIn, user::NewAccount};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::json;

use super::words::{
    OTHER, PASSWORD, address, awaited, is_known, refresh, request_reset, reset, reset_code, session, sign_in,
    signed_up, text,
};
use crate::support::gateway::{Engines, Gateway};

fn from(address: &str) -> Client {
    Client { address: address.parse::<IpAddr>().unwrap(), user_agent: None }
}

fn as_alice(password: &str) -> SignIn {
    SignIn { email: address("alice"), password: password.to_owned(), organization: None, code: None }
}

/// Sends this many attempts as aliases of few documents; how many were looked at.
async fn attempts(gateway: &Gateway, many: usize, field: impl Fn(usize) -> String) -> usize {
    let mut looked_at = 0;
    for batch in 0..many.div_ceil(10) {
        let fields: Vec<String> = (0..10).map(|at| format!("a{at}: {}", field(batch * 10 + at))).collect();
        let answer = gateway.stranger().ask(&format!("mutation {{ {} }}", fields.join(" "))).await;
        assert!(answer.codes().iter().all(|code| *code == "RATE_LIMITED"), "{}", answer.text);
        looked_at += (0..10).filter(|at| answer.at(&format!("a{at}"))["userErrors"][0].is_object()).count();
    }
    looked_at
}

#[tokio::test]
async fn f7_aliases_and_spellings_are_attempts_of_one_account() {
    let gateway = Gateway::sqlite().await;
    signed_up(&gateway, "alice").await;
    let spellings = ["alice@example.org", "ALICE@example.org", " alice@EXAMPLE.org "];
    let mut tried = 0;
    for round in 0..4 {
        let guesses = spellings.iter().enumerate().map(|(at, email)| {
            let input = format!("{{ email: \"{email}\", password: \"guess {round} {at}\" }}");
            format!("a{at}: signIn(input: {input}) {{ accessToken userErrors {{ code }} }}")
        });
        let document = format!("mutation {{ {} }}", guesses.collect::<Vec<_>>().join(" "));
        let answer = gateway.stranger().ask(&document).await;
        tried += (0..spellings.len()).filter(|at| answer.at(&format!("a{at}"))["userErrors"][0].is_object()).count();
    }
    // However they are packed, at most ten were looked at.
    assert!(tried <= 10, "{tried}");
    for email in spellings {
        for _ in 0..4 {
            sign_in(&gateway, email, "guess").await;
        }
    }
    assert_eq!(sign_in(&gateway, "Alice@Example.Org", PASSWORD).await.codes(), ["RATE_LIMITED"]);
}

#[tokio::test]
async fn f7_the_password_asked_for_again_is_counted_as_a_sign_in() {
    let gateway = Gateway::sqlite().await;
    let alice = signed_up(&gateway, "alice").await;
    for number in 0..10 {
        let input = json!({ "password": format!("guess {number}"), "newPassword": OTHER });
        let guessed = alice.call("changePassword", input, "endedSessions").await;
        assert_eq!(guessed.refusals("changePassword"), ["WRONG_CREDENTIALS"]);
    }
    let input = json!({ "password": PASSWORD, "newPassword": OTHER });
    assert_eq!(alice.call("changePassword", input, "endedSessions").await.codes(), ["RATE_LIMITED"]);
    let input = json!({ "email": "other@example.org", "password": PASSWORD });
    assert_eq!(alice.call("requestEmailChange", input, "").await.codes(), ["RATE_LIMITED"]);
}

#[tokio::test]
async fn g13_every_sign_in_is_a_session_of_its_own_which_nobody_names_beforehand() {
    let gateway = Gateway::sqlite().await;
    let alice = signed_up(&gateway, "alice").await;
    let other = session(&gateway, "alice", PASSWORD).await;
    assert_ne!(alice.token, other.token);
    let sessions = "SELECT count(DISTINCT id) FROM session";
    assert_eq!(gateway.database.count(sessions).await, 2);
    // No input takes the id of a session to be signed in as.
    let named = json!({ "email": address("alice"), "password": PASSWORD, "session": "mine" });
    assert_eq!(gateway.stranger().call("signIn", named, "accessToken").await.status, 400);
    alice.call("signOut", json!({ "everywhere": true }), "endedSessions").await.ok();
    assert!(!is_known(&alice).await && !is_known(&other).await);
}

/// Codes and links are counted one by one, however they are packed, and block where they come from and nobody else.
#[tokio::test]
async fn f7_guessed_codes_and_links_are_counted_one_by_one() {
    let code = |number: usize| format!("{number:0>43}");
    for (field, refused) in [
        ("verifyEmail", "code: \"gcv_"),
        ("resetPassword", "newPassword: \"another horse battery\", code: \"gcr_"),
        ("confirmEmailChange", "code: \"gct_"),
        ("declineInvitation", "proof: { token: \"giv_"),
    ] {
        let gateway = Gateway::sqlite().await;
        signed_up(&gateway, "alice").await;
        let good = reset_code(&gateway, "alice").await;
        let end = if refused.contains('{') { "\" }" } else { "\"" };
        let guess =
            |number| format!("{field}(input: {{ {refused}{}{end} }}) {{ userErrors {{ code }} }}", code(number));
        // A hundred an address. The document in which the limit sets in says nothing of its other attempts.
        assert_eq!(attempts(&gateway, 130, guess).await, 90, "{field}");
        assert_eq!(reset(&gateway, &good, OTHER).await.codes(), ["RATE_LIMITED"], "{field}");
        let elsewhere = PasswordReset { code: good, new_password: OTHER.to_owned() };
        gateway.service.reset_password(&from("192.0.2.7"), elsewhere).await.unwrap();
    }
}

#[tokio::test]
async fn g8_a_sign_in_is_one_run_of_argon2_whoever_it_is_for() {
    let gateway = Gateway::sqlite().await;
    for name in ["alice", "bob", "carol"] {
        signed_up(&gateway, name).await;
    }
    for sql in [
        "UPDATE user_account SET state = 'suspended' WHERE email = 'bob@example.org'",
        "UPDATE user_account SET password_hash = NULL WHERE email = 'carol@example.org'",
    ] {
        gateway.database.run(sql, []).await.unwrap();
    }
    let mut told = Vec::new();
    for (name, password) in [
        ("alice", OTHER),
        ("nobody", OTHER),
        ("bob", PASSWORD),
        ("bob", OTHER),
        ("carol", PASSWORD),
        ("alice", PASSWORD),
    ] {
        let runs = gateway.service.passwords().argon2_runs();
        let answer = sign_in(&gateway, &address(name), password).await;
        assert_eq!(gateway.service.passwords().argon2_runs() - runs, 1, "{name}");
        told.push(answer.text);
    }
    let right = told.pop().unwrap();
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]) && right != told[0], "{told:?}");
}

/// G9: what is said to a sign-in, a request for a letter and a code is the same whether or not the address is known, and
/// becomes `RATE_LIMITED` after as many.
#[tokio::test]
async fn g9_limits_set_in_alike_for_addresses_that_are_known_and_not() {
    let gateway = Gateway::sqlite().await;
    signed_up(&gateway, "alice").await;
    let mut answers = Vec::new();
    for name in ["alice", "nobody"] {
        let mut told = Vec::new();
        for _ in 0..12 {
            let (guessed, asked) =
                (sign_in(&gateway, &address(name), OTHER).await, request_reset(&gateway, &address(name)).await);
            told.extend([guessed, asked].map(|answer| match answer.codes().as_slice() {
                ["RATE_LIMITED"] => (answer.status, "RATE_LIMITED".to_owned()),
                _ => (answer.status, answer.text),
            }));
        }
        answers.push(told);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].iter().filter(|(_, told)| told == "RATE_LIMITED").count(), 4);
    // Codes: one that never was, one that was used, and one of somebody else.
    let used = reset_code_elsewhere(&gateway).await;
    let never = format!("{}{}", &used[..4], "A".repeat(43));
    let (used, never) = (reset(&gateway, &used, OTHER).await, reset(&gateway, &never, OTHER).await);
    assert_eq!((used.status, &used.text), (never.status, &never.text));
    assert_eq!(used.refusals("resetPassword"), ["CODE_INVALID"]);
}

/// A code that was used, asked for and used from another address; of somebody who has no letters on their way.
async fn reset_code_elsewhere(gateway: &Gateway) -> String {
    signed_up(gateway, "carol").await;
    gateway.service.request_password_reset(&from("192.0.2.9"), &address("carol")).await.unwrap();
    let code = awaited(gateway, (&address("carol"), "gcr_"), 1).await;
    let reset = PasswordReset { code: code.clone(), new_password: OTHER.to_owned() };
    gateway.service.reset_password(&from("192.0.2.9"), reset).await.unwrap();
    code
}

/// G15: whoever guesses at alice's password shuts out itself: she signs in from elsewhere, stays signed in, and sets another
/// password by mail.
#[tokio::test]
async fn g15_who_guesses_shuts_nobody_else_out() {
    let gateway = Gateway::sqlite().await;
    let alice = signed_up(&gateway, "alice").await;
    let mallory = from("203.0.113.66");
    for number in 0..60 {
        let guessed = gateway.service.sign_in(&mallory, as_alice(&format!("guess {number}"))).await;
        let limited = matches!(guessed, Err(ServiceError::RateLimited { .. }));
        assert_eq!(limited, number >= 10, "{number}");
    }
    assert!(gateway.service.sign_in(&mallory, as_alice(PASSWORD)).await.is_err());
    assert!(is_known(&alice).await, "who is signed in stays so");
    // Nor in her own session, wherever the guesses come from: at her own address, say.
    for _ in 0..10 {
        sign_in(&gateway, &address("alice"), "a guess").await;
    }
    let change = json!({ "password": "a slip", "newPassword": OTHER });
    let slip = alice.call("changePassword", change, "accessToken").await;
    assert_eq!(slip.refusals("changePassword"), ["WRONG_CREDENTIALS"]);
    gateway.service.sign_in(&from("198.51.100.1"), as_alice(PASSWORD)).await.unwrap();
    let code = reset_code(&gateway, "alice").await;
    reset(&gateway, &code, OTHER).await.ok();
    gateway.service.sign_in(&from("2001:db8::1"), as_alice(OTHER)).await.unwrap();
}

#[tokio::test]
async fn g10_a_megabyte_is_refused_before_it_is_hashed() {
    let gateway = Gateway::sqlite().await;
    signed_up(&gateway, "alice").await;
    let runs = gateway.service.passwords().argon2_runs();
    let (client, long) = (from("192.0.2.7"), "x".repeat(1 << 20));
    let refused = gateway.service.sign_in(&client, as_alice(&long)).await;
    assert!(matches!(refused, Err(ServiceError::Refused(_))));
    let account = NewAccount { email: address("bob"), password: long.clone(), name: "bob".to_owned() };
    assert!(matches!(gateway.service.sign_up(&client, account).await, Err(ServiceError::Refused(_))));
    let over_http = sign_in(&gateway, &address("alice"), &long).await;
    assert!((400..500).contains(&over_http.status), "{}", over_http.text);
    assert_eq!(gateway.service.passwords().argon2_runs(), runs);
}

#[tokio::test]
async fn a4_a9_a_deactivated_account_neither_calls_nor_refreshes() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        signed_up(&gateway, "alice").await;
        let signed_in = sign_in(&gateway, &address("alice"), PASSWORD).await.ok();
        let alice = gateway.stranger().with_token(text(&signed_in, "signIn.accessToken"));
        assert!(is_known(&alice).await);
        gateway.database.run("UPDATE user_account SET state = 'suspended'", []).await.unwrap();
        gateway.settle().await;
        assert_eq!(alice.ask("{ viewer { id } }").await.status, 401, "{engines:?}");
        let refreshed = refresh(&gateway, text(&signed_in, "signIn.refreshToken")).await;
        assert_eq!(refreshed.codes(), ["UNAUTHENTICATED"], "{engines:?}");
        let used = "SELECT count(*) FROM refresh_token WHERE used_at IS NOT NULL";
        assert_eq!(gateway.database.count(used).await, 0, "{engines:?}");
    }
}

/// The password was proven, and is another one before the session is opened: no session is.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the other writer is an operator with a shell, past the store")]
async fn a9_a_password_that_was_changed_after_it_was_proven_opens_no_session() {
    let gateway = Gateway::on(Engines::Postgres).await;
    signed_up(&gateway, "alice").await;
    let sessions = "SELECT count(*) FROM session";
    assert_eq!(gateway.database.count(sessions).await, 1);
    let other = gateway.database.shell.begin().await.unwrap();
    other.execute_unprepared("SELECT 1 FROM user_account FOR UPDATE").await.unwrap();
    let email = address("alice");
    let (signed_in, ()) = tokio::join!(sign_in(&gateway, &email, PASSWORD), async {
        gateway.database.until_waiting(1).await;
        other.execute_unprepared("UPDATE user_account SET password_hash = 'another'").await.unwrap();
        other.commit().await.unwrap();
    });
    assert_eq!(signed_in.refusals("signIn"), ["WRONG_CREDENTIALS"], "{}", signed_in.text);
    assert_eq!(gateway.database.count(sessions).await, 1);
}

#[tokio::test]
async fn g13_signing_out_everywhere_ends_every_token_and_refresh() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        let other = sign_in(&gateway, &address("alice"), PASSWORD).await.ok();
        let elsewhere = alice.with_token(text(&other, "signIn.accessToken"));
        assert!(is_known(&elsewhere).await);
        let ended = alice.call("signOut", json!({ "everywhere": true }), "endedSessions").await.ok();
        assert_eq!(ended.at("signOut.endedSessions"), 2, "{engines:?}");
        assert!(!is_known(&alice).await && !is_known(&elsewhere).await, "{engines:?}");
        let refreshed = refresh(&gateway, text(&other, "signIn.refreshToken")).await;
        assert_eq!(refreshed.codes(), ["UNAUTHENTICATED"], "{engines:?}");
    }
}
