//! Inviting: the form, and what all and custom come to (S2.13 to S2.21, S2.37, Q1, Q3, Q4).

use serde_json::json;

use super::suite::{Suite, everywhere, held, invited, may, suite, tree, try_invite};
use crate::support::{
    gateway::Person,
    people::{accept, app_id, fields, join, member_id, newest_token, remedies},
};

/// Takes the place of the newest invitation.
async fn come(suite: &Suite, name: &str) -> Person {
    let person = suite.gateway.person(name).await;
    let accepted = accept(&person, &newest_token(&suite.gateway)).await.ok();
    assert_eq!(accepted.at("acceptInvitation.organization.slug"), "acme");
    crate::support::people::switch(&person, "acme").await
}

/// S2.13: first name, last name, address and role; the names are required.
#[tokio::test]
async fn s2_13_first_and_last_name_are_required() {
    let Suite { gateway: _serving, alice, .. } = suite().await;
    let form = "{ organization(slug: \"acme\") { invitationForm { required defaultRole { key } } } }";
    let form = alice.ask(form).await.ok();
    assert_eq!(form.at("organization.invitationForm.required"), &json!(["FIRST_NAME", "LAST_NAME"]));
    let nameless = try_invite(&alice, "dave", json!({ "firstName": " ", "lastName": null })).await;
    assert_eq!(nameless.refusals("inviteMember"), ["MISSING", "MISSING"]);
    assert_eq!(fields(&nameless, "inviteMember"), ["firstName", "lastName"]);
    let made = try_invite(&alice, "dave", json!({ "role": "admin" })).await.ok();
    assert_eq!(made.at("inviteMember.member.name"), "dave Example");
    assert_eq!(made.at("inviteMember.member.roles.0.key"), "admin");
}

/// S2.14: the invited address is the one the person signs in with.
#[tokio::test]
async fn s2_14_the_invited_address_becomes_the_login_address() {
    let suite = suite().await;
    invited(&suite.alice, "dave", json!({})).await;
    let mallory = suite.gateway.person("mallory").await;
    let other = accept(&mallory, &newest_token(&suite.gateway)).await;
    assert_eq!(other.refusals("acceptInvitation"), ["INVITATION_FOR_ANOTHER"]);
    let dave = come(&suite, "dave").await;
    let seen = dave.ask("{ viewer { email organization { viewerMember { email } } } }").await.ok();
    assert_eq!(seen.at("viewer.email"), "dave@example.org");
    assert_eq!(seen.at("viewer.organization.viewerMember.email"), "dave@example.org");
}

/// S2.15, S2.16: an admin invites admins and users, who have what the inviter gave; never an owner.
#[tokio::test]
async fn s2_15_s2_16_admins_invite_admins_and_users_with_what_they_hold() {
    let suite = suite().await;
    everywhere(&suite, &suite.carol, ("crm", "contacts", None)).await;
    for role in ["admin", "user"] {
        let member = invited(&suite.carol, &format!("new-{role}"), json!({ "role": role })).await;
        assert_eq!(held(&suite.gateway, member).await, ["* crm.contacts"], "{role}");
    }
    let owner = try_invite(&suite.carol, "dave", json!({ "role": "owner" })).await;
    assert_eq!(owner.refusals("inviteMember")[0], "NOT_GRANTABLE");
    assert_eq!(try_invite(&suite.bob, "dave", json!({})).await.codes(), ["FORBIDDEN"]);
    let full = invited(&suite.alice, "erin", json!({ "role": "admin" })).await;
    assert!(held(&suite.gateway, full).await.len() > 10, "the owner gives everything");
}

/// S2.19, Q1, Q3: where nothing is chosen, everything is given, as grants that are seen and taken away one by one.
#[tokio::test]
async fn s2_19_q1_q3_the_default_is_everything_written_as_grants() {
    let suite = suite().await;
    let Suite { gateway, alice, crm, work, .. } = &suite;
    let form = alice.ask("{ organization(slug: \"acme\") { roles { key initialAccess } } }").await.ok();
    let modes: Vec<_> =
        form.at("organization.roles").as_array().unwrap().iter().map(|role| role["initialAccess"].clone()).collect();
    assert_eq!(modes[..3], [json!("NONE"), json!("INVITER"), json!("INVITER")]);
    let member = invited(alice, "dave", json!({})).await;
    let all = held(gateway, member).await;
    assert_eq!(all.len(), 14, "{all:?}");
    assert!(all.iter().all(|grant| grant.starts_with("* ")), "{all:?}");
    assert!(all.contains(&"* projects.tasks:plan".to_owned()), "the strongest level");
    let dave = come(&suite, "dave").await;
    assert_eq!(may(&dave, *crm).await.len(), 3);
    // An app that comes later is covered by what holds in the whole account.
    let later = gateway.app(&suite.acme, "crm", "crm-two").await;
    gateway.settle().await;
    assert_eq!(may(&dave, later).await.len(), 3);
    // Each is seen, and removable.
    let ask = "query($id: ID!) { organization(slug: \"acme\") { member(id: $id) { accessMode grants(first: 100) { edges { node {
        id feature appKind app { id } } } } } } }";
    let seen = alice.send(ask, json!({ "id": member_id(member) })).await.ok();
    assert_eq!(seen.at("organization.member.accessMode"), "ALL");
    let edges = seen.at("organization.member.grants.edges").as_array().unwrap().clone();
    let boards = edges.iter().find(|edge| edge["node"]["feature"] == "tasks").unwrap();
    alice.call("revokeAccess", json!({ "grant": boards["node"]["id"] }), "revokedGrant").await.ok();
    assert!(!may(&dave, *work).await.iter().any(|held| held.starts_with("tasks")));
    let seen = alice.send(ask, json!({ "id": member_id(member) })).await.ok();
    assert_eq!(seen.at("organization.member.accessMode"), "CUSTOM");
}

