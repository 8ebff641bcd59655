//! Accounts that are deleted: refused where an organization needs the person, and gone whole.

use std::time::Duration;

use chrono::TimeDelta;
use gatehouse::id::new_id;
use sea_orm::{ConnectionTrait, TransactionTrait};
use serde_json::json;
use uuid::Uuid;

use super::words::{
    OTHER, PASSWORD, address, give_passwords, is_known, refresh, reset, reset_code, sign_in, signed_up, text,
    until_written,
};
use crate::{
    app_role::{HALLS, House, give, halls_of_heads, house_by, house_on},
    support::{
        database::TestDatabase,
        gateway::{Answer, Engines, Gateway, Person, Tenant, scale},
        people::{accept, count, invite, newest_token, remedies},
        server::free_port,
    },
};

async fn delete(person: &Person) -> Answer {
    delete_with(person, PASSWORD).await
}

async fn delete_with(person: &Person, password: &str) -> Answer {
    person.call("deleteAccount", json!({ "password": password }), "deleted").await
}

/// How many active members of an organization hold a role.
async fn holders(gateway: &Gateway, tenant: &Tenant, role: &str) -> i64 {
    let sql = "SELECT count(*) FROM access_grant g JOIN member m ON m.id = g.grantee_id
               WHERE m.organization_id = $1 AND m.state = 'active' AND g.role = $2";
    gateway.database.rows(sql, [tenant.id.into(), role.into()]).await[0].try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a10_every_credential_of_a_deleted_account_is_dead_at_once() {
    for engines in Engines::ALL {
        let gateway = Gateway::on(engines).await;
        let alice = signed_up(&gateway, "alice").await;
        let acme = gateway.organization("acme", "support-hub", "growth").await;
        let dave = gateway.member(&acme, "dave", "super_admin").await;
        gateway.settle().await;
        invite(&dave, &address("alice")).await.ok();
        accept(&alice, &newest_token(&gateway)).await.ok();
        let signed_in = sign_in(&gateway, &address("alice"), PASSWORD).await.ok();
        let other = alice.with_token(text(&signed_in, "signIn.accessToken"));
        let code = reset_code(&gateway, "alice").await;
        assert!(is_known(&alice).await && is_known(&other).await);

        assert_eq!(delete_with(&alice, OTHER).await.refusals("deleteAccount"), ["WRONG_CREDENTIALS"], "{engines:?}");
        assert_eq!(delete(&gateway.stranger()).await.codes(), ["UNAUTHENTICATED"]);
        assert!(is_known(&alice).await, "{engines:?}");
        assert_eq!(delete(&alice).await.ok().at("deleteAccount.deleted"), true, "{engines:?}");

        for person in [&alice, &other] {
            assert_eq!(person.ask("{ viewer { id } }").await.status, 401, "{engines:?}");
        }
        let refreshed = refresh(&gateway, text(&signed_in, "signIn.refreshToken")).await;
        assert_eq!(refreshed.codes(), ["UNAUTHENTICATED"], "{engines:?}");
        let again = sign_in(&gateway, &address("alice"), PASSWORD).await;
        assert_eq!(again.refusals("signIn"), ["WRONG_CREDENTIALS"], "{engines:?}");
        assert_eq!(reset(&gateway, &code, OTHER).await.refusals("resetPassword"), ["CODE_INVALID"], "{engines:?}");
        until_written(&gateway, "Subject: Your account was deleted").await;

        // The address is free, and who has it now is somebody else.
        let next = signed_up(&gateway, "alice").await;
        let viewer = next.ask("{ viewer { organizations { totalCount } } }").await.ok();
        assert_eq!(viewer.at("viewer.organizations.totalCount"), 0, "{engines:?}");
        assert!(!is_known(&alice).await && !is_known(&other).await, "{engines:?}");
    }
}

#[tokio::test]
async fn c6_who_is_the_last_owner_stays_and_nobody_is_promoted() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let acme = gateway.organization("acme", "support-hub", "growth").await;
        let alice = gateway.member(&acme, "alice", "super_admin").await;
        let bob = gateway.member(&acme, "bob", "member").await;
        let beta = gateway.organization("beta", "code-hosting", "free").await;
        gateway.joined(&beta, &alice, "owner").await;
        let free = gateway.organization("gamma", "support-hub", "growth").await;
        gateway.joined(&free, &alice, "member").await;
        give_passwords(&gateway).await;

        let refused = delete(&alice).await;
        assert_eq!(refused.refusals("deleteAccount"), ["LAST_HOLDER", "LAST_HOLDER"], "{}", refused.text);
        assert_eq!(refused.at("deleteAccount.deleted"), false);
        let told: Vec<_> = refused.at("deleteAccount.userErrors").as_array().unwrap().clone();
        let mut named: Vec<_> = told.iter().map(|error| error["message"].as_str().unwrap().split(':').next()).collect();
        named.sort_unstable();
        assert_eq!(named, [Some("acme"), Some("beta")], "{}", refused.text);
        assert!(told.iter().all(|error| error["remedy"].as_str().unwrap().contains("then delete the account")));
        // Nothing was changed, not even where the person is not needed.
        assert_eq!(count(&gateway, "member WHERE state = 'active'").await, 4, "{engines:?}");
        assert!(is_known(&alice).await && count(&gateway, "activity_entry").await == 0);

        gateway.grant_role(&acme, "member", bob.member, "super_admin").await;
        let carol = gateway.member(&beta, "carol", "owner").await;
        gateway.settle().await;
        delete(&alice).await.ok();
        assert_eq!(holders(&gateway, &acme, "super_admin").await, 1, "{engines:?}");
        assert_eq!(holders(&gateway, &beta, "owner").await, 1, "{engines:?}");
        give_passwords(&gateway).await;
        // Whose turn it is next is refused alike.
        for person in [&bob, &carol] {
            assert_eq!(delete(person).await.refusals("deleteAccount"), ["LAST_HOLDER"], "{engines:?}");
        }
        assert_eq!(count(&gateway, "member WHERE state = 'active'").await, 2, "{engines:?}");
    }
}

