//! Leaving (S3.60 to S3.64), and that somebody always remains.

use serde_json::json;

use crate::support::{
    gateway::{Answer, Engines, Gateway, Person, Tenant},
    people::{member_id, remedies},
};

struct Hub {
    gateway: Gateway,
    acme: Tenant,
    alice: Person,
    bob: Person,
}

async fn hub_on(engines: Engines) -> Hub {
    let gateway = Gateway::on(engines).await;
    let acme = gateway.organization("acme", "support-hub", "enterprise").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    let bob = gateway.member(&acme, "bob", "member").await;
    Hub { gateway, acme, alice, bob }
}

async fn leave(person: &Person) -> Answer {
    person.call("leaveOrganization", json!({ "confirm": true }), "left").await
}

const MAY_LEAVE: &str =
    "{ organization(slug: \"acme\") { viewerCanLeave viewerCannotLeaveReasons { code message remedy } } }";

/// S3.60, S3.61, S3.62: a Member and a non-primary Super Admin leave, at once, to the switcher; the list knows it at once.
#[tokio::test]
async fn s3_60_s3_61_s3_62_leaving_is_immediate() {
    for engines in Engines::ALL {
        let Hub { gateway, acme, alice, bob } = hub_on(engines).await;
        let carol = gateway.member(&acme, "carol", "super_admin").await;
        for person in [&bob, &carol] {
            assert_eq!(person.ask(MAY_LEAVE).await.ok().at("organization.viewerCanLeave"), true, "{engines:?}");
            let unsure = person.call("leaveOrganization", json!({ "confirm": false }), "left").await;
            assert_eq!(unsure.refusals("leaveOrganization"), ["NOT_CONFIRMED"]);
            leave(person).await.ok();
            let after = person.ask("{ viewer { organization { id } organizations { totalCount } } }").await.ok();
            assert!(after.at("viewer.organization").is_null());
            assert_eq!(after.at("viewer.organizations.totalCount"), 0);
            assert_eq!(leave(person).await.codes(), ["NOT_FOUND"]);
        }
        let list = alice.ask("{ organization(slug: \"acme\") { members { edges { node { name } } } } }").await.ok();
        assert_eq!(list.at("organization.members.edges"), &json!([{ "node": { "name": "alice" } }]));
    }
}

/// S3.63, S3.64, Q13: the only Super Admin neither leaves nor steps down, and is told what to do first.
#[tokio::test]
async fn s3_63_s3_64_the_only_super_admin_stays() {
    for engines in Engines::DATABASES {
        let Hub { gateway: _serving, alice, bob, .. } = hub_on(engines).await;
        let may = alice.ask(MAY_LEAVE).await.ok();
        assert_eq!(may.at("organization.viewerCanLeave"), false, "{engines:?}");
        assert_eq!(may.at("organization.viewerCannotLeaveReasons.0.code"), "LAST_HOLDER");
        let refused = leave(&alice).await;
        assert_eq!(refused.refusals("leaveOrganization"), ["LAST_HOLDER"]);
        assert_eq!(remedies(&refused, "leaveOrganization"), ["Make someone else Super Admin first, then leave."]);
        let role = |who: &Person, role: &str| json!({ "member": member_id(who.member.unwrap()), "role": role });
        let refused = alice.call("changeMemberRole", role(&alice, "member"), "member { id }").await;
        assert_eq!(refused.refusals("changeMemberRole"), ["LAST_HOLDER"]);
        alice.call("changeMemberRole", role(&bob, "super_admin"), "member { id }").await.ok();
        assert_eq!(alice.ask(MAY_LEAVE).await.ok().at("organization.viewerCanLeave"), true);
        leave(&alice).await.ok();
        let refused = leave(&bob).await;
        assert_eq!(refused.refusals("leaveOrganization"), ["LAST_HOLDER"]);
    }
}

/// Q13: a Super Admin for a time is no successor: when the time is over there would be none.
#[tokio::test]
async fn a_temporary_super_admin_is_no_successor() {
    let Hub { gateway, acme, alice, bob } = hub_on(Engines::Embedded).await;
    let grant = gateway.grant_role(&acme, "member", bob.member, "super_admin").await;
    let end = gateway.service.now() + chrono::TimeDelta::hours(1);
    let sql = "UPDATE access_grant SET expires_at = $1 WHERE id = $2";
    gateway.database.run(sql, [end.into(), grant.into()]).await.unwrap();
    gateway.settle().await;
    assert_eq!(leave(&alice).await.refusals("leaveOrganization"), ["LAST_HOLDER"]);
    let sql = "UPDATE access_grant SET expires_at = NULL WHERE id = $1";
    gateway.database.run(sql, [grant.into()]).await.unwrap();
    gateway.settle().await;
    leave(&alice).await.ok();
}
