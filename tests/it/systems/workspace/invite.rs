//! Inviting: both choices at once, and the seat pools (S0.6, S0.7, S0.14 to S0.24).

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::space::{Space, id, keys, may, menus, person, product, save, seats, space};
use crate::{
    operations::{run, send},
    support::{
        gateway::{Answer, Engines, Person, scale},
        people::{join, remedies},
    },
};

async fn invite(by: &Person, name: &str, roles: &[&str]) -> Answer {
    let input = json!({ "email": format!("{name}@example.org"), "name": name, "roles": roles, "notify": false });
    send(by, "workspace/invite-member", json!({ "input": input })).await
}

/// S0.6, S0.7, S0.14, S0.15: the roster, "+", and both choices made there and then.
#[tokio::test]
async fn s0_6_s0_14_s0_15_the_access_level_is_chosen_when_inviting() {
    for engines in Engines::DATABASES {
        let Space { gateway: _open, alice, bob, .. } = space(engines).await;
        for (roles, missing) in [
            (&[][..], vec!["Licence: none is chosen", "Administrative level: none is chosen"]),
            (&["app_user"][..], vec!["Administrative level: none is chosen"]),
            (&["non_admin"][..], vec!["Licence: none is chosen"]),
            (&["billing_admin", "administrator"][..], vec!["Licence: none is chosen"]),
        ] {
            let answer = invite(&alice, "dave", roles).await;
            let errors = answer.at("inviteMember.userErrors").as_array().unwrap();
            let told: Vec<&str> = errors.iter().map(|error| error["message"].as_str().unwrap()).collect();
            assert_eq!(told, missing, "{engines:?}: {roles:?}");
            assert!(errors.iter().all(|error| error["code"] == "MISSING" && error["field"] == json!(["roles"])));
            assert!(errors[0]["remedy"].as_str().unwrap().starts_with("Choose "));
        }
        let twice = invite(&alice, "dave", &["app_user", "app_builder", "non_admin"]).await;
        assert_eq!(twice.refusals("inviteMember"), ["INVALID"]);
        assert_eq!(twice.at("inviteMember.userErrors.0.field"), &json!(["roles", "1"]));
        assert_eq!(
            invite(&alice, "dave", &["app_user", "non_admin", "king"]).await.refusals("inviteMember"),
            ["NOT_IN_BLUEPRINT"]
        );
        let done = invite(&alice, "dave", &["app_user", "non_admin"]).await.ok();
        assert_eq!(keys(done.at("inviteMember.member.roles")), ["app_user", "non_admin"]);
        // A main role and flags may be named apart, as in blueprints of one slot.
        let input =
            json!({ "email": "erin@example.org", "roles": ["app_user"], "role": "non_admin", "flags": ["auditor"] });
        let short = run(&alice, "workspace/invite-member", json!({ "input": input })).await;
        assert_eq!(keys(short.at("inviteMember.member.roles")), ["app_user", "non_admin", "auditor"]);
        let roster = run(&alice, "workspace/access-management", json!({ "first": 50 })).await;
        assert_eq!(roster.at("viewer.organization.members.totalCount"), 5);
        assert_eq!(invite(&bob, "frank", &["app_user", "non_admin"]).await.codes(), ["FORBIDDEN"]);
        // S0.7: and changed later in the same place, one slot at a time.
        let change = json!({ "member": id(&bob), "role": "app_builder" });
        let changed = alice.call("changeMemberRole", change, "member { roles { key } }").await.ok();
        assert_eq!(keys(changed.at("changeMemberRole.member.roles")), ["app_builder", "non_admin"]);
    }
}

