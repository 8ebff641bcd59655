//! Stamps: each change of each table moves exactly the stamps of those whose rights or view it touches.

use std::collections::BTreeMap;

use sea_orm::Value;
use uuid::Uuid;

use super::seed;
use crate::support::database::{TestDatabase, for_each_database};

/// Stamps by kind and name.
type Moved<'a> = &'a [(i64, &'static str)];

/// An organization of each thing one; `names` says what an id is in expectations.
struct World<'a> {
    db: &'a TestDatabase,
    names: BTreeMap<Uuid, &'static str>,
}

impl<'a> World<'a> {
    async fn new(db: &'a TestDatabase) -> Self {
        let mut world = World { db, names: BTreeMap::new() };
        let acme = seed::organization(db, "acme", None).await;
        let child = seed::organization(db, "child", Some(acme)).await;
        let (alice, bob) = (seed::user(db, "alice").await, seed::user(db, "bob").await);
        let member = seed::member(db, acme, "alice", Some(alice)).await;
        let guest = seed::member(db, acme, "guest", None).await;
        let (top, crew) = {
            let top = seed::team(db, acme, "top", None).await;
            (top, seed::team(db, acme, "crew", Some(top)).await)
        };
        seed::join(db, acme, crew, member, "member").await;
        let robot = seed::service_account(db, acme).await;
        let (mine, its) =
            (seed::token(db, acme, None, Some(member)).await, seed::token(db, acme, Some(robot), None).await);
        let invitation = seed::invitation(db, acme, guest, "guest@example.org").await;
        let site = seed::app(db, acme, "site").await;
        let session = seed::session(db, alice).await;
        world.names = BTreeMap::from([
            (acme, "acme"),
            (child, "child"),
            (alice, "alice"),
            (bob, "bob"),
            (member, "member"),
            (guest, "guest"),
            (top, "top"),
            (crew, "crew"),
            (robot, "robot"),
            (mine, "member's token"),
            (its, "robot's token"),
            (invitation, "invitation"),
            (site, "site"),
            (session, "session"),
        ]);
        world
    }

    fn id(&self, name: &str) -> Uuid {
        *self.names.iter().find(|(_, known)| **known == name).expect(name).0
    }

    async fn versions(&self) -> BTreeMap<(i64, Uuid), i64> {
        let rows = self.db.rows("SELECT CAST(kind AS bigint) AS kind, id, ver FROM grant_stamp", []).await;
        rows.iter()
            .map(|row| {
                let key = (row.try_get("", "kind").unwrap(), row.try_get("", "id").unwrap());
                (key, row.try_get("", "ver").unwrap())
            })
            .collect()
    }

    /// Runs a statement, `$1` being the named row, and asserts which stamps it moved.
    async fn expect<const N: usize>(&mut self, sql: &str, row: &str, expected: [(i64, &str); N]) {
        let id = self.id(row);
        self.expect_with(sql, [id.into()], expected).await;
    }

    async fn expect_with<const V: usize, const N: usize>(
        &mut self,
        sql: &str,
        values: [Value; V],
        expected: [(i64, &str); N],
    ) {
        let before = self.versions().await;
        self.db.run(sql, values).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let after = self.versions().await;
        let mut moved: Vec<(i64, &str)> = after
            .iter()
            .filter(|(key, version)| before.get(key).is_none_or(|old| old < version))
            .map(|((kind, id), _)| (*kind, self.names.get(id).copied().unwrap_or("new")))
            .collect();
        moved.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(moved, expected, "{sql}");
        assert!(before.iter().all(|(key, version)| after[key] >= *version), "a stamp went back: {sql}");
    }
}

#[tokio::test]
async fn people_and_their_sign_ins() {
    for_each_database(async |db| {
        let mut world = World::new(db).await;
        world.expect("UPDATE user_account SET state = 'suspended' WHERE id = $1", "bob", [(3, "bob")]).await;
        let alice = [(3, "alice"), (4, "member"), (2, "member's token")];
        world.expect("UPDATE user_account SET state = 'suspended' WHERE id = $1", "alice", alice).await;
        world.expect("UPDATE user_account SET last_login_at = created_at WHERE id = $1", "bob", []).await;
        world.expect("UPDATE session SET last_seen_at = created_at WHERE id = $1", "session", []).await;
        world.expect("UPDATE session SET revoked_at = created_at WHERE id = $1", "session", [(1, "session")]).await;
        world.expect("UPDATE session SET expires_at = created_at WHERE id = $1", "session", [(1, "session")]).await;
        world.expect("DELETE FROM session WHERE id = $1", "session", [(1, "session")]).await;
        world.expect("DELETE FROM user_account WHERE id = $1", "bob", [(3, "bob")]).await;
        seed::user(db, "carol").await;
        world.expect_with("UPDATE session SET address = 'x'", [], []).await;
    })
    .await;
}

#[tokio::test]
async fn members_and_invitations() {
    for_each_database(async |db| {
        let mut world = World::new(db).await;
        let all = [(4, "member"), (3, "alice"), (2, "member's token"), (6, "acme")];
        world.expect("UPDATE member SET state = 'suspended' WHERE id = $1", "member", all).await;
        world.expect("UPDATE member SET last_seen_at = created_at WHERE id = $1", "member", []).await;
        world.expect("UPDATE member SET last_login_at = created_at WHERE id = $1", "member", [(6, "acme")]).await;
        let (guest, bob) = (world.id("guest").into(), world.id("bob").into());
        let adopt = "UPDATE member SET user_id = $2 WHERE id = $1";
        world.expect_with(adopt, [guest, bob], [(4, "guest"), (3, "bob"), (6, "acme")]).await;
        world.expect("UPDATE invitation SET state = 'revoked' WHERE id = $1", "invitation", [(6, "acme")]).await;
        world.expect("DELETE FROM invitation WHERE id = $1", "invitation", [(6, "acme")]).await;
        world.expect("DELETE FROM member WHERE id = $1", "guest", [(4, "guest"), (3, "bob"), (6, "acme")]).await;
        world.expect("DELETE FROM member WHERE id = $1", "member", all).await;
        let sql =
            "INSERT INTO member (id, organization_id, name, state, created_at) SELECT $1, id, 'x', 'active', created_at
          FROM organization WHERE slug = 'acme'";
        world.expect_with(sql, [Uuid::from_u128(9).into()], [(4, "new"), (6, "acme")]).await;
    })
    .await;
}

#[tokio::test]
async fn service_accounts_and_tokens() {
    for_each_database(async |db| {
        let mut world = World::new(db).await;
        let all = [(4, "robot"), (2, "robot's token"), (6, "acme")];
        world.expect("UPDATE service_account SET state = 'disabled' WHERE id = $1", "robot", all).await;
        let token = "robot's token";
        world.expect("UPDATE api_token SET last_used_at = created_at WHERE id = $1", token, []).await;
        world
            .expect("UPDATE api_token SET revoked_at = created_at WHERE id = $1", token, [(2, token), (6, "acme")])
            .await;
        world.expect("DELETE FROM service_account WHERE id = $1", "robot", all).await;
        let mine = "member's token";
        world.expect("DELETE FROM api_token WHERE id = $1", mine, [(2, mine), (6, "acme")]).await;
    })
    .await;
}

#[tokio::test]
async fn organizations_reach_down() {
    for_each_database(async |db| {
        let mut world = World::new(db).await;
        let both = [(5, "acme"), (5, "child"), (6, "acme")];
        world.expect("UPDATE organization SET plan = 'gold' WHERE id = $1", "acme", both).await;
        world
            .expect("UPDATE organization SET plan = 'gold' WHERE id = $1", "child", [(5, "child"), (6, "child")])
            .await;
        world.expect("DELETE FROM organization WHERE id = $1", "child", [(5, "child"), (6, "child")]).await;
    })
    .await;
}

#[tokio::test]
async fn teams_and_who_is_in_them() {
    for_each_database(async |db| {
        let mut world = World::new(db).await;
        let whole = [(5, "acme"), (6, "acme")];
        let one = [(4, "member"), (2, "member's token"), (6, "acme")];
        world.expect("UPDATE team SET name = 'x' WHERE id = $1", "crew", [(6, "acme")]).await;
        world.expect("UPDATE team SET privacy = 'secret' WHERE id = $1", "crew", whole).await;
        world.expect("UPDATE team_member SET role = 'maintainer' WHERE team_id = $1", "crew", one).await;
        world.expect("DELETE FROM team_member WHERE team_id = $1", "crew", one).await;
        let (crew, member, acme) = (world.id("crew").into(), world.id("member").into(), world.id("acme").into());
        let join = "INSERT INTO team_member (team_id, member_id, organization_id, role, added_at)
          SELECT $1, $2, id, 'member', created_at FROM organization WHERE id = $3";
        world.expect_with(join, [crew, member, acme], one).await;
        world.expect("UPDATE team SET parent_id = NULL WHERE id = $1", "crew", whole).await;
        world.expect("DELETE FROM team WHERE id = $1", "top", whole).await;
    })
    .await;
}

#[tokio::test]
async fn grants_move_whom_they_reach() {
    for_each_database(async |db| {
        let mut world = World::new(db).await;
        let content = (6, "acme");
        let cases: [(&str, Option<&str>, Moved<'_>); 4] = [
            ("member", Some("member"), &[(4, "member"), (2, "member's token"), content]),
            ("team", Some("top"), &[(4, "member"), (2, "member's token"), content]),
            ("service_account", Some("robot"), &[(4, "robot"), (2, "robot's token"), content]),
            ("everyone", None, &[(5, "acme"), content]),
        ];
        let acme = world.id("acme");
        for (kind, name, expected) in cases {
            let grantee = name.map(|name| world.id(name));
            let before = world.versions().await;
            let grant = seed::grant(db, acme, (kind, grantee), "reader", None).await;
            let after = world.versions().await;
            let mut moved: Vec<_> = after
                .iter()
                .filter(|(key, version)| before.get(key) != Some(version))
                .map(|((kind, id), _)| (*kind, world.names[id]))
                .collect();
            let mut expected = expected.to_vec();
            expected.sort_unstable();
            moved.sort_unstable();
            assert_eq!(moved, expected, "granting to {kind}");
            for sql in [
                "UPDATE access_grant SET expires_at = created_at WHERE id = $1",
                "DELETE FROM access_grant WHERE id = $1",
            ] {
                match expected.as_slice() {
                    [a, b, c] => world.expect_with(sql, [grant.into()], [*a, *b, *c]).await,
                    [a, b] => world.expect_with(sql, [grant.into()], [*a, *b]).await,
                    _ => panic!("two or three"),
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_large_team_moves_the_organization_instead() {
    for_each_database(async |db| {
        let mut world = World::new(db).await;
        let (acme, crew) = (world.id("acme"), world.id("crew"));
        for n in 1..64 {
            let member = seed::member(db, acme, &format!("m{n}"), None).await;
            seed::join(db, acme, crew, member, "member").await;
        }
        let top = world.id("top");
        let grant = seed::grant(db, acme, ("team", Some(top)), "reader", None).await;
        let before = world.versions().await;
        db.run("UPDATE access_grant SET expires_at = created_at WHERE id = $1", [grant.into()]).await.unwrap();
        let after = world.versions().await;
        assert_eq!(after.iter().filter(|(key, version)| key.0 == 4 && before[*key] < **version).count(), 64);
        assert_eq!(before.get(&(5, acme)), after.get(&(5, acme)));

        let one_more = seed::member(db, acme, "one-more", None).await;
        seed::join(db, acme, crew, one_more, "member").await;
        world.expect_with("DELETE FROM access_grant WHERE id = $1", [grant.into()], [(5, "acme"), (6, "acme")]).await;
    })
    .await;
}

#[tokio::test]
async fn apps_and_activity() {
    for_each_database(async |db| {
        let mut world = World::new(db).await;
        let whole = [(5, "acme"), (6, "acme")];
        world.expect("UPDATE app SET name = 'x' WHERE id = $1", "site", [(6, "acme")]).await;
        world.expect("UPDATE app SET state = 'disabled' WHERE id = $1", "site", whole).await;
        world.expect("UPDATE app SET visibility = 'public' WHERE id = $1", "site", whole).await;
        world.expect("UPDATE app SET kind = 'project' WHERE id = $1", "site", whole).await;
        let acme = world.id("acme");
        let member = world.id("member");
        let site = world.id("site");
        seed::grant(db, acme, ("member", Some(member)), "reader", Some(site)).await;
        let both = [(5, "acme"), (6, "acme"), (4, "member"), (2, "member's token")];
        world.expect("DELETE FROM app WHERE id = $1", "site", both).await;
        let before = world.versions().await;
        seed::activity(db, acme).await;
        let after = world.versions().await;
        assert_eq!(after.iter().filter(|(key, version)| before[*key] != **version).count(), 1);
        assert!(before[&(6, acme)] < after[&(6, acme)]);
    })
    .await;
}

#[tokio::test]
async fn roles_of_an_organizations_own() {
    for_each_database(async |db| {
        let mut world = World::new(db).await;
        let (id, acme) = (gatehouse::id::new_id(), world.id("acme"));
        let whole = [(5, "acme"), (6, "acme")];
        let sql = "INSERT INTO custom_role (id, organization_id, key, base, label, help, permissions, access, state, created_at, updated_at)
                   VALUES ($1, $2, 'custom:small', 'lead', 'Small', '', $3, $3, 'enabled', $4, $4)";
        world.expect_with(sql, [id.into(), acme.into(), seed::json("[]"), seed::noon().into()], whole).await;
        world.expect_with("UPDATE custom_role SET state = 'disabled' WHERE id = $1", [id.into()], whole).await;
        world.expect_with("DELETE FROM custom_role WHERE id = $1", [id.into()], whole).await;
    })
    .await;
}
