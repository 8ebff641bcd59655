//! The ready operations of the business suite, each executed as it is written down.

use serde_json::json;

use super::suite::{Suite, id_of, suite, tree};
use crate::{
    operations::{run, send},
    support::people::member_id,
};

#[tokio::test]
async fn every_ready_operation_of_the_business_suite_answers() {
    let suite = suite().await;
    let Suite { gateway: _serving, alice, carol, bob, crm, .. } = &suite;
    let here = json!({ "organization": "acme" });
    run(alice, "business-suite/profile-block", json!({})).await;
    run(alice, "business-suite/users-table", here.clone()).await;
    run(alice, "business-suite/users-table", json!({ "organization": "acme", "states": ["ARCHIVED"], "search": "x" }))
        .await;
    let form = run(alice, "business-suite/invite-form", here.clone()).await;
    assert_eq!(form.at("organization.apps.totalCount"), 3);
    let end = form.at("organization.apps.pageInfo.endCursor").clone();
    let next = run(alice, "business-suite/invite-form", json!({ "organization": "acme", "afterApps": end })).await;
    assert_eq!(next.at("organization.apps.edges"), &json!([]), "what one page does not have is on the next");
    run(alice, "business-suite/subscriptions", here.clone()).await;
    let input = json!({ "email": "dave@example.org", "firstName": "Dave", "lastName": "Example", "role": "user" });
    let made = run(alice, "business-suite/invite-user", json!({ "input": input })).await;
    let dave = made.at("inviteMember.member.id").clone();
    run(alice, "business-suite/edit-form", json!({ "organization": "acme", "member": dave })).await;
    let input =
        json!({ "member": dave, "firstName": "David", "role": "admin", "access": tree(&[(*crm, &["contacts"])]) });
    let saved = run(alice, "business-suite/save-user", json!({ "input": input })).await;
    assert_eq!(saved.at("updateMember.member.name"), "David Example");
    let bob_id = json!({ "member": id_of(bob) });
    run(alice, "business-suite/suspend-user", json!({ "input": bob_id })).await;
    run(alice, "business-suite/reactivate-user", json!({ "input": bob_id })).await;
    run(alice, "business-suite/archive-user", json!({ "input": { "member": id_of(bob), "confirm": true } })).await;
    let back = run(
        alice,
        "business-suite/restore-user",
        json!({ "input": { "member": member_id(bob.member.unwrap()), "role": "user" } }),
    )
    .await;
    assert_eq!(back.at("restoreMember.member.state"), "ACTIVE");
    let input = json!({ "email": "erin@example.org", "firstName": "Erin", "lastName": "Example" });
    let made = run(alice, "business-suite/invite-user", json!({ "input": input })).await;
    let pending = json!({ "input": { "invitation": made.at("inviteMember.invitation.id") } });
    let again = run(alice, "business-suite/resend-invitation", pending.clone()).await;
    assert_eq!(again.at("resendInvitation.invitation.sends"), 2);
    run(alice, "business-suite/revoke-invitation", pending).await;
    let child =
        json!({ "name": "North", "slug": "north", "blueprint": "business-suite", "parent": "acme", "switch": true });
    run(alice, "business-suite/create-sub-account", json!({ "input": child })).await;
    let section = run(alice, "business-suite/sub-accounts", here.clone()).await;
    assert_eq!(section.at("organization.children.totalCount"), 1);
    assert_eq!(send(carol, "business-suite/sub-accounts", here).await.codes(), ["FORBIDDEN"]);
}
