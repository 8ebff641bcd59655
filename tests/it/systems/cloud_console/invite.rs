//! Inviting to a workspace, and its people (S4.18, S4.19, S4.22, S4.R6).

use serde_json::{Value, json};

use super::console::{Console, app_id, at, console, give, make, may, sees};
use crate::support::{
    gateway::{Answer, Engines, Person},
    people::{accept, count, expire, invite_with, join, member_id, newest_token, remedies, switch, ticks},
};

const PEOPLE: &str = "query($id: ID!, $below: Boolean! = false) { node(id: $id) { ... on App { members(below: $below) { totalCount edges { node {
    member { name state } bindings { role { key } isInherited inheritedFrom { slug } app { slug } viewerCannotRevokeReasons { code } } } } } } } }";

fn names(answer: &Answer) -> Vec<String> {
    let edges = answer.at("node.members.edges").as_array().cloned().unwrap_or_default();
    edges.iter().map(|edge| edge["node"]["member"]["name"].as_str().unwrap_or("?").to_owned()).collect()
}

#[tokio::test]
async fn s4_18_s4_22_an_owner_invites_to_the_workspace_and_its_projects_alone() {
    for engines in Engines::DATABASES {
        let Console { gateway, alice, bob, carol, dave, shop, bank, .. } = console(engines).await;
        let project = make(&bob, "project", "till", Some(shop)).await;
        let seen = make(&alice, "workspace", "seen", None).await;
        give(&alice, &bob, "workspace_member", seen).await.ok();
        let roles = at(&[(shop, "workspace_member"), (project, "project_member")]);
        let erin = join(&gateway, &bob, ("erin", json!({ "appRoles": roles }))).await;
        assert!(
            may(&erin, project, ("resources", "manage")).await && may(&erin, shop, ("home", "view")).await,
            "S4.22"
        );
        // Not without a workspace, not to another's, and not by a member.
        let to = |roles: Value| json!({ "email": "frank@example.org", "appRoles": roles });
        assert_eq!(invite_with(&bob, to(json!([]))).await.codes(), ["FORBIDDEN"]);
        assert_eq!(invite_with(&bob, to(at(&[(bank, "workspace_member")]))).await.codes(), ["NOT_FOUND"]);
        assert_eq!(
            invite_with(&bob, to(at(&[(shop, "workspace_member"), (bank, "workspace_member")]))).await.codes(),
            ["NOT_FOUND"]
        );
        assert_eq!(invite_with(&carol, to(at(&[(shop, "workspace_member")]))).await.codes(), ["FORBIDDEN"]);
        // Nor, beside their own, to one that they merely see.
        let both = to(at(&[(shop, "workspace_member"), (seen, "workspace_member")]));
        assert_eq!(invite_with(&bob, both).await.codes(), ["FORBIDDEN"], "{engines:?}");
        // Sent again and taken back by who may invite there, and by nobody else.
        let invited = invite_with(&bob, to(at(&[(shop, "workspace_member")]))).await.ok();
        assert_eq!(invited.at("inviteMember.member.state"), "PENDING", "{}", invited.text);
        let id = json!({ "invitation": invited.at("inviteMember.invitation.id") });
        assert_eq!(dave.call("resendInvitation", id.clone(), "mailSent").await.codes(), ["NOT_FOUND"]);
        assert_eq!(dave.call("revokeInvitation", id.clone(), "removed").await.codes(), ["NOT_FOUND"]);
        bob.call("resendInvitation", id.clone(), "mailSent").await.ok();
        bob.call("revokeInvitation", id, "removed").await.ok();
        // Somebody of the domain already is added by a grant.
        give(&bob, &erin, "workspace_owner", shop).await.ok();
    }
}