#[tokio::test]
async fn c6_the_last_keeper_of_an_app_stays_until_there_is_another() {
    let House { gateway, alice, bob, carol, north, .. } = house_on(Engines::Embedded).await;
    give_passwords(&gateway).await;
    let refused = delete(&bob).await;
    assert_eq!(refused.refusals("deleteAccount"), ["LAST_HOLDER"], "{}", refused.text);
    assert!(refused.text.contains("acme: "), "{}", refused.text);
    give(&alice, &carol, (north, "keeper")).await.ok();
    delete(&bob).await.ok();
}

#[tokio::test]
async fn c4_of_owners_who_delete_leave_and_demote_at_once_one_remains() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        for round in 0..3 * scale() {
            let tenant = gateway.organization(&format!("acme-{round}"), "support-hub", "growth").await;
            let alice = gateway.member(&tenant, &format!("alice-{round}"), "super_admin").await;
            let erin = gateway.member(&tenant, &format!("erin-{round}"), "super_admin").await;
            give_passwords(&gateway).await;
            let (one, other) = match round % 3 {
                0 => tokio::join!(delete(&alice), delete(&erin)),
                1 => tokio::join!(delete(&alice), erin.call("leaveOrganization", json!({ "confirm": true }), "left")),
                _ => {
                    let id = crate::support::people::member_id(erin.member.unwrap());
                    let demote = json!({ "member": id, "role": "member" });
                    tokio::join!(delete(&alice), erin.call("changeMemberRole", demote, "member { id }"))
                }
            };
            let left = holders(&gateway, &tenant, "super_admin").await;
            assert_eq!(left, 1, "{engines:?}, round {round}: {} {}", one.text, other.text);
        }
    }
}

