//! Which account an identity is: B13, D14, and the rules of linking.

use serde_json::json;

use super::{LANDING, Scene, refused};
use crate::support::{database::TestDatabase, oidc::person, people::count};

#[tokio::test]
async fn who_comes_for_the_first_time_gets_an_account_with_a_proven_address_and_is_found_again() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let backend = database.backend;
        let scene = Scene::on(database, "").await;
        let mut browser = scene.browser();
        assert_eq!(browser.sign_in().await, LANDING, "{backend:?}");
        let who = browser.who().await;
        assert_eq!(who["user"]["email"], "alice@example.org", "{backend:?}: {who}");
        assert!(who["organization"].is_null(), "{who}");
        let proven = "user_account WHERE email_verified_at IS NOT NULL AND password_hash IS NULL AND name = 's-alice'";
        assert_eq!(count(&scene.gateway, proven).await, 1);

        // Known by her subject, whatever her address is now.
        scene.acme.has(person("s-alice", "alice.liddell@elsewhere.example"));
        let mut other = scene.browser();
        assert_eq!(other.sign_in().await, LANDING);
        let again = other.who().await;
        assert_eq!((&again["user"]["id"], &again["user"]["email"]), (&who["user"]["id"], &who["user"]["email"]));
        assert_eq!((scene.users().await, scene.links().await), (1, 1));
    }
}

/// D14: whoever opened an account with an address that is not theirs gains nothing, and loses nothing to it.
#[tokio::test]
async fn d14_an_account_whose_address_is_not_verified_is_never_linked() {
    let scene = Scene::with("linking = \"verified_email\"").await;
    let planted = scene.account("alice@example.org", false).await;
    let mut browser = scene.browser();
    assert_eq!(browser.sign_in().await, refused("NOT_LINKED"));
    assert!(browser.who().await.is_null());
    assert_eq!((scene.users().await, scene.links().await), (1, 0));
    // Once the address is proven it is hers, and linked.
    let sql = "UPDATE user_account SET email_verified_at = created_at";
    scene.gateway.database.run(sql, []).await.unwrap();
    assert_eq!(browser.sign_in().await, LANDING);
    assert_eq!(browser.who().await["user"]["id"], planted);
}

#[tokio::test]
async fn an_account_is_linked_only_where_the_provider_is_trusted_with_it() {
    let careful = Scene::with("").await;
    careful.account("alice@example.org", true).await;
    assert_eq!(careful.browser().sign_in().await, refused("NOT_LINKED"));
    assert_eq!(careful.links().await, 0);

    let trusting = Scene::with("linking = \"verified_email\"").await;
    let account = trusting.account("alice@example.org", true).await;
    let mut browser = trusting.browser();
    assert_eq!(browser.sign_in().await, LANDING);
    assert_eq!(browser.who().await["user"]["id"], account);
    // Her address was given to somebody else there: who has it now is another person.
    trusting.acme.has(person("s-mallory", "alice@example.org"));
    let mut mallory = trusting.browser();
    assert_eq!(mallory.sign_in().await, refused("NOT_LINKED"));
    assert!(mallory.who().await.is_null());
    assert_eq!((trusting.users().await, trusting.links().await), (1, 1));
}

#[tokio::test]
async fn an_address_that_the_provider_does_not_vouch_for_leads_nowhere() {
    let scene = Scene::with("linking = \"verified_email\"").await;
    scene.account("alice@example.org", true).await;
    for unproven in [json!(false), json!("true"), json!(1), json!(null), json!("false")] {
        let mut claims = person("s-mallory", "alice@example.org");
        claims["email_verified"] = unproven.clone();
        scene.acme.has(claims);
        assert_eq!(scene.browser().sign_in().await, refused("EMAIL_NOT_VERIFIED"), "{unproven}");
    }
    for email in [json!(null), json!("alice"), json!("alice\u{ff20}example.org"), json!("al\u{200b}ice@example.org")] {
        let mut claims = person("s-mallory", "");
        claims["email"] = email.clone();
        scene.acme.has(claims);
        assert_eq!(scene.browser().sign_in().await, refused("EMAIL_NOT_VERIFIED"), "{email}");
    }
    assert_eq!((scene.users().await, scene.links().await), (1, 0));
}

#[tokio::test]
async fn a_provider_that_only_lets_people_in_opens_no_account() {
    let scene = Scene::with("sign_up = false").await;
    assert_eq!(scene.browser().sign_in().await, refused("SIGN_UP_CLOSED"));
    assert_eq!((scene.users().await, scene.links().await), (0, 0));
}

/// B20: domains count letter by letter.
#[tokio::test]
async fn b20_a_providers_allowed_domain_has_no_twin() {
    let scene = Scene::with("allowed_domains = [\"example.org\"]").await;
    let twins =
        ["evil-example.org", "example.org.evil.com", "sub.example.org", "\u{435}xample.org", "xn--xample-2of.org"];
    for (number, twin) in twins.into_iter().enumerate() {
        scene.acme.has(person(&format!("s-{number}"), &format!("alice@{twin}")));
        assert_eq!(scene.browser().sign_in().await, refused("DOMAIN_NOT_ALLOWED"), "{twin}");
    }
    scene.acme.has(person("s-alice", "Alice@EXAMPLE.org"));
    assert_eq!(scene.browser().sign_in().await, LANDING);
    // Each time, not only the first.
    scene.acme.has(person("s-alice", "alice@elsewhere.example"));
    assert_eq!(scene.browser().sign_in().await, refused("DOMAIN_NOT_ALLOWED"));
    assert_eq!(scene.users().await, 1);
}

/// B13: no address gives a membership; the invitation does, to the person of its proven address.
#[tokio::test]
async fn b13_a_providers_word_gives_no_membership() {
    let scene = Scene::with("").await;
    let acme = scene.gateway.organization("acme", "support-hub", "growth").await;
    scene.gateway.member(&acme, "owner", "super_admin").await;
    scene.gateway.pending(&acme, "alice", "member", chrono::TimeDelta::days(7)).await;
    let mut claims = person("s-alice", "alice@example.org");
    claims["organization"] = json!("acme");
    claims["groups"] = json!(["super_admin"]);
    claims["roles"] = json!(["super_admin"]);
    scene.acme.has(claims);
    let mut browser = scene.browser();
    assert_eq!(browser.sign_in().await, LANDING);
    assert!(browser.who().await["organization"].is_null());
    assert_eq!(count(&scene.gateway, "member WHERE state = 'active'").await, 1);
}

#[tokio::test]
async fn a_suspended_account_is_not_entered_by_a_provider() {
    let scene = Scene::with("").await;
    let mut browser = scene.browser();
    assert_eq!(browser.sign_in().await, LANDING);
    scene.gateway.database.run("UPDATE user_account SET state = 'suspended'", []).await.unwrap();
    let mut again = scene.browser();
    assert_eq!(again.sign_in().await, refused("NOT_LINKED"));
    assert!(again.who().await.is_null());
}

#[tokio::test]
async fn where_accounts_are_for_some_domains_the_others_are_refused_by_a_provider_too() {
    let mut closed = Scene::with("").await;
    closed.gateway.reconfigure(|args| args.sign_up_domains = vec!["example.com".to_owned()]).await;
    assert_eq!(closed.browser().sign_in().await, refused("SIGN_UP_CLOSED"));
    closed.acme.has(person("s-bob", "bob@example.com"));
    assert_eq!(closed.browser().sign_in().await, LANDING);
    assert_eq!(closed.users().await, 1);
}
