//! The list of one's own sessions, and ending them one by one.

use chrono::TimeDelta;
use gatehouse::{
    identity::Credential,
    service::{
        Client,
        session::{Binding, SignIn, SignedIn},
    },
};
use reqwest::header::USER_AGENT;
use serde_json::{Value, json};

use crate::{
    operations,
    support::gateway::{Answer, Engines, Gateway, Person},
};

const PASSWORD: &str = "correct horse battery";
const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn list(person: &Person) -> Answer {
    operations::run(person, "account/sessions", json!({})).await
}

async fn revoke(person: &Person, which: Value) -> Answer {
    operations::send(person, "account/revoke-sessions", json!({ "input": which })).await
}

/// Signs alice in with a user agent; her tokens.
async fn sign_in(gateway: &Gateway, agent: &str) -> (Person, String) {
    let body = json!({
        "query": "mutation($input: SignInInput!) { signIn(input: $input) { accessToken refreshToken } }",
        "variables": { "input": { "email": "alice@example.org", "password": PASSWORD } },
    });
    let request = reqwest::Client::new().post(format!("{}/graphql", gateway.url)).header(USER_AGENT, agent).json(&body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let text = |field: &str| answer["data"]["signIn"][field].as_str().unwrap().to_owned();
    (gateway.stranger().with_token(&text("accessToken")), text("refreshToken"))
}

async fn alice(gateway: &Gateway) -> Person {
    let input = json!({ "email": "alice@example.org", "password": PASSWORD, "name": "Alice" });
    let answer = gateway.stranger().call("signUp", input, "accessToken").await.ok();
    gateway.stranger().with_token(answer.at("signUp.accessToken").as_str().unwrap())
}

fn sessions(answer: &Answer) -> Vec<Value> {
    let edges = answer.at("viewer.sessions.edges").as_array().unwrap();
    edges.iter().map(|edge| edge["node"].clone()).collect()
}

async fn refresh(gateway: &Gateway, token: &str) -> Answer {
    gateway.stranger().call("refreshSession", json!({ "refreshToken": token }), "accessToken").await
}

#[tokio::test]
async fn a_session_is_listed_with_its_device_and_ends_when_it_is_revoked() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let first = alice(&gateway).await;
        let (second, refresh_token) = sign_in(&gateway, FIREFOX).await;
        let (_third, _) = sign_in(&gateway, "curl/8.5").await;

        let listed = list(&first).await;
        assert_eq!(listed.at("viewer.sessions.totalCount"), 3, "{engines:?}");
        let rows = sessions(&listed);
        let current: Vec<&Value> = rows.iter().map(|row| &row["isCurrent"]).collect();
        assert_eq!(current, [true, false, false]);
        assert_eq!(
            (rows[1]["device"].as_str(), rows[1]["userAgent"].as_str()),
            (Some("Firefox on Windows 10"), Some(FIREFOX))
        );
        assert_eq!(rows[1]["address"], "127.0.0.1");
        assert!(rows.iter().all(|row| row["secondFactorAt"].is_null() && row["lastSeenAt"].is_string()));

        let revoked = revoke(&first, json!({ "session": rows[1]["id"] })).await.ok();
        assert_eq!(revoked.at("revokeSessions.endedSessions"), 1);
        assert_eq!(second.ask("{ viewer { id } }").await.status, 401, "{engines:?}");
        assert_eq!(refresh(&gateway, &refresh_token).await.codes(), ["UNAUTHENTICATED"]);
        assert_eq!(list(&first).await.at("viewer.sessions.totalCount"), 2);
        let again = revoke(&first, json!({ "session": rows[1]["id"] })).await.ok();
        assert_eq!(again.at("revokeSessions.endedSessions"), 0);
    }
}

#[tokio::test]
async fn the_other_sessions_end_and_the_present_one_stays() {
    let gateway = Gateway::sqlite().await;
    let first = alice(&gateway).await;
    let (second, _) = sign_in(&gateway, FIREFOX).await;
    let (third, _) = sign_in(&gateway, FIREFOX).await;
    let ended = revoke(&second, json!({ "others": true })).await.ok();
    assert_eq!(ended.at("revokeSessions.endedSessions"), 2);
    for other in [&first, &third] {
        assert_eq!(other.ask("{ viewer { id } }").await.status, 401);
    }
    let rows = sessions(&list(&second).await);
    assert_eq!((rows.len(), &rows[0]["isCurrent"]), (1, &json!(true)));
    assert_eq!(revoke(&second, json!({ "others": false })).await.codes(), ["BAD_USER_INPUT"]);
    let own = json!({ "session": rows[0]["id"] });
    assert_eq!(revoke(&second, own).await.ok().at("revokeSessions.endedSessions"), 1);
    assert_eq!(second.ask("{ viewer { id } }").await.status, 401);
}

