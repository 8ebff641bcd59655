//! Edit: the same form, one save (S2.17, S2.22 to S2.26, S2.30 to S2.32).

use serde_json::json;

use super::suite::{Suite, everywhere, held, id_of, invited, may, suite, tree, update};
use crate::support::{
    gateway::Person,
    people::{accept, count, fields, member_id, newest_token, remedies},
};

/// S2.22: what a row's menu offers, and to whom.
#[tokio::test]
async fn s2_22_a_rows_menu_offers_edit_and_archive() {
    let Suite { gateway: _serving, alice, carol, bob, .. } = suite().await;
    let ask = "query($id: ID!) { organization(slug: \"acme\") { member(id: $id) { viewerCanEditAccess viewerCanChangeRole viewerCanRemove
        viewerCanSuspend viewerCanReactivate viewerCanRestore viewerCannotRemoveReasons { code } viewerCannotSuspendReasons { code } } } }";
    let menu = async |by: &Person, who: &Person| {
        by.send(ask, json!({ "id": id_of(who) })).await.ok().at("organization.member").clone()
    };
    for by in [&alice, &carol] {
        let offered = menu(by, &bob).await;
        for action in ["viewerCanEditAccess", "viewerCanChangeRole", "viewerCanRemove", "viewerCanSuspend"] {
            assert_eq!(offered[action], true, "{action}");
        }
        assert_eq!((&offered["viewerCanRestore"], &offered["viewerCanReactivate"]), (&json!(false), &json!(false)));
    }
    let owner = menu(&carol, &alice).await;
    assert_eq!(owner["viewerCanRemove"], false);
    assert_eq!(owner["viewerCannotRemoveReasons"][0]["code"], "NOT_GRANTABLE");
    assert_eq!(owner["viewerCannotSuspendReasons"][0]["code"], "NOT_GRANTABLE");
    let own = menu(&bob, &bob).await;
    assert_eq!((&own["viewerCanEditAccess"], &own["viewerCanRemove"]), (&json!(false), &json!(false)));
}

/// S2.24: the form for somebody who is there comes filled in.
#[tokio::test]
async fn s2_24_the_edit_form_is_the_invite_form_filled_in() {
    let suite = suite().await;
    let access = tree(&[(suite.crm, &["contacts"])]);
    let input = json!({ "firstName": "Dora", "lastName": "Ito", "role": "user", "access": access });
    let member = invited(&suite.alice, "dora", input).await;
    let ask = include_str!("../../../../docs/operations/business-suite/edit-form.graphql");
    let form = suite.alice.send(ask, json!({ "organization": "acme", "member": member_id(member) })).await.ok();
    let filled = form.at("organization.member");
    assert_eq!((&filled["firstName"], &filled["lastName"]), (&json!("Dora"), &json!("Ito")));
    assert_eq!((&filled["email"], &filled["roles"][0]["key"]), (&json!("dora@example.org"), &json!("user")));
    assert_eq!(filled["accessMode"], "CUSTOM");
    let ticked: Vec<_> = filled["grants"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|edge| edge["node"]["feature"].as_str())
        .collect();
    assert_eq!(ticked, ["contacts"]);
    assert_eq!(form.at("organization.invitationForm.required"), &json!(["FIRST_NAME", "LAST_NAME"]));
}

