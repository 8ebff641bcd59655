//! What may be used: one round trip when all is well, and the database whenever anything is not proven.

use std::{collections::BTreeMap, time::Duration};

use gatehouse::cache::{KeySpace, Settled, Source};
use redis::AsyncCommands;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

use super::{
    database::{Database, Node, now, organization, session, token},
    redis_server::RedisServer,
};

/// How often each command was called since the statistics were reset.
async fn calls(admin: &mut redis::aio::MultiplexedConnection) -> BTreeMap<String, u64> {
    let info: String = redis::cmd("INFO").arg("commandstats").query_async(admin).await.unwrap();
    info.lines()
        .filter_map(|line| {
            let (name, statistics) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), statistics.split(',').next()?.parse().ok()?))
        })
        .filter(|(name, _)| name != "info" && !name.starts_with("config"))
        .collect()
}

#[tokio::test]
async fn a_warm_read_is_one_round_trip_and_no_load() {
    let (server, database) = (RedisServer::start().await, Database::new());
    let node = Node::with_redis(&database, &server.url()).await;
    node.warm(&session()).await;
    let (loads, mut admin) = (database.loads(), server.admin().await);
    let _: () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(&mut admin).await.unwrap();

    for _ in 0..50 {
        assert_eq!(node.version(&session()).await, 0);
    }

    let expected = BTreeMap::from([("echo".to_owned(), 50), ("mget".to_owned(), 50)]);
    assert_eq!((calls(&mut admin).await, database.loads()), (expected, loads));
}

#[tokio::test]
async fn a_marker_sends_every_read_to_the_database() {
    let database = Database::new();
    let node = Node::in_process(&database);
    node.warm(&session()).await;
    let marked = node.grants.mark(&[organization()]).await;
    let loads = database.loads();
    node.version(&session()).await;
    assert_eq!(database.loads(), loads + 1);
    node.grants.rolled_back(marked).await;
    node.version(&session()).await;
    assert_eq!(database.loads(), loads + 1);
}

#[tokio::test]
async fn an_entry_that_somebody_changed_is_not_believed() {
    let (server, database) = (RedisServer::start().await, Database::new());
    let node = Node::with_redis(&database, &server.url()).await;
    node.warm(&session()).await;
    let (name, mut admin) = (KeySpace::new("test").entry(&session()), server.admin().await);
    let good: Vec<u8> = admin.get(&name).await.unwrap();

    for at in [0, 1, good.len() / 2, good.len() - 17, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let _: () = admin.set_ex(&name, bad, 60).await.unwrap();
        let granted = node.grants.get(&session(), None, now()).await.unwrap().unwrap();
        assert_eq!((granted.source, granted.facts.version), (Source::Database, 0), "byte {at}");
        node.warm(&session()).await; // what was spoilt is replaced
    }
}

#[tokio::test]
async fn another_credentials_entry_is_not_believed() {
    let (server, database) = (RedisServer::start().await, Database::new());
    let node = Node::with_redis(&database, &server.url()).await;
    node.warm(&session()).await;
    let (keys, mut admin) = (KeySpace::new("test"), server.admin().await);
    let entry: Vec<u8> = admin.get(keys.entry(&session())).await.unwrap();
    let other = gatehouse::cache::GrantKey::Principal {
        principal: uuid::Uuid::from_u128(77),
        organization: super::database::ORGANIZATION,
    };
    let _: () = admin.set_ex(keys.entry(&other), entry, 60).await.unwrap();

    let granted = node.grants.get(&other, None, now()).await.unwrap().unwrap();
    assert_eq!(granted.source, Source::Database);
}

#[tokio::test]
async fn an_old_entry_that_is_put_back_is_not_believed() {
    let (server, database) = (RedisServer::start().await, Database::new());
    let node = Node::with_redis(&database, &server.url()).await;
    node.warm(&session()).await;
    let (name, mut admin) = (KeySpace::new("test").entry(&session()), server.admin().await);
    let old: Vec<u8> = admin.get(&name).await.unwrap();
    node.change(&[organization()]).await;

    // Whoever can do this can also remove the floor; the node's own floor is out of reach.
    let _: () = redis::cmd("FLUSHALL").query_async(&mut admin).await.unwrap();
    let _: () = admin.set_ex(&name, &old, 60).await.unwrap();
    assert_eq!(node.version(&session()).await, 1);

    // And when that has ended, so has the entry, by its own word.
    let _: () = admin.set_ex(&name, &old, 60).await.unwrap();
    let later = now() + chrono::TimeDelta::seconds(301);
    let granted = node.grants.get(&session(), None, later).await.unwrap().unwrap();
    assert_eq!(granted.source, Source::Database);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_fills_nothing() {
    let (server, database) = (RedisServer::start().await, Database::new());
    database.set_secret(token(), [1; 32]);
    let node = Node::with_redis(&database, &server.url()).await;
    let (name, mut admin) = (KeySpace::new("test").entry(&token()), server.admin().await);

    assert!(node.grants.get(&token(), Some(&[2; 32]), now()).await.unwrap().is_none());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!admin.exists::<_, bool>(&name).await.unwrap(), "a refused secret fills nothing");

    assert!(node.grants.get(&token(), Some(&[1; 32]), now()).await.unwrap().is_some());
    while !admin.exists::<_, bool>(&name).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let loads = database.loads();
    assert!(node.grants.get(&token(), Some(&[2; 32]), now()).await.unwrap().is_none());
    assert!(node.grants.get(&token(), None, now()).await.unwrap().is_none());
    assert!(node.grants.get(&token(), Some(&[1; 32]), now()).await.unwrap().is_some());
    assert_eq!(database.loads(), loads, "all three were answered by the entry");
}

