//! The capability matrix: what ticks give, how they are edited, and that a revoked one is gone at once (S3.32 to S3.49, S3.72,
//! S3.75 to S3.77, Q8, Q9, Q24).

use serde_json::{Value, json};

use super::hub::{Hub, app_id, check, hub, may, member_id, save};
use crate::support::{
    events::Events,
    gateway::{Answer, Engines, Gateway, Tenant},
};

#[tokio::test]
async fn s3_32_to_s3_39_q9_a_tick_shows_and_edits_as_far_as_the_feature_lets_it() {
    let Hub { gateway: _open, alice, bob, service, help, news, page, .. } = hub(Engines::Embedded).await;
    let desk =
        ["inbox", "tickets", "app_users", "quick_prompts", "playground", "analytics", "settings", "integrations"];
    let center = ["articles", "tags", "collections", "analytics", "settings"];
    let ai = ["inbox", "app_users", "quick_prompts", "analytics", "settings"];
    save(&alice, &bob, &[(service, &desk), (help, &center), (news, &center), (page, &ai)]).await.ok();
    // S3.32: every tick gives visibility.
    for (app, features) in [(service, &desk[..]), (help, &center), (news, &center), (page, &ai)] {
        for feature in features {
            assert!(may(&bob, app, feature, "view").await, "{feature}");
        }
    }
    // S3.33: chats are replied to in every inbox given.
    assert!(may(&bob, service, "inbox", "reply").await && may(&bob, page, "inbox", "reply").await);
    // S3.34, Q9: chats become tickets with the inbox, in Customer Service alone.
    assert!(may(&bob, service, "inbox", "convert_to_ticket").await);
    assert_eq!(check(&bob, &bob, page, ("inbox", "convert_to_ticket")).await.ok().at("check.code"), "UNKNOWN_ACTION");
    // S3.35: articles, tags and collections are written.
    for (app, feature) in [(help, "articles"), (help, "tags"), (help, "collections"), (news, "articles")] {
        for action in ["create", "edit", "publish"] {
            assert!(may(&bob, app, feature, action).await, "{feature} {action}");
        }
    }
    // S3.36: quick prompts of AI pages are edited; S3.39 and Q9: those of Customer Service, and tickets, are not.
    assert!(may(&bob, page, "quick_prompts", "edit").await);
    assert!(!may(&bob, service, "quick_prompts", "edit").await && !may(&bob, service, "tickets", "edit").await);
    // S3.37: everything else is read-only; S3.38: settings too, by design.
    for (app, feature) in [
        (service, "settings"),
        (service, "integrations"),
        (service, "app_users"),
        (service, "playground"),
        (help, "settings"),
        (page, "settings"),
        (page, "app_users"),
    ] {
        assert!(!may(&bob, app, feature, "edit").await, "{feature}");
        assert!(may(&alice, app, feature, "edit").await, "S3.5: {feature}");
    }
}

#[tokio::test]
async fn s3_47_s3_48_s3_49_the_usual_patterns_give_what_they_should() {
    let Hub { gateway, hub, alice, bob, service, help, .. } = hub(Engines::Embedded).await;
    let carol = gateway.member(&hub, "carol", "member").await;
    let dave = gateway.member(&hub, "dave", "member").await;
    save(&alice, &bob, &[(service, &["inbox", "tickets"])]).await.ok();
    save(&alice, &carol, &[(help, &["articles", "tags", "collections"])]).await.ok();
    save(&alice, &dave, &[(service, &["inbox"]), (help, &["articles"])]).await.ok();
    assert!(may(&bob, service, "inbox", "reply").await && !may(&bob, service, "analytics", "view").await, "S3.47");
    assert_eq!(check(&bob, &bob, help, ("articles", "view")).await.codes(), ["NOT_FOUND"]);
    assert!(may(&carol, help, "collections", "publish").await, "S3.48");
    assert_eq!(check(&carol, &carol, service, ("inbox", "view")).await.codes(), ["NOT_FOUND"], "S3.48: nothing there");
    assert!(may(&dave, service, "inbox", "reply").await && may(&dave, help, "articles", "edit").await, "S3.49");
}

