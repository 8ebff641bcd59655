//! The ready operations of the support hub, each run as the person who sees that screen.

use serde_json::json;

use super::hub::{Hub, app_id, hub, member_id, tree};
use crate::{
    operations::{run, send},
    support::gateway::Engines,
};

/// S3.13 to S3.15, S3.42 to S3.44, S3.67: the list with its form and its banner, the tab beside it, the tree of a member.
#[tokio::test]
async fn every_ready_operation_of_the_support_hub_answers() {
    let Hub { gateway: _open, alice, bob, service, help, .. } = hub(Engines::Embedded).await;
    let here = json!({ "organization": "acme" });
    let list = run(&alice, "support-hub/members", here.clone()).await;
    assert_eq!(list.at("organization.members.totalCount"), 2);
    assert_eq!(list.at("organization.apps.totalCount"), 4);
    assert_eq!(list.at("organization.viewerCanInvite"), true);
    assert_eq!(list.at("organization.seatUsage.0.used"), 2, "{}", list.text);
    // A Member sees the list without the banner of the seats.
    let own = run(&bob, "support-hub/members", json!({ "organization": "acme", "seats": false })).await;
    assert_eq!(own.at("organization.members.totalCount"), 2);
    assert_eq!(send(&bob, "support-hub/members", here.clone()).await.codes(), ["FORBIDDEN"]);

    let access = tree(&[(service, &["inbox", "tickets"]), (help, &["articles"])]);
    let save = json!({ "input": { "member": member_id(&bob), "access": access } });
    run(&alice, "support-hub/save-access", save.clone()).await;
    assert_eq!(send(&bob, "support-hub/save-access", save).await.codes(), ["FORBIDDEN"]);
    let form = json!({ "organization": "acme", "member": member_id(&bob) });
    let form = run(&alice, "support-hub/member-access", form).await;
    let grants = form.at("organization.member.grants.edges").as_array().unwrap();
    let ticked = grants.iter().filter(|edge| !edge["node"]["feature"].is_null()).count();
    assert_eq!(ticked, 3, "{}", form.text);

    let tab = run(&alice, "support-hub/activity", json!({ "organization": "acme", "category": "ACCESS" })).await;
    assert_eq!(tab.at("organization.activity.edges.0.node.action"), "member.access_changed");
    let one = json!({ "organization": "acme", "category": "CONTENT", "app": app_id(help) });
    assert_eq!(run(&alice, "support-hub/activity", one).await.at("organization.activity.edges"), &json!([]));
    assert_eq!(send(&bob, "support-hub/activity", here).await.codes(), ["FORBIDDEN"], "S3.70");
}

/// S3.13, S3.60, S3.61: who is invited and has not come yet; and leaving.
#[tokio::test]
async fn s3_60_pending_invitations_are_listed_and_a_member_leaves_with_the_ready_operations() {
    let Hub { gateway: _open, alice, bob, .. } = hub(Engines::Embedded).await;
    crate::support::people::invite(&alice, "dave@example.org").await.ok();
    let here = json!({ "organization": "acme" });
    let pending = run(&alice, "support-hub/pending-invitations", here.clone()).await;
    assert_eq!(pending.at("organization.invitations.totalCount"), 1);
    assert_eq!(pending.at("organization.invitations.edges.0.node.email"), "dave@example.org");
    assert_eq!(send(&bob, "support-hub/pending-invitations", here).await.codes(), ["FORBIDDEN"]);
    let left = run(&bob, "support-hub/leave", json!({ "input": { "confirm": true } })).await;
    assert!(left.at("leaveOrganization.left").is_string());
}
