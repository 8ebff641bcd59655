//! What the team does inside its apps: S3.15, S3.16, S3.65 to S3.70.

use std::{collections::BTreeSet, time::Duration};

use chrono::{TimeDelta, Utc};
use gatehouse::{graphql::node::NodeType, id::new_id};
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    events::Events,
    gateway::{Engines, Gateway, Person, Tenant, scale},
};

/// A product backend's token, made by a Super Admin over the API.
pub(crate) async fn backend(admin: &Person, scopes: &[&str]) -> Person {
    let input = json!({ "name": "Backend", "scopes": scopes, "expiresInDays": 30 });
    let answer = admin.call("createApiToken", input, "secret").await.ok();
    admin.with_token(answer.at("createApiToken.secret").as_str().unwrap())
}

const RECORDER: &[&str] = &["activity.record", "members.read", "*.*.view"];
const LIST: &str =
    "{ organization(slug: \"acme\") { slug activity(first: 100, category: CONTENT) { totalCount edges { node {
    id at action actor { kind id name } app { id name } target { kind id name } } } } } }";

fn app_id(app: Uuid) -> String {
    NodeType::App.id(app).to_string()
}

fn entry(app: Uuid, kind: &str, action: &str) -> Value {
    json!({ "app": app_id(app), "action": action, "target": { "kind": kind, "id": "42", "name": "How to begin" } })
}

async fn report(person: &Person, entries: Value) -> crate::support::gateway::Answer {
    person.call("recordActivity", json!({ "entries": entries }), "recorded ignored").await
}

struct Hub {
    gateway: Gateway,
    acme: Tenant,
    alice: Person,
    bob: Person,
    help: Uuid,
    service: Uuid,
}

async fn hub(engines: Engines) -> Hub {
    let gateway = Gateway::on(engines).await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    let help = gateway.app(&acme, "help_center", "help").await;
    let service = gateway.app(&acme, "customer_service", "service").await;
    gateway.tick(&acme, &bob, help, "articles", None).await;
    Hub { gateway, acme, alice, bob, help, service }
}

/// S3.65, S3.66: every word of both lists, in Help Center and Newsroom (S3.16).
#[tokio::test]
async fn s3_65_s3_66_s3_16_articles_tags_and_collections_are_recorded() {
    let hub = hub(Engines::Embedded).await;
    let news = hub.gateway.app(&hub.acme, "newsroom", "news").await;
    hub.gateway.settle().await;
    let backend = backend(&hub.alice, RECORDER).await;
    let mut entries = Vec::new();
    for app in [hub.help, news] {
        for kind in ["article", "tag", "collection"] {
            for action in ["created", "edited", "published", "unpublished", "deleted"] {
                entries.push(entry(app, kind, action));
            }
        }
    }
    let answer = report(&backend, json!(entries)).await.ok();
    assert_eq!(answer.at("recordActivity"), &json!({ "recorded": 30, "ignored": 0, "userErrors": [] }));
    assert_eq!(hub.alice.ask(LIST).await.ok().at("organization.activity.totalCount"), 30);

    // What is no article, tag or collection, and what is in no such app, is refused by name, and nothing is recorded.
    let wrong = json!([
        entry(hub.help, "article", "created"),
        entry(hub.help, "ticket", "created"),
        entry(hub.help, "article", "burnt"),
        entry(hub.service, "article", "created"),
    ]);
    let answer = report(&backend, wrong).await;
    assert_eq!(answer.refusals("recordActivity"), ["NOT_IN_BLUEPRINT"; 3]);
    let fields: Vec<&Value> =
        (0..3).map(|index| answer.at(&format!("recordActivity.userErrors.{index}.field"))).collect();
    assert_eq!(
        fields,
        [
            &json!(["entries", "1", "target", "kind"]),
            &json!(["entries", "2", "action"]),
            &json!(["entries", "3", "target", "kind"])
        ]
    );
    assert_eq!(hub.alice.ask(LIST).await.ok().at("organization.activity.totalCount"), 30);
}