#[tokio::test]
async fn s3_42_s3_43_s3_44_s3_10_s3_11_editing_access_saves_the_whole_tree() {
    for engines in Engines::DATABASES {
        let Hub { gateway: _open, alice, bob, service, help, .. } = hub(engines).await;
        // S3.10 and S3.11: exact apps, exact features.
        save(&alice, &bob, &[(service, &["inbox", "tickets"]), (help, &["articles"])]).await.ok();
        let own = "query($id: ID!) { node(id: $id) { ... on Member { capabilities { totalCount edges { node {
            app { slug } feature { key } sources { via whole } } } } grants { edges { node { feature app { slug } } } } } } }";
        let seen = |answer: &Answer| -> Vec<String> {
            let edges = answer.at("node.capabilities.edges").as_array().unwrap().clone();
            let text = |node: &Value| format!("{}.{}", node["app"]["slug"], node["feature"]["key"]).replace('"', "");
            edges.iter().map(|edge| text(&edge["node"])).collect()
        };
        let variables = json!({ "id": member_id(&bob) });
        let first = alice.send(own, variables.clone()).await.ok();
        assert_eq!(seen(&first), ["desk.inbox", "desk.tickets", "help.articles"]);
        assert_eq!(first.at("node.capabilities.edges.0.node.sources"), &json!([{ "via": "DIRECT", "whole": true }]));
        let grants = first.at("node.grants.edges").as_array().unwrap().len();
        assert_eq!(grants, 4, "the role and three features");
        // S3.43 and S3.44: the same tree, saved as a whole.
        save(&alice, &bob, &[(service, &["tickets", "analytics"])]).await.ok();
        let second = bob.send(own, variables).await.ok();
        assert_eq!(seen(&second), ["desk.tickets", "desk.analytics"], "{engines:?}");
        // S3.42, the other half: a plain member edits nobody, least of all itself.
        assert_eq!(save(&bob, &bob, &[(service, &["settings"])]).await.codes(), ["FORBIDDEN"]);
        // Nothing is half saved.
        let half = save(&alice, &bob, &[(service, &["inbox"]), (help, &["inbox"])]).await;
        assert_eq!(half.refusals("updateMemberAccess"), ["NOT_IN_BLUEPRINT"]);
        assert!(!may(&bob, service, "inbox", "view").await);
    }
}

#[tokio::test]
async fn s3_77_q8_a_feature_belongs_to_the_kind_of_the_app() {
    let Hub { alice, bob, gateway, hub, help, .. } = hub(Engines::Embedded).await;
    let carol = gateway.member(&hub, "carol", "member").await;
    // S3.77 as it can be: two members on one app, not overlapping.
    save(&alice, &bob, &[(help, &["articles", "settings"])]).await.ok();
    save(&alice, &carol, &[(help, &["tags"])]).await.ok();
    assert!(may(&bob, help, "articles", "edit").await && !may(&bob, help, "tags", "view").await);
    assert!(may(&carol, help, "tags", "edit").await && !may(&carol, help, "articles", "view").await);
    // Q8: an inbox there is not, on this kind of app.
    let refused = save(&alice, &bob, &[(help, &["inbox"])]).await;
    assert_eq!(refused.refusals("updateMemberAccess"), ["NOT_IN_BLUEPRINT"], "{}", refused.text);
    let error = refused.at("updateMemberAccess.userErrors.0");
    assert_eq!(error["field"], json!(["access", "0", "features", "0", "feature"]));
    assert!(error["remedy"].as_str().unwrap().contains("articles"), "{error}");
    let kind = json!({ "feature": { "kind": "customer_service", "feature": "inbox" } });
    let other = json!({ "grantee": { "member": member_id(&bob) }, "gives": kind, "app": app_id(help) });
    let refused = alice.call("grantAccess", other, "grant { id }").await;
    assert_eq!(refused.refusals("grantAccess"), ["NOT_IN_BLUEPRINT"], "{}", refused.text);
    assert!(may(&bob, help, "articles", "edit").await, "nothing was changed");
}

#[tokio::test]
async fn q8_the_guard_of_the_kind_is_what_refuses() {
    let Hub { alice, bob, gateway, help, .. } = hub(Engines::Embedded).await;
    let grants = "SELECT count(*) FROM access_grant WHERE feature = 'inbox'";
    save(&alice, &bob, &[(help, &["inbox"])]).await;
    assert_eq!(gateway.database.count(grants).await, 0);
}