/// Q4: an admin who has not everything gives «all», and it is exactly what the admin has.
#[tokio::test]
async fn q4_all_by_an_admin_is_all_of_the_admins_own() {
    let suite = suite().await;
    let Suite { gateway, acme, carol, crm, work, .. } = &suite;
    everywhere(&suite, carol, ("crm", "contacts", None)).await;
    everywhere(&suite, carol, ("projects", "boards", None)).await;
    everywhere(&suite, carol, ("projects", "tasks", Some("see"))).await;
    gateway.tick(acme, carol, *work, "tasks", Some("work")).await;
    gateway.tick(acme, carol, *crm, "deals", None).await;
    for (index, input) in [json!({}), json!({ "accessMode": "ALL" })].into_iter().enumerate() {
        let member = invited(carol, &format!("dave-{index}"), input).await;
        let expected = [
            "* crm.contacts",
            "* projects.boards",
            "* projects.tasks:see",
            "crm crm.deals",
            "work projects.tasks:work",
        ];
        assert_eq!(held(gateway, member).await, expected);
    }
    let dave = come(&suite, "dave-1").await;
    for app in [*crm, *work] {
        assert_eq!(may(&dave, app).await, may(carol, app).await);
    }
    // Nothing of a feature that is held in part.
    let narrow = gateway.member(acme, "frank", "admin").await;
    gateway.tick(acme, &narrow, *work, "tasks", Some("plan")).await;
    let member = invited(&narrow, "gina", json!({ "accessMode": "ALL" })).await;
    assert_eq!(held(gateway, member).await, Vec::<String>::new(), "tasks need boards");
}

/// S2.20, S2.21: custom, app by app; nothing ticked is nothing given; a tree beside all is refused.
#[tokio::test]
async fn s2_20_s2_21_custom_is_per_application() {
    let suite = suite().await;
    let Suite { gateway, alice, crm, work, .. } = &suite;
    let custom =
        json!({ "accessMode": "CUSTOM", "access": tree(&[(*crm, &["contacts"]), (*work, &["boards", "tasks:see"])]) });
    let member = invited(alice, "dave", custom).await;
    assert_eq!(held(gateway, member).await, ["crm crm.contacts", "work projects.boards", "work projects.tasks:see"]);
    let tree_alone = invited(alice, "erin", json!({ "access": tree(&[(*crm, &["deals"])]) })).await;
    assert_eq!(held(gateway, tree_alone).await, ["crm crm.deals"]);
    for (name, nothing) in [("frank", json!({ "access": [] })), ("gina", json!({ "accessMode": "CUSTOM" }))] {
        let member = invited(alice, name, nothing).await;
        assert_eq!(held(gateway, member).await, Vec::<String>::new());
    }
    let both = try_invite(alice, "heidi", json!({ "accessMode": "ALL", "access": tree(&[(*crm, &["deals"])]) })).await;
    assert_eq!(both.refusals("inviteMember"), ["INVALID"]);
    assert_eq!(fields(&both, "inviteMember"), ["access"]);
}

/// S2.18, S2.37: users reach only what they were given.
#[tokio::test]
async fn s2_18_s2_37_users_reach_only_what_they_were_given() {
    let suite = suite().await;
    let Suite { gateway, carol, bob, crm, billing, .. } = &suite;
    everywhere(&suite, carol, ("crm", "contacts", None)).await;
    let access = tree(&[(*crm, &["contacts"])]);
    let dave = join(gateway, carol, ("dave", json!({ "firstName": "D", "lastName": "E", "access": access }))).await;
    assert_eq!(may(&dave, *crm).await, ["contacts: view edit delete export"]);
    assert_eq!(may(&dave, *billing).await, Vec::<String>::new());
    let hidden = dave.send("query($id: ID!) { node(id: $id) { id } }", json!({ "id": app_id(*billing) })).await.ok();
    assert!(hidden.at("node").is_null());
    assert_eq!(may(bob, *crm).await, Vec::<String>::new(), "who was given nothing reaches nothing");
}

/// S2.32: a flag above the ceiling of the role that is invited by itself is refused with the roles that it can go with, of those the
/// author gives.
#[tokio::test]
async fn s2_32_a_flag_above_the_ceiling_names_the_roles_that_it_goes_with() {
    let Suite { gateway: _serving, alice, .. } = suite().await;
    let refused = try_invite(&alice, "dave", json!({ "role": "auditor" })).await;
    assert_eq!(remedies(&refused, "inviteMember"), ["Choose Admin with it, or leave it out."], "{}", refused.text);
    try_invite(&alice, "dave", json!({ "role": "admin", "flags": ["auditor"] })).await.ok();
}
