//! Roles, default levels, levels and nested teams (S5.1 to S5.7).

use gatehouse::graphql::node::NodeType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::gateway::{Answer, Engines, Gateway, Person, Tenant};

#[expect(clippy::struct_field_names, reason = "the organization is called `code`")]
struct Code {
    gateway: Gateway,
    code: Tenant,
    alice: Person,
    bob: Person,
    site: Uuid,
}

async fn code(engines: Engines) -> Code {
    let gateway = Gateway::on(engines).await;
    let code = gateway.organization("acme", "code-hosting", "free").await;
    let alice = gateway.member(&code, "alice", "owner").await;
    let bob = gateway.member(&code, "bob", "member").await;
    let site = gateway.app(&code, "repository", "site").await;
    gateway.settle().await;
    Code { gateway, code, alice, bob, site }
}

fn member_id(person: &Person) -> String {
    NodeType::Member.id(person.member.unwrap()).0
}

/// The level somebody has on a repository, and by which ways.
async fn level(person: &Person, app: Uuid) -> (Value, Vec<String>) {
    let own = "query($id: ID!, $app: ID!) { node(id: $id) { ... on Member { capabilities(app: $app) { edges { node {
        level sources { via whole level teamPath { name } } } } } } } }";
    let variables = json!({ "id": member_id(person), "app": NodeType::App.id(app).0 });
    let answer = person.send(own, variables).await;
    if answer.codes() == ["NOT_FOUND"] {
        return (Value::Null, Vec::new());
    }
    let node = answer.ok().at("node.capabilities.edges.0.node").clone();
    let sources = node["sources"].as_array().cloned().unwrap_or_default();
    let whole = sources.iter().filter(|source| source["whole"] == true);
    let way = |source: &Value| {
        let path = source["teamPath"].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap().to_owned());
        std::iter::once(source["via"].as_str().unwrap().to_owned()).chain(path).collect::<Vec<_>>().join(" ")
    };
    (node["level"].clone(), whole.map(way).collect())
}

async fn team(person: &Person, slug: &str, more: Value) -> Answer {
    let mut input = json!({ "slug": slug, "name": slug });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    person.call("createTeam", input, "team { id }").await
}

async fn made(person: &Person, slug: &str, more: Value) -> String {
    team(person, slug, more).await.ok().at("createTeam.team.id").as_str().unwrap().to_owned()
}

async fn add(person: &Person, team: &str, member: &Person, maintainer: Option<bool>) -> Answer {
    let input = json!({ "team": team, "member": member_id(member), "maintainer": maintainer });
    person.call("addTeamMember", input, "team { id }").await
}

async fn give(person: &Person, team: &str, app: Uuid, level: &str) -> Answer {
    let gives = json!({ "feature": { "kind": "repository", "feature": "code", "level": level } });
    let input = json!({ "grantee": { "team": team }, "gives": gives, "app": NodeType::App.id(app).0 });
    person.call("grantAccess", input, "grant { id }").await
}

async fn default(person: &Person, level: Option<&str>) -> Answer {
    let input = json!({ "appKind": "repository", "feature": "code", "level": level });
    person.call("setDefaultAccess", input, "defaultAccess { appKind feature level levels }").await
}