#[tokio::test]
async fn s3_72_q24_a_lost_feature_is_forbidden_and_a_lost_app_is_not_found() {
    let Hub { gateway: _open, alice, bob, service, .. } = hub(Engines::Embedded).await;
    save(&alice, &bob, &[(service, &["inbox", "tickets"])]).await.ok();
    let allowed = check(&bob, &bob, service, ("inbox", "reply")).await.ok();
    assert_eq!(allowed.at("check.code"), "ALLOWED");
    assert_eq!(allowed.at("check.reasons.0.via"), "DIRECT");
    // S3.72, Q24: the app is still seen, so the refusal says what is missing.
    save(&alice, &bob, &[(service, &["tickets"])]).await.ok();
    let lost = check(&bob, &bob, service, ("inbox", "reply")).await.ok();
    assert_eq!(lost.at("check.allowed"), false);
    assert_eq!((lost.at("check.code"), lost.at("check.refusal")), (&json!("NOT_GRANTED"), &json!("FORBIDDEN")));
    assert!(lost.at("check.message").as_str().unwrap().contains("inbox"));
    // Q24: the app is gone for bob; who asks about bob is told how to refuse.
    save(&alice, &bob, &[]).await.ok();
    assert_eq!(check(&bob, &bob, service, ("inbox", "reply")).await.codes(), ["NOT_FOUND"]);
    let about = check(&alice, &bob, service, ("inbox", "reply")).await.ok();
    assert_eq!((about.at("check.code"), about.at("check.refusal")), (&json!("APP_HIDDEN"), &json!("NOT_FOUND")));
    // Nobody asks about others without the permission.
    assert_eq!(check(&bob, &alice, service, ("inbox", "reply")).await.codes(), ["FORBIDDEN"]);
}

#[tokio::test]
async fn s3_45_s3_75_a_revoked_capability_refuses_the_next_request() {
    for engines in Engines::ALL {
        let Hub { gateway, hub, alice, bob, service, help, .. } = hub(engines).await;
        for round in 0..5 * crate::support::gateway::scale() {
            let input = json!({
                "grantee": { "member": member_id(&bob) },
                "gives": { "feature": { "kind": "customer_service", "feature": "inbox" } },
                "app": app_id(service),
            });
            let given = alice.call("grantAccess", input, "grant { id feature app { slug } }").await.ok();
            // S3.45: effective immediately, and warm from now on.
            for _ in 0..3 {
                assert!(may(&bob, service, "inbox", "reply").await, "{engines:?} {round}");
            }
            let revoked = json!({ "grant": given.at("grantAccess.grant.id") });
            alice.call("revokeAccess", revoked, "revokedGrant").await.ok();
            let next = check(&bob, &bob, service, ("inbox", "reply")).await;
            assert_eq!(next.codes(), ["NOT_FOUND"], "{engines:?} {round}: {}", next.text);
            let about = check(&alice, &bob, service, ("inbox", "reply")).await.ok();
            assert_eq!(about.at("check.allowed"), false, "{engines:?} {round}");
            // The same by saving the tree.
            save(&alice, &bob, &[(service, &["inbox"]), (help, &["tags"])]).await.ok();
            assert!(may(&bob, service, "inbox", "reply").await);
            save(&alice, &bob, &[(help, &["tags"])]).await.ok();
            assert!(!may(&bob, service, "inbox", "reply").await, "{engines:?} {round}");
            save(&alice, &bob, &[]).await.ok();
        }
        let _ = (&gateway, &hub);
    }
}

#[tokio::test]
async fn s3_75_a_disabled_app_is_refused_at_once_although_apps_are_remembered() {
    for engines in Engines::ALL {
        let Hub { gateway: _open, alice, bob, service, .. } = hub(engines).await;
        save(&alice, &bob, &[(service, &["inbox"])]).await.ok();
        for state in ["DISABLED", "ACTIVE", "DISABLED"] {
            alice.call("updateApp", json!({ "app": app_id(service), "state": state }), "app { state }").await.ok();
            for _ in 0..3 {
                assert_eq!(may(&bob, service, "inbox", "reply").await, state == "ACTIVE", "{engines:?} {state}");
            }
        }
    }
}

