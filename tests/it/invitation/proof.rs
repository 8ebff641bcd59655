//! Who may accept: B1, B2, B3, B5, B12, B13.

use serde_json::json;

use super::{Hub, accept_by_id, active, hub, invitation_of, member_of, refused, write};
use crate::support::{
    gateway::{Engines, Gateway, Person},
    people::{accept, count, fields, invite, invite_with, member_id, newest_token, set},
};

async fn unprove(gateway: &Gateway, person: &Person) {
    write(gateway, "UPDATE user_account SET email_verified_at = NULL WHERE id = $1", [person.user.into()]).await;
}

/// B1: an account that only claims the invited address accepts nothing by id; the secret of the mail proves the address.
#[tokio::test]
async fn b1_an_unproven_account_accepts_nothing_by_id() {
    for engines in Engines::DATABASES {
        let Hub { gateway, acme, alice } = hub(engines).await;
        let mallory = gateway.person("mallory").await;
        unprove(&gateway, &mallory).await;
        let invited = invite(&alice, &mallory.email).await.ok();
        let by_id = accept_by_id(&mallory, &invitation_of(&invited)).await;
        assert_eq!(by_id.codes(), ["NOT_FOUND"], "{engines:?}");
        let absent = gatehouse::graphql::node::NodeType::Invitation.id(gatehouse::id::new_id());
        assert_eq!(by_id.text, accept_by_id(&mallory, &json!(absent.0)).await.text, "as of one that there is not");
        let declined = json!({ "proof": { "invitation": invitation_of(&invited) } });
        assert_eq!(mallory.call("declineInvitation", declined, "declined").await.codes(), ["NOT_FOUND"]);
        assert_eq!(active(&gateway, &acme).await, 1);
        accept(&mallory, &newest_token(&gateway)).await.ok();
    }
}

/// B2: a token carries nothing that could be edited: every other text is no token.
#[tokio::test]
async fn b2_a_token_that_was_edited_is_none() {
    let Hub { gateway, acme, alice } = hub(Engines::Embedded).await;
    let bob = gateway.person("bob").await;
    invite(&alice, &bob.email).await.ok();
    let token = newest_token(&gateway);
    for at in 0..token.len() {
        let letter = &token[at..=at];
        let mut edited = token.clone();
        edited.replace_range(at..=at, if letter == "A" { "B" } else { "A" });
        let answer = accept(&bob, &edited).await;
        assert!(answer.at("acceptInvitation.member").is_null(), "{at}: {}", answer.text);
    }
    let longer = format!("{token}A");
    let claims = "eyJhbGciOiJub25lIn0.eyJvcmciOiJhY21lIiwiZW1haWwiOiJib2JAZXhhbXBsZS5vcmcifQ.";
    for text in [&token[..46], &longer, &token.to_uppercase(), claims, &token.replace("giv_", "gat_")] {
        assert!(accept(&bob, text).await.at("acceptInvitation.member").is_null(), "{text}");
    }
    assert_eq!(active(&gateway, &acme).await, 1);
    accept(&bob, &token).await.ok();
}

/// B3: what was offered while it was pending is asked again when it is accepted.
#[tokio::test]
async fn b3_what_was_pending_when_it_was_looked_at_may_be_over_when_it_is_accepted() {
    for engines in Engines::DATABASES {
        let Hub { gateway, acme, alice } = hub(engines).await;
        let bob = gateway.person("bob").await;
        let invited = invite(&alice, &bob.email).await.ok();
        let (token, id) = (newest_token(&gateway), invitation_of(&invited));
        let ask = "{ viewer { pendingInvitations { id } } }";
        assert_eq!(bob.ask(ask).await.ok().at("viewer.pendingInvitations.0.id"), &id);
        alice.call("revokeInvitation", json!({ "invitation": id }), "removed").await.ok();
        refused(&accept(&bob, &token).await, "INVITATION_NOT_PENDING");
        let by_id = accept_by_id(&bob, &id).await;
        refused(&by_id, "INVITATION_NOT_PENDING");
        assert_eq!(fields(&by_id, "acceptInvitation"), ["proof.invitation"]);
        assert_eq!(active(&gateway, &acme).await, 1, "{engines:?}");

        let invited = invite(&alice, &bob.email).await.ok();
        let (token, id) = (newest_token(&gateway), invitation_of(&invited));
        accept(&bob, &token).await.ok();
        let proof = json!({ "proof": { "token": token } });
        let declined = bob.call("declineInvitation", proof, "declined").await;
        assert_eq!(declined.refusals("declineInvitation"), ["INVITATION_NOT_PENDING"]);
        let revoked = alice.call("revokeInvitation", json!({ "invitation": id }), "removed").await;
        assert_eq!(revoked.refusals("revokeInvitation"), ["INVITATION_NOT_PENDING"]);
        assert_eq!(active(&gateway, &acme).await, 2, "{engines:?}");
    }
}

