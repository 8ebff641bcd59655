//! The seat limit as an invariant about state: whoever adds people, however many at once.

use futures_util::future::join_all;
use gatehouse::{
    access::{
        Grantee, SystemTask,
        verb::{AssignRole, CreateMember},
    },
    id::new_id,
    service::{Change, ServiceError, UserErrorCode, Work, seat},
    store::{
        self, WriteScope,
        grant::{HeldRole, RoleGrant},
        member::NewMember,
    },
};
use uuid::Uuid;

use crate::support::gateway::{Engines, Gateway, Tenant, scale};

/// When the limit is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Looking {
    Before,
    After,
}

/// Adds a member in a change of its own, as an import would.
async fn add(gateway: &Gateway, tenant: &Tenant, plan: &'static str, looking: Looking) -> Result<(), ServiceError> {
    let organization = tenant.id;
    let hub = gateway.service.find_blueprint("support-hub").await.unwrap().unwrap();
    let change = Change::by_system("addMember", SystemTask::Operator, WriteScope::organization(organization));
    let changed = gateway.service.mutate(change, move |work| {
        Box::pin(async move {
            let within = seat::Within { organization, blueprint: &hub.rules, plan };
            let before = seat::taken(work, within).await?;
            if looking == Looking::Before {
                seat::require(work, within, ["member"]).await?;
            }
            insert(work, organization).await?;
            if looking == Looking::After {
                seat::ensure_not_over(work, within, &before).await?;
            }
            Ok(())
        })
    });
    changed.await.map(|_| ())
}

async fn insert(work: &Work<'_>, organization: Uuid) -> Result<(), ServiceError> {
    let id = new_id();
    let new = NewMember {
        id,
        organization_id: organization,
        user_id: None,
        email: None,
        handle: Some(id.to_string()),
        name: "bob".to_owned(),
        first_name: None,
        last_name: None,
        now: work.now,
    };
    store::member::insert(work.tx, work.authorize::<CreateMember>(None)?, new).await?;
    let held = HeldRole { organization, grantee: Grantee::Member(id), role: "member".to_owned() };
    let grant = RoleGrant { id: new_id(), held, expires_at: None, now: work.now };
    store::grant::assign_role(work.tx, work.authorize::<AssignRole>(None)?, grant).await?;
    Ok(())
}

async fn sixteen_at_once(looking: Looking) {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        for round in 0..scale() {
            let acme = gateway.organization(&format!("acme{round}"), "support-hub", "business").await;
            let alice = gateway.member(&acme, &format!("alice{round}"), "super_admin").await;
            let ended = join_all((0..16).map(|_| add(&gateway, &acme, "business", looking))).await;
            let refused = ended.iter().filter(|ended| match ended {
                Ok(()) => false,
                Err(ServiceError::Refused(refusals)) => {
                    assert_eq!(refusals[0].code, UserErrorCode::SeatLimit);
                    assert!(refusals[0].remedy.as_deref().unwrap().contains("Enterprise (100 seats)"));
                    true
                }
                Err(other) => panic!("{engines:?}: {other}"),
            });
            assert_eq!(refused.count(), 12, "{engines:?}, {looking:?}");
            let seen = alice.ask("{ viewer { organization { seatUsage { used free full } } } }").await.ok();
            let usage = seen.at("viewer.organization.seatUsage.0");
            assert_eq!((usage["used"].as_u64(), usage["free"].as_u64()), (Some(5), Some(0)), "{engines:?}");
        }
    }
}

#[tokio::test]
async fn sixteen_at_once_find_four_seats_when_they_look_before() {
    sixteen_at_once(Looking::Before).await;
}

#[tokio::test]
async fn sixteen_at_once_find_four_seats_when_they_look_after() {
    sixteen_at_once(Looking::After).await;
}

#[tokio::test]
async fn over_the_limit_everyone_stays_and_nobody_comes() {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "support-hub", "growth").await;
    gateway.member(&acme, "alice", "super_admin").await;
    for looking in [Looking::Before, Looking::After] {
        add(&gateway, &acme, "growth", looking).await.unwrap();
    }
    for looking in [Looking::Before, Looking::After] {
        // On the smaller plan there are two too many; on the present one it is just full.
        for plan in ["free", "growth"] {
            assert!(add(&gateway, &acme, plan, looking).await.is_err(), "{plan}, {looking:?}");
        }
    }
    assert_eq!(gateway.database.count("SELECT count(*) FROM member").await, 3);
}
