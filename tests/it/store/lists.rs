//! Lists: filtered where the rows are, by what is seen and what is asked for.

use gatehouse::{
    access::{Held, Place, Visibility},
    store::{
        PageRequest,
        activity::{self, ActivityFilter},
        app::{self, AppFilter},
        member::{self, Holding, MemberFilter, MemberState},
        team::{self, Below, TeamFilter},
        team_member,
    },
};
use uuid::Uuid;

use super::{
    permit::{owner, rights},
    seed,
};
use crate::support::database::{TestDatabase, for_each_database};

const NESTED: &str = include_str!("../../../src/access/tests/nested.toml");

fn all() -> PageRequest {
    PageRequest { total: true, ..PageRequest::default() }
}

async fn names(db: &TestDatabase, seen: &Visibility, filter: MemberFilter) -> Vec<String> {
    let page = member::list(&db.store.read(), seen, &filter, &all()).await.unwrap();
    assert_eq!(page.total, Some(page.items.len() as u64));
    page.items.into_iter().map(|member| member.name).collect()
}

#[tokio::test]
async fn members_are_found_by_what_people_type_on_both_databases_alike() {
    for_each_database(async |db| {
        let (acme, evil) = (seed::organization(db, "acme", None).await, seed::organization(db, "evil", None).await);
        let mut alice = Uuid::nil();
        for name in ["Alice", "ALI_BABA", "ali%", "Jörg", "bob!"] {
            alice = seed::member(db, acme, name, None).await;
        }
        seed::member(db, evil, "Alien", None).await;
        db.run("UPDATE member SET state = 'suspended' WHERE id = $1", [alice.into()]).await.unwrap();
        let seen = owner(acme, alice).visible_members();
        let search = async |text: &str| {
            let mut names =
                names(db, &seen, MemberFilter { search: Some(text.to_owned()), ..Default::default() }).await;
            names.sort_unstable();
            names
        };

        assert_eq!(search("ALI").await, ["ALI_BABA", "Alice", "ali%"]);
        assert_eq!(search("%").await, ["ali%"]);
        assert_eq!(search("_").await, ["ALI_BABA"]);
        assert_eq!(search("!").await, ["bob!"]);
        assert_eq!(search("JöRG").await, ["Jörg"]);
        assert_eq!(search("alice@EXAMPLE").await, ["Alice"]);
        assert_eq!(search("").await.len(), 5);
        assert_eq!(search("' OR 1=1 --").await, Vec::<String>::new());

        let states = vec![MemberState::Suspended];
        assert_eq!(names(db, &seen, MemberFilter { states, ..Default::default() }).await, ["bob!"]);
    })
    .await;
}

#[tokio::test]
async fn members_are_listed_by_role_and_team_to_those_who_see_them() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let (alice, bob) = (seed::member(db, acme, "alice", None).await, seed::member(db, acme, "bob", None).await);
        let (site, team) = (seed::app(db, acme, "site").await, seed::team(db, acme, "team", None).await);
        seed::grant(db, acme, ("member", Some(alice)), "owner", None).await;
        seed::grant(db, acme, ("member", Some(bob)), "owner", Some(site)).await;
        seed::join(db, acme, team, bob, "maintainer").await;
        let seen = owner(acme, alice).visible_members();

        let role = Some(Holding { role: "owner".to_owned(), now: seed::noon() });
        assert_eq!(names(db, &seen, MemberFilter { role, ..Default::default() }).await, ["alice"]);
        assert_eq!(names(db, &seen, MemberFilter { team: Some(team), ..Default::default() }).await, ["bob"]);
        let itself = rights(NESTED, acme, bob, vec![]).visible_members();
        assert_eq!(names(db, &itself, MemberFilter::default()).await, ["bob"]);
        let places = team_member::list(&db.store.read(), &seen, team, &all()).await.unwrap();
        assert_eq!(places.items.iter().map(|place| place.member_id).collect::<Vec<_>>(), [bob]);
    })
    .await;
}

#[tokio::test]
async fn apps_below_a_granted_one_are_seen_where_the_grant_reaches_their_kind() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let bob = seed::member(db, acme, "bob", None).await;
        let mut apps = Vec::new();
        for (slug, kind, parent) in [
            ("group", "group", None),
            ("one", "project", Some(0)),
            ("deep", "project", Some(1)),
            ("inner", "group", Some(0)),
            ("aside", "project", None),
        ] {
            let id = seed::app(db, acme, slug).await;
            let parent: Option<Uuid> = parent.map(|parent: usize| apps[parent]);
            db.run("UPDATE app SET kind = $2, parent_id = $3 WHERE id = $1", [id.into(), kind.into(), parent.into()])
                .await
                .unwrap();
            apps.push(id);
        }
        let tasks = Held::Feature { kind: "project".to_owned(), feature: "tasks".to_owned(), level: None };
        let on_group = Place::App { id: apps[0], kind: "group".to_owned() };
        let reader = db.store.read();
        let slugs = async |held: Vec<(Held, Place)>, filter: AppFilter| {
            let blueprint = gatehouse::access::Blueprint::parse(NESTED).unwrap();
            let seen = rights(NESTED, acme, bob, held).visible_apps(&blueprint);
            let page = app::list(&reader, &seen, &filter, &all()).await.unwrap();
            assert_eq!(page.total, Some(page.items.len() as u64));
            let mut slugs: Vec<String> = page.items.into_iter().map(|app| app.slug).collect();
            slugs.sort_unstable();
            slugs
        };

        let below = vec![(tasks.clone(), on_group)];
        assert_eq!(slugs(below.clone(), AppFilter::default()).await, ["deep", "one"]);
        let under = AppFilter { parent: Some(apps[1]), ..Default::default() };
        assert_eq!(slugs(below.clone(), under).await, ["deep"]);
        let directly = AppFilter { parent: Some(apps[0]), ..Default::default() };
        assert_eq!(slugs(below.clone(), directly.clone()).await, ["one"]);
        assert_eq!(slugs(below.clone(), AppFilter { below: true, ..directly }).await, ["deep", "one"]);
        let search = AppFilter { search: Some("ON".to_owned()), ..Default::default() };
        assert_eq!(slugs(below, search).await, ["one"]);
        assert_eq!(slugs(vec![], AppFilter::default()).await, Vec::<String>::new());
        let everywhere = vec![(tasks, Place::Organization)];
        assert_eq!(slugs(everywhere, AppFilter::default()).await, ["aside", "deep", "one"]);

        let (deep, above) = app::find_with_ancestors(&reader, acme, apps[2]).await.unwrap().unwrap();
        assert_eq!((deep.id, above.ids), (apps[2], vec![apps[1], apps[0]]));
        let above = app::ancestors_of(&reader, acme, &apps).await.unwrap();
        assert_eq!((above.len(), &above[&apps[3]].ids), (3, &vec![apps[0]]));
        let elsewhere = seed::organization(db, "evil", None).await;
        assert_eq!(app::find_with_ancestors(&reader, elsewhere, apps[2]).await.unwrap(), None);
    })
    .await;
}

