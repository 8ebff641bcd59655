//! Roles, owners and seats: C1, C2, C3, C6, C8, C10, C11, C12.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant, scale},
    people::member_id,
};

struct Account {
    gateway: Gateway,
    acme: Tenant,
    alice: Person,
    carol: Person,
    bob: Person,
}

/// alice owns, carol is an admin, bob a user.
async fn account(engines: Engines, plan: &str) -> Account {
    let gateway = Gateway::on(engines).await;
    let acme = gateway.organization("acme", "business-suite", plan).await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let carol = gateway.member(&acme, "carol", "admin").await;
    let bob = gateway.member(&acme, "bob", "user").await;
    gateway.settle().await;
    Account { gateway, acme, alice, carol, bob }
}

fn id_of(person: &Person) -> String {
    member_id(person.member.unwrap())
}

async fn try_role(by: &Person, who: &Person, role: &str) -> Vec<Answer> {
    let member = id_of(who);
    vec![
        by.call("changeMemberRole", json!({ "member": member, "role": role }), "member { id }").await,
        by.call("updateMember", json!({ "member": member, "role": role }), "member { id }").await,
    ]
}

/// The roles of everybody, sorted.
async fn roles(gateway: &Gateway) -> Vec<String> {
    let sql = "SELECT m.name, g.role FROM access_grant g JOIN member m ON m.id = g.grantee_id WHERE g.role IS NOT NULL";
    let rows = gateway.database.rows(sql, []).await;
    let text = |row: &sea_orm::QueryResult, column| row.try_get::<String>("", column).unwrap();
    let mut roles: Vec<String> =
        rows.iter().map(|row| format!("{} {}", text(row, "name"), text(row, "role"))).collect();
    roles.sort();
    roles
}

/// C1: nobody makes themselves owner, by whatever door.
#[tokio::test]
async fn c1_nobody_sets_their_own_role_to_owner() {
    let Account { gateway, alice: _, carol, bob, .. } = account(Engines::Embedded, "agency").await;
    let before = roles(&gateway).await;
    for answer in try_role(&bob, &bob, "owner").await {
        assert_eq!(answer.codes(), ["FORBIDDEN"]);
    }
    for answer in try_role(&carol, &carol, "owner").await {
        let refused = [answer.refusals("changeMemberRole"), answer.refusals("updateMember")].concat();
        assert_eq!(refused, ["NOT_GRANTABLE"], "{}", answer.text);
    }
    let grant = json!({ "grantee": { "member": id_of(&carol) }, "gives": { "role": "owner" } });
    assert_eq!(carol.call("grantAccess", grant, "grant { id }").await.refusals("grantAccess").len(), 1);
    let take = json!({ "role": "owner", "member": id_of(&carol), "confirm": true });
    assert!(!carol.call("transferRole", take, "to { id }").await.refusals("transferRole").is_empty());
    assert_eq!(roles(&gateway).await, before);
}

/// C2: an admin makes nobody else owner, not even whom it invites or brings back.
#[tokio::test]
async fn c2_an_admin_promotes_nobody_to_owner() {
    let Account { gateway, alice, carol, bob, .. } = account(Engines::Embedded, "agency").await;
    for answer in try_role(&carol, &bob, "owner").await {
        let refused = [answer.refusals("changeMemberRole"), answer.refusals("updateMember")].concat();
        assert_eq!(refused, ["NOT_GRANTABLE"], "{}", answer.text);
    }
    let invite = json!({ "email": "dave@example.org", "firstName": "D", "lastName": "E", "role": "owner" });
    assert_eq!(carol.call("inviteMember", invite, "member { id }").await.refusals("inviteMember")[0], "NOT_GRANTABLE");
    alice.call("removeMember", json!({ "member": id_of(&bob), "confirm": true }), "removed").await.ok();
    let back = json!({ "member": id_of(&bob), "role": "owner" });
    assert_eq!(carol.call("restoreMember", back, "member { id }").await.refusals("restoreMember")[0], "NOT_GRANTABLE");
    assert_eq!(roles(&gateway).await, ["alice owner", "carol admin"]);
}

/// C3: members do not remove, suspend or edit admins, and admins not the owner.
#[tokio::test]
async fn c3_nobody_removes_those_above_them() {
    let Account { gateway, alice, carol, bob, .. } = account(Engines::Embedded, "agency").await;
    let cases = [
        ("removeMember", json!({ "confirm": true })),
        ("suspendMember", json!({})),
        ("changeMemberRole", json!({ "role": "user" })),
    ];
    for (mutation, mut input) in cases {
        input["member"] = json!(id_of(&carol));
        assert_eq!(bob.call(mutation, input.clone(), "__typename").await.codes(), ["FORBIDDEN"], "{mutation}");
        input["member"] = json!(id_of(&alice));
        let refused = carol.call(mutation, input, "__typename").await;
        assert_eq!(refused.refusals(mutation), ["NOT_GRANTABLE"], "{mutation}: {}", refused.text);
    }
    assert_eq!(roles(&gateway).await, ["alice owner", "bob user", "carol admin"]);
}

/// C6: whoever goes, nobody is promoted by it.
#[tokio::test]
async fn c6_who_goes_promotes_nobody() {
    let gateway = Gateway::sqlite().await;
    let hub = gateway.organization("hub", "support-hub", "enterprise").await;
    let alice = gateway.member(&hub, "alice", "super_admin").await;
    let dave = gateway.member(&hub, "dave", "super_admin").await;
    gateway.member(&hub, "bob", "member").await;
    gateway.settle().await;
    alice.call("leaveOrganization", json!({ "confirm": true }), "left").await.ok();
    assert_eq!(roles(&gateway).await, ["bob member", "dave super_admin"]);
    let sql = "DELETE FROM user_account WHERE id = $1";
    gateway.database.run(sql, [alice.user.into()]).await.unwrap();
    let last = dave.call("leaveOrganization", json!({ "confirm": true }), "left").await;
    assert_eq!(last.refusals("leaveOrganization"), ["LAST_HOLDER"]);
    assert_eq!(roles(&gateway).await, ["bob member", "dave super_admin"]);
}