#[tokio::test]
async fn r20_a_reply_to_another_question_is_no_answer() {
    let database = Database::new();
    let node = Node::not_following(&database, &out_of_step().await);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(
        node.cache.read(&session()).await,
        gatehouse::cache::ReadOutcome::Bypass(gatehouse::cache::Bypass::Desynchronized)
    );
    assert_eq!(node.version(&session()).await, 0);
}

/// Nor does one acknowledge a change: what another call has done is not this one's doing.
#[tokio::test]
async fn r20_a_reply_to_another_call_acknowledges_no_change() {
    let database = Database::new();
    let node = Node::not_following(&database, &out_of_step().await);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let marked = node.cache.mark(&[organization()]).await;
    assert_eq!(marked.acknowledged(), [], "a marker that another call has set");
    let moved = database.commit(&[organization()]);
    assert_eq!(node.cache.settle(marked, &moved).await, Settled::Unknown);
}

/// The address of a Redis whose replies are those to earlier questions.
async fn out_of_step() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_with_an_old_echo(stream));
        }
    });
    url
}

/// Speaks just enough of the protocol: every command succeeds, and every echo is that of an earlier request.
async fn answer_with_an_old_echo(stream: tokio::net::TcpStream) -> std::io::Result<()> {
    const OLD: &str = "$5\r\nolder\r\n";
    let mut stream = BufReader::new(stream);
    // The replies that a transaction gives in its end, while one is open.
    let mut queued: Option<Vec<&str>> = None;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let mut words = Vec::new();
        for _ in 0..line[1..].trim().parse::<usize>().unwrap() {
            line.clear();
            stream.read_line(&mut line).await?;
            let mut word = vec![0; line[1..].trim().parse::<usize>().unwrap() + 2];
            stream.read_exact(&mut word).await?;
            words.push(word);
        }
        let name = String::from_utf8_lossy(&words[0]).trim_end().to_owned();
        let reply = match (name.as_str(), &mut queued) {
            ("EXEC", transaction) => {
                let replies = transaction.take().unwrap_or_default();
                format!("*{}\r\n{}", replies.len(), replies.concat())
            }
            (name, Some(replies)) => {
                replies.push(if name == "ECHO" { OLD } else { ":1\r\n" });
                "+QUEUED\r\n".to_owned()
            }
            ("MULTI", none) => {
                *none = Some(Vec::new());
                "+OK\r\n".to_owned()
            }
            ("ECHO" | "EVALSHA", _) => OLD.to_owned(),
            ("MGET", _) => format!("*{}\r\n{}", words.len() - 1, "$-1\r\n".repeat(words.len() - 1)),
            _ => "+OK\r\n".to_owned(),
        };
        stream.write_all(reply.as_bytes()).await?;
    }
}

#[tokio::test]
async fn a_node_that_does_not_read_the_database_trusts_no_entry() {
    let (server, database) = (RedisServer::start().await, Database::new());
    let mut follower = Node::with_redis(&database, &server.url()).await;
    follower.warm(&session()).await;
    follower.unfollow();
    tokio::time::sleep(super::database::limits().freshness + Duration::from_millis(50)).await;
    let never = Node::not_following(&database, &server.url());

    for node in [&follower, &never] {
        let granted = node.grants.get(&session(), None, now()).await.unwrap().unwrap();
        assert_eq!(granted.source, Source::Database);
    }
}

#[tokio::test]
async fn a_database_that_is_gone_is_an_error_and_never_an_answer() {
    let (server, database) = (RedisServer::start().await, Database::new());
    let node = Node::with_redis(&database, &server.url()).await;
    node.warm(&session()).await;
    database.set_gone(true);
    tokio::time::sleep(super::database::limits().freshness + Duration::from_millis(100)).await;
    assert!(node.grants.get(&session(), None, now()).await.is_err());
    database.set_gone(false);
    node.connected().await;
    assert_eq!(node.version(&session()).await, 0);
}

#[tokio::test]
async fn without_a_cache_every_read_is_a_load_and_no_change_waits() {
    let database = Database::new();
    let node = Node::without_cache(&database);
    for version in 1..4 {
        assert_eq!(node.change(&[organization()]).await, gatehouse::cache::Settlement::Acknowledged);
        assert_eq!(node.version(&session()).await, version);
    }
    assert_eq!(database.loads(), 3);
}