/// S3.67: when, who, which app, which action, and the article affected.
#[tokio::test]
async fn s3_67_a_row_says_when_who_where_what_and_to_which() {
    let hub = hub(Engines::Embedded).await;
    let backend = backend(&hub.alice, RECORDER).await;
    let at = (hub.gateway.service.now() - TimeDelta::hours(3)).to_rfc3339();
    let mut done = entry(hub.help, "article", "published");
    done["at"] = json!(at);
    done["actor"] = json!({ "email": "Bob@example.org" });
    report(&backend, json!([done])).await.ok();
    let answer = hub.alice.ask(LIST).await.ok();
    let row = answer.at("organization.activity.edges.0.node");
    assert_eq!(row["at"].as_str().unwrap().parse::<chrono::DateTime<Utc>>().unwrap().to_rfc3339(), at);
    let bob = NodeType::Member.id(hub.bob.member.unwrap()).to_string();
    assert_eq!(row["actor"], json!({ "kind": "MEMBER", "id": bob, "name": "bob" }));
    assert_eq!(row["app"], json!({ "id": app_id(hub.help), "name": "help" }));
    assert_eq!(row["target"], json!({ "kind": "article", "id": "42", "name": "How to begin" }));
    assert_eq!(row["action"], "published");
    // The row is a node, for those who may read it.
    let node = format!("{{ node(id: \"{}\") {{ ... on ActivityEntry {{ action }} }} }}", row["id"].as_str().unwrap());
    assert_eq!(hub.alice.ask(&node).await.ok().at("node.action"), "published");
    assert!(hub.bob.ask(&node).await.ok().at("node").is_null());
    // It goes on to say so when the app is gone.
    hub.gateway.database.run("DELETE FROM app WHERE id = $1", [hub.help.into()]).await.unwrap();
    hub.gateway.settle().await;
    assert_eq!(hub.alice.ask(LIST).await.ok().at("organization.activity.edges.0.node.app.name"), "help");
}

/// S3.67: a moment that cannot be, and a doer who is nobody here, are refused entry by entry.
#[tokio::test]
async fn s3_67_what_cannot_have_happened_is_refused() {
    let hub = hub(Engines::Embedded).await;
    let backend = backend(&hub.alice, RECORDER).await;
    let now = hub.gateway.service.now();
    let with = |field: &str, value: Value| {
        let mut entry = entry(hub.help, "tag", "edited");
        entry[field] = value;
        entry
    };
    let entries = json!([
        with("at", json!((now + TimeDelta::hours(1)).to_rfc3339())),
        with("at", json!((now - TimeDelta::days(90)).to_rfc3339())),
        with("actor", json!({ "email": "mallory@example.org" })),
        with("actor", json!({ "handle": "mallory" })),
        with("target", json!({ "kind": "tag", "name": "in\u{202e}verted" })),
        with("target", json!({ "kind": "tag", "name": " " })),
    ]);
    let answer = report(&backend, entries).await;
    assert_eq!(answer.refusals("recordActivity"), ["INVALID", "INVALID", "MISSING", "MISSING", "INVALID", "INVALID"]);
    let many = vec![entry(hub.help, "tag", "edited"); 101];
    assert_eq!(report(&backend, json!(many)).await.refusals("recordActivity"), ["INVALID"]);
    assert_eq!(report(&backend, json!([])).await.refusals("recordActivity"), ["INVALID"]);
    assert_eq!(hub.alice.ask(LIST).await.ok().at("organization.activity.totalCount"), 0);
}

/// S3.68: chat replies are taken and not kept.
#[tokio::test]
async fn s3_68_chat_replies_are_accepted_and_ignored() {
    let hub = hub(Engines::Embedded).await;
    let backend = backend(&hub.alice, RECORDER).await;
    let replies = json!([
        entry(hub.service, "chat", "chat_reply"),
        entry(hub.service, "chat", "reply"),
        entry(hub.help, "article", "edited"),
    ]);
    let answer = report(&backend, replies).await.ok();
    assert_eq!((answer.at("recordActivity.recorded"), answer.at("recordActivity.ignored")), (&json!(1), &json!(2)));
    assert_eq!(hub.alice.ask(LIST).await.ok().at("organization.activity.totalCount"), 1);
}

