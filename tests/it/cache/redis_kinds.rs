//! The kinds of Redis that a deployment may have: by TLS and with a user of its own, and a cluster.

use std::{process::Command, time::Duration};

use gatehouse::cache::{KeySpace, RedisCache, Settlement, redis::Doubt, redis::RedisOptions};
use redis::aio::MultiplexedConnection;

use super::{
    database::{Database, Node, limits, organization, session},
    redis_server::RedisServer,
};
use crate::support::server::free_port;

const LAST_SLOT: u16 = 16_383;

/// Asked at a node that has no key of ours, a gateway goes to the one that has them, and again when they move.
#[tokio::test]
async fn a_cluster_is_followed_to_the_keys_of_the_deployment_and_waited_for() {
    let (here, there) = (RedisServer::start_in_cluster().await, RedisServer::start_in_cluster().await);
    let (mut one, mut other) = (here.admin().await, there.admin().await);
    let slot: u16 = ask(&mut one, &["CLUSTER", "KEYSLOT", &KeySpace::new("test").any()]).await;
    let (before, after, last) = ((slot - 1).to_string(), (slot + 1).to_string(), LAST_SLOT.to_string());
    let slot = slot.to_string();
    let () = ask(&mut one, &["CLUSTER", "ADDSLOTSRANGE", "0", &before, &after, &last]).await;
    let () = ask(&mut other, &["CLUSTER", "ADDSLOTS", &slot]).await;
    let () = ask(&mut one, &["CLUSTER", "MEET", "127.0.0.1", &there.port().to_string(), there.bus()]).await;
    for node in [&mut one, &mut other] {
        while !ask::<String>(node, &["CLUSTER", "INFO"]).await.contains("cluster_state:ok") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    let database = Database::new();
    let node = Node::with_redis(&database, &here.url()).await;
    node.warm(&session()).await;
    assert_eq!(node.cache.doubts(), Some(vec![Doubt::Cluster]));
    assert!(ask::<usize>(&mut other, &["DBSIZE"]).await > 0, "the entry is where its slot is");
    assert!(matches!(node.change(&[organization()]).await, Settlement::Waited(_)));
    assert_eq!(node.version(&session()).await, 1);

    let () = ask(&mut other, &["FLUSHALL"]).await;
    let home: String = ask(&mut one, &["CLUSTER", "MYID"]).await;
    for admin in [&mut other, &mut one] {
        let () = ask(admin, &["CLUSTER", "SETSLOT", &slot, "NODE", &home]).await;
    }
    node.connected().await;
    node.warm(&session()).await;
    assert!(ask::<usize>(&mut one, &["DBSIZE"]).await > 0, "the entry is where its slot is now");
}

/// The user of the guide has every command that is needed; without those that tell how Redis is set up, changes wait.
#[tokio::test]
async fn by_tls_and_with_a_user_of_its_own_a_redis_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (key, certificate) = (file("key.pem"), file("certificate.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", &key, "-out", &certificate])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let guide = include_str!("../../../docs/freshness.md");
    let user = guide.lines().find_map(|line| line.strip_prefix("user gatehouse ")).expect("the guide names the user");
    let secure = free_port().to_string();
    let mut options = vec!["--tls-port", &secure, "--tls-cert-file", &certificate, "--tls-key-file", &key];
    options.extend(["--tls-ca-cert-file", &certificate, "--tls-auth-clients", "no", "--user", "gatehouse"]);
    options.extend(user.split(' '));
    let server = RedisServer::start_with(&options).await;

    let url = format!("rediss://gatehouse:a-long-password@127.0.0.1:{secure}");
    let authorities = || Some(std::fs::read(&certificate).unwrap());
    let database = Database::new();
    let node = Node::with_trusted_redis(&database, &url, authorities()).await;
    node.warm(&session()).await;
    assert_eq!(node.cache.doubts(), Some(Vec::new()));
    for version in 1..=2 {
        assert_eq!(node.change(&[organization()]).await, Settlement::Acknowledged);
        assert_eq!(node.version(&session()).await, version);
        node.warm(&session()).await;
    }

    let mut admin = server.admin().await;
    let () = ask(&mut admin, &["ACL", "SETUSER", "gatehouse", "-info"]).await;
    let reserved = Node::with_trusted_redis(&database, &url, authorities()).await;
    reserved.warm(&session()).await;
    assert!(matches!(reserved.cache.doubts().unwrap().as_slice(), [Doubt::Silent(_)]));
    assert!(matches!(reserved.change(&[organization()]).await, Settlement::Waited(_)));

    // Nobody vouches for it to those who were not told; nor is a password sent where the URL asks for no TLS.
    assert!(!is_reachable(&url, None).await);
    let plain = RedisOptions { url: server.url(), ..options_of(&url, authorities()) };
    assert!(RedisCache::open(plain).unwrap_err().to_string().contains("rediss://"));
}

async fn is_reachable(url: &str, authorities: Option<Vec<u8>>) -> bool {
    RedisCache::open(options_of(url, authorities)).unwrap().is_reachable(Duration::from_millis(500)).await
}

fn options_of(url: &str, authorities: Option<Vec<u8>>) -> RedisOptions {
    let (url, deployment) = (url.to_owned(), "test".to_owned());
    RedisOptions { url, authorities, deployment, process: gatehouse::id::new_id(), limits: limits() }
}

async fn ask<T: redis::FromRedisValue>(admin: &mut MultiplexedConnection, words: &[&str]) -> T {
    redis::cmd(words[0]).arg(&words[1..]).query_async(admin).await.unwrap_or_else(|error| panic!("{words:?}: {error}"))
}
