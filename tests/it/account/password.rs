//! Passwords: changed, and set anew by a letter.

use futures_util::future::join_all;
use serde_json::json;

use super::words::{
    OTHER, PASSWORD, address, is_known, refresh, request_reset, reset, reset_code, session, sign_in, signed_up, text,
    until_written,
};
use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, scale},
    people::prove_addresses,
};

async fn change(person: &Person, password: &str, new: &str) -> Answer {
    let input = json!({ "password": password, "newPassword": new });
    person.call("changePassword", input, "accessToken refreshToken endedSessions").await
}

#[tokio::test]
async fn a9_a_change_of_the_password_ends_every_session_and_token_of_before_at_once() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        let signed_in = sign_in(&gateway, &address("alice"), PASSWORD).await.ok();
        let stolen = gateway.stranger().with_token(text(&signed_in, "signIn.accessToken"));
        assert!(is_known(&stolen).await && is_known(&alice).await);
        let wrong = change(&alice, "a wrong password", OTHER).await;
        assert_eq!(wrong.refusals("changePassword"), ["WRONG_CREDENTIALS"]);
        assert!(is_known(&stolen).await);
        let changed = change(&alice, PASSWORD, OTHER).await.ok();
        assert_eq!(changed.at("changePassword.endedSessions"), 1, "{engines:?}");
        assert!(!is_known(&stolen).await, "{engines:?}");
        assert!(!is_known(&alice).await, "the caller's own token is of before as well: {engines:?}");
        let refreshed = refresh(&gateway, text(&signed_in, "signIn.refreshToken")).await;
        assert_eq!(refreshed.codes(), ["UNAUTHENTICATED"], "{engines:?}");
        assert!(is_known(&alice.with_token(text(&changed, "changePassword.accessToken"))).await, "{engines:?}");
        refresh(&gateway, text(&changed, "changePassword.refreshToken")).await.ok();
        assert_eq!(sign_in(&gateway, &address("alice"), PASSWORD).await.refusals("signIn"), ["WRONG_CREDENTIALS"]);
        sign_in(&gateway, &address("alice"), OTHER).await.ok();
    }
}

#[tokio::test]
async fn a_changed_password_stays_in_the_organization_and_is_told_by_mail() {
    let gateway = Gateway::sqlite().await;
    let alice = signed_up(&gateway, "alice").await;
    prove_addresses(&gateway).await;
    let input = json!({ "slug": "acme", "name": "Acme", "blueprint": "support-hub" });
    alice.call("createOrganization", input, "organization { id }").await.ok();
    let here = json!({ "organization": "acme" });
    let here = alice.call("switchOrganization", here, "accessToken").await.ok();
    let here = alice.with_token(text(&here, "switchOrganization.accessToken"));
    let changed = change(&here, PASSWORD, OTHER).await.ok();
    let here = here.with_token(text(&changed, "changePassword.accessToken"));
    let viewer = here.ask("{ viewer { organization { slug } } }").await.ok();
    assert_eq!(viewer.at("viewer.organization.slug"), "acme");
    until_written(&gateway, "Subject: Your password was changed").await;
}

/// There is nothing to change: the letter sets one.
#[tokio::test]
async fn an_account_without_a_password_is_told_how_it_gets_one() {
    let gateway = Gateway::sqlite().await;
    let alice = gateway.person("alice").await;
    let runs = gateway.service.passwords().argon2_runs();
    let refused = change(&alice, "", OTHER).await;
    assert_eq!(refused.refusals("changePassword"), ["WRONG_CREDENTIALS"]);
    let refusal = refused.at("changePassword.userErrors.0");
    assert_eq!(refusal["message"], "this account has no password");
    assert_eq!(refusal["remedy"], "Set one by letter first (`requestPasswordReset`).");
    assert_eq!(gateway.service.passwords().argon2_runs(), runs);
    let code = reset_code(&gateway, "alice").await;
    reset(&gateway, &code, OTHER).await.ok();
    sign_in(&gateway, &address("alice"), OTHER).await.ok();
}

#[tokio::test]
async fn a9_of_changes_and_sign_ins_at_once_no_session_of_the_old_password_is_left() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let mut alice = signed_up(&gateway, "alice").await;
        for round in 0..4 * scale() {
            let (now, next) = if round % 2 == 0 { (PASSWORD, OTHER) } else { (OTHER, PASSWORD) };
            let email = address("alice");
            let (changed, old) =
                tokio::join!(change(&alice, now, next), join_all((0..3).map(|_| sign_in(&gateway, &email, now))));
            let changed = changed.ok();
            for answer in old {
                if let Some(token) = answer.at("signIn.accessToken").as_str() {
                    assert!(!is_known(&alice.with_token(token)).await, "{engines:?}, round {round}: {}", answer.text);
                }
            }
            alice = alice.with_token(text(&changed, "changePassword.accessToken"));
            assert!(is_known(&alice).await);
        }
    }
}

#[tokio::test]
async fn a9_a_reset_ends_every_session_and_opens_none() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        let stolen = session(&gateway, "alice", PASSWORD).await;
        let code = reset_code(&gateway, "alice").await;
        let done = reset(&gateway, &code, OTHER).await.ok();
        assert_eq!(done.at("resetPassword.endedSessions"), 2, "{engines:?}");
        assert!(!is_known(&alice).await && !is_known(&stolen).await, "{engines:?}");
        let open = "SELECT count(*) FROM session WHERE revoked_at IS NULL";
        assert_eq!(gateway.database.count(open).await, 0);
        // The letter came back: the address is proven.
        let again = session(&gateway, "alice", OTHER).await;
        let user = again.ask("{ viewer { user { emailVerifiedAt } } }").await.ok();
        assert!(user.at("viewer.user.emailVerifiedAt").is_string());
    }
}

