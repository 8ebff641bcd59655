//! Archive, restore, suspend, reactivate; and who holds a seat meanwhile (S2.23, S2.43, Q10, Q13, Q21, Q28).

use serde_json::json;

use super::suite::{Suite, archive, everywhere, held, id_of, invited, may, restore, step, suite, suite_on, tree};
use crate::support::{
    gateway::{Engines, Person},
    people::{expire, remedies},
};

async fn seats(person: &Person) -> (u64, u64) {
    let answer = person.ask("{ organization(slug: \"acme\") { seatUsage { used reserved } } }").await.ok();
    let usage = answer.at("organization.seatUsage.0");
    (usage["used"].as_u64().unwrap(), usage["reserved"].as_u64().unwrap())
}

/// S2.23, Q10: archive is how a user is removed: access goes at once, the row stays.
#[tokio::test]
async fn s2_23_q10_archive_is_how_a_user_is_removed() {
    for engines in Engines::ALL {
        let suite = suite_on(engines, "agency").await;
        let Suite { gateway, acme, alice, carol, bob, crm, .. } = &suite;
        gateway.tick(acme, bob, *crm, "contacts", None).await;
        assert_eq!(may(bob, *crm).await.len(), 1, "{engines:?}");
        let unsure = carol.call("removeMember", json!({ "member": id_of(bob), "confirm": false }), "removed").await;
        assert_eq!(unsure.refusals("removeMember"), ["NOT_CONFIRMED"]);
        archive(carol, bob).await.ok();
        let after = bob.ask("{ viewer { organization { slug } permissions } }").await.ok();
        assert!(after.at("viewer.organization").is_null(), "{engines:?}: {}", after.text);
        assert_eq!(held(gateway, bob.member.unwrap()).await, Vec::<String>::new());
        let row = alice.send(
            "query($id: ID!) { node(id: $id) { ... on Member { state roles { key } user { id } } } }",
            json!({ "id": id_of(bob) }),
        );
        assert_eq!(row.await.ok().at("node"), &json!({ "state": "ARCHIVED", "roles": [], "user": null }));
        assert_eq!(archive(carol, alice).await.refusals("removeMember")[0], "NOT_GRANTABLE");
        assert_eq!(archive(bob, carol).await.codes(), ["NOT_FOUND"]);
    }
}

/// S2.43, Q21: an archived user holds no seat, can be restored with roles and access given anew, and needs a free seat.
#[tokio::test]
async fn a17_s2_43_q21_restoring_gives_anew_and_needs_a_seat() {
    for engines in Engines::DATABASES {
        let suite = suite_on(engines, "starter").await;
        let Suite { gateway, acme, alice, carol, bob, crm, .. } = &suite;
        gateway.tick(acme, bob, *crm, "deals", None).await;
        assert_eq!(seats(alice).await, (3, 0), "{engines:?}");
        archive(alice, bob).await.ok();
        assert_eq!(seats(alice).await, (2, 0), "archived users hold none");
        invited(alice, "dave", json!({})).await;
        assert_eq!(seats(alice).await, (2, 1));
        let full = restore(alice, bob, json!({})).await;
        assert_eq!(full.refusals("restoreMember"), ["SEAT_LIMIT"]);
        assert!(remedies(&full, "restoreMember")[0].contains("Business"));
        expire(gateway).await;
        everywhere(&suite, carol, ("crm", "contacts", None)).await;
        let back = restore(carol, bob, json!({ "role": "user" })).await.ok();
        assert_eq!(back.at("restoreMember.member.state"), "ACTIVE");
        assert_eq!(held(gateway, bob.member.unwrap()).await, ["* crm.contacts"], "nothing of before comes back");
        assert_eq!(seats(alice).await, (3, 0));
        assert_eq!(may(bob, *crm).await, ["contacts: view edit delete export"]);
        assert_eq!(restore(alice, bob, json!({})).await.refusals("restoreMember"), ["STATE_CHANGED"]);
        let entries = "SELECT count(*) FROM activity_entry WHERE action = 'member.restored'";
        assert_eq!(gateway.database.count(entries).await, 1);
    }
}

