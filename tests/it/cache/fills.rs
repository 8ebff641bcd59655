//! What may be stored, and what must not: the races between a slow reader and a writer.

use std::{sync::Arc, time::Duration};

use gatehouse::cache::{
    Answer, Fill, GrantCache, LeaseToken, Limits, MemoryCache, ReadOutcome, RedisCache, Settled, Stamp, StampKind,
    redis::RedisOptions,
};

use super::{
    database::{ORGANIZATION, limits, organization, session, user},
    redis_server::RedisServer,
};

async fn in_redis(server: &RedisServer, limits: Limits) -> Arc<dyn GrantCache> {
    let options = RedisOptions {
        url: server.url(),
        authorities: None,
        deployment: "test".to_owned(),
        process: gatehouse::id::new_id(),
        limits,
    };
    let cache = RedisCache::open(options).unwrap();
    assert!(cache.is_reachable(Duration::from_secs(5)).await);
    Arc::new(cache)
}

async fn both(server: &RedisServer) -> [Arc<dyn GrantCache>; 2] {
    [Arc::new(MemoryCache::new(limits())), in_redis(server, limits()).await]
}

fn fill(lease: LeaseToken, organization: i64) -> Fill {
    let versions = vec![1, 1, 1, organization];
    Fill { key: session(), lease, entry: b"entry".to_vec(), versions, ttl: Duration::from_mins(1) }
}

async fn answer(cache: &Arc<dyn GrantCache>) -> Answer {
    match cache.read(&session()).await {
        ReadOutcome::Answer(answer) => answer,
        ReadOutcome::Bypass(why) => panic!("no answer: {why:?}"),
    }
}

fn moved(version: i64) -> Stamp {
    Stamp::new(StampKind::Organization, ORGANIZATION, version)
}

#[tokio::test]
async fn r1_what_was_read_before_a_change_is_not_stored_after_it() {
    let server = RedisServer::start().await;
    for cache in both(&server).await {
        let lease = cache.lease(&session()).await.unwrap();
        let marked = cache.mark(&[organization()]).await;
        assert_eq!(cache.settle(marked, &[moved(2)]).await, Settled::Acknowledged);
        assert!(!cache.fill(fill(lease, 1)).await, "{cache:?}");
        assert_eq!(answer(&cache).await.entry, None);
    }
}

#[tokio::test]
async fn what_was_read_after_a_change_is_stored_once() {
    let server = RedisServer::start().await;
    for cache in both(&server).await {
        let marked = cache.mark(&[organization()]).await;
        assert_eq!(cache.settle(marked, &[moved(2)]).await, Settled::Acknowledged);
        let lease = cache.lease(&session()).await.unwrap();
        assert!(cache.fill(fill(lease.clone(), 2)).await, "{cache:?}");
        assert!(!cache.fill(fill(lease, 2)).await, "a lease is used once");
        let answer = answer(&cache).await;
        assert_eq!(answer.entry.as_deref(), Some(b"entry".as_slice()));
        assert_eq!(answer.floors.as_slice(), [0, 0, 0, 2]);
    }
}

#[tokio::test]
async fn r2_a_fill_that_comes_after_its_lease_is_refused() {
    let server = RedisServer::start().await;
    let short = Limits { lease_ttl: Duration::from_millis(100), ..limits() };
    let caches: [Arc<dyn GrantCache>; 2] = [Arc::new(MemoryCache::new(short.clone())), in_redis(&server, short).await];
    for cache in caches {
        let lease = cache.lease(&session()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!cache.fill(fill(lease, 1)).await, "{cache:?}");
    }
}

#[tokio::test]
async fn r3_nothing_is_stored_while_a_writer_is_at_work() {
    let server = RedisServer::start().await;
    for cache in both(&server).await {
        let marked = cache.mark(&[organization()]).await;
        assert_eq!(marked.acknowledged(), [organization()]);
        let lease = cache.lease(&session()).await.unwrap();
        assert!(!cache.fill(fill(lease, 1)).await, "{cache:?}");
        assert!(answer(&cache).await.marked);

        cache.rolled_back(marked).await;
        assert!(!answer(&cache).await.marked);
        let lease = cache.lease(&session()).await.unwrap();
        assert!(cache.fill(fill(lease, 1)).await, "{cache:?}");
    }
}

#[tokio::test]
async fn r8_a_fill_whose_lease_was_wiped_is_refused() {
    let server = RedisServer::start().await;
    let cache = in_redis(&server, limits()).await;
    let lease = cache.lease(&session()).await.unwrap();
    let _ = cache.settle(cache.mark(&[organization()]).await, &[moved(2)]).await;
    let _: () = redis::cmd("FLUSHALL").query_async(&mut server.admin().await).await.unwrap();
    assert!(!cache.fill(fill(lease, 1)).await);
    assert_eq!(answer(&cache).await.entry, None);
}

#[tokio::test]
async fn another_readers_lease_replaces_an_older_one() {
    let server = RedisServer::start().await;
    for cache in both(&server).await {
        let older = cache.lease(&session()).await.unwrap();
        let newer = cache.lease(&session()).await.unwrap();
        assert!(!cache.fill(fill(older, 1)).await, "{cache:?}");
        assert!(cache.fill(fill(newer, 1)).await, "{cache:?}");
    }
}

#[tokio::test]
async fn floors_never_fall() {
    let server = RedisServer::start().await;
    for cache in both(&server).await {
        for (settled, floor) in [(5, 5), (3, 5), (7, 7), (7, 7)] {
            let marked = cache.mark(&[organization()]).await;
            assert_eq!(cache.settle(marked, &[moved(settled)]).await, Settled::Acknowledged);
            assert_eq!(answer(&cache).await.floors.as_slice(), [0, 0, 0, floor], "{cache:?}");
        }
    }
}

#[tokio::test]
async fn r19_the_first_writer_to_finish_leaves_the_others_marker() {
    let server = RedisServer::start().await;
    for cache in both(&server).await {
        let first = cache.mark(&[organization(), user()]).await;
        let second = cache.mark(&[organization()]).await;
        let _ = cache.settle(first, &[moved(2)]).await;
        assert!(answer(&cache).await.marked, "{cache:?}");
        let _ = cache.settle(second, &[moved(3)]).await;
        assert!(!answer(&cache).await.marked, "{cache:?}");
    }
}

#[tokio::test]
async fn every_key_in_redis_ends_by_itself() {
    let server = RedisServer::start().await;
    let cache = in_redis(&server, limits()).await;
    let lease = cache.lease(&session()).await.unwrap();
    assert!(cache.fill(fill(lease, 1)).await);
    let _lease = cache.lease(&session()).await.unwrap();
    let _ = cache.settle(cache.mark(&[user()]).await, &[moved(2)]).await;
    let _marked = cache.mark(&[organization()]).await;

    let mut admin = server.admin().await;
    let names: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut admin).await.unwrap();
    assert_eq!(names.len(), 4, "entry, lease, floor, marker: {names:?}");
    for name in names {
        let ttl: i64 = redis::cmd("PTTL").arg(&name).query_async(&mut admin).await.unwrap();
        assert!(ttl > 0, "{name} has no end");
    }
}
