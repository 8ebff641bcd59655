//! Rights that were taken away: nothing that was made before honours them again (A1, A2, A5, A11 to A17).

use gatehouse::graphql::node::NodeType;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    events::Events,
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::{accept, app_id, count, join, member_id, newest_token, switch, ticks},
};

struct Hub {
    gateway: Gateway,
    acme: Tenant,
    alice: Person,
    carol: Person,
    help: Uuid,
}

/// alice and carol are both super admins, and both have just asked for something.
async fn hub(engines: Engines) -> Hub {
    let gateway = Gateway::on(engines).await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let carol = gateway.member(&acme, "carol", "super_admin").await;
    let help = gateway.app(&acme, "help_center", "help").await;
    gateway.settle().await;
    for person in [&alice, &carol] {
        for _ in 0..2 {
            assert_eq!(read(person).await.ok().at("viewer.organization.members.totalCount"), 2);
        }
    }
    Hub { gateway, acme, alice, carol, help }
}

async fn read(person: &Person) -> Answer {
    person.ask("{ viewer { organization { slug members { totalCount } } permissions } }").await
}

async fn invites(person: &Person, name: &str) -> Answer {
    person.call("inviteMember", json!({ "email": format!("{name}@example.org") }), "member { id }").await
}

fn input(person: &Person) -> Value {
    json!({ "member": member_id(person.member.unwrap()) })
}

async fn remove(by: &Person, who: &Person) {
    let input = json!({ "member": member_id(who.member.unwrap()), "confirm": true });
    by.call("removeMember", input, "__typename").await.ok();
}

async fn become_member(by: &Person, who: &Person) {
    let input = json!({ "member": member_id(who.member.unwrap()), "role": "member" });
    by.call("changeMemberRole", input, "member { id }").await.ok();
}

async fn permissions(person: &Person) -> Vec<String> {
    serde_json::from_value(read(person).await.ok().at("viewer.permissions").clone()).unwrap()
}

#[tokio::test]
async fn a1_who_was_removed_neither_reads_nor_writes_by_a_session_that_is_still_bound_there() {
    for engines in Engines::ALL {
        let Hub { gateway, alice, carol, .. } = hub(engines).await;
        remove(&alice, &carol).await;
        let seen = read(&carol).await;
        assert!(seen.at("viewer.organization.slug").is_null(), "{engines:?}: {}", seen.text);
        let written = invites(&carol, "dave").await;
        assert!(!written.codes().is_empty(), "{engines:?}: {}", written.text);
        assert_eq!(count(&gateway, "invitation").await, 0, "{engines:?}");
    }
}

#[tokio::test]
async fn a2_who_was_demoted_keeps_nothing_by_a_session_of_before() {
    for engines in Engines::ALL {
        let Hub { gateway, alice, carol, .. } = hub(engines).await;
        become_member(&alice, &carol).await;
        assert!(!permissions(&carol).await.contains(&"members.invite".to_owned()), "{engines:?}");
        assert_eq!(invites(&carol, "dave").await.codes(), ["FORBIDDEN"], "{engines:?}");
        assert_eq!(count(&gateway, "invitation").await, 0, "{engines:?}");
    }
}

/// What may be done, what is granted and what a token made afterwards can do say the same.
#[tokio::test]
async fn a5_a_grant_that_ended_is_in_no_answer_and_in_no_token_of_after() {
    for engines in Engines::ALL {
        let Hub { gateway, acme, alice, carol, help } = hub(engines).await;
        become_member(&alice, &carol).await;
        let grant = gateway.tick(&acme, &carol, help, "articles", None).await;
        assert!(may(&carol, help).await, "{engines:?}");
        let input = json!({ "grant": NodeType::Grant.id(grant).0 });
        alice.call("revokeAccess", input, "__typename").await.ok();
        let later = carol.with_token(&gateway.mint(&carol, Some(acme.id)));
        for session in [&carol, &later] {
            assert!(!may(session, help).await, "{engines:?}");
        }
        assert_eq!(ticks(&gateway, carol.member.unwrap()).await, [""; 0], "{engines:?}");
    }
}

async fn may(person: &Person, app: Uuid) -> bool {
    let ask = "query($member: ID!, $app: ID!) { check(member: $member, app: $app, feature: \"articles\", action: \"view\") { allowed } }";
    let answer = person.send(ask, json!({ "member": member_id(person.member.unwrap()), "app": app_id(app) })).await;
    answer.at("check.allowed") == &json!(true)
}

