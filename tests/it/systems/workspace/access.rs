//! Products: granted one by one on the profile, with what they need (S0.9, S0.25 to S0.33).

use serde_json::{Value, json};

use super::space::{Space, id, may, person, product, save, space};
use crate::{
    operations::{run, send},
    support::{
        gateway::{Engines, Person},
        people::app_id,
    },
};

/// S0.9, S0.24, S0.25, S0.26, S0.33: nothing by being invited; what is saved on the profile, at once.
#[tokio::test]
async fn s0_25_s0_26_s0_33_a_non_admin_has_what_was_saved_on_the_profile_and_no_more() {
    for engines in Engines::DATABASES {
        let Space { gateway: _open, alice, bob, builder, flows, .. } = space(engines).await;
        assert!(!may(&bob, builder, "apps", "view").await, "{engines:?}");
        save(&alice, &id(&bob), &[product(builder, &[("apps", Some("run"))])]).await.ok();
        assert!(may(&bob, builder, "apps", "run").await);
        assert!(!may(&bob, builder, "marketplace", "view").await && !may(&bob, flows, "flows", "view").await);
        // The next request after Save has it, and no longer has it.
        save(&alice, &id(&bob), &[]).await.ok();
        assert!(!may(&bob, builder, "apps", "run").await);
        assert_eq!(save(&bob, &id(&bob), &[product(builder, &[("apps", Some("run"))])]).await.codes(), ["FORBIDDEN"]);
        // S0.23: an administrator sees them all.
        assert!(may(&alice, builder, "apps", "run").await && may(&alice, flows, "flows", "view").await);
    }
}

/// C1: a licence bounds what its holder has; nobody lifts that bound of their own, by whatever door.
#[tokio::test]
async fn c1_nobody_lifts_the_ceiling_of_their_own() {
    for engines in Engines::DATABASES {
        let space = space(engines).await;
        let (alice, carol, builder) = (&space.alice, &space.carol, space.builder);
        save(alice, &id(carol), &[product(builder, &[("apps", Some("build"))])]).await.ok();
        assert!(may(carol, builder, "apps", "create").await, "{engines:?}");
        let licence = async |by: &Person, field: &str, role: &str| {
            let mut input = json!({ "member": id(carol) });
            input[field] = if field == "roles" { json!([role]) } else { json!(role) };
            let mutation = if field == "roles" { "updateMember" } else { "changeMemberRole" };
            by.call(mutation, input, "member { id }").await
        };
        licence(alice, "role", "app_user").await.ok();
        assert!(!may(carol, builder, "apps", "create").await, "{engines:?}");
        for (field, mutation) in [("role", "changeMemberRole"), ("roles", "updateMember")] {
            let refused = licence(carol, field, "app_builder").await;
            assert_eq!(refused.refusals(mutation), ["NOT_GRANTABLE"], "{engines:?} {}", refused.text);
        }
        assert!(!may(carol, builder, "apps", "create").await, "{engines:?}");
        // Another administrator gives it back, and to take the lower one oneself is nobody's loss.
        licence(alice, "role", "app_builder").await.ok();
        assert!(may(carol, builder, "apps", "create").await, "{engines:?}");
        licence(carol, "role", "app_user").await.ok();
    }
}

