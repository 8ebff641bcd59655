//! The Members list and what is done in it (S3.1, S3.13 to S3.15, S3.50 to S3.54, S3.71, S3.73, S3.78).

use serde_json::json;

use crate::support::{
    gateway::{Engines, Gateway, Person, Tenant},
    people::{count, fields, invite, invite_with, member_id, remedies},
};

struct Hub {
    gateway: Gateway,
    acme: Tenant,
    alice: Person,
    bob: Person,
}

async fn hub_on(engines: Engines) -> Hub {
    let gateway = Gateway::on(engines).await;
    let acme = gateway.organization("acme", "support-hub", "enterprise").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    Hub { gateway, acme, alice, bob }
}

async fn hub() -> Hub {
    hub_on(Engines::Embedded).await
}

fn id_of(person: &Person) -> String {
    member_id(person.member.unwrap())
}

async fn change_role(by: &Person, who: &Person, role: &str) -> crate::support::gateway::Answer {
    let input = json!({ "member": id_of(who), "role": role });
    by.call("changeMemberRole", input, "member { roles { key } }").await
}

async fn remove(by: &Person, who: &Person) -> crate::support::gateway::Answer {
    by.call("removeMember", json!({ "member": id_of(who), "confirm": true }), "removed notified").await
}

/// S3.13, S3.14, S3.15: the list of members, its tabs, search and role; the Activity tab beside it.
#[tokio::test]
async fn s3_13_s3_14_s3_15_the_members_list() {
    for engines in Engines::DATABASES {
        let Hub { gateway: _serving, alice, bob, .. } = hub_on(engines).await;
        invite(&alice, "carol@example.org").await.ok();
        invite_with(&alice, json!({ "email": "dave@example.org", "name": "Dave Ünal" })).await.ok();
        let list = "query($states: [MemberState!], $search: String, $role: String) { organization(slug: \"acme\") { menus { key }
            members(states: $states, search: $search, role: $role) { totalCount edges { node { name state email isPrimary } } } } }";
        let names = |answer: &crate::support::gateway::Answer| {
            let edges = answer.at("organization.members.edges").as_array().unwrap().clone();
            edges.iter().map(|edge| edge["node"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let all = bob.send(list, json!({})).await.ok();
        assert_eq!(names(&all).len(), 4, "{engines:?}");
        assert_eq!(all.at("organization.members.totalCount"), 4);
        for (variables, expected) in [
            (json!({ "states": ["ACTIVE"] }), vec!["alice", "bob"]),
            (json!({ "states": ["PENDING"] }), vec!["Dave Ünal", "carol"]),
            (json!({ "states": ["ARCHIVED"] }), vec![]),
            (json!({ "search": "BOB@" }), vec!["bob"]),
            (json!({ "search": "dave" }), vec!["Dave Ünal"]),
            (json!({ "search": "%" }), vec![]),
            (json!({ "role": "super_admin" }), vec!["alice"]),
            (json!({ "role": "nonsense" }), vec![]),
        ] {
            let answer = bob.send(list, variables.clone()).await.ok();
            assert_eq!(names(&answer), expected, "{variables}");
            assert_eq!(answer.at("organization.members.totalCount"), expected.len(), "{variables}");
        }
        let menus = |answer: &crate::support::gateway::Answer| answer.at("organization.menus").to_string();
        assert!(menus(&alice.send(list, json!({})).await).contains("activity"));
        assert!(!menus(&all).contains("activity"));
    }
}

/// Pages of any size cost the same number of statements, and their cursors hold.
#[tokio::test]
async fn pages_of_members_hold_together() {
    let Hub { gateway: _serving, alice, .. } = hub().await;
    for number in 0..7 {
        invite(&alice, &format!("guest{number}@example.org")).await.ok();
    }
    let page = "query($first: Int, $after: String) { organization(slug: \"acme\") { members(first: $first, after: $after) {
        pageInfo { hasNextPage endCursor } edges { node { name roles { key } invitation { state } viewerCanRemove } } } } }";
    let (mut after, mut seen) = (json!(null), Vec::new());
    loop {
        let answer = alice.send(page, json!({ "first": 2, "after": after })).await.ok();
        let members = answer.at("organization.members");
        seen.extend(members["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["name"].to_string()));
        after = members["pageInfo"]["endCursor"].clone();
        if members["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen.len(), 9);
    assert!(seen.is_sorted());
    let other = "query($after: String) { organization(slug: \"acme\") { members(states: [ACTIVE], after: $after) { totalCount } } }";
    assert_eq!(alice.send(other, json!({ "after": after })).await.codes(), ["BAD_USER_INPUT"]);
}

/// S3.50, S3.51, S3.52: removal asks for confirmation, is at once, and drops what the person held.
#[tokio::test]
async fn s3_50_s3_51_s3_52_removal_is_confirmed_and_immediate() {
    for engines in Engines::ALL {
        let Hub { gateway, acme, alice, bob } = hub_on(engines).await;
        let help = gateway.app(&acme, "help_center", "help").await;
        gateway.tick(&acme, &bob, help, "articles", None).await;
        let ask = "{ viewer { permissions organization { slug } } organization(slug: \"acme\") { id } }";
        assert_eq!(bob.ask(ask).await.ok().at("viewer.organization.slug"), "acme", "{engines:?}");
        let input = json!({ "member": id_of(&bob), "confirm": false });
        let unsure = alice.call("removeMember", input, "removed").await;
        assert_eq!(unsure.refusals("removeMember"), ["NOT_CONFIRMED"]);
        let gone = remove(&alice, &bob).await.ok();
        assert_eq!(gone.at("removeMember.removed"), &json!(id_of(&bob)));
        let after = bob.ask(ask).await.ok();
        assert!(after.at("viewer.organization").is_null() && after.at("organization").is_null(), "{}", after.text);
        assert_eq!(after.at("viewer.permissions"), &json!([]));
        assert_eq!(invite(&bob, "eve@example.org").await.codes(), ["NOT_FOUND"]);
        assert_eq!(count(&gateway, "access_grant").await, 1);
        let again = remove(&alice, &bob).await;
        assert_eq!(again.codes(), ["NOT_FOUND"]);
    }
}

/// S3.53, S3.54: only Super Admins remove people; a Member cannot, even one who shares apps.
#[tokio::test]
async fn s3_53_s3_54_a_member_cannot_remove_a_member() {
    let Hub { gateway, acme, alice, bob } = hub().await;
    let carol = gateway.member(&acme, "carol", "member").await;
    let help = gateway.app(&acme, "help_center", "help").await;
    for person in [&bob, &carol] {
        gateway.tick(&acme, person, help, "articles", None).await;
    }
    assert_eq!(remove(&bob, &carol).await.codes(), ["FORBIDDEN"]);
    let ask = "query($id: ID!) { organization(slug: \"acme\") { member(id: $id) { viewerCanRemove viewerCannotRemoveReasons { code remedy } } } }";
    let may = |answer: crate::support::gateway::Answer| answer.ok().at("organization.member").clone();
    let by_bob = may(bob.send(ask, json!({ "id": id_of(&carol) })).await);
    assert_eq!(by_bob["viewerCanRemove"], false);
    assert_eq!(by_bob["viewerCannotRemoveReasons"][0]["code"], "FORBIDDEN");
    assert_eq!(may(alice.send(ask, json!({ "id": id_of(&carol) })).await)["viewerCanRemove"], true);
    let oneself = may(alice.send(ask, json!({ "id": id_of(&alice) })).await);
    assert_eq!(oneself["viewerCanRemove"], false);
    let refused = remove(&alice, &alice).await;
    assert_eq!(remedies(&refused, "removeMember"), ["To go yourself, leave the organization."]);
    remove(&alice, &carol).await.ok();
    let other = gateway.organization("other", "support-hub", "business").await;
    let eve = gateway.member(&other, "eve", "super_admin").await;
    assert_eq!(remove(&eve, &bob).await.codes(), ["NOT_FOUND"]);
}

/// S3.73: whoever takes access away can have the person told.
#[tokio::test]
async fn s3_73_the_person_can_be_told() {
    let Hub { gateway, acme, alice, bob } = hub().await;
    let carol = gateway.member(&acme, "carol", "member").await;
    let quiet = remove(&alice, &carol).await.ok();
    assert_eq!((quiet.at("removeMember.notified"), gateway.mails().len()), (&json!(false), 0));
    let input = json!({ "member": id_of(&bob), "confirm": true, "notify": true });
    let told = alice.call("removeMember", input, "notified").await.ok();
    assert_eq!(told.at("removeMember.notified"), true);
    assert!(gateway.mails()[0].contains("To: bob@example.org"));
}

/// S3.71: a Member cannot promote themselves or anyone; a Super Admin can.
#[tokio::test]
async fn s3_71_only_a_super_admin_changes_roles() {
    for engines in Engines::ALL {
        let Hub { gateway: _serving, alice, bob, .. } = hub_on(engines).await;
        for (by, who) in [(&bob, &bob), (&bob, &alice)] {
            assert_eq!(change_role(by, who, "super_admin").await.codes(), ["FORBIDDEN"], "{engines:?}");
        }
        let raised = change_role(&alice, &bob, "super_admin").await.ok();
        assert_eq!(raised.at("changeMemberRole.member.roles"), &json!([{ "key": "super_admin" }]));
        let permissions = bob.ask("{ viewer { permissions } }").await.ok();
        assert!(permissions.at("viewer.permissions").to_string().contains("roles.assign"));
        let lowered = change_role(&bob, &alice, "member").await.ok();
        assert_eq!(lowered.at("changeMemberRole.member.roles"), &json!([{ "key": "member" }]));
        assert_eq!(change_role(&alice, &alice, "super_admin").await.codes(), ["FORBIDDEN"]);
    }
}

/// S3.1: the roles are not interchangeable: each has its own permissions, and one main role is held.
#[tokio::test]
async fn s3_1_two_roles_that_are_not_interchangeable() {
    let Hub { gateway: _serving, alice, bob, .. } = hub().await;
    let roles = "{ organization(slug: \"acme\") { roles { key label flag } } }";
    let answer = alice.ask(roles).await.ok();
    assert_eq!(
        answer.at("organization.roles.0"),
        &json!({ "key": "super_admin", "label": "Super Admin", "flag": false })
    );
    assert_eq!(answer.at("organization.roles.1"), &json!({ "key": "member", "label": "Member", "flag": false }));
    for (role, code) in [("nonsense", "NOT_IN_BLUEPRINT"), ("integration", "NOT_GRANTABLE"), ("", "NOT_IN_BLUEPRINT")] {
        assert_eq!(change_role(&alice, &bob, role).await.refusals("changeMemberRole"), [code], "{role}");
    }
    let flag = json!({ "member": id_of(&bob), "role": "super_admin" });
    assert_eq!(alice.call("addMemberRole", flag.clone(), "member { id }").await.refusals("addMemberRole"), ["INVALID"]);
    let main = json!({ "member": id_of(&bob), "role": "member" });
    assert_eq!(alice.call("removeMemberRole", main, "member { id }").await.refusals("removeMemberRole"), ["INVALID"]);
}

/// S3.78, Q26: the primary Super Admin is the longest-standing one, and the mark passes on.
#[tokio::test]
async fn s3_78_the_mark_of_the_primary_super_admin_passes_on() {
    for engines in Engines::DATABASES {
        let Hub { gateway, acme, alice, bob } = hub_on(engines).await;
        let carol = gateway.member(&acme, "carol", "super_admin").await;
        let ask = "{ organization(slug: \"acme\") { members { edges { node { name isPrimary } } } } }";
        let primary = async |person: &Person| {
            let answer = person.ask(ask).await.ok();
            let edges = answer.at("organization.members.edges").as_array().unwrap().clone();
            let marked = edges.iter().filter(|edge| edge["node"]["isPrimary"] == true);
            marked.map(|edge| edge["node"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(primary(&bob).await, ["alice"], "{engines:?}");
        alice.call("leaveOrganization", json!({ "confirm": true }), "left").await.ok();
        assert_eq!(primary(&carol).await, ["carol"]);
    }
}

/// Names are changed by those who may, and are names.
#[tokio::test]
async fn names_are_changed() {
    let Hub { gateway: _serving, alice, bob, .. } = hub().await;
    let update = async |by: &Person, changes: serde_json::Value| {
        let mut input = changes;
        input["member"] = json!(id_of(&bob));
        by.call("updateMember", input, "member { name firstName lastName }").await
    };
    let answer = update(&alice, json!({ "name": " Bob Ross ", "firstName": "Bob", "lastName": "Ross" })).await.ok();
    let expected = json!({ "name": "Bob Ross", "firstName": "Bob", "lastName": "Ross" });
    assert_eq!(answer.at("updateMember.member"), &expected);
    let answer = update(&alice, json!({ "lastName": "" })).await.ok();
    assert!(answer.at("updateMember.member.lastName").is_null());
    assert_eq!(answer.at("updateMember.member.firstName"), "Bob");
    let answer = update(&alice, json!({ "name": "", "firstName": "a\u{200b}" })).await;
    assert_eq!(fields(&answer, "updateMember"), ["name", "firstName"]);
    assert_eq!(update(&bob, json!({ "name": "King" })).await.codes(), ["FORBIDDEN"]);
}