#[tokio::test]
async fn a11_every_place_that_shows_a_role_shows_the_present_one() {
    for engines in Engines::ALL {
        let Hub { alice, carol, gateway: _gateway, .. } = hub(engines).await;
        become_member(&alice, &carol).await;
        let asked = "{ viewer { organization { members { edges { node { name roles { key } } } } } } }";
        let listed = alice.ask(asked).await.ok();
        let edges = listed.at("viewer.organization.members.edges").as_array().unwrap();
        let of = |name: &str| edges.iter().find(|edge| edge["node"]["name"] == name).unwrap()["node"]["roles"].clone();
        assert_eq!(of("carol"), json!([{ "key": "member" }]), "{engines:?}");
        let roles = "query($id: ID!) { node(id: $id) { ... on Member { roles { key } } } }";
        let node = alice.send(roles, json!({ "id": member_id(carol.member.unwrap()) })).await.ok();
        assert_eq!(node.at("node.roles"), &of("carol"), "{engines:?}");
        let own = carol.ask("{ viewer { organization { viewerMember { roles { key } } } } }").await.ok();
        assert_eq!(own.at("viewer.organization.viewerMember.roles"), &of("carol"), "{engines:?}");
    }
}

/// Nothing remembers the higher role: no suspension, and no new invitation.
#[tokio::test]
async fn a13_no_return_brings_back_a_role_that_was_taken() {
    for engines in Engines::DATABASES {
        let Hub { gateway, alice, carol, .. } = hub(engines).await;
        become_member(&alice, &carol).await;
        let held = permissions(&carol).await;
        alice.call("suspendMember", input(&carol), "member { id }").await.ok();
        alice.call("reactivateMember", input(&carol), "member { id }").await.ok();
        assert_eq!(permissions(&carol).await, held, "{engines:?}");
        remove(&alice, &carol).await;
        invites(&alice, "carol").await.ok();
        accept(&carol, &newest_token(&gateway)).await.ok();
        assert_eq!(permissions(&switch(&carol, "acme").await).await, held, "{engines:?}");
    }
}

#[tokio::test]
async fn a14_an_app_that_is_switched_off_gives_nothing_to_sessions_and_tokens_of_before() {
    for engines in Engines::ALL {
        let Hub { gateway, acme, alice, carol, help } = hub(engines).await;
        become_member(&alice, &carol).await;
        gateway.tick(&acme, &carol, help, "articles", None).await;
        assert!(may(&carol, help).await, "{engines:?}");
        alice.call("updateApp", json!({ "app": app_id(help), "state": "DISABLED" }), "app { id }").await.ok();
        assert!(!may(&carol, help).await, "{engines:?}");
    }
}

#[tokio::test]
async fn a15_a_subscription_of_before_hears_nothing_of_after() {
    for engines in Engines::ALL {
        let Hub { alice, carol, gateway, .. } = hub(engines).await;
        let mut events = Events::open(&gateway, &carol, "subscription { seatUsageChanged { reserved } }").await;
        assert!(events.next().await.unwrap()["data"]["seatUsageChanged"].is_array(), "{engines:?}");
        remove(&alice, &carol).await;
        // Until here an event may have been on its way; what happens now would be another.
        invites(&alice, "dave").await.ok();
        while let Some(event) = events.next().await {
            let reserved = &event["data"]["seatUsageChanged"][0]["reserved"];
            assert!(reserved.is_null() || reserved == &json!(0), "{engines:?}: {event}");
        }
    }
}

/// A suspended organization is closed to everybody, by every credential; and when it opens again, what was revoked stays so.
#[tokio::test]
async fn a16_a_suspended_organization_is_closed_and_opens_without_what_was_revoked() {
    for engines in Engines::ALL {
        let Hub { gateway, acme, alice, carol, .. } = hub(engines).await;
        let made = async |name: &str| {
            let input = json!({ "name": name, "scopes": ["members.read"] });
            let made = alice.call("createApiToken", input, "secret token { id }").await.ok();
            let secret = alice.with_token(made.at("createApiToken.secret").as_str().unwrap());
            (made.at("createApiToken.token.id").clone(), secret)
        };
        let (kept, revoked) = (made("kept").await, made("revoked").await);
        for token in [&kept, &revoked] {
            assert_eq!(program(&token.1).await, json!(2), "{engines:?}");
        }
        let mut events = Events::open(&gateway, &carol, "subscription { seatUsageChanged { used } }").await;
        events.next().await.unwrap();

        state(&gateway, &acme, "suspended").await;
        for person in [&alice, &carol] {
            assert_eq!(invites(person, "dave").await.at("inviteMember.member"), &Value::Null, "{engines:?}");
            assert!(permissions_of(person).await.is_empty(), "{engines:?}");
        }
        let asked = "{ viewer { organization { name roles { key } appKinds { key } settings { allowedDomains } } } }";
        let closed = carol.ask(asked).await;
        assert_eq!(closed.codes(), ["FORBIDDEN"], "{engines:?} {}", closed.text);
        let shown = json!({ "name": "acme", "roles": [], "appKinds": [], "settings": null });
        assert_eq!(closed.at("viewer.organization"), &shown, "{engines:?}");
        for token in [&kept, &revoked] {
            assert_ne!(program(&token.1).await, json!(2), "{engines:?}");
        }
        while let Some(event) = events.next().await {
            assert!(event["data"].is_null(), "{engines:?}: {event}");
        }
        let sql = "UPDATE api_token SET revoked_at = created_at WHERE name = 'revoked'";
        gateway.database.run(sql, []).await.unwrap();
        gateway
            .database
            .run("UPDATE session SET revoked_at = created_at WHERE id = $1", [carol.session.into()])
            .await
            .unwrap();

        state(&gateway, &acme, "active").await;
        assert_eq!(program(&kept.1).await, json!(2), "{engines:?}");
        assert_eq!(revoked.1.ask("{ viewer { id } }").await.status, 401, "{engines:?}");
        assert_eq!(carol.ask("{ viewer { id } }").await.status, 401, "{engines:?}");
        assert_eq!(read(&alice).await.ok().at("viewer.organization.members.totalCount"), 2, "{engines:?}");
    }
}

