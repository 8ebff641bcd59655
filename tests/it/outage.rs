//! A database that is gone, a Redis that is gone: never a wrong answer, and recovery when they are back.

use std::time::Duration;

use crate::support::{
    database::TestDatabase,
    gateway::{Answer, Gateway, Person, scale},
    proxy::Proxy,
    redis,
};

const WHO: &str = "{ viewer { name permissions organization { slug } } }";

fn port_of(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap()
}

/// Asks until the answer has this status; a bound on tries, so that a gateway that never recovers fails the test.
async fn until(person: &Person, status: u16) -> Answer {
    for _ in 0..200 {
        let answer = person.ask(WHO).await;
        if answer.status == status {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never answered {status}");
}

// More than one thread: dropping the test's database waits for the line, which must go on meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_gone_refuses_everyone_and_comes_back() {
    let mut database = TestDatabase::postgres().await;
    let port = port_of(&database.url);
    let proxy = Proxy::to(port).await;
    let direct = database.url.clone();
    database.url = direct.replace(&port.to_string(), &proxy.port.to_string());
    let gateway = Gateway::with(database, None).await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let before = alice.ask(WHO).await.ok();

    proxy.cut();
    let gone = until(&alice, 503).await;
    assert_eq!(gone.codes(), ["AUTHZ_UNAVAILABLE"], "{}", gone.text);
    assert!(gone.body.get("data").is_none_or(serde_json::Value::is_null), "{}", gone.text);
    let ready = reqwest::get(format!("{}/readyz", gateway.url)).await.unwrap();
    assert_eq!(ready.status(), 503);
    let alive = reqwest::get(format!("{}/healthz", gateway.url)).await.unwrap();
    assert_eq!(alive.status(), 200);

    proxy.mend();
    assert_eq!(until(&alice, 200).await.text, before.text);
}

#[tokio::test]
async fn a_redis_that_is_gone_changes_no_answer() {
    let line = Proxy::to(port_of(&redis::url())).await;
    let url = format!("redis://127.0.0.1:{}", line.port);
    let gateway = Gateway::with(TestDatabase::postgres().await, Some(url)).await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let before = alice.ask(WHO).await.ok();

    line.cut();
    for _ in 0..20 * scale() {
        assert_eq!(alice.ask(WHO).await.ok().text, before.text);
    }
    line.mend();
    for _ in 0..20 * scale() {
        assert_eq!(alice.ask(WHO).await.ok().text, before.text);
    }
}