#[tokio::test]
async fn s4_19_an_owner_makes_owners_and_members_and_never_an_admin() {
    let Console { gateway: _open, alice, bob, shop, .. } = console(Engines::Embedded).await;
    let roles = at(&[(shop, "workspace_owner")]);
    let admin = json!({ "email": "erin@example.org", "role": "domain_admin", "appRoles": roles });
    assert_eq!(invite_with(&bob, admin.clone()).await.refusals("inviteMember"), ["NOT_GRANTABLE"]);
    let form =
        "query($id: ID!) { node(id: $id) { ... on App { viewerRolesToGive { key } viewerRolesForPrograms { key } } } }";
    let told = bob.send(form, json!({ "id": app_id(shop) })).await.ok();
    assert_eq!(
        told.at("node.viewerRolesToGive"),
        &json!([{ "key": "workspace_owner" }, { "key": "workspace_member" }])
    );
    assert_eq!(told.at("node.viewerRolesForPrograms"), &json!([{ "key": "workspace_app" }]), "S4.21");
    let up = json!({ "member": member_id(bob.member.unwrap()), "role": "domain_admin" });
    assert_eq!(bob.call("changeMemberRole", up, "member { id }").await.codes(), ["FORBIDDEN"]);
    invite_with(&bob, json!({ "email": "frank@example.org", "appRoles": roles })).await.ok();
    invite_with(&alice, admin).await.ok();
}

#[tokio::test]
async fn an_invitation_counts_while_its_sender_may_still_invite_there_s4_18() {
    let Console { gateway, alice, bob, carol, shop, .. } = console(Engines::Embedded).await;
    let erin = gateway.person("erin").await;
    invite_with(&bob, json!({ "email": erin.email, "appRoles": at(&[(shop, "workspace_member")]) })).await.ok();
    let token = crate::support::people::newest_token(&gateway);
    give(&alice, &carol, "workspace_owner", shop).await.ok();
    give(&alice, &bob, "workspace_member", shop).await.ok();
    let refused = crate::support::people::accept(&erin, &token).await;
    assert_eq!(refused.refusals("acceptInvitation"), ["INVITATION_NOT_PENDING"]);
}

#[tokio::test]
async fn s4_18_s4_r6_an_owner_sees_its_people_and_where_each_part_comes_from() {
    for engines in Engines::DATABASES {
        let Console { gateway, domain, alice, bob, carol, dave, shop, .. } = console(engines).await;
        let group = make(&alice, "workspace_group", "all", None).await;
        alice.call("updateApp", json!({ "app": app_id(shop), "parent": app_id(group) }), "app { id }").await.ok();
        let erin = gateway.member(&domain, "erin", "user").await;
        give(&alice, &erin, "workspace_member", group).await.ok();
        let project = make(&bob, "project", "till", Some(shop)).await;
        let frank = join(&gateway, &bob, ("frank", json!({ "appRoles": at(&[(project, "project_member")]) }))).await;
        let here = bob.send(PEOPLE, json!({ "id": app_id(shop) })).await.ok();
        assert_eq!(names(&here), ["bob", "carol", "erin"], "{engines:?}: {}", here.text);
        let below = bob.send(PEOPLE, json!({ "id": app_id(shop), "below": true })).await.ok();
        assert_eq!(names(&below), ["bob", "carol", "erin", "frank"], "{engines:?}");
        let inherited = &here.at("node.members.edges.2.node.bindings")[0];
        assert_eq!(inherited["isInherited"], true, "S4.R6");
        assert_eq!(inherited["inheritedFrom"], Value::Null, "the group is not bob's to see");
        assert!(!inherited["viewerCannotRevokeReasons"].as_array().unwrap().is_empty(), "S4.R6: not one by one");
        let told = alice.send(PEOPLE, json!({ "id": app_id(shop) })).await.ok();
        assert_eq!(told.at("node.members.edges.2.node.bindings.0.inheritedFrom.slug"), "all");
        let grant = "SELECT id FROM access_grant WHERE app_id = $1";
        let row = gateway.database.rows(grant, [group.into()]).await[0].try_get_by_index::<uuid::Uuid>(0).unwrap();
        let grant = gatehouse::graphql::node::NodeType::Grant.id(row).to_string();
        let refused = bob.call("revokeAccess", json!({ "grant": grant }), "revokedGrant").await;
        assert_eq!(refused.codes(), ["NOT_FOUND"], "S4.R6: {}", refused.text);
        // Others learn nothing: not a member, not the owner of another workspace.
        assert_eq!(carol.send(PEOPLE, json!({ "id": app_id(shop) })).await.codes(), ["FORBIDDEN"]);
        assert_eq!(dave.send(PEOPLE, json!({ "id": app_id(shop) })).await.ok().at("node"), &Value::Null);
        let everyone = "{ viewer { organization { members { totalCount edges { node { name } } } } } }";
        let seen = bob.ask(everyone).await.ok();
        assert_eq!(seen.at("viewer.organization.members.totalCount"), 4, "{}", seen.text);
        assert_eq!(dave.ask(everyone).await.ok().at("viewer.organization.members.totalCount"), 1);
        let node = "query($id: ID!) { node(id: $id) { ... on Member { name } } }";
        let franks = json!({ "id": member_id(frank.member.unwrap()) });
        assert_eq!(bob.send(node, franks.clone()).await.ok().at("node.name"), "frank");
        assert_eq!(dave.send(node, franks).await.ok().at("node"), &Value::Null);
        // A disabled workspace shows its people to admins alone.
        alice.call("updateApp", json!({ "app": app_id(shop), "state": "DISABLED" }), "app { id }").await.ok();
        assert_eq!(bob.ask(everyone).await.ok().at("viewer.organization.members.totalCount"), 1);
    }
}