/// S3.69: 90 days, measured when it is read, and swept afterwards.
#[tokio::test]
async fn s3_69_entries_end_after_90_days() {
    for engines in Engines::DATABASES {
        let hub = hub(engines).await;
        let backend = backend(&hub.alice, RECORDER).await;
        let now = hub.gateway.service.now();
        let mut entries = Vec::new();
        for age in [TimeDelta::days(90) - TimeDelta::minutes(5), TimeDelta::days(89)] {
            let mut entry = entry(hub.help, "tag", "edited");
            entry["at"] = json!((now - age).to_rfc3339());
            entries.push(entry);
        }
        report(&backend, json!(entries)).await.ok();
        assert_eq!(hub.alice.ask(LIST).await.ok().at("organization.activity.totalCount"), 2);
        let kept =
            hub.gateway.database.rows("SELECT at, expires_at FROM activity_entry WHERE category = 'content'", []).await;
        for row in kept {
            let (at, end): (chrono::DateTime<Utc>, chrono::DateTime<Utc>) =
                (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
            assert_eq!(end - at, TimeDelta::days(90));
        }
        // One that is past them is gone, even where it has not been swept yet.
        let sql = "INSERT INTO activity_entry (id, organization_id, at, category, actor_kind, actor_name, action, target_kind,
                   target_name, detail, expires_at) VALUES ($1, $2, $3, 'content', 'system', 'x', 'edited', 'tag', 'x', $4, $5)";
        let (id, at) = (new_id(), now - TimeDelta::days(90));
        let row = [id.into(), hub.acme.id.into(), at.into(), json!({}).into(), now.into()];
        hub.gateway.database.run(sql, row).await.unwrap();
        let answer = hub.alice.ask(LIST).await.ok();
        assert_eq!(answer.at("organization.activity.totalCount"), 2);
        let node = format!("{{ node(id: \"{}\") {{ id }} }}", *NodeType::ActivityEntry.id(id));
        assert!(hub.alice.ask(&node).await.ok().at("node").is_null());
    }
}