#[tokio::test]
async fn s5_1_s5_2_owners_have_admin_everywhere_and_members_the_default_level() {
    for engines in Engines::DATABASES {
        let Code { gateway: _open, alice, bob, site, .. } = code(engines).await;
        assert_eq!(level(&alice, site).await, (json!("admin"), vec!["ROLE".to_owned()]), "S5.1");
        assert_eq!(level(&bob, site).await.0, Value::Null, "S5.2: none");
        for wanted in ["read", "write", "admin"] {
            let set = default(&alice, Some(wanted)).await.ok();
            assert_eq!(set.at("setDefaultAccess.defaultAccess.0.level"), wanted);
            assert_eq!(level(&bob, site).await, (json!(wanted), vec!["EVERYONE".to_owned()]), "{engines:?}");
        }
        assert_eq!(default(&alice, Some("triage")).await.refusals("setDefaultAccess"), ["NOT_IN_BLUEPRINT"]);
        assert_eq!(default(&bob, Some("admin")).await.codes(), ["FORBIDDEN"]);
        default(&alice, None).await.ok();
        assert_eq!(level(&bob, site).await.0, Value::Null, "S5.2: none again");
        let shown = bob.ask("{ viewer { organization { defaultAccess { level levels } } } }").await.ok();
        let expected = json!([{ "level": null, "levels": ["read", "write", "admin"] }]);
        assert_eq!(shown.at("viewer.organization.defaultAccess"), &expected);
    }
}

#[tokio::test]
async fn s5_3_s5_4_a_team_gives_its_level_and_the_strongest_counts() {
    let Code { gateway: _open, alice, bob, site, .. } = code(Engines::Embedded).await;
    default(&alice, Some("read")).await.ok();
    let web = made(&alice, "web", json!({})).await;
    add(&alice, &web, &bob, None).await.ok();
    let actions = "query($id: ID!) { node(id: $id) { ... on App { viewerCapabilities { level actions } } } }";
    let mut before = 0;
    // S5.3: five levels, each containing those below it.
    for wanted in ["read", "triage", "write", "maintain", "admin"] {
        give(&alice, &web, site, wanted).await.ok();
        let held = bob.send(actions, json!({ "id": NodeType::App.id(site).0 })).await.ok();
        assert_eq!(held.at("node.viewerCapabilities.0.level"), wanted);
        let count = held.at("node.viewerCapabilities.0.actions").as_array().unwrap().len();
        assert!(count > before, "{wanted}");
        before = count;
    }
    assert_eq!(level(&bob, site).await, (json!("admin"), vec!["TEAM web".to_owned()]), "S5.4");
    assert_eq!(give(&alice, &web, site, "owner").await.refusals("grantAccess"), ["NOT_IN_BLUEPRINT"]);
    let out = json!({ "team": web, "member": member_id(&bob) });
    alice.call("removeTeamMember", out, "team { id }").await.ok();
    assert_eq!(level(&bob, site).await, (json!("read"), vec!["EVERYONE".to_owned()]), "at once");
}

#[tokio::test]
async fn s5_5_teams_nest_downwards_and_never_in_a_circle() {
    for engines in Engines::DATABASES {
        let Code { gateway, code, alice, bob, site } = code(engines).await;
        let carol = gateway.member(&code, "carol", "member").await;
        let web = made(&alice, "web", json!({})).await;
        let docs = made(&alice, "docs", json!({ "parent": web })).await;
        let words = made(&alice, "words", json!({ "parent": docs })).await;
        add(&alice, &words, &bob, None).await.ok();
        add(&alice, &web, &carol, None).await.ok();
        give(&alice, &web, site, "write").await.ok();
        give(&alice, &words, site, "read").await.ok();
        let path = vec!["TEAM words docs web".to_owned()];
        assert_eq!(level(&bob, site).await, (json!("write"), path), "{engines:?}: inherited from above");
        // Membership does not flow upwards: what the team below has, those above have not.
        let other = gateway.app(&code, "repository", "other").await;
        gateway.settle().await;
        give(&alice, &words, other, "admin").await.ok();
        assert_eq!(level(&carol, other).await.0, Value::Null);
        assert_eq!(level(&bob, other).await.0, "admin");
        for parent in [&web, &docs, &words] {
            let circle = alice.call("updateTeam", json!({ "team": web, "parent": parent }), "team { id }").await;
            assert_eq!(circle.refusals("updateTeam"), ["CYCLE"], "{engines:?}");
        }
        alice.call("updateTeam", json!({ "team": docs, "parent": null }), "team { parent { id } }").await.ok();
        assert_eq!(level(&bob, site).await.0, "read", "no longer under web");
        let tree = alice.ask("{ viewer { organization { team(slug: \"docs\") { parent { slug } children { edges { node { slug } } } } } } }").await.ok();
        assert_eq!(tree.at("viewer.organization.team.children.edges.0.node.slug"), "words");
        let full = alice.call("deleteTeam", json!({ "team": docs }), "deletedTeam").await;
        assert_eq!(full.refusals("deleteTeam"), ["STATE_CHANGED"]);
        alice.call("deleteTeam", json!({ "team": words }), "deletedTeam").await.ok();
        assert_eq!(level(&bob, other).await.0, Value::Null, "{engines:?}: its grants went with it");
    }
}

