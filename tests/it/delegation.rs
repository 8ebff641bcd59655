//! Bounded delegation and the rules of people that a blueprint can set otherwise than the ones in the box.

use serde_json::{Value, json};

use crate::support::{
    gateway::{Answer, Gateway, Person, Tenant},
    people::{accept, app_id, count, fields, invite_with, member_id, newest_token, remedies},
};

const AGENCY: &str = include_str!("cases/agency.toml");

struct Agency {
    gateway: Gateway,
    tenant: Tenant,
    alice: Person,
}

async fn agency() -> Agency {
    let gateway = Gateway::sqlite().await;
    gateway.service.install_blueprint(AGENCY).await.unwrap();
    let tenant = gateway.organization("acme", "agency", "open").await;
    let alice = gateway.member(&tenant, "alice", "owner").await;
    Agency { gateway, tenant, alice }
}

fn named(email: &str, role: &str) -> Value {
    json!({ "email": email, "firstName": "Carol", "lastName": "King", "role": role })
}

async fn change_role(by: &Person, who: &Person, role: &str) -> Answer {
    let input = json!({ "member": member_id(who.member.unwrap()), "role": role });
    by.call("changeMemberRole", input, "member { roles { key } }").await
}

async fn remove(by: &Person, who: &Person) -> Answer {
    let input = json!({ "member": member_id(who.member.unwrap()), "confirm": true });
    by.call("removeMember", input, "removed").await
}

/// C1, S3.71: whoever may raise others to a role above its own never raises itself to it.
#[tokio::test]
async fn nobody_raises_themselves() {
    let Agency { gateway, tenant, alice } = agency().await;
    let bob = gateway.member(&tenant, "bob", "manager").await;
    let carol = gateway.member(&tenant, "carol", "member").await;
    let refused = change_role(&bob, &bob, "owner").await;
    assert_eq!(refused.refusals("changeMemberRole"), ["NOT_GRANTABLE"]);
    assert_eq!(remedies(&refused, "changeMemberRole"), ["Ask somebody else who may give it."]);
    let flag = json!({ "member": member_id(bob.member.unwrap()), "role": "auditor" });
    assert_eq!(
        bob.call("addMemberRole", flag.clone(), "member { id }").await.refusals("addMemberRole"),
        ["NOT_GRANTABLE"]
    );
    change_role(&bob, &carol, "owner").await.ok();
    change_role(&bob, &bob, "member").await.ok();
    assert_eq!(change_role(&bob, &bob, "manager").await.codes(), ["FORBIDDEN"]);
    // One owner steps down while another remains; the last does not.
    change_role(&alice, &alice, "member").await.ok();
    assert_eq!(change_role(&carol, &carol, "member").await.refusals("changeMemberRole"), ["LAST_HOLDER"]);
    let answer = carol.call("addMemberRole", flag.clone(), "member { roles { key flag } }").await.ok();
    let both = json!([{ "key": "member", "flag": false }, { "key": "auditor", "flag": true }]);
    assert_eq!(answer.at("addMemberRole.member.roles"), &both);
    let answer = carol.call("removeMemberRole", flag, "member { roles { key } }").await.ok();
    assert_eq!(answer.at("removeMemberRole.member.roles"), &json!([{ "key": "member" }]));
}

