//! Who may open an account, where that is for addresses at some domains.

use serde_json::json;

use crate::support::{
    database::TestDatabase,
    gateway::{Answer, Gateway},
    people::count,
};

async fn sign_up(gateway: &Gateway, email: &str) -> Answer {
    let account = json!({ "email": email, "password": "correct horse battery", "name": "Somebody" });
    gateway.stranger().call("signUp", account, "user { id } organization { slug }").await
}

async fn gateway(database: TestDatabase, domains: &[&str]) -> Gateway {
    let domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
    Gateway::configured(database, None, |args| args.sign_up_domains = domains).await
}

/// B20: a domain counts letter by letter, in the one form that addresses have.
#[tokio::test]
async fn b20_only_addresses_at_the_very_domain_open_an_account() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let gateway = gateway(database, &["Example.org", "b\u{fc}cher.example"]).await;
        let twins = [
            "mallory@evil-example.org",
            "mallory@example.org.evil.com",
            "mallory@sub.example.org",
            "mallory@example.orgs",
            "mallory@xample.org",
            "mallory@\u{435}xample.org",
            "mallory@xn--xample-2of.org",
            "mallory@exampl\u{e9}.org",
            "mallory@bucher.example",
            "mallory@example.com",
        ];
        for twin in twins {
            assert_eq!(sign_up(&gateway, twin).await.refusals("signUp"), ["SIGN_UP_CLOSED"], "{twin}");
        }
        let closed = sign_up(&gateway, twins[0]).await;
        let said = "accounts here are for addresses at example.org, b\u{fc}cher.example (xn--bcher-kva.example), and by invitation";
        assert_eq!(closed.at("signUp.userErrors.0.message"), said);
        for none in ["mallory@evil.com@example.org", "mallory\u{ff20}example.org", "mallory@example\u{3002}org"] {
            assert_eq!(sign_up(&gateway, none).await.refusals("signUp"), ["INVALID"], "{none}");
        }
        assert_eq!(count(&gateway, "user_account").await, 0);
        for (number, written) in
            ["alice@example.org", "bob@EXAMPLE.ORG", "carol@xn--bcher-kva.example", "dave@B\u{dc}CHER.example"]
                .iter()
                .enumerate()
        {
            sign_up(&gateway, written).await.ok();
            assert_eq!(count(&gateway, "user_account").await, i64::try_from(number + 1).unwrap(), "{written}");
        }
    }
}

/// B13: an address at the domain opens an account, which is a member of nothing until it is invited and has proven the address.
#[tokio::test]
async fn b13_an_allowed_domain_gives_an_account_and_no_membership() {
    let gateway = gateway(TestDatabase::sqlite().await, &["example.org"]).await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    gateway.pending(&acme, "bob", "member", chrono::TimeDelta::days(7)).await;
    let bob = sign_up(&gateway, "bob@example.org").await.ok();
    assert!(bob.at("signUp.organization").is_null(), "{}", bob.text);
    assert_eq!(count(&gateway, "user_account WHERE email_verified_at IS NULL").await, 1);
    assert_eq!(count(&gateway, "member WHERE state = 'active'").await, 0);
    let input = json!({ "email": "bob@example.org", "password": "correct horse battery" });
    let signed_in = gateway.stranger().call("signIn", input, "accessToken").await.ok();
    let bob = gateway.stranger().with_token(signed_in.at("signIn.accessToken").as_str().unwrap());
    let offered = bob.ask("{ viewer { pendingInvitations { id } organization { id } } }").await.ok();
    assert_eq!(offered.at("viewer.pendingInvitations"), &json!([]), "not before the address is proven");
    assert!(offered.at("viewer.organization").is_null());
}

#[tokio::test]
async fn who_is_invited_opens_an_account_at_any_domain() {
    let gateway = gateway(TestDatabase::sqlite().await, &["example.com"]).await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    gateway.pending(&acme, "bob", "member", chrono::TimeDelta::days(7)).await;
    gateway.pending(&acme, "carol", "member", chrono::TimeDelta::seconds(-1)).await;
    sign_up(&gateway, "bob@example.org").await.ok();
    assert_eq!(sign_up(&gateway, "carol@example.org").await.refusals("signUp"), ["SIGN_UP_CLOSED"]);
}

#[test]
fn what_is_no_domain_and_both_rules_at_once_are_refused_at_start() {
    let start = |more: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let started = std::process::Command::new(env!("CARGO_BIN_EXE_gatehouse"))
            .args(["keys", "list", "--database-url"])
            .arg(format!("sqlite:{}", folder.path().join("gatehouse.db").display()))
            .arg("--secret-file")
            .arg(folder.path().join("secret"))
            .arg("--mail-dir")
            .arg(folder.path().join("mail"))
            .args(more)
            .output()
            .unwrap();
        (started.status.success(), String::from_utf8_lossy(&started.stderr).into_owned())
    };
    assert!(start(&["--sign-up-domain", "example.org,example.com"]).0);
    for wrong in ["*", "*.example.org", "@example.org", "example", "127.0.0.1", ""] {
        let (started, told) = start(&["--sign-up-domain", wrong]);
        assert!(!started && told.contains("--sign-up-domain"), "{wrong}: {told}");
    }
    let (started, told) = start(&["--sign-up-domain", "example.org", "--invitation-only"]);
    assert!(!started && told.contains("cannot be used with"), "{told}");
    let (started, told) = start(&["--providers", "/nowhere/providers.toml"]);
    assert!(!started && told.contains("/nowhere/providers.toml"), "{told}");
}