/// S2.25, S2.26: names, role and permissions in one save; where one part is refused, nothing is changed, and every mistake is
/// told.
#[tokio::test]
async fn s2_25_s2_26_one_save_changes_all_of_it_or_nothing() {
    let suite = suite().await;
    let Suite { gateway, alice, bob, crm, billing, .. } = &suite;
    let bob_id = bob.member.unwrap();
    let all = json!({ "firstName": "Bo", "lastName": "Builder", "name": "Bo Builder", "role": "admin", "flags": ["auditor"],
        "access": tree(&[(*crm, &["contacts", "deals"])]) });
    let saved = update(alice, bob_id, all).await.ok();
    assert_eq!(saved.at("updateMember.member.name"), "Bo Builder");
    assert_eq!(saved.at("updateMember.member.roles").as_array().unwrap().len(), 2);
    assert_eq!(held(gateway, bob_id).await, ["crm crm.contacts", "crm crm.deals"]);
    assert_eq!(may(bob, *crm).await.len(), 2);
    let entries = count(gateway, "activity_entry").await;
    let bad = json!({ "name": "", "role": "nonsense", "access": tree(&[(*billing, &["contacts"])]) });
    let refused = update(alice, bob_id, bad).await;
    assert_eq!(fields(&refused, "updateMember"), ["name", "role", "access.0.features.0.feature"]);
    let half = json!({ "name": "Somebody Else", "access": tree(&[(*billing, &["contacts"])]) });
    assert_eq!(update(alice, bob_id, half).await.refusals("updateMember"), ["NOT_IN_BLUEPRINT"]);
    let now = update(alice, bob_id, json!({})).await.ok();
    assert_eq!(now.at("updateMember.member.name"), "Bo Builder");
    assert_eq!(held(gateway, bob_id).await, ["crm crm.contacts", "crm crm.deals"]);
    assert_eq!(count(gateway, "activity_entry").await, entries, "a refused save leaves no trace");
    // The name as shown follows its parts; flags that are left out of the list go.
    let saved = update(alice, bob_id, json!({ "lastName": "Baker", "flags": [] })).await.ok();
    assert_eq!(saved.at("updateMember.member.name"), "Bo Baker");
    assert_eq!(saved.at("updateMember.member.roles").as_array().unwrap().len(), 1);
    // Each part asks for its own permission.
    assert_eq!(update(bob, bob_id, json!({ "flags": ["auditor"] })).await.refusals("updateMember"), ["NOT_GRANTABLE"]);
    let erin = gateway.member(&suite.acme, "erin", "user").await;
    for part in [
        json!({ "name": "X" }),
        json!({ "role": "user" }),
        json!({ "access": [] }),
        json!({ "email": "x@example.org" }),
        json!({}),
    ] {
        assert_eq!(update(&erin, bob_id, part).await.codes(), ["FORBIDDEN"]);
    }
}

/// S2.25: the address of somebody invited can be changed, which kills the old link; that of somebody who has joined is its
/// owner's.
#[tokio::test]
async fn s2_25_an_address_is_changed_only_while_nobody_has_taken_it() {
    let suite = suite().await;
    let Suite { gateway, alice, bob, .. } = &suite;
    let refused = update(alice, bob.member.unwrap(), json!({ "email": "mallory@example.org" })).await;
    assert_eq!(refused.refusals("updateMember"), ["INVALID"]);
    assert!(remedies(&refused, "updateMember")[0].contains("Ask the person"));
    update(alice, bob.member.unwrap(), json!({ "email": bob.email })).await.ok();
    let member = invited(alice, "daev", json!({})).await;
    let old = newest_token(gateway);
    let moved = update(alice, member, json!({ "email": "dave@example.org" })).await.ok();
    assert_eq!(moved.at("updateMember.mailSent"), true);
    assert_eq!(moved.at("updateMember.member.email"), "dave@example.org");
    let mallory = gateway.person("daev").await;
    assert_eq!(accept(&mallory, &old).await.refusals("acceptInvitation"), ["INVITATION_NOT_PENDING"]);
    let dave = gateway.person("dave").await;
    accept(&dave, &newest_token(gateway)).await.ok();
    let taken = invited(alice, "erin", json!({})).await;
    let refused = update(alice, taken, json!({ "email": "bob@example.org" })).await;
    assert_eq!(refused.refusals("updateMember"), ["ALREADY_MEMBER"]);
}

