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
    let remedy = "Give a role instead. Choose one of `editor`, `app_manager`.".to_owned();
    assert_eq!(told(&refused, "grantAccess"), (vec!["NOT_GRANTABLE"], "gives.feature.feature".to_owned(), remedy));
}

/// S1.15, S1.16, S1.28: a saved tree and an invitation's are refused with the same words as a single grant, the narrowest role first.
#[tokio::test]
async fn s1_15_s1_16_s1_28_a_tree_tells_which_roles_open_a_feature() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "event-apps", "starter").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let fair = gateway.app(&acme, "event_app", "fair").await;
    gateway.settle().await;
    let feature = |key: &str| json!([{ "app": app_id(fair), "features": [{ "feature": key }] }]);
    for (key, remedy) in [
        ("news_feed", "Give a role instead. Choose one of `editor`, `app_manager`."),
        ("builder", "Give a role instead. Choose one of `app_manager`."),
    ] {
        let expected = (vec!["NOT_GRANTABLE"], "access.0.features.0.feature".to_owned(), remedy.to_owned());
        let save = json!({ "member": member_id(bob.member.unwrap()), "access": feature(key) });
        let refused = alice.call("updateMemberAccess", save, "member { id }").await;
        assert_eq!(told(&refused, "updateMemberAccess"), expected);
        let refused = invite_with(&alice, json!({ "email": "x@example.org", "access": feature(key) })).await;
        assert_eq!(told(&refused, "inviteMember"), expected);
    }
}

/// What a bounded author does not hold is refused in a tree with what to do about it.
#[tokio::test]
async fn a_tree_beyond_its_author_says_whom_to_ask() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "business-suite", "agency").await;
    let carol = gateway.member(&acme, "carol", "admin").await;
    let bob = gateway.member(&acme, "bob", "user").await;
    let crm = gateway.app(&acme, "crm", "crm").await;
    gateway.tick(&acme, &carol, crm, "contacts", None).await;
    gateway.settle().await;
    let deals = json!([{ "app": app_id(crm), "features": [{ "feature": "deals" }] }]);
    let save = json!({ "member": member_id(bob.member.unwrap()), "access": deals });
    let refused = carol.call("updateMemberAccess", save, "member { id }").await;
    let ask = "Ask somebody who holds what is to be given.".to_owned();
    let field = "access.0.features.0.feature".to_owned();
    assert_eq!(told(&refused, "updateMemberAccess"), (vec!["NOT_GRANTABLE"], field, ask));
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

/// S1.20, S1.29: what a role builds on is got by changing the main role, where it is one; who holds as much already is told so.
#[tokio::test]
async fn s1_20_s1_29_what_a_role_builds_on_is_named_for_this_very_member() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "event-apps", "starter").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let carol = gateway.member(&acme, "carol", "owner").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let fair = gateway.app(&acme, "event_app", "fair").await;
    gateway.settle().await;
    for (who, remedy) in [
        (&carol, "Leave it out: the role Owner gives the member as much already."),
        (&alice, "Leave it out: the role Owner gives the member as much already."),
        (&bob, "Change the member's role Member to Admin first."),
    ] {
        let refused = grant(&alice, to(who), (json!({ "role": "app_manager" }), Some(fair))).await;
        let expected = (vec!["PREREQUISITE"], "gives.role".to_owned(), remedy.to_owned());
        assert_eq!(told(&refused, "grantAccess"), expected);
    }
}

