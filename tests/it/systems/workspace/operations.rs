//! The ready operations of the workspace that no other test runs, each as the person who sees that screen.

use serde_json::json;

use super::space::{id, may, space};
use crate::{
    operations::{run, send},
    support::{gateway::Engines, people::app_id},
};

const RULES: &str = include_str!("../../../../blueprints/workspace.toml");

/// S0.34, S0.35, S0.36, S0.37: the Teams tab makes a team, gives it a product, and puts somebody into it.
#[tokio::test]
async fn s0_34_s0_36_s0_37_the_teams_tab_is_used_with_its_ready_operations() {
    let space = space(Engines::Embedded).await;
    let new = json!({ "input": { "slug": "finance", "name": "Finance Team" } });
    let made = run(&space.alice, "workspace/create-team", new).await;
    let team = made.at("createTeam.team.id").clone();
    let gives = json!({ "feature": { "kind": "ai_solutions_builder", "feature": "apps", "level": "run" } });
    let gift = json!({ "input": { "grantee": { "team": team }, "gives": gives, "app": app_id(space.builder) } });
    let given = run(&space.alice, "workspace/grant-to-team", gift).await;
    assert_eq!(given.at("grantAccess.grant.level"), "run");
    let place = json!({ "input": { "team": team, "member": id(&space.bob) } });
    assert_eq!(
        send(&space.bob, "workspace/add-to-team", place.clone()).await.codes(),
        ["NOT_FOUND"],
        "a team that is not shown"
    );
    let joined = run(&space.alice, "workspace/add-to-team", place).await;
    assert_eq!(joined.at("addTeamMember.team.members.totalCount"), 1);
    assert!(may(&space.bob, space.builder, "apps", "run").await);
}

/// S0.11: the Billing module changes the plan.
#[tokio::test]
async fn s0_11_the_plan_is_changed_with_its_ready_operation() {
    let space = space(Engines::Embedded).await;
    let input = json!({ "input": { "plan": "enterprise" } });
    assert_eq!(send(&space.carol, "workspace/change-plan", input.clone()).await.codes(), ["FORBIDDEN"]);
    let changed = run(&space.alice, "workspace/change-plan", input).await;
    assert_eq!(changed.at("changePlan.organization.plan.key"), "enterprise");
}

/// A move to another version of the blueprint: previewed page by page, then made with the preview's token.
#[tokio::test]
async fn a_blueprint_move_is_previewed_and_made_with_its_ready_operations() {
    let space = space(Engines::Embedded).await;
    let second = RULES.replace("\nversion = 1\n", "\nversion = 2\n");
    assert_ne!(second, RULES);
    space.gateway.service.install_blueprint(&second).await.unwrap();
    let asked = json!({ "organization": "acme", "version": 2 });
    let shown = run(&space.alice, "workspace/blueprint-preview", asked).await;
    let plan = shown.at("organization.blueprintMove");
    assert_eq!((&plan["from"], &plan["problems"], &plan["changes"]["totalCount"]), (&json!(1), &json!([]), &json!(0)));
    let input = json!({ "input": { "version": 2, "token": plan["token"] } });
    let moved = run(&space.alice, "workspace/blueprint-move", input).await;
    assert_eq!(moved.at("moveBlueprint.blueprint.version"), 2);
}
