//! Access apps: programs at one of three scopes, and their secrets (S4.13, S4.14, S4.20, S4.21, S4.R7, S4.R8).

use serde_json::{Value, json};
use uuid::Uuid;

use super::console::{Console, app_id, console, make};
use crate::support::gateway::{Answer, Engines, Gateway, Person};

const ACCOUNT: &str =
    "serviceAccount { id name state secretState roles { key } apps { slug } tokens { id } lastUsedAt }";

async fn account(by: &Person, name: &str, role: Option<&str>, app: Option<Uuid>) -> Answer {
    let input = json!({ "name": name, "role": role, "app": app.map(app_id) });
    by.call("createServiceAccount", input, ACCOUNT).await
}

async fn secret(by: &Person, account: &Value) -> Answer {
    let input = json!({ "name": "Secret", "serviceAccount": account });
    by.call("createApiToken", input, "secret token { id state scopes expiresAt }").await
}

/// Whether a program is let in by this secret, and the slugs it sees.
async fn reach(gateway: &Gateway, secret: &str) -> Option<Vec<String>> {
    let program = gateway.stranger().with_token(secret);
    let answer = program.ask("{ viewer { apps { edges { node { slug } } } } }").await;
    let edges = answer.at("viewer.apps.edges").as_array()?.clone();
    Some(edges.iter().map(|edge| edge["node"]["slug"].as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn s4_13_s4_14_s4_20_s4_21_s4_r7_apps_have_a_role_at_one_of_three_scopes() {
    let Console { gateway, alice, bob, carol, dave, shop, bank, .. } = console(Engines::Embedded).await;
    let group = make(&bob, "project_group", "web", Some(shop)).await;
    let project = make(&bob, "project", "till", Some(group)).await;
    let of_domain = account(&alice, "CI", Some("domain_app"), None).await.ok();
    let of_workspace = account(&bob, "Deploy", Some("workspace_app"), Some(shop)).await.ok();
    let of_project = account(&bob, "Probe", Some("project_app"), Some(project)).await.ok();
    account(&bob, "Probes", Some("project_app"), Some(group)).await.ok();
    assert_eq!(of_workspace.at("createServiceAccount.serviceAccount.roles"), &json!([{ "key": "workspace_app" }]));
    assert_eq!(of_workspace.at("createServiceAccount.serviceAccount.apps"), &json!([{ "slug": "shop" }]));
    let expected = [
        (&alice, &of_domain, vec!["bank", "shop", "till", "web"]),
        (&bob, &of_workspace, vec!["shop", "till", "web"]),
        (&bob, &of_project, vec!["till"]),
    ];
    for (by, made, sees) in expected {
        let made = made.at("createServiceAccount.serviceAccount.id");
        let token = secret(by, made).await.ok();
        assert_eq!(reach(&gateway, token.at("createApiToken.secret").as_str().unwrap()).await.unwrap(), sees);
    }
    // S4.R7: each scope has its role.
    for (role, app) in [
        ("domain_app", Some(shop)),
        ("workspace_app", None),
        ("workspace_app", Some(project)),
        ("project_app", Some(shop)),
    ] {
        let refused = account(&alice, "Odd", Some(role), app).await;
        assert_eq!(refused.refusals("createServiceAccount"), ["WRONG_LEVEL"], "{role} {}", refused.text);
    }
    let person = account(&alice, "Odd", Some("workspace_owner"), Some(shop)).await;
    assert_eq!(person.refusals("createServiceAccount"), ["NOT_GRANTABLE"], "a role of people");
    assert_eq!(account(&alice, "Odd", None, Some(shop)).await.refusals("createServiceAccount"), ["MISSING"]);
    // S4.20: the workspace's own, nobody else's.
    assert_eq!(account(&bob, "CI", Some("domain_app"), None).await.codes(), ["FORBIDDEN"]);
    assert_eq!(account(&bob, "Spy", Some("workspace_app"), Some(bank)).await.codes(), ["NOT_FOUND"]);
    assert_eq!(account(&carol, "Mine", Some("workspace_app"), Some(shop)).await.codes(), ["FORBIDDEN"]);
    let id = of_workspace.at("createServiceAccount.serviceAccount.id");
    for mallory in [&dave, &carol] {
        let code = if mallory.name == "dave" { "NOT_FOUND" } else { "FORBIDDEN" };
        assert_eq!(secret(mallory, id).await.codes(), [code]);
        let gone = mallory.call("deleteServiceAccount", json!({ "serviceAccount": id }), "deletedServiceAccount").await;
        assert_eq!(gone.codes(), [code]);
    }
    assert_eq!(secret(&bob, of_domain.at("createServiceAccount.serviceAccount.id")).await.codes(), ["NOT_FOUND"]);
    let list = "query($id: ID!) { node(id: $id) { ... on App { serviceAccounts { totalCount edges { node { name secretState } } } } } }";
    let listed = bob.send(list, json!({ "id": app_id(shop) })).await.ok();
    assert_eq!(
        listed.at("node.serviceAccounts.edges"),
        &json!([{ "node": { "name": "Deploy", "secretState": "ENABLED" } }])
    );
    assert_eq!(carol.send(list, json!({ "id": app_id(shop) })).await.codes(), ["FORBIDDEN"]);
    bob.call("deleteServiceAccount", json!({ "serviceAccount": id }), "deletedServiceAccount").await.ok();
    assert_eq!(bob.send(list, json!({ "id": app_id(shop) })).await.ok().at("node.serviceAccounts.totalCount"), 0);
}

#[tokio::test]
async fn s4_r8_a_secret_is_shown_once_regenerated_disabled_and_ends() {
    for engines in Engines::DATABASES {
        let Console { gateway, bob, shop, .. } = console(engines).await;
        let made = account(&bob, "Deploy", Some("workspace_app"), Some(shop)).await.ok();
        let id = made.at("createServiceAccount.serviceAccount.id");
        assert_eq!(made.at("createServiceAccount.serviceAccount.secretState"), "EXPIRED", "none yet");
        let first = secret(&bob, id).await.ok();
        let text = first.at("createApiToken.secret").as_str().unwrap().to_owned();
        let end =
            chrono::DateTime::parse_from_rfc3339(first.at("createApiToken.token.expiresAt").as_str().unwrap()).unwrap();
        let life = end.to_utc() - gateway.service.now();
        assert!(life > chrono::TimeDelta::days(364) && life <= chrono::TimeDelta::days(365), "365 days by default");
        let long = json!({ "name": "Long", "serviceAccount": id, "expiresInDays": 366 });
        assert_eq!(
            bob.call("createApiToken", long, "secret").await.refusals("createApiToken"),
            ["INVALID"],
            "the maximum"
        );
        assert!(reach(&gateway, &text).await.is_some());

        // Regenerated: another id and secret; the old one ends at once.
        let token = first.at("createApiToken.token.id");
        gateway.database.run("UPDATE api_token SET last_used_at = created_at", []).await.unwrap();
        let again = bob.call("regenerateApiToken", json!({ "token": token }), "secret token { id state }").await.ok();
        assert_ne!(again.at("regenerateApiToken.token.id"), token, "a new client id");
        let renamed = json!({ "serviceAccount": id, "name": "Deploys" });
        let kept = bob.call("updateServiceAccount", renamed, ACCOUNT).await.ok();
        assert!(
            !kept.at("updateServiceAccount.serviceAccount.lastUsedAt").is_null(),
            "{engines:?}: the revoked one was used"
        );
        let second = again.at("regenerateApiToken.secret").as_str().unwrap().to_owned();
        assert!(reach(&gateway, &text).await.is_none() && reach(&gateway, &second).await.is_some(), "{engines:?}");
        let revoked = bob.call("regenerateApiToken", json!({ "token": token }), "secret").await;
        assert_eq!(revoked.refusals("regenerateApiToken"), ["STATE_CHANGED"]);
        // With an overlap, both are good for a while.
        let token = again.at("regenerateApiToken.token.id");
        let input = json!({ "token": token, "overlapHours": 24 });
        let third = bob.call("regenerateApiToken", input, "secret token { id }").await.ok();
        let third = third.at("regenerateApiToken.secret").as_str().unwrap().to_owned();
        assert!(reach(&gateway, &second).await.is_some() && reach(&gateway, &third).await.is_some());

        // Disabled, none is good, and enabled again they are.
        let state = |state: &str| json!({ "serviceAccount": id, "state": state, "name": "Deployer" });
        let off = bob.call("updateServiceAccount", state("DISABLED"), ACCOUNT).await.ok();
        assert_eq!(off.at("updateServiceAccount.serviceAccount.secretState"), "DISABLED");
        assert!(reach(&gateway, &third).await.is_none(), "{engines:?}: a disabled program is nobody");
        let on = bob.call("updateServiceAccount", state("ACTIVE"), ACCOUNT).await.ok();
        assert_eq!(on.at("updateServiceAccount.serviceAccount.secretState"), "ENABLED");
        assert_eq!(reach(&gateway, &third).await.unwrap(), ["shop"]);
        let past = gateway.service.now() - chrono::TimeDelta::hours(1);
        gateway.database.run("UPDATE api_token SET expires_at = $1", [past.into()]).await.unwrap();
        gateway.settle().await;
        assert!(reach(&gateway, &third).await.is_none());
        let list = "query($id: ID!) { node(id: $id) { ... on ServiceAccount { secretState tokens { state } } } }";
        assert_eq!(bob.send(list, json!({ "id": id })).await.ok().at("node.secretState"), "EXPIRED");
    }
}

#[tokio::test]
async fn a_secret_does_no_more_than_its_maker_may_d2_s4_20() {
    let Console { gateway, alice, bob, shop, .. } = console(Engines::Embedded).await;
    let made = account(&bob, "Deploy", Some("workspace_app"), Some(shop)).await.ok();
    let id = made.at("createServiceAccount.serviceAccount.id");
    let scoped = json!({ "name": "Reader", "serviceAccount": id, "scopes": ["*.*.view"] });
    let token = bob.call("createApiToken", scoped, "secret token { scopes }").await.ok();
    let program = gateway.stranger().with_token(token.at("createApiToken.secret").as_str().unwrap());
    let input = json!({ "kind": "project", "slug": "p", "name": "P", "parent": app_id(shop) });
    assert_eq!(program.call("createApp", input.clone(), "app { id }").await.codes(), ["FORBIDDEN"], "its scopes");
    let whole = secret(&bob, id).await.ok();
    let program = gateway.stranger().with_token(whole.at("createApiToken.secret").as_str().unwrap());
    program.call("createApp", input, "app { id }").await.ok();
    assert_eq!(secret(&program, id).await.codes(), ["FORBIDDEN"], "a secret makes none");
    let unknown = json!({ "name": "Odd", "serviceAccount": id, "scopes": ["nothing.here"] });
    assert_eq!(alice.call("createApiToken", unknown, "secret").await.refusals("createApiToken"), ["NOT_IN_BLUEPRINT"]);
}

/// S4.20: a secret is found by its id by whom the list of its program shows it, and by nobody else.
#[tokio::test]
async fn s4_20_a_secret_is_found_by_whom_the_list_shows_it() {
    let Console { gateway: _open, alice, bob, carol, dave, shop, .. } = console(Engines::Embedded).await;
    let made = account(&bob, "Deploy", Some("workspace_app"), Some(shop)).await.ok();
    let id = made.at("createServiceAccount.serviceAccount.id");
    let token = secret(&bob, id).await.ok().at("createApiToken.token.id").clone();
    let node = "query($id: ID!) { node(id: $id) { ... on ApiToken { name state serviceAccount { name } } } }";
    let found = async |by: &Person| by.send(node, json!({ "id": token })).await.ok().at("node").clone();
    let shown = json!({ "name": "Secret", "state": "ACTIVE", "serviceAccount": { "name": "Deploy" } });
    assert_eq!((found(&bob).await, found(&alice).await), (shown.clone(), shown));
    assert_eq!((found(&carol).await, found(&dave).await), (Value::Null, Value::Null));
    bob.call("revokeApiToken", json!({ "token": token }), "token { id }").await.ok();
    assert_eq!(found(&bob).await, Value::Null, "the list has it no more");
    assert_eq!(found(&alice).await["state"], "REVOKED", "the domain's list has it");
}

/// Entries about programs and secrets say in which app, of which program, what was before and after, all by global ids.
#[tokio::test]
async fn entries_of_programs_name_the_app_and_the_program() {
    let Console { gateway: _open, alice, bob, shop, .. } = console(Engines::Embedded).await;
    let made = account(&bob, "Deploy", Some("workspace_app"), Some(shop)).await.ok();
    let id = made.at("createServiceAccount.serviceAccount.id").clone();
    let first = secret(&bob, &id).await.ok().at("createApiToken.token.id").clone();
    let again = bob.call("regenerateApiToken", json!({ "token": first }), "token { id }").await.ok();
    let again = again.at("regenerateApiToken.token.id").clone();
    bob.call("revokeApiToken", json!({ "token": again }), "token { id }").await.ok();
    for state in ["DISABLED", "ACTIVE"] {
        let input = json!({ "serviceAccount": id, "state": state });
        bob.call("updateServiceAccount", input, "serviceAccount { id }").await.ok();
    }
    bob.call("deleteServiceAccount", json!({ "serviceAccount": id }), "deletedServiceAccount").await.ok();
    let log = "{ viewer { organization { activity(first: 7) { edges { node { action app { id } target { id } detail } } } } } }";
    let log = alice.ask(log).await.ok();
    let entries: Vec<Value> = log
        .at("viewer.organization.activity.edges")
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge["node"].clone())
        .collect();
    let of =
        |action: &str| entries.iter().find(|entry| entry["action"] == action).unwrap_or_else(|| panic!("{action}"));
    for action in
        ["service_account.created", "service_account.disabled", "service_account.enabled", "service_account.deleted"]
    {
        assert_eq!((&of(action)["app"]["id"], &of(action)["target"]["id"]), (&json!(app_id(shop)), &id), "{action}");
    }
    let program = json!({ "id": id, "name": "Deploy" });
    for action in ["api_token.created", "api_token.regenerated", "api_token.revoked"] {
        let entry = of(action);
        assert_eq!(
            (&entry["app"]["id"], &entry["detail"]["service_account"]),
            (&json!(app_id(shop)), &program),
            "{action}"
        );
    }
    assert_eq!(of("api_token.regenerated")["detail"]["before"]["id"], first);
    let states = json!({ "before": { "name": "Deploy", "state": "active" }, "after": { "name": "Deploy", "state": "disabled" } });
    assert_eq!(of("service_account.disabled")["detail"], states);
}