/// While the account is being deleted, the person joins one more organization: that place ends as well.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the other writer is an operator with a shell, past the store")]
async fn a10_a_place_that_is_taken_meanwhile_ends_with_the_account() {
    let gateway = Gateway::on(Engines::Postgres).await;
    let alice = gateway.person("alice").await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    gateway.member(&acme, "dave", "super_admin").await;
    give_passwords(&gateway).await;
    let other = gateway.database.shell.begin().await.unwrap();
    other.execute_unprepared("SELECT 1 FROM user_account WHERE name = 'alice' FOR UPDATE").await.unwrap();
    let deleting = tokio::spawn({
        let alice = alice.clone();
        async move { delete(&alice).await }
    });
    gateway.database.until_waiting(1).await;
    let join = format!(
        "INSERT INTO member (id, organization_id, user_id, email, name, state, created_at, joined_at)
         VALUES ('{}', '{}', '{}', 'alice@example.org', 'alice', 'active', now(), now())",
        new_id(),
        acme.id,
        alice.user
    );
    other.execute_unprepared(&join).await.unwrap();
    other.commit().await.unwrap();
    deleting.await.unwrap().ok();
    assert_eq!(count(&gateway, "member WHERE name = 'alice'").await, 0);
    assert_eq!(count(&gateway, "user_account WHERE name = 'alice'").await, 0);
}

#[tokio::test]
async fn a_deleted_person_is_erased_and_entries_keep_what_happened() {
    for engines in Engines::DATABASES {
        let House { gateway, acme, alice, bob, carol, north, .. } = house_on(engines).await;
        let mut zoe = gateway.person("zoe").await;
        invite(&alice, &zoe.email).await.ok();
        accept(&zoe, &newest_token(&gateway)).await.ok();
        let place = gateway.database.rows("SELECT id FROM member WHERE user_id = $1", [zoe.user.into()]).await;
        let member: Uuid = place[0].try_get_by_index(0).unwrap();
        zoe.member = Some(member);
        zoe.token = Some(gateway.mint(&zoe, Some(acme.id)));
        give(&alice, &zoe, (north, "keeper")).await.ok();
        give(&zoe, &carol, (north, "visitor")).await.ok();
        let team = new_id();
        let sql = "INSERT INTO activity_entry (id, organization_id, at, category, actor_kind, actor_name, action, target_kind,
                   target_id, target_name, detail) VALUES ($1, $2, $3, 'access', 'system', 'system', 'team.member_added', 'team',
                   $4, 'North', $5)";
        let detail = json!({ "member": { "id": member, "name": "zoe" } });
        let row = [team.into(), acme.id.into(), gateway.service.now().into(), team.to_string().into(), detail.into()];
        gateway.database.run(sql, row).await.unwrap();
        give_passwords(&gateway).await;
        let said =
            "activity_entry WHERE actor_name = 'zoe' OR target_name = 'zoe' OR CAST(detail AS text) LIKE '%zoe%'";
        let by = "activity_entry WHERE actor_name = 'Deleted account' AND action = 'access.granted'";
        assert!(count(&gateway, said).await >= 4, "{engines:?}");
        let entries = count(&gateway, "activity_entry").await;

        delete(&zoe).await.ok();
        assert_eq!(count(&gateway, said).await, 0, "{engines:?}");
        assert_eq!(count(&gateway, "activity_entry").await, entries + 1, "{engines:?}");
        assert_eq!(count(&gateway, by).await, 1, "{engines:?}");
        let place =
            "member WHERE state = 'archived' AND name = 'Deleted account' AND email IS NULL AND user_id IS NULL";
        assert_eq!(count(&gateway, place).await, 1, "{engines:?}");
        for table in ["user_account", "member", "invitation"] {
            let left = count(&gateway, &format!("{table} WHERE email LIKE 'zoe%'")).await;
            assert_eq!(left, 0, "{engines:?}: {table}");
        }
        // Whoever reads the log sees that somebody did it.
        let log = alice.ask(
            "{ organization(slug: \"acme\") { activity(first: 20) { edges { node { action actor { name } } } } } }",
        );
        assert!(log.await.ok().text.contains("\"name\":\"Deleted account\""), "{engines:?}");
        assert!(is_known(&bob).await);
    }
}

/// H3: what erasure may change of an entry is all that anything may.
#[tokio::test]
async fn h3_entries_are_as_immutable_as_they_were() {
    for engines in Engines::DATABASES {
        let House { gateway, .. } = house_on(engines).await;
        assert!(count(&gateway, "activity_entry").await > 0);
        for change in [
            "action = 'member.removed'",
            "actor_name = 'mallory'",
            "target_name = 'mallory'",
            "actor_id = NULL",
            "expires_at = at",
            "detail = '{\"role\": \"head\"}'",
            "actor_name = 'Deleted account', action = 'member.removed'",
        ] {
            let sql = format!("UPDATE activity_entry SET {change}");
            assert!(gateway.database.run(&sql, []).await.is_err(), "{engines:?}: {change}");
        }
    }
}

