//! The two remedies against a request that is cancelled inside `BEGIN`.
//!
//! With sqlx 0.9 such a request leaves its connection in a transaction that nobody knows of, and the next caller's
//! acknowledged write is lost. Cancellation is at a chosen poll, not after a time, so that each run meets the bad moment:
//! without `before_acquire_rollback` or `uncancelled_transaction` (`GATEHOUSE_ABLATE`) these tests fail.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use gatehouse::store::{Reader, Store, StoreError, WriteScope};
use sea_orm::ConnectionTrait;

use crate::support::{
    database::{TestDatabase, for_each_database},
    gateway::scale,
};

/// Polls `work` that many times, leaving what it waits for time to arrive in between, and then drops it.
async fn cancel_at_poll(work: impl Future, polls: usize) {
    let mut work = pin!(work);
    for poll in 0..polls {
        if poll > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        if poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_ready())).await {
            return;
        }
    }
}

async fn note(store: &Store, rows: &'static [i32], pause: Duration) -> Result<(), StoreError> {
    let write = store.write(WriteScope::default(), move |tx| {
        Box::pin(async move {
            for row in rows {
                let sql = format!("INSERT INTO note (id) VALUES ({row})");
                tx.connection().execute_unprepared(&sql).await?;
                tokio::time::sleep(pause).await;
            }
            Ok::<_, StoreError>(())
        })
    });
    write.await.map(|_| ())
}

#[tokio::test]
async fn a_begin_that_was_cancelled_does_not_swallow_the_next_callers_write() {
    let db = TestDatabase::postgres().await;
    db.run("CREATE TABLE note (id integer)", []).await.unwrap();
    let store = db.connect(1).await;
    let mut acknowledged = 0;

    for polls in 1..=6 {
        for _ in 0..60 * scale() {
            let pool = store.bare_postgres_pool().unwrap();
            // Nothing but its own statements makes the call wait.
            while pool.num_idle() == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            cancel_at_poll(pool.begin(), polls).await;
            store.read().execute_unprepared("INSERT INTO note (id) VALUES (0)").await.unwrap();
            acknowledged += 1;
        }
    }

    store.close().await.unwrap();
    assert_eq!(db.count("SELECT count(*) FROM note").await, acknowledged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_disconnects_neither_halves_its_write_nor_loses_another() {
    for_each_database(async |db| {
        db.run("CREATE TABLE note (id integer)", []).await.unwrap();
        let store = db.connect(1).await;

        for polls in 1..=6 {
            cancel_at_poll(note(&store, &[1, 2], Duration::from_millis(5)), polls).await;
            note(&store, &[3], Duration::ZERO).await.unwrap();
        }

        let count = async |row: i32| db.count(&format!("SELECT count(*) FROM note WHERE id = {row}")).await;
        assert_eq!([count(1).await, count(2).await, count(3).await], [6, 6, 6]);
    })
    .await;
}