async fn program(token: &Person) -> Value {
    let answer = token.ask("{ organization(slug: \"acme\") { members { totalCount } } }").await;
    answer.at("organization.members.totalCount").clone()
}

async fn permissions_of(person: &Person) -> Vec<String> {
    serde_json::from_value(read(person).await.at("viewer.permissions").clone()).unwrap_or_default()
}

async fn state(gateway: &Gateway, tenant: &Tenant, state: &str) {
    let sql = "UPDATE organization SET state = $1 WHERE id = $2";
    gateway.database.run(sql, [state.into(), tenant.id.into()]).await.unwrap();
    gateway.settle().await;
}

#[tokio::test]
async fn a17_who_comes_back_finds_none_of_the_teams_of_before() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let code = gateway.organization("acme", "code-hosting", "free").await;
        let alice = gateway.member(&code, "alice", "owner").await;
        let site = gateway.app(&code, "repository", "site").await;
        gateway.settle().await;
        let bob = join(&gateway, &alice, ("bob", json!({ "role": "member" }))).await;
        let made = alice.call("createTeam", json!({ "slug": "web", "name": "web" }), "team { id }").await.ok();
        let web = made.at("createTeam.team.id").clone();
        let given = json!({ "grantee": { "team": web }, "app": app_id(site),
                            "gives": { "feature": { "kind": "repository", "feature": "code", "level": "admin" } } });
        alice.call("grantAccess", given, "grant { id }").await.ok();
        let place = json!({ "team": web, "member": member_id(bob.member.unwrap()) });
        alice.call("addTeamMember", place, "team { id }").await.ok();
        assert_eq!(level(&bob, site).await, json!("admin"), "{engines:?}");

        remove(&alice, &bob).await;
        let left = level(&bob, site).await;
        assert!(left.is_null(), "{engines:?}: {left}");
        // Nor is anything kept for the place that it had, to be found again by whoever opens that once more.
        let place = bob.member.unwrap();
        for table in ["team_member WHERE member_id", "access_grant WHERE grantee_id"] {
            let sql = format!("SELECT count(*) FROM {table} = $1");
            let left: i64 = gateway.database.rows(&sql, [place.into()]).await[0].try_get_by_index(0).unwrap();
            assert_eq!(left, 0, "{engines:?}: {table}");
        }
        alice.call("inviteMember", json!({ "email": "bob@example.org", "role": "member" }), "member { id }").await.ok();
        let token = newest_token(&gateway);
        accept(&bob, &token).await.ok();
        let sql = "SELECT id FROM member WHERE email = 'bob@example.org' AND state = 'active'";
        let rows = gateway.database.rows(sql, []).await;
        let mut back = switch(&bob, "acme").await;
        back.member = Some(rows[0].try_get_by_index(0).unwrap());
        assert_ne!(level(&back, site).await, json!("admin"), "{engines:?}");
        let teams = "query($id: ID!) { node(id: $id) { ... on Member { teams { totalCount } } } }";
        let held = back.send(teams, json!({ "id": member_id(back.member.unwrap()) })).await.ok();
        assert_eq!(held.at("node.teams.totalCount"), 0, "{engines:?}");
    }
}

/// The level somebody has on a repository.
async fn level(person: &Person, app: Uuid) -> Value {
    let own = "query($id: ID!, $app: ID!) { node(id: $id) { ... on Member { capabilities(app: $app) { edges { node { level } } } } } }";
    let answer = person.send(own, json!({ "id": member_id(person.member.unwrap()), "app": app_id(app) })).await;
    answer.at("node.capabilities.edges.0.node.level").clone()
}