/// A workspace with editors, who give access and are no owners.
async fn edited(gateway: &Gateway) -> Tenant {
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/blueprints/support-hub.toml")).unwrap();
    let editor =
        "[roles.editor]\nlabel = \"Editor\"\npermissions = [\"access.grant\", \"members.read\", \"rights.read\"]\n\n";
    let source = source.replace("name = \"support-hub\"", "name = \"edited-hub\"");
    let source = source.replace("\"member\", \"integration\"]", "\"member\", \"integration\", \"editor\"]");
    let source = source.replacen("[roles.member]", &format!("{editor}[roles.member]"), 1);
    gateway.service.install_blueprint(&source).await.unwrap();
    gateway.organization("acme", "edited-hub", "enterprise").await
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_hold_and_nobody_raises_themselves() {
    // Bounded delegation needs an editor who is no owner: a role that a test's own blueprint has.
    let gateway = Gateway::sqlite().await;
    let hub = edited(&gateway).await;
    let mallory = gateway.member(&hub, "mallory", "editor").await;
    let bob = gateway.member(&hub, "bob", "member").await;
    let desk = gateway.app(&hub, "customer_service", "desk").await;
    gateway.tick(&hub, &mallory, desk, "inbox", None).await;
    gateway.tick(&hub, &bob, desk, "settings", None).await;
    // Within what mallory holds; what bob has beyond that stays.
    save(&mallory, &bob, &[(desk, &["inbox", "settings"])]).await.ok();
    assert!(may(&bob, desk, "inbox", "reply").await && may(&bob, desk, "settings", "view").await);
    let beyond = save(&mallory, &bob, &[(desk, &["inbox", "settings", "tickets"])]).await;
    assert_eq!(beyond.refusals("updateMemberAccess"), ["NOT_GRANTABLE"], "{}", beyond.text);
    let taking = save(&mallory, &bob, &[(desk, &["inbox"])]).await;
    assert_eq!(taking.refusals("updateMemberAccess"), ["NOT_GRANTABLE"], "{}", taking.text);
    let raised = save(&mallory, &mallory, &[(desk, &["inbox", "tickets"])]).await;
    assert_eq!(raised.refusals("updateMemberAccess"), ["NOT_GRANTABLE"], "{}", raised.text);
    let gives = json!({ "feature": { "kind": "customer_service", "feature": "tickets" } });
    let more = json!({ "grantee": { "member": member_id(&bob) }, "gives": gives, "app": app_id(desk) });
    assert_eq!(mallory.call("grantAccess", more, "grant { id }").await.refusals("grantAccess"), ["NOT_GRANTABLE"]);
    let role = json!({ "grantee": { "member": member_id(&mallory) }, "gives": { "role": "super_admin" } });
    assert_eq!(mallory.call("grantAccess", role, "grant { id }").await.codes(), ["FORBIDDEN"]);
    assert!(!may(&bob, desk, "tickets", "view").await && may(&bob, desk, "settings", "view").await);
    // Whoever has something may give it up.
    save(&mallory, &mallory, &[]).await.ok();
    assert_eq!(check(&mallory, &mallory, desk, ("inbox", "view")).await.codes(), ["NOT_FOUND"]);
}

#[tokio::test]
async fn bounded_delegation_refuses_what_the_author_lacks() {
    let gateway = Gateway::sqlite().await;
    let hub = edited(&gateway).await;
    let mallory = gateway.member(&hub, "mallory", "editor").await;
    let bob = gateway.member(&hub, "bob", "member").await;
    let desk = gateway.app(&hub, "customer_service", "desk").await;
    gateway.tick(&hub, &mallory, desk, "inbox", None).await;
    save(&mallory, &bob, &[(desk, &["inbox", "tickets"])]).await;
    assert_eq!(gateway.database.count("SELECT count(*) FROM access_grant WHERE feature = 'tickets'").await, 0);
}

#[tokio::test]
async fn a_grant_ends_at_its_moment_and_says_so() {
    let Hub { gateway, alice, bob, service, .. } = hub(Engines::Embedded).await;
    let input = |end: chrono::DateTime<chrono::Utc>| {
        json!({
            "grantee": { "member": member_id(&bob) },
            "gives": { "feature": { "kind": "customer_service", "feature": "inbox" } },
            "app": app_id(service), "expiresAt": end.to_rfc3339(),
        })
    };
    let now = gateway.service.now();
    let past = alice.call("grantAccess", input(now - chrono::TimeDelta::hours(1)), "grant { id }").await;
    assert_eq!(past.refusals("grantAccess"), ["INVALID"]);
    save(&alice, &bob, &[(service, &["tickets"])]).await.ok();
    alice.call("grantAccess", input(now + chrono::TimeDelta::milliseconds(1500)), "grant { id expiresAt }").await.ok();
    assert!(may(&bob, service, "inbox", "reply").await);
    tokio::time::sleep(std::time::Duration::from_millis(1600)).await;
    let over = check(&bob, &bob, service, ("inbox", "reply")).await.ok();
    assert_eq!(over.at("check.code"), "EXPIRED");
}

#[tokio::test]
async fn w3_a_page_of_members_with_teams_and_capabilities_costs_at_most_four_statements() {
    let gateway = Gateway::on(Engines::PostgresAndRedis).await;
    let hub = gateway.organization("acme", "support-hub", "enterprise").await;
    let alice = gateway.member(&hub, "alice", "super_admin").await;
    let desk = gateway.app(&hub, "customer_service", "desk").await;
    let help = gateway.app(&hub, "help_center", "help").await;
    for index in 0..20 {
        let person = gateway.member(&hub, &format!("p{index}"), "member").await;
        for feature in ["inbox", "tickets", "analytics"] {
            gateway.tick(&hub, &person, desk, feature, None).await;
        }
        gateway.tick(&hub, &person, help, "articles", None).await;
    }
    let page = "{ viewer { organization { members(first: 50) { edges { node { name teams(first: 10) { edges { node { name } } }
        capabilities(first: 20) { edges { node { app { slug } feature { key } level actions } } } } } } } } }";
    let mut least = i64::MAX;
    for _ in 0..20 {
        let before = gateway.statements().await;
        let answer = alice.ask(page).await.ok();
        let edges = answer.at("viewer.organization.members.edges").as_array().unwrap().clone();
        assert_eq!(edges.len(), 21);
        assert!(edges.iter().all(|edge| edge["node"]["capabilities"]["edges"].as_array().unwrap().len() >= 4));
        least = least.min(gateway.statements().await - before);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(least <= 4, "{least} statements");
}

