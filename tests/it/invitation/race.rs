//! Many at once: B4, B15, B16.

use futures_util::future::join_all;
use serde_json::json;

use super::{Hub, active, hub, invitation_of};
use crate::support::{
    gateway::{Engines, scale},
    people::{accept, count, invite, invite_with, newest_token, remedies},
};

/// B4: one link in the hands of many accounts at once is one person's.
#[tokio::test(flavor = "multi_thread")]
async fn b4_one_link_in_many_hands_is_one_persons() {
    for engines in Engines::DATABASES {
        let Hub { gateway, acme, alice } = hub(engines).await;
        let bob = gateway.person("bob").await;
        let mut crowd = vec![bob.clone()];
        // Below the limit of one address.
        for number in 0..(15 * scale()).min(90) {
            crowd.push(gateway.person(&format!("mallory{number}")).await);
        }
        invite(&alice, &bob.email).await.ok();
        let token = newest_token(&gateway);
        let answers = join_all(crowd.iter().rev().map(|person| accept(person, &token))).await;
        let (others, own) = answers.split_at(crowd.len() - 1);
        for answer in others {
            super::refused(answer, "INVITATION_FOR_ANOTHER");
        }
        let taken = own.iter().filter(|answer| !answer.at("acceptInvitation.member").is_null()).count();
        assert_eq!((taken, active(&gateway, &acme).await), (1, 2), "{engines:?}");
        let sql = "SELECT count(*) FROM member WHERE state = 'active' AND user_id IS NOT NULL";
        assert_eq!(gateway.database.count(sql).await, 2);
        assert_eq!(count(&gateway, "activity_entry WHERE action = 'member.joined'").await, 1);
    }
}

/// B15: accepted, accepted again, declined and revoked at once: one outcome, one seat, one entry.
#[tokio::test(flavor = "multi_thread")]
async fn b15_of_accept_decline_and_revoke_at_once_one_takes_place() {
    for engines in Engines::DATABASES {
        let Hub { gateway, acme, alice } = hub(engines).await;
        for round in 0..8 * scale() {
            let bob = gateway.person(&format!("bob{round}")).await;
            let invited = invite(&alice, &bob.email).await.ok();
            let token = newest_token(&gateway);
            let proof = json!({ "proof": { "token": token } });
            let (entries, members) = (count(&gateway, "activity_entry").await, active(&gateway, &acme).await);
            let revoke = json!({ "invitation": invitation_of(&invited) });
            let (accepted, again, declined, revoked) = tokio::join!(
                accept(&bob, &token),
                accept(&bob, &token),
                bob.call("declineInvitation", proof, "declined"),
                alice.call("revokeInvitation", revoke, "removed")
            );
            let joined = !accepted.at("acceptInvitation.member").is_null();
            assert_eq!(joined, !again.at("acceptInvitation.member").is_null(), "the second click is as the first");
            let done = [
                joined,
                !declined.at("declineInvitation.declined").is_null(),
                !revoked.at("revokeInvitation.removed").is_null(),
            ];
            assert_eq!(done.iter().filter(|done| **done).count(), 1, "{engines:?} {done:?}");
            let seats = "{ viewer { organization { seatUsage { used reserved } } } }";
            let seats = alice.ask(seats).await.ok().at("viewer.organization.seatUsage.0").clone();
            let used = members + i64::from(joined);
            assert_eq!(seats, json!({ "used": used, "reserved": 0 }), "{engines:?} {done:?}");
            assert_eq!(count(&gateway, "activity_entry").await, entries + 1, "{engines:?} {done:?}");
        }
    }
}

/// B15: what was revoked is not accepted afterwards, in whatever order the two come.
#[tokio::test]
async fn b15_what_is_over_stays_over() {
    let Hub { gateway, acme, alice } = hub(Engines::Embedded).await;
    let bob = gateway.person("bob").await;
    let proof = |token: &str| json!({ "proof": { "token": token } });
    for verb in ["revokeInvitation", "declineInvitation"] {
        let invited = invite(&alice, &bob.email).await.ok();
        let token = newest_token(&gateway);
        let answer = match verb {
            "revokeInvitation" => alice.call(verb, json!({ "invitation": invitation_of(&invited) }), "removed").await,
            _ => bob.call(verb, proof(&token), "declined").await,
        };
        answer.ok();
        super::refused(&accept(&bob, &token).await, "INVITATION_NOT_PENDING");
        assert_eq!(active(&gateway, &acme).await, 1);
    }
}

/// B16: the same address is invited once, however it is written and however many do it at once: one mail, one entry.
#[tokio::test(flavor = "multi_thread")]
async fn b16_an_address_is_invited_once() {
    for engines in Engines::DATABASES {
        let Hub { gateway, alice, .. } = hub(engines).await;
        let spellings = ["bob@example.org", "BOB@example.org", " bob@Example.Org ", "bob@EXAMPLE.ORG"];
        let answers = join_all(spellings.iter().cycle().take(8 * scale()).map(|email| invite(&alice, email))).await;
        let invited = answers.iter().filter(|answer| !answer.at("inviteMember.member").is_null()).count();
        let twice = answers.iter().filter(|answer| answer.refusals("inviteMember") == ["ALREADY_MEMBER"]);
        assert_eq!((invited, twice.count()), (1, answers.len() - 1), "{engines:?}");
        let later = invite(&alice, "bob@example.org").await;
        assert_eq!(remedies(&later, "inviteMember"), ["Send the invitation again, or take it back first."]);
        assert_eq!(gateway.mails().len(), 1, "{engines:?}");
        assert_eq!(count(&gateway, "activity_entry").await, 1, "{engines:?}");
        // Who is in already is told apart, and gets no mail.
        assert_eq!(
            invite_with(&alice, json!({ "email": alice.email })).await.refusals("inviteMember"),
            ["ALREADY_MEMBER"]
        );
        assert_eq!((gateway.mails().len(), count(&gateway, "outgoing_mail").await), (1, 1));
    }
}
