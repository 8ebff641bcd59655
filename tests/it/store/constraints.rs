//! The second line of defence: what the database itself refuses.

use gatehouse::{
    access::{Authority, SystemTask, authorize, verb::InstallBlueprint},
    id::new_id,
    store::{StoreError, WriteScope, blueprint},
};

use super::seed;
use crate::support::database::for_each_database;

#[tokio::test]
async fn an_organization_has_a_person_once_and_others_do_not_matter() {
    for_each_database(async |db| {
        let (acme, bolt) = (seed::organization(db, "acme", None).await, seed::organization(db, "bolt", None).await);
        let alice = seed::user(db, "alice").await;
        seed::member(db, acme, "alice", Some(alice)).await;
        seed::member(db, bolt, "alice", Some(alice)).await;
        let bob = seed::member(db, acme, "bob", None).await;

        let update = async |sql: &str| db.run(sql, [bob.into(), alice.into()]).await.map_err(StoreError::from);
        let twice = update("UPDATE member SET user_id = $2 WHERE id = $1").await;
        assert!(matches!(twice, Err(StoreError::Conflict { constraint }) if constraint == "member_organization_id_user_id_key"));

        let set = async |sql: &str| db.run(sql, [bob.into()]).await.map_err(StoreError::from);
        let email = set("UPDATE member SET email = 'alice@example.org' WHERE id = $1").await;
        assert!(matches!(email, Err(StoreError::Conflict { constraint }) if constraint == "member_organization_id_email_key"));
        set("UPDATE member SET email = 'alice@example.org', state = 'archived' WHERE id = $1").await.unwrap();
        let handle = set("UPDATE member SET handle = 'alice' WHERE id = $1").await;
        assert!(matches!(handle, Err(StoreError::Conflict { constraint }) if constraint == "member_organization_id_handle_key"));
        set("UPDATE member SET handle = NULL WHERE id = $1").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_address_has_one_pending_invitation() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let bob = seed::member(db, acme, "bob", None).await;
        let first = seed::invitation(db, acme, bob, "bob@example.org").await;
        let second = seed::invitation(db, acme, bob, "other@example.org").await;

        let rename = "UPDATE invitation SET email = 'bob@example.org' WHERE id = $1";
        let refused = db.run(rename, [second.into()]).await.map_err(StoreError::from);
        assert!(matches!(refused, Err(StoreError::Conflict { constraint }) if constraint == "invitation_organization_id_email_key"));
        db.run("UPDATE invitation SET state = 'revoked' WHERE id = $1", [first.into()]).await.unwrap();
        db.run(rename, [second.into()]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn no_row_names_another_organizations() {
    for_each_database(async |db| {
        let (acme, evil) = (seed::organization(db, "acme", None).await, seed::organization(db, "evil", None).await);
        let alice = seed::member(db, acme, "alice", None).await;
        let mallory = seed::member(db, evil, "mallory", None).await;
        let (crew, gang) = (seed::team(db, acme, "crew", None).await, seed::team(db, evil, "gang", None).await);
        let site = seed::app(db, acme, "site").await;
        seed::join(db, acme, crew, alice, "member").await;
        let grant = seed::grant(db, evil, ("member", Some(mallory)), "reader", None).await;

        let join = "INSERT INTO team_member (team_id, member_id, organization_id, role, added_at) VALUES ($1, $2, $3, 'member', $4)";
        db.run(join, [crew.into(), mallory.into(), acme.into(), seed::noon().into()]).await.unwrap_err();
        db.run(join, [crew.into(), mallory.into(), evil.into(), seed::noon().into()]).await.unwrap_err();
        db.run("UPDATE team SET parent_id = $2 WHERE id = $1", [gang.into(), crew.into()]).await.unwrap_err();
        db.run("UPDATE access_grant SET app_id = $2 WHERE id = $1", [grant.into(), site.into()]).await.unwrap_err();
        db.run("UPDATE access_grant SET grantee_id = $2 WHERE id = $1", [grant.into(), alice.into()]).await.unwrap_err();
        let give = "INSERT INTO access_grant (id, organization_id, grantee_kind, grantee_id, role, created_at) VALUES ($1, $2, 'member', $3, 'owner', $4)";
        db.run(give, [new_id().into(), acme.into(), mallory.into(), seed::noon().into()]).await.unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn a_grant_is_unique_and_goes_with_its_grantee_and_its_app() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        let (bob, crew) = (seed::member(db, acme, "bob", None).await, seed::team(db, acme, "crew", None).await);
        let (robot, site) = (seed::service_account(db, acme).await, seed::app(db, acme, "site").await);
        seed::grant(db, acme, ("member", Some(bob)), "reader", None).await;
        seed::grant(db, acme, ("member", Some(bob)), "reader", Some(site)).await;
        seed::grant(db, acme, ("team", Some(crew)), "reader", None).await;
        seed::grant(db, acme, ("service_account", Some(robot)), "reader", None).await;
        seed::grant(db, acme, ("everyone", None), "reader", None).await;

        let again = "INSERT INTO access_grant (id, organization_id, grantee_kind, role, created_at) VALUES ($1, $2, 'everyone', 'reader', $3)";
        let refused = db.run(again, [new_id().into(), acme.into(), seed::noon().into()]).await.map_err(StoreError::from);
        assert!(matches!(refused, Err(StoreError::Conflict { constraint }) if constraint == "access_grant_key"));

        for (table, id, left) in [("app", site, 4), ("member", bob, 3), ("team", crew, 2), ("service_account", robot, 1)] {
            db.run(&format!("DELETE FROM {table} WHERE id = $1"), [id.into()]).await.unwrap();
            assert_eq!(db.count("SELECT count(*) FROM access_grant").await, left, "after deleting the {table}");
        }
        db.run("DELETE FROM organization WHERE id = $1", [acme.into()]).await.unwrap();
        assert_eq!(db.count("SELECT count(*) FROM access_grant").await, 0);
    })
    .await;
}

#[tokio::test]
async fn blueprints_and_activity_are_immutable() {
    for_each_database(async |db| {
        let acme = seed::organization(db, "acme", None).await;
        seed::blueprint(db).await;
        seed::activity(db, acme).await;

        for change in [
            "UPDATE blueprint SET title = 'another'",
            "DELETE FROM blueprint",
            "UPDATE activity_entry SET actor_name = 'nobody'",
            "UPDATE activity_entry SET at = at",
        ] {
            let refused = db.run(change, []).await.expect_err(change).to_string();
            assert!(refused.contains("immutable"), "{change}: {refused}");
        }
        db.run("DELETE FROM activity_entry", []).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_blueprint_version_is_installed_once() {
    for_each_database(async |db| {
        let install = async |title: &str| {
            let new = blueprint::Blueprint {
                id: new_id(),
                name: "support-hub".to_owned(),
                version: 1,
                hash: "00".to_owned(),
                title: title.to_owned(),
                source: String::new(),
                installed_at: seed::noon(),
            };
            let write = db.store.write(WriteScope::default(), move |tx| {
                Box::pin(async move {
                    let system = Authority::System(SystemTask::InstallBlueprint, None);
                    blueprint::insert(tx, authorize::<InstallBlueprint>(system, None).unwrap(), new).await
                })
            });
            write.await.map(|committed| committed.value)
        };
        let first = install("first").await.unwrap();

        let second = install("second").await;

        assert!(
            matches!(second, Err(StoreError::Conflict { constraint }) if constraint == "blueprint_name_version_key")
        );
        assert_eq!(blueprint::find_by_name(&db.store.read(), "support-hub", None).await.unwrap(), Some(first));
    })
    .await;
}
