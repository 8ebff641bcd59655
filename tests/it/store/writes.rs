//! The writing transaction: locks, rollback, and the stamps it hands back.

use std::time::Duration;

use gatehouse::{
    cache::stamp::StampKind,
    store::{Reader, StoreError, WriteScope, organization, stamp},
};
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use super::seed;
use crate::support::database::{TestDatabase, for_each_database};

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn writers_of_one_organization_take_turns() {
    for_each_database(async |db| {
        db.run("CREATE TABLE seat (taken integer)", []).await.unwrap();
        let acme = seed::organization(db, "acme", None).await;

        let invite = |_| {
            let store = db.store.clone();
            tokio::spawn(async move {
                let taken = store.write(WriteScope::organization(acme), |tx| {
                    Box::pin(async move {
                        let database = tx.connection().get_database_backend();
                        let count = Statement::from_string(database, "SELECT count(*) AS n FROM seat");
                        let row = tx.connection().query_one_raw(count).await?.unwrap();
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        if row.try_get::<i64>("", "n")? < 3 {
                            tx.connection().execute_unprepared("INSERT INTO seat (taken) VALUES (1)").await?;
                        }
                        Ok::<_, StoreError>(())
                    })
                });
                taken.await.map(|_| ())
            })
        };
        for invited in (0..16).map(invite).collect::<Vec<_>>() {
            invited.await.unwrap().unwrap();
        }

        assert_eq!(db.count("SELECT count(*) FROM seat").await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_failed_write_changes_nothing() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;

        let refused = db.store.write(WriteScope::organization(acme), |tx| {
            Box::pin(async move {
                tx.connection().execute_unprepared("UPDATE organization SET plan = 'gold'").await?;
                Err::<(), _>(StoreError::Busy)
            })
        });

        assert!(matches!(refused.await, Err(StoreError::Busy)));
        let found = organization::find_by_id(&db.store.read(), acme).await.unwrap().unwrap();
        assert_eq!(found.plan, "free");
        assert_eq!(found.created_at, seed::noon());
    })
    .await;
}

#[tokio::test]
async fn a_write_hands_back_the_stamps_it_moved_and_the_tail_shows_them() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let start = stamp::poll(&db.store.read(), None, Duration::from_mins(1)).await.unwrap().unwrap();
        assert!(start.stamps.iter().any(|stamp| stamp.id == acme));

        let committed = rename(db, acme).await;
        let tail = stamp::poll(&db.store.read(), Some(&start.position), Duration::ZERO).await.unwrap().unwrap();

        let mut moved: Vec<_> = committed.iter().map(|stamp| (stamp.kind, stamp.id)).collect();
        moved.sort_unstable();
        assert_eq!(moved, [(StampKind::Organization, acme), (StampKind::Content, acme)]);
        for stamp in &committed {
            assert!(tail.stamps.contains(stamp), "{stamp:?} is not in {tail:?}");
        }
        assert_eq!(stamp::poll(&db.store.read(), Some("elsewhere/9:9:"), Duration::ZERO).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn the_tail_shows_a_transaction_that_commits_after_a_younger_one() {
    let db = TestDatabase::postgres().await;
    let (acme, bolt) = (seed::organization(&db, "acme", None).await, seed::organization(&db, "bolt", None).await);
    let (begun, wait) =
        (std::sync::Arc::new(tokio::sync::Notify::new()), std::sync::Arc::new(tokio::sync::Notify::new()));
    let old = {
        let (store, begun, wait) = (db.store.clone(), begun.clone(), wait.clone());
        tokio::spawn(async move {
            let write = store.write(WriteScope::organization(acme), move |tx| {
                Box::pin(async move {
                    tx.connection()
                        .execute_unprepared("UPDATE organization SET plan = 'a' WHERE slug = 'acme'")
                        .await?;
                    begun.notify_one();
                    wait.notified().await;
                    Ok::<_, StoreError>(())
                })
            });
            write.await.unwrap()
        })
    };
    begun.notified().await;
    rename(&db, bolt).await;

    let first = stamp::poll(&db.store.read(), None, Duration::from_mins(1)).await.unwrap().unwrap();
    wait.notify_one();
    let committed = old.await.unwrap();
    let second = stamp::poll(&db.store.read(), Some(&first.position), Duration::ZERO).await.unwrap().unwrap();

    assert!(committed.stamps.iter().all(|stamp| !first.stamps.contains(stamp) && second.stamps.contains(stamp)));
}

async fn rename(db: &TestDatabase, id: Uuid) -> Vec<gatehouse::cache::stamp::Stamp> {
    let write = db.store.write(WriteScope::organization(id), move |tx| {
        Box::pin(async move {
            let database = tx.connection().get_database_backend();
            let sql = "UPDATE organization SET name = 'another' WHERE id = $1";
            tx.connection().execute_raw(Statement::from_sql_and_values(database, sql, [id.into()])).await?;
            Ok::<_, StoreError>(())
        })
    });
    write.await.unwrap().stamps
}
