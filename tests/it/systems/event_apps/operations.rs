//! The ready operations of event apps, each run by a test as the person who sees that screen.

use serde_json::json;

use super::{Scene, scene, switch};
use crate::operations::{run, send};

/// S1.24: each screen is one query, for the Owner, an Admin and the holder of a module role alike.
#[tokio::test]
async fn every_screen_is_one_query() {
    let Scene { gateway: _serving, alice, bob, dora, fair, .. } = scene().await;
    switch(&alice, &bob, (fair, "verifier", true)).await.ok();
    for person in [&alice, &dora, &bob] {
        let here = json!({ "organization": "acme", "app": "fair" });
        let shown = [
            run(person, "event-apps/home", here.clone()).await,
            run(person, "event-apps/app", here.clone()).await,
            run(person, "event-apps/people", here).await,
        ];
        assert!(shown.iter().all(|shown| !shown.at("organization").is_null()));
        let role = json!({ "organization": "acme", "app": "fair", "role": "app_manager" });
        run(person, "event-apps/permissions_section", role.clone()).await;
        run(person, "event-apps/module_roles", role).await;
    }
}

/// S1.6, S1.7: the Owner manages the subscription, an Admin sees it, and a Member does not.
#[tokio::test]
async fn s1_6_s1_7_the_subscription_is_shown_to_who_may_see_billing() {
    let Scene { gateway: _serving, alice, bob, dora, .. } = scene().await;
    let here = json!({ "organization": "acme" });
    for (person, manages) in [(&alice, true), (&dora, false)] {
        let shown = run(person, "event-apps/subscription", here.clone()).await;
        assert_eq!(shown.at("organization.plan.key"), "starter", "{}", person.name);
        assert_eq!(shown.at("organization.plans").as_array().unwrap().len(), 2);
        assert_eq!(shown.at("organization.viewerCanChangePlan"), manages, "{}", person.name);
    }
    assert_eq!(send(&bob, "event-apps/subscription", here.clone()).await.codes(), ["FORBIDDEN"; 2]);
    // S1.7: the button to make an app is the Owner's.
    for (person, makes) in [(&alice, true), (&dora, false), (&bob, false)] {
        let home = run(person, "event-apps/home", here.clone()).await;
        assert_eq!(home.at("organization.viewerCanCreateApp"), makes, "{}", person.name);
    }
}
