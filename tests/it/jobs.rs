//! Upkeep: what is past its end is removed, in batches, and nothing else.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use gatehouse::{
    cli::open::{Opened, Urls, open_at},
    clock::{Clock, ManualClock, SystemClock},
    config::{DeploymentArgs, RevocationMode},
    id::new_id,
    jobs::sweep,
    service::upkeep::Remains,
};
use uuid::Uuid;

use crate::support::database::{TestDatabase, for_each_database};

struct House {
    opened: Opened,
    clock: Arc<ManualClock>,
    organization: Uuid,
    user: Uuid,
    _folder: tempfile::TempDir,
}

async fn open(database: &TestDatabase) -> House {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let args = DeploymentArgs {
        database_url: database.url.clone(),
        redis_url: None,
        redis_ca_file: None,
        revocation: RevocationMode::Auto,
        deployment: "jobs".to_owned(),
        secret_file: folder.path().join("secret"),
        mail_url: None,
        mail_dir: folder.path().join("mail"),
        mail_from: "Gatehouse <gate@example.org>".to_owned(),
        database_connections: 4,
        access_token_minutes: 5,
        invitation_only: false,
        sign_up_domains: Vec::new(),
        providers: None,
    };
    let urls = Urls { public: "http://127.0.0.1:1".to_owned(), dashboard: "http://127.0.0.1:1".to_owned() };
    let opened = open_at(&args, &urls, clock.clone()).await.unwrap();
    let (organization, user, now) = (new_id(), new_id(), clock.now());
    let sql = "INSERT INTO organization (id, slug, name, blueprint_id, plan, state, settings, created_at, updated_at)
               SELECT $1, 'acme', 'Acme', id, 'growth', 'active', $2, $3, $3 FROM blueprint WHERE name = 'support-hub'";
    let settings = serde_json::json!({});
    database.run(sql, [organization.into(), settings.into(), now.into()]).await.unwrap();
    let sql = "INSERT INTO user_account (id, email, name, state, created_at, updated_at)
               VALUES ($1, 'alice@example.org', 'alice', 'active', $2, $2)";
    database.run(sql, [user.into(), now.into()]).await.unwrap();
    House { opened, clock, organization, user, _folder: folder }
}

impl House {
    async fn entry(&self, database: &TestDatabase, expires_at: Option<DateTime<Utc>>) {
        let sql = "INSERT INTO activity_entry
                   (id, organization_id, at, category, actor_kind, actor_name, action, target_kind, target_name, detail, expires_at)
                   VALUES ($1, $2, $3, 'content', 'system', 'test', 'edited', 'tag', 'Tag', $4, $5)";
        let detail = serde_json::json!({});
        let row =
            [new_id().into(), self.organization.into(), self.clock.now().into(), detail.into(), expires_at.into()];
        database.run(sql, row).await.unwrap();
    }

    async fn session(&self, database: &TestDatabase, expires_at: DateTime<Utc>) {
        let (id, now) = (new_id(), self.clock.now());
        let sql = "INSERT INTO session (id, user_id, created_at, last_seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)";
        database.run(sql, [id.into(), self.user.into(), now.into(), expires_at.into()]).await.unwrap();
        let sql = "INSERT INTO refresh_token (id, session_id, hash, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
        let hash = id.as_bytes().to_vec();
        let row = [new_id().into(), id.into(), hash.into(), now.into(), expires_at.into()];
        database.run(sql, row).await.unwrap();
    }

    async fn counted(&self, database: &TestDatabase) {
        let sql = "INSERT INTO usage_record (id, organization_id, meter, key, amount, at) VALUES ($1, $2, 'credits', 'k', 1, $3)";
        let row = [new_id().into(), self.organization.into(), self.clock.now().into()];
        database.run(sql, row).await.unwrap();
    }

    async fn answer(&self, database: &TestDatabase, expires_at: DateTime<Utc>) {
        let sql =
            "INSERT INTO idempotency_record (caller, operation, key, input_hash, response, created_at, expires_at)
                   VALUES ($1, 'createTeam', 'k', $2, $3, $4, $5)";
        let (hash, response) = (vec![0_u8; 32], serde_json::json!(null));
        let row = [new_id().into(), hash.into(), response.into(), self.clock.now().into(), expires_at.into()];
        database.run(sql, row).await.unwrap();
    }
}

