//! The promise itself: who asks after a change has returned is answered from after the change, whatever Redis does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use gatehouse::cache::Settlement;

use super::{
    database::{Database, Node, limits, organization, scaled, session, user},
    redis_server::RedisServer,
};

/// Readers on every node, for as long as the watch is kept; each answer must contain every change that had returned when
/// it was asked for.
struct Watch {
    returned: Arc<AtomicI64>,
    stop: Arc<AtomicBool>,
    readers: Vec<tokio::task::JoinHandle<u64>>,
}

impl Watch {
    fn keep(nodes: &[Arc<Node>]) -> Self {
        let (returned, stop) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
        let readers = nodes
            .iter()
            .cycle()
            .take(nodes.len() * 3)
            .map(|node| {
                let (node, returned, stop) = (Arc::clone(node), Arc::clone(&returned), Arc::clone(&stop));
                tokio::spawn(async move {
                    let mut reads = 0;
                    while !stop.load(Ordering::SeqCst) {
                        let before = returned.load(Ordering::SeqCst);
                        let seen = node.version(&session()).await;
                        assert!(seen >= before, "stale: {seen} after {before} had returned");
                        reads += 1;
                        tokio::task::yield_now().await;
                    }
                    reads
                })
            })
            .collect();
        Self { returned, stop, readers }
    }

    fn has_returned(&self, version: i64) {
        self.returned.store(version, Ordering::SeqCst);
    }

    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        let mut reads = 0;
        for reader in self.readers {
            reads += reader.await.unwrap();
        }
        reads
    }
}

async fn nodes(database: &Arc<Database>, server: &RedisServer) -> Vec<Arc<Node>> {
    let url = server.url();
    vec![Arc::new(Node::with_redis(database, &url).await), Arc::new(Node::with_redis(database, &url).await)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_is_seen_by_every_request_that_starts_after_it_returned() {
    let (server, database) = (RedisServer::start().await, Database::new());
    let shared = nodes(&database, &server).await;
    for nodes in [shared, vec![Arc::new(Node::in_process(&Database::new()))]] {
        let watch = Watch::keep(&nodes);
        for change in 1..=scaled(150) {
            let subject = if change % 2 == 0 { organization() } else { user() };
            let node = &nodes[usize::try_from(change).unwrap() % nodes.len()];
            assert_eq!(node.change(&[subject]).await, Settlement::Acknowledged);
            watch.has_returned(i64::try_from(change).unwrap());
            tokio::time::sleep(Duration::from_millis(change % 4)).await;
        }
        assert!(watch.end().await > 100);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_redis_that_is_wiped_stopped_and_killed_changes_no_answer() {
    let (mut server, database) = (RedisServer::start().await, Database::new());
    let nodes = nodes(&database, &server).await;
    let watch = Watch::keep(&nodes);
    let change = async |version: i64| {
        let settlement = nodes[usize::try_from(version).unwrap() % 2].change(&[organization()]).await;
        watch.has_returned(version);
        settlement
    };

    assert_eq!(change(1).await, Settlement::Acknowledged);
    let _: () = redis::cmd("FLUSHALL").query_async(&mut server.admin().await).await.unwrap();
    change(2).await;
    tokio::time::sleep(Duration::from_millis(50)).await;

    server.signal("STOP");
    assert!(matches!(change(3).await, Settlement::Waited(waited) if waited >= limits().freshness));
    server.signal("CONT");
    tokio::time::sleep(Duration::from_millis(100)).await;
    change(4).await;

    server.kill();
    assert!(matches!(change(5).await, Settlement::Waited(_)));
    server.restart().await;
    for node in &nodes {
        node.connected().await;
    }
    assert_eq!(change(6).await, Settlement::Acknowledged);
    assert!(watch.end().await > 10);
    for node in &nodes {
        node.warm(&session()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_writer_that_cannot_reach_redis_is_safe_while_readers_can() {
    let (server, database) = (RedisServer::start().await, Database::new());
    let reader = Arc::new(Node::with_redis(&database, &server.url()).await);
    // Nothing listens there: this node is cut off from Redis, the other is not (R5).
    let writer = Node::not_following(&database, "redis://127.0.0.1:1");
    reader.warm(&session()).await;
    let watch = Watch::keep(std::slice::from_ref(&reader));
    for version in 1..=3 {
        assert!(matches!(writer.change(&[organization()]).await, Settlement::Waited(_)));
        watch.has_returned(version);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(watch.end().await > 10);
}

#[tokio::test]
async fn r4_a_writer_that_dies_after_its_commit_is_heard_within_one_lease() {
    let (server, database) = (RedisServer::start().await, Database::new());
    let node = Node::with_redis(&database, &server.url()).await;
    node.warm(&session()).await;
    database.commit(&[organization()]);
    tokio::time::sleep(limits().freshness).await;
    assert_eq!(node.version(&session()).await, 1);
}

#[tokio::test]
async fn moved_stamps_are_announced_on_every_node() {
    let (server, database) = (RedisServer::start().await, Database::new());
    let [here, there] =
        [Node::with_redis(&database, &server.url()).await, Node::with_redis(&database, &server.url()).await];
    let mut moved = there.grants.freshness().moved();
    here.change(&[user()]).await;
    let heard = tokio::time::timeout(Duration::from_secs(5), moved.recv()).await.unwrap().unwrap();
    assert_eq!((heard[0].subject(), heard[0].version), (user(), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_redis_that_hangs_is_not_waited_for() {
    let (server, database) = (RedisServer::start().await, Database::new());
    let node = Arc::new(Node::with_redis(&database, &server.url()).await);
    node.warm(&session()).await;
    server.signal("STOP");
    let (before, reads) = (database.loads(), scaled(20));
    for _ in 0..reads {
        node.version(&session()).await;
    }
    // Every read came back while Redis stood still: the database answered it.
    assert_eq!(database.loads() - before, reads);
    server.signal("CONT");
}