/// B6, C2, C3: roles are given and taken by those whose own roles assign them, whichever way.
#[tokio::test]
async fn only_assignable_roles_are_given_and_taken() {
    let Agency { gateway, tenant, alice } = agency().await;
    let bob = gateway.member(&tenant, "bob", "lead").await;
    let carol = gateway.member(&tenant, "carol", "member").await;
    let dave = gateway.member(&tenant, "dave", "owner").await;
    for (answer, mutation) in [
        (change_role(&bob, &carol, "owner").await, "changeMemberRole"),
        (change_role(&bob, &dave, "member").await, "changeMemberRole"),
        (remove(&bob, &dave).await, "removeMember"),
        (invite_with(&bob, named("erin@example.org", "owner")).await, "inviteMember"),
    ] {
        assert_eq!(answer.refusals(mutation).first(), Some(&"NOT_GRANTABLE"), "{}", answer.text);
    }
    let invited = invite_with(&alice, named("frank@example.org", "owner")).await;
    assert_eq!(invited.refusals("inviteMember"), ["TOO_MANY_HOLDERS"]);
    let ask = "query($id: ID!) { organization(slug: \"acme\") { member(id: $id) { viewerCanRemove viewerCanChangeRole viewerCanEditAccess } } }";
    let may = async |who: &Person| {
        let answer = bob.send(ask, json!({ "id": member_id(who.member.unwrap()) })).await.ok();
        let member = answer.at("organization.member").clone();
        [
            member["viewerCanRemove"] == true,
            member["viewerCanChangeRole"] == true,
            member["viewerCanEditAccess"] == true,
        ]
    };
    assert_eq!(may(&dave).await, [false, false, false]);
    assert_eq!(may(&carol).await, [true, true, false]);
    change_role(&bob, &carol, "lead").await.ok();
    remove(&bob, &carol).await.ok();
}

