//! The ready operations of the business suite, each executed as it is written down.

use serde_json::json;

use super::suite::{Suite, id_of, suite, tree};
use crate::support::{gateway::Answer, people::member_id};

macro_rules! operation {
    ($name:literal) => {
        include_str!(concat!("../../../../docs/operations/business-suite/", $name, ".graphql"))
    };
}

#[tokio::test]
async fn every_ready_operation_of_the_business_suite_answers() {
    let suite = suite().await;
    let Suite { gateway: _serving, alice, carol, bob, crm, .. } = &suite;
    let here = json!({ "organization": "acme" });
    let run = async |document: &str, variables| -> Answer { alice.send(document, variables).await.ok() };
    run(operation!("profile-block"), json!({})).await;
    run(operation!("users-table"), here.clone()).await;
    run(operation!("users-table"), json!({ "organization": "acme", "states": ["ARCHIVED"], "search": "x" })).await;
    let form = run(operation!("invite-form"), here.clone()).await;
    assert_eq!(form.at("organization.apps.totalCount"), 3);
    let end = form.at("organization.apps.pageInfo.endCursor").clone();
    let next = run(operation!("invite-form"), json!({ "organization": "acme", "afterApps": end })).await;
    assert_eq!(next.at("organization.apps.edges"), &json!([]), "what one page does not have is on the next");
    run(operation!("subscriptions"), here.clone()).await;
    let input = json!({ "email": "dave@example.org", "firstName": "Dave", "lastName": "Example", "role": "user" });
    let made = run(operation!("invite-user"), json!({ "input": input })).await;
    let dave = made.at("inviteMember.member.id").clone();
    run(operation!("edit-form"), json!({ "organization": "acme", "member": dave })).await;
    let input =
        json!({ "member": dave, "firstName": "David", "role": "admin", "access": tree(&[(*crm, &["contacts"])]) });
    let saved = run(operation!("save-user"), json!({ "input": input })).await;
    assert_eq!(saved.at("updateMember.member.name"), "David Example");
    let bob_id = json!({ "member": id_of(bob) });
    run(operation!("suspend-user"), json!({ "input": bob_id })).await;
    run(operation!("reactivate-user"), json!({ "input": bob_id })).await;
    run(operation!("archive-user"), json!({ "input": { "member": id_of(bob), "confirm": true } })).await;
    let back = run(
        operation!("restore-user"),
        json!({ "input": { "member": member_id(bob.member.unwrap()), "role": "user" } }),
    )
    .await;
    assert_eq!(back.at("restoreMember.member.state"), "ACTIVE");
    let input = json!({ "email": "erin@example.org", "firstName": "Erin", "lastName": "Example" });
    let made = run(operation!("invite-user"), json!({ "input": input })).await;
    let pending = json!({ "input": { "invitation": made.at("inviteMember.invitation.id") } });
    let again = run(operation!("resend-invitation"), pending.clone()).await;
    assert_eq!(again.at("resendInvitation.invitation.sends"), 2);
    run(operation!("revoke-invitation"), pending).await;
    let child =
        json!({ "name": "North", "slug": "north", "blueprint": "business-suite", "parent": "acme", "switch": true });
    run(operation!("create-sub-account"), json!({ "input": child })).await;
    let section = run(operation!("sub-accounts"), here.clone()).await;
    assert_eq!(section.at("organization.children.totalCount"), 1);
    assert_eq!(carol.send(operation!("sub-accounts"), here).await.codes(), ["FORBIDDEN"]);
}