#[tokio::test]
async fn w2_a_decision_costs_no_statement_when_redis_knows() {
    let Hub { gateway, alice, bob, service, .. } = hub(Engines::PostgresAndRedis).await;
    save(&alice, &bob, &[(service, &["inbox"])]).await.ok();
    for asker in [&bob, &alice] {
        let mut warm = false;
        for _ in 0..100 {
            let before = gateway.statements().await;
            check(asker, &bob, service, ("inbox", "reply")).await.ok();
            if gateway.statements().await == before {
                warm = true;
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert!(warm, "every question of {} reads the database", asker.name);
    }
}

/// S3.46.
#[tokio::test]
async fn s3_46_access_changed_yields_the_present_and_then_each_change() {
    for engines in Engines::ALL {
        let Hub { gateway, alice, bob, service, help, .. } = hub(engines).await;
        save(&alice, &bob, &[(service, &["inbox"])]).await.ok();
        let document = "subscription { accessChanged(take: 3) { permissions apps { slug capabilities { feature } } } }";
        let mut events = Events::open(&gateway, &bob, document).await;
        let apps = |event: Option<Value>| -> Vec<String> {
            let apps = event.unwrap()["data"]["accessChanged"]["apps"].as_array().unwrap().clone();
            apps.iter().map(|app| app["slug"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(apps(events.next().await), ["desk"], "{engines:?}: the present");
        // What concerns others is not told.
        save(&alice, &alice, &[]).await.ok();
        save(&alice, &bob, &[(service, &["inbox"]), (help, &["tags"])]).await.ok();
        assert_eq!(apps(events.next().await), ["desk", "help"], "{engines:?}");
        save(&alice, &bob, &[]).await.ok();
        assert_eq!(apps(events.next().await), Vec::<String>::new(), "{engines:?}");
        assert!(events.next().await.is_none(), "{engines:?}: three were asked for");
        let mut last = Events::open(&gateway, &bob, "subscription { accessChanged { permissions } }").await;
        assert!(last.next().await.is_some());
        let removal = json!({ "member": member_id(&bob), "confirm": true });
        alice.call("removeMember", removal, "__typename").await.ok();
        while last.next().await.is_some() {}
    }
}
