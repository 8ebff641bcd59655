//! What holds when many come at once: seats (S3.55, S3.56), last holders (S3.63), one acceptance of one invitation.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{
    gateway::{Engines, Gateway, scale},
    people::{accept, count, invite, member_id, newest_token},
};

/// S3.55, S3.56: on each plan exactly as many seats are taken as it has, however many invite at once.
#[tokio::test(flavor = "multi_thread")]
async fn s3_55_s3_56_the_seat_table_holds_under_16_parallel_invitations() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        for (plan, limit) in [("free", 1), ("light", 1), ("growth", 3), ("business", 5), ("enterprise", 100)] {
            let acme = gateway.organization(plan, "support-hub", plan).await;
            let alice = gateway.member(&acme, &format!("alice-{plan}"), "super_admin").await;
            // Sixteen at the very edge: what is left of a big plan is filled before.
            let before = (limit - 1_usize).saturating_sub(8 * scale());
            for number in 0..before {
                invite(&alice, &format!("early{number}@{plan}.example")).await.ok();
            }
            let emails: Vec<String> = (0..16 * scale()).map(|number| format!("guest{number}@{plan}.example")).collect();
            let answers = join_all(emails.iter().map(|email| invite(&alice, email))).await;
            let taken = answers.iter().filter(|answer| !answer.at("inviteMember.member").is_null()).count();
            let full = answers.iter().filter(|answer| answer.refusals("inviteMember") == ["SEAT_LIMIT"]).count();
            let (free, all) = (limit - 1 - before, emails.len());
            assert_eq!((taken, full), (free.min(all), all - free.min(all)), "{engines:?} {plan}");
            let ask = "{ viewer { organization { seatUsage { limit used reserved free full } viewerCanInvite } } }";
            let usage = alice.ask(ask).await.ok();
            let expected = json!({ "limit": limit, "used": 1, "reserved": limit - 1, "free": 0, "full": true });
            assert_eq!(usage.at("viewer.organization.seatUsage.0"), &expected, "{engines:?} {plan}");
            assert_eq!(usage.at("viewer.organization.viewerCanInvite"), false);
        }
    }
}

/// Two Super Admins who go at once, in every way of going: one always remains.
#[tokio::test(flavor = "multi_thread")]
async fn s3_63_two_super_admins_who_go_at_once_never_leave_none() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        for round in 0..16 * scale() {
            let slug = format!("acme-{round}");
            let acme = gateway.organization(&slug, "support-hub", "business").await;
            let alice = gateway.member(&acme, &format!("alice{round}"), "super_admin").await;
            let bob = gateway.member(&acme, &format!("bob{round}"), "super_admin").await;
            let (first, second) = match round % 3 {
                0 => {
                    let leave = || json!({ "confirm": true });
                    tokio::join!(
                        alice.call("leaveOrganization", leave(), "left"),
                        bob.call("leaveOrganization", leave(), "left")
                    )
                }
                1 => {
                    let down = |who: &crate::support::gateway::Person| json!({ "member": member_id(who.member.unwrap()), "role": "member" });
                    tokio::join!(
                        alice.call("changeMemberRole", down(&alice), "member { id }"),
                        bob.call("changeMemberRole", down(&bob), "member { id }")
                    )
                }
                _ => {
                    let out = |who: &crate::support::gateway::Person| json!({ "member": member_id(who.member.unwrap()), "confirm": true });
                    tokio::join!(
                        alice.call("removeMember", out(&bob), "removed"),
                        bob.call("removeMember", out(&alice), "removed")
                    )
                }
            };
            let holders = format!(
                "access_grant WHERE organization_id = (SELECT id FROM organization WHERE slug = '{slug}') AND role = 'super_admin'"
            );
            assert_eq!(count(&gateway, &holders).await, 1, "{engines:?} {round}: {} {}", first.text, second.text);
        }
    }
}

/// B4, B15: one invitation accepted many times at once makes one member and one entry.
#[tokio::test(flavor = "multi_thread")]
async fn one_invitation_accepted_at_once_is_accepted_once() {
    for engines in Engines::DATABASES {
        let gateway = Gateway::on(engines).await;
        let acme = gateway.organization("acme", "support-hub", "enterprise").await;
        let alice = gateway.member(&acme, "alice", "super_admin").await;
        for round in 0..4 * scale() {
            let bob = gateway.person(&format!("bob{round}")).await;
            invite(&alice, &bob.email).await.ok();
            let token = newest_token(&gateway);
            let answers = join_all((0..8).map(|_| accept(&bob, &token))).await;
            for answer in answers {
                answer.ok();
            }
            let members = format!("member WHERE email = '{}' AND state = 'active'", bob.email);
            assert_eq!(count(&gateway, &members).await, 1, "{engines:?}");
            let entries = i64::try_from(round + 1).unwrap();
            assert_eq!(count(&gateway, "activity_entry WHERE action = 'member.joined'").await, entries);
        }
        let id = |answer: &crate::support::gateway::Answer| answer.at("inviteMember.invitation.id").clone();
        for round in 0..4 * scale() {
            let carol = gateway.person(&format!("carol{round}")).await;
            let invited = invite(&alice, &carol.email).await.ok();
            let token = newest_token(&gateway);
            let proof = json!({ "proof": { "token": token } });
            let (accepted, declined, revoked) = tokio::join!(
                accept(&carol, &token),
                carol.call("declineInvitation", proof, "declined"),
                alice.call("revokeInvitation", json!({ "invitation": id(&invited) }), "removed")
            );
            let done = [
                !accepted.at("acceptInvitation.member").is_null(),
                !declined.at("declineInvitation.declined").is_null(),
                !revoked.at("revokeInvitation.removed").is_null(),
            ];
            assert_eq!(done.iter().filter(|done| **done).count(), 1, "{engines:?} {done:?}");
        }
    }
}
