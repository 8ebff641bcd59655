//! The ready operations of code hosting, each run as the person who sees that screen.

use gatehouse::graphql::node::NodeType;
use serde_json::json;

use crate::{operations::run, support::gateway::Gateway};

/// S5.1 to S5.7: repositories with one's own level, teams with what they have, people with their teams.
#[tokio::test]
async fn every_ready_operation_of_code_hosting_answers() {
    let gateway = Gateway::sqlite().await;
    let code = gateway.organization("acme", "code-hosting", "free").await;
    let alice = gateway.member(&code, "alice", "owner").await;
    let bob = gateway.member(&code, "bob", "member").await;
    let site = gateway.app(&code, "repository", "site").await;
    gateway.settle().await;
    let made = json!({ "slug": "web", "name": "Web" });
    let made = alice.call("createTeam", made, "team { id }").await.ok();
    let team = made.at("createTeam.team.id");
    let bobs = NodeType::Member.id(bob.member.unwrap()).0;
    alice.call("addTeamMember", json!({ "team": team, "member": bobs }), "team { id }").await.ok();
    let gives = json!({ "feature": { "kind": "repository", "feature": "code", "level": "write" } });
    let gives = json!({ "grantee": { "team": team }, "gives": gives, "app": NodeType::App.id(site).0 });
    alice.call("grantAccess", gives, "grant { id }").await.ok();

    let here = json!({ "organization": "acme" });
    for (person, level) in [(&alice, "admin"), (&bob, "write")] {
        let shown = run(person, "code-hosting/repositories", here.clone()).await;
        let row = shown.at("organization.apps.edges.0.node");
        assert_eq!((&row["slug"], &row["viewerCapabilities"][0]["level"]), (&json!("site"), &json!(level)), "S5.4");
        assert_eq!(shown.at("organization.viewerCanCreateApp"), level == "admin", "S5.1");
        let shown = run(person, "code-hosting/teams", here.clone()).await;
        let row = shown.at("organization.teams.edges.0.node");
        assert_eq!((&row["members"]["totalCount"], &row["grants"]["totalCount"]), (&json!(1), &json!(1)), "S5.4");
        let shown = run(person, "code-hosting/people", here.clone()).await;
        assert_eq!(shown.at("organization.members.totalCount"), 2);
        assert_eq!(shown.at("organization.viewerCanInvite"), level == "admin", "S5.1");
    }
    let search = json!({ "organization": "acme", "search": "bob", "role": "member" });
    let found = run(&alice, "code-hosting/people", search).await;
    assert_eq!(found.at("organization.members.edges.0.node.teams.edges.0.node.name"), "Web", "S5.5");
}
