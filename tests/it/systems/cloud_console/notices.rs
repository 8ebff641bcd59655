//! Notices of secrets that end (S4.R8).

use gatehouse::{jobs::notify, service::token_notice::NoticeDays};
use serde_json::json;

use super::console::{Console, app_id, console};
use crate::support::gateway::{Engines, Gateway};

async fn ends_in(gateway: &Gateway, days: i64) {
    let end = gateway.service.now() + chrono::TimeDelta::days(days) - chrono::TimeDelta::hours(1);
    gateway.database.run("UPDATE api_token SET expires_at = $1", [end.into()]).await.unwrap();
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