/// D3: an administrator gives more than a licence of their own lets them have, but does not have it by a program either, whose secret
/// is theirs: neither by a new token, nor by one of before.
#[tokio::test]
async fn d3_nobody_rises_by_a_program() {
    for engines in Engines::ALL {
        let space = space(engines).await;
        let (alice, carol, builder) = (&space.alice, &space.carol, space.builder);
        let made = carol.call("createServiceAccount", json!({ "name": "Bot" }), "serviceAccount { id }").await.ok();
        let bot = made.at("createServiceAccount.serviceAccount.id");
        let apps = json!({ "feature": { "kind": "ai_solutions_builder", "feature": "apps", "level": "build" } });
        let build = json!({ "grantee": { "serviceAccount": bot }, "app": app_id(builder), "gives": apps });
        save(alice, &id(carol), &[product(builder, &[("apps", Some("build"))])]).await.ok();
        save(carol, &id(alice), &[product(builder, &[("apps", Some("build"))])]).await.ok();
        carol.call("grantAccess", build, "grant { id }").await.ok();
        let token = async |by: &Person, name: &str| {
            by.call("createApiToken", json!({ "name": name, "serviceAccount": bot }), "secret token { id }").await
        };
        let before = token(carol, "before").await.ok();
        let secret = carol.with_token(before.at("createApiToken.secret").as_str().unwrap());
        let builds = async || {
            let ask = "query($id: ID!) { node(id: $id) { ... on App { viewerCapabilities { actions } } } }";
            let may = secret.send(ask, json!({ "id": app_id(builder) })).await.at("node.viewerCapabilities").clone();
            may.to_string().contains("create")
        };
        assert!(builds().await, "{engines:?}");
        alice.call("changeMemberRole", json!({ "member": id(carol), "role": "app_user" }), "member { id }").await.ok();
        assert!(!builds().await, "{engines:?}");
        assert_eq!(token(carol, "after").await.refusals("createApiToken"), ["NOT_GRANTABLE"], "{engines:?}");
        let again = json!({ "token": before.at("createApiToken.token.id"), "overlapHours": 1 });
        let refused = carol.call("regenerateApiToken", again.clone(), "secret").await;
        assert_eq!(refused.refusals("regenerateApiToken"), ["NOT_GRANTABLE"], "{engines:?} {}", refused.text);
        // Whoever builds has it. What is for programs alone is nobody's own, and is handed out all the same.
        alice.call("regenerateApiToken", again, "secret").await.ok();
        let plain = carol.call("createServiceAccount", json!({ "name": "Meter" }), "serviceAccount { id }").await.ok();
        let plain = plain.at("createServiceAccount.serviceAccount.id");
        carol.call("createApiToken", json!({ "name": "meter", "serviceAccount": plain }), "secret").await.ok();
    }
}

/// S0.27: whoever uses another product holds Apps of the AI Solutions Builder, however it is granted.
#[tokio::test]
async fn s0_27_a_product_needs_the_one_that_runs_its_apps() {
    for engines in Engines::DATABASES {
        let space = space(engines).await;
        let (alice, bob, flows) = (&space.alice, id(&space.bob), product(space.flows, &[("flows", Some("run"))]));
        let apps = product(space.builder, &[("apps", Some("run"))]);
        let lacking = save(alice, &bob, std::slice::from_ref(&flows)).await;
        assert_eq!(lacking.refusals("updateMemberAccess"), ["MISSING"], "{engines:?}");
        let error = lacking.at("updateMemberAccess.userErrors.0");
        assert_eq!(error["field"], json!(["access", "0", "features", "0", "feature"]));
        assert_eq!(error["remedy"], "Give Apps of AI Solutions Builder as well.");
        save(alice, &bob, &[flows.clone(), apps.clone()]).await.ok();
        assert!(may(&space.bob, space.flows, "flows", "run").await);
        // It cannot be taken from below.
        assert_eq!(save(alice, &bob, std::slice::from_ref(&flows)).await.refusals("updateMemberAccess"), ["MISSING"]);
        assert!(may(&space.bob, space.builder, "apps", "run").await, "nothing was changed");
        let sql = "SELECT id FROM access_grant WHERE grantee_id = $1 AND feature = 'apps'";
        let grant = space.gateway.database.rows(sql, [space.bob.member.into()]).await[0].try_get_by_index(0).unwrap();
        let take = json!({ "grant": gatehouse::graphql::node::NodeType::Grant.id(grant) });
        let kept = alice.call("revokeAccess", take, "revokedGrant").await;
        assert_eq!(kept.refusals("revokeAccess"), ["MISSING"]);
        // What stands in the way is the other product, not something that were to be given.
        let error = kept.at("revokeAccess.userErrors.0");
        let needs = "Flows of Process Automation needs Apps of AI Solutions Builder";
        assert_eq!((&error["message"], &error["field"]), (&json!(needs), &json!(["grant"])));
        let remedy =
            "Take Flows of Process Automation away first, or give Apps of AI Solutions Builder in another way.";
        assert_eq!(error["remedy"], remedy);
        // The same for single grants, and when inviting.
        let dora = person(&space.gateway, &space.tenant, "dora", &["app_user", "non_admin"]).await;
        let gives = json!({ "feature": { "kind": "process_automation", "feature": "flows", "level": "run" } });
        let give = json!({ "grantee": { "member": id(&dora) }, "gives": gives, "app": app_id(space.flows) });
        assert_eq!(alice.call("grantAccess", give.clone(), "grant { id }").await.refusals("grantAccess"), ["MISSING"]);
        save(alice, &id(&dora), &[apps]).await.ok();
        alice.call("grantAccess", give, "grant { id }").await.ok();
        let input = json!({ "email": "erin@example.org", "roles": ["app_user", "non_admin"], "access": [flows] });
        let invited = send(alice, "workspace/invite-member", json!({ "input": input })).await;
        assert_eq!(invited.refusals("inviteMember"), ["MISSING"]);
    }
}