#[tokio::test]
async fn letters_that_wait_end_with_the_account() {
    let url = format!("smtp://127.0.0.1:{}", free_port());
    let database = TestDatabase::sqlite().await;
    let gateway = Gateway::configured(database, None, |args| args.mail_url = Some(url.parse().unwrap())).await;
    let alice = signed_up(&gateway, "alice").await;
    let waiting = "outgoing_mail WHERE state = 'waiting'";
    super::words::request_reset(&gateway, &address("alice")).await.ok();
    for _ in 0..500 {
        if count(&gateway, waiting).await == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(count(&gateway, waiting).await, 2);
    delete(&alice).await.ok();
    // The one that is left says that the account is gone.
    assert_eq!(count(&gateway, waiting).await, 1);
    assert_eq!(count(&gateway, "one_time_code").await, 0);
    let hour = gateway.service.now() + TimeDelta::hours(2);
    let rows = gateway.database.rows("SELECT count(*) FROM outgoing_mail WHERE ends_at > $1", [hour.into()]).await;
    assert_eq!(rows[0].try_get_by_index::<i64>(0).unwrap(), 1);
}

/// The last letter is in the language of the letters before it: that of the organization which is left with the account.
#[tokio::test]
async fn the_letter_about_a_deleted_account_is_in_the_language_of_its_organization() {
    let gateway = Gateway::on(Engines::Embedded).await;
    let alice = signed_up(&gateway, "alice").await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    let dave = gateway.member(&acme, "dave", "super_admin").await;
    gateway.settle().await;
    let region = json!({ "section": "region", "values": [{ "key": "language", "value": "it" }] });
    dave.call("updateProfile", region, "organization { id }").await.ok();
    invite(&dave, &address("alice")).await.ok();
    accept(&alice, &newest_token(&gateway)).await.ok();
    delete(&alice).await.ok();
    until_written(&gateway, "sapeva di te").await;
}

/// Somebody whose roles give no others is not told to give one before going, nor to delete what it may not; who may, is told to.
#[tokio::test]
async fn the_last_billing_admin_has_the_role_given_to_somebody_else_first() {
    let gateway = Gateway::on(Engines::Embedded).await;
    let acme = gateway.organization("acme", "workspace", "growth").await;
    let alice = gateway.member(&acme, "alice", "administrator").await;
    let judy = gateway.member(&acme, "judy", "non_admin").await;
    gateway.grant_role(&acme, "member", judy.member, "billing_admin").await;
    gateway.settle().await;
    give_passwords(&gateway).await;
    let refused = delete(&judy).await;
    let remedy = "Have someone else made Billing & Subscription first, then delete the account. \
                  Ask somebody with the role Administrator.";
    assert_eq!(remedies(&refused, "deleteAccount"), [remedy], "{}", refused.text);
    let refused = delete(&alice).await;
    let remedy = "Make someone else Administrator first, or delete the organization, then delete the account.";
    assert_eq!(remedies(&refused, "deleteAccount"), [remedy], "{}", refused.text);
}

/// S4.R5: the last holder of a role on an app is told to give it, where the role gives itself, and else to have it given.
#[tokio::test]
async fn s4_r5_the_last_holder_on_an_app_who_deletes_is_told_what_that_one_can_do() {
    let passive = "Have someone else made Keeper of it first. Ask somebody with the role Head.";
    for (rules, remedy) in [(HALLS.to_owned(), "Make someone else Keeper of it first."), (halls_of_heads(), passive)] {
        let House { gateway, bob, .. } = house_by(Engines::Embedded, &rules, "halls").await;
        give_passwords(&gateway).await;
        let refused = delete(&bob).await;
        assert_eq!(refused.refusals("deleteAccount"), ["LAST_HOLDER"], "{}", refused.text);
        assert_eq!(remedies(&refused, "deleteAccount"), [remedy], "{}", refused.text);
    }
}
