//! The Users section (S2.1 to S2.12).

use serde_json::{Value, json};

use super::suite::{Suite, archive, id_of, invited, keys, step, suite, suite_on};
use crate::support::{
    gateway::{Answer, Engines, Person},
    people::{newest_token, switch},
};

const LIST: &str = "query($states: [MemberState!], $search: String) { organization(slug: \"acme\") {
    memberCounts(search: $search) { active pending suspended archived }
    members(states: $states, search: $search) { totalCount edges { node {
        name email state roles { key label } lastLoginAt lastSeenAt } } } } }";

fn names(answer: &Answer) -> Vec<String> {
    let edges = answer.at("organization.members.edges").as_array().unwrap().clone();
    edges.iter().map(|edge| edge["node"]["name"].as_str().unwrap().to_owned()).collect()
}

async fn tab(person: &Person, state: &str) -> Vec<String> {
    names(&person.send(LIST, json!({ "states": [state] })).await.ok())
}

/// S2.1, S2.2: Business settings from the profile block, and Users under it; a user has neither.
#[tokio::test]
async fn s2_1_s2_2_settings_are_reached_from_the_profile_block() {
    let Suite { gateway: _serving, alice, carol, bob, .. } = suite().await;
    let photo = "https://cdn.example.org/alice.jpg";
    alice.call("updateUser", json!({ "photoUrl": photo }), "user { photoUrl }").await.ok();
    let block = "{ viewer { name email user { photoUrl } menus { key } } }";
    let seen = alice.ask(block).await.ok();
    assert_eq!(seen.at("viewer.name"), "alice");
    assert_eq!(seen.at("viewer.email"), "alice@example.org");
    assert_eq!(seen.at("viewer.user.photoUrl"), photo);
    for person in [&alice, &carol] {
        let menus = keys(person.ask(block).await.ok().at("viewer.menus"));
        assert!(menus.contains(&"settings".to_owned()) && menus.contains(&"users".to_owned()), "{menus:?}");
    }
    assert_eq!(keys(bob.ask(block).await.ok().at("viewer.menus")), ["dashboard"]);
    for bad in ["javascript:alert(1)", "http://example.org/a", "https://example.org/\"onload=x"] {
        let refused = alice.call("updateUser", json!({ "photoUrl": bad }), "user { id }").await;
        assert_eq!(refused.refusals("updateUser"), ["INVALID"], "{bad}");
    }
    let none = alice.call("updateUser", json!({ "photoUrl": null }), "user { photoUrl }").await.ok();
    assert!(none.at("updateUser.user.photoUrl").is_null());
}

