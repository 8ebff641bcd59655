//! Answering invitations (S3.41, S3.74), and what is asked again then.

use gatehouse::graphql::node::NodeType;
use serde_json::json;

use crate::support::{
    gateway::{Gateway, Person, Tenant},
    people::{accept, app_id, count, expire, fields, invite, invite_with, newest_token, remedies, switch, ticks},
};

struct Hub {
    gateway: Gateway,
    acme: Tenant,
    alice: Person,
}

async fn hub() -> Hub {
    let gateway = Gateway::sqlite().await;
    let acme = gateway.organization("acme", "support-hub", "business").await;
    let alice = gateway.member(&acme, "alice", "super_admin").await;
    Hub { gateway, acme, alice }
}

/// Takes back the proof of a person's address.
async fn unverify(gateway: &Gateway, person: &Person) {
    let sql = "UPDATE user_account SET email_verified_at = NULL WHERE id = $1";
    gateway.database.run(sql, [person.user.into()]).await.unwrap();
    gateway.settle().await;
}

/// S3.41: who accepts lands on the dashboard with exactly the access given, and the token has proven the address.
#[tokio::test]
async fn s3_41_acceptance_lands_with_exactly_the_access_given() {
    let Hub { gateway, acme, alice } = hub().await;
    let help = gateway.app(&acme, "help_center", "help").await;
    gateway.app(&acme, "newsroom", "news").await;
    let bob = gateway.person("bob").await;
    unverify(&gateway, &bob).await;
    let access = json!([{ "app": app_id(help), "features": [{ "feature": "articles" }] }]);
    let invited = invite_with(&alice, json!({ "email": bob.email, "access": access })).await.ok();
    let token = newest_token(&gateway);
    let accepted = accept(&bob, &token).await.ok();
    let payload = accepted.at("acceptInvitation");
    assert_eq!((&payload["landing"], &payload["organization"]["slug"]), (&json!("/"), &json!("acme")));
    assert_eq!(payload["member"], invited.at("inviteMember.member.id").clone());

    let there = switch(&bob, "acme").await;
    let ask = "{ viewer { user { emailVerifiedAt } permissions organization { slug viewerMember { id state name joinedAt roles { key } user { id } invitation { id } } } } }";
    let answer = there.ask(ask).await.ok();
    assert_eq!(answer.at("viewer.permissions"), &json!(["members.read"]));
    let member = answer.at("viewer.organization.viewerMember");
    assert_eq!((&member["state"], &member["name"]), (&json!("ACTIVE"), &json!("bob")));
    assert_eq!(member["roles"], json!([{ "key": "member" }]));
    assert!(!member["joinedAt"].is_null() && !member["user"].is_null() && member["invitation"].is_null());
    assert!(!answer.at("viewer.user.emailVerifiedAt").is_null());
    let row = NodeType::Member.parse(&member["id"].as_str().unwrap().into()).unwrap();
    assert_eq!(ticks(&gateway, row).await, ["help articles"]);
}

/// The link is good once, for the invited address alone; the same person's second click is the first again.
#[tokio::test]
async fn a_link_is_good_once_and_for_one_address() {
    let Hub { gateway, alice, .. } = hub().await;
    let (bob, mallory) = (gateway.person("bob").await, gateway.person("mallory").await);
    invite(&alice, &bob.email).await.ok();
    let token = newest_token(&gateway);
    let stolen = accept(&mallory, &token).await;
    assert_eq!(stolen.refusals("acceptInvitation"), ["INVITATION_FOR_ANOTHER"]);
    assert!(!stolen.text.contains("bob"));
    assert_eq!(accept(&gateway.stranger(), &token).await.codes(), ["UNAUTHENTICATED"]);
    let forged = format!("{}{}", &token[..46], if token.ends_with('A') { "E" } else { "A" });
    assert_eq!(accept(&bob, &forged).await.refusals("acceptInvitation").len(), 1);
    for nonsense in ["", "giv_", "grt_AAAA", "x"] {
        assert_eq!(accept(&bob, nonsense).await.refusals("acceptInvitation"), ["INVALID"]);
    }
    let first = accept(&bob, &token).await.ok();
    let entries = count(&gateway, "activity_entry").await;
    let second = accept(&bob, &token).await.ok();
    assert_eq!(first.body["data"], second.body["data"]);
    assert_eq!(count(&gateway, "activity_entry").await, entries);
    assert_eq!(accept(&mallory, &token).await.refusals("acceptInvitation"), ["INVITATION_FOR_ANOTHER"]);
    let declined = bob.call("declineInvitation", json!({ "proof": { "token": token } }), "declined").await;
    assert_eq!(declined.refusals("declineInvitation"), ["INVITATION_NOT_PENDING"]);
    let there = "You are a member by now: leave the organization, if you do not want to be.";
    assert_eq!(remedies(&declined, "declineInvitation"), [there]);
}

