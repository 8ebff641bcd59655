//! Notices of secrets that end (S4.R8).

use gatehouse::{jobs::notify, service::token_notice::NoticeDays};
use serde_json::json;

use super::console::{Console, app_id, console};
use crate::support::gateway::{Engines, Gateway};

async fn ends_in(gateway: &Gateway, days: i64) {
    let (now, day) = (gateway.service.now(), chrono::TimeDelta::days(1));
    let (end, made) = (now + day * i32::try_from(days).unwrap() - chrono::TimeDelta::hours(1), now - day * 300);
    let sql = "UPDATE api_token SET expires_at = $1, created_at = $2";
    gateway.database.run(sql, [end.into(), made.into()]).await.unwrap();
}

/// Nobody is told to renew what has been renewed, nor of a day that was never further off.
#[tokio::test]
async fn a_secret_that_was_renewed_or_made_for_so_long_is_no_news() {
    let Console { gateway, bob, shop, .. } = console(Engines::Embedded).await;
    let input = json!({ "name": "Deploy", "role": "workspace_app", "app": app_id(shop) });
    let made = bob.call("createServiceAccount", input, "serviceAccount { id }").await.ok();
    let program = made.at("createServiceAccount.serviceAccount.id");
    let input = json!({ "name": "Deploy key", "serviceAccount": program, "expiresInDays": 20 });
    let first = bob.call("createApiToken", input, "token { id }").await.ok();
    let days = NoticeDays::default();
    assert_eq!(notify(&gateway.service, &days).await, 0, "it was made for twenty days");
    ends_in(&gateway, 7).await;
    let renewed = json!({ "token": first.at("createApiToken.token.id"), "overlapHours": 24, "expiresInDays": 300 });
    bob.call("regenerateApiToken", renewed, "secret").await.ok();
    assert_eq!(notify(&gateway.service, &days).await, 0, "it has been renewed");
    // Its successor is revoked: then it does end.
    let sql = "UPDATE api_token SET revoked_at = created_at WHERE expires_at > $1";
    let later = gateway.service.now() + chrono::TimeDelta::days(100);
    gateway.database.run(sql, [later.into()]).await.unwrap();
    assert!(notify(&gateway.service, &days).await > 0);
}

/// Two tokens of one name are two secrets: a newer one is in the place of another only where that one was regenerated.
#[tokio::test]
async fn s4_r8_a_newer_token_of_the_same_name_replaces_none() {
    for engines in Engines::DATABASES {
        let Console { gateway, bob, shop, .. } = console(engines).await;
        let input = json!({ "name": "Deploy", "role": "workspace_app", "app": app_id(shop) });
        let made = bob.call("createServiceAccount", input, "serviceAccount { id }").await.ok();
        let program = made.at("createServiceAccount.serviceAccount.id");
        let input = json!({ "name": "Deploy key", "serviceAccount": program, "expiresInDays": 365 });
        let older = bob.call("createApiToken", input.clone(), "token { id }").await.ok();
        ends_in(&gateway, 6).await;
        bob.call("createApiToken", input, "token { id }").await.ok();
        let days = NoticeDays::default();
        assert!(notify(&gateway.service, &days).await > 0, "{engines:?}: nothing is in its place");
        gateway.database.run("DELETE FROM token_notice", []).await.unwrap();
        let regenerated = json!({ "token": older.at("createApiToken.token.id"), "overlapHours": 24 });
        bob.call("regenerateApiToken", regenerated, "secret").await.ok();
        assert_eq!(notify(&gateway.service, &days).await, 0, "{engines:?}: it was regenerated");
    }
}

#[tokio::test]
async fn s4_r8_admins_and_owners_with_a_proven_address_are_told_once_on_each_day() {
    for engines in Engines::DATABASES {
        let Console { gateway, alice, bob, carol, shop, .. } = console(engines).await;
        let input = json!({ "name": "Deploy", "role": "workspace_app", "app": app_id(shop) });
        let made = bob.call("createServiceAccount", input, "serviceAccount { id }").await.ok();
        let input =
            json!({ "name": "Deploy key", "serviceAccount": made.at("createServiceAccount.serviceAccount.id") });
        bob.call("createApiToken", input, "secret").await.ok();
        let values = json!([{ "key": "timezone", "value": "Europe/Rome" }, { "key": "language", "value": "it" }]);
        let region = json!({ "section": "region", "values": values });
        alice.call("updateProfile", region, "organization { id }").await.ok();
        let (days, before) = (NoticeDays::default(), gateway.mails().len());
        assert_eq!(notify(&gateway.service, &days).await, 0, "a year away");
        ends_in(&gateway, 30).await;
        // At once from several gateways: each person is told once.
        let (one, two) = tokio::join!(notify(&gateway.service, &days), notify(&gateway.service, &days));
        assert_eq!(one + two, 2, "{engines:?}: the admin and the owner");
        assert_eq!(notify(&gateway.service, &days).await, 0, "once");
        let mails = gateway.mails()[before..].to_vec();
        let told = |address: &str| mails.iter().filter(|mail| mail.contains(&format!("To: {address}"))).count();
        assert_eq!((told(&alice.email), told(&bob.email), told(&carol.email)), (1, 1, 0));
        assert!(
            mails[0].contains("sta per scadere") && mails[0].contains("CE"),
            "in their language and time: {}",
            mails[0]
        );
        // On the next day of the list again; an address that is not proven is left out.
        let sql = "UPDATE user_account SET email_verified_at = NULL WHERE email = $1";
        gateway.database.run(sql, [alice.email.clone().into()]).await.unwrap();
        ends_in(&gateway, 7).await;
        assert_eq!(notify(&gateway.service, &days).await, 1);
        ends_in(&gateway, 1).await;
        assert_eq!(notify(&gateway.service, &days).await, 1);
        assert_eq!(notify(&gateway.service, &"3".parse().unwrap()).await, 0, "a later day was told of");
        assert_eq!(
            notify(&gateway.service, &NoticeDays::new(Vec::new()).unwrap()).await,
            0,
            "never, where none is set"
        );
        gateway.database.run("UPDATE service_account SET state = 'disabled'", []).await.unwrap();
        gateway.database.run("DELETE FROM token_notice", []).await.unwrap();
        assert_eq!(notify(&gateway.service, &days).await, 0, "one that is disabled");
    }
}