/// S3.69: entries are kept 90 days, then removed automatically; the same job ends answers and sessions.
#[tokio::test]
async fn s3_69_what_is_past_its_end_is_removed_and_nothing_else() {
    for_each_database(async |database| {
        let house = open(database).await;
        let (service, now) = (&house.opened.service, house.clock.now());
        let (ninety, day) = (now + TimeDelta::days(90), now + TimeDelta::days(1));
        house.entry(database, Some(ninety)).await;
        house.entry(database, Some(ninety + TimeDelta::days(1))).await;
        house.entry(database, None).await;
        house.session(database, day).await;
        house.session(database, ninety + TimeDelta::days(1)).await;
        house.answer(database, day).await;
        house.counted(database).await;
        let spent = "INSERT INTO spent_sign_in (hash, expires_at) VALUES ($1, $2), ($3, $4)";
        let never = now + TimeDelta::days(4_000);
        database.run(spent, [vec![1_u8].into(), day.into(), vec![2_u8].into(), never.into()]).await.unwrap();

        let swept = |counts: [u64; 6]| Remains::ALL.into_iter().zip(counts).collect::<Vec<_>>();
        house.clock.advance(TimeDelta::days(1) - TimeDelta::seconds(1));
        assert_eq!(sweep(service).await, swept([0, 0, 0, 0, 0, 0]));
        house.clock.advance(TimeDelta::seconds(1));
        assert_eq!(sweep(service).await, swept([0, 1, 1, 0, 0, 1]));
        house.clock.advance(TimeDelta::days(89) - TimeDelta::seconds(1));
        assert_eq!(sweep(service).await, swept([0, 0, 0, 0, 0, 0]));
        house.clock.advance(TimeDelta::seconds(1));
        assert_eq!(sweep(service).await, swept([1, 0, 0, 0, 0, 0]));
        assert_eq!(database.count("SELECT count(*) FROM activity_entry").await, 2);
        assert_eq!(database.count("SELECT count(*) FROM session").await, 1);
        assert_eq!(database.count("SELECT count(*) FROM refresh_token").await, 1);
        // The key of a counted use is remembered for 400 days.
        house.clock.advance(TimeDelta::days(310));
        sweep(service).await;
        assert_eq!(database.count("SELECT count(*) FROM usage_record").await, 1);
        house.clock.advance(TimeDelta::seconds(1));
        assert_eq!(sweep(service).await, swept([0, 0, 0, 1, 0, 0]));
    })
    .await;
}

/// What became of a letter is remembered for 30 days; one that waits is not removed, however long it has waited.
#[tokio::test]
async fn notes_of_letters_are_removed_after_a_month() {
    for_each_database(async |database| {
        let house = open(database).await;
        let now = house.clock.now();
        for (state, sealed) in [("sent", None), ("failed", None), ("waiting", Some(vec![0_u8]))] {
            let settled_at = sealed.is_none().then_some(now);
            let sql = "INSERT INTO outgoing_mail (id, state, sealed, attempts, created_at, due_at, ends_at, settled_at)
                       VALUES ($1, $2, $3, 1, $4, $4, $4, $5)";
            let row = [new_id().into(), state.into(), sealed.into(), now.into(), settled_at.into()];
            database.run(sql, row).await.unwrap();
        }
        house.clock.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
        assert_eq!(sweep(&house.opened.service).await[4], (Remains::Mail, 0));
        house.clock.advance(TimeDelta::seconds(1));
        assert_eq!(sweep(&house.opened.service).await[4], (Remains::Mail, 2));
        assert_eq!(database.count("SELECT count(*) FROM outgoing_mail WHERE state = 'waiting'").await, 1);
    })
    .await;
}

#[tokio::test]
async fn more_than_a_batch_is_removed_batch_by_batch() {
    let database = TestDatabase::sqlite().await;
    let house = open(&database).await;
    for _ in 0..1_001 {
        house.entry(&database, Some(house.clock.now())).await;
    }
    assert_eq!(sweep(&house.opened.service).await[0], (Remains::Activity, 1_001));
    assert_eq!(database.count("SELECT count(*) FROM activity_entry").await, 0);
}

#[tokio::test]
async fn a_database_that_is_gone_does_not_end_upkeep() {
    let database = TestDatabase::sqlite().await;
    let house = open(&database).await;
    let _upkeep = gatehouse::jobs::start(
        house.opened.service.clone(),
        gatehouse::service::token_notice::NoticeDays::default(),
        None,
    );
    house.opened.store.clone().close().await.unwrap();
    assert_eq!(sweep(&house.opened.service).await, Remains::ALL.map(|remains| (remains, 0)));
}
