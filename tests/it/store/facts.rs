//! Facts: what one statement knows of a principal.

use gatehouse::{
    access::{Facts, Grantee, Place},
    cache::stamp::StampKind,
    store::{
        StoreError, WriteScope,
        facts::{Crowd, LoadKey, Within, load_all, load_many, load_principal},
    },
};
use uuid::Uuid;

use super::seed;
use crate::support::database::{TestDatabase, for_each_database};

/// Alice is in `inner`, which lies in `middle`, in `outer`; bob is in `outer` only. Each team holds a grant.
struct Nested {
    acme: Uuid,
    user: Uuid,
    session: Uuid,
    alice: Uuid,
    bob: Uuid,
    robot: Uuid,
    site: Uuid,
    teams: [Uuid; 3],
}

async fn nested(db: &TestDatabase) -> Nested {
    let acme = seed::organization(db, "acme", None).await;
    let user = seed::user(db, "alice").await;
    let alice = seed::member(db, acme, "alice", Some(user)).await;
    let bob = seed::member(db, acme, "bob", None).await;
    let outer = seed::team(db, acme, "outer", None).await;
    let middle = seed::team(db, acme, "middle", Some(outer)).await;
    let inner = seed::team(db, acme, "inner", Some(middle)).await;
    let aside = seed::team(db, acme, "aside", Some(outer)).await;
    seed::join(db, acme, inner, alice, "maintainer").await;
    seed::join(db, acme, outer, bob, "member").await;
    let site = seed::app(db, acme, "site").await;
    let robot = seed::service_account(db, acme).await;
    for team in [outer, middle, inner, aside] {
        seed::grant(db, acme, ("team", Some(team)), "reader", Some(site)).await;
    }
    seed::grant(db, acme, ("member", Some(alice)), "owner", None).await;
    seed::grant(db, acme, ("service_account", Some(robot)), "agent", None).await;
    seed::grant(db, acme, ("everyone", None), "guest", None).await;
    let session = seed::session(db, user).await;
    // Another organization, of which nothing may show.
    let evil = seed::organization(db, "evil", None).await;
    let mallory = seed::member(db, evil, "mallory", Some(user)).await;
    seed::grant(db, evil, ("member", Some(mallory)), "owner", None).await;
    seed::grant(db, evil, ("everyone", None), "owner", None).await;
    Nested { acme, user, session, alice, bob, robot, site, teams: [inner, middle, outer] }
}

fn of(crowd: &Crowd, id: Uuid) -> Facts {
    let principal = crowd.reach.principals().iter().find(|principal| principal.id.id == id).unwrap();
    crowd.reach.facts(principal, Within { organization: crowd.organization.id, active: true }, None)
}

fn grants(facts: &Facts) -> Vec<(Option<&str>, Vec<&str>)> {
    let mut grants: Vec<_> = facts
        .grants
        .iter()
        .map(|grant| {
            let role = match &grant.held {
                gatehouse::access::Held::Role(role) => Some(role.as_str()),
                gatehouse::access::Held::Feature { .. } => None,
            };
            (role, grant.path.iter().map(|step| step.name.as_str()).collect())
        })
        .collect();
    grants.sort();
    grants
}

#[tokio::test]
async fn a_session_brings_grants_through_nested_teams() {
    for_each_database(async |db| {
        let world = nested(db).await;
        let key = LoadKey::Session { session: world.session, user: world.user, organization: Some(world.acme) };

        let loaded = load_principal(&db.store.read(), key).await.unwrap().unwrap();

        let organization = loaded.organization.as_ref().unwrap();
        assert_eq!(
            (organization.id, organization.slug.as_str(), organization.plan.as_str()),
            (world.acme, "acme", "free")
        );
        assert_eq!(loaded.session.as_ref().unwrap().expires_at, seed::later());
        assert_eq!(loaded.user.as_ref().unwrap().email, "alice@example.org");
        let principal = &loaded.reach.principals()[0];
        assert_eq!((loaded.principal, principal.id.id), (Some(principal.id), world.alice));
        let facts = loaded.reach.facts(principal, Within { organization: world.acme, active: true }, None);
        assert_eq!(
            grants(&facts),
            [
                (Some("guest"), vec![]),
                (Some("owner"), vec![]),
                (Some("reader"), vec!["inner"]),
                (Some("reader"), vec!["inner", "middle"]),
                (Some("reader"), vec!["inner", "middle", "outer"]),
            ]
        );
        let at_site = Place::App { id: world.site, kind: "repository".to_owned() };
        let through = |grant: &&gatehouse::access::Grant| matches!(grant.grantee, Grantee::Team(_));
        assert!(facts.grants.iter().filter(through).all(|grant| grant.place == at_site));
        let mut teams: Vec<_> = facts.teams.iter().map(|team| (team.id, team.direct, team.maintainer)).collect();
        teams.sort_by_key(|(id, _, _)| world.teams.iter().position(|team| team == id));
        let [inner, middle, outer] = world.teams;
        assert_eq!(teams, [(inner, true, true), (middle, false, false), (outer, false, false)]);
    })
    .await;
}

