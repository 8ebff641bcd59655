//! Products that need another one, and changes elsewhere that would take it away (S0.27).

use serde_json::{Value, json};
use uuid::Uuid;

use super::space::{Space, id, may, person, product, save, space};
use crate::support::{
    gateway::{Answer, Engines},
    people::{app_id, fields, remedies},
};

const REMEDY: &str =
    "Take Tables of Data Room from them first, or give them Apps of AI Solutions Builder in another way.";

/// A data room beside the other products, and its tables as the form sends them.
async fn room(space: &Space) -> (Uuid, Value) {
    let room = space.gateway.app(&space.tenant, "data_room", "room").await;
    space.gateway.settle().await;
    (room, product(room, &[("tables", None)]))
}

fn said(answer: &Answer, mutation: &str) -> String {
    answer.at(&format!("{mutation}.userErrors.0.message")).as_str().unwrap_or_default().to_owned()
}

/// S0.27: the product that others run in is not deleted from under those who use them, nor from under a team.
#[tokio::test]
async fn s0_27_the_product_that_others_need_is_not_deleted_from_below() {
    for engines in Engines::DATABASES {
        let space = space(engines).await;
        let (room, tables) = room(&space).await;
        let apps = product(space.builder, &[("apps", Some("run"))]);
        let alice = &space.alice;
        save(alice, &id(&space.bob), &[apps.clone(), tables.clone()]).await.ok();
        let deletion = json!({ "app": app_id(space.builder), "confirm": "builder" });
        let refused = alice.call("deleteApp", deletion.clone(), "deletedApp").await;
        assert_eq!(refused.refusals("deleteApp"), ["MISSING"], "{engines:?}");
        let left = "bob would be left without Apps of AI Solutions Builder, which Tables of Data Room needs";
        assert_eq!(said(&refused, "deleteApp"), left);
        assert_eq!(remedies(&refused, "deleteApp"), [REMEDY]);
        assert_eq!(fields(&refused, "deleteApp"), ["app"]);
        assert!(may(&space.bob, space.builder, "apps", "run").await && may(&space.bob, room, "tables", "view").await);
        // Many are counted, not listed.
        for name in ["dora", "erin", "frank"] {
            let another = person(&space.gateway, &space.tenant, name, &["app_user", "non_admin"]).await;
            save(alice, &id(&another), &[apps.clone(), tables.clone()]).await.ok();
        }
        let refused = alice.call("deleteApp", deletion.clone(), "deletedApp").await;
        assert!(said(&refused, "deleteApp").contains(" and 1 more would be left"), "{engines:?} {}", refused.text);
        // What needs it may go, and then nothing needs it any more.
        let gone = json!({ "app": app_id(room), "confirm": "room" });
        alice.call("deleteApp", gone, "deletedApp").await.ok();
        alice.call("deleteApp", deletion, "deletedApp").await.ok();
    }
}

/// S0.27: a second product of the kind is enough, and a team's own features count as a member's do.
#[tokio::test]
async fn s0_27_a_team_keeps_what_its_products_need() {
    let space = space(Engines::Embedded).await;
    let (room, _) = room(&space).await;
    let (alice, second) = (&space.alice, space.gateway.app(&space.tenant, "ai_solutions_builder", "second").await);
    space.gateway.settle().await;
    let team = alice.call("createTeam", json!({ "slug": "finance", "name": "Finance" }), "team { id }").await.ok();
    let team = team.at("createTeam.team.id").clone();
    let give = |kind: &str, feature: &str, level: Option<&str>, app: Uuid| {
        let gives = json!({ "feature": { "kind": kind, "feature": feature, "level": level } });
        json!({ "grantee": { "team": team }, "gives": gives, "app": app_id(app) })
    };
    for input in [
        give("ai_solutions_builder", "apps", Some("run"), space.builder),
        give("ai_solutions_builder", "apps", Some("run"), second),
        give("data_room", "tables", None, room),
    ] {
        alice.call("grantAccess", input, "grant { id }").await.ok();
    }
    alice.call("deleteApp", json!({ "app": app_id(second), "confirm": "second" }), "deletedApp").await.ok();
    let last = json!({ "app": app_id(space.builder), "confirm": "builder" });
    let refused = alice.call("deleteApp", last, "deletedApp").await;
    assert_eq!(refused.refusals("deleteApp"), ["MISSING"]);
    assert!(said(&refused, "deleteApp").starts_with("Finance would be left"), "{}", refused.text);
}