/// A secret team is seen by its members and by those who see all.
#[tokio::test]
async fn teams_are_listed_to_those_who_see_them() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let alice = seed::member(db, acme, "alice", None).await;
        let top = seed::team(db, acme, "top", None).await;
        let below = seed::team(db, acme, "below", Some(top)).await;
        let lower = seed::team(db, acme, "lower", Some(below)).await;
        db.run("UPDATE team SET privacy = 'secret' WHERE id = $1", [below.into()]).await.unwrap();
        seed::join(db, acme, below, alice, "maintainer").await;
        let reader = db.store.read();
        let slugs = async |seen: &Visibility, filter: TeamFilter| {
            let page = team::list(&reader, seen, &filter, &all()).await.unwrap();
            page.items.into_iter().map(|team| team.slug).collect::<Vec<_>>()
        };
        let everything = owner(acme, alice).visible_teams();
        let nothing = rights(NESTED, acme, alice, vec![]).visible_teams();

        assert_eq!(slugs(&everything, TeamFilter::default()).await, ["below", "lower", "top"]);
        assert_eq!(slugs(&nothing, TeamFilter::default()).await, Vec::<String>::new());
        let roots = TeamFilter { parent: Some(Below::Nothing), ..Default::default() };
        assert_eq!(slugs(&everything, roots).await, ["top"]);
        let children = TeamFilter { parent: Some(Below::Team(top)), ..Default::default() };
        assert_eq!(slugs(&everything, children).await, ["below"]);
        let joined = TeamFilter { member: Some(alice), ..Default::default() };
        assert_eq!(slugs(&everything, joined).await, ["below"]);

        assert_eq!(team::ancestors(&reader, acme, lower).await.unwrap(), [below, top]);
        assert!(team::has_children(&reader, acme, top).await.unwrap());
        let teams = team_member::teams_of_members(&reader, &everything, &[alice]).await.unwrap();
        assert_eq!(teams.len(), 1);
        assert_eq!(
            (teams[0].member_id, teams[0].role, teams[0].team.id),
            (alice, team_member::TeamRole::Maintainer, below)
        );
        assert_eq!(team_member::teams_of_members(&reader, &nothing, &[alice]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn activity_is_listed_newest_first_within_the_apps_that_are_seen() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let alice = seed::member(db, acme, "alice", None).await;
        let (seen, hidden) = (seed::app(db, acme, "seen").await, seed::app(db, acme, "hidden").await);
        let mut entries = Vec::new();
        for app in [None, Some(seen), Some(hidden)] {
            let mut entry =
                activity::find_by_id(&db.store.read(), acme, seed::activity(db, acme).await).await.unwrap().unwrap();
            entry.id = gatehouse::id::new_id();
            entry.app = app.map(|id| activity::AppName { id, name: "app".to_owned() });
            entries.push(entry);
        }
        db.run("DELETE FROM activity_entry", []).await.unwrap();
        let made = entries.clone();
        super::permit::write(db, acme, move |tx| Box::pin(activity::insert_many(tx, made))).await.unwrap();
        let may = owner(acme, alice).visible_by("activity.read");
        let list = async |filter: ActivityFilter| {
            let page = activity::list(&db.store.read(), &may, &filter, &all()).await.unwrap();
            page.items.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
        };

        assert_eq!(list(ActivityFilter::default()).await, [entries[2].id, entries[1].id, entries[0].id]);
        let blueprint =
            gatehouse::access::Blueprint::parse(include_str!("../../../blueprints/code-hosting.toml")).unwrap();
        let read =
            Held::Feature { kind: "repository".to_owned(), feature: "code".to_owned(), level: Some("read".to_owned()) };
        let on_seen = Place::App { id: seen, kind: "repository".to_owned() };
        let source = include_str!("../../../blueprints/code-hosting.toml");
        let apps = Some(rights(source, acme, alice, vec![(read, on_seen)]).visible_apps(&blueprint));
        assert_eq!(list(ActivityFilter { apps, ..Default::default() }).await, [entries[1].id, entries[0].id]);
        assert_eq!(list(ActivityFilter { app: Some(hidden), ..Default::default() }).await, [entries[2].id]);
        let since = Some(seed::later());
        assert!(list(ActivityFilter { since, ..Default::default() }).await.is_empty());
    })
    .await;
}