#[tokio::test]
async fn versions_of_every_stamp_come_along() {
    for_each_database(async |db| {
        let world = nested(db).await;
        let key = LoadKey::Session { session: world.session, user: world.user, organization: Some(world.acme) };
        let touch = |sql: &'static str| {
            db.store.write(WriteScope::default(), move |tx| {
                Box::pin(async move {
                    use gatehouse::store::Reader;
                    use sea_orm::ConnectionTrait;
                    tx.connection().execute_unprepared(sql).await?;
                    Ok::<_, StoreError>(())
                })
            })
        };
        let mut moved = touch("UPDATE session SET expires_at = expires_at").await.unwrap().stamps;
        moved.extend(touch("UPDATE member SET name = 'Alice'").await.unwrap().stamps);
        moved.extend(touch("UPDATE organization SET name = 'Acme'").await.unwrap().stamps);

        let loaded = load_principal(&db.store.read(), key).await.unwrap().unwrap();

        let kinds: Vec<_> = loaded.stamps.iter().map(|stamp| stamp.kind).collect();
        let expected =
            [StampKind::Session, StampKind::User, StampKind::Principal, StampKind::Organization, StampKind::Content];
        assert_eq!(kinds, expected);
        for stamp in &loaded.stamps {
            let newest =
                moved.iter().filter(|moved| moved.subject() == stamp.subject()).map(|moved| moved.version).max();
            assert_eq!(newest, Some(stamp.version), "{stamp:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn tokens_and_principals_are_found_in_their_organization_only() {
    for_each_database(async |db| {
        let world = nested(db).await;
        let token = seed::token(db, world.acme, Some(world.robot), None).await;
        let load = async |key| load_principal(&db.store.read(), key).await.unwrap();

        let loaded = load(LoadKey::Token { token, organization: world.acme }).await.unwrap();
        assert_eq!(loaded.principal.unwrap().id, world.robot);
        let found = loaded.token.as_ref().unwrap();
        assert_eq!(
            (found.secret_hash.as_slice(), found.scopes.as_slice()),
            (&[7; 32][..], &["members.read".to_owned()][..])
        );
        let principal = &loaded.reach.principals()[0];
        let facts = loaded.reach.facts(principal, Within { organization: world.acme, active: true }, None);
        assert_eq!(grants(&facts), [(Some("agent"), vec![])], "everyone is every member, not every robot");

        let bob = load(LoadKey::Principal { organization: world.acme, principal: world.bob }).await.unwrap();
        assert_eq!((bob.principal.unwrap().id, bob.user), (world.bob, None));
        let homeless = LoadKey::Session { session: world.session, user: world.user, organization: None };
        let homeless = load(homeless).await.unwrap();
        assert!(homeless.organization.is_none() && homeless.principal.is_none() && homeless.user.is_some());

        let other = seed::organization(db, "other", None).await;
        assert!(load(LoadKey::Token { token, organization: other }).await.is_none());
        assert!(load(LoadKey::Principal { organization: other, principal: world.bob }).await.is_none());
        let stranger = LoadKey::Session { session: world.session, user: Uuid::nil(), organization: Some(world.acme) };
        assert!(load(stranger).await.is_none());
        let visitor = LoadKey::Session { session: world.session, user: world.user, organization: Some(other) };
        assert!(load(visitor).await.unwrap().principal.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_page_and_the_whole_say_the_same_as_one() {
    for_each_database(async |db| {
        let world = nested(db).await;
        let read = db.store.read();
        let whole = load_all(&read, world.acme).await.unwrap().unwrap();
        let page = load_many(&read, world.acme, &[world.alice, world.robot, Uuid::nil()]).await.unwrap().unwrap();
        assert_eq!((whole.reach.principals().len(), page.reach.principals().len()), (3, 2));

        for id in [world.alice, world.robot] {
            let one = load_principal(&read, LoadKey::Principal { organization: world.acme, principal: id }).await;
            let one = one.unwrap().unwrap();
            let within = Within { organization: world.acme, active: true };
            let facts = one.reach.facts(&one.reach.principals()[0], within, None);
            assert_eq!(of(&page, id), facts);
            assert_eq!(of(&whole, id), facts);
        }
        assert_eq!(grants(&of(&whole, world.bob)), [(Some("guest"), vec![]), (Some("reader"), vec!["outer"])]);
        assert!(load_all(&read, Uuid::nil()).await.unwrap().is_none());
        assert!(load_many(&read, world.acme, &[]).await.unwrap().unwrap().reach.principals().is_empty());
    })
    .await;
}