/// Whoever proves an address for the first time takes the account over whole; one that was proven keeps its second factor (G14).
#[tokio::test]
async fn g14_a_reset_goes_round_a_second_factor_only_where_the_address_was_nobodys() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        for (name, proven) in [("alice", false), ("bob", true)] {
            signed_up(&gateway, name).await;
            let sql = "UPDATE user_account SET email_verified_at = $1 WHERE name = $2";
            let now = gateway.service.now();
            gateway.database.run(sql, [proven.then_some(now).into(), name.into()]).await.unwrap();
            let sql = "INSERT INTO second_factor (id, user_id, created_at, confirmed_at, last_step, recovery_generation, recovery_used)
                       SELECT id, id, created_at, created_at, 0, 1, 0 FROM user_account WHERE name = $1";
            gateway.database.run(sql, [name.into()]).await.unwrap();
            let code = reset_code(&gateway, name).await;
            reset(&gateway, &code, OTHER).await.ok();
            let entered = sign_in(&gateway, &address(name), OTHER).await;
            let refusals = entered.refusals("signIn");
            assert_eq!(refusals.contains(&"SECOND_FACTOR_REQUIRED"), proven, "{engines:?} {name}: {}", entered.text);
            assert_eq!(entered.at("signIn.accessToken").is_string(), !proven, "{engines:?} {name}");
        }
    }
}

#[tokio::test]
async fn a4_a_suspended_account_sets_no_password_and_is_sent_nothing() {
    let gateway = Gateway::sqlite().await;
    signed_up(&gateway, "alice").await;
    let code = reset_code(&gateway, "alice").await;
    let sql = "UPDATE user_account SET state = 'suspended' WHERE email = 'alice@example.org'";
    gateway.database.run(sql, []).await.unwrap();
    gateway.settle().await;
    assert_eq!(reset(&gateway, &code, OTHER).await.refusals("resetPassword"), ["CODE_INVALID"]);
    let used = "SELECT count(*) FROM one_time_code WHERE used_at IS NOT NULL";
    assert_eq!(gateway.database.count(used).await, 0);
}

#[tokio::test]
async fn g8_g9_a_request_tells_nothing_of_the_address() {
    let gateway = Gateway::sqlite().await;
    signed_up(&gateway, "alice").await;
    let runs = gateway.service.passwords().argon2_runs();
    let mut answers = Vec::new();
    for email in [address("alice"), address("nobody")] {
        let mut told = Vec::new();
        for _ in 0..12 {
            let answer = request_reset(&gateway, &email).await;
            told.push((answer.status, answer.text.clone(), answer.codes().join(",")));
        }
        // The time to wait differs by the second; nothing else may.
        let told = told.into_iter().map(|(status, text, codes)| match codes.as_str() {
            "RATE_LIMITED" => (status, String::new(), codes),
            _ => (status, text, codes),
        });
        answers.push(told.collect::<Vec<_>>());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].iter().filter(|(_, _, codes)| codes == "RATE_LIMITED").count(), 2);
    assert_eq!(gateway.service.passwords().argon2_runs(), runs);
}

#[tokio::test]
async fn g10_a_password_of_a_megabyte_costs_nothing_and_none_is_cut_off() {
    let gateway = Gateway::sqlite().await;
    let alice = signed_up(&gateway, "alice").await;
    let code = reset_code(&gateway, "alice").await;
    let long = "x".repeat(200_000);
    let runs = gateway.service.passwords().argon2_runs();
    assert_eq!(change(&alice, PASSWORD, &long).await.refusals("changePassword"), ["INVALID"]);
    assert_eq!(change(&alice, &long, OTHER).await.refusals("changePassword"), ["INVALID"]);
    assert_eq!(reset(&gateway, &code, &long).await.refusals("resetPassword"), ["INVALID"]);
    assert_eq!(reset(&gateway, "gcr_none", OTHER).await.refusals("resetPassword"), ["CODE_INVALID"]);
    assert_eq!(gateway.service.passwords().argon2_runs(), runs);
    // Beyond 72 bytes every character counts.
    let (one, two) = (format!("{}a", "y".repeat(100)), format!("{}b", "y".repeat(100)));
    change(&alice, PASSWORD, &one).await.ok();
    assert_eq!(sign_in(&gateway, &address("alice"), &two).await.refusals("signIn"), ["WRONG_CREDENTIALS"]);
    sign_in(&gateway, &address("alice"), &one).await.ok();
}

#[tokio::test]
async fn a_stranger_and_a_program_change_no_password() {
    let gateway = Gateway::sqlite().await;
    assert_eq!(change(&gateway.stranger(), PASSWORD, OTHER).await.codes(), ["UNAUTHENTICATED"]);
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let input = json!({ "name": "Backend", "scopes": ["members.read"] });
    let token = alice.call("createApiToken", input, "secret").await.ok();
    let program = gateway.stranger().with_token(text(&token, "createApiToken.secret"));
    assert_eq!(change(&program, PASSWORD, OTHER).await.codes(), ["FORBIDDEN"]);
}
