//! The ready operations of the cloud console, each run as the person who sees that screen.

use serde_json::json;

use super::console::{Console, app_id, at, console, make};
use crate::{
    operations::{run, send},
    support::gateway::Engines,
};

/// S4.4, S4.5, S4.7, S4.13, S4.18, S4.20: each screen is one query. Those of the settings and the roles are run by their own tests.
#[tokio::test]
async fn every_ready_operation_of_the_cloud_console_answers() {
    let Console { gateway: _open, alice, bob, carol, shop, .. } = console(Engines::Embedded).await;
    let group = make(&bob, "project_group", "web", Some(shop)).await;
    let project = make(&bob, "project", "till", Some(group)).await;
    let here = json!({ "organization": "acme" });
    let users = run(&alice, "cloud-console/users", here.clone()).await;
    assert_eq!(users.at("organization.members.totalCount"), 4);
    for (person, sees, makes) in [(&alice, 2, true), (&bob, 1, false)] {
        let spaces = run(person, "cloud-console/workspaces", here.clone()).await;
        assert_eq!(spaces.at("organization.apps.totalCount"), sees);
        assert_eq!(spaces.at("organization.viewerCanCreateApp"), makes, "S4.11");
    }

    let roles = at(&[(shop, "workspace_member"), (project, "project_member")]);
    let input = json!({ "email": "erin@example.org", "appRoles": roles });
    let invited = run(&bob, "cloud-console/invite-to-workspace", json!({ "input": input })).await;
    assert_eq!(invited.at("inviteMember.member.state"), "PENDING");
    let space = json!({ "organization": "acme", "workspace": "shop" });
    for owner in [&alice, &bob] {
        let shown = run(owner, "cloud-console/workspace-people", space.clone()).await;
        assert_eq!(shown.at("organization.app.members.totalCount"), 3, "{} {}", owner.name, shown.text);
        let shown = run(owner, "cloud-console/workspace", space.clone()).await;
        assert_eq!(shown.at("organization.app.children.totalCount"), 1);
        assert_eq!(shown.at("organization.app.projects.totalCount"), 1, "the one in the group: {}", shown.text);
        assert_eq!(shown.at("organization.app.viewerCanCreateApp"), true);
    }
    let own = run(&carol, "cloud-console/workspace", space.clone()).await;
    assert_eq!(own.at("organization.app.viewerCanInvite"), false);
    let hidden = send(&carol, "cloud-console/workspace-people", space).await;
    assert_eq!(hidden.codes(), ["FORBIDDEN"], "a member sees the workspace, not its people");

    let account = json!({ "name": "Deploy", "role": "workspace_app", "app": app_id(shop) });
    let account = bob.call("createServiceAccount", account, "serviceAccount { id }").await.ok();
    let secret = json!({ "name": "Key", "serviceAccount": account.at("createServiceAccount.serviceAccount.id") });
    let secret = bob.call("createApiToken", secret, "token { id }").await.ok();
    let again = json!({ "input": { "token": secret.at("createApiToken.token.id") } });
    let again = run(&bob, "cloud-console/regenerate-secret", again).await;
    assert!(again.at("regenerateApiToken.secret").is_string());
    let apps = run(&bob, "cloud-console/access-apps", json!({ "organization": "acme", "app": "shop" })).await;
    assert_eq!(apps.at("organization.app.serviceAccounts.totalCount"), 1);
    let apps = run(&alice, "cloud-console/domain-apps", here.clone()).await;
    assert_eq!(apps.at("organization.serviceAccounts.totalCount"), 1);
    assert_eq!(send(&bob, "cloud-console/domain-apps", here).await.codes(), ["FORBIDDEN"]);
}

/// S4.11: the Workspaces screen makes a workspace, switches it off and on, and deletes it.
#[tokio::test]
async fn s4_11_a_workspace_is_made_switched_and_deleted_with_its_ready_operations() {
    let Console { gateway: _open, alice, bob, .. } = console(Engines::Embedded).await;
    let new = json!({ "input": { "kind": "workspace", "slug": "lab", "name": "Lab" } });
    assert_eq!(send(&bob, "cloud-console/create-workspace", new.clone()).await.codes(), ["FORBIDDEN"]);
    let made = run(&alice, "cloud-console/create-workspace", new).await;
    let lab = made.at("createApp.app.id").clone();
    for state in ["DISABLED", "ACTIVE"] {
        let input = json!({ "input": { "app": lab, "state": state } });
        let switched = run(&alice, "cloud-console/switch-workspace", input).await;
        assert_eq!(switched.at("updateApp.app.state"), state);
    }
    let gone = json!({ "input": { "app": lab, "confirm": "lab" } });
    assert_eq!(run(&alice, "cloud-console/delete-workspace", gone).await.at("deleteApp.deletedApp"), &lab);
}
