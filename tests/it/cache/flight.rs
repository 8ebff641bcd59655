//! Sharing a load: only with those who arrived before it was sent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use gatehouse::cache::single_flight::{LostError, SingleFlight};

use super::database::{Database, Node, organization, scaled, session};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a18_r14_who_arrives_during_a_load_gets_the_next_one() {
    let database = Database::new();
    *database.slowness.lock().unwrap() = Duration::from_millis(100);
    let node = Arc::new(Node::without_cache(&database));

    let early = tokio::spawn({
        let node = Arc::clone(&node);
        async move { node.version(&session()).await }
    });
    while database.loads() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The load above has read version 0 and is still on its way; the change returns before the next request begins.
    node.change(&[organization()]).await;
    assert_eq!(node.version(&session()).await, 1);
    assert_eq!(early.await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_waiter_gets_a_load_that_was_sent_before_it_arrived() {
    let (flights, clock) = (Arc::new(SingleFlight::<u8, u64>::default()), Arc::new(AtomicU64::new(0)));
    let mut waiters = Vec::new();
    for waiter in 0..scaled(400) {
        let (flights, clock) = (Arc::clone(&flights), Arc::clone(&clock));
        waiters.push(tokio::spawn(async move {
            tokio::time::sleep(Duration::from_micros(waiter * 137 % 20_000)).await;
            let arrived = clock.fetch_add(1, Ordering::SeqCst);
            let load = move || async move {
                let sent = clock.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_micros(500)).await;
                sent
            };
            let sent = flights.run(0, load).await.unwrap();
            assert!(sent > arrived, "sent at {sent}, arrived at {arrived}");
            sent
        }));
    }
    let mut loads = std::collections::HashSet::new();
    for waiter in waiters {
        loads.insert(waiter.await.unwrap());
    }
    assert!(loads.len() < 400, "nothing was shared");
}

#[tokio::test]
async fn a_load_that_panics_is_lost_and_blocks_nobody() {
    let flights = SingleFlight::<u8, u64>::default();
    assert_eq!(flights.run(0, || async { panic!("as intended") }).await, Err(LostError));
    assert_eq!(flights.run(0, || async { 7 }).await, Ok(7));
}

#[tokio::test]
async fn who_stops_waiting_cancels_nothing() {
    let flights = Arc::new(SingleFlight::<u8, u64>::default());
    let done = Arc::new(AtomicU64::new(0));
    let load = {
        let done = Arc::clone(&done);
        move || async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            done.fetch_add(1, Ordering::SeqCst)
        }
    };
    let gave_up = tokio::time::timeout(Duration::from_millis(5), flights.run(0, load)).await;
    assert!(gave_up.is_err());
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(done.load(Ordering::SeqCst), 1);
}