/// S2.28, S2.41: the one owner of an account stays, whatever is tried; nothing is advised that cannot be done.
#[tokio::test]
async fn s2_28_s2_41_a_role_that_goes_to_nobody_stays_where_it_is() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "business-suite", "agency").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let carol = gateway.member(&acme, "carol", "admin").await;
    gateway.settle().await;
    let refused = alice.call("leaveOrganization", json!({ "confirm": true }), "left").await;
    assert_eq!(told(&refused, "leaveOrganization"), (vec!["LAST_HOLDER"], String::new(), String::new()));
    let message = "this is the only Owner, and there must be one: the role stays where it is";
    assert_eq!(refused.at("leaveOrganization.userErrors.0.message"), message);
    let down = json!({ "member": member_id(alice.member.unwrap()), "role": "admin" });
    let refused = alice.call("changeMemberRole", down, "member { id }").await;
    assert_eq!(told(&refused, "changeMemberRole"), (vec!["NOT_GRANTABLE"], "role".to_owned(), String::new()));
    let message = "nobody changes their own role Owner: the role stays where it is";
    assert_eq!(refused.at("changeMemberRole.userErrors.0.message"), message);
    // Beforehand the same is said, to the owner and to others, and nothing besides.
    let ask = "query($id: ID!) { node(id: $id) { ... on Member { viewerCannotChangeRoleReasons { code message remedy }
        viewerCannotRemoveReasons { code } viewerCannotSuspendReasons { code } } } }";
    let own = alice.send(ask, json!({ "id": member_id(alice.member.unwrap()) })).await.ok();
    let reasons = json!([{ "code": "NOT_GRANTABLE", "message": message, "remedy": null }]);
    assert_eq!(own.at("node.viewerCannotChangeRoleReasons"), &reasons);
    let seen = carol.send(ask, json!({ "id": member_id(alice.member.unwrap()) })).await.ok();
    for list in ["viewerCannotRemoveReasons", "viewerCannotSuspendReasons"] {
        assert_eq!(seen.at("node")[list], json!([{ "code": "NOT_GRANTABLE" }]), "{list}");
    }
}

/// S4.19: an invitation that names a role of the organization for an app is told where it belongs, and which roles there are there.
#[tokio::test]
async fn s4_19_a_role_of_the_organization_is_not_for_an_app() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "event-apps", "starter").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let fair = gateway.app(&acme, "event_app", "fair").await;
    let hub = gateway.organization("hub", "support-hub", "enterprise").await;
    let sue = gateway.member(&hub, "sue", "super_admin").await;
    let desk = gateway.app(&hub, "customer_service", "desk").await;
    gateway.settle().await;
    let input = |app: Uuid, role: &str| json!({ "email": "x@example.org", "role": "member", "appRoles": [{ "app": app_id(app), "role": role }] });
    let refused = invite_with(&alice, input(fair, "admin")).await;
    let remedy = "Name it in `role` or `roles` instead. On the app: choose one of `verifier`, `editor`, `moderator`, `poll_host`, `app_manager`.";
    let expected = (vec!["WRONG_LEVEL"], "appRoles.0.role".to_owned(), remedy.to_owned());
    assert_eq!(told(&refused, "inviteMember"), expected);
    let refused = invite_with(&sue, input(desk, "super_admin")).await;
    let remedy = remedies(&refused, "inviteMember");
    assert!(
        remedy[0].starts_with("Name it in `role` or `roles` instead: no role is held on apps of kind "),
        "{remedy:?}"
    );
}

/// Whoever sends an invitation on, that gives what is not the sender's to give, is told whom to ask.
#[tokio::test]
async fn an_invitation_that_gives_more_is_sent_by_who_holds_it() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "business-suite", "agency").await;
    let alice = gateway.member(&acme, "alice", "owner").await;
    let carol = gateway.member(&acme, "carol", "admin").await;
    let crm = gateway.app(&acme, "crm", "crm").await;
    gateway.settle().await;
    let deals = json!([{ "app": app_id(crm), "features": [{ "feature": "deals" }] }]);
    let names =
        json!({ "email": "x@example.org", "firstName": "Xena", "lastName": "Ito", "role": "user", "access": deals });
    let invited = invite_with(&alice, names).await.ok();
    let ask = "Ask somebody who holds what the invitation gives to send it.".to_owned();
    let edit = json!({ "member": invited.at("inviteMember.member.id"), "email": "y@example.org" });
    let refused = carol.call("updateMember", edit, "member { id }").await;
    assert_eq!(told(&refused, "updateMember"), (vec!["NOT_GRANTABLE"], "email".to_owned(), ask.clone()));
    let again = json!({ "invitation": invited.at("inviteMember.invitation.id") });
    let refused = carol.call("resendInvitation", again, "mailSent").await;
    assert_eq!(told(&refused, "resendInvitation"), (vec!["NOT_GRANTABLE"], "invitation".to_owned(), ask));
}
