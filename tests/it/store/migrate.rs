//! Migrations: from nothing to the present schema, and back.

use gatehouse::store::Backend;
use gatehouse_migration::Migrator;
use sea_orm_migration::MigratorTrait;

use crate::support::database::TestDatabase;

const TABLES: &str = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
const SQLITE_TABLES: &str = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";

async fn up_down_and_up_again(db: &TestDatabase) {
    let tables = if db.backend == Backend::Postgres { TABLES } else { SQLITE_TABLES };
    db.store.migrate().await.unwrap();
    assert!(db.store.is_migrated().await.unwrap());
    let migrated = db.count(tables).await;

    db.store.migrate().await.unwrap();
    Migrator::down(&db.shell, None).await.unwrap();
    assert_eq!(db.count(tables).await, 1, "only the list of migrations is left");
    assert!(!db.store.is_migrated().await.unwrap());

    db.store.migrate().await.unwrap();
    assert_eq!(db.count(tables).await, migrated);
}

#[tokio::test]
async fn sqlite_migrates_from_empty_and_back() {
    up_down_and_up_again(&TestDatabase::sqlite().await).await;
}

#[tokio::test]
async fn postgres_migrates_from_empty_and_back() {
    up_down_and_up_again(&TestDatabase::empty_postgres().await).await;
}

#[tokio::test]
async fn gateways_that_start_at_once_migrate_in_turn() {
    let db = TestDatabase::empty_postgres().await;
    let (one, two, three) = tokio::join!(db.store.migrate(), db.store.migrate(), db.store.migrate());
    one.and(two).and(three).unwrap();
    assert!(db.store.is_migrated().await.unwrap());
}
