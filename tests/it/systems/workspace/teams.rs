//! Teams: roles and products for a whole group (S0.8, S0.34 to S0.37).

use serde_json::json;

use super::space::{id, may, space};
use crate::{
    operations::run,
    support::{gateway::Engines, people::app_id},
};

/// S0.8, S0.34, S0.35, S0.36, S0.37: a team carries roles and products; who joins has them, who leaves has them no more.
#[tokio::test]
async fn s0_34_s0_35_s0_36_s0_37_a_team_gives_its_roles_to_whoever_joins() {
    for engines in Engines::ALL {
        let space = space(engines).await;
        let (alice, bob) = (&space.alice, &space.bob);
        let denied = space.bob.call("createTeam", json!({ "slug": "x", "name": "X" }), "team { id }").await;
        assert_eq!(denied.codes(), ["FORBIDDEN"]);
        let mut ids = Vec::new();
        for (slug, name) in [("finance", "Finance Team"), ("field", "Field Ops")] {
            let made = alice.call("createTeam", json!({ "slug": slug, "name": name }), "team { id }").await.ok();
            ids.push(made.at("createTeam.team.id").as_str().unwrap().to_owned());
        }
        let team = &ids[0];
        let role = json!({ "grantee": { "team": team }, "gives": { "role": "auditor" } });
        alice.call("grantAccess", role, "grant { id }").await.ok();
        let gives =
            |kind: &str, feature: &str| json!({ "feature": { "kind": kind, "feature": feature, "level": "run" } });
        let flows = json!({ "grantee": { "team": team }, "gives": gives("process_automation", "flows"), "app": app_id(space.flows) });
        // A team too needs the product that another one runs in (S0.27).
        assert_eq!(alice.call("grantAccess", flows.clone(), "grant { id }").await.refusals("grantAccess"), ["MISSING"]);
        let apps = json!({ "grantee": { "team": team }, "gives": gives("ai_solutions_builder", "apps"), "app": app_id(space.builder) });
        alice.call("grantAccess", apps, "grant { id }").await.ok();
        alice.call("grantAccess", flows, "grant { id }").await.ok();

        let audit = "{ viewer { permissions organization { activity { totalCount } } } }";
        assert_eq!(bob.ask(audit).await.codes(), ["FORBIDDEN"]);
        let place = json!({ "team": team, "member": id(bob) });
        alice.call("addTeamMember", place.clone(), "team { id }").await.ok();
        bob.ask(audit).await.ok();
        assert!(
            may(bob, space.builder, "apps", "run").await && may(bob, space.flows, "flows", "run").await,
            "{engines:?}"
        );
        let tab = run(alice, "workspace/teams", json!({})).await;
        let teams = tab.at("viewer.organization.teams");
        assert_eq!(teams["totalCount"], 2);
        let finance = teams["edges"].as_array().unwrap().iter().find(|edge| edge["node"]["slug"] == "finance").unwrap();
        assert_eq!(finance["node"]["members"]["totalCount"], 1);
        assert_eq!(finance["node"]["grants"]["edges"].as_array().unwrap().len(), 3);
        // A licence or a level is a person's, never a team's.
        let licence = json!({ "grantee": { "team": team }, "gives": { "role": "app_builder" } });
        assert_eq!(alice.call("grantAccess", licence, "grant { id }").await.refusals("grantAccess"), ["NOT_GRANTABLE"]);
        alice.call("removeTeamMember", place, "team { id }").await.ok();
        assert_eq!(bob.ask(audit).await.codes(), ["FORBIDDEN"], "{engines:?}");
        assert!(!may(bob, space.flows, "flows", "run").await);
    }
}