/// S2.17, S2.30: an admin customizes the permissions of other admins and of users.
#[tokio::test]
async fn s2_17_s2_30_admins_customize_admins_and_users() {
    let suite = suite().await;
    let Suite { gateway, acme, carol, bob, crm, .. } = &suite;
    let frank = gateway.member(acme, "frank", "admin").await;
    everywhere(&suite, carol, ("crm", "contacts", None)).await;
    for other in [&frank, bob] {
        let id = other.member.unwrap();
        update(carol, id, json!({ "access": tree(&[(*crm, &["contacts"])]) })).await.ok();
        assert_eq!(may(other, *crm).await, ["contacts: view edit delete export"]);
        update(carol, id, json!({ "accessMode": "ALL" })).await.ok();
        assert_eq!(held(gateway, id).await, ["* crm.contacts"]);
        update(carol, id, json!({ "accessMode": "CUSTOM", "access": [] })).await.ok();
        assert_eq!(may(other, *crm).await, Vec::<String>::new());
    }
    let self_raise = update(carol, carol.member.unwrap(), json!({ "access": tree(&[(*crm, &["deals"])]) })).await;
    assert_eq!(self_raise.refusals("updateMember"), ["NOT_GRANTABLE"]);
}

/// S2.31: an admin gives nothing it does not hold, and does not touch what it does not hold, on any path.
#[tokio::test]
async fn s2_31_admins_are_bounded_by_what_they_hold() {
    let suite = suite().await;
    let Suite { gateway, acme, alice, carol, bob, crm, billing, .. } = &suite;
    let bob_id = bob.member.unwrap();
    gateway.tick(acme, carol, *crm, "contacts", None).await;
    let beyond = update(carol, bob_id, json!({ "access": tree(&[(*crm, &["deals"])]) })).await;
    assert_eq!(beyond.refusals("updateMember"), ["NOT_GRANTABLE"]);
    let unseen = update(carol, bob_id, json!({ "access": tree(&[(*billing, &["invoices"])]) })).await;
    assert_eq!(unseen.codes(), ["NOT_FOUND"]);
    let invite = super::suite::try_invite(carol, "dave", json!({ "access": tree(&[(*crm, &["deals"])]) })).await;
    assert_eq!(invite.refusals("inviteMember"), ["NOT_GRANTABLE"]);
    // What the owner gave beyond the admin's reach stays, whatever the admin saves.
    update(alice, bob_id, json!({ "accessMode": "ALL" })).await.ok();
    let before = held(gateway, bob_id).await;
    update(carol, bob_id, json!({ "accessMode": "CUSTOM", "access": tree(&[(*crm, &["contacts"])]) })).await.ok();
    let mut expected: Vec<String> = before.into_iter().chain(["crm crm.contacts".to_owned()]).collect();
    expected.sort();
    assert_eq!(held(gateway, bob_id).await, expected);
    let flag = update(carol, bob_id, json!({ "flags": ["auditor"] })).await;
    assert_eq!(flag.refusals("updateMember"), ["NOT_GRANTABLE"]);
}

/// S2.32, Q14: the owner raises an admin up to the ceiling of the role, and never past it.
#[tokio::test]
async fn s2_32_q14_the_owner_raises_an_admin_up_to_the_ceiling() {
    let suite = suite().await;
    let Suite { gateway, acme, alice, carol, crm, .. } = &suite;
    let carol_id = carol.member.unwrap();
    assert_eq!(may(carol, *crm).await, Vec::<String>::new());
    update(alice, carol_id, json!({ "accessMode": "ALL", "flags": ["auditor"] })).await.ok();
    assert_eq!(may(carol, *crm).await.len(), 3);
    let sees = "{ viewer { permissions } organization(slug: \"acme\") { activity { totalCount } } }";
    assert!(carol.ask(sees).await.ok().at("organization.activity.totalCount").is_number());
    // A flag past a user's ceiling is refused, and gives nothing where it was given past the API.
    let bob = suite.bob.member.unwrap();
    let refused = update(alice, bob, json!({ "flags": ["auditor"] })).await;
    assert_eq!(refused.refusals("updateMember"), ["NOT_GRANTABLE"]);
    gateway.grant_role(acme, "member", Some(bob), "auditor").await;
    gateway.settle().await;
    assert_eq!(suite.bob.ask("{ viewer { permissions } }").await.ok().at("viewer.permissions"), &json!([]));
}