/// S0.27: whoever has it by a team is neither taken out of the team, nor is the team deleted or emptied, while it is needed.
#[tokio::test]
async fn s0_27_a_team_that_gives_what_is_needed_is_not_taken_away() {
    for engines in Engines::DATABASES {
        let space = space(engines).await;
        let (room, tables) = room(&space).await;
        let (alice, bob) = (&space.alice, id(&space.bob));
        let team = alice.call("createTeam", json!({ "slug": "finance", "name": "Finance" }), "team { id }").await.ok();
        let team = team.at("createTeam.team.id").clone();
        let gives = json!({ "feature": { "kind": "ai_solutions_builder", "feature": "apps", "level": "run" } });
        let apps = json!({ "grantee": { "team": team }, "gives": gives, "app": app_id(space.builder) });
        let grant = alice.call("grantAccess", apps, "grant { id }").await.ok().at("grantAccess.grant.id").clone();
        let place = json!({ "team": team, "member": bob });
        alice.call("addTeamMember", place.clone(), "team { id }").await.ok();
        save(alice, &bob, std::slice::from_ref(&tables)).await.ok();
        assert!(may(&space.bob, room, "tables", "view").await, "{engines:?}");
        let attempts = [
            ("removeTeamMember", place.clone(), "team { id }", "member"),
            ("deleteTeam", json!({ "team": team }), "deletedTeam", "team"),
            ("revokeAccess", json!({ "grant": grant }), "revokedGrant", "grant"),
        ];
        for (mutation, input, answer, field) in attempts {
            let refused = alice.call(mutation, input, answer).await;
            assert_eq!(refused.refusals(mutation), ["MISSING"], "{engines:?} {mutation}");
            assert!(said(&refused, mutation).starts_with("bob would be left"), "{}", refused.text);
            assert_eq!(
                (remedies(&refused, mutation), fields(&refused, mutation)),
                (vec![REMEDY.to_owned()], vec![field.to_owned()])
            );
        }
        assert!(may(&space.bob, space.builder, "apps", "run").await, "{engines:?}: nothing was changed");
        // Who is in the team without such features goes as before, and so does bob once he has Apps himself.
        let dora = person(&space.gateway, &space.tenant, "dora", &["app_user", "non_admin"]).await;
        let other = json!({ "team": team, "member": id(&dora) });
        alice.call("addTeamMember", other.clone(), "team { id }").await.ok();
        alice.call("removeTeamMember", other, "team { id }").await.ok();
        save(alice, &bob, &[product(space.builder, &[("apps", Some("run"))]), tables]).await.ok();
        alice.call("removeTeamMember", place, "team { id }").await.ok();
        alice.call("deleteTeam", json!({ "team": team }), "deletedTeam").await.ok();
        assert!(may(&space.bob, room, "tables", "view").await, "{engines:?}");
    }
}

/// S0.27, S0.22: an administrator whose level alone gave Apps is not made a Non-Admin while products of its own need them;
/// with the same form Apps are ticked, or what needs them is not.
#[tokio::test]
async fn s0_27_s0_22_a_level_that_alone_gives_what_is_needed_is_not_taken() {
    for engines in Engines::DATABASES {
        let space = space(engines).await;
        let (room, tables) = room(&space).await;
        let (alice, carol) = (&space.alice, id(&space.carol));
        save(alice, &carol, std::slice::from_ref(&tables)).await.ok();
        let down = json!({ "member": carol, "role": "non_admin" });
        let refused = alice.call("changeMemberRole", down.clone(), "member { id }").await;
        assert_eq!(refused.refusals("changeMemberRole"), ["MISSING"], "{engines:?} {}", refused.text);
        let left = "carol would be left without Apps of AI Solutions Builder, which Tables of Data Room needs";
        assert_eq!(said(&refused, "changeMemberRole"), left);
        assert_eq!(remedies(&refused, "changeMemberRole"), [REMEDY]);
        assert_eq!(fields(&refused, "changeMemberRole"), ["role"]);
        // The form says the same at the field that it fills in.
        let mut form = json!({ "member": carol, "roles": ["non_admin"] });
        let refused = alice.call("updateMember", form.clone(), "member { id }").await;
        assert_eq!(refused.refusals("updateMember"), ["MISSING"], "{engines:?} {}", refused.text);
        assert_eq!(fields(&refused, "updateMember"), ["roles"]);
        form["access"] = json!([tables]);
        assert_eq!(
            alice.call("updateMember", form.clone(), "member { id }").await.refusals("updateMember"),
            ["MISSING"]
        );
        assert!(may(&space.carol, room, "tables", "view").await, "{engines:?}: nothing was changed");
        form["access"] = json!([product(space.builder, &[("apps", Some("run"))]), tables]);
        alice.call("updateMember", form, "member { id }").await.ok();
        assert!(may(&space.carol, room, "tables", "view").await, "{engines:?}");
        // Up again and down: with Apps of one's own the level goes as ever, and without such products too.
        alice.call("changeMemberRole", json!({ "member": carol, "role": "administrator" }), "member { id }").await.ok();
        alice.call("changeMemberRole", down, "member { id }").await.ok();
        let dora = person(&space.gateway, &space.tenant, "dora", &["app_builder", "administrator"]).await;
        save(alice, &id(&dora), &[tables]).await.ok();
        let bare = json!({ "member": id(&dora), "roles": ["non_admin"], "access": [] });
        alice.call("updateMember", bare, "member { id }").await.ok();
    }
}

/// S0.27: who goes, or is shut out, takes its features along: nobody stands in the way of that.
#[tokio::test]
async fn s0_27_whoever_goes_or_is_shut_out_needs_nothing() {
    let space = space(Engines::Embedded).await;
    let (_, tables) = room(&space).await;
    let (alice, carol) = (&space.alice, id(&space.carol));
    save(alice, &carol, &[tables]).await.ok();
    alice.call("suspendMember", json!({ "member": carol }), "member { id }").await.ok();
    alice.call("reactivateMember", json!({ "member": carol }), "member { id }").await.ok();
    alice.call("removeMember", json!({ "member": carol, "confirm": true }), "removed").await.ok();
}