/// S4.18, S4.22: somebody of the domain whom an owner does not see is added by the address, at once, with what the owner may give
/// there and nothing else; until then the owner is told no more than of an address that nobody has.
#[tokio::test]
async fn s4_18_s4_22_an_owner_adds_somebody_of_the_domain_by_the_address() {
    for engines in Engines::DATABASES {
        let Console { gateway, domain, alice, bob, dave, shop, bank, .. } = console(engines).await;
        let project = make(&bob, "project", "till", Some(shop)).await;
        let erin = gateway.member(&domain, "erin", "user").await;
        gateway.settle().await;
        let node = "query($id: ID!) { node(id: $id) { ... on Member { name } } }";
        let erins = json!({ "id": member_id(erin.member.unwrap()) });
        assert_eq!(bob.send(node, erins.clone()).await.ok().at("node"), &Value::Null);
        // Refused as for a newcomer, word by word, and nothing is given.
        let to = |email: &str, input: Value| {
            let mut input = input;
            input["email"] = json!(email);
            input
        };
        for wrong in [
            json!({ "role": "domain_admin", "appRoles": at(&[(shop, "workspace_member")]) }),
            json!({ "appRoles": at(&[(shop, "project_member")]) }),
            json!({ "appRoles": at(&[(bank, "workspace_member")]) }),
            json!({ "appRoles": [] }),
        ] {
            let known = invite_with(&bob, to(&erin.email, wrong.clone())).await;
            let new = invite_with(&bob, to("nobody@example.org", wrong)).await;
            assert_eq!((&known.text, known.status), (&new.text, new.status), "{engines:?}");
        }
        assert_eq!(count(&gateway, "access_grant WHERE role = 'workspace_member'").await, 1, "carol's");

        let letters = gateway.mails().len();
        let roles = at(&[(shop, "workspace_member"), (project, "project_member")]);
        let added = invite_with(&bob, to(&erin.email, json!({ "appRoles": roles }))).await.ok();
        let invited = added.at("inviteMember");
        assert_eq!((&invited["member"]["state"], &invited["invitation"]), (&json!("ACTIVE"), &Value::Null));
        assert_eq!(invited["member"]["roles"], json!([{ "key": "user" }]), "the role in the domain stays");
        assert_eq!(invited["mailSent"] == true, gateway.mails().len() == letters + 1, "{}", added.text);
        assert_eq!(sees(&erin).await, ["shop", "till"], "{engines:?}");
        assert!(may(&erin, project, ("resources", "manage")).await);
        assert_eq!(count(&gateway, "invitation WHERE state = 'pending'").await, 0, "{engines:?}");
        assert_eq!(bob.send(node, erins).await.ok().at("node.name"), "erin", "one of the workspace's people now");
        let granted = "activity_entry WHERE action = 'access.granted' AND app_id IS NOT NULL AND target_name = 'erin'";
        assert_eq!(count(&gateway, granted).await, 2);
        // Whom she sees, she gives more by a grant.
        let again = invite_with(&bob, to(&erin.email, json!({ "appRoles": at(&[(shop, "workspace_owner")]) }))).await;
        assert_eq!(again.refusals("inviteMember"), ["ALREADY_MEMBER"]);
        assert_eq!(remedies(&again, "inviteMember"), ["Change the member's access."]);
        give(&bob, &erin, "workspace_owner", shop).await.ok();
        // An admin who is added is one still.
        let admin =
            invite_with(&dave, to(&alice.email, json!({ "appRoles": at(&[(bank, "workspace_member")]) }))).await;
        assert_eq!(admin.ok().at("inviteMember.member.roles"), &json!([{ "key": "domain_admin" }]));
    }
}