/// B5: a link that was used brings nobody back.
#[tokio::test]
async fn b5_a_used_link_does_not_bring_back_who_was_removed() {
    // Members are purged in one of these blueprints and archived in the other.
    for (blueprint, plan, head, more) in [
        ("support-hub", "enterprise", "super_admin", json!({})),
        ("business-suite", "agency", "owner", json!({ "firstName": "B", "lastName": "B", "role": "user" })),
    ] {
        let gateway = Gateway::sqlite().await;
        let acme = gateway.organization("acme", blueprint, plan).await;
        let alice = gateway.member(&acme, "alice", head).await;
        let bob = gateway.person("bob").await;
        let mut input = more.clone();
        input["email"] = json!(bob.email);
        let invited = invite_with(&alice, input).await.ok();
        let token = newest_token(&gateway);
        accept(&bob, &token).await.ok();
        accept(&bob, &token).await.ok();
        let member = member_id(member_of(&invited));
        alice.call("removeMember", json!({ "member": member, "confirm": true }), "removed").await.ok();
        refused(&accept(&bob, &token).await, "INVITATION_NOT_PENDING");
        assert_eq!(active(&gateway, &acme).await, 1, "{blueprint}");
    }
}

/// B5: who is suspended is told nothing of the organization by the old link.
#[tokio::test]
async fn b5_a_used_link_says_nothing_to_who_is_suspended() {
    let Hub { gateway, alice, .. } = hub(Engines::Embedded).await;
    let bob = gateway.person("bob").await;
    let invited = invite(&alice, &bob.email).await.ok();
    let token = newest_token(&gateway);
    accept(&bob, &token).await.ok();
    write(&gateway, "UPDATE member SET state = 'suspended' WHERE id = $1", [member_of(&invited).into()]).await;
    refused(&accept(&bob, &token).await, "INVITATION_NOT_PENDING");
}

/// B12: the invitation is the invited address's, whoever holds the link, and whatever the account was called before.
#[tokio::test]
async fn b12_another_account_and_an_address_that_was_given_up_accept_nothing() {
    for engines in Engines::DATABASES {
        let Hub { gateway, acme, alice } = hub(engines).await;
        let (bob, mallory) = (gateway.person("bob").await, gateway.person("mallory").await);
        let invited = invite(&alice, &bob.email).await.ok();
        let (token, id) = (newest_token(&gateway), invitation_of(&invited));
        let stolen = accept(&mallory, &token).await;
        refused(&stolen, "INVITATION_FOR_ANOTHER");
        assert!(!stolen.text.contains("bob") && !stolen.text.contains("acme"), "{}", stolen.text);
        assert_eq!(accept_by_id(&mallory, &id).await.codes(), ["NOT_FOUND"]);
        // Proven once, and another address since.
        let sql = "UPDATE user_account SET email = 'robert@example.org' WHERE id = $1";
        write(&gateway, sql, [bob.user.into()]).await;
        refused(&accept(&bob, &token).await, "INVITATION_FOR_ANOTHER");
        assert_eq!(accept_by_id(&bob, &id).await.codes(), ["NOT_FOUND"]);
        let offered = bob.ask("{ viewer { pendingInvitations { id } } }").await.ok();
        assert_eq!(offered.at("viewer.pendingInvitations"), &json!([]));
        assert_eq!(active(&gateway, &acme).await, 1, "{engines:?}");
    }
}

/// B13: an address at an allowed domain may be invited, and is nobody's place; domains are whole names, not patterns.
#[tokio::test]
async fn b13_a_domain_gives_no_membership_and_is_no_pattern() {
    let Hub { gateway, acme, alice } = hub(Engines::Embedded).await;
    set(&gateway, &acme, json!({ "allowed_domains": ["example.org"] })).await;
    let mallory = gateway.person("mallory").await;
    let there =
        mallory.ask("{ viewer { organization { id } pendingInvitations { id } } organizations { totalCount } }");
    let there = there.await;
    assert!(there.at("viewer.organization").is_null(), "{}", there.text);
    let switched = mallory.call("switchOrganization", json!({ "organization": "acme" }), "accessToken").await;
    assert_eq!(switched.codes(), ["NOT_FOUND"]);
    for email in
        ["m@evilexample.org", "m@example.org.evil.com", "m@mail.example.org", "m@example.com", "m@xexample.org"]
    {
        let answer = invite(&alice, email).await;
        assert_eq!(answer.refusals("inviteMember"), ["DOMAIN_NOT_ALLOWED"], "{email}");
    }
    for pattern in ["*.org", "*", ".org", "org", "example.*", "exam?le.org", "^example", "@example.org", ""] {
        let input = json!({ "settings": { "allowedDomains": [pattern] } });
        let answer = alice.call("updateOrganization", input, "organization { id }").await;
        assert!(answer.at("updateOrganization.organization").is_null(), "{pattern}: {}", answer.text);
    }
    assert_eq!(count(&gateway, "member").await, 1);
    invite(&alice, "m@EXAMPLE.org").await.ok();
}
