//! Projects: invited to, or public within the workspace (S4.6, S4.24, S4.25, S4.R1, S4.R10, Q16).

use serde_json::json;

use super::console::{Console, app_id, at, console, give, make, may, sees};
use crate::{
    operations::run,
    support::{
        gateway::{Answer, Engines},
        people::{fields, invite_with, member_id, remedies},
    },
};

#[tokio::test]
async fn s4_6_s4_25_q16_a_member_reaches_projects_it_is_invited_to_and_public_ones() {
    for engines in Engines::DATABASES {
        let Console { gateway: _open, bob, carol, dave, shop, .. } = console(engines).await;
        let private = make(&bob, "project", "till", Some(shop)).await;
        let invited = make(&bob, "project", "web", Some(shop)).await;
        let input = json!({ "kind": "project", "slug": "wiki", "name": "wiki", "parent": app_id(shop), "visibility": "PUBLIC" });
        let made = bob.call("createApp", input, "app { id visibility }").await.ok();
        assert_eq!(made.at("createApp.app.visibility"), "PUBLIC");
        let public = super::console::id(&made, "createApp.app.id");
        give(&bob, &carol, "project_member", invited).await.ok();
        assert_eq!(sees(&carol).await, ["shop", "web", "wiki"], "{engines:?}");
        assert!(may(&carol, invited, ("resources", "manage")).await, "invited");
        assert!(may(&carol, public, ("resources", "view")).await, "public");
        assert!(!may(&carol, public, ("resources", "manage")).await, "public is to be read");
        assert!(!may(&carol, private, ("summary", "view")).await, "private");
        // Public within the workspace is not public in the domain.
        assert_eq!(sees(&dave).await, ["bank"]);
        assert!(!may(&dave, public, ("summary", "view")).await);
        // Made private, it is gone for whoever was not invited.
        bob.call("updateApp", json!({ "app": app_id(public), "visibility": "PRIVATE" }), "app { id }").await.ok();
        assert_eq!(sees(&carol).await, ["shop", "web"]);
        let hidden = json!({ "app": app_id(public), "name": "Mine" });
        assert_eq!(carol.call("updateApp", hidden, "app { id }").await.codes(), ["NOT_FOUND"]);
    }
}