/// S2.3, S2.4, S2.5: every user of the account with real name, login address and role.
#[tokio::test]
async fn s2_3_s2_4_s2_5_every_user_is_listed_with_name_address_and_role() {
    let Suite { gateway: _serving, alice, carol, bob, .. } = suite().await;
    let list = carol.send(LIST, json!({})).await.ok();
    let rows: Vec<String> = list
        .at("organization.members.edges")
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| {
            let node = &edge["node"];
            format!(
                "{} {} {}",
                node["name"].as_str().unwrap(),
                node["email"].as_str().unwrap(),
                node["roles"][0]["label"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(rows, ["alice alice@example.org Owner", "bob bob@example.org User", "carol carol@example.org Admin"]);
    assert_eq!(names(&alice.send(LIST, json!({})).await.ok()).len(), 3);
    // A user sees itself alone.
    assert_eq!(names(&bob.send(LIST, json!({})).await.ok()), ["bob"]);
}

/// S2.6, Q18: the last sign-in and the last request are two things, and both are written down.
#[tokio::test]
async fn s2_6_q18_last_login_and_last_seen_are_kept_apart() {
    for engines in Engines::DATABASES {
        let suite = suite_on(engines, "agency").await;
        let Suite { gateway, alice, bob, .. } = &suite;
        let of = |answer: &Answer, who: &str, field: &str| -> Value {
            let edges = answer.at("organization.members.edges").as_array().unwrap().clone();
            edges.iter().find(|edge| edge["node"]["name"] == who).unwrap()["node"][field].clone()
        };
        bob.ask("{ viewer { id } }").await.ok();
        gateway.service.record_presence().await.unwrap();
        let list = alice.send(LIST, json!({})).await.ok();
        assert!(of(&list, "bob", "lastSeenAt").is_string(), "{engines:?}");
        assert!(of(&list, "bob", "lastLoginAt").is_null(), "a request is no sign-in");
        assert!(of(&list, "carol", "lastSeenAt").is_null(), "who was not there was not seen");
        // Signing in is a sign-in.
        invited(alice, "dave", json!({})).await;
        let account = json!({ "email": "dave@example.org", "password": "correct horse battery", "name": "Dave" });
        let stranger = gateway.stranger();
        let opened = stranger.call("signUp", account, "accessToken").await.ok();
        let dave = stranger.with_token(opened.at("signUp.accessToken").as_str().unwrap());
        crate::support::people::accept(&dave, &newest_token(gateway)).await.ok();
        let list = alice.send(LIST, json!({})).await.ok();
        assert!(of(&list, "dave Example", "lastLoginAt").is_null(), "{engines:?}");
        let credentials =
            json!({ "email": "dave@example.org", "password": "correct horse battery", "organization": "acme" });
        stranger.call("signIn", credentials, "accessToken").await.ok();
        let list = alice.send(LIST, json!({})).await.ok();
        assert!(of(&list, "dave Example", "lastLoginAt").is_string(), "{engines:?}");
        assert!(of(&list, "dave Example", "lastSeenAt").is_null(), "nothing was asked for in the account yet");
        switch(bob, "acme").await;
        assert!(of(&alice.send(LIST, json!({})).await.ok(), "bob", "lastLoginAt").is_string());
    }
}

/// S2.7, S2.8, S2.9, S2.10: the tabs Active, Pending and Archived, with their counts in the same query.
#[tokio::test]
async fn s2_7_s2_8_s2_9_s2_10_three_tabs_with_their_counts() {
    for engines in Engines::DATABASES {
        let suite = suite_on(engines, "agency").await;
        let Suite { alice, carol, bob, .. } = &suite;
        invited(alice, "dave", json!({})).await;
        archive(alice, bob).await.ok();
        assert_eq!(tab(carol, "ACTIVE").await, ["alice", "carol"], "{engines:?}");
        assert_eq!(tab(carol, "PENDING").await, ["dave Example"]);
        assert_eq!(tab(carol, "ARCHIVED").await, ["bob"]);
        let counts = carol.send(LIST, json!({ "states": ["ACTIVE"] })).await.ok();
        let expected = json!({ "active": 2, "pending": 1, "suspended": 0, "archived": 1 });
        assert_eq!(counts.at("organization.memberCounts"), &expected);
        step(alice, carol, "suspendMember").await.ok();
        let counts = alice.send(LIST, json!({ "states": ["ACTIVE"] })).await.ok();
        let expected = json!({ "active": 1, "pending": 1, "suspended": 1, "archived": 1 });
        assert_eq!(counts.at("organization.memberCounts"), &expected);
        // Where nothing is said, nobody who has left is listed.
        assert_eq!(names(&alice.send(LIST, json!({})).await.ok()), ["alice", "carol", "dave Example"]);
        // Who may not see members counts itself.
        let dave = suite.gateway.member(&suite.acme, "erin", "user").await;
        let own = dave.send(LIST, json!({})).await.ok();
        let expected = json!({ "active": 1, "pending": 0, "suspended": 0, "archived": 0 });
        assert_eq!(own.at("organization.memberCounts"), &expected);
    }
}

/// S2.11: search by real name or by address, in a tab and in the counts.
#[tokio::test]
async fn s2_11_search_finds_by_name_or_address() {
    for engines in Engines::DATABASES {
        let suite = suite_on(engines, "agency").await;
        let Suite { alice, bob, .. } = &suite;
        alice
            .call("updateMember", json!({ "member": id_of(bob), "name": "Robert Builder" }), "member { id }")
            .await
            .ok();
        for (search, expected) in [("builder", vec!["Robert Builder"]), ("BOB@", vec!["Robert Builder"]), ("%", vec![])]
        {
            let found = alice.send(LIST, json!({ "search": search })).await.ok();
            assert_eq!(names(&found), expected, "{engines:?} {search}");
            assert_eq!(found.at("organization.memberCounts.active"), expected.len());
        }
    }
}

/// S2.12: the invite action is there for those who may, beside the list.
#[tokio::test]
async fn s2_12_the_invite_action_opens_a_form_beside_the_list() {
    let Suite { gateway: _serving, carol, bob, .. } = suite().await;
    let ask =
        "{ organization(slug: \"acme\") { viewerCanInvite invitationForm { required roles { key } defaultRole { key } }
        members { totalCount } } }";
    let form = carol.ask(ask).await.ok();
    assert_eq!(form.at("organization.viewerCanInvite"), true);
    assert_eq!(keys(form.at("organization.invitationForm.roles")), ["admin", "user"]);
    let none = bob.ask(ask).await.ok();
    assert_eq!(none.at("organization.viewerCanInvite"), false);
    assert_eq!(none.at("organization.invitationForm.roles"), &json!([]));
}
