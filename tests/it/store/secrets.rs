//! What is used once, remembered for a while, and removed in its time.

use chrono::TimeDelta;
use gatehouse::{
    access::{
        PrincipalId,
        verb::{CreateApiToken, ManageSession, Purge, RevokeApiToken},
    },
    id::new_id,
    store::{
        PageRequest, StoreError,
        activity::{self, ActivityEntry},
        api_token::{self, NewApiToken},
        idempotency::{self, IdempotencyRecord},
        session::{self, RefreshToken, Session},
    },
};
use uuid::Uuid;

use super::{
    permit::{by_system, write},
    seed,
};
use crate::support::database::for_each_database;

fn refresh(session: Uuid) -> RefreshToken {
    let id = new_id();
    let hash = id.as_bytes().to_vec();
    let (issued_at, expires_at) = (seed::noon(), seed::later());
    RefreshToken { id, session_id: session, hash, issued_at, expires_at, used_at: None }
}

#[tokio::test]
async fn of_two_that_use_one_refresh_token_one_wins() {
    for_each_database(async |db| {
        let user = seed::user(db, "alice").await;
        let session = Session {
            id: new_id(),
            user_id: user,
            created_at: seed::noon(),
            last_seen_at: seed::noon(),
            expires_at: seed::later(),
            revoked_at: None,
            second_factor_at: None,
            user_agent: None,
            address: None,
        };
        let first = refresh(session.id);
        let (opened, token) = (session.clone(), first.clone());
        let permit = by_system::<ManageSession>(user);
        write(db, user, move |tx| Box::pin(session::insert(tx, permit, opened, token))).await.unwrap();

        let rotate = |_| {
            let (store, token) = (db.store.clone(), first.clone());
            tokio::spawn(async move {
                let next = refresh(token.session_id);
                let permit = by_system::<ManageSession>(user);
                let scope = gatehouse::store::WriteScope::default();
                let rotated = store.write(scope, move |tx| {
                    Box::pin(async move { session::rotate(tx, permit, &token, (next, "::1")).await })
                });
                Ok::<_, StoreError>(rotated.await?.value)
            })
        };
        let mut winners = 0;
        for rotated in (0..4).map(rotate).collect::<Vec<_>>() {
            winners += usize::from(rotated.await.unwrap().unwrap());
        }
        assert_eq!(winners, 1);
        assert_eq!(db.count("SELECT count(*) FROM refresh_token").await, 2);

        let reader = db.store.read();
        let (spent, of) = session::find_by_refresh_hash(&reader, &first.hash).await.unwrap().unwrap();
        assert_eq!((spent.used_at, of.id), (Some(seed::noon()), session.id));
        let whole = session.clone();
        let permit = by_system::<ManageSession>(user);
        let ended =
            write(db, user, move |tx| Box::pin(async move { session::revoke(tx, permit, &whole, seed::noon()).await }));
        assert!(ended.await.unwrap());
        let open =
            session::list_of_user(&reader, user, (seed::noon(), chrono::DateTime::UNIX_EPOCH), &PageRequest::default())
                .await
                .unwrap();
        assert_eq!(open.items, []);
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_remembered_once_until_its_end() {
    for_each_database(async |db| {
        let caller = new_id();
        let record = |hours: i64| IdempotencyRecord {
            caller,
            operation: "createTeam".to_owned(),
            key: "k".to_owned(),
            input_hash: vec![1; 32],
            response: serde_json::json!({ "hours": hours }),
            created_at: seed::noon() + TimeDelta::hours(hours),
            expires_at: seed::noon() + TimeDelta::hours(hours + 24),
        };
        let keep = async |hours| {
            let record = record(hours);
            write(db, caller, move |tx| Box::pin(idempotency::insert(tx, record))).await
        };
        let find = async |hours| {
            let now = seed::noon() + TimeDelta::hours(hours);
            idempotency::find(&db.store.read(), caller, "createTeam", "k", now).await.unwrap()
        };

        keep(0).await.unwrap();
        assert!(matches!(keep(23).await, Err(StoreError::Conflict { .. })));
        assert_eq!(find(23).await, Some(record(0)));
        assert_eq!(find(24).await, None);
        keep(24).await.unwrap();
        assert_eq!(find(25).await, Some(record(24)));

        let purge = async |hours| {
            let now = seed::noon() + TimeDelta::hours(hours);
            let permit = by_system::<Purge>(caller);
            write(db, caller, move |tx| Box::pin(idempotency::purge_expired(tx, permit, now, 10))).await.unwrap()
        };
        assert_eq!((purge(47).await, purge(48).await), (0, 1));
    })
    .await;
}

/// Entries go after their days.
#[tokio::test]
async fn entries_past_retention_go_some_at_a_time() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let id = seed::activity(db, acme).await;
        let entry = activity::find_by_id(&db.store.read(), acme, id).await.unwrap().unwrap();
        let entries = (0..5).map(|day| ActivityEntry {
            id: new_id(),
            expires_at: Some(seed::noon() + TimeDelta::days(day)),
            ..entry.clone()
        });
        let entries: Vec<_> = entries.collect();
        write(db, acme, move |tx| Box::pin(activity::insert_many(tx, entries))).await.unwrap();

        let purge = async |days, limit| {
            let now = seed::noon() + TimeDelta::days(days);
            let permit = by_system::<Purge>(acme);
            write(db, acme, move |tx| Box::pin(activity::purge_expired(tx, permit, now, limit))).await.unwrap()
        };
        assert_eq!([purge(-1, 9).await, purge(2, 2).await, purge(2, 9).await, purge(99, 9).await], [0, 2, 1, 2]);
        assert_eq!(db.count("SELECT count(*) FROM activity_entry").await, 1, "one without an end stays");
    })
    .await;
}

#[tokio::test]
async fn a_token_ends_once_and_its_use_is_noted_to_the_minute() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let robot = seed::service_account(db, acme).await;
        let new = NewApiToken {
            id: new_id(),
            organization_id: acme,
            principal: PrincipalId::service_account(robot),
            name: "partner".to_owned(),
            secret_hash: vec![3; 32],
            scopes: vec!["activity.record".to_owned()],
            expires_at: seed::later(),
            now: seed::noon(),
        };
        let permit = by_system::<CreateApiToken>(acme);
        let token = write(db, acme, move |tx| Box::pin(api_token::insert(tx, permit, new))).await.unwrap();
        let id = token.id;
        assert_eq!(api_token::find_by_id(&db.store.read(), acme, id).await.unwrap(), Some(token));

        let touch = async |seconds| {
            let now = seed::noon() + TimeDelta::seconds(seconds);
            write(db, acme, move |tx| Box::pin(api_token::touch_used(tx, acme, id, now))).await.unwrap();
            api_token::find_by_id(&db.store.read(), acme, id).await.unwrap().unwrap().last_used_at
        };
        assert_eq!(touch(0).await, Some(seed::noon()));
        assert_eq!(touch(59).await, Some(seed::noon()));
        assert_eq!(touch(60).await, Some(seed::noon() + TimeDelta::seconds(60)));

        let revoke = async |organization| {
            let permit = by_system::<RevokeApiToken>(organization);
            write(db, acme, move |tx| Box::pin(api_token::revoke(tx, permit, (organization, id), seed::noon()))).await
        };
        assert_eq!(revoke(seed::organization(db, "evil", None).await).await.unwrap(), None);
        assert_eq!(revoke(acme).await.unwrap().and_then(|token| token.revoked_at), Some(seed::noon()));
        assert_eq!(revoke(acme).await.unwrap(), None);
    })
    .await;
}