/// S4.6, S4.24: the screen of a workspace shows its Member the projects it is invited to and those that are public, in groups that it
/// does not see too, and with no error beside them; and no other project.
#[tokio::test]
async fn s4_6_s4_24_the_workspace_screen_shows_a_member_its_projects() {
    for engines in Engines::DATABASES {
        let Console { gateway: _open, bob, carol, dave, shop, bank, .. } = console(engines).await;
        let public = async |slug: &str, parent| {
            let made = make(&bob, "project", slug, Some(parent)).await;
            let open = json!({ "app": app_id(made), "visibility": "PUBLIC" });
            bob.call("updateApp", open, "app { id }").await.ok();
        };
        let group = make(&bob, "project_group", "web", Some(shop)).await;
        let inner = make(&bob, "project_group", "mobile", Some(group)).await;
        for (slug, parent) in [("till", shop), ("vault", inner)] {
            make(&bob, "project", slug, Some(parent)).await;
        }
        for (slug, parent) in [("stock", shop), ("player", inner)] {
            let invited = make(&bob, "project", slug, Some(parent)).await;
            give(&bob, &carol, "project_member", invited).await.ok();
        }
        public("wiki", shop).await;
        public("docs", inner).await;
        make(&dave, "project", "ledger", Some(bank)).await;

        let here = json!({ "organization": "acme", "workspace": "shop" });
        let shown = run(&carol, "cloud-console/workspace", here.clone()).await;
        let slugs = |answer: &Answer, list: &str| {
            let edges = answer.at(&format!("organization.app.{list}.edges")).as_array().unwrap().clone();
            edges.iter().map(|edge| edge["node"]["slug"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(slugs(&shown, "projects"), ["docs", "player", "stock", "wiki"], "{engines:?}");
        assert_eq!(shown.at("organization.app.projects.totalCount"), 4);
        assert_eq!(slugs(&shown, "children"), ["stock", "wiki"], "{engines:?}: what stands directly in it");
        // Limited management: nothing to make, to change or to delete, and what can be done in each.
        assert_eq!(shown.at("organization.app.viewerCanCreateApp"), false, "S4.24");
        let rows = shown.at("organization.app.projects.edges").as_array().unwrap();
        for row in rows.iter().map(|edge| &edge["node"]) {
            let invited = row["visibility"] == "PRIVATE";
            let actions = row["viewerCapabilities"].to_string();
            assert_eq!(actions.contains("manage"), invited, "{row}");
            assert!(
                actions.contains("view") && row["viewerCanUpdate"] == false && row["viewerCanDelete"] == false,
                "{row}"
            );
            let path = row["path"].as_array().unwrap();
            assert_eq!(path.len(), 1, "the groups above are not carol's to see: {row}");
        }
        let mut some = here.clone();
        some["search"] = json!("OC");
        assert_eq!(slugs(&run(&carol, "cloud-console/workspace", some).await, "projects"), ["docs", "stock"]);
        // Its owner has every one, and who has nothing of it has no workspace.
        let all = run(&bob, "cloud-console/workspace", here.clone()).await;
        assert_eq!(slugs(&all, "projects"), ["docs", "player", "stock", "till", "vault", "wiki"]);
        assert!(run(&dave, "cloud-console/workspace", here).await.at("organization.app").is_null());
    }
}

#[tokio::test]
async fn s4_r10_project_groups_pass_membership_down_and_nobody_is_added_to_a_public_project() {
    let Console { gateway: _open, alice, bob, carol, shop, .. } = console(Engines::Embedded).await;
    let group = make(&bob, "project_group", "web", Some(shop)).await;
    let inner = make(&bob, "project_group", "mobile", Some(group)).await;
    let project = make(&bob, "project", "app", Some(inner)).await;
    give(&bob, &carol, "project_member", group).await.ok();
    assert!(may(&carol, project, ("resources", "manage")).await, "passed down two groups");
    assert_eq!(sees(&carol).await, ["app", "mobile", "shop", "web"]);

    let public = json!({ "app": app_id(project), "visibility": "PUBLIC" });
    bob.call("updateApp", public, "app { id }").await.ok();
    for admin in [&alice, &bob] {
        let refused = give(admin, &carol, "project_member", project).await;
        assert_eq!(refused.refusals("grantAccess"), ["NOT_GRANTABLE"]);
    }
    let roles = at(&[(shop, "workspace_member"), (project, "project_member")]);
    let refused = invite_with(&bob, json!({ "email": "erin@example.org", "appRoles": roles })).await;
    assert_eq!(refused.refusals("inviteMember"), ["NOT_GRANTABLE"]);
    // One that has people of its own is not opened.
    let second = make(&bob, "project", "second", Some(shop)).await;
    give(&bob, &carol, "project_member", second).await.ok();
    let open = json!({ "app": app_id(second), "visibility": "PUBLIC" });
    let refused = bob.call("updateApp", open, "app { id }").await;
    assert_eq!(refused.refusals("updateApp"), ["STATE_CHANGED"]);
    // A workspace is neither.
    let refused = alice.call("updateApp", json!({ "app": app_id(shop), "visibility": "PUBLIC" }), "app { id }").await;
    assert_eq!(refused.refusals("updateApp"), ["NOT_IN_BLUEPRINT"]);
}

/// S4.R10: a tick in the tree of access adds nobody to a public project, whoever ticks it and in whichever form.
#[tokio::test]
async fn s4_r10_nobody_is_added_to_a_public_project_by_a_tick() {
    let Console { gateway, alice, bob, carol, shop, .. } = console(Engines::Embedded).await;
    let public = make(&bob, "project", "wiki", Some(shop)).await;
    let private = make(&bob, "project", "till", Some(shop)).await;
    let open = json!({ "app": app_id(public), "visibility": "PUBLIC" });
    bob.call("updateApp", open, "app { id }").await.ok();
    let carols = member_id(carol.member.unwrap());
    let tick = |app| json!([{ "app": app_id(app), "features": [{ "feature": "resources", "level": "read_write" }] }]);
    let edit = |app| json!({ "member": carols, "access": tick(app) });
    for mutation in ["updateMemberAccess", "updateMember"] {
        let refused = alice.call(mutation, edit(public), "member { id }").await;
        assert_eq!(refused.refusals(mutation), ["NOT_GRANTABLE"], "{mutation} {}", refused.text);
        assert_eq!(fields(&refused, mutation), ["access.0.features.0.feature"], "{mutation}");
        alice.call(mutation, edit(private), "member { id }").await.ok();
        assert!(may(&carol, private, ("resources", "manage")).await, "{mutation}");
    }
    let invited = invite_with(&alice, json!({ "email": "erin@example.org", "access": tick(public) })).await;
    assert_eq!(invited.refusals("inviteMember"), ["NOT_GRANTABLE"], "{}", invited.text);
    // «Everything» leaves it out.
    let all = json!({ "member": carols, "accessMode": "ALL" });
    let all = alice.call("updateMember", all, "member { accessMode }").await.ok();
    assert_eq!(all.at("updateMember.member.accessMode"), "ALL", "{}", all.text);
    let sql = "SELECT count(*) FROM access_grant WHERE app_id = $1";
    let rows = gateway.database.rows(sql, [public.into()]).await;
    assert_eq!(rows[0].try_get_by_index::<i64>(0).unwrap(), 0);
}

/// S4.R10: a public project says beforehand that nobody is added to it, as each refusal does, and what to do instead; programs are.
#[tokio::test]
async fn s4_r10_a_public_project_says_that_nobody_is_added() {
    let Console { gateway: _open, bob, carol, shop, .. } = console(Engines::Embedded).await;
    let project = make(&bob, "project", "wiki", Some(shop)).await;
    let form = "query($id: ID!) { node(id: $id) { ... on App {
        viewerCanGrant viewerCannotGrantReasons { code remedy } viewerCanInvite viewerCannotInviteReasons { code }
        viewerRolesToGive { key } viewerRolesForPrograms { key }
        roleCandidates(role: \"project_member\") { edges { node { viewerCanToggle viewerCannotToggleReasons { code } } } } } } }";
    let told = async || bob.send(form, json!({ "id": app_id(project) })).await.ok().at("node").clone();
    let open = told().await;
    assert_eq!((&open["viewerCanGrant"], &open["viewerCanInvite"]), (&json!(true), &json!(true)));
    assert_eq!(open["viewerRolesToGive"], json!([{ "key": "project_member" }]));
    bob.call("updateApp", json!({ "app": app_id(project), "visibility": "PUBLIC" }), "app { id }").await.ok();

    let remedy = "Make the app private first, or give access on an app above it.";
    let public = told().await;
    assert_eq!((&public["viewerCanGrant"], &public["viewerCanInvite"]), (&json!(false), &json!(false)));
    assert_eq!(public["viewerCannotGrantReasons"], json!([{ "code": "NOT_GRANTABLE", "remedy": remedy }]));
    assert_eq!(public["viewerCannotInviteReasons"], json!([{ "code": "NOT_GRANTABLE" }]));
    assert_eq!(public["viewerRolesToGive"], json!([]));
    assert_eq!(public["viewerRolesForPrograms"], json!([{ "key": "project_app" }]));
    let candidates = public["roleCandidates"]["edges"].as_array().unwrap();
    let refused =
        json!({ "node": { "viewerCanToggle": false, "viewerCannotToggleReasons": [{ "code": "NOT_GRANTABLE" }] } });
    assert!(!candidates.is_empty() && candidates.iter().all(|candidate| *candidate == refused), "{public}");
    let answer = give(&bob, &carol, "project_member", project).await;
    assert_eq!(
        (remedies(&answer, "grantAccess"), fields(&answer, "grantAccess")),
        (vec![remedy.to_owned()], vec!["app".to_owned()])
    );
    let roles = at(&[(project, "project_member")]);
    let answer = invite_with(&bob, json!({ "email": "erin@example.org", "appRoles": roles })).await;
    assert_eq!(remedies(&answer, "inviteMember"), [remedy]);
}