/// S4.18: who is invited to one workspace already is added to another by its owner; each owner vouches for its own.
#[tokio::test]
async fn s4_18_an_owner_adds_to_an_invitation_that_waits() {
    let Console { gateway, alice, bob, carol, dave, shop, bank, .. } = console(Engines::Embedded).await;
    let to = |email: &str, app, role| json!({ "email": email, "appRoles": at(&[(app, role)]) });
    let erin = gateway.person("erin").await;
    invite_with(&bob, to(&erin.email, shop, "workspace_member")).await.ok();
    let token = newest_token(&gateway);
    let added = invite_with(&dave, to(&erin.email, bank, "workspace_member")).await.ok();
    assert_eq!(added.at("inviteMember.member.state"), "PENDING", "{}", added.text);
    assert_eq!(
        (added.at("inviteMember.invitation.state"), added.at("inviteMember.mailSent")),
        (&json!("PENDING"), &json!(false))
    );
    accept(&erin, &token).await.ok();
    assert_eq!(sees(&switch(&erin, "acme").await).await, ["bank", "shop"]);

    // One that has run out is sent again.
    let gina = gateway.person("gina").await;
    invite_with(&bob, to(&gina.email, shop, "workspace_member")).await.ok();
    expire(&gateway).await;
    let again = invite_with(&dave, to(&gina.email, bank, "workspace_member")).await.ok();
    assert_eq!(again.at("inviteMember.mailSent"), true, "{}", again.text);
    accept(&gina, &newest_token(&gateway)).await.ok();
    assert_eq!(sees(&switch(&gina, "acme").await).await, ["bank", "shop"]);

    // B10: what its giver may give no more, nobody vouches for.
    let frank = gateway.person("frank").await;
    invite_with(&bob, to(&frank.email, shop, "workspace_member")).await.ok();
    let token = newest_token(&gateway);
    invite_with(&dave, to(&frank.email, bank, "workspace_member")).await.ok();
    give(&alice, &carol, "workspace_owner", bank).await.ok();
    give(&alice, &dave, "workspace_member", bank).await.ok();
    assert_eq!(accept(&frank, &token).await.refusals("acceptInvitation"), ["INVITATION_NOT_PENDING"]);
}

/// S4.18: whom two owners invited, each of them sees and sends again; neither takes back what the other gave.
#[tokio::test]
async fn s4_18_an_invitation_of_two_owners_is_sent_again_by_either() {
    for engines in Engines::DATABASES {
        let Console { gateway, alice, bob, carol, dave, shop, bank, .. } = console(engines).await;
        let to = |email: &str, app| json!({ "email": email, "appRoles": at(&[(app, "workspace_member")]) });
        let both = async |email: &str| {
            let invited = invite_with(&bob, to(email, shop)).await.ok();
            let id = invited.at("inviteMember.invitation.id").clone();
            let added = invite_with(&dave, to(email, bank)).await.ok();
            assert_eq!(added.at("inviteMember.invitation.id"), &id, "{engines:?}");
            json!({ "invitation": id })
        };
        let erin = gateway.person("erin").await;
        let invitation = both(&erin.email).await;
        let node = "query($id: ID!) { node(id: $id) { ... on Invitation { email } } }";
        let id = json!({ "id": invitation["invitation"] });
        let others =
            "Others invited this person too: take back what you gave with `revokeAccess`, or ask an administrator.";
        for (owner, app) in [(&bob, shop), (&dave, bank)] {
            assert_eq!(owner.send(node, id.clone()).await.ok().at("node.email"), &json!(erin.email), "{engines:?}");
            let again = owner.call("resendInvitation", invitation.clone(), "mailSent invitation { id }").await.ok();
            assert_eq!(again.at("resendInvitation.invitation.id"), &invitation["invitation"]);
            let refused = owner.call("revokeInvitation", invitation.clone(), "removed").await;
            assert_eq!(refused.refusals("revokeInvitation"), ["NOT_GRANTABLE"], "{engines:?}: {}", refused.text);
            assert_eq!(remedies(&refused, "revokeInvitation"), [others]);
            let twice = invite_with(owner, to(&erin.email, app)).await;
            assert_eq!(twice.refusals("inviteMember"), ["ALREADY_MEMBER"]);
            assert_eq!(remedies(&twice, "inviteMember"), ["Send the invitation again."], "{engines:?}");
        }
        assert_eq!(carol.send(node, id).await.ok().at("node"), &Value::Null, "who invites nowhere sees none");
        accept(&erin, &newest_token(&gateway)).await.ok();
        assert_eq!(sees(&switch(&erin, "acme").await).await, ["bank", "shop"], "{engines:?}");

        // B10: what the other one may give no more is not sent on; an admin, who may give it all, sends it or takes it back.
        let invitation = both("frank@example.org").await;
        give(&alice, &carol, "workspace_owner", shop).await.ok();
        give(&alice, &bob, "workspace_member", shop).await.ok();
        let refused = dave.call("resendInvitation", invitation.clone(), "mailSent").await;
        assert_eq!(refused.refusals("resendInvitation"), ["NOT_GRANTABLE"], "{engines:?}: {}", refused.text);
        assert_eq!(remedies(&refused, "resendInvitation"), ["Ask an administrator to send it."]);
        let twice = invite_with(&alice, to("frank@example.org", shop)).await;
        assert_eq!(remedies(&twice, "inviteMember"), ["Send the invitation again, or take it back first."]);
        alice.call("resendInvitation", invitation.clone(), "mailSent").await.ok();
        alice.call("revokeInvitation", invitation, "removed").await.ok();
    }
}