#[tokio::test]
async fn s5_6_maintainers_manage_that_teams_members_and_nothing_more() {
    let Code { gateway, code, alice, bob, site } = code(Engines::Embedded).await;
    let carol = gateway.member(&code, "carol", "member").await;
    let dave = gateway.member(&code, "dave", "member").await;
    let web = made(&alice, "web", json!({})).await;
    let other = made(&alice, "other", json!({})).await;
    give(&alice, &web, site, "write").await.ok();
    add(&alice, &web, &bob, Some(true)).await.ok();
    add(&alice, &web, &dave, Some(true)).await.ok();
    let seen = bob
        .ask("{ viewer { organization { teams { edges { node { slug viewerCanManageMembers viewerCanManage } } } } } }")
        .await;
    let edges = seen.ok().at("viewer.organization.teams.edges").clone();
    assert_eq!(edges[0]["node"], json!({ "slug": "other", "viewerCanManageMembers": false, "viewerCanManage": false }));
    assert_eq!(edges[1]["node"], json!({ "slug": "web", "viewerCanManageMembers": true, "viewerCanManage": false }));
    // What a maintainer may.
    add(&bob, &web, &carol, None).await.ok();
    assert_eq!(level(&carol, site).await.0, "write");
    let out = |member: &Person| json!({ "team": web, "member": member_id(member) });
    bob.call("removeTeamMember", out(&carol), "team { id }").await.ok();
    assert_eq!(level(&carol, site).await.0, Value::Null);
    // What not: another team, naming and dismissing maintainers, the team itself, its grants.
    assert_eq!(add(&bob, &other, &carol, None).await.codes(), ["FORBIDDEN"]);
    assert_eq!(add(&bob, &web, &carol, Some(true)).await.codes(), ["FORBIDDEN"]);
    assert_eq!(bob.call("removeTeamMember", out(&dave), "team { id }").await.codes(), ["FORBIDDEN"]);
    assert_eq!(
        bob.call("updateTeam", json!({ "team": web, "name": "Mine" }), "team { id }").await.codes(),
        ["FORBIDDEN"]
    );
    assert_eq!(bob.call("deleteTeam", json!({ "team": web }), "deletedTeam").await.codes(), ["FORBIDDEN"]);
    assert_eq!(give(&bob, &web, site, "admin").await.codes(), ["FORBIDDEN"]);
    assert_eq!(add(&carol, &web, &carol, None).await.codes(), ["FORBIDDEN"]);
    // Their own place they may leave, and then they are nobody there.
    bob.call("removeTeamMember", out(&bob), "team { id }").await.ok();
    assert_eq!(add(&bob, &web, &carol, None).await.codes(), ["FORBIDDEN"]);
}