/// S3.74: a signed-in invitee is offered the invitation by its verified address, and nobody else is.
#[tokio::test]
async fn s3_74_a_signed_in_invitee_is_offered_the_invitation() {
    let Hub { gateway, alice, .. } = hub().await;
    let (bob, mallory) = (gateway.person("bob").await, gateway.person("mallory").await);
    let invited = invite_with(&alice, json!({ "email": bob.email, "notify": false })).await.ok();
    assert_eq!((invited.at("inviteMember.mailSent"), gateway.mails().len()), (&json!(false), 0));
    let ask = "{ viewer { pendingInvitations { id organizationName organizationSlug } } }";
    let offered = bob.ask(ask).await.ok();
    let id = invited.at("inviteMember.invitation.id").clone();
    let place = json!([{ "id": id, "organizationName": "acme", "organizationSlug": "acme" }]);
    assert_eq!(offered.at("viewer.pendingInvitations"), &place);
    assert_eq!(mallory.ask(ask).await.ok().at("viewer.pendingInvitations"), &json!([]));
    let by_id = json!({ "proof": { "invitation": id } });
    assert_eq!(mallory.call("acceptInvitation", by_id.clone(), "landing").await.codes(), ["NOT_FOUND"]);

    unverify(&gateway, &bob).await;
    assert_eq!(bob.ask(ask).await.ok().at("viewer.pendingInvitations"), &json!([]));
    assert_eq!(bob.call("acceptInvitation", by_id.clone(), "landing").await.codes(), ["NOT_FOUND"]);
    let sql = "UPDATE user_account SET email_verified_at = created_at WHERE id = $1";
    gateway.database.run(sql, [bob.user.into()]).await.unwrap();
    gateway.settle().await;
    bob.call("acceptInvitation", by_id, "landing").await.ok();
    assert_eq!(bob.ask(ask).await.ok().at("viewer.pendingInvitations"), &json!([]));
}

/// S3.74: an expired link says what to do; sent again, the same invitation has a new link and the old one is dead.
#[tokio::test]
async fn s3_74_an_old_link_can_be_sent_again() {
    let Hub { gateway, alice, .. } = hub().await;
    let bob = gateway.person("bob").await;
    let invited = invite(&alice, &bob.email).await.ok();
    let old = newest_token(&gateway);
    expire(&gateway).await;
    let late = accept(&bob, &old).await;
    assert_eq!(late.refusals("acceptInvitation"), ["INVITATION_EXPIRED"]);
    assert_eq!(remedies(&late, "acceptInvitation"), ["Ask for it to be sent again."]);
    assert_eq!(fields(&late, "acceptInvitation"), ["proof.token"]);
    let states =
        "{ viewer { organization { invitations(states: [EXPIRED]) { totalCount edges { node { state } } } } } }";
    assert_eq!(alice.ask(states).await.ok().at("viewer.organization.invitations.totalCount"), 1);
    let id = invited.at("inviteMember.invitation.id");
    let again = alice.call("resendInvitation", json!({ "invitation": id }), "invitation { id state }").await.ok();
    assert_eq!(again.at("resendInvitation.invitation"), &json!({ "id": id, "state": "PENDING" }));
    assert_eq!(accept(&bob, &old).await.refusals("acceptInvitation"), ["INVITATION_NOT_PENDING"]);
    accept(&bob, &newest_token(&gateway)).await.ok();
    let answered = alice.call("resendInvitation", json!({ "invitation": id }), "mailSent").await;
    assert_eq!(answered.refusals("resendInvitation"), ["INVITATION_NOT_PENDING"]);
    let there = "The person is a member by now: change the member's access.";
    assert_eq!(remedies(&answered, "resendInvitation"), [there]);
}