/// S4.18, B7: «everything» that an owner gives with an invitation is what it has where it may invite, not where it is a member.
#[tokio::test]
async fn s4_18_everything_is_what_an_owner_has_where_it_invites() {
    let Console { gateway, alice, bob, shop, .. } = console(Engines::Embedded).await;
    let seen = make(&alice, "workspace", "seen", None).await;
    give(&alice, &bob, "workspace_member", seen).await.ok();
    let everything = json!({ "appRoles": at(&[(shop, "workspace_member")]), "accessMode": "ALL" });
    let erin = join(&gateway, &bob, ("erin", everything)).await;
    let given = ticks(&gateway, erin.member.unwrap()).await;
    assert!(!given.is_empty() && given.iter().all(|tick| tick.starts_with("shop ")), "{given:?}");
    assert!(!may(&erin, seen, ("home", "view")).await);
}

/// S4.R6: what comes from a group is not switched off on one workspace below it, and the refusal says where it comes from.
#[tokio::test]
async fn s4_r6_a_role_from_a_group_is_not_switched_off_below_it() {
    for engines in Engines::DATABASES {
        let Console { gateway, domain, alice, bob, shop, .. } = console(engines).await;
        let group = make(&alice, "workspace_group", "all", None).await;
        alice.call("updateApp", json!({ "app": app_id(shop), "parent": app_id(group) }), "app { id }").await.ok();
        let erin = gateway.member(&domain, "erin", "user").await;
        give(&alice, &erin, "workspace_member", group).await.ok();
        let erin = member_id(erin.member.unwrap());
        let off = async |by: &Person, app| {
            let input = json!({ "app": app_id(app), "member": erin, "role": "workspace_member", "on": false });
            by.call("setAppRole", input, "isHolder").await
        };
        let named = "this is given on all, for everything below it";
        let hidden = "this is given on an app above that you do not see, for everything below it";
        let ask = "Ask somebody who may change that app's roles, or an administrator.";
        for (by, message, remedy) in [(&alice, named, "Change it there."), (&bob, hidden, ask)] {
            let refused = off(by, shop).await;
            assert_eq!(refused.refusals("setAppRole"), ["STATE_CHANGED"], "{engines:?} {}", by.name);
            let error = refused.at("setAppRole.userErrors.0");
            assert_eq!((&error["message"], &error["remedy"]), (&json!(message), &json!(remedy)));
            assert_eq!(error["field"], json!(["role"]));
        }
        // Where it was given it goes, and below there is nothing left to switch off.
        for app in [group, shop] {
            assert_eq!(off(&alice, app).await.ok().at("setAppRole.isHolder"), false, "{engines:?}");
        }
    }
}