#[tokio::test]
async fn s5_7_a_secret_team_is_nothing_to_others() {
    for engines in Engines::DATABASES {
        let Code { gateway, code, alice, bob, .. } = code(engines).await;
        let carol = gateway.member(&code, "carol", "member").await;
        let secret = made(&alice, "secret", json!({ "privacy": "SECRET" })).await;
        let closed = made(&alice, "closed", json!({})).await;
        add(&alice, &secret, &bob, None).await.ok();
        let everything = async |person: &Person, team: &str| -> Vec<String> {
            let node = "query($id: ID!) { node(id: $id) { id } viewer { organization { teams { totalCount edges { node { slug } } } team(slug: \"secret\") { id } } } }";
            let mut answers = vec![person.send(node, json!({ "id": team })).await.text];
            let member = member_id(&carol);
            for (mutation, input, selection) in [
                ("addTeamMember", json!({ "team": team, "member": member }), "team { id }"),
                ("removeTeamMember", json!({ "team": team, "member": member }), "team { id }"),
                ("updateTeam", json!({ "team": team, "name": "x" }), "team { id }"),
                ("deleteTeam", json!({ "team": team }), "deletedTeam"),
            ] {
                answers.push(person.call(mutation, input, selection).await.text);
            }
            answers
        };
        let random = NodeType::Team.id(gatehouse::id::new_id()).0;
        let hidden = everything(&carol, &secret).await;
        assert_eq!(hidden, everything(&carol, &random).await, "{engines:?}");
        assert!(hidden[0].contains("\"totalCount\":1") && hidden[0].contains("closed"), "{}", hidden[0]);
        let seen = everything(&bob, &secret).await;
        assert!(seen[0].contains("\"totalCount\":2") && seen[1].contains("FORBIDDEN"), "{seen:?}");
        // Nobody reads of it in somebody else's teams either.
        let teams =
            "query($id: ID!) { node(id: $id) { ... on Member { teams { totalCount edges { role node { slug } } } } } }";
        let others = carol.send(teams, json!({ "id": member_id(&bob) })).await.ok();
        assert_eq!(others.at("node.teams.totalCount"), 0);
        let own = bob.send(teams, json!({ "id": member_id(&bob) })).await.ok();
        assert_eq!(own.at("node.teams.edges"), &json!([{ "role": "MEMBER", "node": { "slug": "secret" } }]));
        let _ = closed;
    }
}

#[tokio::test]
async fn a_team_reaches_nobody_beyond_what_its_author_holds() {
    // Bounded delegation through a team: mallory manages teams and is no owner.
    let gateway = Gateway::sqlite().await;
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/blueprints/code-hosting.toml")).unwrap();
    let leader =
        "[roles.leader]\nlabel = \"Leader\"\npermissions = [\"members.read\", \"teams.read\", \"teams.manage\"]\n\n";
    let source = source.replace("name = \"code-hosting\"", "name = \"led-hosting\"");
    let source = source.replacen("[roles.member]", &format!("{leader}[roles.member]"), 1);
    gateway.service.install_blueprint(&source).await.unwrap();
    let code = gateway.organization("acme", "led-hosting", "free").await;
    let alice = gateway.member(&code, "alice", "owner").await;
    let mallory = gateway.member(&code, "mallory", "leader").await;
    let bob = gateway.member(&code, "bob", "member").await;
    let site = gateway.app(&code, "repository", "site").await;
    gateway.settle().await;
    let strong = made(&alice, "strong", json!({})).await;
    let below = made(&alice, "below", json!({ "parent": strong })).await;
    give(&alice, &strong, site, "admin").await.ok();
    assert_eq!(add(&mallory, &strong, &mallory, None).await.refusals("addTeamMember"), ["NOT_GRANTABLE"]);
    assert_eq!(add(&mallory, &below, &bob, None).await.refusals("addTeamMember"), ["NOT_GRANTABLE"], "by the parent");
    let mine = made(&mallory, "mine", json!({})).await;
    add(&mallory, &mine, &mallory, None).await.ok();
    let moved = mallory.call("updateTeam", json!({ "team": mine, "parent": strong }), "team { id }").await;
    assert_eq!(moved.refusals("updateTeam"), ["NOT_GRANTABLE"]);
    assert_eq!(level(&mallory, site).await.0, Value::Null);
    assert_eq!(level(&bob, site).await.0, Value::Null);
}
