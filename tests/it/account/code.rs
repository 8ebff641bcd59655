//! One-time codes: each for one purpose, once, for an hour, until the next one or a change.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use super::words::{OTHER, PASSWORD, address, awaited, reset, reset_code, sign_in, signed_up};
use crate::support::gateway::{Engines, Gateway};

#[tokio::test]
async fn d11_a_code_for_one_purpose_is_good_for_no_other() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        let proves = awaited(&gateway, (&address("alice"), "gcv_"), 1).await;
        let sets = reset_code(&gateway, "alice").await;
        // Neither as it is nor with the mark of the other purpose.
        let forged = |code: &str, prefix: &str| format!("{prefix}{}", &code[4..]);
        for code in [proves.clone(), forged(&proves, "gcr_")] {
            assert_eq!(reset(&gateway, &code, OTHER).await.refusals("resetPassword"), ["CODE_INVALID"], "{engines:?}");
        }
        for code in [sets.clone(), forged(&sets, "gcv_"), forged(&sets, "gct_")] {
            let answer = gateway.stranger().call("verifyEmail", json!({ "code": code }), "email").await;
            assert_eq!(answer.refusals("verifyEmail"), ["CODE_INVALID"], "{engines:?}");
            let answer = gateway.stranger().call("confirmEmailChange", json!({ "code": code }), "changed").await;
            assert_eq!(answer.refusals("confirmEmailChange"), ["CODE_INVALID"], "{engines:?}");
        }
        let token = json!({ "refreshToken": sets });
        let refreshed = gateway.stranger().call("refreshSession", token, "accessToken").await;
        assert_eq!(refreshed.codes(), ["UNAUTHENTICATED"]);
        assert_eq!(alice.with_token(&sets).ask("{ viewer { id } }").await.status, 401);
        // Trying has used nothing up.
        reset(&gateway, &sets, OTHER).await.ok();
    }
}

#[tokio::test]
async fn g12_a_code_is_good_once() {
    let gateway = Gateway::sqlite().await;
    signed_up(&gateway, "bob").await;
    let proves = awaited(&gateway, (&address("bob"), "gcv_"), 1).await;
    let prove = || async { gateway.stranger().call("verifyEmail", json!({ "code": proves }), "email").await };
    prove().await.ok();
    assert_eq!(prove().await.refusals("verifyEmail"), ["CODE_INVALID"]);
    signed_up(&gateway, "alice").await;
    let code = reset_code(&gateway, "alice").await;
    reset(&gateway, &code, OTHER).await.ok();
    let again = reset(&gateway, &code, "a third horse battery").await;
    assert_eq!(again.refusals("resetPassword"), ["CODE_INVALID"]);
    sign_in(&gateway, &address("alice"), OTHER).await.ok();
    let proves = awaited(&gateway, (&address("alice"), "gcv_"), 1).await;
    let answer = gateway.stranger().call("verifyEmail", json!({ "code": proves }), "email").await;
    assert_eq!(answer.refusals("verifyEmail"), ["CODE_INVALID"], "a change of the password ends the other codes");
}

#[tokio::test]
async fn g12_of_uses_at_once_one_wins() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        signed_up(&gateway, "alice").await;
        let code = reset_code(&gateway, "alice").await;
        let passwords: Vec<String> = (0..6).map(|number| format!("horse number {number}")).collect();
        let answers = join_all(passwords.iter().map(|password| reset(&gateway, &code, password))).await;
        let won: Vec<_> = answers.iter().map(|answer| answer.refusals("resetPassword").is_empty()).collect();
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{engines:?}");
        let winner = won.iter().position(|won| *won).unwrap();
        sign_in(&gateway, &address("alice"), &passwords[winner]).await.ok();
        // A proof of the address ends no other codes: that it counts once is the code's own doing.
        signed_up(&gateway, "bob").await;
        let proves = awaited(&gateway, (&address("bob"), "gcv_"), 1).await;
        let prove = || async { gateway.stranger().call("verifyEmail", json!({ "code": proves }), "email").await };
        let answers = join_all((0..6).map(|_| prove())).await;
        let won = answers.iter().filter(|answer| answer.at("verifyEmail.email").is_string());
        assert_eq!(won.count(), 1, "{engines:?}");
    }
}

#[tokio::test]
async fn g12_only_the_newest_code_is_good_and_none_after_an_hour() {
    let gateway = Gateway::sqlite().await;
    signed_up(&gateway, "alice").await;
    let first = reset_code(&gateway, "alice").await;
    let second = reset_code(&gateway, "alice").await;
    assert_eq!(reset(&gateway, &first, OTHER).await.refusals("resetPassword"), ["CODE_INVALID"]);
    let living = "SELECT count(*) FROM one_time_code WHERE purpose = 'reset_password'";
    assert_eq!(gateway.database.count(living).await, 1);
    let past = gateway.service.now() - TimeDelta::seconds(1);
    gateway.database.run("UPDATE one_time_code SET expires_at = $1", [past.into()]).await.unwrap();
    assert_eq!(reset(&gateway, &second, OTHER).await.refusals("resetPassword"), ["CODE_INVALID"]);
    sign_in(&gateway, &address("alice"), PASSWORD).await.ok();
}

#[tokio::test]
async fn s4_r9_a_code_lives_an_hour_and_is_stored_as_a_hash() {
    let gateway = Gateway::sqlite().await;
    signed_up(&gateway, "alice").await;
    reset_code(&gateway, "alice").await;
    let lives = "SELECT count(*) FROM one_time_code
                 WHERE unixepoch(expires_at) - unixepoch(created_at) = 3600 AND length(hash) = 32";
    assert_eq!(gateway.database.count(lives).await, 2);
}

/// G11: what makes a link is given the configured address and no header of any request, so that there is no guard to switch off
/// (`tests/it/catalogue.rs` says so too).
#[tokio::test]
async fn g11_links_lead_to_the_dashboard_whatever_a_request_says() {
    let gateway = Gateway::sqlite().await;
    signed_up(&gateway, "alice").await;
    let document = "mutation { requestPasswordReset(input: { email: \"alice@example.org\" }) { userErrors { code } } }";
    let request = reqwest::Client::new()
        .post(format!("{}/graphql", gateway.url))
        .header("accept", "application/graphql-response+json")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "http")
        .header("forwarded", "host=evil.example")
        .json(&json!({ "query": document }));
    assert_eq!(request.send().await.unwrap().status().as_u16(), 200);
    let code = awaited(&gateway, (&address("alice"), "gcr_"), 1).await;
    let mails = gateway.mails().into_iter().map(|mail| mail.replace("=\r\n", "")).collect::<Vec<_>>();
    assert!(mails.iter().any(|mail| mail.contains(&format!("https://app.example.org/reset-password#{code}"))));
    assert!(mails.iter().all(|mail| !mail.contains("evil.example")));
}
