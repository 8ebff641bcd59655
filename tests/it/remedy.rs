//! What a refusal says to do: true of whoever is told it, an owner and a program too.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    role::{Desk, desk},
    support::{
        gateway::{Answer, Gateway, Person},
        people::{app_id, fields, invite_with, member_id, remedies},
    },
};

/// The only refusal: its code, field and remedy.
fn told<'a>(answer: &'a Answer, mutation: &str) -> (Vec<&'a str>, String, String) {
    (answer.refusals(mutation), fields(answer, mutation).join(" "), remedies(answer, mutation).join(" "))
}

async fn grant(by: &Person, grantee: Value, (gives, app): (Value, Option<Uuid>)) -> Answer {
    let input = json!({ "grantee": grantee, "gives": gives, "app": app.map(app_id) });
    by.call("grantAccess", input, "grant { id }").await
}

fn to(who: &Person) -> Value {
    json!({ "member": member_id(who.member.unwrap()) })
}

/// S2.28, S2.29: an owner, who holds everything, is not sent to somebody who holds more: nobody gives that role.
#[tokio::test]
async fn s2_28_s2_29_an_owner_is_told_what_stands_in_the_way() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "business-suite", "agency").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let bob = gateway.member(&acme, "bob", "admin").await;
    let carol = gateway.member(&acme, "carol", "user").await;
    gateway.settle().await;
    let become_owner = json!({ "member": member_id(bob.member.unwrap()), "role": "owner" });
    let refused = alice.call("changeMemberRole", become_owner, "member { id }").await;
    let expected = (vec!["NOT_GRANTABLE"], "role".to_owned(), "Nobody gives or takes this role.".to_owned());
    assert_eq!(told(&refused, "changeMemberRole"), expected);
    // Who may give what the author may not is named by role.
    let auditor = json!({ "member": member_id(carol.member.unwrap()), "role": "auditor" });
    let refused = bob.call("addMemberRole", auditor, "member { id }").await;
    assert_eq!(remedies(&refused, "addMemberRole"), ["Ask somebody with the role Owner."]);
}

/// S1.15, S1.16: what roles alone open is given by roles, and the refusal names those that open it.
#[tokio::test]
async fn s1_15_s1_16_an_owner_is_told_which_roles_open_a_feature() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "event-apps", "starter").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let fair = gateway.app(&acme, "event_app", "fair").await;
    gateway.settle().await;
    let feed = json!({ "feature": { "kind": "event_app", "feature": "news_feed" } });
    let refused = grant(&alice, to(&bob), (feed, Some(fair))).await;
    let remedy = "Give a role instead. Choose one of `app_manager`, `editor`.".to_owned();
    assert_eq!(told(&refused, "grantAccess"), (vec!["NOT_GRANTABLE"], "gives.feature.feature".to_owned(), remedy));
}

/// An unknown flag is answered with the flags there are, wherever it is named; never with main roles.
#[tokio::test]
async fn an_unknown_flag_names_the_flags_there_are() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "business-suite", "agency").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let bob = gateway.member(&acme, "bob", "user").await;
    gateway.settle().await;
    let one = "Choose one of `auditor`.".to_owned();
    let flag = json!({ "member": member_id(bob.member.unwrap()), "role": "king" });
    let refused = alice.call("addMemberRole", flag, "member { id }").await;
    assert_eq!(told(&refused, "addMemberRole"), (vec!["NOT_IN_BLUEPRINT"], "role".to_owned(), one.clone()));
    let edit = json!({ "member": member_id(bob.member.unwrap()), "flags": ["auditor", "king"] });
    let refused = alice.call("updateMember", edit, "member { id }").await;
    assert_eq!(told(&refused, "updateMember"), (vec!["NOT_IN_BLUEPRINT"], "flags.1".to_owned(), one.clone()));
    // One for programs is no more of a person's.
    let program = json!({ "member": member_id(bob.member.unwrap()), "role": "integration" });
    let refused = alice.call("addMemberRole", program, "member { id }").await;
    assert_eq!(told(&refused, "addMemberRole"), (vec!["NOT_GRANTABLE"], "role".to_owned(), one));
    // Where there are none, that is what is said.
    let hub = gateway.organization("hub", "support-hub", "enterprise").await;
    let sue = gateway.member(&hub, "sue", "super_admin").await;
    gateway.settle().await;
    let refused = invite_with(&sue, json!({ "email": "x@example.org", "flags": ["king"] })).await;
    assert_eq!(remedies(&refused, "inviteMember"), ["Leave it out: there is no role beside a main one."]);
}