/// S4.R4, S3.71: whoever sees a member and gives no roles takes nothing from it, and is told so beforehand; its own goes.
#[tokio::test]
async fn without_roles_assign_only_ones_own_flag_goes() {
    let gateway = Gateway::sqlite().await;
    let tenant = gateway.organization("acme", "code-hosting", "free").await;
    gateway.member(&tenant, "alice", "owner").await;
    let [bob, carol] =
        [gateway.member(&tenant, "bob", "member").await, gateway.member(&tenant, "carol", "member").await];
    for person in [&bob, &carol] {
        gateway.grant_role(&tenant, "member", person.member, "repository_creator").await;
    }
    gateway.settle().await;
    let ask = "query($id: ID!) { node(id: $id) { ... on Member {
        viewerCannotRemoveRoleReasons(role: \"repository_creator\") { code message } } } }";
    for (whose, reasons) in [
        (&carol, json!([{ "code": "FORBIDDEN", "message": "the permission `roles.assign` is missing" }])),
        (&bob, json!([])),
    ] {
        let member = member_id(whose.member.unwrap());
        let told = bob.send(ask, json!({ "id": member })).await.ok();
        assert_eq!(told.at("node.viewerCannotRemoveRoleReasons"), &reasons, "{}", whose.name);
        let input = json!({ "member": member, "role": "repository_creator" });
        let answer = bob.call("removeMemberRole", input, "member { roles { key } }").await;
        assert_eq!(answer.codes().contains(&"FORBIDDEN"), reasons != json!([]), "{}: {}", whose.name, answer.text);
    }
    let left = "access_grant WHERE role = 'repository_creator' AND grantee_kind = 'member'";
    assert_eq!(count(&gateway, left).await, 1);
}

/// S2.31: who gives only what it holds gives nothing beyond, neither a role nor access.
#[tokio::test]
async fn nobody_gives_what_they_do_not_hold() {
    let Agency { gateway, tenant, .. } = agency().await;
    let bob = gateway.member(&tenant, "bob", "lead").await;
    let carol = gateway.member(&tenant, "carol", "member").await;
    // Its role assigns it, its rights do not reach that far.
    assert_eq!(change_role(&bob, &carol, "manager").await.refusals("changeMemberRole"), ["NOT_GRANTABLE"]);
    let board = gateway.app(&tenant, "board", "board").await;
    let mut input = named("erin@example.org", "member");
    input["access"] = json!([{ "app": app_id(board), "features": [{ "feature": "cards" }] }]);
    assert_eq!(invite_with(&bob, input.clone()).await.codes(), ["NOT_FOUND"]);
    gateway.tick(&tenant, &bob, board, "reports", None).await;
    let refused = invite_with(&bob, input.clone()).await;
    assert_eq!(refused.refusals("inviteMember"), ["NOT_GRANTABLE"]);
    assert_eq!(fields(&refused, "inviteMember"), ["access.0.features.0.feature"]);
    gateway.tick(&tenant, &bob, board, "cards", None).await;
    invite_with(&bob, input).await.ok();
}

/// S0.27: a feature is given together with the one it needs; the form's required fields are asked for, all at once.
#[tokio::test]
async fn required_features_and_fields_are_asked_for() {
    let Agency { gateway, tenant, alice } = agency().await;
    let board = gateway.app(&tenant, "board", "board").await;
    let access = json!([{ "app": app_id(board), "features": [{ "feature": "reports", "level": "top" }, { "feature": "cards" }] }]);
    let answer = invite_with(&alice, json!({ "email": "bob@example.org", "access": access })).await;
    assert_eq!(fields(&answer, "inviteMember"), ["firstName", "lastName", "role", "access.0.features.0.level"]);
    assert_eq!(answer.refusals("inviteMember"), ["MISSING", "MISSING", "MISSING", "NOT_IN_BLUEPRINT"]);
    let mut input = named("bob@example.org", "member");
    input["access"] = json!([{ "app": app_id(board), "features": [{ "feature": "reports" }] }]);
    let answer = invite_with(&alice, input.clone()).await;
    assert_eq!(answer.refusals("inviteMember"), ["MISSING"]);
    assert_eq!(remedies(&answer, "inviteMember"), ["Pick Cards as well."]);
    input["access"][0]["features"] = json!([{ "feature": "reports" }, { "feature": "cards" }]);
    let answer = invite_with(&alice, input).await.ok();
    assert_eq!(answer.at("inviteMember.member.name"), "Carol King");
}

/// Q10, S2.10: where the blueprint archives, a removed member stays in its tab, without access, and can be invited anew; and
/// where it does not let members leave, they are told whom to ask.
#[tokio::test]
async fn removal_archives_and_leaving_is_refused_where_the_blueprint_says_so() {
    let Agency { gateway, tenant, alice } = agency().await;
    let bob = gateway.member(&tenant, "bob", "member").await;
    let left = bob.call("leaveOrganization", json!({ "confirm": true }), "left").await;
    assert_eq!(left.refusals("leaveOrganization"), ["MAY_NOT_LEAVE"]);
    let ask = "{ organization(slug: \"acme\") { viewerCanLeave viewerCannotLeaveReasons { code } } }";
    assert_eq!(bob.ask(ask).await.ok().at("organization.viewerCannotLeaveReasons.0.code"), "MAY_NOT_LEAVE");
    let gone = bob.member.unwrap();
    remove(&alice, &bob).await.ok();
    let list = "{ organization(slug: \"acme\") { members(states: [ARCHIVED]) { edges { node { id state user { id } roles { key } viewerCanRemove } } } } }";
    let archived = json!([{ "node": {
        "id": member_id(gone), "state": "ARCHIVED", "user": null, "roles": [], "viewerCanRemove": false
    } }]);
    assert_eq!(alice.ask(list).await.ok().at("organization.members.edges"), &archived);
    assert!(bob.ask("{ viewer { organization { id } } }").await.ok().at("viewer.organization").is_null());
    assert_eq!(remove(&alice, &bob).await.refusals("removeMember"), ["STATE_CHANGED"]);
    assert_eq!(change_role(&alice, &bob, "owner").await.refusals("changeMemberRole"), ["STATE_CHANGED"]);
    invite_with(&alice, named(&bob.email, "member")).await.ok();
    let accepted = accept(&bob, &newest_token(&gateway)).await.ok();
    assert_eq!(accepted.at("acceptInvitation.landing"), "/welcome");
    assert_ne!(accepted.at("acceptInvitation.member"), &json!(member_id(gone)));
    assert_eq!(count(&gateway, "member").await, 3);
}
