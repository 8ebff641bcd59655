//! Inviting to a workspace, and its people (S4.18, S4.19, S4.22, S4.R6).

use serde_json::{Value, json};

use super::console::{Console, app_id, at, console, give, make, may};
use crate::support::{
    gateway::{Answer, Engines},
    people::{invite_with, join, member_id},
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
