//! An import's volume: thousands of rows in a few statements, all or nothing.

use gatehouse::{
    access::{
        Grantee, Held, Place,
        verb::{CreateApp, CreateMember, CreateTeam, GrantAccess, ManageTeamMember},
    },
    id::new_id,
    store::{
        StoreError,
        app::{self, App, AppState, AppVisibility},
        grant::{self, NewGrant, NewGrants},
        member::{self, NewMember},
        team::{self, Team, TeamPrivacy},
        team_member::{self, TeamMember, TeamRole},
    },
};
use uuid::Uuid;

use super::{
    permit::{by_system, write},
    seed,
};
use crate::support::database::{TestDatabase, for_each_database};

struct Document {
    members: Vec<NewMember>,
    teams: Vec<Team>,
    places: Vec<TeamMember>,
    apps: Vec<App>,
    grants: Vec<NewGrant>,
}

fn document(organization: Uuid) -> Document {
    let ids = |count: usize| (0..count).map(|_| new_id()).collect::<Vec<_>>();
    let (members, teams, apps) = (ids(1_276), ids(600), ids(78));
    let member = |(n, id): (usize, &Uuid)| NewMember {
        id: *id,
        organization_id: organization,
        user_id: None,
        email: None,
        handle: Some(format!("member-{n}")),
        name: format!("Member {n}"),
        first_name: None,
        last_name: None,
        now: seed::noon(),
    };
    let team = |(n, id): (usize, &Uuid)| Team {
        id: *id,
        organization_id: organization,
        slug: format!("team-{n}"),
        name: format!("Team {n}"),
        description: String::new(),
        parent_id: (n > 0).then(|| teams[n / 2]).filter(|parent| parent != id),
        privacy: TeamPrivacy::Closed,
        created_at: seed::noon(),
    };
    let app = |(n, id): (usize, &Uuid)| App {
        id: *id,
        organization_id: organization,
        kind: "repository".to_owned(),
        slug: format!("app-{n}"),
        name: format!("App {n}"),
        parent_id: None,
        visibility: AppVisibility::Private,
        state: AppState::Active,
        created_at: seed::noon(),
    };
    let place = |n: usize| TeamMember {
        team_id: teams[n % teams.len()],
        member_id: members[n % members.len()],
        organization_id: organization,
        role: TeamRole::Member,
        added_at: seed::noon(),
    };
    let grant = |n: usize| NewGrant {
        id: new_id(),
        grantee: Grantee::Team(teams[n % teams.len()]),
        held: Held::Feature {
            kind: "repository".to_owned(),
            feature: "code".to_owned(),
            level: Some("read".to_owned()),
        },
        place: Place::App { id: apps[n % apps.len()], kind: "repository".to_owned() },
        expires_at: None,
    };
    Document {
        places: (0..1_690).map(place).collect(),
        grants: (0..700).map(grant).collect(),
        members: members.iter().enumerate().map(member).collect(),
        teams: teams.iter().enumerate().map(team).collect(),
        apps: apps.iter().enumerate().map(app).collect(),
    }
}

async fn import(db: &TestDatabase, organization: Uuid, document: Document) -> Result<usize, StoreError> {
    write(db, organization, move |tx| {
        Box::pin(async move {
            let Document { members, teams, places, apps, grants } = document;
            member::insert_many(tx, by_system::<CreateMember>(organization), members).await?;
            team::insert_many(tx, by_system::<CreateTeam>(organization), teams).await?;
            team_member::insert_many(tx, by_system::<ManageTeamMember>(organization), places).await?;
            app::insert_many(tx, by_system::<CreateApp>(organization), apps).await?;
            let grants = NewGrants { organization, grants, now: seed::noon() };
            let granted = grant::insert_many(tx, by_system::<GrantAccess>(organization), grants).await?;
            Ok(granted.added.len())
        })
    })
    .await
}

#[tokio::test]
async fn a_whole_organization_goes_in_at_once() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let begun = std::time::Instant::now();
        let granted = import(db, acme, document(acme)).await.unwrap();
        eprintln!("imported in {:?}", begun.elapsed());

        let reader = db.store.read();
        assert_eq!(member::find_all(&reader, acme).await.unwrap().len(), 1_276);
        assert_eq!(team::find_all(&reader, acme).await.unwrap().len(), 600);
        assert_eq!(team_member::find_all(&reader, acme).await.unwrap().len(), 1_690);
        assert_eq!(app::find_all(&reader, acme).await.unwrap().len(), 78);
        assert_eq!(grant::find_all(&reader, acme).await.unwrap().len(), granted);
        assert_eq!(granted, 700);
    })
    .await;
}

#[tokio::test]
async fn one_bad_row_keeps_everything_out() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let mut twice = document(acme);
        twice.members[1_200].handle = Some("member-0".to_owned());
        let refused = import(db, acme, twice).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Conflict { constraint } if constraint == "member_organization_id_handle_key"), "{refused:?}");

        let evil = seed::organization(db, "evil", None).await;
        let mut foreign = document(acme);
        foreign.apps[70].organization_id = evil;
        assert!(matches!(import(db, acme, foreign).await, Err(StoreError::PermitMismatch(id)) if id == evil));
        assert_eq!(db.count("SELECT count(*) FROM member").await, 0);
    })
    .await;
}