/// S0.28: an invited person's profile is opened and set up before the invitation is accepted.
#[tokio::test]
async fn s0_28_a_pending_members_profile_is_set_up() {
    let space = space(Engines::Embedded).await;
    let input = json!({ "email": "dave@example.org", "roles": ["app_user", "non_admin"] });
    let invited = run(&space.alice, "workspace/invite-member", json!({ "input": input })).await;
    let member = invited.at("inviteMember.member.id").as_str().unwrap().to_owned();
    save(&space.alice, &member, &[product(space.builder, &[("apps", Some("run")), ("marketplace", None)])]).await.ok();
    let profile = run(&space.alice, "workspace/member-profile", json!({ "member": member })).await;
    let seen = profile.at("viewer.organization.member");
    assert_eq!((&seen["state"], &seen["viewerCanEditAccess"]), (&json!("PENDING"), &json!(true)));
    let grants = seen["grants"]["edges"].as_array().unwrap();
    let features: Vec<&Value> =
        grants.iter().map(|edge| &edge["node"]["feature"]).filter(|key| !key.is_null()).collect();
    assert_eq!(features.len(), 2);
}

/// S0.29, S0.30, S0.31, S0.32: locked cards show; the AI Solutions Builder has Apps, which everyone needs, and Marketplace.
#[tokio::test]
async fn s0_29_s0_30_s0_31_s0_32_locked_cards_show_and_modules_are_picked() {
    for engines in Engines::DATABASES {
        let space = space(engines).await;
        let cards = "{ viewer { organization { apps { totalCount edges { node { slug viewerCapabilities { feature level actions } } } } } } }";
        let seen = space.bob.ask(cards).await.ok();
        assert_eq!(
            seen.at("viewer.organization.apps.totalCount"),
            2,
            "{engines:?}: both cards, though both are locked"
        );
        assert_eq!(seen.at("viewer.organization.apps.edges.0.node.viewerCapabilities"), &json!([]));
        let profile = run(&space.alice, "workspace/member-profile", json!({ "member": id(&space.bob) })).await;
        let kinds = profile.at("viewer.organization.appKinds").as_array().unwrap();
        let builder = kinds.iter().find(|kind| kind["key"] == "ai_solutions_builder").unwrap();
        let modules: Vec<&Value> =
            builder["features"].as_array().unwrap().iter().map(|feature| &feature["label"]).collect();
        assert_eq!(modules, ["Apps", "Marketplace"]);
        assert_eq!(builder["features"][1]["requires"], json!(["apps"]));
        let alone = save(&space.alice, &id(&space.bob), &[product(space.builder, &[("marketplace", None)])]).await;
        assert_eq!(alone.refusals("updateMemberAccess"), ["MISSING"]);
        let none = save(&space.alice, &id(&space.bob), &[product(space.builder, &[])]).await;
        assert_eq!(none.refusals("updateMemberAccess"), ["MISSING"], "adding a product opens the choice of modules");
        save(&space.alice, &id(&space.bob), &[product(space.builder, &[("apps", Some("run")), ("marketplace", None)])])
            .await
            .ok();
        assert!(may(&space.bob, space.builder, "apps", "view").await);
        assert!(
            may(&space.bob, space.builder, "marketplace", "view").await
                && may(&space.bob, space.builder, "marketplace", "run").await
        );
        // What is locked is refused with a reason, not hidden.
        let open = format!(
            "{{ node(id: \"{}\") {{ ... on App {{ slug viewerCan(feature: \"flows\", action: \"view\") }} }} }}",
            app_id(space.flows)
        );
        let locked = space.bob.ask(&open).await.ok();
        assert_eq!((locked.at("node.slug"), locked.at("node.viewerCan")), (&json!("flows"), &json!(false)));
    }
}