/// A level that a feature does not have is refused at the level, with those it has.
#[tokio::test]
async fn a_bad_level_names_the_levels_there_are() {
    let Desk { gateway, tenant, alice, board } = desk().await;
    let bob = gateway.member(&tenant, "bob", "member").await;
    gateway.settle().await;
    let cards = |level: Value| json!({ "feature": { "kind": "board", "feature": "cards", "level": level } });
    let levels = "Choose one of `read`, `write`, `admin`.".to_owned();
    for (level, app) in [(json!("rite"), Some(board)), (Value::Null, Some(board)), (json!("rite"), None)] {
        let refused = grant(&alice, to(&bob), (cards(level.clone()), app)).await;
        let expected = (vec!["NOT_IN_BLUEPRINT"], "gives.feature.level".to_owned(), levels.clone());
        assert_eq!(told(&refused, "grantAccess"), expected, "{level} {app:?}");
    }
    let reports = json!({ "feature": { "kind": "board", "feature": "reports", "level": "read" } });
    let refused = grant(&alice, to(&bob), (reports, Some(board))).await;
    let leave_out = "Leave the level out.".to_owned();
    assert_eq!(told(&refused, "grantAccess"), (vec!["NOT_IN_BLUEPRINT"], "gives.feature.level".to_owned(), leave_out));
    // A feature that there is not is refused at the feature.
    let none = json!({ "feature": { "kind": "board", "feature": "card", "level": "read" } });
    let refused = grant(&alice, to(&bob), (none, Some(board))).await;
    let features = "Apps of kind Board have the features `cards`, `reports`.".to_owned();
    assert_eq!(told(&refused, "grantAccess"), (vec!["NOT_IN_BLUEPRINT"], "gives.feature.feature".to_owned(), features));
}

/// A program has no main role to change, and is not given those of people.
#[tokio::test]
async fn a_program_is_not_told_of_a_members_role() {
    let Desk { gateway, tenant, alice, board } = desk().await;
    let made = alice.call("createServiceAccount", json!({ "name": "Robot" }), "serviceAccount { id }").await.ok();
    let robot = json!({ "serviceAccount": made.at("createServiceAccount.serviceAccount.id") });
    let refused = grant(&alice, robot.clone(), (json!({ "role": "program" }), Some(board))).await;
    let leave_out = "Leave the app out: the role is held in the organization.".to_owned();
    assert_eq!(told(&refused, "grantAccess"), (vec!["WRONG_LEVEL"], "gives.role".to_owned(), leave_out));
    let there = json!({ "name": "Other", "role": "program", "app": app_id(board) });
    let refused = alice.call("createServiceAccount", there, "serviceAccount { id }").await;
    assert_eq!(refused.refusals("createServiceAccount"), ["WRONG_LEVEL"]);
    let remedy = "Leave the app out: the role is held in the organization.";
    assert_eq!(remedies(&refused, "createServiceAccount"), [remedy]);
    for (role, code) in [("king", "NOT_IN_BLUEPRINT"), ("member", "NOT_GRANTABLE")] {
        let other = json!({ "name": "Other", "role": role });
        let refused = alice.call("createServiceAccount", other, "serviceAccount { id }").await;
        let expected = (vec![code], "role".to_owned(), "Choose one of `program`.".to_owned());
        assert_eq!(told(&refused, "createServiceAccount"), expected, "{role}");
    }
    // A person is told to have the role in the organization, as before.
    let bob = gateway.member(&tenant, "bob", "member").await;
    gateway.settle().await;
    let refused = grant(&alice, to(&bob), (json!({ "role": "lead" }), Some(board))).await;
    assert_eq!(remedies(&refused, "grantAccess"), ["Change the member's role in the organization instead."]);
}