/// S2.43: restoring is under the rules of an invitation.
#[tokio::test]
async fn s2_43_restoring_is_bounded_like_inviting() {
    let suite = suite().await;
    let Suite { gateway, acme, alice, carol, bob, crm, .. } = &suite;
    archive(alice, bob).await.ok();
    assert_eq!(restore(carol, bob, json!({ "role": "owner" })).await.refusals("restoreMember")[0], "NOT_GRANTABLE");
    let beyond = json!({ "role": "user", "access": tree(&[(*crm, &["deals"])]) });
    assert_eq!(restore(carol, bob, beyond).await.codes(), ["NOT_FOUND"], "an app that the admin does not see");
    let erin = gateway.member(acme, "erin", "user").await;
    gateway.settle().await;
    assert_eq!(restore(&erin, bob, json!({})).await.codes(), ["FORBIDDEN"]);
    assert_eq!(restore(bob, bob, json!({})).await.codes(), ["NOT_FOUND"]);
    // Invited again meanwhile.
    let again = invited(alice, "bob", json!({})).await;
    let twice = restore(alice, bob, json!({})).await;
    assert_eq!(twice.refusals("restoreMember"), ["ALREADY_MEMBER"]);
    let menu =
        "query($id: ID!) { organization(slug: \"acme\") { member(id: $id) { viewerCanRestore viewerCanRemove } } }";
    let offered = alice.send(menu, json!({ "id": id_of(bob) })).await.ok();
    assert_eq!(offered.at("organization.member"), &json!({ "viewerCanRestore": false, "viewerCanRemove": false }));
    let fresh = alice.send(menu, json!({ "id": crate::support::people::member_id(again) })).await.ok();
    assert_eq!(fresh.at("organization.member.viewerCanRestore"), false);
}

/// S2.43: only the account that has proven the address comes back: an account opened since then with it does not.
#[tokio::test]
async fn s2_43_only_a_proven_account_comes_back() {
    let suite = suite().await;
    let Suite { gateway, alice, bob, .. } = &suite;
    archive(alice, bob).await.ok();
    let sql = "UPDATE user_account SET email_verified_at = NULL WHERE id = $1";
    gateway.database.run(sql, [bob.user.into()]).await.unwrap();
    let refused = restore(alice, bob, json!({})).await;
    assert_eq!(refused.refusals("restoreMember"), ["MISSING"]);
    assert_eq!(remedies(&refused, "restoreMember"), ["Invite the person again."]);
}

/// Q28: a suspended user may do nothing and holds no seat; coming back needs one.
#[tokio::test]
async fn q28_suspended_members_hold_no_seat_and_need_one_to_come_back() {
    for engines in Engines::ALL {
        let suite = suite_on(engines, "starter").await;
        let Suite { gateway, acme, alice, carol, bob, crm, .. } = &suite;
        gateway.tick(acme, bob, *crm, "contacts", None).await;
        assert_eq!(may(bob, *crm).await.len(), 1);
        assert_eq!(step(carol, bob, "suspendMember").await.ok().at("suspendMember.member.state"), "SUSPENDED");
        assert_eq!(
            bob.ask("{ viewer { permissions } }").await.ok().at("viewer.permissions"),
            &json!([]),
            "{engines:?}"
        );
        assert_eq!(may(bob, *crm).await, Vec::<String>::new());
        assert_eq!(seats(alice).await, (2, 0));
        assert_eq!(step(carol, bob, "suspendMember").await.refusals("suspendMember"), ["STATE_CHANGED"]);
        invited(alice, "dave", json!({})).await;
        let full = step(carol, bob, "reactivateMember").await;
        assert_eq!(full.refusals("reactivateMember"), ["SEAT_LIMIT"]);
        let ask = "query($id: ID!) { organization(slug: \"acme\") { member(id: $id) {
            viewerCanReactivate viewerCannotReactivateReasons { code } } } }";
        let told = carol.send(ask, json!({ "id": id_of(bob) })).await.ok();
        let reasons =
            json!({ "viewerCanReactivate": false, "viewerCannotReactivateReasons": [{ "code": "SEAT_LIMIT" }] });
        assert_eq!(told.at("organization.member"), &reasons, "{engines:?}");
        expire(gateway).await;
        step(carol, bob, "reactivateMember").await.ok();
        assert_eq!(may(bob, *crm).await.len(), 1, "with what it kept");
        assert_eq!(step(carol, bob, "reactivateMember").await.refusals("reactivateMember"), ["STATE_CHANGED"]);
        assert_eq!(seats(alice).await, (3, 0));
    }
}

/// Q13: nobody suspends themselves, the last holder, or somebody whose roles are not theirs to take.
#[tokio::test]
async fn q13_who_cannot_be_suspended() {
    let Suite { gateway: _serving, alice, carol, bob, .. } = suite().await;
    let own = step(&carol, &carol, "suspendMember").await;
    assert_eq!(own.refusals("suspendMember"), ["INVALID"]);
    assert_eq!(step(&carol, &alice, "suspendMember").await.refusals("suspendMember"), ["NOT_GRANTABLE"]);
    assert_eq!(step(&bob, &carol, "suspendMember").await.codes(), ["FORBIDDEN"]);
    let invited = invited(&alice, "dave", json!({})).await;
    let pending = json!({ "member": crate::support::people::member_id(invited) });
    assert_eq!(
        alice.call("suspendMember", pending, "member { id }").await.refusals("suspendMember"),
        ["STATE_CHANGED"]
    );
}