/// S0.16, S0.22: two licences and two levels, chosen independently; the form offers exactly those.
#[tokio::test]
async fn s0_16_s0_22_two_licences_and_two_levels_chosen_independently() {
    let Space { gateway, alice, .. } = space(Engines::Embedded).await;
    let form = run(&alice, "workspace/invite-form", json!({})).await;
    let form = form.at("viewer.organization.invitationForm");
    assert_eq!(keys(&form["slots"]), ["licence", "level"]);
    let of = |slot: Value| -> Vec<String> {
        let roles = form["roles"].as_array().unwrap().iter().filter(|role| role["slot"] == slot);
        roles.map(|role| role["label"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of(json!("licence")), ["App Builder", "App User"]);
    assert_eq!(of(json!("level")), ["Administrator", "Non-Admin"]);
    for (index, licence) in ["app_builder", "app_user"].into_iter().enumerate() {
        for level in ["administrator", "non_admin"] {
            let input = json!({ "roles": [licence, level] });
            let joined = join(&gateway, &alice, (&format!("p{index}{}", level.len()), input)).await;
            // The level alone decides about Settings, whatever the licence (S0.23, S0.24).
            let sees = menus(&joined).await.contains(&"access_management".to_owned());
            assert_eq!(sees, level == "administrator", "{licence} {level}");
        }
    }
}

/// S0.18, S0.20, S0.21: each licence takes a seat of its own pool, pending invitations included; full is full, in one pool.
#[tokio::test]
async fn s0_18_s0_20_s0_21_builder_and_user_seats_are_two_pools() {
    for engines in Engines::DATABASES {
        let space = space(engines).await;
        assert_eq!(seats(&space.alice).await, [(2, 0), (1, 0)], "{engines:?}");
        invite(&space.alice, "dave", &["app_builder", "non_admin"]).await.ok();
        invite(&space.alice, "erin", &["app_user", "administrator"]).await.ok();
        assert_eq!(seats(&space.alice).await, [(2, 1), (1, 1)]);
        // Starter has two builder seats and five user seats.
        space.alice.call("changePlan", json!({ "plan": "starter" }), "organization { id }").await.ok();
        assert_eq!(
            invite(&space.alice, "frank", &["app_builder", "non_admin"]).await.refusals("inviteMember"),
            ["SEAT_LIMIT"]
        );
        let names: Vec<String> = (0..6 * scale()).map(|n| format!("user{n}")).collect();
        let answers = join_all(names.iter().map(|name| invite(&space.alice, name, &["app_user", "non_admin"]))).await;
        let refused = answers.iter().filter(|answer| !answer.refusals("inviteMember").is_empty()).count();
        assert_eq!(
            refused,
            names.len() - 3,
            "{engines:?}: the pool of users has three left, however full the other is"
        );
        // From one pool to the other, when there is room.
        let change = json!({ "member": id(&space.bob), "role": "app_builder" });
        let full = space.alice.call("changeMemberRole", change, "member { id }").await;
        assert_eq!(full.refusals("changeMemberRole"), ["SEAT_LIMIT"]);
    }
}

/// S0.17, S0.19: an App Builder creates and edits; an App User runs what is finished, whatever is granted.
#[tokio::test]
async fn s0_17_s0_19_a_builder_builds_and_a_user_runs() {
    let space = space(Engines::Embedded).await;
    let dora = person(&space.gateway, &space.tenant, "dora", &["app_builder", "non_admin"]).await;
    save(&space.alice, &id(&dora), &[product(space.builder, &[("apps", Some("build"))])]).await.ok();
    save(&space.alice, &id(&space.bob), &[product(space.builder, &[("apps", Some("run"))])]).await.ok();
    for (action, builds) in [("run", true), ("create", true), ("edit", true), ("publish", true)] {
        assert_eq!(may(&dora, space.builder, "apps", action).await, builds, "{action}");
        assert_eq!(may(&space.bob, space.builder, "apps", action).await, action == "run", "{action}");
    }
    // Given more past every check, the licence still goes only so far.
    space
        .gateway
        .database
        .run(
            "UPDATE access_grant SET level = 'build' WHERE grantee_id = $1 AND feature IS NOT NULL",
            [space.bob.member.into()],
        )
        .await
        .unwrap();
    space.gateway.settle().await;
    assert!(
        may(&space.bob, space.builder, "apps", "run").await && !may(&space.bob, space.builder, "apps", "edit").await
    );
}

/// S0.18, S0.20: with both pools full nobody can be invited, and it is told beforehand; one free seat of either is enough.
#[tokio::test]
async fn s0_18_s0_20_nobody_can_be_invited_into_two_full_pools() {
    for engines in Engines::DATABASES {
        let Space { gateway, tenant, alice, .. } = space(engines).await;
        alice.call("changePlan", json!({ "plan": "starter" }), "organization { id }").await.ok();
        let ask = "{ viewer { organization { viewerCanInvite viewerCannotInviteReasons { code } } } }";
        for name in ["dave", "erin", "frank", "grace"] {
            assert_eq!(
                alice.ask(ask).await.ok().at("viewer.organization.viewerCanInvite"),
                true,
                "{engines:?}: {name}"
            );
            person(&gateway, &tenant, name, &["app_user", "non_admin"]).await;
        }
        let told = alice.ask(ask).await.ok();
        assert_eq!(told.at("viewer.organization.viewerCanInvite"), false, "{engines:?}");
        let reasons = told.at("viewer.organization.viewerCannotInviteReasons");
        assert_eq!(reasons, &json!([{ "code": "SEAT_LIMIT" }, { "code": "SEAT_LIMIT" }]));
        let refused = invite(&alice, "heidi", &["app_user", "non_admin"]).await;
        assert_eq!(refused.refusals("inviteMember"), ["SEAT_LIMIT"]);
    }
}

/// S0.10, S0.21, S3.59: at a full pool each is told what that one can do: who may not change the plan has it changed; a pending
/// invitation is named where there is one to take back.
#[tokio::test]
async fn s0_21_a_full_pool_tells_everyone_what_that_one_can_do() {
    let Space { gateway: _open, alice, carol, .. } = space(Engines::Embedded).await;
    alice.call("changePlan", json!({ "plan": "starter" }), "organization { id }").await.ok();
    for (who, change) in [(&alice, "change the plan"), (&carol, "have the plan changed")] {
        let full = invite(who, "dave", &["app_builder", "non_admin"]).await;
        let remedy = format!("Remove a member, or {change} to Growth (10 seats).");
        assert_eq!(remedies(&full, "inviteMember"), [remedy], "{}", who.name);
    }
    for name in ["erin", "frank", "grace", "heidi"] {
        invite(&alice, name, &["app_user", "non_admin"]).await.ok();
    }
    let ask = "{ viewer { organization { viewerCannotInviteReasons { remedy } } } }";
    for (who, change) in [(&alice, "change the plan"), (&carol, "have the plan changed")] {
        let full = invite(who, "dave", &["app_user", "non_admin"]).await;
        let remedy = format!("Remove a member, take back a pending invitation, or {change} to Growth (50 seats).");
        assert_eq!(remedies(&full, "inviteMember"), std::slice::from_ref(&remedy), "{}", who.name);
        let told = who.ask(ask).await.ok();
        let reasons = told.at("viewer.organization.viewerCannotInviteReasons").as_array().unwrap();
        assert!(reasons.contains(&json!({ "remedy": remedy })), "{}: {reasons:?}", who.name);
    }
}