#[tokio::test]
async fn nobody_else_lists_or_ends_a_session() {
    let gateway = Gateway::sqlite().await;
    let first = alice(&gateway).await;
    let session = sessions(&list(&first).await)[0]["id"].clone();
    let bob = gateway.person("bob").await;
    let foreign = revoke(&bob, json!({ "session": session })).await;
    assert_eq!(foreign.codes(), ["NOT_FOUND"], "{}", foreign.text);
    assert!(sessions(&list(&bob).await).iter().all(|row| row["id"] != session));
    let node = first.ask(&format!("{{ node(id: {session}) {{ id }} }}")).await.ok();
    assert!(node.at("node").is_null());
    assert_eq!(list(&first).await.at("viewer.sessions.totalCount"), 1);
    let stranger = revoke(&gateway.stranger(), json!({ "others": true })).await;
    assert_eq!(stranger.codes(), ["UNAUTHENTICATED"]);
}

#[tokio::test]
async fn a_session_that_has_rested_too_long_is_not_listed() {
    let gateway = Gateway::sqlite().await;
    let first = alice(&gateway).await;
    sign_in(&gateway, FIREFOX).await;
    let rested = gateway.service.now() - chrono::TimeDelta::hours(4);
    let sql = "UPDATE session SET last_seen_at = $1 WHERE user_agent = $2";
    gateway.database.run(sql, [rested.into(), FIREFOX.into()]).await.unwrap();
    assert_eq!(list(&first).await.at("viewer.sessions.totalCount"), 1);
}

fn from(address: &str) -> Client {
    Client { address: address.parse().unwrap(), user_agent: None }
}

/// A request of a session from an address, written down as it is once a minute.
async fn used(gateway: &Gateway, signed_in: &SignedIn, address: &str) {
    let credential = Credential::Session(signed_in.identity);
    gateway.service.access(credential, from(address)).await.unwrap().unwrap();
    gateway.service.record_presence().await.unwrap();
}

/// Whoever looks for a stranger in the list sees where a session is used now, and not only where it was opened.
#[tokio::test]
async fn a_sessions_address_and_last_use_follow_its_use() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let first = alice(&gateway).await;
        let sign_in = SignIn {
            email: "alice@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            organization: None,
            code: None,
        };
        let second = gateway.service.sign_in(&from("203.0.113.1"), sign_in).await.unwrap();
        let row = async || sessions(&list(&first).await).remove(1);
        let seen = async |at: sea_orm::Value| {
            let sql = "UPDATE session SET last_seen_at = $1 WHERE id = $2";
            gateway.database.run(sql, [at, second.identity.session.into()]).await.unwrap();
        };
        assert_eq!(row().await["address"], "203.0.113.1", "{engines:?}");

        let before = gateway.service.now() - TimeDelta::minutes(10);
        seen(before.into()).await;
        used(&gateway, &second, "2001:db8::7").await;
        let moved = row().await;
        assert_eq!(moved["address"], "2001:db8::7", "{engines:?}");
        let last: chrono::DateTime<chrono::Utc> = serde_json::from_value(moved["lastSeenAt"].clone()).unwrap();
        assert!(last > before + TimeDelta::minutes(8), "{engines:?}: {moved}");
        // The session that asks for the list is another one, at its own address.
        assert_eq!(sessions(&list(&first).await)[0]["address"], "127.0.0.1", "{engines:?}");

        // What another gateway wrote of a later minute stands.
        seen((gateway.service.now() + TimeDelta::minutes(5)).into()).await;
        used(&gateway, &second, "198.51.100.9").await;
        assert_eq!(row().await["address"], "2001:db8::7", "{engines:?}");

        let refresh = second.refresh.as_ref().unwrap();
        let refreshed = gateway.service.refresh_session(&from("192.0.2.4"), refresh, Binding::Usual).await.unwrap();
        assert_eq!(refreshed.identity.session, second.identity.session);
        assert_eq!(row().await["address"], "192.0.2.4", "{engines:?}");
    }
}

/// Each of many sessions keeps its own address, though one statement writes them.
#[tokio::test]
async fn many_sessions_are_written_down_at_once_each_with_its_own_address() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let mut people = Vec::new();
        for number in 0..5 {
            people.push(gateway.person(&format!("bob-{number}")).await);
        }
        gateway.settle().await;
        let before = gateway.service.now() - TimeDelta::minutes(10);
        gateway.database.run("UPDATE session SET last_seen_at = $1", [before.into()]).await.unwrap();
        for (number, person) in people.iter().enumerate() {
            let token = person.token.as_ref().unwrap();
            let service = &gateway.service;
            let credential = Credential::parse_bearer(token, service.tokens(), service.now()).unwrap();
            service.access(credential, from(&format!("203.0.113.{number}"))).await.unwrap().unwrap();
        }
        gateway.service.record_presence().await.unwrap();
        for (number, person) in people.iter().enumerate() {
            let address = sessions(&list(person).await)[0]["address"].clone();
            assert_eq!(address, format!("203.0.113.{number}"), "{engines:?}");
        }
    }
}