async fn seats(person: &Person) -> u64 {
    let answer = person.ask("{ organization(slug: \"acme\") { seatUsage { used reserved } } }").await.ok();
    let usage = answer.at("organization.seatUsage.0");
    usage["used"].as_u64().unwrap() + usage["reserved"].as_u64().unwrap()
}

/// C8: one seat left, and many come back at once, reactivated and restored: one does.
#[tokio::test]
async fn c8_one_free_seat_is_taken_once() {
    for engines in Engines::DATABASES {
        for _ in 0..scale() {
            let Account { gateway, acme, alice, bob, .. } = account(engines, "agency").await;
            let mut waiting = vec![("suspendMember", "reactivateMember", bob)];
            for number in 0..8 {
                let person = gateway.member(&acme, &format!("guest-{number}"), "user").await;
                let (away, back) = if number % 2 == 0 {
                    ("suspendMember", "reactivateMember")
                } else {
                    ("removeMember", "restoreMember")
                };
                waiting.push((away, back, person));
            }
            gateway.settle().await;
            for (away, _, person) in &waiting {
                let mut input = json!({ "member": id_of(person) });
                if *away == "removeMember" {
                    input["confirm"] = json!(true);
                }
                alice.call(away, input, "__typename").await.ok();
            }
            alice.call("changePlan", json!({ "plan": "starter" }), "organization { id }").await.ok();
            assert_eq!(seats(&alice).await, 2, "{engines:?}");
            let back = waiting.iter().map(|(_, back, person)| {
                let alice = alice.clone();
                async move {
                    alice.call(back, json!({ "member": id_of(person) }), "__typename").await.refusals(back).is_empty()
                }
            });
            let came = join_all(back).await.into_iter().filter(|came| *came).count();
            assert_eq!((came, seats(&alice).await), (1, 3), "{engines:?}");
        }
    }
}

/// C10: a limit below what is used drops nobody and lets nobody in.
#[tokio::test]
async fn c10_a_lowered_limit_drops_nobody_and_lets_nobody_in() {
    let Account { gateway, acme, alice, bob, .. } = account(Engines::Embedded, "agency").await;
    for number in 0..3 {
        gateway.member(&acme, &format!("guest-{number}"), "user").await;
    }
    gateway.settle().await;
    alice.call("suspendMember", json!({ "member": id_of(&bob) }), "__typename").await.ok();
    alice.call("changePlan", json!({ "plan": "starter" }), "organization { id }").await.ok();
    assert_eq!(seats(&alice).await, 5, "nobody is dropped");
    let invite = json!({ "email": "dave@example.org", "firstName": "D", "lastName": "E" });
    assert_eq!(alice.call("inviteMember", invite, "__typename").await.refusals("inviteMember"), ["SEAT_LIMIT"]);
    let back = alice.call("reactivateMember", json!({ "member": id_of(&bob) }), "__typename").await;
    assert_eq!(back.refusals("reactivateMember"), ["SEAT_LIMIT"]);
    assert_eq!(seats(&alice).await, 5);
}

/// C11: a seat is freed once: suspended, then archived, it is counted from the rows.
#[tokio::test]
async fn c11_a_seat_is_freed_once() {
    let Account { gateway: _serving, alice, bob, .. } = account(Engines::Embedded, "starter").await;
    let bob_id = id_of(&bob);
    let steps: [(&str, Value, u64); 4] = [
        ("suspendMember", json!({ "member": bob_id }), 2),
        ("removeMember", json!({ "member": bob_id, "confirm": true }), 2),
        ("restoreMember", json!({ "member": bob_id }), 3),
        ("removeMember", json!({ "member": bob_id, "confirm": true }), 2),
    ];
    for (mutation, input, expected) in steps {
        alice.call(mutation, input.clone(), "__typename").await.ok();
        assert_eq!(seats(&alice).await, expected, "{mutation}");
        // Once more frees or takes nothing more.
        alice.call(mutation, input, "__typename").await;
        assert_eq!(seats(&alice).await, expected, "{mutation} again");
    }
}

/// C12: an input has the fields it is described with, and no others.
#[tokio::test]
async fn c12_inputs_take_no_fields_of_the_rows() {
    let Account { gateway, alice, bob, .. } = account(Engines::Embedded, "agency").await;
    let before = roles(&gateway).await;
    let strays =
        ["state", "userId", "organizationId", "ownerId", "seatLimit", "verified", "emailVerifiedAt", "permissions"];
    let inputs = [
        ("inviteMember", json!({ "email": "dave@example.org", "firstName": "D", "lastName": "E" })),
        ("updateMember", json!({ "member": id_of(&bob), "name": "B" })),
        ("restoreMember", json!({ "member": id_of(&bob) })),
        ("suspendMember", json!({ "member": id_of(&bob) })),
        ("updateUser", json!({ "name": "A" })),
        ("createOrganization", json!({ "name": "N", "slug": "n", "blueprint": "business-suite" })),
    ];
    for (mutation, input) in inputs {
        for stray in strays {
            let mut input = input.clone();
            input[stray] = json!("x");
            let answer = alice.call(mutation, input, "__typename").await;
            assert!(!answer.codes().is_empty(), "{mutation} took `{stray}`: {}", answer.text);
        }
    }
    assert_eq!(roles(&gateway).await, before);
    assert_eq!(gateway.database.count("SELECT count(*) FROM organization").await, 1);
}