/// A revoked or declined invitation frees the seat, its member is gone, and the address can be invited anew.
#[tokio::test]
async fn revoked_and_declined_invitations_are_gone() {
    let Hub { gateway, alice, .. } = hub().await;
    let bob = gateway.person("bob").await;
    let list = "{ viewer { organization { members(states: [PENDING, ARCHIVED]) { totalCount } } } }";
    let seats = "{ viewer { organization { seatUsage { used reserved } } } }";
    let invited = invite(&alice, &bob.email).await.ok();
    let token = newest_token(&gateway);
    let (id, member) = (invited.at("inviteMember.invitation.id"), invited.at("inviteMember.member.id"));
    let revoked = alice.call("revokeInvitation", json!({ "invitation": id }), "removed").await.ok();
    assert_eq!(revoked.at("revokeInvitation.removed"), member);
    assert_eq!(alice.ask(list).await.ok().at("viewer.organization.members.totalCount"), 0);
    assert_eq!(alice.ask(seats).await.ok().at("viewer.organization.seatUsage.0"), &json!({ "used": 1, "reserved": 0 }));
    assert!(
        alice.send("query($id: ID!) { node(id: $id) { id } }", json!({ "id": member })).await.ok().at("node").is_null()
    );
    assert_eq!(accept(&bob, &token).await.refusals("acceptInvitation"), ["INVITATION_NOT_PENDING"]);
    let twice = alice.call("revokeInvitation", json!({ "invitation": id }), "removed").await;
    assert_eq!(twice.refusals("revokeInvitation"), ["INVITATION_NOT_PENDING"]);
    assert_eq!(remedies(&twice, "revokeInvitation"), ["Invite the person anew."], "she has nobody to ask");
    assert_eq!(fields(&twice, "revokeInvitation"), ["invitation"]);

    invite(&alice, &bob.email).await.ok();
    let proof = json!({ "proof": { "token": newest_token(&gateway) } });
    let other = gateway.person("mallory").await.call("declineInvitation", proof.clone(), "declined").await;
    assert_eq!(other.refusals("declineInvitation"), ["INVITATION_FOR_ANOTHER"]);
    // Who has the mail need have no account to say no.
    gateway.stranger().call("declineInvitation", proof.clone(), "declined").await.ok();
    let declined = bob.call("acceptInvitation", proof, "landing").await;
    assert_eq!(declined.refusals("acceptInvitation"), ["INVITATION_NOT_PENDING"]);
    assert_eq!(remedies(&declined, "acceptInvitation"), ["Ask for a new invitation."]);
    assert_eq!(fields(&declined, "acceptInvitation"), ["proof.token"]);
    assert_eq!(alice.ask(seats).await.ok().at("viewer.organization.seatUsage.0"), &json!({ "used": 1, "reserved": 0 }));
    let foreign = gateway.organization("other", "support-hub", "business").await;
    let eve = gateway.member(&foreign, "eve", "super_admin").await;
    let invited = invite(&alice, &bob.email).await.ok();
    let id = json!({ "invitation": invited.at("inviteMember.invitation.id") });
    for verb in ["revokeInvitation", "resendInvitation"] {
        assert_eq!(eve.call(verb, id.clone(), "__typename").await.codes(), ["NOT_FOUND"]);
    }
}

/// B10, B11: whoever invited must still be able to give it; an organization that is not open takes nobody.
#[tokio::test]
async fn what_the_inviter_lost_is_not_given() {
    let Hub { gateway, acme, alice } = hub().await;
    let carol = gateway.member(&acme, "carol", "super_admin").await;
    let bob = gateway.person("bob").await;
    let invited = invite_with(&carol, json!({ "email": bob.email, "role": "super_admin" })).await.ok();
    let token = newest_token(&gateway);
    let demoted = json!({ "member": crate::support::people::member_id(carol.member.unwrap()), "role": "member" });
    alice.call("changeMemberRole", demoted, "member { id }").await.ok();
    let refused = accept(&bob, &token).await;
    assert_eq!(refused.refusals("acceptInvitation"), ["INVITATION_NOT_PENDING"]);
    assert_eq!(remedies(&refused, "acceptInvitation"), ["Ask for it to be sent again by somebody else."]);
    let id = invited.at("inviteMember.invitation.id");
    alice.call("resendInvitation", json!({ "invitation": id }), "mailSent").await.ok();
    let token = newest_token(&gateway);
    let state = |state: &str| {
        let sql = format!("UPDATE organization SET state = '{state}' WHERE id = $1");
        let (gateway, id) = (&gateway, acme.id);
        async move {
            gateway.database.run(&sql, [id.into()]).await.unwrap();
            gateway.settle().await;
        }
    };
    state("suspended").await;
    assert_eq!(accept(&bob, &token).await.refusals("acceptInvitation"), ["INVITATION_NOT_PENDING"]);
    state("active").await;
    accept(&bob, &token).await.ok();
}
