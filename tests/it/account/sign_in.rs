//! Guessing, and who is shut out by it.

use serde_json::json;

use super::words::{OTHER, PASSWORD, address, is_known, session, sign_in, signed_up};
use crate::support::gateway::Gateway;

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
