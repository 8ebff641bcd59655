//! Grants: given twice, given otherwise, replaced whole.

use gatehouse::{
    access::{Grantee, Held, Place, verb::GrantAccess},
    id::new_id,
    store::{
        StoreError,
        grant::{self, DefaultAccess, FeatureSet, Granted, NewGrant, NewGrants},
    },
};
use uuid::Uuid;

use super::{
    permit::{by_system, write},
    seed,
};
use crate::support::database::{TestDatabase, for_each_database};

/// The kind of the apps that the seed makes.
const KIND: &str = "repository";

fn code(level: &str) -> Held {
    Held::Feature { kind: KIND.to_owned(), feature: "code".to_owned(), level: Some(level.to_owned()) }
}

fn new(grantee: Grantee, held: Held, place: Place) -> NewGrant {
    NewGrant { id: new_id(), grantee, held, place, expires_at: None }
}

async fn give(db: &TestDatabase, organization: Uuid, grants: Vec<NewGrant>) -> Result<Granted, StoreError> {
    let permit = by_system::<GrantAccess>(organization);
    let grants = NewGrants { organization, grants, now: seed::noon() };
    write(db, organization, move |tx| Box::pin(grant::insert_many(tx, permit, grants))).await
}

#[tokio::test]
async fn what_is_given_again_stays_and_what_is_given_otherwise_changes() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let bob = Grantee::Member(seed::member(db, acme, "bob", None).await);
        let site = Place::App { id: seed::app(db, acme, "site").await, kind: KIND.to_owned() };
        let wanted = [
            new(bob, code("read"), site.clone()),
            new(bob, code("read"), Place::Organization),
            new(bob, Held::Role("owner".to_owned()), Place::Organization),
            new(Grantee::Everyone, code("read"), Place::Organization),
        ];

        let first = give(db, acme, wanted.to_vec()).await.unwrap();
        assert_eq!((first.added.len(), first.changed.len()), (4, 0));
        let stored = grant::find_all(&db.store.read(), acme).await.unwrap();
        assert_eq!(stored, first.added);

        let again = wanted.clone().map(|grant| NewGrant { id: new_id(), ..grant });
        assert_eq!(give(db, acme, again.to_vec()).await.unwrap(), Granted::default());

        let more = give(db, acme, vec![new(bob, code("write"), site)]).await.unwrap();
        assert_eq!((more.added.len(), more.changed.len()), (0, 1));
        assert_eq!((more.changed[0].id, &more.changed[0].held), (wanted[0].id, &code("write")));
        assert_eq!(
            grant::find_by_id(&db.store.read(), acme, wanted[0].id).await.unwrap(),
            Some(more.changed[0].clone())
        );
    })
    .await;
}

#[tokio::test]
async fn nothing_is_given_across_organizations() {
    for_each_database(async |db| {
        let (acme, evil) = (seed::organization(db, "acme", None).await, seed::organization(db, "evil", None).await);
        let mallory = Grantee::Member(seed::member(db, evil, "mallory", None).await);
        let bob = Grantee::Member(seed::member(db, acme, "bob", None).await);
        let theirs = Place::App { id: seed::app(db, evil, "theirs").await, kind: KIND.to_owned() };

        give(db, acme, vec![new(mallory, code("read"), Place::Organization)]).await.unwrap_err();
        give(db, acme, vec![new(bob, code("read"), theirs)]).await.unwrap_err();
        let given = give(db, evil, vec![new(mallory, code("read"), Place::Organization)]).await.unwrap();
        let id = given.added[0].id;
        let permit = by_system::<GrantAccess>(acme);
        let taken = write(db, acme, move |tx| Box::pin(grant::delete(tx, permit, acme, id))).await.unwrap();
        assert_eq!(taken, None);
        let permit = by_system::<GrantAccess>(acme);
        let taken = write(db, evil, move |tx| Box::pin(grant::delete(tx, permit, evil, id))).await;
        assert!(matches!(taken, Err(StoreError::PermitMismatch(_))));
        assert_eq!(db.count("SELECT count(*) FROM access_grant").await, 1);
    })
    .await;
}

/// An edit replaces the tree whole.
#[tokio::test]
async fn replacing_features_leaves_equal_ones_and_roles_alone() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let member = seed::member(db, acme, "bob", None).await;
        let bob = Grantee::Member(member);
        let mut site = Vec::new();
        for slug in ["a", "b", "c"] {
            site.push(Place::App { id: seed::app(db, acme, slug).await, kind: KIND.to_owned() });
        }
        let mut held = vec![new(bob, Held::Role("owner".to_owned()), Place::Organization)];
        held.extend(site.iter().map(|site| new(bob, code("read"), site.clone())));
        let held = give(db, acme, held).await.unwrap().added;

        let wanted = vec![new(bob, code("read"), site[0].clone()), new(bob, code("write"), site[1].clone())];
        let set = FeatureSet { organization: acme, member, grants: wanted.clone(), now: seed::noon() };
        let permit = by_system::<GrantAccess>(acme);
        let replaced = write(db, acme, move |tx| Box::pin(grant::replace_features(tx, permit, set))).await.unwrap();

        let ids = |grants: &[grant::AccessGrant]| grants.iter().map(|grant| grant.id).collect::<Vec<_>>();
        assert_eq!(ids(&replaced.added), [wanted[1].id]);
        let mut removed = ids(&replaced.removed);
        removed.sort_unstable();
        assert_eq!(removed, [held[2].id, held[3].id]);
        let left = grant::of_grantees(&db.store.read(), acme, &[member]).await.unwrap();
        assert_eq!(ids(&left), [held[0].id, held[1].id, wanted[1].id]);

        let stray = vec![new(bob, Held::Role("owner".to_owned()), Place::Organization)];
        let set = FeatureSet { organization: acme, member, grants: stray, now: seed::noon() };
        let permit = by_system::<GrantAccess>(acme);
        write(db, acme, move |tx| Box::pin(grant::replace_features(tx, permit, set))).await.unwrap_err();
    })
    .await;
}

/// One default level for everyone.
#[tokio::test]
async fn default_access_is_one_level_or_none() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let set = async |level: Option<&str>| {
            let access = DefaultAccess {
                organization: acme,
                kind: KIND.to_owned(),
                feature: "code".to_owned(),
                grant: level.map(|level| (new_id(), Some(level.to_owned()))),
                now: seed::noon(),
            };
            let permit = by_system::<GrantAccess>(acme);
            let done = write(db, acme, move |tx| Box::pin(grant::set_default(tx, permit, access))).await.unwrap();
            let now = grant::list_defaults(&db.store.read(), acme).await.unwrap();
            (done.added.len(), done.removed.len(), now.into_iter().map(|grant| grant.held).collect::<Vec<_>>())
        };

        assert_eq!(set(Some("read")).await, (1, 0, vec![code("read")]));
        assert_eq!(set(Some("read")).await, (0, 0, vec![code("read")]));
        assert_eq!(set(Some("write")).await, (1, 1, vec![code("write")]));
        assert_eq!(set(None).await, (0, 1, vec![]));
    })
    .await;
}