/// S3.70, S3.15: only Super Admins see it; a Member is told so, and sees everything beside it.
#[tokio::test]
async fn s3_70_s3_15_only_super_admins_see_activity() {
    let hub = hub(Engines::Embedded).await;
    let answer = hub.bob.ask(LIST).await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    assert_eq!(answer.body["errors"][0]["path"], json!(["organization", "activity"]));
    assert_eq!(answer.at("organization"), &json!({ "slug": "acme", "activity": null }));
    hub.alice.ask(LIST).await.ok();
    // The Activity tab stands beside the Members list, for those who may open it.
    let menus = "{ organization(slug: \"acme\") { menus { key } } }";
    let keys = async |person: &Person| {
        let answer = person.ask(menus).await.ok();
        let menus = answer.at("organization.menus").as_array().unwrap().clone();
        menus.iter().map(|menu| menu["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (alices, bobs) = (keys(&hub.alice).await, keys(&hub.bob).await);
    let team = alices.iter().position(|key| key == "team").unwrap();
    assert_eq!(alices[team + 1], "activity");
    assert!(bobs.contains(&"team".to_owned()) && !bobs.contains(&"activity".to_owned()), "{bobs:?}");
    // Nor does a Member follow or record it.
    let mut events = Events::open(&hub.gateway, &hub.bob, "subscription { activityAdded { action } }").await;
    assert_eq!(events.next().await.unwrap()["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(report(&hub.bob, json!([entry(hub.help, "tag", "edited")])).await.codes(), ["FORBIDDEN"]);
    let mallory = hub.gateway.person("mallory").await;
    assert_eq!(report(&mallory, json!([entry(hub.help, "tag", "edited")])).await.codes(), ["NOT_FOUND"]);
}

/// A hidden app and one that does not exist are answered alike (S3.31).
#[tokio::test]
async fn a_program_records_only_in_apps_that_its_scopes_open() {
    let hub = hub(Engines::Embedded).await;
    let narrow = backend(&hub.alice, &["activity.record", "activity.read", "customer_service"]).await;
    let hidden = report(&narrow, json!([entry(hub.help, "tag", "edited")])).await;
    let absent = report(&narrow, json!([entry(new_id(), "tag", "edited")])).await;
    assert_eq!((hidden.codes(), &hidden.text), (vec!["NOT_FOUND"], &absent.text));
    let wide = backend(&hub.alice, RECORDER).await;
    report(&wide, json!([entry(hub.help, "tag", "edited")])).await.ok();
    assert_eq!(hub.alice.ask(LIST).await.ok().at("organization.activity.totalCount"), 1);
    // Nor does it read what happened in them, by whatever way.
    let answer = narrow.ask(LIST).await.ok();
    assert_eq!(answer.at("organization.activity"), &json!({ "totalCount": 0, "edges": [] }));
    let of = |app: Uuid| {
        format!("{{ organization(slug: \"acme\") {{ activity(app: \"{}\") {{ totalCount }} }} }}", app_id(app))
    };
    assert_eq!(narrow.ask(&of(hub.help)).await.text, narrow.ask(&of(new_id())).await.text);
}

#[tokio::test]
async fn a_repeated_report_is_recorded_once() {
    let hub = hub(Engines::Embedded).await;
    let backend = backend(&hub.alice, RECORDER).await;
    let input = json!({ "entries": [entry(hub.help, "tag", "edited")], "idempotencyKey": "night-7" });
    let first = backend.call("recordActivity", input.clone(), "recorded").await.ok();
    let again = backend.call("recordActivity", input, "recorded").await.ok();
    assert_eq!(first.body["data"], again.body["data"]);
    let other = json!({ "entries": [entry(hub.help, "tag", "deleted")], "idempotencyKey": "night-7" });
    assert_eq!(backend.call("recordActivity", other, "recorded").await.codes(), ["CONFLICT"]);
    assert_eq!(hub.alice.ask(LIST).await.ok().at("organization.activity.totalCount"), 1);
}

#[tokio::test]
async fn filters_narrow_the_list_and_its_count() {
    let hub = hub(Engines::Embedded).await;
    let backend = backend(&hub.alice, RECORDER).await;
    let mut bobs = entry(hub.help, "article", "edited");
    bobs["actor"] = json!({ "member": NodeType::Member.id(hub.bob.member.unwrap()).to_string() });
    bobs["at"] = json!((hub.gateway.service.now() - TimeDelta::days(3)).to_rfc3339());
    report(&backend, json!([bobs, entry(hub.help, "tag", "edited"), entry(hub.help, "tag", "deleted")])).await.ok();
    let bob = NodeType::Member.id(hub.bob.member.unwrap()).to_string();
    let yesterday = (hub.gateway.service.now() - TimeDelta::days(1)).to_rfc3339();
    let help = app_id(hub.help);
    for (filter, count) in [
        ("category: CONTENT".to_owned(), 3),
        ("category: ACCOUNT".to_owned(), 1),
        ("targetKind: \"tag\"".to_owned(), 2),
        (format!("actor: \"{bob}\""), 1),
        (format!("since: \"{yesterday}\", category: CONTENT"), 2),
        (format!("until: \"{yesterday}\""), 1),
        (format!("app: \"{help}\""), 3),
        (format!("app: \"{}\"", app_id(hub.service)), 0),
    ] {
        let list =
            format!("{{ organization(slug: \"acme\") {{ activity({filter}) {{ totalCount edges {{ cursor }} }} }} }}");
        let answer = hub.alice.ask(&list).await.ok();
        assert_eq!(answer.at("organization.activity.totalCount"), count, "{filter}");
        assert_eq!(answer.at("organization.activity.edges").as_array().unwrap().len(), count, "{filter}");
    }
    let wrong = format!("{{ organization(slug: \"acme\") {{ activity(app: \"{bob}\") {{ totalCount }} }} }}");
    assert_eq!(hub.alice.ask(&wrong).await.codes(), ["BAD_USER_INPUT"]);
}

/// The newest at once, then each once and in order, on one gateway and on several.
#[tokio::test]
async fn activity_added_yields_the_present_then_each_new_entry_once() {
    for engines in Engines::ALL {
        let hub = hub(engines).await;
        let backend = backend(&hub.alice, RECORDER).await;
        report(&backend, json!([entry(hub.help, "article", "created")])).await.ok();
        let rounds = 20 * scale();
        let document =
            format!("subscription {{ activityAdded(take: {}) {{ id action target {{ id }} }} }}", 2 * rounds + 1);
        let mut events = Events::open(&hub.gateway, &hub.alice, &document).await;
        let present = events.next().await.unwrap();
        assert_eq!(present["data"]["activityAdded"]["action"], "created", "{engines:?}: {present}");
        let written = async {
            for round in 0..rounds {
                let mut entry = entry(hub.help, "tag", "edited");
                entry["target"]["id"] = json!(format!("{}", 2 * round));
                let mut second = entry.clone();
                second["target"]["id"] = json!(format!("{}", 2 * round + 1));
                report(&backend, json!([entry, second])).await.ok();
            }
        };
        let heard = async {
            let (mut ids, mut targets) = (BTreeSet::new(), Vec::new());
            while let Some(event) = events.next().await {
                let entry = &event["data"]["activityAdded"];
                assert!(ids.insert(entry["id"].as_str().unwrap().to_owned()), "twice: {event}");
                targets.push(entry["target"]["id"].as_str().unwrap().parse::<usize>().unwrap());
            }
            targets
        };
        let ((), targets) = tokio::join!(written, heard);
        assert_eq!(targets, (0..2 * rounds).collect::<Vec<_>>(), "{engines:?}");
    }
}

#[tokio::test]
async fn a_follower_that_loses_the_permission_hears_no_more() {
    let hub = hub(Engines::Embedded).await;
    let carol = hub.gateway.member(&hub.acme, "carol", "super_admin").await;
    let backend = backend(&hub.alice, RECORDER).await;
    report(&backend, json!([entry(hub.help, "article", "created")])).await.ok();
    let mut events = Events::open(&hub.gateway, &carol, "subscription { activityAdded { action } }").await;
    assert_eq!(events.next().await.unwrap()["data"]["activityAdded"]["action"], "created");
    let sql = "DELETE FROM access_grant WHERE grantee_id = $1";
    hub.gateway.database.run(sql, [carol.member.unwrap().into()]).await.unwrap();
    hub.gateway.settle().await;
    report(&backend, json!([entry(hub.help, "article", "deleted")])).await.ok();
    assert_eq!(events.next().await.unwrap()["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert!(events.next().await.is_none());
}

/// A15: who was still allowed when the reading began, and is not when it ends, does not hear what was written in between.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "what another gateway is about to write stands here in a transaction of the shell"
)]
async fn a_follower_that_loses_the_permission_while_it_reads_hears_nothing_of_after() {
    let hub = hub(Engines::PostgresAndRedis).await;
    let carol = hub.gateway.member(&hub.acme, "carol", "super_admin").await;
    let backend = backend(&hub.alice, RECORDER).await;
    report(&backend, json!([entry(hub.help, "article", "created")])).await.ok();
    let mut events = Events::open(&hub.gateway, &carol, "subscription { activityAdded { action } }").await;
    assert_eq!(events.next().await.unwrap()["data"]["activityAdded"]["action"], "created");

    let database = &hub.gateway.database;
    let writing = database.shell.begin().await.unwrap();
    writing.execute_unprepared("LOCK TABLE activity_entry IN ACCESS EXCLUSIVE MODE").await.unwrap();
    database.run("UPDATE organization SET name = 'Acme Two' WHERE id = $1", [hub.acme.id.into()]).await.unwrap();
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'activity_entry'::regclass";
    while database.count(waiting).await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let sql = "DELETE FROM access_grant WHERE grantee_id = $1";
    database.run(sql, [carol.member.unwrap().into()]).await.unwrap();
    hub.gateway.settle().await;
    let next = format!(
        "INSERT INTO activity_entry SELECT (json_populate_record(entry, '{}')).*
         FROM activity_entry AS entry ORDER BY id DESC LIMIT 1",
        json!({ "id": new_id(), "action": "deleted" })
    );
    writing.execute_unprepared(&next).await.unwrap();
    writing.commit().await.unwrap();

    let said = events.next().await.unwrap();
    assert_eq!(said["errors"][0]["extensions"]["code"], "FORBIDDEN", "{said}");
    assert!(events.next().await.is_none());
}

/// Two statements at most, however many entries: names stand in the rows.
#[tokio::test]
async fn a_page_of_activity_costs_two_statements() {
    let hub = hub(Engines::PostgresAndRedis).await;
    let backend = backend(&hub.alice, RECORDER).await;
    let entries = vec![entry(hub.help, "article", "edited"); 60];
    report(&backend, json!(entries)).await.ok();
    hub.alice.ask(LIST).await.ok();
    let before = hub.gateway.statements().await;
    let answer = hub.alice.ask(LIST).await.ok();
    let spent = hub.gateway.statements().await - before;
    assert_eq!(answer.at("organization.activity.edges").as_array().unwrap().len(), 60);
    assert!(spent <= 2, "{spent} statements");
}
